"""What one asks a `TextExplanation`."""

import pytest

from camwidget.errors import ClassError, LayerError, MapError
from camwidget.maps.result import LayerMaps
from camwidget.pictures.result import Explanation
from camwidget.text.explain import explain_text, explain_text_methods
from camwidget.text.result import TextExplanation
from tests.text.toys import Reviews

TEXT = "The film was not good"


def test_pictures_and_texts_answer_the_same_questions() -> None:
    assert issubclass(Explanation, LayerMaps)
    assert issubclass(TextExplanation, LayerMaps)
    shared = {"cam", "contributions", "class_index", "code_for", "probabilities", "knows_class"}
    assert all(hasattr(kind, name) for kind in (Explanation, TextExplanation) for name in shared)


def test_it_prints_as_one_line_with_the_beginning_of_its_text() -> None:
    result = explain_text(Reviews().double(), "The film\n" * 40 + "was not good")

    assert repr(result).startswith("<TextExplanation by 'cam': layers 'conv3'; classes ")
    assert repr(result).endswith("; text 'The film\\nThe film\\nThe film\\nThe film\\nThe…', 83 words>")


def test_layers_and_classes_that_have_no_map_are_told() -> None:
    result = explain_text(Reviews().double(), TEXT, target_classes=["positive"])

    with pytest.raises(MapError, match="'conv1' would not add up"):
        result.cam("conv1")
    with pytest.raises(LayerError, match=r"no map of layer 'conv33'.*Did you mean 'conv3'"):
        result.cam("conv33")
    with pytest.raises(ClassError, match=r"Class 0 \(negative\) has no map"):
        result.word_values(target_class="negative")


def test_what_does_not_add_up_is_told() -> None:
    found = explain_text_methods(Reviews().double(), TEXT)

    with pytest.raises(MapError, match="'occlusion' do not add up"):
        found["occlusion"].contributions("conv3")
    with pytest.raises(MapError, match="2 convolutions and ReLU"):
        found["grad_cam"].contributions("conv1")


def test_it_knows_its_class_and_probabilities() -> None:
    result = explain_text(Reviews().double(), TEXT)

    assert result.knows_class
    assert result.knows_layer
    assert result.probabilities.sum().item() == pytest.approx(1)
    assert result.unknown_share == 0
    assert result.notes == ()

"""Several texts are explained one after the other, each as alone."""

from typing import Any

import pytest
import torch

from camwidget.errors import ClassError, TextError
from camwidget.text.batch import explain_texts
from camwidget.text.explain import explain_text
from tests.text.toys import Reviews

TEXTS = ["The film was not good", "good"]


def test_each_text_has_the_maps_that_it_has_alone() -> None:
    model = Reviews().double()

    results = explain_texts(model, iter(TEXTS), method="hires_cam", true_classes=[1, 0])

    assert "one by one" in results.one_by_one
    assert [each.text for each in results] == TEXTS
    for found, true in zip(results, (1, 0), strict=True):
        assert found.target_classes == tuple(dict.fromkeys([int(found.logits.argmax()), true]))
        alone = explain_text(model, found.text, method="hires_cam", target_classes=found.target_classes)
        assert list(found.cams) == list(alone.cams)
        for layer, cams in alone.cams.items():
            assert torch.equal(found.cams[layer], cams)
        assert found.code == alone.code


@pytest.mark.parametrize("texts", ["The film", [], 3])
def test_what_is_not_several_texts_is_refused(texts: Any) -> None:
    with pytest.raises(TextError, match="as a list"):
        explain_texts(Reviews().double(), texts)


@pytest.mark.parametrize("true", ["ab", [0]])
def test_there_is_a_true_class_for_each_text(true: Any) -> None:
    with pytest.raises(ClassError, match="one for each of the 2 texts"):
        explain_texts(Reviews().double(), TEXTS, true_classes=true)

"""One `explain` for pictures and texts."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastai.data.transforms import CategoryMap
from pandas import Series
from PIL import Image

import camwidget
from camwidget.dispatch import explain
from camwidget.errors import CamwidgetError, ImageError
from camwidget.hooks.hook import Hook
from camwidget.pictures.result import Explanation
from camwidget.text.reader import reads_text
from camwidget.text.result import TextExplanation
from tests.text.toys import Reviews
from tests.toys import PooledLinear, picture


def test_to_a_model_of_texts_a_string_is_a_text_even_if_a_picture_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (40, 30)).save("good.png")

    result = explain(Reviews().double(), "good.png")

    assert isinstance(result, TextExplanation)
    assert result.text == "good.png"
    assert result.method == "cam"


def test_to_a_model_of_pictures_a_string_is_a_path(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "good.png")

    result = explain(PooledLinear().double(), str(tmp_path / "good.png"))

    assert isinstance(result, Explanation)
    assert result.method == "grad_cam"
    with pytest.raises(ImageError):
        explain(PooledLinear().double(), "the film was good")


def test_everything_asked_for_is_handed_on() -> None:
    model, inputs, texts = PooledLinear().double(), picture(), Reviews().double()
    asked = {"method": "hires_cam", "target_classes": ["b"]}

    seen = explain(model, inputs, **asked, layers=["body.1"], class_names=["a", "b", "c"])
    read = explain(texts, "good film", **asked, layers=["conv1"], class_names=["a", "b"])

    assert (seen.method, list(seen.cams), seen.target_classes) == ("hires_cam", ["body.1"], (1,))
    assert (read.method, list(read.cams), read.target_classes) == ("hires_cam", ["conv1"], (1,))


@pytest.mark.parametrize("labels", [["dog", "cat"], [0, 1], [1.5, 2.5], [False, True]])
def test_a_learner_of_two_classes_is_not_taken_for_one_of_words_whatever_they_are_called(labels: list[Any]) -> None:
    names = CategoryMap(Series(labels))  # what a Learner has: a table's labels are numpy's numbers and truth values
    learner = SimpleNamespace(model=PooledLinear().double(), dls=SimpleNamespace(vocab=names))

    assert not reads_text(learner)


def test_it_is_the_public_one() -> None:
    assert camwidget.explain is explain


def test_hook_classes_of_ones_own_are_for_pictures() -> None:
    with pytest.raises(CamwidgetError, match="work with models of pictures"):
        explain(Reviews(), "a good film", hook=Hook)


@pytest.mark.parametrize("asked", [{"transform": print}, {"mean": 0.5}, {"std": 0.5}, {"size": 64}])
def test_how_pictures_are_made_ready_is_not_for_texts(asked: dict[str, Any]) -> None:
    (name,) = asked
    with pytest.raises(CamwidgetError, match=f"{name} was passed with a Reviews, which reads texts.*Leave {name} out"):
        explain(Reviews(), "a good film", **asked)

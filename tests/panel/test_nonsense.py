"""Arguments and settings of panels that cannot be meant: each is refused in words, and changes nothing."""

import math
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch
import traitlets

from camwidget.errors import CamwidgetError
from camwidget.panel.picture import CamPanel
from camwidget.panel.text import TextCamPanel
from camwidget.text.learner import text_learner
from camwidget.text.reviews import load_reviews
from tests.text.toys import Reviews
from tests.toys import strided

NONSENSE: tuple[Any, ...] = (
    -2.5, math.nan, math.inf, "nonsense", [[1]], [None], {"a": 1}, b"x", object(), np.array([1, 2]), torch.zeros(2),
)  # fmt: skip
PARTS = 3
WORDS = (
    "layer",
    "method",
    "other_layer",
    "other_method",
    "other_class",
    "target_class",
    "compare_by",
    "hide_by",
    "mode",
)
NUMBERS = ("crop", "heatmap_opacity", "swipe", "guess", "place", "regions", "target_classes")


@pytest.fixture(autouse=True)
def as_users_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the checks of annotations, which are there in tests only."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def picture() -> torch.Tensor:
    return torch.randn(1, 3, 90, 130, generator=torch.Generator().manual_seed(1))


def refused(error: BaseException) -> bool:
    """Whether it says what was given, what is allowed, and what to try."""
    return isinstance(error, CamwidgetError) and str(error).count(". ") + 1 >= PARTS


@pytest.mark.parametrize("name", ["layers", "target_classes", "methods", "call", "predict", "compare", "target"])
def test_a_picture_s_panel_refuses_an_argument_that_cannot_be_meant(name: str) -> None:
    for value in NONSENSE:
        if name == "target_classes" and isinstance(value, np.ndarray):
            continue  # two indices
        with pytest.raises(CamwidgetError) as raised:
            CamPanel(strided(3), picture(), **{name: value})

        assert refused(raised.value), f"{name}={value!r}: {raised.value}"


@pytest.mark.parametrize("name", ["layers", "target_classes", "methods", "call", "compare", "target"])
def test_a_text_s_panel_refuses_an_argument_that_cannot_be_meant(name: str) -> None:
    for value in NONSENSE:
        if name == "compare" and isinstance(value, str):
            continue  # a text
        with pytest.raises(CamwidgetError) as raised:
            TextCamPanel(Reviews(), "very good film", **{name: value})

        assert refused(raised.value), f"{name}={value!r}: {raised.value}"


@pytest.mark.parametrize("name", [*WORDS, *NUMBERS])
def test_a_setting_that_cannot_be_meant_is_refused_told_and_changes_nothing(name: str) -> None:
    panel = CamPanel(strided(3), picture())
    before = panel._state

    for value in NONSENSE:
        if name == "target_classes" and isinstance(value, np.ndarray):
            continue
        panel.view.message = ""
        with pytest.raises((CamwidgetError, traitlets.TraitError)):
            setattr(panel, name, value)

        assert panel._state is before, f"{name} = {value!r}"
        assert panel.view.message, f"{name} = {value!r}"


def test_a_saved_picture_has_a_width_and_a_page_a_title(tmp_path: Path) -> None:
    panel = CamPanel(strided(3), picture())

    for value in (*NONSENSE, 0, 5, 10**6, True):
        with pytest.raises(CamwidgetError, match="size is"):
            panel.save_png(tmp_path / "map.png", size=value)
        if not isinstance(value, str):
            with pytest.raises(CamwidgetError, match="title is"):
                panel.as_html(title=value)
    assert panel.save_png(tmp_path / "map.png", size=100).is_file()
    assert "<title>&lt;b&gt;</title>" in panel.as_html(title="<b>")


def test_reviews_and_their_learner_refuse_what_they_cannot_use() -> None:
    for value in NONSENSE:
        with pytest.raises(CamwidgetError, match="There is no source"):
            load_reviews(source=value)
        with pytest.raises(CamwidgetError, match="reviews is"):
            text_learner(value)
        with pytest.raises(CamwidgetError, match="pretrained is"):
            text_learner(pretrained=value)
        if not isinstance(value, str):
            with pytest.raises(CamwidgetError, match="folder is"):
                load_reviews(value)


def test_a_panel_that_was_closed_wakes_when_it_is_shown() -> None:
    panel = CamPanel(strided(3), picture())
    panel.layer = panel.result.layers[0].name

    for each in (panel.view, panel):
        each.close()  # a host closes all that it no longer shows, one by one
    shown = panel._repr_mimebundle_()

    assert "application/vnd.jupyter.widget-view+json" in shown
    assert panel.comm is not None
    assert panel.view.comm is not None
    assert panel.layer == panel.result.layers[0].name

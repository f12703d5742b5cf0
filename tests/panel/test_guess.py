"""A guess before the answer: the traits, and that a stored notebook does not give it away."""

import base64
import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from camwidget.errors import MapError
from camwidget.panel.guess import GuessState
from camwidget.panel.modes import MODES
from camwidget.panel.picture import CamPanel
from tests.toys import strided


@pytest.fixture
def panel() -> CamPanel:
    net = strided(4)
    return CamPanel(net, torch.randn(1, 3, 90, 130), predict=True)


def test_a_panel_that_asks_first_begins_with_the_question(panel: CamPanel) -> None:
    assert (panel.mode, panel.guess, panel.revealed) == ("guess", None, False)
    assert (MODES[panel.view.mode_index], panel.view.guess, panel.view.revealed) == ("guess", [], 0)


def test_only_a_guess_that_waits_for_its_answer_is_secret() -> None:
    assert GuessState(mode="guess").secret
    assert not GuessState(mode="guess", revealed=True).secret
    assert not GuessState(mode="slide").secret


def test_a_guess_of_the_browser_is_a_trait_and_the_other_way_round(panel: CamPanel) -> None:
    told: list[Any] = []
    panel.observe(lambda change: told.append((change["name"], change["new"])), names=["guess", "revealed"])

    panel.view.guess, panel.view.revealed = [0.25, 0.75], 1
    assert told == [("guess", (0.25, 0.75)), ("revealed", True)]
    panel.guess, panel.revealed = None, False
    assert (panel.view.guess, panel.view.revealed) == ([], 0)
    panel.guess = [1, 0]
    assert (panel.guess, panel.view.guess) == ((1.0, 0.0), [1.0, 0.0])


@pytest.mark.parametrize("guess", [(0.5,), (0.5, 1.2), (-0.1, 0.5), "ab", 0.5, (0.1, "b"), (float("nan"), 0.5)])
def test_a_guess_outside_of_the_picture_is_refused(panel: CamPanel, guess: Any) -> None:
    with pytest.raises(MapError, match="from 0 to 1"):
        panel.guess = guess

    assert panel.guess is None


def test_a_new_picture_is_a_new_question(panel: CamPanel) -> None:
    panel.guess, panel.revealed = (0.5, 0.5), True

    panel.image = torch.randn(1, 3, 90, 130)

    assert (panel.guess, panel.revealed) == (None, False)


def still(panel: CamPanel) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(panel._repr_mimebundle_()["image/jpeg"]))), dtype=int)


def test_what_a_notebook_stores_does_not_give_the_answer_away(panel: CamPanel) -> None:
    before = still(panel)
    panel.target_class = panel.target_classes[1]
    rows = slice(40, None)  # below the line of text
    assert np.array_equal(still(panel)[rows], before[rows])

    panel.revealed = True

    assert not np.array_equal(still(panel)[rows], before[rows])

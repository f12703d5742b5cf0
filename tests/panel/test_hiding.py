"""Parts that are hidden: the trait, and what is told to the browser."""

from typing import Any

import pytest
import torch
from torch import nn

from camwidget.errors import MapError
from camwidget.panel.hiding import SMALLEST
from camwidget.panel.picture import CamPanel
from camwidget.pictures.hiding import Region, hidden
from tests.toys import strided


@pytest.fixture
def net() -> nn.Module:
    return strided(4)


@pytest.fixture
def panel(net: nn.Module) -> CamPanel:
    return CamPanel(net, torch.randn(1, 3, 90, 130))


def test_a_part_that_is_hardly_one_is_refused(panel: CamPanel) -> None:
    panel.regions = [(0.0, 0.0, 2 * SMALLEST, 1.0)]
    with pytest.raises(MapError):
        panel.regions = [(0.0, 0.0, SMALLEST / 2, 1.0)]


def test_a_part_drawn_in_the_browser_is_answered_class_by_class(net: nn.Module, panel: CamPanel) -> None:
    panel.view.regions = [[0.0, 0.0, 0.5, 0.5]]  # as a hand does

    assert panel.regions == ((0.0, 0.0, 0.5, 0.5),)
    sent = panel.view.hidden
    logits = net(hidden(panel._state.pixels, [Region(0.0, 0.0, 0.5, 0.5)], way="blur"))[0]
    assert {int(index): each["logit"] for index, each in sent["classes"].items()} == pytest.approx(
        dict(enumerate(logits.tolist())), abs=1e-5
    )
    assert sum(each["value"] for each in sent["classes"].values()) == pytest.approx(1)
    assert sum(each["other_value"] for each in sent["classes"].values()) == pytest.approx(1)
    assert sent["places"] == len(panel.without().elsewhere)
    assert (sent["regions"], sent["way"]) == ([[0.0, 0.0, 0.5, 0.5]], 0)


def test_another_way_and_another_class_are_asked_for_and_another_picture_has_no_parts(panel: CamPanel) -> None:
    panel.regions = [(0.2, 0.2, 0.6, 0.6)]
    blurred = panel.view.hidden

    panel.hide_by = "grey"
    assert (panel.view.hidden["way"], panel.view.fill_index) == (1, 1)
    assert panel.view.hidden["classes"] != blurred["classes"]
    panel.image = torch.randn(1, 3, 90, 130)
    assert (panel.regions, panel.view.regions, panel.view.hidden, panel.without()) == ((), [], {}, None)


@pytest.mark.parametrize(
    "regions",
    [5, "abcd", [(0, 0, 1)], [(0, 0, 1.2, 1)], [(0.5, 0, 0.5, 1)], [(0, 0, float("nan"), 1)], [(0, 0, "a", 1)]],
)
def test_what_is_no_part_is_refused_and_changes_nothing(panel: CamPanel, regions: Any) -> None:
    with pytest.raises(MapError, match="top, left, bottom, right"):
        panel.regions = regions

    assert panel.regions == ()

"""What is in sight: the row that is shown of a list that scrolls, and tabs in which there is something to do."""

from pathlib import Path

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import nn

from camwidget.panel.modes import MODES
from camwidget.panel.picture import CamPanel
from camwidget.panel.view import HeatmapView
from camwidget.pictures.explain import explain_methods
from tests.browser.standin import mount


def test_the_class_that_is_shown_is_in_sight_where_parts_are_hidden(page: Page) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 14)).eval()
    view = HeatmapView()
    view.show(explain_methods(net, torch.randn(1, 3, 24, 24), target_classes=list(range(14))))
    mount(page, view, class_index=13, mode_index=MODES.index("hide"))

    expect(page.locator(".camw-hide-row[aria-pressed=true]")).to_be_in_viewport(ratio=1)
    page.locator(".camw-hide-row[aria-pressed=true]").press("Home")
    expect(page.locator("button.camw-hide-row").first).to_be_in_viewport(ratio=1)
    expect(page.locator("button.camw-hide-row").last).not_to_be_in_viewport()


@pytest.mark.parametrize(("classes", "methods", "compares"), [([0], ("cam",), False), ([0, 1], ("cam",), True)])
def test_a_saved_page_with_nothing_to_compare_has_no_tab_for_it(
    page: Page, tmp_path: Path, classes: list[int], methods: tuple[str, ...], compares: bool
) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)).eval()
    panel = CamPanel(net, torch.randn(1, 3, 24, 24), target_classes=classes, methods=methods)

    page.goto(panel.save_html(tmp_path / "panel.html").as_uri() + "#mode=compare")

    expect(page.locator(".camw-view")).to_have_attribute("data-mode", "compare" if compares else "slide")
    expect(page.get_by_role("tab", name="Compare")).to_be_visible(visible=compares)
    expect(page.get_by_role("tab", name="Hide")).to_be_hidden()

"""What is in sight: the row that is shown of a list that scrolls, and tabs in which there is something to do."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import nn

from camwidget.panel.modes import MODES
from camwidget.panel.picture import CamPanel
from camwidget.panel.view import HeatmapView
from camwidget.pictures.explain import explain_methods
from tests.browser.standin import listed, mount
from tests.toys import strided


def test_the_class_that_is_shown_is_in_sight_where_parts_are_hidden(page: Page) -> None:
    mount(page, listed(14), class_index=13, mode_index=MODES.index("hide"))

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


def test_a_saved_page_says_what_its_link_asks_for_in_vain(page: Page, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)).eval()
    panel = CamPanel(net, torch.randn(1, 3, 24, 30), class_names=["left", "right"], methods=("grad_cam",))
    saved = panel.save_html(tmp_path / "panel.html").as_uri()
    message = page.locator(".camw-message").first

    page.goto(f"{saved}#layer=7.1&class=right&colour=red")

    expect(message).to_contain_text("layer=7.1. Here there is 1. Write one of these")
    expect(message).to_contain_text("colour=red. It can ask for layer, class, method, other, mode.")
    expect(page.locator(".camw-class[aria-pressed=true]")).to_contain_text("right")
    page.evaluate("() => { location.hash = '#class=left'; }")
    expect(message).to_be_hidden()
    expect(page.locator(".camw-class[aria-pressed=true]")).to_contain_text("left")
    page.evaluate("() => { location.hash = '#class=middle'; }")
    expect(message).to_contain_text("class=middle. Here there is left, right.")


@pytest.mark.parametrize("shape", [(1000, 20), (300, 60)])
def test_the_strip_of_a_very_tall_picture_is_no_taller_than_a_portrait(page: Page, shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)).eval()
    view = HeatmapView()
    view.show(explain_methods(net, torch.randn(1, 3, *shape)))
    mount(page, view, method_index=1)

    small = page.locator(".camw-film canvas").first
    height, width = small.evaluate("(canvas) => [canvas.height, canvas.width]")
    box = small.bounding_box()
    assert box is not None
    assert box["height"] <= 225
    assert height == 168
    assert width == max(1, round(168 * shape[1] / shape[0]))


@pytest.mark.parametrize("width", [180, 240, 300])
def test_nothing_of_a_panel_lies_outside_a_narrow_place(page: Page, width: int) -> None:
    torch.manual_seed(1)
    view = HeatmapView()
    names = ["Egyptian cat", "incomprehensibilities", "tabby"]
    view.show(explain_methods(strided(3), torch.randn(1, 3, 90, 130), class_names=names))
    page.set_viewport_size({"width": width, "height": 900})
    mount(page, view, method_index=1, live=1)

    outside = page.evaluate(
        """() => [...document.querySelectorAll(".camw-view *")].filter((each) => {
          const {left, right, width} = each.getBoundingClientRect();
          return width > 1 && !each.closest("svg") && (right > innerWidth + 1 || left < -1);
        }).map((each) => each.className || each.tagName)"""
    )

    assert outside == []
    expect(page.locator(".camw-percent").first).to_be_in_viewport(ratio=1)


def test_another_layer_leaves_the_rows_of_hidden_parts_alone(page: Page) -> None:
    torch.manual_seed(1)
    view = HeatmapView()
    view.show(explain_methods(strided(3), torch.randn(1, 3, 90, 130)))
    mount(page, view, method_index=1, layer_index=0, mode_index=MODES.index("hide"), live=1)
    page.evaluate("() => { window.row = document.querySelector('button.camw-hide-row'); }")

    page.evaluate("() => model.set('layer_index', 1)")

    assert page.evaluate("() => row.isConnected")
    page.locator("button.camw-hide-row").first.press("ArrowDown")
    expect(page.locator("button.camw-hide-row").nth(1)).to_be_focused()
    expect(page.locator("button.camw-hide-row").nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("button.camw-hide-row").first).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("width", [440, 458, 470, 500, 690])
def test_what_the_network_says_stays_in_its_row_beside_the_picture(page: Page, width: int) -> None:
    torch.manual_seed(1)
    view = HeatmapView()
    view.show(explain_methods(strided(3), torch.randn(1, 3, 90, 90)))
    page.set_viewport_size({"width": width, "height": 900})
    mount(page, view, method_index=1, live=1, names=["a", "b", "c"])

    ends = page.locator(".camw-class").evaluate_all(
        """(rows) => rows.map((row) => {
          const says = row.querySelector(".camw-percent").getBoundingClientRect();
          return says.right - row.getBoundingClientRect().right;
        })"""
    )

    assert len(ends) == 3
    assert max(ends) <= 0


@pytest.mark.parametrize("width", [300, 380, 430, 560, 600, 700, 822, 850, 900, 950, 1000])
def test_beside_ten_classes_no_line_lies_on_another_and_none_is_out_of_sight(page: Page, width: int) -> None:
    torch.manual_seed(1)
    view = HeatmapView()
    view.show(explain_methods(strided(12), torch.randn(1, 3, 90, 90), target_classes=list(range(10))))
    page.set_viewport_size({"width": width, "height": 900})
    mount(page, view, method_index=1, live=1, names=[f"kind {number}" for number in range(12)])

    lines = page.locator(".camw-numbers").evaluate(
        """(numbers) => [numbers.parentElement, ...numbers.children].map((each) => {
          const box = each.getBoundingClientRect();
          return [box.top, box.bottom, each.scrollHeight - each.clientHeight, box.height];
        })"""
    )

    (top, bottom, *_), *rows = lines
    seen = [row for row in rows if row[3] > 1]  # not what only a screen reader gets
    assert len(seen) >= 3
    assert all(over[1] <= under[0] + 1 for over, under in pairwise(seen))
    assert [row[2] for row in seen if row[2] > 1] == []
    if bottom:  # where the two are beside each other
        assert seen[-1][1] <= bottom + 1
        assert seen[0][0] >= top

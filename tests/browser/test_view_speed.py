"""A step of a slider does no more than it has to. What is counted is what the browser did, never how long it took."""

import pytest
import torch
from playwright.sync_api import CDPSession, Page
from torch import nn

from camwidget.panel.modes import MODES
from camwidget.panel.view import HeatmapView
from camwidget.pictures.explain import explain_methods
from tests.browser.standin import listed, mount
from tests.toys import strided

FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
STEPS = """\
([trait, steps]) => {
  for (let i = 0; i < steps; i++) model.set(trait, i % 2);
}"""
WRITTEN = """\
async () => {
  const seen = [];
  const watch = new MutationObserver((records) => {
    for (const {target} of records) seen.push(target.className || target.parentElement?.className);
  });
  watch.observe(document.querySelector(".camw-side"), {childList: true, characterData: true, subtree: true});
  const paint = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (...given) {
    seen.push(`canvas ${this.canvas.className}`);
    return paint.apply(this, given);
  };
  model.set("layer_index", 0);
  await null;
  CanvasRenderingContext2D.prototype.putImageData = paint;
  return seen;
}"""


def layouts(session: CDPSession) -> int:
    """How often the page was laid out since the session is."""
    found = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return int(found["LayoutCount"])


@pytest.fixture
def view() -> HeatmapView:
    torch.manual_seed(1)
    made = HeatmapView()
    made.show(explain_methods(strided(3), torch.randn(1, 3, 90, 130)))
    return made


@pytest.mark.parametrize("mode", ["slide", "compare", "guess"])
@pytest.mark.parametrize("trait", ["layer_index", "class_index"])
def test_a_step_leaves_the_layout_to_the_frame(page: Page, view: HeatmapView, mode: str, trait: str) -> None:
    mount(page, view, method_index=1, mode_index=MODES.index(mode))
    page.evaluate(STEPS, [trait, 2])  # some elements are made with the first step
    page.evaluate(FRAME)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    before = layouts(session)

    page.evaluate(STEPS, [trait, 20])

    assert layouts(session) - before <= 3  # of the frames before and after


def test_what_a_step_does_not_change_is_not_written_again(page: Page, view: HeatmapView) -> None:
    mount(page, view, method_index=1, layer_index=0)
    page.evaluate(FRAME)

    assert page.evaluate(WRITTEN) == ["canvas camw-canvas"]


def test_a_list_that_was_scrolled_stays_there_while_the_layers_slide(page: Page) -> None:
    torch.manual_seed(0)
    body = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    net = nn.Sequential(*body, nn.Linear(4, 30)).eval()
    view = HeatmapView()
    view.show(explain_methods(net, torch.randn(1, 3, 24, 32), target_classes=list(range(30))))
    mount(page, view, method_index=1, layer_index=0, class_index=29)
    box = "() => document.querySelector('.camw-list').scrollTop"
    page.wait_for_function(f"() => ({box})() > 0")

    page.evaluate("() => { document.querySelector('.camw-list').scrollTop = 0; model.set('layer_index', 1); }")
    page.evaluate(FRAME)
    assert page.evaluate(box) == 0

    page.evaluate("() => model.set('class_index', 28)")
    page.wait_for_function(f"() => ({box})() > 0")


def test_a_class_that_was_chosen_while_the_list_was_away_is_in_sight_when_it_comes_back(page: Page) -> None:
    mount(page, listed(30), method_index=1, mode_index=MODES.index("compare"))

    page.evaluate("() => model.set('class_index', 29)")
    page.evaluate(FRAME)
    page.evaluate("() => model.set('mode_index', 0)")

    page.wait_for_function("() => document.querySelector('.camw-list').scrollTop > 0")

"""Pages hold several views, each with a style sheet of its own that the whole page gets: none changes another view."""

from typing import Any

import pytest
import torch
from playwright.sync_api import Page

from camwidget.mistakes.find import find_mistakes
from camwidget.panel.gallery import MistakesView
from camwidget.panel.mistakes import MistakesPanel
from camwidget.panel.modes import MODES
from camwidget.panel.picture import CamPanel
from camwidget.panel.text import TextCamPanel
from camwidget.panel.view import HeatmapView, TextView, ToldView
from camwidget.panel.whole import WholePanel
from tests.browser.standin import mount
from tests.mistakes.small import loader, network
from tests.text.toys import Reviews
from tests.toys import strided

WIDTHS = (1000, 560)

# Where every element lies and how it is drawn, also what is hidden: it may be shown later.
LOOKS = """\
async (mode) => {
  model.set("mode_index", mode);
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  return [...document.querySelectorAll(".camw-view, .camw-view *")].map((each) => {
    const {x, y, width, height} = each.getBoundingClientRect();
    const style = getComputedStyle(each);
    const drawn = ["display", "color", "backgroundColor", "fontSize", "fontWeight", "lineHeight", "overflow", "order"];
    const place = [x, y, width, height].map((number) => Math.round(10 * number) / 10);
    return [each.tagName + "." + each.getAttribute("class"), ...place, ...drawn.map((name) => style[name])].join(" ");
  });
}"""
ADD = """\
([css, place]) => {
  const style = document.createElement("style");
  style.textContent = css;
  style.id = "others";
  document.head[place](style);
}"""


def view_of(kind: str) -> ToldView:
    torch.manual_seed(1)
    match kind:
        case "picture":
            return CamPanel(strided(3), torch.randn(1, 3, 90, 130)).view
        case "text":
            return TextCamPanel(Reviews(), "very good film", compare="not so bad").view
    return MistakesPanel(find_mistakes(network(), loader(12), progress=False)).view


@pytest.mark.parametrize("kind", ["picture", "text", "mistakes"])
def test_a_view_looks_the_same_beside_all_other_views(page: Page, kind: str) -> None:
    view = view_of(kind)
    others = "".join(each._css for each in (HeatmapView, TextView, MistakesView, WholePanel) if each is not type(view))
    modes = range(len(MODES) if kind == "picture" else 1)
    mount(page, view)
    # what is folded away is not laid out
    page.evaluate("() => { for (const each of document.querySelectorAll('details')) each.open = true; }")
    for mode in modes:  # some elements are made when a tab is opened for the first time
        page.evaluate("(mode) => model.set('mode_index', mode)", mode)
    known: dict[tuple[int, int], Any] = {}

    for place in ("", "prepend", "append"):
        if place:
            page.evaluate(ADD, [others, place])
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            for mode in modes:
                now = page.evaluate(LOOKS, mode)
                before = known.setdefault((width, mode), now)
                assert len(now) > 50
                differing = [f"{old} -> {new}" for old, new in zip(before, now, strict=True) if old != new]
                assert differing == [], f"{place} at {width}, {MODES[mode]}"
        if place:
            page.evaluate("() => document.getElementById('others').remove()")

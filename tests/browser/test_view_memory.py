"""A view that is removed gives its memory back, even to a host that holds on to its element and its clean-up function.

A notebook does hold on: whoever runs a cell again and again would otherwise fill the browser. What is alive is counted
by the browser itself, which collects all garbage first, so nothing here depends on when it usually does.
"""

from collections.abc import Callable

import pytest
import torch
from playwright.sync_api import CDPSession, Page

from camwidget.mistakes.find import find_mistakes
from camwidget.panel.gallery import MistakesView
from camwidget.panel.mistakes import MistakesPanel
from camwidget.panel.view import HeatmapView, TextView, ToldView
from camwidget.pictures.explain import explain_methods
from camwidget.text.explain import explain_text_methods
from tests.browser.standin import mount
from tests.mistakes.small import loader, network
from tests.text.toys import Reviews
from tests.toys import strided

ROUNDS = 12

# Mount a view, wait for its picture, and perhaps remove it; the host keeps what a notebook keeps.
ROUND = """\
async ([closes, keeps]) => {
  const el = document.createElement("div");
  document.body.append(el);
  const close = module.default.render({model, el});
  const root = el.firstChild;
  while (!root.dataset.painted) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  if (closes) close();
  el.remove();
  if (keeps) (window.kept ??= []).push({el, root, close});
}"""

# By the constructor: how much all objects of it are that are alive, in bytes or in number.
ALIVE = {
    "HTMLCanvasElement": "(all) => all.reduce((sum, each) => sum + 4 * each.width * each.height, 0)",
    "ImageData": "(all) => all.reduce((sum, each) => sum + each.data.byteLength, 0)",
    "HTMLElement": "(all) => all.length",
}
ARRAYS = "arrays"  # the bytes behind all typed arrays, which cannot be counted by their constructor
SLACK = 1000  # bytes in arrays that come and go with the browser's own; one view here has 14,000 or more


def picture_view() -> HeatmapView:
    torch.manual_seed(1)
    net = strided(3)
    view = HeatmapView()
    view.show(explain_methods(net, torch.randn(1, 3, 180, 260)))
    return view


def text_view() -> TextView:
    torch.manual_seed(1)
    view = TextView()
    view.show(*[explain_text_methods(Reviews().double(), "a very good film " * 40, methods=("grad_cam",))] * 2)
    return view


def mistakes_view() -> MistakesView:
    return MistakesPanel(find_mistakes(network(), loader(600, batch_size=200), progress=False)).view


MAKERS = [picture_view, text_view, mistakes_view]


@pytest.fixture
def browser_heap(page: Page) -> CDPSession:
    return page.context.new_cdp_session(page)


def alive(heap: CDPSession) -> dict[str, int]:
    """What is alive once all garbage has gone."""
    heap.send("HeapProfiler.collectGarbage")
    found = {ARRAYS: int(heap.send("Runtime.getHeapUsage")["backingStorageSize"])}
    for name, measure in ALIVE.items():
        group = {"objectGroup": "count"}
        prototype = heap.send("Runtime.evaluate", {"expression": f"{name}.prototype", **group})["result"]["objectId"]
        every = heap.send("Runtime.queryObjects", {"prototypeObjectId": prototype, **group})["objects"]["objectId"]
        count = {"functionDeclaration": f"function () {{ return ({measure})(this); }}", "returnByValue": True}
        found[name] = int(heap.send("Runtime.callFunctionOn", {"objectId": every, **count})["result"]["value"])
        heap.send("Runtime.releaseObjectGroup", group)  # what was counted must not stay alive for it
    return found


def growth(page: Page, heap: CDPSession, *, closes: bool = True, keeps: bool = True) -> dict[str, int]:
    """What is left of ROUNDS views that came and went; one round before the count settles what happens only once."""
    page.evaluate(ROUND, [closes, keeps])
    before = alive(heap)
    for _ in range(ROUNDS):
        page.evaluate(ROUND, [closes, keeps])
    after = alive(heap)
    return {name: after[name] - before[name] for name in before}


@pytest.mark.parametrize("make", MAKERS)
def test_a_removed_view_leaves_nothing_large_to_a_host_that_holds_on_to_it(
    page: Page, browser_heap: CDPSession, make: Callable[[], ToldView]
) -> None:
    mount(page, make())

    left = growth(page, browser_heap)

    assert left.pop(ARRAYS) < SLACK
    assert left.pop("HTMLElement") < 3 * ROUNDS  # the host's element and the view's own, now empty
    assert set(left.values()) == {0}


@pytest.mark.parametrize("make", MAKERS)
def test_a_removed_view_is_garbage_where_nobody_holds_on_to_it(
    page: Page, browser_heap: CDPSession, make: Callable[[], ToldView]
) -> None:
    mount(page, make())

    left = growth(page, browser_heap, keeps=False)

    assert left.pop(ARRAYS) < SLACK
    assert left.pop("HTMLElement") < ROUNDS  # each view has many
    assert set(left.values()) == {0}


@pytest.mark.parametrize("make", MAKERS)
def test_the_count_sees_views_that_were_not_removed(
    page: Page, browser_heap: CDPSession, make: Callable[[], ToldView]
) -> None:
    mount(page, make())

    left = growth(page, browser_heap, closes=False)

    assert left[ARRAYS] > ROUNDS * 10 * SLACK
    assert left["HTMLCanvasElement"] >= ROUNDS * 4 * 257  # its legend; until pictures come the gallery has no more
    assert left["HTMLElement"] > ROUNDS * 20

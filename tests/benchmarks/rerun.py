"""How much memory is left each time that a cell with a panel is run again, in the browser and in the kernel.

    python -m tests.benchmarks.rerun [--rounds 10] [--panels 10] [--only CamPanel]

One JupyterLab, one notebook with the two panels in a cell each. After some rounds that settle caches, all garbage is
collected, and what is alive is read: JavaScript objects, the page's own objects, and the numbers in arrays. Pixels of
canvases, which the browser keeps elsewhere, are added by their size. In the kernel, the widgets that ipywidgets keeps
and the panels that are alive are counted behind a collection too. Then one cell shows several panels at once, and its
output is cleared.
"""

import argparse
import re
import tempfile
from pathlib import Path

from playwright.sync_api import CDPSession, Page, expect

from tests.browser.lab import (
    chromium_browser,
    find_chromium,
    jupyterlab,
    new_page,
    open_notebook,
    run_cell,
    run_this,
    write_notebook,
)
from tests.patience import HANGING_S

START = 'import camwidget as cw\nlearn, image, reader = cw.demo_learner(), cw.demo_image("cat"), cw.text_learner()'
CELLS = {
    "CamPanel": "panel = cw.CamPanel(learn, image)\npanel",
    "TextCamPanel": 'words = cw.TextCamPanel(reader, "I liked the film, but not the end. " * 20)\nwords',
}
SEVERAL = "for _ in range({}): display(cw.CamPanel(learn, image))"
KEPT = """\
import gc, psutil, ipywidgets
from camwidget.panel.shown import ShownPanel
_ = gc.collect(), gc.collect()
cached = {id(each) for each in Out.values()}  # IPython keeps what was the last line of a cell
panels = sum(isinstance(each, ShownPanel) and id(each) not in cached for each in gc.get_objects())
print("kept", len(ipywidgets.widgets.widget._instances), panels, psutil.Process().memory_info().rss // 1_000_000)"""
SETTLE = 3
PIXELS = "function () { return this.reduce((sum, each) => sum + 4 * each.width * each.height, 0); }"


def alive(heap: CDPSession) -> dict[str, int]:
    """Bytes that are in use once all garbage has gone."""
    heap.send("HeapProfiler.collectGarbage")
    heap.send("HeapProfiler.collectGarbage")  # what the page itself let go of while the first one ran
    usage = heap.send("Runtime.getHeapUsage")
    group = {"objectGroup": "count"}
    prototype = heap.send("Runtime.evaluate", {"expression": "HTMLCanvasElement.prototype", **group})
    every = heap.send("Runtime.queryObjects", {"prototypeObjectId": prototype["result"]["objectId"], **group})
    call = {"objectId": every["objects"]["objectId"], "functionDeclaration": PIXELS, "returnByValue": True}
    pixels = heap.send("Runtime.callFunctionOn", call)["result"]["value"]
    heap.send("Runtime.releaseObjectGroup", group)
    parts = {"objects": "usedSize", "page": "embedderHeapUsedSize", "arrays": "backingStorageSize"}
    return {**{name: int(usage[key]) for name, key in parts.items()}, "pixels": int(pixels)}


def kept(page: Page) -> tuple[int, int, int]:
    """In the kernel, once all garbage has gone: widgets, panels, and megabytes that are resident."""
    number = page.locator(".jp-CodeCell").count() - 1
    run_cell(page, number)
    text = page.locator(".jp-CodeCell").nth(number).locator(".jp-OutputArea").inner_text()
    found = re.search(r"kept (\d+) (\d+) (\d+)", text)
    assert found, text
    return int(found[1]), int(found[2]), int(found[3])


def painted(page: Page, number: int) -> None:
    """Wait until the panel of a cell shows its map."""
    page.wait_for_selector(f".jp-CodeCell >> nth={number} >> .camw-view[data-painted]", timeout=1000 * HANGING_S)


def run_again(page: Page, number: int) -> None:
    """Run a cell and wait for the panel that takes the place of the one before."""
    view = page.locator(".jp-CodeCell").nth(number).locator(".camw-view")
    view.evaluate("(shown) => shown.removeAttribute('data-painted')")
    run_cell(page, number)
    painted(page, number)
    page.wait_for_timeout(700)  # until the view has told what it shows


def reruns(page: Page, heap: CDPSession, rounds: int, only: str | None) -> None:
    """Print what each run of a cell leaves behind."""
    print(f"{'MB per run':16}{'objects':>10}{'page':>10}{'arrays':>10}{'pixels':>10}{'together':>10}   in the kernel")
    for number, label in enumerate(CELLS, start=1):
        if only not in (None, label):
            continue
        for _ in range(SETTLE):
            run_again(page, number)
        before, had = alive(heap), kept(page)
        for _ in range(rounds):
            run_again(page, number)
        after, has = alive(heap), kept(page)
        lost = [(after[part] - before[part]) / rounds / 1e6 for part in before]
        told = (
            f"   after {rounds} runs {has[0] - had[0]:+d} widgets, {has[1] - had[1]:+d} panels, {has[2] - had[2]:+d} MB"
        )
        print(f"{label:16}" + "".join(f"{each:10.2f}" for each in [*lost, sum(lost)]) + told, flush=True)


def cleared(page: Page, heap: CDPSession, panels: int) -> None:
    """Print what several panels take, and what is left of that once the output of their cell is cleared."""
    # found by what it says, for JupyterLab takes cells that are far from sight out of the page, and numbers change
    cell = page.locator(".jp-CodeCell").filter(has_text="for _ in range")
    for turn in ("at first", "once more"):
        before = sum(alive(heap).values())
        run_this(page, cell)
        expect(cell.locator(".camw-view[data-painted]")).to_have_count(panels, timeout=1000 * HANGING_S)
        page.wait_for_timeout(1000)
        shown = sum(alive(heap).values())
        cell.locator(".jp-InputPrompt").click()
        page.get_by_role("menuitem", name="Edit", exact=True).click()
        page.get_by_role("menuitem", name=re.compile("^Clear Cell Output")).click()
        expect(cell.locator(".camw-view")).to_have_count(0, timeout=1000 * HANGING_S)
        page.wait_for_timeout(1000)
        left = sum(alive(heap).values())
        took, stays = (shown - before) / 1e6, (left - before) / 1e6
        widgets, alive_now, resident = kept(page)
        print(f"{panels} panels, {turn}: {took:+.1f} MB in the page, cleared {stays:+.1f} MB", end="; ")
        print(f"in the kernel {widgets} widgets, {alive_now} panels, {resident} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=10, help="runs of each cell between the two readings")
    parser.add_argument("--panels", type=int, default=10, help="panels that one cell shows, before it is cleared")
    parser.add_argument("--only", choices=CELLS, help="run the cell with this panel again, and not the other")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        write_notebook(Path(name) / "rerun.ipynb", [START, *CELLS.values(), SEVERAL.format(asked.panels), KEPT])
        with jupyterlab(Path(name)) as address, chromium_browser(find_chromium()) as browser:
            page = new_page(browser, width=1300, height=2600)
            open_notebook(page, address, "rerun.ipynb")
            # not all cells at once: whatever is run first would wait for the several panels behind it
            run_cell(page, 0)
            for number, label in enumerate(CELLS, start=1):
                if asked.only in (None, label):
                    run_cell(page, number)
                    painted(page, number)
            heap = page.context.new_cdp_session(page)
            reruns(page, heap, asked.rounds, asked.only)
            cleared(page, heap, asked.panels)


if __name__ == "__main__":
    main()

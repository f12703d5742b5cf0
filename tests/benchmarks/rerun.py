"""How much memory the browser loses each time that a cell with a panel is run again.

    python -m tests.benchmarks.rerun [--rounds 10]

One JupyterLab, one notebook with the two panels in a cell each. After some rounds that settle caches, all garbage is
collected, and what is alive is read: JavaScript objects, the page's own objects, and the numbers in arrays. Pixels of
canvases, which the browser keeps elsewhere, are added by their size.
"""

import argparse
import tempfile
from pathlib import Path

from playwright.sync_api import CDPSession, Page

from tests.browser.lab import (
    chromium_browser,
    find_chromium,
    jupyterlab,
    open_notebook,
    run_all,
    run_cell,
    write_notebook,
)

START = 'import camwidget as cw\nlearn, image, reader = cw.demo_learner(), cw.demo_image("cat"), cw.text_learner()'
CELLS = {
    "CamPanel": "panel = cw.CamPanel(learn, image)\npanel",
    "TextCamPanel": 'words = cw.TextCamPanel(reader, "I liked the film, but not the end. " * 20)\nwords',
}
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


def run_again(page: Page, number: int) -> None:
    """Run a cell and wait for the panel that takes the place of the one before."""
    view = page.locator(".jp-CodeCell").nth(number).locator(".camw-view")
    view.evaluate("(shown) => shown.removeAttribute('data-painted')")
    run_cell(page, number)
    page.wait_for_selector(f".jp-CodeCell >> nth={number} >> .camw-view[data-painted]", timeout=120_000)
    page.wait_for_timeout(700)  # until the view has told what it shows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=10, help="runs of each cell between the two readings")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        write_notebook(Path(name) / "rerun.ipynb", [START, *CELLS.values()])
        with jupyterlab(Path(name)) as address, chromium_browser(find_chromium()) as browser:
            page = browser.new_page(viewport={"width": 1300, "height": 2600})
            open_notebook(page, address, "rerun.ipynb")
            run_all(page)
            page.wait_for_selector(".jp-CodeCell >> nth=2 >> .camw-view[data-painted]", timeout=120_000)
            heap = page.context.new_cdp_session(page)
            print(f"{'MB per run':16}{'objects':>10}{'page':>10}{'arrays':>10}{'pixels':>10}{'together':>10}")
            for number, label in enumerate(CELLS, start=1):
                for _ in range(SETTLE):
                    run_again(page, number)
                before = alive(heap)
                for _ in range(rounds):
                    run_again(page, number)
                after = alive(heap)
                lost = [(after[part] - before[part]) / rounds / 1e6 for part in before]
                print(f"{label:16}" + "".join(f"{each:10.2f}" for each in [*lost, sum(lost)]))


if __name__ == "__main__":
    main()

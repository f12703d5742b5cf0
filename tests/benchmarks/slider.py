"""How long from a key press to a painted map: both panels beside `interact` with matplotlib, in one JupyterLab.

    python -m tests.benchmarks.slider [--moves 120]

The first and the last show the same maps of the embedded network, the text panel a review of some 300 words. The moves
are interleaved: one on each. Time starts at the browser's own time stamp of the key event, and ends twice. "written" is
when the new pixels exist: for the panels when the canvas has been written or the words have their colours, for
matplotlib when the new picture in the output has been decoded. "frame" is when the browser has laid out the frame with
them and handed it on. It waits for the next tick of 60 in a second, so half of one, 8 ms, belongs to no page.

The picture panel moves in four ways: a layer; a layer while a cell is looked into; a layer while two maps are compared;
and a class, which paints the strip of layers too.
"""

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page

from tests.browser.lab import chromium_browser, find_chromium, jupyterlab, open_notebook, run_all, write_notebook

PANEL = """\
import camwidget as cw
learn, image = cw.demo_learner(), cw.demo_image("cat")
panel = cw.CamPanel(learn, image)
panel"""

INTERACT = """\
import matplotlib.pyplot as plt
from ipywidgets import IntSlider, interact
result = panel.result
def show(layer=IntSlider(8, 0, 8)):
    figure, axes = plt.subplots(figsize=(5, 5))
    axes.imshow(result.image)
    cam = result.cam(result.layers[layer].name, True)
    axes.imshow(cam, alpha=0.6, extent=(0, 224, 224, 0), cmap="magma", interpolation="bilinear")
    axes.set_axis_off()
    plt.show()
interact(show);"""

TEXT_PANEL = """\
from camwidget.text.reviews import example_reviews
words = cw.TextCamPanel(cw.text_learner(), " ".join([example_reviews()["long"]] * 3))
words"""

WATCH = """\
() => {
  window.camw = {key: 0};
  const clocks = ["panel", "other", "words"];
  document.addEventListener("keydown", (event) => {
    camw.key = event.timeStamp;
    for (const clock of clocks) camw[clock] = null;
  }, true);
  const written = (clock) => {
    const key = camw.key;
    const times = [performance.now() - key];
    requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => { if (key === camw.key) camw[clock] ??= [...times, performance.now() - key]; };
      after.port2.postMessage(0);
    });
  };
  for (const [i, clock] of ["panel", "words"].entries())
    new MutationObserver(() => written(clock))
      .observe(document.querySelectorAll(".camw-view")[i], {attributes: true, attributeFilter: ["data-painted"]});
  const output = document.querySelectorAll(".jp-CodeCell")[1];
  new MutationObserver((records) => {
    for (const record of records) for (const node of record.addedNodes) {
      const picture = node.querySelector?.("img") ?? (node.tagName === "IMG" ? node : null);
      if (picture) picture.decode().then(() => written("other"));
    }
  }).observe(output, {childList: true, subtree: true});
}"""


LAYERS, CLASSES = ".camw-panel .camw-strip .camw-range >> nth=0", ".camw-panel .camw-standing >> nth=0"
CELL = ".camw-frame >> nth=0"


class Way(NamedTuple):
    """A way to move something by keys: what has them, which clock it stops, how many moves go to one side."""

    slider: str
    clock: str = "panel"
    turn: int = 8
    tab: str = "Slide"
    looks_inside: bool = False
    keys: tuple[str, str] = ("ArrowLeft", "ArrowRight")


WAYS = {
    # three on one slider with nine stops
    "panel": Way(LAYERS, turn=2),
    "panel, a cell": Way(LAYERS, turn=2, looks_inside=True),
    "panel, Compare": Way(LAYERS, turn=2, tab="Compare"),
    "panel, classes": Way(CLASSES, turn=1, keys=("ArrowDown", "ArrowUp")),
    "text panel": Way(".jp-CodeCell >> nth=2 >> .camw-strip .camw-range >> nth=0", "words", turn=3),
    "interact + matplotlib": Way(".jp-CodeCell >> nth=1 >> .noUi-handle", "other"),
}


REST = "() => new Promise((rested) => requestIdleCallback(rested, {timeout: 1000}))"


def stand(page: Page, way: Way) -> None:
    """Open the panel's tab, and look into a cell or into none."""
    page.get_by_role("tab", name=way.tab, exact=True).click()
    if page.evaluate("() => document.querySelector('.camw-view').hasAttribute('data-camw-inside')") != way.looks_inside:
        page.locator(CELL).press("Escape" if not way.looks_inside else "ArrowDown")
        if way.looks_inside:
            page.locator(CELL).press("Enter")


def one_move(page: Page, way: Way, move: int) -> tuple[float, float]:
    """Press one key and return the milliseconds until the picture is written, and until its frame."""
    if way.clock == "panel":
        stand(page, way)
    page.evaluate(REST)  # what was moved before has nothing left to do
    page.locator(way.slider).focus()
    page.keyboard.press(way.keys[(move // way.turn) % 2])
    page.wait_for_function(f"() => camw.{way.clock}", timeout=20_000, polling=5)
    written, frame = page.evaluate(f"() => camw.{way.clock}")
    return float(written), float(frame)


def median(times: list[tuple[float, float]], end: int) -> float:
    return statistics.median(each[end] for each in times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--moves", type=int, default=120, help="moves of each slider (100 or more for a p95)")
    moves = parser.parse_args().moves
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_notebook(folder / "slider.ipynb", (PANEL, INTERACT, TEXT_PANEL))
        with jupyterlab(folder) as address, chromium_browser(find_chromium()) as browser:
            page = browser.new_page(viewport={"width": 1400, "height": 3600})
            open_notebook(page, address, "slider.ipynb")
            run_all(page)
            page.wait_for_selector(".camw-view[data-painted]", timeout=120_000)
            page.wait_for_selector(".jp-CodeCell >> nth=1 >> img", timeout=60_000)
            page.wait_for_selector(".jp-CodeCell >> nth=2 >> .camw-view[data-painted]", timeout=60_000)
            page.evaluate(WATCH)
            times: dict[str, list[tuple[float, float]]] = {each: [] for each in WAYS}
            for move in range(moves + 4):
                for label, way in WAYS.items():
                    taken = one_move(page, way, move)
                    if move >= 4:  # the first moves warm all up
                        times[label].append(taken)
    print(f"{'':24}{'moves':>6}{'written, median ms':>20}{'p95 ms':>8}{'frame, median ms':>18}{'p95 ms':>8}")
    for label, all_taken in times.items():
        columns = [statistics.quantiles(each, n=20) for each in zip(*all_taken, strict=True)]
        numbers = [f"{each[9]:>{width}.1f}{each[-1]:>8.1f}" for each, width in zip(columns, (20, 18), strict=True)]
        print(f"{label:24}{len(all_taken):>6}{''.join(numbers)}")
    ratios = [median(times["interact + matplotlib"], end) / median(times["panel"], end) for end in (0, 1)]
    print(f"ratio of the medians: {ratios[0]:.1f} until written, {ratios[1]:.1f} until the frame")


if __name__ == "__main__":
    main()

"""How long from a key press to a painted map: both panels beside `interact` with matplotlib, in one JupyterLab.

    python -m tests.benchmarks.slider [--moves 120]

The first and the last show the same maps of the embedded network, the text panel a review of some 300 words. The moves
are interleaved: one on each. Time starts at the browser's own time stamp of the key event. It ends when the new pixels
exist: for the panels when the canvas has been written or the words have their colours, for matplotlib when the new
picture in the output has been decoded.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

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
  window.camw = {key: 0, panel: null, other: null, words: null};
  document.addEventListener("keydown", (event) => {
    camw.key = event.timeStamp;
    camw.panel = camw.other = camw.words = null;
  }, true);
  new MutationObserver(() => { camw.panel = performance.now() - camw.key; })
    .observe(document.querySelector(".camw-view"), {attributes: true, attributeFilter: ["data-painted"]});
  new MutationObserver(() => { camw.words = performance.now() - camw.key; })
    .observe(document.querySelectorAll(".camw-view")[1], {attributes: true, attributeFilter: ["data-painted"]});
  const output = document.querySelectorAll(".jp-CodeCell")[1];
  new MutationObserver((records) => {
    for (const record of records) for (const node of record.addedNodes) {
      const picture = node.querySelector?.("img") ?? (node.tagName === "IMG" ? node : null);
      if (picture) picture.decode().then(() => { camw.other = performance.now() - camw.key; });
    }
  }).observe(output, {childList: true, subtree: true});
}"""


def one_move(page: Page, slider: str, key: str, clock: str) -> float:
    """Press one key on one slider and return the milliseconds until its picture is new."""
    page.locator(slider).press(key)
    page.wait_for_function(f"() => camw.{clock} !== null", timeout=20_000, polling=5)
    return float(page.evaluate(f"() => camw.{clock}"))


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
            sliders = {
                "panel": (".camw-panel .camw-strip .camw-range >> nth=0", "panel"),
                "text panel": (".jp-CodeCell >> nth=2 >> .camw-strip .camw-range >> nth=0", "words"),
                "interact + matplotlib": (".jp-CodeCell >> nth=1 >> .noUi-handle", "other"),
            }
            times: dict[str, list[float]] = {each: [] for each in sliders}
            for move in range(moves + 4):
                for label, (slider, clock) in sliders.items():
                    turn = 3 if clock == "words" else 8  # one layer fewer than there are
                    key = "ArrowLeft" if (move // turn) % 2 == 0 else "ArrowRight"
                    taken = one_move(page, slider, key, clock)
                    if move >= 4:  # the first moves warm both up
                        times[label].append(taken)
    print(f"{'':24}{'moves':>6}{'median ms':>12}{'p95 ms':>10}")
    for label, taken_all in times.items():
        p95 = statistics.quantiles(taken_all, n=20)[-1]
        print(f"{label:24}{len(taken_all):>6}{statistics.median(taken_all):>12.1f}{p95:>10.1f}")
    ratio = statistics.median(times["interact + matplotlib"]) / statistics.median(times["panel"])
    print(f"ratio of the medians: {ratio:.1f}")


if __name__ == "__main__":
    main()

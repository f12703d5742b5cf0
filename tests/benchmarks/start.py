"""How soon a learner sees something: the import, the panel's first painted map, and what is sent for it.

    python -m tests.benchmarks.start [--panels 5]

The panel is timed in a real JupyterLab with the embedded network, from the key press that runs its cell (the learner is
there already) to the first written canvas. The first panel of a kernel also warms up PyTorch, so it stands alone.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from camwidget import CamPanel, demo_image, demo_learner
from tests.browser.lab import chromium_browser, find_chromium, jupyterlab, open_notebook, run_cell, write_notebook
from tests.patience import HANGING_S

IMPORT = """\
import json, sys, time
before = set(sys.modules)
start = time.perf_counter()
import camwidget
seconds = time.perf_counter() - start
heavy = [name for name in ("torch", "fastai", "timm", "numpy", "matplotlib", "ipywidgets") if name in sys.modules]
print(json.dumps([seconds, len(set(sys.modules) - before), heavy]))
"""

PAINTED = """\
([count, most]) => new Promise((done, failed) => {
  const start = performance.now();
  const look = () => {
    const shown = document.querySelectorAll(".camw-view[data-painted]").length, passed = performance.now() - start;
    if (shown >= count) done(passed);
    else if (passed > most) failed(new Error(`${shown} of ${count} panels have painted`));
    else setTimeout(look, 2);
  };
  look();
})"""
PANEL_PIXELS = 1800
"""JupyterLab takes cells out of the page that are far out of sight, so there must be room for all panels."""


def import_times(times: int) -> None:
    found = [
        json.loads(subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True).stdout)
        for _ in range(times)
    ]
    seconds = statistics.median(each[0] for each in found)
    heavy = ", ".join(found[0][2]) or "none of torch, fastai, timm, numpy, matplotlib, ipywidgets"
    print(
        f"import camwidget: {1000 * seconds:.0f} ms, {found[0][1]} modules of the standard library and its own; {heavy}"
    )


def bytes_sent() -> None:
    for kind, name in (("cats", "cat"), ("imagenet", "cat and coffee")):
        panel = CamPanel(demo_learner(kind), demo_image(name))
        view, result = panel.view, panel.result
        text = len(json.dumps(view.manifest))
        cells = sum(cams.numel() for each in panel.results.values() for cams in each.cams.values())
        print(
            f"{kind}: {len(result.layers)} layers x {len(result.target_classes)} classes, {cells} cells: "
            f"picture {len(view.picture)} B, maps {len(view.maps)} B, description {text} B"
        )


def first_paint(panels: int) -> None:
    cells = ["import camwidget as cw\nlearn, image = cw.demo_learner(), cw.demo_image()"]
    cells += [f"panel_{number} = cw.CamPanel(learn, image)\npanel_{number}" for number in range(panels)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_notebook(folder / "start.ipynb", cells)
        with jupyterlab(folder) as address, chromium_browser(find_chromium()) as browser:
            page = browser.new_page(viewport={"width": 1400, "height": PANEL_PIXELS * panels})
            open_notebook(page, address, "start.ipynb")
            run_cell(page, 0)
            times = []
            for number in range(panels):
                run_cell(page, number + 1, wait=False)
                times.append(page.evaluate(PAINTED, [number + 1, 1000 * HANGING_S]) / 1000)
    rest = f"; the next {panels - 1}: median {statistics.median(times[1:]):.2f} s" if panels > 1 else ""
    print(f"CamPanel(...) to the first painted map: {times[0]:.2f} s in a new kernel{rest}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--panels", type=int, default=5, help="panels shown one after another")
    panels = parser.parse_args().panels
    import_times(5)
    bytes_sent()
    first_paint(panels)


if __name__ == "__main__":
    main()

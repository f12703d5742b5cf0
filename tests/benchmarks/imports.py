"""What a first panel imports, package by package, beside the chapter's own imports.

    python -m tests.benchmarks.imports [--rounds 3]

Both run in fresh processes, in turns; time is the processor time of a process, so that other programs count for little.
Two tables share out the time of a panel's imports (`-X importtime`, time on the clock). In the first, each module's own
time goes to its package. The second has what a few modules take with all that they are the first to import. On two busy
cores these were about as follows; from run to run a share moves by several hundredths:

- torch, a quarter: nothing goes without.
- torchvision, a quarter: most of it is `torch._dynamo`, the compiler, which is imported for one decorator
  (`ops/roi_align.py`). timm needs torchvision, and so does fastai's `Resize`, which the learner's pictures go through.
- `fastai.imports`, a fifth: matplotlib, pandas, scipy, and fastprogress with a web framework. It is the first line of
  fastai's every module, and `Learner` has no other home.
- `sklearn.model_selection`, a tenth: one function of `fastai.data.transforms`, which is imported with `DataBlock`.

The rest are timm, which has the definition of the network, ipywidgets, our own modules and others. `fastai.vision.all`,
with its metrics, models and interpretation, is not imported.

Rejected: a definition of the network of our own and a resize of our own, which together would leave torchvision out. A
learner's `Resize` would then be no longer the one that the book uses, and `learn.predict` has to say what the panel
says. Rejected: stand-ins in `sys.modules` for what is not used. Whoever imports torchvision afterwards would meet them.
"""

import argparse
import re
import statistics
import subprocess
import sys

RUNS = {
    "import torch, timm; from fastai.vision.all import *": "import torch, timm\nfrom fastai.vision.all import *\n",
    "the first panel, all in": "import camwidget as cw\ncw.CamPanel(cw.demo_learner(), cw.demo_image())\n",
}
TIMED = "\nimport time\nprint(time.process_time())\n"
LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|\s+(\S+)")
SPECIAL = ("torch._dynamo", "torch.distributed", "sklearn.model_selection", "fastai.vision")
"""Parts that are told apart from their package."""
LARGE = ("torch", "torchvision", "torch._dynamo", "fastai.imports", "sklearn.model_selection")
"""Modules whose time is printed with all that they are the first to import; torchvision's includes the compiler's."""


def seconds(code: str) -> float:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code + TIMED], capture_output=True, text=True, check=True
    )
    return float(done.stdout.splitlines()[-1])


def imports(code: str) -> list[tuple[str, float, float]]:
    """Every module that a fresh process imports: its name, its own seconds, and those with what it imported first."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-X", "importtime", "-c", code], capture_output=True, text=True, check=True
    )
    return [(module, int(own) / 1e6, int(whole) / 1e6) for own, whole, module in LINE.findall(done.stderr)]


def by_package(found: list[tuple[str, float, float]]) -> dict[str, float]:
    """Each package's own seconds, the largest first."""
    took: dict[str, float] = {}
    for module, own, _ in found:
        part = next((each for each in SPECIAL if module.startswith(each)), module.partition(".")[0])
        took[part] = took.get(part, 0) + own
    return dict(sorted(took.items(), key=lambda each: -each[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {name: [] for name in RUNS}
    for _ in range(rounds):
        for name, code in RUNS.items():
            times[name].append(seconds(code))
    for name, each in times.items():
        print(f"{name:54} {statistics.median(each):.1f} s of processor time, median of {rounds}")
    chapter, ours = times.values()
    print(f"ratio, median within a round: {statistics.median(b / a for a, b in zip(chapter, ours, strict=True)):.2f}")
    found = imports(RUNS["the first panel, all in"])
    total = sum(own for _, own, _ in found)
    print(f"\nimports of a first panel, of {total:.1f} s in all, each module by itself:")
    for name, took in list(by_package(found).items())[:16]:
        print(f"  {took / total:4.0%}  {name}")
    print("\nwith all that they are the first to import:")
    for module, _, whole in found:
        if module in LARGE:
            print(f"  {whole / total:4.0%}  {module}")


if __name__ == "__main__":
    main()

"""What a first panel imports, package by package, beside the chapter's own imports.

    python -m tests.benchmarks.imports [--rounds 3]

Both run in fresh processes, in turns; time is the processor time of a process, so that other programs count for little.
The table shares out the time of a panel's imports (`-X importtime`): each module's own time goes to its package. What
stays has its reason in ARCHITECTURE.md.
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
LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
SPECIAL = ("torch._dynamo", "torch.distributed", "sklearn.model_selection", "fastai.vision")
"""Parts that are told apart from their package."""


def seconds(code: str) -> float:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code + TIMED], capture_output=True, text=True, check=True
    )
    return float(done.stdout.splitlines()[-1])


def shares(code: str) -> tuple[dict[str, float], float]:
    """Each package's share of the time of all imports, and how long they took."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-X", "importtime", "-c", code], capture_output=True, text=True, check=True
    )
    own: dict[str, float] = {}
    for took, module in LINE.findall(done.stderr):
        part = next((each for each in SPECIAL if module.startswith(each)), module.partition(".")[0])
        own[part] = own.get(part, 0) + int(took) / 1e6
    total = sum(own.values())
    return {name: took / total for name, took in sorted(own.items(), key=lambda each: -each[1])}, total


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
    found, total = shares(RUNS["the first panel, all in"])
    print(f"\nimports of a first panel, of {total:.1f} s in all:")
    for name, share in list(found.items())[:16]:
        print(f"  {share:4.0%}  {name}")


if __name__ == "__main__":
    main()

"""How much memory an explanation takes, beside the model's own forward and backward pass.

    python -m tests.benchmarks.memory [--rounds 3]

A resnet34 with random weights at 224 x 224. The explanation is of all 16 blocks and 10 classes with Grad-CAM. Beside it
stand one forward pass and one backward pass of one logit, to all weights, as in training, or to the picture alone. Each
run has a process of its own, in which nothing else happens; what is read is the most memory that was resident (Linux).
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from tests.benchmarks.grid import CLASSES, LAYERS


def nothing(model: nn.Module, inputs: Tensor) -> None:
    """What importing and building the model takes."""


def once(model: nn.Module, inputs: Tensor) -> None:
    model(inputs)[0, 0].backward()


def to_picture(model: nn.Module, inputs: Tensor) -> None:
    model.requires_grad_(False)(inputs.requires_grad_())[0, 0].backward()


def explanation(model: nn.Module, inputs: Tensor) -> None:
    from camwidget import explain

    explain(model, inputs, method="grad_cam", layers=LAYERS, target_classes=CLASSES)


RUNS: dict[str, Callable[[nn.Module, Tensor], None]] = {
    "model and imports": nothing,
    "one forward and backward": once,
    "the same, weights frozen": to_picture,
    "16 blocks x 10 classes": explanation,
}


def resident(name: str) -> int:
    """The most memory that this process ever had resident, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def measure(run: Callable[[nn.Module, Tensor], None]) -> dict[str, int]:
    from torchvision.models import resnet34

    import camwidget.pictures.explain  # noqa: F401 (so that its import counts with the others)

    torch.manual_seed(0)
    model, inputs = resnet34(weights=None).eval(), torch.randn(1, 3, 224, 224)
    before = resident("VmRSS")
    run(model, inputs)
    return {"before": before, "peak": resident("VmHWM")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="processes for each row; the median is shown")
    parser.add_argument("--only", choices=RUNS, help="measure one in this process and print it as JSON")
    given = parser.parse_args()
    if given.only:
        print(json.dumps(measure(RUNS[given.only])))
        return
    found: dict[str, dict[str, float]] = {}
    for name in RUNS:
        command = [sys.executable, "-m", "tests.benchmarks.memory", "--only", name]
        runs = [json.loads(subprocess.check_output(command)) for _ in range(given.rounds)]
        found[name] = {what: statistics.median(run[what] for run in runs) / 2**20 for what in ("before", "peak")}
    print(f"resnet34, 224 x 224, resident memory in MiB, median of {given.rounds} processes")
    print(f"{'':28}{'before':>8}{'peak':>8}{'added':>8}")
    for name, row in found.items():
        print(f"{name:28}{row['before']:>8.0f}{row['peak']:>8.0f}{row['peak'] - row['before']:>8.0f}")
    ours, own = found["16 blocks x 10 classes"], found["one forward and backward"]
    print(f"peak over peak: {ours['peak'] / own['peak']:.2f}")
    print(f"added over added: {(ours['peak'] - ours['before']) / (own['peak'] - own['before']):.2f}")


if __name__ == "__main__":
    main()

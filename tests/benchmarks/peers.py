"""How long one layer and one class take: ours beside captum and torchcam, interleaved in one run.

    python -m tests.benchmarks.peers [--rounds 15]

Grad-CAM of one picture, at the layer named, with random weights. Time is the processor time of this process, in one
thread, so that other programs count for little; the first round warms up and does not count. A ratio is the median of
the ratios within a round.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import timm
import torch
import torchvision
from captum.attr import LayerGradCam
from torch import nn
from torchcam.methods import GradCAM

from camwidget.pictures.explain import explain

NETWORKS: dict[str, tuple[Callable[[], nn.Module], str, int]] = {
    "resnet18": (torchvision.models.resnet18, "layer4", 224),
    "resnet18, 64 pixels": (torchvision.models.resnet18, "layer4", 64),
    "squeezenet1_1": (torchvision.models.squeezenet1_1, "features", 224),
    "mobilenet_v3_small": (torchvision.models.mobilenet_v3_small, "features", 224),
    "vit_tiny_patch16_224": (lambda: timm.create_model("vit_tiny_patch16_224"), "blocks.10", 224),
    "vit_small_patch16_224": (lambda: timm.create_model("vit_small_patch16_224"), "blocks.10", 224),
}
"""Name to how to make it, the layer, and the side of the picture."""

CLASS = 3


def compared(name: str, rounds: int) -> dict[str, list[float]]:
    """The times of every round, by library; torchcam has no maps of tokens."""
    make, layer, size = NETWORKS[name]
    torch.manual_seed(0)
    model, inputs = make().eval(), torch.randn(1, 3, size, size)
    module = model.get_submodule(layer)

    def by_torchcam() -> None:
        with GradCAM(model, module) as extractor:
            extractor(CLASS, model(inputs))

    ways: dict[str, Callable[[], object]] = {
        "camwidget": lambda: explain(model, inputs, layers=[layer], target_classes=[CLASS]),
        "captum": lambda: LayerGradCam(model, module).attribute(inputs, target=CLASS),
        "torchcam": by_torchcam,
    }
    if "vit" in name:
        del ways["torchcam"]
    times: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds + 1):
        for way, run in ways.items():
            start = time.process_time()
            run()
            if number:
                times[way].append(time.process_time() - start)
    return times


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    print("| network | camwidget, ms | captum, ms | torchcam, ms | ratio to captum | ratio to torchcam |")
    print("|---|---|---|---|---|---|")
    for name in NETWORKS:
        times = compared(name, rounds)
        cells = [f"{1000 * statistics.median(times[way]):.1f}" if way in times else "" for way in ("camwidget", *PEERS)]
        for peer in PEERS:
            pairs = zip(times["camwidget"], times.get(peer, ()), strict=False)
            ratios = [ours / theirs for ours, theirs in pairs]
            cells.append(f"{statistics.median(ratios):.2f}" if ratios else "")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


PEERS = ("captum", "torchcam")

if __name__ == "__main__":
    main()

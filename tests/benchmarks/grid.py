"""All layers and classes at once, beside the peers called once per layer and class, and over the floor.

    python -m tests.benchmarks.grid [--rounds 3]

A resnet34 with random weights at 224 x 224, all 16 blocks, 10 classes, Grad-CAM without upsampling or scaling. The
contestants take turns within one run. The floor is one forward pass and ten backward passes to the first block, with
the weights frozen, and nothing else.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torchvision.models import resnet34

from camwidget import explain

LAYERS = [f"layer{stage}.{block}" for stage, count in ((1, 3), (2, 4), (3, 6), (4, 3)) for block in range(count)]
CLASSES = list(range(10))


def ours(model: nn.Module, inputs: Tensor) -> Tensor:
    return explain(model, inputs, method="grad_cam", layers=LAYERS, target_classes=CLASSES).cams["layer4.2"]


def floor(model: nn.Module, inputs: Tensor) -> None:
    first = model.get_submodule(LAYERS[0])
    kept: list[Tensor] = []

    def keep(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> Tensor:
        kept.append(output.detach().requires_grad_())
        return kept[0]

    handle = first.register_forward_hook(keep)
    frozen = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in frozen:
        parameter.requires_grad_(False)
    logits = model(inputs)
    for target in CLASSES:
        torch.autograd.grad(logits[0, target], kept[0], retain_graph=target != CLASSES[-1])
    handle.remove()
    for parameter in frozen:
        parameter.requires_grad_()


def torchcam_loop(model: nn.Module, inputs: Tensor) -> Tensor:
    from torchcam.methods import GradCAM

    cams = []
    for layer in LAYERS:
        for target in CLASSES:
            with GradCAM(model, target_layer=layer) as extractor:
                logits = model(inputs)
                cams = extractor(target, logits, normalized=False)
    return cams[0]


def captum_loop(model: nn.Module, inputs: Tensor) -> Tensor:
    from captum.attr import LayerGradCam

    for layer in LAYERS:
        method = LayerGradCam(model, model.get_submodule(layer))
        for target in CLASSES:
            cam = method.attribute(inputs, target=target)
    return cam


def grad_cam_loop(model: nn.Module, inputs: Tensor) -> None:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    for layer in LAYERS:
        with GradCAM(model=model, target_layers=[model.get_submodule(layer)]) as method:
            for target in CLASSES:
                method(input_tensor=inputs, targets=[ClassifierOutputTarget(target)])


def seconds(run: Callable[[nn.Module, Tensor], object], model: nn.Module, inputs: Tensor) -> float:
    start = time.perf_counter()
    run(model, inputs)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--rounds", type=int, default=3, help="turns of each peer; the quick ones get five times as many"
    )
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    model, inputs = resnet34(weights=None).eval(), torch.randn(1, 3, 224, 224)
    contestants: dict[str, Callable[[nn.Module, Tensor], object]] = {
        "floor": floor,
        "camwidget": ours,
        "torchcam": torchcam_loop,
        "captum": captum_loop,
        "pytorch-grad-cam": grad_cam_loop,
    }
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for run in (floor, ours):
        run(model, inputs)  # warm-up
    for _ in range(rounds):
        for _ in range(5):
            times["floor"].append(seconds(floor, model, inputs))
            times["camwidget"].append(seconds(ours, model, inputs))
        for name in list(contestants)[2:]:
            times[name].append(seconds(contestants[name], model, inputs))
    middle = {name: statistics.median(taken) for name, taken in times.items()}
    print(f"resnet34, 224 x 224, {len(LAYERS)} layers x {len(CLASSES)} classes, {torch.get_num_threads()} threads")
    print(f"{'':18}{'turns':>6}{'median s':>10}{'over camwidget':>16}")
    for name, taken in times.items():
        print(f"{name:18}{len(taken):>6}{middle[name]:>10.3f}{middle[name] / middle['camwidget']:>16.2f}")
    best = min(list(contestants)[2:], key=middle.__getitem__)
    print(f"times the best peer ({best}): {middle[best] / middle['camwidget']:.1f}")
    pairs = [mine / bare for mine, bare in zip(times["camwidget"], times["floor"], strict=True)]
    print(f"over the floor: {statistics.median(pairs):.3f} (median of neighbouring pairs)")


if __name__ == "__main__":
    main()

"""Networks that nobody here chose: right, refused or wrong, beside captum.

    python -m tests.benchmarks.strangers [--every 8] [--seconds 1200]

The rule: of the names in `timm.list_models()` that NETWORKS.md does not show, every eighth; if that network has more
than MOST_PARAMETERS or takes pictures of more than MOST_PIXELS a side, it is passed over. Weights are random, and the
picture is noise of the size that the network says it was trained with. Of each network, the first and the last layer
that have a map are compared: HiResCAM with captum's gradient times activation, added up over the channels. Which axis
holds these is told by the sizes of the modules inside the layer or before it, not by us.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator

import timm
import torch
from captum.attr import LayerGradientXActivation
from torch import Tensor, nn

from camwidget.errors import CamwidgetError
from camwidget.hooks.layers import Layer
from camwidget.pictures.explain import explain
from tests.networks import TIMM

MOST_PARAMETERS, MOST_PIXELS = 30_000_000, 256
CLOSE = 1e-3
"""The largest difference that counts as equal, relative to the largest value of the map."""
ROUNDING = 1e-6
"""Or to the largest that captum gives anywhere in the layer: a class token may outweigh all places by so much that
they are rounding."""


def chosen(every: int) -> Iterator[tuple[str, int]]:
    """Names, and sides of the pictures, by the rule."""
    shown = {name for name, _, _ in TIMM.values()}
    for name in [each for each in timm.list_models() if each not in shown][::every]:
        with torch.device("meta"):
            model = timm.create_model(name)
        size = model.pretrained_cfg["input_size"][-1]
        if sum(parameter.numel() for parameter in model.parameters()) <= MOST_PARAMETERS and size <= MOST_PIXELS:
            yield name, size


NAMES = ("out_channels", "num_features", "out_features", "num_channels", "embed_dim")
"""By these, modules say how many channels they return."""


def told_by(module: nn.Module) -> set[int]:
    """How many channels a module says that it returns."""
    sizes = {getattr(module, name) for name in NAMES if isinstance(getattr(module, name, None), int)}
    return sizes | ({module.normalized_shape[-1]} if isinstance(module, nn.LayerNorm) else set())


def channels_of(model: nn.Module, layer: nn.Module) -> set[int]:
    """How many channels the modules inside a layer say that they return; if none says it, the last one before it."""
    inside = {size for module in layer.modules() for size in told_by(module)}
    if inside:
        return inside
    before: set[int] = set()
    for module in model.modules():
        if module is layer:
            break
        before = told_by(module) or before
    return before


def by_captum(model: nn.Module, layer: Layer, inputs: Tensor, target: int) -> tuple[list[Tensor], float]:
    """The sums over every axis that may hold the channels, as rows of places without the tokens that come first; and
    the largest of all, these tokens included."""
    module = model.get_submodule(layer.name)
    product = LayerGradientXActivation(model, module).attribute(inputs, target=target)
    product = (product[0] if isinstance(product, tuple) else product).detach()
    places = layer.map_height * layer.map_width
    axes = [axis for axis in range(1, product.ndim) if product.shape[axis] in channels_of(model, module)]
    sums = [product.sum(dim=axis).flatten() for axis in axes]
    largest = max((float(rows.abs().max()) for rows in sums), default=0.0)
    return [rows[len(rows) - places :] for rows in sums if len(rows) >= places], largest


def judged(name: str, size: int) -> tuple[str, str]:
    """Right, refused or wrong, and the reason or the largest difference."""
    torch.manual_seed(0)
    model, inputs = timm.create_model(name, num_classes=7).eval(), torch.randn(1, 3, size, size)
    try:
        result = explain(model, inputs, method="hires_cam", target_classes=[1])
    except CamwidgetError as error:
        return "refused", str(error)
    worst = 0.0
    for layer in {result.layers[0], result.layers[-1]}:
        ours = result.cam(layer.name).flatten()
        peers, largest = by_captum(model, layer, inputs, 1)
        if not peers:
            return "not compared", f"{layer.name}: its modules do not say which axis holds {layer.channels} channels"
        scale = max(float(ours.abs().max()), ROUNDING / CLOSE * largest)
        worst = max(worst, min(float((ours - peer).abs().max()) for peer in peers) / (scale or 1.0))
    return ("right" if worst <= CLOSE else "wrong"), f"{len(result.layers)} layers, {worst:.0e}"


def main() -> None:
    """Print a table, and how often each outcome came."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--every", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=1200, help="no further network is begun after that")
    asked = parser.parse_args()
    torch.set_num_threads(2)
    start, counts = time.monotonic(), Counter[str]()
    print("| network | side | outcome | reason, or layers and largest relative difference |\n|---|---|---|---|")
    for name, size in chosen(asked.every):
        if time.monotonic() - start > asked.seconds:
            print("\nThe time is over.")
            break
        try:
            outcome, reason = judged(name, size)
        except Exception as error:  # noqa: BLE001 (an error that is not ours is an outcome, too)
            outcome, reason = "raw error", f"{type(error).__name__}: {error}"
        counts[outcome] += 1
        print(f"| {name} | {size} | {outcome} | {' '.join(reason.split())[:300]} |", flush=True)
    print("\n" + ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))


if __name__ == "__main__":
    main()

"""Asks a network how its outputs lie on the picture: parts of the picture are changed, to see which places answer.

Three of nine fields are changed at once, one in every row and column of fields, so that one more pass of the network
says something about all places. What is compared is *which places change most*, because in networks with global mixing
all of them change. The pattern is unlike its own mirror images and its transpose, and no row or column of fields is
changed more than another, so an axis of channels cannot pass for one of places. Small maps and close calls take more
passes, with other fields.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from camwidget.hooks.layout import Grid

PATTERNS = (
    ((0, 1, 0), (0, 0, 1), (1, 0, 0)),
    ((0, 0, 1), (1, 0, 0), (0, 1, 0)),
    ((0, 0, 0), (0, 0, 0), (1, 0, 0)),
    ((1, 0, 0), (0, 0, 0), (0, 0, 0)),
)
"""Which fields of the picture are changed, pass by pass, until every doubt is gone."""

LEAST_AGREEMENT, LEAST_LEAD = 0.4, 0.03
"""How well the places that change must correlate with those changed, and by how much better than any other way."""

SURE, SURE_AT_LAST = 3.5, 2.5
"""How many standard deviations above chance that is: after each pass, and after the last one."""

FLOOR = 1e-3
"""Changes are compared by their logarithms, down to this part of the largest."""


@dataclass(frozen=True)
class Answers:
    """What came out for some layers: how each is read, or why it is not."""

    grids: Mapping[str, Grid] = field(default_factory=dict)
    """Layer name to the one way to read it."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Layer name to the end of a sentence that begins with the layer."""


@contextmanager
def shapes_noted(network: nn.Module) -> Iterator[dict[str, tuple[int, ...]]]:
    """Yield a dictionary that fills, while the network runs, with the shapes that its convolutions and pools return.

    Args:
        network: the model.
    """
    noted: dict[str, tuple[int, ...]] = {}

    def note(name: str, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and output.shape[0] == 1:
            noted[name] = tuple(output.shape)

    with ExitStack() as stack:
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d) or "pool" in type(module).__name__.lower():
                hook = module.register_forward_hook(lambda _, __, output, name=name: note(name, output))
                stack.callback(hook.remove)
        yield noted


def ask(
    observe: Callable[[Tensor, Sequence[str]], Mapping[str, Tensor]],
    pixels: Float[Tensor, "1 channel height width"],
    outputs: Mapping[str, Tensor],
    candidates: Mapping[str, Sequence[Grid]],
) -> Answers:
    """Return how each layer is read, by running the network on changed pictures until it is clear.

    Args:
        observe: runs the network on a picture and returns the outputs of the layers named, in their own form.
        pixels: the picture.
        outputs: what the layers returned for it, in their own form.
        candidates: layer name to the ways in which its shape can be read.
    """
    grids: dict[str, Grid] = {}
    reasons: dict[str, str] = {}
    open_ = {name: list(ways) for name, ways in candidates.items() if ways}
    changes: dict[str, list[Tensor]] = {name: [] for name in open_}
    fields: list[Tensor] = []
    for number, pattern in enumerate(PATTERNS, 1):
        if not open_:
            break
        fields.append(_part(pattern, pixels))
        after = observe(_changed(pixels, fields[-1]), list(open_))
        for name in list(open_):
            before = outputs[name].detach()
            if name not in after or after[name].shape != before.shape:
                reasons[name] = f"returns shape {tuple(before.shape)}, but another shape for a changed picture"
                del open_[name]
                continue
            changes[name].append((after[name].detach() - before).abs())
            scores = {way: _agreement(way, changes[name], fields) for way in open_[name]}
            best = max(scores, key=lambda way: scores[way][0])
            if _settled(scores, best, SURE if number < len(PATTERNS) else SURE_AT_LAST):
                grids[name] = best
                del open_[name]
            elif number == len(PATTERNS):
                reasons[name] = _why_not(tuple(before.shape), scores, number)
    return Answers(grids, reasons)


def _part(pattern: Sequence[Sequence[int]], pixels: Tensor) -> Tensor:
    """A pattern as large as the picture, (height, width)."""
    small = torch.tensor(pattern, dtype=torch.float64)[None, None]
    return functional.interpolate(small, size=pixels.shape[2:], mode="nearest")[0, 0]


def _changed(pixels: Tensor, part: Tensor) -> Tensor:
    """The picture, brighter and with noise where the part is; the same every time."""
    noise = torch.randn(pixels.shape[1:], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    spread = float(pixels.double().std()) or 1.0
    return pixels + (part * (noise + 1) * spread).to(pixels)


def _agreement(way: Grid, changes: Sequence[Tensor], fields: Sequence[Tensor]) -> tuple[float, float]:
    """The correlation between what was changed and what changed, cell by cell, and its distance from chance.

    From the second pass on, each cell is compared with itself in the other passes.
    """
    size = (way.map_height, way.map_width)
    asked, answered = [], []
    for change, part in zip(changes, fields, strict=True):
        cells = way.as_map([change])[0].double().sum(dim=0).cpu()
        answered.append((cells / cells.max() + FLOOR).log())
        asked.append(functional.adaptive_avg_pool2d(part[None, None], size)[0, 0])
    one, other = torch.stack(asked), torch.stack(answered)
    for axes in ((1, 2), (0,)) if len(fields) > 1 else ((1, 2),):
        one, other = one - one.mean(axes, keepdim=True), other - other.mean(axes, keepdim=True)
    product = float((one.square().sum() * other.square().sum()).sqrt())
    agreement = float((one * other).sum()) / product if product > 0 else 0.0
    if agreement != agreement or not abs(agreement) < float("inf"):  # the output has values that are not numbers
        return -1.0, 0.0
    free = (one[0].numel() - 1) * max(len(fields) - 1, 1) - 2
    return agreement, float(torch.atanh(torch.tensor(min(agreement, 0.9999)))) * max(free, 1) ** 0.5


def _settled(scores: Mapping[Grid, tuple[float, float]], best: Grid, sure: float) -> bool:
    agreement, distance = scores[best]
    second = max((other for way, (other, _) in scores.items() if way != best), default=-1.0)
    return agreement >= LEAST_AGREEMENT and distance >= sure and agreement - second >= LEAST_LEAD


def _why_not(shape: tuple[int, ...], scores: Mapping[Grid, tuple[float, float]], passes: int) -> str:
    """The end of a sentence."""
    likely = sorted((way for way in scores if scores[way][0] >= LEAST_AGREEMENT), key=lambda way: -scores[way][0])
    if len(likely) > 1:
        return (
            f"returns shape {shape}, which can be read as {likely[0]} or as {likely[1]}, and {passes} changes of the "
            "picture did not tell which"
        )
    return (
        f"returns shape {shape}, but its places do not answer to those of the picture, row by row: {passes} changes of "
        "the picture did not change most what lies in the same places"
    )

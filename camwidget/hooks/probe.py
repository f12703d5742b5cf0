"""Asks a network how its outputs lie on the picture: parts of the picture are changed, to see which places answer.

Where a convolution cuts the picture into patches and what follows only adds to them, no question is needed: most places
of an output are then more like their own patch than like any other one.

Three of nine fields are changed at once, one in every row and column of fields, so that one more pass of the network
says something about all places. What is compared is *which places change most*, because in networks with global mixing
all of them change. The pattern is unlike its own mirror images and its transpose, and no row or column of fields is
changed more than another, so an axis of channels cannot pass for one of places. Small maps and close calls take more
passes, with other fields.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from camwidget.hooks.layout import Grid

MOST_CELLS_UNASKED = 9
"""Maps of more cells are read only if they answer to changes of the picture, or are like its patches."""

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


OWN, ANOTHERS = 0.5, 0.1
"""How many places of an output must be more like their own patch than like any other, and how many may be at most if
the output is read in any other way."""

MOST_PLACES = 256
"""So many places of an output, spread over all of it, are compared with the patches."""


@dataclass(frozen=True)
class Noted:
    """What convolutions and pools returned in one pass."""

    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Module to the shape of its output."""
    patches: dict[str, Tensor] = field(default_factory=dict)
    """The outputs of convolutions that cut the picture into patches, by module."""


@dataclass(frozen=True)
class Answers:
    """What came out for some layers: how each is read, or why it is not."""

    grids: Mapping[str, Grid] = field(default_factory=dict)
    """Layer name to the one way to read it."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Layer name to the end of a sentence that begins with the layer."""


@contextmanager
def convolutions_noted(network: nn.Module) -> Iterator[Noted]:
    """Yield what fills, while the network runs, with what its convolutions and pools return.

    Args:
        network: the model.
    """
    noted = Noted()

    def note(name: str, output: Any, *, patches: bool) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and output.shape[0] == 1:
            noted.shapes[name] = tuple(output.shape)
            if patches:
                noted.patches[name] = output.detach()

    with ExitStack() as stack:
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d) or "pool" in type(module).__name__.lower():
                call = partial(note, name, patches=isinstance(module, nn.Conv2d) and _cuts_patches(module))
                hook = module.register_forward_hook(lambda _, __, output, call=call: call(output))
                stack.callback(hook.remove)
        yield noted


def _cuts_patches(convolution: nn.Conv2d) -> bool:
    return convolution.kernel_size == convolution.stride and min(convolution.kernel_size) > 1


def like_patches(output: Tensor, ways: Sequence[Grid], noted: Noted) -> Grid | None:
    """Return the way to read an output in which its places are like the patches of the same places; None if in doubt.

    Residual networks add to the patches and never move them, so their own pass tells, without another one. Tokens in
    another order are like the patches of other places.

    Args:
        output: of a layer, in its own form.
        ways: in which its shape can be read.
        noted: what the convolutions of the same pass returned.
    """
    shares = {
        way: max((_share_like_own(way.as_map([output.detach()]), patch) for patch in noted.patches.values()), default=0)
        for way in ways
    }
    best = max(shares, key=lambda way: shares[way], default=None)
    others = [share for way, share in shares.items() if way != best]
    return best if best is not None and shares[best] >= OWN and max(others, default=0) <= ANOTHERS else None


def _share_like_own(one: Tensor, patches: Tensor) -> float:
    """Which share of the places of a map is more like the patch of the same place than like any other; 0 if unfit."""
    places = one[0, 0].numel()
    if one.shape != patches.shape or places <= MOST_CELLS_UNASKED:
        return 0.0
    own, others = (_directions(each[0].flatten(1).T.float()) for each in (one, patches))
    chosen = torch.arange(0, places, -(-places // MOST_PLACES), device=one.device)
    closest = (own[chosen] @ others.T).argmax(dim=1)
    return float((closest == chosen).float().mean())


def _directions(rows: Tensor) -> Tensor:
    """Rows of length one, with what they have in common taken away."""
    return functional.normalize(rows - rows.mean(dim=0), dim=1)


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

"""Asks a network how its outputs lie on the picture: parts of the picture are changed, to see which places answer.

Where a convolution cuts the picture into patches and what follows only adds to them, no question is needed: most places
of an output are then more like their own patch than like any other one.

Three of nine fields are changed at once, one in every row and column of fields, so that one more pass of the network
says something about all places. What is compared is *which places change most*, because in networks with global mixing
all of them change. The pattern is unlike its own mirror images and its transpose, and no row or column of fields is
changed more than another, so an axis of channels cannot pass for one of places. Small maps and close calls take more
passes, with other fields.
"""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from camwidget.hooks.layout import Grid, OneCall
from camwidget.hooks.moves import IN_PLACE, MOVES, lies_in_place

MOST_CELLS_UNASKED = 9
"""Maps of more cells are read only if they answer to changes of the picture, or are like its patches."""

PATTERNS = (
    ((0, 1, 0), (0, 0, 1), (1, 0, 0)),
    ((0, 0, 1), (1, 0, 0), (0, 1, 0)),
    ((0, 0, 0), (0, 0, 0), (1, 0, 0)),
    ((1, 0, 0), (0, 0, 0), (0, 0, 0)),
)
"""Which fields of the picture are changed, pass by pass, until every doubt is gone."""

CHECK = (2, 1, 5, 3, 4, 0)
"""Which field of each of six rows is changed to check how a layer lies that may be moved. The patterns above look alike
when they are shifted by thirds or by halves; this one is unlike itself in every other place."""

STEPS = 8
"""By how many parts of the picture, in rows and in columns, a layer may seem to be shifted in that check. It passes if
the best shift is none, or one part."""

SHARES_BESIDE = (0.2, 0.35, 0.5)
"""Which parts of the rows or columns, added or cut off at one side, a layer may seem to have instead of the picture in
place. It passes if none of them agrees clearly better."""

LEAST_AGREEMENT, LEAST_LEAD = 0.4, 0.03
"""How well the places that change must correlate with those changed, and by how much better than any other way."""

AGREEMENT_IF_MOVED, LEAD_IF_MOVED = 0.6, 0.1
"""The same where a move is likely, or is what agrees best: eight times as many ways agree by chance."""

SURE, SURE_AT_LAST = 3.5, 2.5
"""How many standard deviations above chance that is: after each pass, and after the last one."""

LEANING = 1.5
"""How many standard deviations above chance are no proof, but do not speak against what was expected anyway."""

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
    given: dict[str, list[bool]] = field(default_factory=dict)
    """Convolutions that are given the picture, and whether it is in place, call by call; see `lies_in_place`."""
    sizes: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """The rows and columns of what the same convolutions are given."""
    taken: set[tuple[int, int]] = field(default_factory=set)
    """Rows and columns of what any convolution or pool is given."""

    @property
    def map_sizes(self) -> set[tuple[int, int]]:
        """Rows and columns of what convolutions and pools returned."""
        return {(shape[2], shape[3]) for shape in self.shapes.values()}

    def shows_moved(self, layout: OneCall) -> bool:
        """Return whether a convolution is given something else than the picture in place, in the call that counts."""
        return any(not calls[layout.calls(len(calls))[0]] for calls in self.given.values())

    def other_size(self, layout: OneCall) -> tuple[int, int] | None:
        """Return the size of what the first convolution is given, in the call that counts; None if that is in place."""
        first = next(iter(self.given), "")
        calls = self.given.get(first, [True])
        call = layout.calls(len(calls))[0]
        return None if calls[call] else self.sizes[first][call]


@dataclass(frozen=True)
class Answers:
    """What came out for some layers: how each is read, or why it is not."""

    grids: Mapping[str, Grid] = field(default_factory=dict)
    """Layer name to the one way to read it."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Layer name to the end of a sentence that begins with the layer."""
    leanings: Mapping[str, Grid] = field(default_factory=dict)
    """Of layers with a reason, those whose answers speak for one way more than chance does, if not clearly."""
    elsewhere: Collection[str] = ()
    """Layers with a reason of which a check showed that no way to read them is right."""


@contextmanager
def convolutions_noted(network: nn.Module, pixels: Float[Tensor, "1 channel height width"]) -> Iterator[Noted]:
    """Yield what fills, while the network runs, with what its convolutions and pools return, and the first are given.

    Args:
        network: the model.
        pixels: what it runs on.
    """
    noted = Noted()

    def note(name: str, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        patches = isinstance(module, nn.Conv2d) and _cuts_patches(module)
        noted.taken.update(
            (each.shape[2], each.shape[3]) for each in inputs if isinstance(each, Tensor) and each.ndim == 4
        )
        if isinstance(module, nn.Conv2d) and inputs and isinstance(inputs[0], Tensor):
            takes_picture = not noted.given or name in noted.given or module.in_channels == pixels.shape[1]
            if takes_picture and inputs[0].ndim == 4:
                noted.given.setdefault(name, []).append(lies_in_place(inputs[0], pixels, is_first=not noted.sizes))
                noted.sizes.setdefault(name, []).append((inputs[0].shape[-2], inputs[0].shape[-1]))
        if isinstance(output, Tensor) and output.ndim == 4 and output.shape[0] == 1:
            noted.shapes[name] = tuple(output.shape)
            if patches:
                noted.patches[name] = output.detach()

    with ExitStack() as stack:
        for name, module in network.named_modules():
            if (
                isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Upsample)
                or "pool" in type(module).__name__.lower()
            ):
                hook = module.register_forward_hook(partial(note, name))
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
    *,
    likely_moved: Collection[str] = (),
) -> Answers:
    """Return how each layer is read, by running the network on changed pictures until it is clear.

    Args:
        observe: runs the network on a picture and returns the outputs of the layers named, in their own form.
        pixels: the picture.
        outputs: what the layers returned for it, in their own form.
        candidates: layer name to the ways in which its shape can be read.
        likely_moved: layers before which the picture was probably moved, in one of the eight ways or in another one.
    """
    grids: dict[str, Grid] = {}
    reasons: dict[str, str] = {}
    leanings: dict[str, Grid] = {}
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
            if _settled(scores, best, SURE if number < len(PATTERNS) else SURE_AT_LAST, strict=name in likely_moved):
                grids[name] = best
                del open_[name]
            elif number == len(PATTERNS):
                reasons[name] = _why_not(tuple(before.shape), scores, number, strict=name in likely_moved)
                if scores[best][1] >= LEANING:
                    leanings[name] = best
    said = {**grids, **leanings}
    may_be_moved = {name: way for name, way in said.items() if any(each.move != IN_PLACE for each in candidates[name])}
    elsewhere = _elsewhere(observe, pixels, outputs, may_be_moved)
    for name in elsewhere:
        grids.pop(name, None)
        leanings.pop(name, None)
        reasons[name] = (
            f"returns shape {tuple(outputs[name].shape)}, but its places do not answer to those of the picture: the "
            "network shifts, cuts or mixes them before this layer"
        )
    return Answers(grids, reasons, leanings, elsewhere)


def _elsewhere(
    observe: Callable[[Tensor, Sequence[str]], Mapping[str, Tensor]],
    pixels: Float[Tensor, "1 channel height width"],
    outputs: Mapping[str, Tensor],
    grids: Mapping[str, Grid],
) -> list[str]:
    """Return the layers that answer as well if they are shifted, or hardly answer, by one more pass.

    Layers that change their shape are among them.
    """
    if not grids:
        return []
    rows = [[int(column == changed) for column in range(len(CHECK))] for changed in CHECK]
    part = _part(rows, pixels)
    after = observe(_changed(pixels, part), list(grids))
    wrong = []
    for name, grid in grids.items():
        before, now = outputs[name].detach(), after.get(name)
        if now is None or now.shape != before.shape or not _stays(grid, (now - before).abs().detach(), part):
            wrong.append(name)
    return wrong


def is_coarse(grid: Grid) -> bool:
    """Return whether a map has too few rows or columns to be checked.

    Args:
        grid: how a layer is read.
    """
    return min(grid.map_height, grid.map_width) < len(CHECK)


def _stays(grid: Grid, change: Tensor, part: Tensor) -> bool:
    """Whether what changed in a layer lies where the picture was changed, and nowhere else."""
    if is_coarse(grid):
        return True
    height, width = part.shape
    agreements = {
        (down, right): _agreement(
            grid, [change], [part.roll((height * down // STEPS, width * right // STEPS), (0, 1))]
        )[0]
        for down in range(STEPS)
        for right in range(STEPS)
    }
    near = {shift for shift in agreements if all(min(steps, STEPS - steps) <= 1 for steps in shift)}
    best = max(agreements[shift] for shift in near)
    # Two branches, one of them mirrored or shifted, agree with two ways at once.
    others = [replace(grid, move=move) for move in MOVES if move.swapped == grid.move.swapped and move != grid.move]
    rivals = [_agreement(other, [change], [part])[0] for other in others]
    rivals += [agreement for shift, agreement in agreements.items() if shift not in near]
    beside = max(_agreement(grid, [change], [moved])[0] for moved in _beside(part))
    return best >= LEAST_AGREEMENT and max(rivals) <= best - LEAD_IF_MOVED and beside <= best + LEAD_IF_MOVED


def _beside(part: Tensor) -> Iterator[Tensor]:
    """A pattern with room at one side or in one corner, and with as much cut off there, (height, width)."""
    for down, right in itertools.product((-1, 0, 1), repeat=2):
        for share in SHARES_BESIDE if down or right else ():
            sides = [(abs(by) * round(side * share), by) for side, by in zip(part.shape, (down, right), strict=True)]
            (top, bottom), (left, last) = [(cut, 0) if by < 0 else (0, cut) for cut, by in sides]
            yield functional.pad(part, (left, last, top, bottom))
            yield part[top : part.shape[0] - bottom, left : part.shape[1] - last]


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


def _settled(scores: Mapping[Grid, tuple[float, float]], best: Grid, sure: float, *, strict: bool) -> bool:
    agreement, distance = scores[best]
    second = max((other for way, (other, _) in scores.items() if way != best), default=-1.0)
    if strict := strict or best.move != IN_PLACE:  # a few cells agree with one of so many ways by chance
        sure = SURE if best.map_height * best.map_width > MOST_CELLS_UNASKED else float("inf")
    least, lead = (AGREEMENT_IF_MOVED, LEAD_IF_MOVED) if strict else (LEAST_AGREEMENT, LEAST_LEAD)
    return agreement >= least and distance >= sure and agreement - second >= lead


def _why_not(shape: tuple[int, ...], scores: Mapping[Grid, tuple[float, float]], passes: int, *, strict: bool) -> str:
    """The end of a sentence."""
    if strict and all(way.map_height * way.map_width <= MOST_CELLS_UNASKED for way in scores):
        return (
            f"returns shape {shape}: the network may have moved the picture before it (a mirror, a turn, another "
            "order), and so few cells do not tell how they lie on it"
        )
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

"""How the outputs of one pass lie on the picture, layer by layer: from their shapes, or by asking the network.

A shape that leaves no doubt is believed, unless something before the layer may have moved the picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from jaxtyping import Float
from torch import Tensor, nn

from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.layout import FIRST, AsItIs, Grid, in_doubt, moved, readings, readings_of
from camwidget.hooks.moves import IN_PLACE, Doubt, told_of
from camwidget.hooks.probe import MOST_CELLS_UNASKED, Answers, Noted, ask, is_coarse, like_patches
from camwidget.hooks.traced import UNDERIVABLE

_ON_LAST_AXIS = (nn.Linear, nn.LayerNorm, nn.MultiheadAttention, nn.Embedding)

Sizes = Mapping[str, tuple[int, int, int | None]]
"""Layer name to rows, columns and how many tokens without a position come first (None: all that are left over)."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What one pass of a picture has shown."""

    capture: LayerCapture
    """After its forward pass, with all outputs in their own form."""
    pixels: Float[Tensor, "1 channel height width"]
    """The picture."""
    noted: Noted
    """What convolutions and pools returned in the same pass."""
    told: Sizes
    """Sizes of maps, as the caller knows them."""

    @cached_property
    def ways(self) -> dict[str, list[Grid]]:
        """How each layer can be read: with the size given, if it was, else by its shape."""
        return {name: self._ways(name, shape) for name, shape in self.capture.output_shapes.items()}

    def _ways(self, name: str, shape: tuple[int, ...]) -> list[Grid]:
        if name in self.told:
            rows, columns, extra = self.told[name]
            return readings_of(shape, rows=rows, columns=columns, extra=extra)
        height, width = self.pixels.shape[2:]
        return readings(shape, height=height, width=width, seen=self.noted.map_sizes)

    @cached_property
    def doubts(self) -> dict[str, Doubt]:
        """Layers that may show the picture moved, and why; none of those of which the size was told."""
        behind = self.capture.traced.behind_moves(
            {name: [kept] for name, kept in self.capture.activations.items()},
            {*self.noted.map_sizes, *self.noted.taken, (self.pixels.shape[2], self.pixels.shape[3])},
        )
        if self.noted.shows_moved(AsItIs(self.capture.call)):
            behind = {name: replace(behind.get(name, Doubt()), is_likely=True) for name in self.capture.outputs}
        return {name: doubt for name, doubt in behind.items() if name not in self.told}


def read(shown: Shown, unread: Mapping[str, str], *, target: int) -> tuple[dict[str, Grid], dict[str, str]]:
    """Return how each layer with a map is read, and why others are not: the end of a sentence.

    Args:
        shown: what the pass has shown.
        unread: layers that are not to be read, and why.
        target: the class whose gradients tell which tokens it depends on.
    """
    capture, ways, doubts = shown.capture, shown.ways, shown.doubts
    unused = capture.traced.unused(capture.outputs)
    reasons = dict.fromkeys(unused, "has no part in the logits: they are not computed from what it returns")
    reasons |= dict.fromkeys(capture.traced.underivable(capture.outputs), UNDERIVABLE)
    reasons |= unread
    reasons |= {
        name: f"returns shape {capture.output_shapes[name]}, which does not hold {written(shown.told[name])}"
        for name in capture.outputs
        if name in shown.told and not ways[name]
    }
    names = [name for name in capture.outputs if name not in reasons and ways[name]]
    sure = {name: way for name in names if (way := _sure_way(shown, name))}
    height, width = shown.pixels.shape[2:]
    doubtful = {
        name: moved(ways[name], height=height, width=width) if name in doubts else ways[name]
        for name in names
        if name not in sure or name in doubts
    }
    likely = {name for name, doubt in doubts.items() if doubt.is_likely}
    # Outputs are still as they are, for none is kept yet.
    answers = ask(capture.observe, shown.pixels, capture.activations, doubtful, likely_moved=likely)
    expected = {
        name: grid
        for name in answers.reasons
        if (grid := _expected(shown, name, doubtful[name], sure.get(name), answers)) is not None
    }
    reasons |= {
        name: reason + _seen_before(doubts.get(name)) if name in answers.elsewhere else reason
        for name, reason in answers.reasons.items()
        if name not in expected
    }
    reasons |= {
        name: f"returns shape {capture.output_shapes[name]}, and an operation before it shifts, cuts or mixes the "
        "places of the picture: so few cells do not tell where they lie"
        for name, grid in {**answers.grids, **expected}.items()
        if is_coarse(grid) and _behind_elsewhere(shown, name, answers)
    }
    found = {
        name: replace(grid, call=capture.call)
        for name, grid in {**sure, **answers.grids, **expected}.items()
        if name not in reasons
    }
    others = _only_other_tokens(capture, {name: found[name] for name in capture.outputs if name in found}, target)
    reasons |= {name: _why_unread(grid) for name, grid in others.items()}
    kept = {name: found[name] for name in capture.outputs if name in found and name not in others}
    capture.notes += _about_moves(shown, kept)
    return kept, reasons


def _sure_way(shown: Shown, name: str) -> Grid | None:
    """How a layer is read if nothing moves the picture, without a question to the network; None if in doubt."""
    shape, ways, (height, width) = shown.capture.output_shapes[name], shown.ways[name], shown.pixels.shape[2:]
    if name in shown.told:
        if len(ways) == 1:
            return ways[0]
    elif as_convolved := _as_convolved(name, shape, ways, shown.noted.shapes):
        return as_convolved
    elif not in_doubt(shape, height=height, width=width, seen=shown.noted.map_sizes):
        return ways[0]
    return like_patches(shown.capture.activations[name], ways, shown.noted)


def _expected(shown: Shown, name: str, ways: Sequence[Grid], sure: Grid | None, answers: Answers) -> Grid | None:
    """How a layer is read that gave no clear answer: as others behind the same operations; None if nothing tells."""
    doubts = shown.doubts
    if name in answers.elsewhere:
        return None
    if name not in doubts:
        return _too_small_to_ask(shown, name, ways)
    alike = {other for other, doubt in doubts.items() if doubt.operations == doubts[name].operations}
    moves = {grid.move for other, grid in answers.grids.items() if other in alike}
    if moves and sure is not None:
        height, width = shown.pixels.shape[2:]
        alike_moved = [way for way in moved([sure], height=height, width=width) if moves == {way.move}]
        return next(iter(alike_moved), None)
    if sure is not None and not doubts[name].is_likely:
        is_small = sure.map_height * sure.map_width <= MOST_CELLS_UNASKED
        return sure if is_small or answers.leanings.get(name) == sure else None
    return _too_small_to_ask(shown, name, [way for way in ways if moves == {way.move}])


def _seen_before(doubt: Doubt | None) -> str:
    """What operations raised a doubt, to be added to the end of a sentence."""
    told = told_of(doubt.operations) if doubt is not None else ""
    return f". Seen before it: {told}" if told else ""


def _behind_elsewhere(shown: Shown, name: str, answers: Answers) -> bool:
    """Whether a layer is behind the same operations as one that lies nowhere on the picture, and maybe others."""
    own = shown.doubts.get(name)
    return own is not None and any(
        shown.doubts[other].operations <= own.operations for other in answers.elsewhere if other in shown.doubts
    )


def _about_moves(shown: Shown, grids: Mapping[str, Grid]) -> tuple[str, ...]:
    """What to know of a network that moves the picture."""
    turned = [name for name, grid in grids.items() if grid.move != IN_PLACE]
    if turned:
        move = grids[turned[0]].move
        which = f"layer {turned[0]!r}" + (f" and {len(turned) - 1} more" if len(turned) > 1 else "")
        return (f"The network sees the picture {move} at {which}. The maps are turned back, onto the picture.",)
    size = shown.noted.other_size(AsItIs(shown.capture.call))
    height, width = shown.pixels.shape[2:]
    if not grids or size in (None, (height, width)):
        return ()
    rows, columns = size
    return (
        f"The network's first convolution is given {rows}x{columns} places, and they are not the whole picture of "
        f"{height}x{width} pixels as it is: perhaps it is cropped or padded. The maps are drawn over the whole "
        "picture, so they may lie beside what they are about.",
    )


def _as_convolved(
    name: str, shape: Sequence[int], ways: Sequence[Grid], convolved: Mapping[str, Sequence[int]]
) -> Grid | None:
    """Channels first, where a convolution or pool inside the layer returned the very same shape; None elsewhere.

    PyTorch's convolutions have their channels first, and if the sides differ no other order of the same axes has the
    same shape. So a small network, or one whose ReLU is dead, is read without a question that it could not answer.
    """
    return None if len(set(shape[1:])) == 1 else _first_by_convolution(name, shape, ways, convolved)


def _first_by_convolution(
    name: str, shape: Sequence[int], ways: Sequence[Grid], convolved: Mapping[str, Sequence[int]]
) -> Grid | None:
    """The reading with channels first, if a convolution or pool inside the layer returned that very shape."""
    inside = (module for module in convolved if module == name or module.startswith(f"{name}."))
    if not any(tuple(convolved[module]) == tuple(shape) for module in inside):
        return None
    return next((way for way in ways if way.order == FIRST), None)


def _too_small_to_ask(shown: Shown, name: str, ways: Sequence[Grid]) -> Grid | None:
    """Channels first, where a map has too few cells for an answer and nothing inside the layer works on a last axis."""
    first = _first_by_convolution(name, shown.capture.output_shapes[name], ways, shown.noted.shapes)
    if first is None or first.map_height * first.map_width > MOST_CELLS_UNASKED:
        return None
    inside = shown.capture.model.get_submodule(name).modules()
    return None if any(isinstance(module, _ON_LAST_AXIS) for module in inside) else first


def _only_other_tokens(capture: LayerCapture, grids: Mapping[str, Grid], target: int) -> dict[str, Grid]:
    """Layers whose positions a class does not depend on: it is read from their other tokens alone."""
    extra = {name: grid for name, grid in grids.items() if grid.others}
    if not extra or not capture.differentiable:
        return {}
    gradients = capture.gradients(target, names=list(grids), remember=True)  # still in the layers' own form
    maps = {name: grid.as_map([gradients[name]]) for name, grid in extra.items()}
    return {
        name: extra[name] for name, gradient in maps.items() if not bool(gradient.any()) and bool(gradients[name].any())
    }


def written(size: tuple[int, int, int | None]) -> str:
    """A size in words."""
    rows, columns, extra = size
    return f"a map of {rows} rows and {columns} columns" + (f" after {extra} other tokens" if extra else "")


def _why_unread(grid: Grid) -> str:
    return (
        f"returns {grid.map_height * grid.map_width} positions that the logits do not depend on: the classes are read "
        f"from its other {'token' if grid.others == 1 else f'{grid.others} tokens'} alone"
    )

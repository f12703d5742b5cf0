"""How a layer's outputs are read as maps, channels first, channels last or a row of tokens, and put back.

Shapes alone say how an output *may* be read, the most likely way first; `camwidget.hooks.probe` asks the network where
that leaves a doubt. A map has the proportions of the picture. There is one token with a position for each cell in the
map of the convolution that cut the picture into patches; without such a convolution, the proportions decide. Tokens
without a position (class, distillation, register tokens) mostly come first.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.hooks.moves import IN_PLACE, MOVES, Move
from camwidget.hooks.tensors import at_least_single


@runtime_checkable
class Layout(Protocol):
    """How the outputs of one layer are read as a map, and how a map is put back in their place."""

    @property
    def batch_axis(self) -> int:
        """Which axis of an output holds the pictures."""

    def calls(self, ran: int) -> range:
        """Return which calls count, from 0, of a layer that `ran` so many times."""

    def as_map(self, outputs: Sequence[Tensor]) -> Float[Tensor, "batch channel map_height map_width"]:
        """Return the outputs of the calls that count, or the gradients with respect to them, as one map."""

    def put_back(self, activation: Tensor, own: Tensor, *, part: int) -> Tensor:
        """Return the replacement for a layer's own output in one of the calls that count."""


LAST_CALL = -1
"""In place of a call's number: whichever is the last."""


class OneCall:
    """The base of layouts that use one call of a layer that may run several times."""

    call: int
    """The number of the call, from 1; `LAST_CALL` for the last. Of a layer that runs less often, the last counts."""

    @property
    def batch_axis(self) -> int:
        """The first axis holds the pictures, unless a layout says otherwise."""
        return 0

    def calls(self, ran: int) -> range:
        """Return the one call, from 0."""
        number = ran if self.call == LAST_CALL else min(self.call, ran)
        return range(number - 1, number)


@dataclass(frozen=True)
class AsItIs(OneCall):
    """The layer's own form, whatever it is."""

    call: int = LAST_CALL
    """See `OneCall`."""

    def as_map(self, outputs: Sequence[Tensor]) -> Tensor:
        """Return the one output."""
        return outputs[-1]

    def put_back(self, activation: Tensor, own: Tensor, *, part: int = 0) -> Tensor:
        """Return the activation."""
        return activation.clone()


ROUNDED = {"channels first": 2, "channels last": 1}
"""By how many cells a map may be off the picture's proportions: convolutions without padding cut off borders, while
networks with channels last cut the picture into patches."""

MOST_EXTRA, MOST_UNSEEN = 17, 1
"""How many tokens may have no position: a class token and sixteen registers are the most in use. Where no map of the
same size was seen before, one token."""

FIRST, LAST, TOKENS, TURNED = "channels first", "channels last", "tokens", "channels, then tokens"
AHEAD = "tokens ahead of the batch"

_TO_TURNED = {TOKENS: (0, 2, 1), TURNED: (0, 1, 2), AHEAD: (1, 2, 0)}
"""How the axes of tokens are put into the order (1, channel, token)."""


@dataclass(frozen=True)
class Grid(OneCall):
    """How one layer's output lies on a picture."""

    order: str
    """`FIRST`, `LAST`, `TOKENS` (1, token, channel), `TURNED` (1, channel, token) or `AHEAD` (token, 1, channel)."""
    map_height: int
    """Rows of the map."""
    map_width: int
    """Columns of the map."""
    extra: int = 0
    """How many tokens without a position come first."""
    behind: int = 0
    """How many come last."""
    call: int = LAST_CALL
    """See `OneCall`."""
    move: Move = IN_PLACE
    """What is undone, so that the map lies on the picture. `map_height` and `map_width` are those on the picture."""

    @property
    def batch_axis(self) -> int:
        """Which axis of the output holds the pictures."""
        return 1 if self.order == AHEAD else 0

    @property
    def others(self) -> int:
        """How many tokens have no position."""
        return self.extra + self.behind

    def __str__(self) -> str:
        tokens = f" after {self.extra} and before {self.behind} other tokens" if self.others else ""
        moved = "" if self.move == IN_PLACE else f", {self.move}"
        return f"{self.order}, {self.map_height}x{self.map_width}{tokens}{moved}"

    @property
    def _own_size(self) -> tuple[int, int]:
        """Rows and columns as the layer has them."""
        size = (self.map_height, self.map_width)
        return (size[1], size[0]) if self.move.swapped else size

    def as_map(self, outputs: Sequence[Tensor]) -> Float[Tensor, "batch channel map_height map_width"]:
        """Return a layer's output, or the gradient with respect to it, as a map; half precision becomes single.

        Args:
            outputs: one, in the layer's own form; if no axis has to move, the result shares its memory.
        """
        (output,) = outputs
        if self.order == LAST:
            output = output.permute(0, 3, 1, 2)
        elif self.order in _TO_TURNED:
            output = output.permute(_TO_TURNED[self.order])
            places = output[:, :, self.extra : output.shape[2] - self.behind]
            output = places.unflatten(2, self._own_size)
        if self.move != IN_PLACE:
            output = self.move.undo(output)
        return at_least_single(output)

    def put_back(
        self,
        activation: Float[Tensor, "batch channel map_height map_width"],
        own: Float[Tensor, "..."],
        *,
        part: int = 0,
    ) -> Float[Tensor, "..."]:
        """Return an activation in the layer's own form, to take the place of its output.

        Args:
            activation: the map.
            own: the layer's output, for its dtype and its tokens without a position.
            part: 0, the one call that counts.
        """
        activation = activation.to(own.dtype)
        if self.move != IN_PLACE:
            activation = self.move.do(activation)
        if self.order == LAST:
            return activation.permute(0, 2, 3, 1).clone()
        if self.order in _TO_TURNED:
            axes = _TO_TURNED[self.order]
            tokens = own.permute(axes)
            ends = tokens[:, :, : self.extra], tokens[:, :, tokens.shape[2] - self.behind :]
            whole = torch.cat([ends[0], activation.flatten(2), ends[1]], dim=2)
            return whole.permute([axes.index(axis) for axis in range(3)]).contiguous()
        return activation.clone()


def readings(shape: Sequence[int], *, height: int, width: int, seen: Collection[tuple[int, int]] = ()) -> list[Grid]:
    """Return the ways in which an output of that shape can be read as a map of more than one cell, likeliest first.

    Args:
        shape: of the layer's output for one picture.
        height: rows of the picture, in pixels.
        width: its columns.
        seen: rows and columns of the maps from convolutions of the same network.
    """
    found: list[Grid] = []
    if len(shape) == 4 and shape[0] == 1:
        orders = _orders(shape, height, width)
        first, last = Grid(FIRST, shape[2], shape[3]), Grid(LAST, shape[1], shape[2])
        found = [first, last] if FIRST in orders else [last, first]
        found = found if LAST in orders else [first]
    elif len(shape) == 3:
        found = [
            Grid(order, high, wide, extra, left - extra)
            for order, count, channels in _token_orders(shape)
            if channels > 0
            for left, high, wide in _token_sizes(count, height, width, seen)
            for extra in (left, *range(left))
        ]
    return [grid for grid in found if grid.map_height * grid.map_width > 1]


def moved(ways: Sequence[Grid], *, height: int, width: int) -> list[Grid]:
    """Return every way to read an output, with every way in which the network may have moved the picture before.

    Where one of them has the proportions of the picture, the others are left out.

    Args:
        ways: to read it, of a picture that is in place.
        height: rows of the picture, in pixels.
        width: its columns.
    """
    found = []
    for move in MOVES:
        for way in ways:
            size = (way.map_width, way.map_height) if move.swapped else (way.map_height, way.map_width)
            found.append(replace(way, move=move, map_height=size[0], map_width=size[1]))
    fitting = [way for way in found if abs(way.map_height - way.map_width * height / width) <= max(ROUNDED.values())]
    return fitting or found


def readings_of(shape: Sequence[int], *, rows: int, columns: int, extra: int | None = None) -> list[Grid]:
    """Return the ways in which an output of that shape can be read as a map of that size; none if it does not fit.

    Args:
        shape: of the layer's output for one picture.
        rows: of the map.
        columns: of the map.
        extra: how many tokens without a position come first; None if all those left over do.
    """
    if len(shape) == 4 and shape[0] == 1:
        places = {FIRST: tuple(shape[2:]), LAST: tuple(shape[1:3])}
        return [Grid(order, rows, columns) for order, size in places.items() if size == (rows, columns) and not extra]
    found = []
    for order, count, _ in _token_orders(shape):
        left = count - rows * columns
        first = left if extra is None else extra
        if 0 <= first <= left <= MOST_EXTRA:
            found.append(Grid(order, rows, columns, first, left - first))
    return found


def _token_orders(shape: Sequence[int]) -> list[tuple[str, int, int]]:
    """How three axes may hold tokens, how many, and how many channels they have then."""
    if len(shape) != 3:
        return []
    ahead = [(AHEAD, shape[0], shape[2])] if shape[1] == 1 < shape[0] else []
    return ahead if shape[0] != 1 else [(TOKENS, shape[1], shape[2]), (TURNED, shape[2], shape[1])]


def in_doubt(shape: Sequence[int], *, height: int, width: int, seen: Collection[tuple[int, int]] = ()) -> bool:
    """Return whether the shape is not enough to tell how an output is read, or whether it is a map at all.

    There is no doubt about four axes that fit the picture one way only, of a size that a convolution or pooling
    returned, or of half a size, as merging patches makes it: nearly all networks of pictures are built so. With
    channels last, there must also be more channels than rows or columns.

    Args:
        shape: of the layer's output for one picture.
        height: rows of the picture, in pixels.
        width: its columns.
        seen: rows and columns of the maps from convolutions and pooling of the same network.
    """
    orders = _orders(shape, height, width)
    if orders == {FIRST}:
        return not _halved(shape[2], shape[3], seen)
    if orders != {LAST} or tuple(shape[2:4]) in seen:
        return True
    return shape[3] <= max(shape[1:3]) or not _halved(shape[1], shape[2], seen)


def _halved(high: int, wide: int, seen: Iterable[tuple[int, int]]) -> bool:
    """Whether the size is one of those seen, or comes from one by halving, rounded down or up each time."""
    for rows, columns in seen:
        while rows >= high and columns >= wide and max(rows, columns) > 1:
            if abs(rows - high) <= 1 and abs(columns - wide) <= 1:
                return True
            rows, columns = (rows + 1) // 2, (columns + 1) // 2
    return False


def _orders(shape: Sequence[int], height: int, width: int) -> set[str]:
    """The orders in which four axes have the proportions of the picture, allowing for rounding by strides."""
    if len(shape) != 4 or shape[0] != 1:
        return set()
    sides = height / width
    read = {FIRST: (shape[2], shape[3]), LAST: (shape[1], shape[2])}
    return {
        order for order, (high, wide) in read.items() if abs(high - wide * sides) <= ROUNDED[order] and high * wide > 1
    }


def _token_sizes(count: int, height: int, width: int, seen: Iterable[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """How many of `count` tokens each size leaves over, and the size: first the sizes seen, then those that fit."""
    maps = [(high, wide) for high, wide in seen if min(high, wide) > 1]
    return list(
        dict.fromkeys(
            [
                *_left_over(count, maps, MOST_EXTRA),
                *_left_over(count, _exact(count, height, width), MOST_UNSEEN),
                *_left_over(count, _rounded(height, width), MOST_UNSEEN),
            ]
        )
    )


def _left_over(count: int, sizes: Iterable[tuple[int, int]], most: int) -> list[tuple[int, int, int]]:
    """How many tokens each size leaves over, where that is neither too many nor most of them; the fewest first."""
    left = [(count - high * wide, high, wide) for high, wide in sizes]
    return sorted((extra, high, wide) for extra, high, wide in left if 0 <= extra <= most and extra < high * wide)


def _exact(count: int, height: int, width: int) -> list[tuple[int, int]]:
    """Sizes of maps of at most `count` cells with exactly the picture's proportions."""
    return [(high, high * width // height) for high in range(1, count + 1) if high * width % height == 0]


def _rounded(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes that one stride gives for a picture, rounded down or up."""
    strides = range(1, max(height, width) + 1)
    down = [(height // stride, width // stride) for stride in strides]
    return down + [(-(-height // stride), -(-width // stride)) for stride in strides]

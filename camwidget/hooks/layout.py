"""How a layer's outputs are read as maps, channels first, channels last or a row of tokens, and put back.

Only shapes are used. A map has the proportions of the picture, which tells channels first from channels last. There is
one token with a position for each cell in the map of the convolution that cut the picture into patches; without such a
convolution, the proportions decide. Where shapes are ambiguous, the usual order is assumed: tokens run row by row, and
those without a position (class, distillation, register tokens) come first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.hooks.tensors import at_least_single


@runtime_checkable
class Layout(Protocol):
    """How the outputs of one layer are read as a map, and how a map is put back in their place."""

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

FIRST, LAST, TOKENS = "channels first", "channels last", "tokens"


@dataclass(frozen=True)
class Grid(OneCall):
    """How one layer's output lies on a picture."""

    order: str
    """`"channels first"`, `"channels last"` or `"tokens"`."""
    map_height: int
    """Rows of the map."""
    map_width: int
    """Columns of the map."""
    extra: int = 0
    """How many tokens without a position come first."""
    call: int = LAST_CALL
    """See `OneCall`."""

    def as_map(self, outputs: Sequence[Tensor]) -> Float[Tensor, "batch channel map_height map_width"]:
        """Return a layer's output, or the gradient with respect to it, as a map; half precision becomes single.

        Args:
            outputs: one, in the layer's own form; if no axis has to move, the result shares its memory.
        """
        (output,) = outputs
        if self.order == LAST:
            output = output.permute(0, 3, 1, 2)
        elif self.order == TOKENS:
            output = output[:, self.extra :].transpose(1, 2).unflatten(2, (self.map_height, self.map_width))
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
        if self.order == LAST:
            return activation.permute(0, 2, 3, 1).clone()
        if self.order == TOKENS:
            return torch.cat([own[:, : self.extra], activation.flatten(2).transpose(1, 2)], dim=1)
        return activation.clone()


def grid_of(
    shape: Sequence[int],
    *,
    height: int,
    width: int,
    order: str = FIRST,
    seen: Iterable[tuple[int, int]] = (),
) -> Grid | None:
    """Return how an output of that shape is read as a map, or None if it is not a map of more than one cell.

    Args:
        shape: of the layer's output for one picture.
        height: rows of the picture, in pixels.
        width: its columns.
        order: how to read four axes that can be read either way.
        seen: rows and columns of the maps from convolutions of the same network.
    """
    grid = None
    if len(shape) == 4 and shape[0] == 1:
        orders = _orders(shape, height, width)
        last = LAST in orders and (order == LAST or FIRST not in orders)
        grid = Grid(LAST, shape[1], shape[2]) if last else Grid(FIRST, shape[2], shape[3])
    elif len(shape) == 3 and shape[0] == 1 and shape[2] > 0:
        grid = _token_grid(shape[1], height, width, seen)
    return grid if grid is not None and grid.map_height * grid.map_width > 1 else None


def unclear(shapes: Iterable[Sequence[int]], *, height: int, width: int) -> bool:
    """Return whether these shapes are not enough: there are tokens, or four axes that can be read both ways.

    Args:
        shapes: of layers' outputs.
        height: rows of the picture, in pixels.
        width: its columns.
    """
    return any(len(shape) == 3 or len(_orders(shape, height, width)) == 2 for shape in shapes)


def orders_beside(shapes: Mapping[str, Sequence[int]], *, height: int, width: int) -> dict[str, str]:
    """Return, by layer, how its neighbours are read: the next that can be read only one way, else the one before.

    Args:
        shapes: layer name to the shape of its output, in the order in which the layers ran.
        height: rows of the picture, in pixels.
        width: its columns.
    """
    names = list(shapes)
    sure = [_orders(shapes[name], height, width) for name in names]
    by_layer = {}
    for index, name in enumerate(names):
        beside = [*sure[index:], *reversed(sure[:index])]
        by_layer[name] = next((order for orders in beside if len(orders) == 1 for order in orders), FIRST)
    return by_layer


def _orders(shape: Sequence[int], height: int, width: int) -> set[str]:
    """The orders in which four axes have the proportions of the picture, allowing for rounding by strides."""
    if len(shape) != 4 or shape[0] != 1:
        return set()
    sides = height / width
    read = {FIRST: (shape[2], shape[3]), LAST: (shape[1], shape[2])}
    return {
        order for order, (high, wide) in read.items() if abs(high - wide * sides) <= ROUNDED[order] and high * wide > 1
    }


def _token_grid(count: int, height: int, width: int, seen: Iterable[tuple[int, int]]) -> Grid | None:
    """The grid that leaves the fewest of `count` tokens over: from the sizes seen, else from those that would fit."""
    maps = [(high, wide) for high, wide in seen if min(high, wide) > 1]
    fits = _left_over(count, maps, MOST_EXTRA)
    fits = fits or _left_over(count, _exact(count, height, width), MOST_UNSEEN)
    fits = fits or _left_over(count, _rounded(height, width), MOST_UNSEEN)
    if not fits:
        return None
    extra, high, wide = min(fits)
    return Grid(TOKENS, high, wide, extra)


def _left_over(count: int, sizes: Iterable[tuple[int, int]], most: int) -> list[tuple[int, int, int]]:
    """How many tokens each size leaves over, where that is neither too many nor most of them."""
    left = [(count - high * wide, high, wide) for high, wide in sizes]
    return [(extra, high, wide) for extra, high, wide in left if 0 <= extra <= most and extra < high * wide]


def _exact(count: int, height: int, width: int) -> list[tuple[int, int]]:
    """Sizes of maps of at most `count` cells with exactly the picture's proportions."""
    return [(high, high * width // height) for high in range(1, count + 1) if high * width % height == 0]


def _rounded(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes that one stride gives for a picture, rounded down or up."""
    strides = range(1, max(height, width) + 1)
    down = [(height // stride, width // stride) for stride in strides]
    return down + [(-(-height // stride), -(-width // stride)) for stride in strides]

"""How a layer's output lies on the picture: channels first, channels last, or a row of tokens; to a map and back.

Only shapes are looked at. A map has the proportions of the picture, which tells channels first from channels last.
There are as many places among the tokens as cells in the map of the convolution that cut the picture into patches;
where there is none, the proportions decide. What a shape cannot tell is taken as networks usually have it: tokens run
row by row, and those that are no place (class, distillation, register tokens) stand in front.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.hooks.tensors import at_least_single

ROUNDED = {"channels first": 2, "channels last": 1}
"""By how many cells a map may be off the proportions of the picture: convolutions without padding take off borders,
while networks with channels last cut the picture into patches."""

MOST_EXTRA, MOST_UNSEEN = 17, 1
"""How many tokens may be no place: a class token and sixteen registers are the most that is in use. Where no map of the
same size was seen before, one token."""

FIRST, LAST, TOKENS = "channels first", "channels last", "tokens"


@dataclass(frozen=True)
class Grid:
    """How one layer's output is read as a map, and how a map is put back into the layer's own form."""

    order: str
    """`"channels first"`, `"channels last"` or `"tokens"`."""
    map_height: int
    """Rows of the map."""
    map_width: int
    """Columns of the map."""
    extra: int = 0
    """How many tokens stand in front of those that are places."""

    def as_map(self, output: Float[Tensor, "..."]) -> Float[Tensor, "1 channel map_height map_width"]:
        """Return a layer's output, or the gradient with respect to it, as a map; half precision becomes single.

        Args:
            output: in the layer's own form; where nothing has to be moved the result is on its memory.
        """
        if self.order == LAST:
            output = output.permute(0, 3, 1, 2)
        elif self.order == TOKENS:
            output = output[:, self.extra :].transpose(1, 2).unflatten(2, (self.map_height, self.map_width))
        return at_least_single(output)

    def put_back(
        self, activation: Float[Tensor, "1 channel map_height map_width"], own: Float[Tensor, "..."]
    ) -> Float[Tensor, "..."]:
        """Return an activation in the layer's own form, to stand in place of what it put out.

        Args:
            activation: the map that the places get.
            own: what the layer put out: it gives the dtype, and the tokens that are no place.
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
    """Return how an output of that shape is read as a map, or None where it is no map of more than one cell.

    Args:
        shape: of the layer's output for one picture.
        height: rows of the picture, in pixels.
        width: its columns.
        order: how to read four axes that can be read either way.
        seen: rows and columns of the maps that convolutions of the same network put out.
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
    """Return whether more must be known than these shapes: there are tokens, or four axes that can be read both ways.

    Args:
        shapes: of layers' outputs.
        height: rows of the picture, in pixels.
        width: its columns.
    """
    return any(len(shape) == 3 or len(_orders(shape, height, width)) == 2 for shape in shapes)


def orders_beside(shapes: Mapping[str, Sequence[int]], *, height: int, width: int) -> dict[str, str]:
    """Return, by layer, how its neighbours are read: the next that can be read one way only, else the one before.

    Args:
        shapes: layer name to the shape of its output, in the order in which the layers ran.
        height: rows of the picture, in pixels.
        width: its columns.
    """
    names = list(shapes)
    sure = [_orders(shapes[name], height, width) for name in names]
    found = {}
    for index, name in enumerate(names):
        beside = [*sure[index:], *reversed(sure[:index])]
        found[name] = next((order for orders in beside if len(orders) == 1 for order in orders), FIRST)
    return found


def _orders(shape: Sequence[int], height: int, width: int) -> set[str]:
    """In which orders four axes have the proportions of the picture, give or take what strides round off."""
    if len(shape) != 4 or shape[0] != 1:
        return set()
    sides = height / width
    read = {FIRST: (shape[2], shape[3]), LAST: (shape[1], shape[2])}
    return {
        order for order, (high, wide) in read.items() if abs(high - wide * sides) <= ROUNDED[order] and high * wide > 1
    }


def _token_grid(count: int, height: int, width: int, seen: Iterable[tuple[int, int]]) -> Grid | None:
    """The grid that leaves the fewest of `count` tokens over: of the sizes seen, or else of those that would fit."""
    maps = [(high, wide) for high, wide in seen if min(high, wide) > 1]
    found = _left_over(count, maps, MOST_EXTRA)
    found = found or _left_over(count, _exact(count, height, width), MOST_UNSEEN)
    found = found or _left_over(count, _rounded(height, width), MOST_UNSEEN)
    if not found:
        return None
    extra, high, wide = min(found)
    return Grid(TOKENS, high, wide, extra)


def _left_over(count: int, sizes: Iterable[tuple[int, int]], most: int) -> list[tuple[int, int, int]]:
    """How many tokens each size leaves over, where that is neither too many nor the better part of them."""
    left = [(count - high * wide, high, wide) for high, wide in sizes]
    return [each for each in left if 0 <= each[0] <= most and each[0] < each[1] * each[2]]


def _exact(count: int, height: int, width: int) -> list[tuple[int, int]]:
    """Sizes of maps of at most `count` cells, exactly in the picture's proportions."""
    return [(high, high * width // height) for high in range(1, count + 1) if high * width % height == 0]


def _rounded(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes that one stride makes of a picture, rounded down or up."""
    strides = range(1, max(height, width) + 1)
    down = [(height // stride, width // stride) for stride in strides]
    return down + [(-(-height // stride), -(-width // stride)) for stride in strides]

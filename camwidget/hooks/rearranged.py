"""Places that are put into another order by reshaping and permuting, as PyTorch's graph tells it.

Windows are cut by splitting rows and columns into several axes and permuting these; blocks of attention put them
together again, and nothing has moved. A network may also leave the places in the order of the windows, and no shape
tells. Such steps compute nothing, so they are carried out here on the numbers of the places, to see where each arrives.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from camwidget.hooks.graph import leading_to, shape_after, signed

RESHAPING = frozenset({"ViewBackward0", "UnsafeViewBackward0", "ReshapeAliasBackward0"})
"""Operations that give the same numbers, in the same order, other axes."""

_COPYING = frozenset({"CloneBackward0", "AliasBackward0", "ToCopyBackward0"})
_ONES = frozenset(f"{name}Backward{number}" for name in ("Squeeze", "Unsqueeze") for number in range(3))
_PERMUTING = frozenset({"PermuteBackward0", "TransposeBackward0"})
_WINDOWS = "UnfoldBackward0"
_STEPS = RESHAPING | _COPYING | _ONES | _PERMUTING | {_WINDOWS}

FEWEST_AXES = 4
"""An order that is no plain one takes at least so many axes: the batch, the channels, and two for a side or a row."""

Places = np.ndarray[Any, np.dtype[np.int32]]
"""The number of a place, row by row, for every value. Numpy, because these are small sums that need no threads."""
Size = tuple[int, int]
"""Rows and columns."""
Step = tuple[str, tuple[int, ...]]
"""What is done: `"axes"` and their order, `"shape"` and the new one, or `"windows"` and axis, size and stride."""


@dataclass(frozen=True)
class Cut:
    """Axes that are permuted where a map is cut into parts, or where they may be put together again."""

    before: tuple[int, ...]
    """The shape that is permuted."""
    axes: tuple[int, ...]
    """The order of its axes afterwards."""
    opens: bool = True
    """Whether a map is cut here; otherwise this puts back the axes of some other operation."""
    likely: bool = field(default=False, compare=False)
    """Whether the places have another order where it is left open, and are not merely in parts."""

    @property
    def undone(self) -> "Cut":
        """What puts the axes back."""
        after = tuple(self.before[axis] for axis in self.axes)
        return Cut(after, tuple(self.axes.index(axis) for axis in range(len(self.axes))), opens=False)


def left_open(cuts: Iterable[Cut]) -> bool:
    """Return whether a map was cut and not put together again.

    Args:
        cuts: of all operations before a layer.
    """
    left = list(cuts)
    for cut in [each for each in left if each.opens]:
        if cut in left:
            left.remove(cut)
            undoing = next((each for each in left if replace(each, opens=False) == cut.undone), None)
            if undoing is None:
                return True
            left.remove(undoing)
    return False


def rearrangements(nodes: Iterable[Any], sizes: Collection[Size]) -> dict[Any, bool | Cut]:
    """Return the operations that put places into another order: True, or a `Cut` where that is still open.

    Args:
        nodes: of the graph, as `Tensor.grad_fn` is one.
        sizes: rows and columns of the maps that are known.
    """
    known = list(nodes)
    permuting = [node for node in known if node.name() in _PERMUTING and len(shape_after(node)) >= FEWEST_AXES]
    crossing = [node for node in known if node.name() in RESHAPING and _crosses(node, sizes)]
    cutting = [node for node in known if node.name() == _WINDOWS]
    split = [node for node in (*permuting, *cutting) if _is_split(node, sizes)] + crossing
    if not split:
        return {}
    found: dict[Any, bool | Cut] = {}
    consumers = _consumers(known)
    for node in split:
        outcome = _arrives(node, sizes, consumers)
        if outcome == "moved" or (outcome == "cut" and node in crossing):
            found[node] = True
        elif outcome == "cut" and node not in cutting:  # what they are joined by, if they are, cannot be told
            found[node] = _cut_of(node)
    return found | _joined(permuting, found)


def _joined(permuting: Sequence[Any], found: Mapping[Any, bool | Cut]) -> dict[Any, Cut]:
    """The operations that put back what others have permuted, and those others.

    Parts may be as many as a map has places, and then seem to be moved, where they are cut or put together.
    """
    in_time = sorted(permuting, key=lambda node: node._sequence_nr())
    joined: dict[Any, Cut] = {}
    for place, node in enumerate(in_time):
        if node in joined or node not in found:
            continue
        closing = _cut_of(node).undone
        others = (each for each in in_time[place + 1 :] if each not in joined and not isinstance(found.get(each), Cut))
        other = next((each for each in others if replace(_cut_of(each), opens=False) == closing), None)
        if other is not None:
            joined |= {node: replace(_cut_of(node), likely=found[node] is True), other: closing}
    return joined


def _axes_of(node: Any) -> tuple[int, ...]:
    """In which order a permuting operation puts the axes."""
    count = len(shape_after(node))
    if node.name() == "PermuteBackward0":
        return tuple(signed(axis) % count for axis in node._saved_dims)
    axes = list(range(count))
    one, other = signed(node._saved_dim0) % count, signed(node._saved_dim1) % count
    axes[one], axes[other] = other, one
    return tuple(axes)


def _cut_of(node: Any) -> Cut:
    axes, after = _axes_of(node), shape_after(node)
    return Cut(tuple(after[axes.index(axis)] for axis in range(len(axes))), axes)


def _step(node: Any) -> Step | None:
    """What an operation does; None if it only copies."""
    if node.name() in _COPYING:
        return None
    if node.name() in _PERMUTING:
        return "axes", _axes_of(node)
    if node.name() == _WINDOWS:
        axis = signed(node._saved_dimension) % max(len(node._saved_self_sym_sizes), 1)
        return "windows", (axis, int(node._saved_size), int(node._saved_step))
    return "shape", shape_after(node)


class _Source(NamedTuple):
    """A map from which an operation's output is made by such steps alone."""

    shape: tuple[int, ...]
    steps: tuple[Step, ...]
    sizes: list[Size]
    """That the map may have."""


def _from_source(last: Any, sizes: Collection[Size]) -> _Source | None:
    """The map from which an output is made; None if there is none. Of several on the way it is the first."""
    steps: list[Step] = []
    found, node = None, last
    while node is not None and node.name() in _STEPS and shape_after(node):
        step = _step(node)
        steps += [] if step is None else [step]
        node = node.next_functions[0][0]
        if node is not None and any(True for size in _sizes_in(shape_after(node), sizes)):
            found = node, tuple(reversed(steps))
    if found is None:
        return None
    # As many channels as another map has places would be read as places.
    shape, nearest = shape_after(found[0]), _nearest(found[0], sizes)
    known = list(dict.fromkeys(_sizes_in(shape, nearest or sizes)))
    return _Source(shape, found[1], [size for size in known if size in nearest] or known)


def _nearest(node: Any, sizes: Collection[Size]) -> list[Size]:
    """The size of the nearest map before an operation that has rows and columns; empty if there is none."""
    for each in leading_to(node):
        shape = shape_after(each)
        if len(shape) == 4 and shape[0] == 1 and (held := [size for size in (shape[2:], shape[1:3]) if size in sizes]):
            return held
    return []


def _sizes_in(shape: tuple[int, ...], sizes: Collection[Size]) -> Iterator[Size]:
    """The sizes, or those of maps made smaller by halving, of which a shape may hold a map."""
    if len(shape) not in (3, 4) or 1 not in shape[:2]:
        return
    for high, wide in sizes:
        while min(high, wide) >= 1 and high * wide > 1:
            if _places(shape, (high, wide)):
                yield high, wide
            if high % 2 or wide % 2:
                break
            high, wide = high // 2, wide // 2


def _places(shape: tuple[int, ...], size: Size) -> list[Places]:
    """The number of the place of every value, row by row, for each way in which a shape holds a map of that size."""
    high, wide = size
    ways: list[tuple[int, ...]] = []
    if len(shape) == 4 and shape[0] == 1:
        ways = [
            axes
            for first, axes in ((2, (1, 1, high, wide)), (1, (1, high, wide, 1)))
            if shape[first : first + 2] == size
        ]
    elif len(shape) == 3:
        count = high * wide
        ways = [(1, count, 1)] if shape[:2] == (1, count) else []
        ways += [(1, 1, count)] if (shape[0], shape[2]) == (1, count) else []
        ways += [(count, 1, 1)] if shape[:2] == (count, 1) and count > 1 else []
    elif len(shape) == 2 and shape[0] == high * wide:  # as a product with a matrix takes them
        ways = [(shape[0], 1)]
    return [np.broadcast_to(np.arange(high * wide, dtype=np.int32).reshape(axes), shape) for axes in ways]


def _carried(places: Places, steps: Sequence[Step]) -> Places:
    for kind, numbers in steps:
        if kind == "axes":
            places = places.transpose(numbers)
        elif kind == "windows":
            axis, size, stride = numbers
            every = (slice(None),) * axis + (slice(None, None, stride),)
            places = sliding_window_view(places, size, axis)[every]
        else:
            places = places.reshape(numbers)
    return places


def _is_split(node: Any, sizes: Collection[Size]) -> bool:
    """Whether an operation permutes the axes of a map whose rows or columns, or places in a row, are split."""
    source = _from_source(node, sizes)
    return source is not None and any(_splits(source.shape, source.steps, size) for size in source.sizes)


_Part = tuple[str, int]
"""A part of an axis: whether it counts rows, columns or places in a row, or anything else (""), and how far."""


@lru_cache(maxsize=1024)
def _splits(shape: tuple[int, ...], steps: tuple[Step, ...], size: Size) -> bool:
    """Whether rows, columns or a row of places are counted by several axes in the end, or it takes more to tell."""
    for names in _named(shape, size):
        axes: list[list[_Part]] | None = [[part] for part in zip(names, shape, strict=True)]
        for kind, numbers in steps:
            if kind == "windows" or axes is None:
                return True
            axes = [axes[axis] for axis in numbers] if kind == "axes" else _regrouped(axes, numbers)
        counting = [{name for name, count in axis if name and count > 1} for axis in axes or ()]
        if axes is None or any(sum(name in axis for axis in counting) > 1 for name in ("row", "column", "place")):
            return True
    return False


def _named(shape: tuple[int, ...], size: Size) -> list[list[str]]:
    """What each axis counts, for each way in which a shape holds a map of that size."""
    if len(shape) == 4:
        return [
            ["row" if axis == first else "column" if axis == first + 1 else "" for axis in range(4)]
            for first in (2, 1)
            if shape[first : first + 2] == size
        ]
    return [["place" if axis == at else "" for axis in range(3)] for at in range(3) if shape[at] == prod(size)]


def _regrouped(axes: Sequence[Sequence[_Part]], shape: Sequence[int]) -> list[list[_Part]] | None:
    """The parts of axes after a reshape; None if it cuts across them."""
    left = [part for axis in axes for part in axis if part[1] > 1][::-1]
    found: list[list[_Part]] = []
    for length in shape:
        found.append([])
        while length > 1:
            name, count = left.pop()
            if length % count == 0:
                found[-1].append((name, count))
                length //= count
            elif count % length == 0:
                # The axes in front count the larger steps.
                found[-1].append((name, length))
                left.append((name, count // length))
                length = 1
            else:
                return None
    return found


def _crosses(node: Any, sizes: Collection[Size]) -> bool:
    """Whether rows and columns get other lengths that cut across the old ones, as 4x6 places become 6x4."""
    before, after = tuple(getattr(node, "_saved_self_sym_sizes", ())), shape_after(node)
    if len(before) != 4 or len(after) < FEWEST_AXES or not any(True for _ in _sizes_in(before, sizes)):
        return False
    ends = sorted({prod(shape[axis:]) for shape in (before, after) for axis in range(len(shape))})
    return any(right % left for left, right in pairwise(ends))


def _consumers(nodes: Iterable[Any]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    for node in nodes:
        for each, _ in node.next_functions:
            if each is not None:
                found.setdefault(each, []).append(node)
    return found


def _arrives(node: Any, sizes: Collection[Size], consumers: Mapping[Any, Sequence[Any]]) -> str:
    """`"in place"`, `"moved"`, or `"cut"`: where the places are when the next operation that computes gets them."""
    last = node
    while len(consumers.get(last, ())) == 1 and consumers[last][0].name() in _STEPS and shape_after(consumers[last][0]):
        last = consumers[last][0]
    source = _from_source(last, sizes)
    if source is None:
        return "in place"
    outcomes = [_arrival(source.shape, source.steps, size) for size in source.sizes]
    return next((outcome for outcome in ("in place", "moved") if outcome in outcomes), "cut")


@lru_cache(maxsize=512)
def _arrival(shape: tuple[int, ...], steps: tuple[Step, ...], size: Size) -> str:
    outcome = "cut"
    for places in _places(shape, size):
        arrived = _carried(places, steps)
        after = tuple(arrived.shape)
        for other in _sizes_after(after, size):
            for expected in _places(after, other):
                if _lie_alike(arrived, size, expected, other):
                    return "in place"
                if other == size and len(after) > 2:  # rows of a product may be those of windows
                    outcome = "moved"
    return outcome


def _sizes_after(shape: tuple[int, ...], size: Size) -> Iterator[Size]:
    """The sizes of maps that a shape may hold, after places were taken into the channels or out of them."""
    if len(shape) == 4:
        yield from dict.fromkeys((shape[2:], shape[1:3]))
    for count in dict.fromkeys(shape) if len(shape) in (2, 3) else ():
        for factor in range(1, max(size) + 1):
            if count in (prod(size) * factor**2, prod(size) // factor**2):
                larger = count >= prod(size)
                yield (size[0] * factor, size[1] * factor) if larger else (size[0] // factor, size[1] // factor)


def _lie_alike(one: Places, size: Size, other: Places, its_size: Size) -> bool:
    """Whether all places lie on the picture where the places of another map lie that they share a value with."""
    (high, wide), (rows, columns) = size, its_size
    down = (2 * (one // wide) + 1) * rows - (2 * (other // columns) + 1) * high
    right = (2 * (one % wide) + 1) * columns - (2 * (other % columns) + 1) * wide
    return bool((np.abs(down) < high + rows).all()) and bool((np.abs(right) < wide + columns).all())

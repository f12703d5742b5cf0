"""Networks that move the picture inside: mirrored, turned, cropped, or with its places in another order.

A map of such a network has the right size and the right values, and lies wrongly on the picture. Nothing in a shape
says so. What does is what the first convolution is given, compared with the picture, and the operations in the graph
that move places. Both are read from the one pass that is made anyway; only where they leave a doubt is the network
asked.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from camwidget.hooks.graph import leading_to, shape_after, signed
from camwidget.hooks.rearranged import RESHAPING, Cut, left_open, rearrangements

_REVERSED = {2: "upside down", 3: "mirrored left to right"}


@dataclass(frozen=True)
class Move:
    """How a network has moved the picture before the layer, in quarters of a turn and mirrors: eight ways."""

    swapped: bool = False
    """Whether the layer's rows run along the picture's columns."""
    reversed: tuple[int, ...] = ()
    """Which axes, 2 for rows and 3 for columns of the picture, run from the end."""

    def undo(self, cells: Float[Tensor, "batch channel _ _"]) -> Float[Tensor, "batch channel _ _"]:
        """Return a map, or a picture, as it lies on the picture that was given."""
        return (cells.transpose(2, 3) if self.swapped else cells).flip(self.reversed)

    def do(self, cells: Float[Tensor, "batch channel _ _"]) -> Float[Tensor, "batch channel _ _"]:
        """Return a map as the layer has it; the reverse of `undo`."""
        cells = cells.flip(self.reversed)
        return cells.transpose(2, 3) if self.swapped else cells

    def __str__(self) -> str:
        told = ["with rows and columns swapped"] if self.swapped else []
        return " and ".join([*told, *(_REVERSED[axis] for axis in self.reversed)]) or "in place"


IN_PLACE = Move()
"""The picture is not moved."""

MOVES = tuple(Move(swapped, axes) for swapped in (False, True) for axes in ((), (3,), (2,), (2, 3)))
"""All ways, the usual one first."""

COMPARED = 24
"""Up to so many rows and columns a picture is reduced to, to compare how it lies."""

ALIKE, CLEARLY = 0.9, 0.05
"""How well what a convolution is given must correlate with the picture, and by how much better than with it moved."""


def lies_in_place(given: Tensor, pixels: Float[Tensor, "1 channel height width"], *, is_first: bool) -> bool:
    """Return whether a tensor shows the picture as it is: also at another size, with other brightness or channels.

    Args:
        given: what a convolution is given.
        pixels: the picture.
        is_first: whether no convolution has run before. Otherwise it may be anything, and what shows no picture at all
            shows none that was moved.
    """
    if given.data_ptr() == pixels.data_ptr() and given.shape == pixels.shape and given.stride() == pixels.stride():
        return True
    if given.ndim != 4 or given.shape[0] != 1 or not given.is_floating_point():
        return not is_first
    side = min(COMPARED, *given.shape[2:], *pixels.shape[2:])
    own, picture = _pattern(_reduced(given, side)), _reduced(pixels, side)
    if float(own.norm()) < 0.5 < float(_pattern(picture).norm()):
        return True  # nothing of the picture is left
    likeness = [float(own @ _pattern(move.do(picture))) for move in MOVES]
    of_picture = is_first or given.untyped_storage().data_ptr() == pixels.untyped_storage().data_ptr()
    if not of_picture and max(likeness) < ALIKE:
        return True
    return likeness[0] >= ALIKE and max(likeness[1:]) <= likeness[0] - CLEARLY


def _reduced(picture: Tensor, side: int) -> Tensor:
    return functional.adaptive_avg_pool2d(picture.detach().double().mean(dim=1, keepdim=True), side)


def _pattern(small: Tensor) -> Tensor:
    """Its values in one row, of length one, without what they have in common."""
    values = small.flatten()
    return functional.normalize(values - values.mean(), dim=0)


_MOVING = {"FlipBackward0", "Rot90Backward0", "IndexBackward0", "IndexSelectBackward0", "GatherBackward0"}
_MOVING |= {"TakeBackward0", "GridSampler2DBackward0", "MaskedSelectBackward0", "ScatterBackward0"}
_SHIFTING = "RollBackward0"
_PUTTING_TOGETHER = {"CatBackward0", "StackBackward0", "IndexCopyBackward0", "SortBackward0"}
_PUTTING_ANYWHERE = {"AsStridedBackward0", "torch::autograd::CopySlices"}
_TRANSFORMING = {"FftC2CBackward0", "FftR2CBackward0", "FftC2RBackward0"}
_PADDING = {"ConstantPadNdBackward0", "ReflectionPad2DBackward0", "ReplicationPad2DBackward0"}
_PARTS = {"SliceBackward0", "SplitBackward0", "SplitWithSizesBackward0"}
_SAMPLING = ("roi_align", "roi_pool", "deform_conv2d")
_MULTIPLYING = {"MmBackward0", "BmmBackward0"}

MOST_CUT = 1 / 6
"""Up to this part of the rows or columns may be cut off or padded at one side without a doubt, as padding does."""


Doubtful = Mapping[Any, bool | Cut]
"""Operations that may move places, and whether nothing else is likely; or how they cut maps into parts or join them."""


def doubtful_moves(nodes: Iterable[Any], sizes: Collection[tuple[int, int]]) -> dict[Any, bool | Cut]:
    """Return the operations of a graph that may move places, and whether nothing else is likely: a doubt, no proof.

    Swapped axes count only if they are rows and columns of a size that convolutions returned; attention swaps others
    all the time. Shifts and cuts into parts always count here: see `doubt_behind`.

    Args:
        nodes: of the graph, as `Tensor.grad_fn` is one.
        sizes: rows and columns of the picture, and of the maps from convolutions and pooling.
    """
    known = list(nodes)
    found = rearrangements(known, sizes)
    for node in known:
        name = node.name()
        swaps = name in ("TransposeBackward0", "PermuteBackward0") and _swaps_sides(node, sizes)
        reorders = name in RESHAPING and _reorders(tuple(node._saved_self_sym_sizes), shape_after(node))
        moves = (name in _MOVING or name == _SHIFTING) and _works_on_places(node, sizes)
        if moves or swaps or reorders or _builds_places(node, sizes):
            found[node] = name in _MOVING
    return found


_MOVING_A_ROW = {*_MOVING, _SHIFTING, *_PUTTING_ANYWHERE, *_TRANSFORMING}
_MOVING_A_ROW |= {"IndexCopyBackward0", "IndexPutBackward0", "RepeatBackward0"}
_SORTING = {"SortBackward0", "TopkBackward0"}


def doubtful_moves_in_a_row(nodes: Iterable[Any], length: int) -> dict[Any, bool | Cut]:
    """Return the operations of a graph that may move the places of a row, for `doubt_behind`: a doubt, no proof.

    Args:
        nodes: of the graph, as `Tensor.grad_fn` is one.
        length: how many places the row has, such as the tokens of a text.
    """
    known = list(nodes)
    return rearrangements(known, [(1, length)]) | {
        node: node.name() in _SORTING
        for node in known
        if node.name() in _MOVING_A_ROW or node.name() in _SORTING or _builds_a_row(node, length)
    }


def _builds_a_row(node: Any, length: int) -> bool:
    """Whether a row is put together from parts, padded, or multiplied with a constant that may put it in order."""
    name, shape = node.name(), shape_after(node)
    if name in ("CatBackward0", "StackBackward0"):
        return bool(shape) and shape[_axis(node._saved_dim, len(shape))] == length
    if name == "ConstantPadNdBackward0":
        pads = _pads_by_axis(node)
        padded = any(map(any, pads.values()))
        return bool(shape) and padded and any(shape[axis] - sum(ends) == length for axis, ends in pads.items())
    if name not in _MULTIPLYING and name != "AddmmBackward0":
        return False
    if name in _MULTIPLYING and node.next_functions[0][0] is None:
        return True
    constant = node._saved_mat2 if node.next_functions[-1][0] is None else None
    return isinstance(constant, Tensor) and tuple(constant.shape[-2:]) == (length, length)


@dataclass(frozen=True)
class Doubt:
    """Why places of a layer may not be those of the picture."""

    operations: frozenset[Any] = frozenset()
    """Operations of the graph that may have moved them. Layers behind the same ones are moved alike."""
    is_likely: bool = True
    """Whether one of them hardly does anything else. Axes that attention swaps may look like rows and columns: where
    only such a coincidence speaks for a move, and the answer is not clear, the shape is believed."""


def told_of(operations: Iterable[Any]) -> str:
    """Return what operations of the graph do to places, in words that begin with the word for one of them.

    Args:
        operations: those of a `Doubt`.
    """
    return " and ".join(dict.fromkeys(sorted(map(_told, operations))))


def _told(node: Any) -> str:
    name = node.name()
    if name in _PADDING:
        most = max(abs(pad) for ends in _pads_by_axis(node).values() for pad in ends)
        return f"a padding of {most} places at a side"
    if any(part in name for part in _SAMPLING) or "GridSampler" in name:
        return "a sampling at other places"
    kinds = {
        "a mirror": {"FlipBackward0", "Rot90Backward0"},
        "a shift": {_SHIFTING},
        "a cut": {"SliceBackward0"},
        "a sort": _SORTING,
        "a sum over frequencies": _TRANSFORMING,
        "axes in another order": {"TransposeBackward0", "PermuteBackward0", "UnfoldBackward0", *RESHAPING},
        "parts put together": _PUTTING_TOGETHER | _PUTTING_ANYWHERE | {"RepeatBackward0"},
    }
    return next((said for said, names in kinds.items() if name in names), "an index")


def doubt_behind(last: Any, doubtful: Doubtful) -> Doubt | None:
    """Return the doubt that what leads to an operation has moved places; None if nothing has.

    Shifts count if they are not shifted back, as those of windows are, and cuts if the parts are not put together.

    Args:
        last: the operation that returned a layer's output; None for an output that was not computed.
        doubtful: what `doubtful_moves` found.
    """
    seen = set(leading_to(last))
    before = {node: kind for node, kind in doubtful.items() if node in seen}
    cutting = {node: kind for node, kind in before.items() if isinstance(kind, Cut)}
    shifting = [node for node in before if node.name() == _SHIFTING]
    moving = [node for node in before if node not in cutting and node not in shifting]
    likely = any(before[node] is True for node in moving)
    if not _shifted_back(shifting):
        moving += shifting
    if left_open(cutting.values()):
        moving += cutting
        likely |= any(cut.likely for cut in cutting.values())
    return Doubt(frozenset(moving), likely) if moving else None


def _shifted_back(nodes: Iterable[Any]) -> bool:
    """Whether shifts cancel: for each there is one by as much the other way, along the same axis."""
    total: dict[tuple[int, int], int] = {}
    for node in nodes:
        shape = shape_after(node)
        if not shape or not node._saved_dims:
            return False
        for saved, shift in zip(node._saved_dims, node._saved_shifts, strict=True):
            axis = _axis(saved, len(shape))
            side = shape[axis]
            total[axis, side] = (total.get((axis, side), 0) + signed(shift)) % side
    return not any(total.values())


def _builds_places(node: Any, sizes: Collection[tuple[int, int]]) -> bool:
    """Whether an operation builds rows or columns from parts, products or frequencies, or cuts many of them off."""
    name = node.name()
    shape = tuple(getattr(node, "_saved_self_sym_sizes", ())) if name == "SliceBackward0" else shape_after(node)
    if len(shape) == 3:
        of_tokens = 0 if shape[1] == 1 < shape[0] else 1
        return name == "CatBackward0" and _axis(node._saved_dim, 3) == of_tokens and _joins_parts(node)
    if len(shape) != 4:
        return False
    if any(part in name for part in _SAMPLING):
        return True
    first = next((first for first in (2, 1) if shape[first : first + 2] in sizes), None)
    if first is None:
        return False
    sides = {first, first + 1}
    if name in _PUTTING_TOGETHER:
        return bool(sides & (_axes_of(node, 4) or set()))
    if name in RESHAPING:
        both = shape[1:3] in sizes  # then the last axis may be of channels, as in a linear layer
        return first == 2 and not both and any(_multiplies(each) for each, _ in node.next_functions)
    if name == "RepeatBackward0":
        return len(node._saved_repeats) == 4 and any(node._saved_repeats[axis] > 1 for axis in sides)
    if name in _PADDING:
        return _pads_much(node, shape, sides)
    if name == "SliceBackward0":
        return _cuts_much(node, shape, sides)
    return name in _PUTTING_ANYWHERE or name in _TRANSFORMING


def _multiplies(node: Any) -> bool:
    """Whether it is a product with a matrix; of products of many, as attention makes them, those with a constant."""
    if node is None or node.name() not in _MULTIPLYING:
        return False
    return node.name() == "MmBackward0" or any(each is None for each, _ in node.next_functions)


def _joins_parts(node: Any) -> bool:
    """Whether tokens are put together from several parts of a row; one part is joined by tokens without a position."""
    return sum(each is not None and each.name() in _PARTS for each, _ in node.next_functions) > 1


def _pads_much(node: Any, shape: Sequence[int], sides: Collection[int]) -> bool:
    pads = _pads_by_axis(node)
    return any(max(map(abs, pads.get(axis - len(shape), (0, 0)))) > shape[axis] * MOST_CUT for axis in sides)


def _pads_by_axis(node: Any) -> dict[int, tuple[int, int]]:
    """How many places a padding adds before and behind, by axis, counted from the end; fewer than none are cut off."""
    saved = node._saved_pad if hasattr(node, "_saved_pad") else node._saved_padding
    pads = [signed(pad) for pad in saved]
    return {-1 - place // 2: (pads[place], pads[place + 1]) for place in range(0, len(pads), 2)}


def _cuts_much(node: Any, shape: Sequence[int], sides: Collection[int]) -> bool:
    axis = _axis(node._saved_dim)
    if axis not in sides or node._saved_step != 1:
        return False
    start, end, _ = slice(signed(node._saved_start), signed(node._saved_end)).indices(shape[axis])
    return max(start, shape[axis] - end) > shape[axis] * MOST_CUT


def _works_on_places(node: Any, sizes: Collection[tuple[int, int]]) -> bool:
    """Whether an operation works along rows or columns, and not along channels alone, as RGB to BGR does."""
    shape = tuple(getattr(node, "_saved_self_sym_sizes", ())) or shape_after(node)
    axes = _axes_of(node, len(shape))
    if len(shape) != 4 or axes is None:
        return True
    places = {axis for first in (1, 2) if shape[first : first + 2] in sizes for axis in (first, first + 1)}
    return bool(axes & (places or {1, 2, 3}))


def _axes_of(node: Any, count: int) -> set[int] | None:
    """The axes, of so many, along which an operation works; None if it does not tell, or works along all."""
    if isinstance(getattr(node, "_saved_indices", None), tuple | list):  # of indexing; sorting saves a tensor
        return {axis for axis, index in enumerate(node._saved_indices) if index is not None}
    axes = node._saved_dims if hasattr(node, "_saved_dims") else getattr(node, "_saved_dim", ())
    axes = axes if isinstance(axes, tuple) else (axes,)
    return {_axis(axis, count) for axis in axes} if axes and count else None


def _swaps_sides(node: Any, sizes: Collection[tuple[int, int]]) -> bool:
    after = shape_after(node)
    if len(after) != 4 or after[0] != 1:
        return False
    if node.name() == "PermuteBackward0":
        axes = [_axis(axis) for axis in node._saved_dims]
    else:
        axes = [0, 1, 2, 3]
        one, other = _axis(node._saved_dim0), _axis(node._saved_dim1)
        axes[one], axes[other] = other, one
    before = [after[axes.index(axis)] for axis in range(4)]
    if axes in _CHANNELS_LAST_AND_BACK:
        return False
    return any((before[rows], before[rows + 1]) in sizes and axes.index(rows) > axes.index(rows + 1) for rows in (1, 2))


_CHANNELS_LAST_AND_BACK = ([0, 2, 3, 1], [0, 3, 1, 2])
"""How axes are permuted to take the channels last and back; where channels equal a side, the shape alone shows no
difference between that and sides that are swapped."""


def _axis(saved: int, count: int = 4) -> int:
    """An axis, counted from the front; one that was counted from the end is saved as it is, or as 2**64 less."""
    return signed(saved) % count


def _reorders(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether a row of tokens becomes a map that takes neither of its axes for the channels."""
    if len(before) != 3 or len(after) != 4 or before[0] != 1 or after[0] != 1:
        return False
    first = before[1] == after[1] and before[2] == after[2] * after[3]
    last = before[1] == after[1] * after[2] and before[2] == after[3]
    return not (first or last)

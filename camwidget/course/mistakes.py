"""Which mistake gives these numbers? Mistakes that are known in every exercise, and where two results differ.

A mistake is named only if it is the only known one that gives what was returned: on some sizes two of them give the
same numbers, and the wrong name leads further away than none.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from camwidget.course.compare import as_numbers, factor_between, numbers_agree

_PLACES = ("first", "second", "third")


def likely_mistake(got: Any, mistakes: Mapping[str, Any]) -> str:
    """Return what the learner should read about the mistake that gives what was returned; empty if none does.

    If two give the same numbers, both are told; if more do, none is.

    Unlike `hooks.mistakes.recognised` it only looks, and raises nothing.

    Args:
        got: what was returned.
        mistakes: what the learner should read, to the value that this mistake gives.
    """
    fitting = [message for message, wrong in mistakes.items() if numbers_agree(got, wrong)]
    if len(fitting) == 2:
        return f"one of two: {fitting[0]}; or {fitting[1]}"
    return fitting[0] if len(fitting) == 1 else ""


def usual_mistakes(expected: Any) -> dict[str, Any]:
    """Return what learners often make of a right result: what they should read, to the value.

    Args:
        expected: the right result.
    """
    right = as_numbers(expected)
    if right is None or right.numel() < 2:
        return {}
    wrong: dict[str, Any] = {
        "the sign is turned around": -right,
        "you took the absolute value: evidence against is lost": right.abs(),
        "you applied ReLU: negative values are lost": right.clamp(min=0),
        "you applied ReLU to the negative: the sign is turned around, and half is lost": (-right).clamp(min=0),
        "you squared it: the sign is lost": right.square(),
        "you divided by the largest value: the numbers are no longer comparable": right / right.max(),
        "you divided by the largest magnitude: the numbers are no longer comparable": right / right.abs().max(),
        "you applied ReLU and divided by the largest value: sign and size are lost": right.clamp(min=0) / right.max(),
        "you scaled it to 0 ... 1: sign and size are lost": (right - right.min()) / (right.max() - right.min()),
        "you divided by the sum: they add up to 1 now, and the size is lost": right / right.sum(),
        "you divided by the length (norm): the size is lost": right / right.norm(),
        "you subtracted the mean": right - right.mean(),
        "you subtracted the smallest value": right - right.min(),
        "you subtracted the mean and divided by the deviation": (right - right.mean()) / right.std(),
        "you rounded it": right.round(),
        **{f"you rounded it, to {digits} places": right.round(decimals=digits) for digits in (1, 2, 3)},
        "you made whole numbers of it: what is behind the point is cut off": right.trunc(),
        "this is a sigmoid, not the raw values": right.sigmoid(),
        "this is exp() of the right values": right.exp(),
        "this is the tanh of the right values": right.tanh(),
        "these are all zeros": torch.zeros_like(right),
        "these are all ones": torch.ones_like(right),
        "all are the mean of the right values": right.mean().expand_as(right),
        "all are the largest of the right values": right.max().expand_as(right),
        "this is a softmax over all values, not the raw values": right.flatten().softmax(0).view_as(right),
        "they are sorted by size: keep them in their places": right.flatten().sort().values.view_as(right),
        "they are sorted, the largest first: keep them in their places": right.flatten()
        .sort()
        .values.flip(0)
        .view_as(right),
    }
    for axis in range(right.ndim):
        wrong |= _along(right, axis)
    if right.ndim >= 2:
        wrong["this is the transpose: height and width have changed places"] = right.transpose(-1, -2)
    return {message: value for message, value in wrong.items() if not numbers_agree(value, right)}


def _along(right: Tensor, axis: int) -> dict[str, Tensor]:
    """Mistakes along one axis; where there is only one axis, without saying which."""
    where = f" along axis {axis}" if right.ndim > 1 else ""
    if right.shape[axis] == 1:
        return {}
    alike = "every value is the same as the first one's row: did you use only the first class or picture?"
    if axis:
        alike = f"all are the same{where} as the first"
    return {
        f"this is a softmax{where}, not the raw values": right.softmax(dim=axis),
        f"this is a log_softmax{where}, not the raw values": right.log_softmax(dim=axis),
        alike: right.narrow(axis, 0, 1).expand_as(right),
        f"they are in reverse order{where}": right.flip(axis),
        f"they are moved by one place{where}: count from 0": right.roll(1, axis),
        f"they are moved by one place{where}, the other way: count from 0": right.roll(-1, axis),
        f"they are added up step by step{where} (cumsum)": right.cumsum(axis),
        f"all are the mean{where}": right.mean(axis, keepdim=True).expand_as(right),
    }


def why_shape(actual: Sequence[int], wanted: Sequence[int]) -> str:
    """Return what a wrong shape suggests.

    Args:
        actual: the shape that came.
        wanted: the shape expected.
    """
    actual, wanted = tuple(actual), tuple(wanted)
    if sorted(actual) == sorted(wanted):
        return "the axes are in another order"
    if [length for length in actual if length != 1] == [length for length in wanted if length != 1]:
        return "an axis of length 1 is too many or too few: look at keepdim, [None] and squeeze"
    if len(actual) < len(wanted):
        return "an axis is missing: was it summed over, or was one picture or class picked?"
    if len(actual) > len(wanted):
        return "an axis is left over: was it to be summed over, or one of its entries to be taken, with [0]?"
    return "look at which axis has which length"


def where_they_differ(got: Any, expected: Any, *, axes: Sequence[str] = ()) -> tuple[str, bool]:
    """Return in words how numbers differ, and whether that names a mistake or only says where to look.

    Args:
        got: what was returned.
        expected: the reference.
        axes: what each axis counts, such as "picture" or "class".
    """
    theirs, ours = as_numbers(got), as_numbers(expected)
    if theirs is None or ours is None:
        return "return the numbers themselves", True
    if theirs.shape != ours.shape:
        return f"the shapes differ: {why_shape(tuple(theirs.shape), tuple(ours.shape))}", True
    if not bool(torch.isfinite(theirs).all()):
        return "there are NaN or infinite values: look for a division by zero", True
    if ours.numel() == 1:  # a single number is always a multiple of another
        return f"it is off by {float((theirs - ours).abs()):.3g}", False
    factor = factor_between(theirs, ours)
    if factor is not None:
        return (
            f"all values are {factor:.4g} times the expected: a mean in place of a sum, or the other way round?",
            True,
        )
    shift = float((theirs - ours).mean())
    if numbers_agree(theirs - shift, ours):
        return f"all values are {abs(shift):.4g} too {'large' if shift > 0 else 'small'}: was something added?", True
    told = _own_factors(theirs, ours, axes) or _only_some(theirs, ours, axes)
    if told:
        return told, True
    if numbers_agree(theirs.flatten().sort().values, ours.flatten().sort().values):
        return "the numbers are right and in other places", True
    if bool(((theirs - ours).abs() <= 0.005 * ours.abs() + 5e-4 * ours.abs().max()).all()):
        return "the numbers are nearly right: was something rounded, or half precision used?", True
    near = (theirs - ours).abs() <= 1e-4 * ours.abs() + 1e-5 * ours.abs().max()
    place = (~near).nonzero()[0].tolist()
    want, came = float(ours[tuple(place)]), float(theirs[tuple(place)])
    share = f"{int((~near).sum())} of {ours.numel()} values differ"
    return f"compare by hand: at {place} it should be {want:.4g} and is {came:.4g} ({share})", False


def _only_some(theirs: Tensor, ours: Tensor, axes: Sequence[str]) -> str:
    """Where all that is right, or all that is wrong, is one entry of an axis: which."""
    for axis in range(ours.ndim):
        count = ours.shape[axis]
        right = [numbers_agree(theirs.select(axis, at), ours.select(axis, at)) for at in range(count)]
        if count < 3 or sum(right) not in (1, count - 1):
            continue
        what = axes[axis] if axis < len(axes) else f"entry along axis {axis}"
        at = right.index(sum(right) == 1)
        place = "last" if at == count - 1 else _PLACES[at] if at < 3 else f"number {at}"
        return f"only the {place} {what} is {'right: what becomes of the others?' if sum(right) == 1 else 'wrong'}"
    return ""


def _own_factors(theirs: Tensor, ours: Tensor, axes: Sequence[str]) -> str:
    for axis in range(ours.ndim):
        slices = [factor_between(theirs.select(axis, at), ours.select(axis, at)) for at in range(ours.shape[axis])]
        if ours.numel() > ours.shape[axis] > 1 and all(slices):
            what = axes[axis] if axis < len(axes) else f"entry along axis {axis}"
            first = ", ".join(f"{factor:.3g}" for factor in slices[:3] if factor)
            return (
                f"each {what} is right up to a factor of its own ({first}, …): was each scaled, or divided, by itself?"
            )
    return ""

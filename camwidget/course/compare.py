"""Is what an answer returned the right thing, and if not, which wrong thing is it?"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

RELATIVE = 1e-4
"""Relative tolerance. Right ways of adding 2,048 products in float32 differ by up to 1e-5."""
ABSOLUTE = 1e-5
"""Tolerance as a share of the largest expected magnitude, for values near zero."""


def as_numbers(value: Any) -> Tensor | None:
    """Return a tensor, array, number or (nested) list of numbers as a float64 tensor; None for other things."""
    if isinstance(value, Tensor):
        with torch.no_grad():
            return value.detach().as_subclass(Tensor).cpu().double() if not value.is_complex() else None
    if isinstance(value, list | tuple) and any(isinstance(each, Tensor) and each.ndim for each in value):
        return None  # several tensors are not one
    try:
        return torch.as_tensor(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError, RuntimeError):
        return None


def agree(got: Any, expected: Any, *, relative: float = RELATIVE, absolute: float = ABSOLUTE) -> bool:
    """Whether two things hold the same numbers in the same shape, give or take the rounding of float32.

    Args:
        got: what was returned.
        expected: the reference, best worked out in float64.
        relative: see `RELATIVE`.
        absolute: see `ABSOLUTE`.
    """
    ours, theirs = as_numbers(expected), as_numbers(got)
    if ours is None or theirs is None or ours.shape != theirs.shape or not bool(torch.isfinite(theirs).all()):
        return False
    if ours.numel() == 0:
        return True
    room = relative * ours.abs() + absolute * float(ours.abs().max().clamp(min=1e-12))
    return bool(((ours - theirs).abs() <= room).all())


def recognised(got: Any, mistakes: Mapping[str, Any]) -> str:
    """Return the name of the first mistake whose result is what was returned; empty if none is.

    Args:
        got: what was returned.
        mistakes: what to tell the learner, to the value that this mistake gives.
    """
    return next((told for told, wrong in mistakes.items() if agree(got, wrong)), "")


def usual_mistakes(expected: Any) -> dict[str, Any]:
    """Return what learners often do to a right result, by what to tell them.

    Args:
        expected: the right result.
    """
    right = as_numbers(expected)
    if right is None or right.numel() == 0:
        return {}
    wrong: dict[str, Any] = {}
    if right.ndim >= 2:
        wrong["this is the transpose: height and width have changed places"] = right.transpose(-1, -2)
        wrong["every value is the same as the first one's row: did you use only the first class or picture?"] = right[
            :1
        ].expand_as(right)
    wrong |= {
        "the sign is turned around": -right,
        "you took the absolute value: evidence against is lost": right.abs(),
        "you applied ReLU: negative values are lost": right.clamp(min=0),
        "you divided by the largest value: the numbers are no longer comparable": right / right.abs().max(),
        "you scaled it to 0 ... 1: sign and size are lost": (right - right.min()) / (right.max() - right.min()),
        "this is a softmax, not the raw values": right.softmax(dim=0),
        "these are all zeros": torch.zeros_like(right),
    }
    return {told: value for told, value in wrong.items() if not agree(value, right)}


def factor_between(got: Any, expected: Any) -> float | None:
    """Return the number by which all of `expected` would have to be multiplied to give `got`; None if there is none."""
    ours, theirs = as_numbers(expected), as_numbers(got)
    if ours is None or theirs is None or ours.shape != theirs.shape or not float(ours.square().sum()):
        return None
    factor = float((ours * theirs).sum() / ours.square().sum())
    return factor if factor and agree(theirs, factor * ours) else None


def brief(value: Any) -> str:
    """Return a value in a few words: a tensor by its shape and first numbers, other things by their repr."""
    if isinstance(value, Tensor | np.ndarray):
        numbers = as_numbers(value)
        kind = str(value.dtype).removeprefix("torch.")
        if numbers is None or numbers.numel() == 0:
            return f"{kind} tensor of shape {tuple(value.shape)}"
        if numbers.ndim == 0:
            return f"{float(numbers):.6g}"
        first = ", ".join(f"{each:.4g}" for each in numbers.flatten()[:4].tolist())
        more = ", …" if numbers.numel() > 4 else ""
        return f"{first}{more} in shape {tuple(value.shape)}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list) and value and all(isinstance(each, float) for each in value):
        return f"[{', '.join(f'{each:.4g}' for each in value)}]"
    try:
        return repr(value)
    except Exception as raised:  # noqa: BLE001 (a learner's own class may have a __repr__ that raises anything)
        return f"a {type(value).__name__} whose repr raised {type(raised).__name__}"

"""Are these the right numbers? `mistakes` says which known mistake gives wrong ones.

`camwidget.hooks.mistakes` asks the same two questions about what a learner's hook stored. There the reference is the
layer's own output: the dtype sets the tolerance, and a mistake is an error. Here the reference is computed by us: an
answer may add in another order or return a list, and a mistake costs points.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

RELATIVE = 1e-4
"""Relative tolerance. Correct ways to add 2,048 products in float32 differ by up to 1e-5."""
ABSOLUTE = 1e-5
"""Tolerance as a share of the largest expected magnitude, for values near zero."""


def as_numbers(value: Any) -> Tensor | None:
    """Return a tensor, array, number or (nested) list of numbers as a float64 tensor; None for other things."""
    if isinstance(value, Tensor):
        if value.is_complex():
            return None
        value = value.detach()
        return (value if type(value) is Tensor else value.as_subclass(Tensor)).cpu().double()
    if isinstance(value, list | tuple) and any(isinstance(part, Tensor) for part in value):
        parts = [as_numbers(part) for part in value]
        if any(part is None or part.numel() != 1 for part in parts):
            return None  # several tensors are not one
        return torch.stack([part.reshape(()) for part in parts if part is not None])  # a list of single numbers
    try:
        return torch.as_tensor(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError, RuntimeError):
        return None


def numbers_agree(got: Any, expected: Any) -> bool:
    """Return whether two things hold the same numbers in the same shape, up to float32 rounding.

    Unlike `hooks.mistakes.same` it takes arrays, lists and numbers as well as tensors, and it tolerates what adding in
    another order changes (`RELATIVE`, `ABSOLUTE`).

    Args:
        got: what was returned.
        expected: the reference, preferably in float64.
    """
    ours, theirs = as_numbers(expected), as_numbers(got)
    if ours is None or theirs is None or ours.shape != theirs.shape:
        return False
    # As arrays: of a few numbers, NumPy compares in a third of the time, and a wrong answer meets dozens of mistakes.
    right, came = ours.resolve_neg().numpy(), theirs.resolve_neg().numpy()
    if not np.isfinite(came).all():
        return False
    if right.size == 0:
        return True
    size = np.abs(right)
    with np.errstate(all="ignore"):
        room = RELATIVE * size + ABSOLUTE * max(float(size.max()), 1e-12)
        return bool((np.abs(right - came) <= room).all())


def factor_between(got: Any, expected: Any) -> float | None:
    """Return the number by which all of `expected` would have to be multiplied to give `got`; None if there is none."""
    ours, theirs = as_numbers(expected), as_numbers(got)
    if ours is None or theirs is None or ours.shape != theirs.shape or not float(ours.square().sum()):
        return None
    factor = float((ours * theirs).sum() / ours.square().sum())
    return factor if factor and numbers_agree(theirs, factor * ours) else None


def brief(value: Any) -> str:
    """Summarise a value: a tensor by its shape and first numbers, anything else by its repr."""
    if isinstance(value, Tensor | np.ndarray):
        numbers = as_numbers(value)
        kind = str(value.dtype).removeprefix("torch.")
        if numbers is None or numbers.numel() == 0:
            return f"{kind} tensor of shape {tuple(value.shape)}"
        if numbers.ndim == 0:
            return f"{float(numbers):.6g}"
        first = ", ".join(f"{number:.4g}" for number in numbers.flatten()[:4].tolist())
        more = ", …" if numbers.numel() > 4 else ""
        return f"{first}{more} in shape {tuple(value.shape)}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list) and value and all(isinstance(number, float) for number in value):
        return f"[{', '.join(f'{number:.4g}' for number in value)}]"
    try:
        return repr(value)
    except Exception as raised:  # noqa: BLE001 (a learner's own class may have a __repr__ that raises anything)
        return f"a {type(value).__name__} whose repr raised {type(raised).__name__}"

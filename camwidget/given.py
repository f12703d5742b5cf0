"""Numbers and paths that were given, made plain or refused in words."""

import math
import operator
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

from camwidget.errors import CamwidgetError, a_kind, clipped, three_parts

_LONGEST = 60


def told(value: Any) -> str:
    """Return what was given as a message shows it: on one line, and not too long.

    Args:
        value: anything.
    """
    return clipped(" ".join(repr(value).split()), longest=_LONGEST)


def whole(
    value: Any,
    name: str,
    *,
    try_: str,
    least: int | None = None,
    most: int | None = None,
    error: type[CamwidgetError] = CamwidgetError,
) -> int:
    """Return a whole number as Python's own, from whatever is one: an int, NumPy's, a tensor that holds one.

    Args:
        value: what was given.
        name: what it is called where it was given.
        try_: what to try.
        least: the smallest that is allowed.
        most: the largest.
        error: which error to raise.

    Raises:
        CamwidgetError: it is none (True and 2.0 are none either), or out of range.
    """
    number = index_of(value)
    if number is not None and (least is None or number >= least) and (most is None or number <= most):
        return number
    raise error(three_parts(f"{name} is {told(value)}", f"It is a whole number{_range(least, most)}", try_))


def several(
    values: Any, name: str, *, try_: str, least: int | None = None, error: type[CamwidgetError] = CamwidgetError
) -> list[int]:
    """Return whole numbers as a list, in their order.

    Args:
        values: what was given: a list, an array, an index of a table, or anything else to go through.
        name: what they are called where they were given.
        try_: what to try.
        least: the smallest that is allowed.
        error: which error to raise.

    Raises:
        CamwidgetError: they are no whole numbers, or one is out of range.
    """
    allowed = f"It holds whole numbers{_range(least, None)}"
    try:
        listed = None if isinstance(values, str | bytes) or not isinstance(values, Iterable) else list(values)
    except TypeError:  # arrays and tensors of no axis say that they can be gone through
        listed = None
    if listed is None:
        single = index_of(values)
        advice = try_ if single is None else f"For a single one pass [{single}]"
        raise error(three_parts(f"{name} is {told(values)}", allowed, advice))
    numbers = [index_of(value) for value in listed]
    for value, number in zip(listed, numbers, strict=True):
        if number is None or (least is not None and number < least):
            raise error(three_parts(f"{name} holds {told(value)}", allowed, try_))
    return [number for number in numbers if number is not None]


def refuse_other_kind(
    value: Any, kind: type, begins: str, *, allowed: str, try_: str, error: type[CamwidgetError] = CamwidgetError
) -> None:
    """Refuse what is not of one kind.

    Args:
        value: what was given.
        kind: its class.
        begins: how the message begins, as in "found is".
        allowed: what is allowed.
        try_: what to try.
        error: which error to raise.

    Raises:
        CamwidgetError: it is of another kind.
    """
    if not isinstance(value, kind):
        raise error(three_parts(f"{begins} {a_kind(value)}", allowed, try_))


def index_of(value: Any) -> int | None:
    """Return a whole number as Python's own, from whatever is one, or None where it is none: True and 2.0 are none.

    Args:
        value: what was given.
    """
    try:
        return None if _is_truth(value) else operator.index(value)
    except (TypeError, ValueError, RuntimeError):  # arrays and tensors of several numbers, or without any
        return None


def number(value: Any) -> float | None:
    """Return a finite number as Python's own, or None where it is none: True, NaN and infinity are none.

    Args:
        value: what was given.
    """
    single = hasattr(value, "__float__") and not _is_truth(value) and getattr(value, "ndim", 0) == 0
    try:
        found = float(value) if single else math.nan
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def between(
    value: Any,
    name: str,
    *,
    try_: str,
    low: int | float,
    high: int | float,
    ends: bool = True,
    error: type[CamwidgetError] = CamwidgetError,
) -> float:
    """Return a number as Python's own, from whatever is one: a float, an int, NumPy's, a tensor that holds one.

    Args:
        value: what was given.
        name: what it is called where it was given.
        try_: what to try.
        low: the lower end of what is allowed; may be minus infinity.
        high: the upper end; may be infinity.
        ends: whether the ends themselves are allowed; infinity never is.
        error: which error to raise.

    Raises:
        CamwidgetError: it is none (True, NaN and infinity are none either), or out of range.
    """
    found = number(value)
    if found is not None and (low < found < high or (ends and found in (low, high))):
        return found
    if math.isinf(high):
        allowed = "It is a number" if math.isinf(low) else f"It is a number{', at least' if ends else ' above'} {low:g}"
    else:
        allowed = f"It is a number {f'from {low:g} to' if ends else f'between {low:g} and'} {high:g}"
    raise error(three_parts(f"{name} is {told(value)}", allowed, try_))


def yes_or_no(value: Any, name: str, *, try_: str, error: type[CamwidgetError] = CamwidgetError) -> bool:
    """Return True or False, also from NumPy's and a tensor's, and from 1 and 0.

    Args:
        value: what was given.
        name: what it is called where it was given.
        try_: what to try.
        error: which error to raise.

    Raises:
        CamwidgetError: it is something else.
    """
    if (_is_truth(value) and getattr(value, "ndim", 0) == 0) or index_of(value) in (0, 1):
        return bool(value)
    raise error(three_parts(f"{name} is {told(value)}", "It is True or False", try_))


def path(value: Any, name: str, *, try_: str, error: type[CamwidgetError] = CamwidgetError) -> Path:
    """Return a path, with the user's own folder in place of ~. Whether it is there is not asked.

    Args:
        value: what was given.
        name: what it is called where it was given.
        try_: what to try.
        error: which error to raise.

    Raises:
        CamwidgetError: it is no path, or one that this system cannot have.
    """
    allowed = "It is the path of a file or folder"
    if not isinstance(value, str | PathLike) or not str(value) or "\0" in str(value):
        raise error(three_parts(f"{name} is {told(value)}", allowed, try_))
    try:
        place = Path(value).expanduser()
        place.exists()  # refuses what is too long
    except (OSError, RuntimeError, TypeError) as reason:
        why = getattr(reason, "strerror", None) or reason
        raise error(three_parts(f"{name} is {told(value)} ({why})", allowed, try_)) from reason
    return place


def _range(least: int | None, most: int | None) -> str:
    if most is not None:
        return f", at most {most}" if least is None else f" from {least} to {most}"
    return "" if least is None else f", {least} or more"


def _is_truth(value: Any) -> bool:
    """Whether it is yes or no, also NumPy's or a tensor's."""
    return isinstance(value, bool) or str(getattr(value, "dtype", "")).endswith("bool")

"""Rows of pictures: draw logits with mistakes among them, and say whether a list of rows is the right one."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from camwidget.course.attempt import Attempt
from camwidget.course.compare import as_numbers
from camwidget.course.mistakes import likely_mistake


def some_wrong(
    attempt: Attempt, pictures: int, classes: int, *, wrong: int | None = None, scale: float = 2.0
) -> tuple[Float[Tensor, "picture class"], Int[Tensor, " picture"]]:
    """Draw logits and labels: about half of the answers are wrong, and each row of logits has a level of its own.

    Args:
        attempt: draws them.
        pictures: how many.
        classes: how many.
        wrong: how many answers are wrong; None for about half, and at least one.
        scale: of the logits.
    """
    wrong = max(1, (pictures + 1) // 2) if wrong is None else wrong
    logits = scale * attempt.tensor(pictures, classes)
    logits = logits + 3 * scale * attempt.tensor(pictures, 1)
    labels = logits.argmax(1)
    for row in torch.randperm(pictures, generator=attempt.generator)[:wrong].tolist():
        labels[row] = (int(labels[row]) + attempt.size(1, classes - 1)) % classes
    return logits, labels


def by(values: Tensor, rows: Sequence[int]) -> list[int]:
    """Return these rows, the one with the largest value first; where values are equal, in the order given.

    Args:
        values: one for each picture.
        rows: of some pictures.
    """
    listed = values.tolist()
    return sorted(rows, key=lambda row: -listed[row])


def unlike(right: list[int], known: Mapping[str, list[int]]) -> dict[str, tuple[int, ...] | None]:
    """Return each mistake's rows; None where they are the right ones.

    Args:
        right: the right rows, in their order.
        known: what the learner should read, to the rows that this mistake gives.
    """
    return {says: None if rows == right else tuple(rows) for says, rows in known.items()}


def known_order(rows: list[int], right: list[int], known: Mapping[str, list[int]]) -> str:
    """Return what the learner should read of a known mistake that gives these rows; empty if none does.

    Args:
        rows: what came.
        right: the right rows, in their order.
        known: what the learner should read, to the rows that this mistake gives.
    """
    return likely_mistake(rows, {says: wrong for says, wrong in known.items() if wrong != right})


def rows_in(attempt: Attempt, got: Any, pictures: int, count: int, key: str) -> list[int]:
    """State that a flat list of whole numbers came, and return it.

    Args:
        attempt: of this round.
        got: what was returned.
        pictures: how many there are.
        count: how many rows are expected.
        key: which of the promised facts.
    """
    numbers = as_numbers(got)
    kind = str(getattr(got, "dtype", ""))
    of_bools = "bool" in kind or (
        isinstance(got, list | tuple) and bool(got) and all(isinstance(each, bool) for each in got)
    )
    shape = None if numbers is None else tuple(numbers.shape)
    fits = numbers is not None and len(shape or ()) == 1 and not of_bools and bool((numbers == numbers.round()).all())
    likely = "return a flat list of row numbers, such as [4, 0]"
    if of_bools:
        likely = "this is a mask of True and False: return the rows where it is True"
    elif isinstance(got, dict):
        likely = "return the rows alone, in a list"
    elif isinstance(got, set | frozenset):
        likely = "a set has no order: return a list"
    elif shape == ():
        likely = "this is one number: return a list, also of a single row"
    elif shape is not None and len(shape) == 2:
        likely = "each row stands in a list of its own: nonzero() gives them so, and [:, 0] takes them out"
        if shape[1:] == (2,):
            likely = "return the rows alone, without what they were sorted by"
    elif shape is not None and not fits:
        likely = "these are no row numbers: return which rows they are, not what they were sorted by"
    elif isinstance(got, list | tuple) and any(isinstance(each, tuple | list) for each in got):
        likely = "return the rows alone, without what they were sorted by"
    wanted = f"a list of {count} rows out of {pictures}"
    attempt.fact(key, fits, expected=wanted, got=got, likely=likely, stop=True)
    return [] if numbers is None else [int(each) for each in numbers.tolist()]


def judge_rows(
    attempt: Attempt,
    rows: list[int],
    right: list[int],
    known: Mapping[str, list[int]],
    *,
    key: str,
    pictures: int,
) -> None:
    """State that these are the right rows, each once, whatever their order; if not, nothing more can be looked at.

    Args:
        attempt: of this round.
        rows: what came.
        right: the right ones.
        known: what the learner should read, to the rows that this mistake gives.
        key: which of the promised facts.
        pictures: how many there are.
    """
    fits = sorted(rows) == sorted(right)
    likely = "" if fits else known_order(rows, right, known)
    vague = not likely
    if not fits and not likely:
        strange = [row for row in rows if not 0 <= row < pictures]
        missing = [row for row in right if row not in rows]
        extra = [row for row in rows if row not in right]
        likely = "a row is there twice"
        if strange:
            likely = f"there is no row {strange[0]}: rows go from 0 to {pictures - 1}"
        elif extra:
            likely = f"row {extra[0]} is there, and its answer is right"
        elif missing:
            likely = f"row {missing[0]} is not there, and its answer is wrong"
    attempt.fact(key, fits, expected=right, got=rows, likely=likely, vague=vague, stop=True)

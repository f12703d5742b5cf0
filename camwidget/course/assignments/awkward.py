"""Sizes on which mistakes show, and sizes on which one mistake hides another: every function is tried on all of them."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from camwidget.course.attempt import Attempt


def awkward_sizes(
    attempt: Attempt, axes: Sequence[str], *, low: int = 2, high: int = 9, ones: Sequence[str] = ()
) -> Iterator[dict[str, int]]:
    """Yield the length of each axis: first all different, then every two alike, all alike, and single ones.

    With all different a wrong shape shows; with two alike a wrong axis raises nothing and has to show in the numbers.

    Args:
        attempt: draws the lengths.
        axes: their names.
        low: the least length.
        high: the greatest.
        ones: axes that may have the length 1.
    """
    yield _drawn(attempt, axes, low, high)
    for one, other in combinations(axes, 2):
        sizes = _drawn(attempt, axes, low, high)
        yield {**sizes, one: sizes[other]}
    yield dict.fromkeys(axes, attempt.size(low, high))
    for axis in ones:
        yield {**_drawn(attempt, axes, low, high), axis: 1}


def _drawn(attempt: Attempt, axes: Sequence[str], low: int, high: int) -> dict[str, int]:
    return dict(zip(axes, attempt.sizes(len(axes), low=low, high=high), strict=True))

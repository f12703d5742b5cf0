"""Sizes on which mistakes show, and sizes on which one mistake hides another: every function is tried on all of them."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Generic, TypeVar

from camwidget.course.attempt import Attempt

Case = TypeVar("Case")
"""What one call of an answer is given."""


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


class Apart(Generic[Case]):
    """Draws cases on which mistakes show: where the answer is one place or one order, a wrong one is often right by chance.

    Each case is the one of several on which the most mistakes show that no case before has shown, and on which they differ
    most from one another, so that each can be named.

    Args:
        wrong: of a case, name of each known mistake to what it gives, in a form that can be compared; None where that is
            the right result.
        tries: how many are drawn for one case.
    """

    def __init__(self, wrong: Callable[[Case], Mapping[str, Hashable]], *, tries: int = 6) -> None:
        self._wrong, self._tries = wrong, tries
        self._known: set[str] = set()
        self._shown: set[str] = set()

    @property
    def hidden(self) -> set[str]:
        """The mistakes that no case has shown so far."""
        return self._known - self._shown

    def draw(self, draw: Callable[[], Case]) -> Case:
        """Return the next case.

        Args:
            draw: draws one.
        """
        best, most, shown = draw(), (-1, -1), set[str]()
        for number in range(self._tries):
            case = draw() if number else best
            wrong = self._wrong(case)
            self._known |= wrong.keys()
            here = {name for name, result in wrong.items() if result is not None}
            if (worth := (len(here - self._shown), len({wrong[name] for name in here}))) > most:
                best, most, shown = case, worth, here
            if most[1] == len(wrong):
                break
        self._shown |= shown
        return best

    def until_all_show(self, draw: Callable[[], Case], *, most: int = 12) -> Iterator[Case]:
        """Yield cases until every known mistake has shown.

        Args:
            draw: draws one.
            most: how many at most; some mistakes never show.
        """
        for _ in range(most):
            if not self.hidden:
                return
            yield self.draw(draw)

"""The numbers about one assignment: how many solved what, what went wrong by name, which items tell nothing."""

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from camwidget.course.items import SEE_NOTE
from camwidget.errors import clipped
from camwidget.grading.records import MISSING, NOT_STARTED, PARTLY, RIGHT, UNGRADED, WRONG, Graded, Row

FEWEST_TO_TELL = 10
"""Learners that a correlation takes; with fewer it says little."""
TELLS_LITTLE = 0.2
"""Correlations below this mark an item: it does not go along with the rest."""
NEARLY_ALL = 0.95
"""Share of solvers from which on an item cannot tell apart, whatever it asks."""
_MOST_BARS = 10
_LONGEST_MISTAKE = 120


@dataclass(frozen=True)
class ItemSummary:
    """What became of one item in a class."""

    item: str
    """Such as "hooks.q5"."""
    title: str
    """What it is about."""
    max_points: float
    """What there was to earn."""
    judged: int
    """Learners who have points for it, zero or more."""
    solved: int
    """Learners who have all points."""
    mean: float | None
    """Mean points of those judged; None if nobody was."""
    tells_apart: float | None
    """Correlation of its points with the points of all other items, -1 to 1; None if it cannot be known."""
    mistakes: tuple[tuple[str, int], ...]
    """Names of causes with their counts, commonest first."""
    unnamed: int
    """Wrong or partly wrong answers without a cause."""
    not_started: int
    """Learners who left it as it was, or have no answer to it."""
    ungraded: int
    """Learners without points for it."""
    reported_points: float
    """Points of all learners that rest on what their own process reported."""
    seconds: float
    """Median time that judging took."""

    @property
    def share(self) -> float:
        """Share of those judged who solved it."""
        return self.solved / self.judged if self.judged else 0.0

    @property
    def weak(self) -> bool:
        """Whether it tells strong and weak learners badly apart, and could do better."""
        return self.tells_apart is not None and self.tells_apart < TELLS_LITTLE and self.share < NEARLY_ALL


@dataclass(frozen=True)
class Bar:
    """One bar of the distribution of points."""

    low: float
    """The first whole number of points in it."""
    high: float
    """The last."""
    count: int
    """Learners in it."""


@dataclass(frozen=True)
class Summary:
    """The numbers about one assignment."""

    assignment: str
    """Such as "hooks"."""
    graded: tuple[Graded, ...]
    """By points, best first; those without a sum last."""
    max_points: float
    """What there was to earn."""
    bars: tuple[Bar, ...]
    """Of those who have a sum."""
    quartiles: tuple[float, float, float] | None
    """A quarter has less than the first, half less than the second, a quarter more than the third; of four or more."""
    items: tuple[ItemSummary, ...]
    """In the assignment's order."""

    @property
    def without_sum(self) -> tuple[Graded, ...]:
        """Submissions of which an item has no points."""
        return tuple(each for each in self.graded if each.points is None)

    @property
    def problems(self) -> tuple[Graded, ...]:
        """Submissions that could not be graded at all."""
        return tuple(each for each in self.graded if each.problem)

    @property
    def events(self) -> tuple[tuple[str, str, str], ...]:
        """Learner, item or nothing, and what the sandbox stopped."""
        return tuple(
            (each.learner, item, event)
            for each in sorted(self.graded, key=lambda each: each.learner)
            for item, events in (("", each.events), *((row.item, row.events) for row in each.rows))
            for event in events
        )


def summarise(assignment: str, graded: Sequence[Graded]) -> Summary:
    """Return the numbers about one assignment.

    Args:
        assignment: such as "hooks".
        graded: its submissions.
    """
    ranked = sorted(graded, key=lambda each: (each.points is None, -(each.points or 0.0), each.learner))
    sums = [each.points for each in ranked if each.points is not None]
    most = max((each.max_points for each in ranked), default=0.0)
    quartiles = statistics.quantiles(sums, n=4, method="inclusive") if len(sums) >= 4 else None
    names = list(dict.fromkeys(row.item for each in graded for row in each.rows))
    return Summary(
        assignment,
        tuple(ranked),
        most,
        _bars(sums, most),
        None if quartiles is None else (quartiles[0], quartiles[1], quartiles[2]),
        tuple(_item(name, graded) for name in names),
    )


def mistake_of(row: Row) -> str:
    """The name of the mistake in an answer; empty if the check has none for it, and only knows what does not hold.

    Args:
        row: a wrong or partly wrong answer.
    """
    chosen = row.note.splitlines() if len(row.facts) == 1 else []
    if chosen:  # a quiz: the note says something about each option that was chosen, also about one that is right
        letters = " and ".join(line.partition(":")[0] for line in chosen)
        if row.cause == SEE_NOTE:
            return clipped(chosen[0] if len(chosen) == 1 else f"{letters} together", longest=_LONGEST_MISTAKE)
        return clipped(f"{letters}: {row.cause}", longest=_LONGEST_MISTAKE)
    unnamed = {fact.says for fact in row.facts}
    return "" if row.cause in unnamed else row.cause


def _bars(sums: Sequence[float], most: float) -> tuple[Bar, ...]:
    width = max(1, math.ceil(most / _MOST_BARS))
    count = max(1, math.ceil(most / width))
    filled = Counter(min(int(points // width), count - 1) for points in sums)
    return tuple(
        Bar(float(place * width), most if place == count - 1 else float((place + 1) * width - 1), filled[place])
        for place in range(count)
    )


def _item(name: str, graded: Sequence[Graded]) -> ItemSummary:
    rows = [row for each in graded for row in each.rows if row.item == name]
    points = [row.points for row in rows if row.points is not None]
    wrong = [row for row in rows if row.status in (WRONG, PARTLY)]
    causes = Counter(mistake for row in wrong if (mistake := mistake_of(row)))
    statuses = Counter(row.status for row in rows)
    return ItemSummary(
        name,
        rows[0].title,
        rows[0].max_points,
        judged=len(points),
        solved=statuses[RIGHT],
        mean=statistics.fmean(points) if points else None,
        tells_apart=_tells_apart(name, graded),
        mistakes=tuple(sorted(causes.items(), key=lambda pair: (-pair[1], pair[0]))),
        unnamed=sum(not mistake_of(row) for row in wrong),
        not_started=statuses[NOT_STARTED] + statuses[MISSING],
        ungraded=statuses[UNGRADED],
        reported_points=float(sum(row.reported_points for row in rows)),
        seconds=statistics.median(row.seconds for row in rows),
    )


def _tells_apart(name: str, graded: Sequence[Graded]) -> float | None:
    """The item against the rest: with itself in the sum, each item would seem to go along with it."""
    pairs = [
        (_points_of(row), each.points - _points_of(row))
        for each in graded
        if each.points is not None
        for row in each.rows
        if row.item == name
    ]
    if len(pairs) < FEWEST_TO_TELL:
        return None
    try:
        return statistics.correlation([own for own, _ in pairs], [rest for _, rest in pairs])
    except statistics.StatisticsError:  # all have the same
        return None


def _points_of(row: Row) -> float:
    return row.points or 0.0

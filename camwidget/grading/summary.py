"""A graded class in a few lines of text."""

from collections.abc import Iterator

from camwidget.grading.intake import NOTHING
from camwidget.grading.records import ClassRecord, Graded

_NAMED = 10
"""Of those who handed in nothing; all are in the tables."""
_MOST = 0.8
"""Share of a class from which on nobody was perhaps asked."""


def summary(record: ClassRecord) -> Iterator[str]:
    """Yield the lines: for each assignment how many and how well, then everybody a person has to look at.

    Args:
        record: the run.
    """
    for assignment in dict.fromkeys(each.assignment for each in record.graded):
        ours = [each for each in record.graded if each.assignment == assignment]
        points = [each.points for each in ours if each.points is not None]
        mean = f", {sum(points) / len(points):.1f} of {ours[0].max_points:g} points on average" if points else ""
        yield f"{assignment}: {len(ours)} submissions, {len(points)} graded{mean}"
    yield from _nothing(record)
    for each in record.graded:
        name = _printable(f"{each.learner}/{each.assignment}")
        if each.points is None and not _handed_in_nothing(each):
            why = each.problem or next((row.reason for row in each.rows if row.points is None), "")
            yield f"  look at {name}: {_printable(why)}"
        for event in [*each.events, *(f"{row.item}: {event}" for row in each.rows for event in row.events)]:
            yield f"  stopped in {name}: {_printable(event)}"
    if not record.contained:
        yield "UNCONTAINED: some of this ran without a sandbox, with all rights of whoever graded it."
    if not record.finished:
        yield "Stopped before the end. The same command goes on from here."
    yield f"Seed of the class: {record.seed_name} (a name for it; the seed itself is kept with the results)."


def _nothing(record: ClassRecord) -> Iterator[str]:
    """A line for each assignment in which some of the roster handed in nothing."""
    for assignment in dict.fromkeys(each.assignment for each in record.graded):
        ours = [each for each in record.graded if each.assignment == assignment]
        absent = [_printable(each.learner) for each in ours if _handed_in_nothing(each)]
        if absent:
            more = f" and {len(absent) - _NAMED} more" if len(absent) > _NAMED else ""
            yield f"  nothing for {assignment} from {', '.join(absent[:_NAMED])}{more}"
        if len(absent) > _MOST * len(ours):
            only = "`--only NAME` grades one assignment, `--assignment NAME` takes everything for it"
            yield f"  was {assignment} not asked for? {only}"


def _handed_in_nothing(graded: Graded) -> bool:
    return graded.problem.endswith(NOTHING)


def _printable(text: str) -> str:
    """A learner's text for a terminal: no control characters, nothing that has no encoding."""
    text = text.encode("utf-8", "replace").decode()
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)[:300]

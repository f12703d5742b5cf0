"""A graded class in a few lines of text."""

from collections.abc import Iterator

from camwidget.grading.records import ClassRecord


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
    for each in record.graded:
        name = _printable(f"{each.learner}/{each.assignment}")
        if each.points is None:
            why = each.problem or next((row.reason for row in each.rows if row.points is None), "")
            yield f"  look at {name}: {_printable(why)}"
        for event in [*each.events, *(f"{row.item}: {event}" for row in each.rows for event in row.events)]:
            yield f"  stopped in {name}: {_printable(event)}"
    if not record.contained:
        yield "UNCONTAINED: some of this ran without a sandbox, with all rights of whoever graded it."
    if not record.finished:
        yield "Stopped before the end. The same command goes on from here."
    yield f"Seed of the class: {record.seed_name} (a name for it; the seed itself is kept with the results)."


def _printable(text: str) -> str:
    """A learner's text for a terminal: no control characters, nothing that has no encoding."""
    text = text.encode("utf-8", "replace").decode()
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)[:300]

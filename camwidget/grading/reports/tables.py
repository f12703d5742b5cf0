"""Tables: every row with its status, the sums, and the files that Moodle and Canvas take."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from camwidget.errors import CourseError, nearest, three_parts
from camwidget.grading.records import UNGRADED, ClassRecord, Graded
from camwidget.grading.reports.marking import Marking, final
from camwidget.grading.roster import Member
from camwidget.spreadsheet import as_text

LMS = ("moodle", "canvas")
"""Systems for which there is a file."""


def rows_csv(record: ClassRecord) -> str:
    """Return one line for every submission and item. Where the status is "ungraded" there are no points, not even 0.

    Args:
        record: the run.
    """
    header = ("learner", "assignment", "item", "title", "status", "points", "max_points", "reason", "cause", "line",
              "reported_points", "events", "seconds")  # fmt: skip
    return _csv(
        header,
        (
            (row.learner, row.assignment, row.item, row.title, row.status, _number(row.points), _number(row.max_points),
             row.reason, row.cause, row.line, _number(row.reported_points), "; ".join(row.events), f"{row.seconds:.2f}")
            for row in record.rows
        ),
    )  # fmt: skip


def sums_csv(record: ClassRecord, settings: Marking) -> str:
    """Return one line for every submission.

    Args:
        record: the run.
        settings: late days and weights.
    """
    header = ("learner", "assignment", "status", "points", "days_late", "lost_to_lateness", "points_after",
              "max_points", "weighted", "max_weighted", "reported_points", "handed_in", "problem", "notes",
              "contained")  # fmt: skip
    lines = []
    for graded in record.graded:
        last = final(graded, settings)
        reported = sum(row.reported_points for row in graded.rows)
        lines.append(
            (graded.learner, graded.assignment, status_of(graded), _number(graded.points), last.days_late,
             _number(last.lost), _number(last.points), _number(graded.max_points), _number(last.weighted),
             _number(last.max_weighted), _number(reported), graded.handed_in, graded.problem, " ".join(graded.notes),
             "yes" if graded.contained else "NO")
        )  # fmt: skip
    return _csv(header, lines)


def status_of(graded: Graded) -> str:
    """Say in a few words whether a submission has its points.

    Args:
        graded: the submission.
    """
    left = sum(row.status == UNGRADED for row in graded.rows)
    if graded.problem or not graded.rows:
        return UNGRADED
    return f"{left} of {len(graded.rows)} items ungraded" if left else "graded"


def lms_csv(record: ClassRecord, system: str, settings: Marking, *, members: Mapping[str, Member]) -> str:
    """Return the file that a teacher uploads: whoever has no points yet has an empty cell, not a 0.

    Args:
        record: the run.
        system: one of `LMS`.
        settings: late days and weights.
        members: learner to their name and number there.

    Raises:
        CourseError: there is no file for this system.
    """
    refuse_unknown([system])
    assignments = list(dict.fromkeys(each.assignment for each in record.graded if each.assignment))
    points = {(each.learner, each.assignment): final(each, settings).points for each in record.graded}
    learners = sorted({each.learner for each in record.graded})
    known = {learner: members.get(learner, Member(learner, learner)) for learner in learners}
    sums = {learner: [_number(points.get((learner, name))) for name in assignments] for learner in learners}
    if system == "canvas":
        header = ["Student", "ID", "SIS Login ID", "Section", *assignments]
        most = {each.assignment: each.max_points for each in record.graded}
        first = ["    Points Possible", "", "", "", *(_number(most[name]) for name in assignments)]
        lines = [[who.name or learner, who.number, who.learner, "", *sums[learner]] for learner, who in known.items()]
        return _csv(header, [first, *lines])
    header = ["Identifier", "Full name", "Email address", *(f"Grade {name}" for name in assignments)]
    if len(assignments) == 1:
        header[-1] = "Grade"  # as in Moodle's own grading worksheet
    return _csv(
        header,
        [
            [f"Participant {who.number}" if who.number else "", who.name or learner, who.email,
             *sums[learner]]
            for learner, who in known.items()
        ],
    )  # fmt: skip


def refuse_unknown(systems: Sequence[str]) -> None:
    """Do nothing if there is a file for each of these.

    Raises:
        CourseError: there is none for one of them.
    """
    for system in systems:
        if system not in LMS:
            close = nearest(system, LMS, count=1)
            advice = f"Did you mean {close[0]!r}?" if close else "Choose one of these"
            raise CourseError(three_parts(f"There is no file for {system!r}", f"There are {', '.join(LMS)}", advice))


def _csv(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([[as_text(value) for value in line] for line in lines])
    return text.getvalue()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"

"""`camwidget grade`: from what a class handed in to its reports. What it needs is imported when it is run."""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from camwidget.course.selfstudy.screen import Screen

GRADED, NOT_ALL, STOPPED = 0, 1, 130
"""Exit codes: everything has points, something has none, the run was stopped."""


def add_grade(commands: Any) -> None:
    """Add `grade` to the commands of the program.

    Args:
        commands: what argparse's `add_subparsers` returned.
    """
    grade = commands.add_parser(
        "grade",
        help="for teachers: grade a class",
        description="Grade every submission and write a report. What learners wrote runs in a sandbox (bubblewrap) and "
        "is judged outside of it. A run that was stopped goes on where it was, and what has not changed is not graded "
        "again. The exit code is 0 if everything has points, 1 if something could not be graded or written to the "
        "gradebook, 2 if something cannot be read, and 130 if the run was stopped.",
    )
    grade.add_argument("submissions", type=Path, help="a folder, also nbgrader's own, or a zip of a learning platform")
    grade.add_argument("--out", type=Path, default=Path("graded"), metavar="REPORT", help="folder; `graded` by default")
    grade.add_argument(
        "--checks", type=Path, default=Path("solutions"), metavar="DIR", help="hidden checks; `solutions` by default"
    )
    grade.add_argument("--only", action="append", default=[], metavar="ASSIGNMENT", help="may be given several times")
    grade.add_argument(
        "--again", action="append", default=[], metavar="LEARNER", help="grade again; also LEARNER/ASSIGNMENT"
    )
    grade.add_argument("--workers", type=int, default=0, metavar="N", help="one for each processor by default")
    grade.add_argument("--scheduler", default="", metavar="ADDRESS", help="of a Dask cluster that does the work")
    grade.add_argument("--memory", type=int, default=2048, metavar="MB", help="for one submission; 2048 by default")
    grade.add_argument(
        "--uncontained",
        action="store_true",
        help="only for code that you trust as your own",
    )
    grade.add_argument(
        "--assignment",
        default="",
        metavar="NAME",
        help="what all were handed in for, if neither path nor notebook tells",
    )
    grade.add_argument("--roster", type=Path, metavar="CSV", help="the class: shows who handed in nothing")
    grade.add_argument("--settings", type=Path, metavar="TOML", help="late days and weights")
    grade.add_argument(
        "--lms", action="append", default=[], metavar="SYSTEM", help="also write a file for moodle or canvas"
    )
    grade.add_argument(
        "--course", type=Path, metavar="DIR", help="also write nbgrader's gradebook, of the course in this folder"
    )
    grade.set_defaults(work=_grade)


def _grade(asked: argparse.Namespace, screen: "Screen") -> int:
    from camwidget.grading.course import stubs_of
    from camwidget.grading.intake import members_of, take_in
    from camwidget.grading.limits import Limits
    from camwidget.grading.reports.marking import read_marking
    from camwidget.grading.reports.tables import refuse_unknown
    from camwidget.grading.reports.write import write_reports
    from camwidget.grading.roster import read_roster
    from camwidget.grading.runner import Settings, grade_handed
    from camwidget.grading.sandbox import missing, refuse_other_systems, weaker
    from camwidget.grading.summary import summary

    refuse_other_systems()
    if asked.uncontained:
        screen.say("UNCONTAINED: what learners wrote runs with all your rights. The report says so.")
    elif not asked.scheduler and not missing() and (lacks := weaker()):
        screen.say(lacks)
    settings = Settings(
        checks=asked.checks,
        workers=asked.workers,
        limits=Limits(memory_mb=asked.memory),
        contained=not asked.uncontained,
        scheduler=asked.scheduler,
        again=tuple(asked.again),
        only=tuple(asked.only),
        progress=sys.stderr.isatty(),
    )
    marks = read_marking(asked.settings) if asked.settings else None
    refuse_unknown(asked.lms)
    roster = read_roster(asked.roster) if asked.roster else ()
    with TemporaryDirectory() as folder:
        handed = take_in(asked.submissions, Path(folder), assignment=asked.assignment, roster=roster)
        keep_out = (asked.submissions, Path(folder))
        record = grade_handed(handed, asked.out, settings=settings, keep_out=keep_out)
        members = members_of(handed, roster)
        complaints: list[str] = []
        if asked.course:
            from camwidget.grading.gradebook import write_gradebook

            complaints = write_gradebook(record, handed, asked.course)
    written = write_reports(
        record, asked.out, stubs=stubs_of(record), settings=marks, members=members, systems=asked.lms
    )
    for line in (*summary(record), *complaints):
        screen.say(line)
    screen.say(f"Read {written[0]}; all rows are in {asked.out / 'grades.csv'}.")
    if not record.finished:
        return STOPPED
    return GRADED if all(each.points is not None for each in record.graded) and not complaints else NOT_ALL

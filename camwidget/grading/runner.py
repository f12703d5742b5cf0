"""A whole class: which submissions are left to grade, and where results are kept, so that a run can stop and go on."""

import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from tqdm.auto import tqdm

from camwidget.course.order import ASSIGNMENTS
from camwidget.errors import CourseError, nearest, three_parts
from camwidget.grading.course import Course, hidden_checks, seed_name
from camwidget.grading.intake import Handed, submission_of, take_in
from camwidget.grading.judge import ungraded
from camwidget.grading.limits import Limits
from camwidget.grading.local import Result, graded_here
from camwidget.grading.records import (
    ClassRecord,
    Graded,
    graded_from_dict,
    graded_to_dict,
    said_in_words,
    save_class,
    write_whole,
)
from camwidget.grading.submission import Submission
from camwidget.grading.turns import alone_in

KEPT = "kept"
"""In the report's folder: what the next run needs. It holds the secret seed, and is for nobody else to read."""
NOT_YET = "It is not graded yet: the run was stopped before"
"""The problem of what is left."""
RESULTS = "results.json"
"""In the report's folder: all rows, see `records.load_class`."""


@dataclass(frozen=True)
class Settings:
    """How a class is graded."""

    checks: Path = Path("solutions")
    """Where the hidden checks lie."""
    workers: int = 0
    """How many submissions at once; 0 for one on each processor."""
    limits: Limits = field(default_factory=Limits)
    contained: bool = True
    """Whether learners' code runs in the sandbox."""
    scheduler: str = ""
    """Address of a Dask cluster's; empty to grade on this machine."""
    again: tuple[str, ...] = ()
    """Learners to grade again even if nothing has changed, as "ann" or "ann/hooks"."""
    only: tuple[str, ...] = ()
    """Assignments; all if empty."""
    progress: bool = True
    """Whether to show a bar."""


def grade_class(submissions: Path, out: Path, *, settings: Settings | None = None) -> ClassRecord:
    """Grade all submissions; those that were graded before and have not changed are taken over.

    Args:
        submissions: what was handed in, see `intake.take_in`.
        out: the folder for the report; made if it is not there.
        settings: how.

    Returns:
        All submissions. If the run was interrupted, `finished` is False, and those that are left say so.

    Raises:
        CourseError: there are no submissions or no hidden checks, there is no sandbox, a name is unknown, another run
            is writing to this folder, or it cannot be written to.
    """
    with TemporaryDirectory() as folder:
        handed = take_in(submissions, Path(folder))
        return grade_handed(handed, out, settings=settings, keep_out=(submissions, Path(folder)))


def grade_handed(
    handed: Sequence[Handed], out: Path, *, settings: Settings | None = None, keep_out: Sequence[Path] = ()
) -> ClassRecord:
    """Grade what was taken in; see `grade_class`.

    Args:
        handed: the submissions.
        out: the folder for the report; made if it is not there.
        settings: how.
        keep_out: folders that no learner's code is to see.

    Returns:
        As `grade_class`.

    Raises:
        CourseError: see `grade_class`.
    """
    settings = settings or Settings()
    places = [place for place in handed if not settings.only or place.assignment in settings.only]
    nowhere = [_nowhere(place) for place in places if not place.assignment]
    places = [place for place in places if place.assignment]
    _refuse_unknown(settings, places)
    with said_in_words(out):
        (out / KEPT).mkdir(parents=True, exist_ok=True)
        (out / KEPT).chmod(0o700)
    with alone_in(out / KEPT):
        write_whole(out / KEPT / ".gitignore", "*\n")  # a repository of the course may be public, the seed is not
        seed = _seed(out / KEPT / "seed")
        unseen = tuple(str(folder.resolve()) for folder in (*keep_out, out, settings.checks))
        hidden = hidden_checks(settings.checks)
        course = Course(hidden, seed, settings.limits, settings.contained, unseen)
        graded = _run(places, course, out / KEPT, settings)
        everybody = (graded.get(place) or _left(place, course) for place in places)
        record = ClassRecord((*everybody, *nowhere), seed_name(seed), finished=len(graded) == len(places))
        save_class(record, out / RESULTS)
    return record


def _left(handed: Handed, course: Course) -> Graded:
    """What an interrupted run has not come to has its rows as well."""
    rows = ungraded(handed.learner, course.items(handed.assignment), NOT_YET)
    return Graded(handed.learner, handed.assignment, handed.digest, "", rows, NOT_YET, notes=handed.notes)


def _nowhere(handed: Handed) -> Graded:
    """What was handed in for no assignment of the course has no rows, and is not forgotten."""
    problem = f"It could not be graded: {handed.problem}"
    return Graded(handed.learner, "", handed.digest, "", rows=(), problem=problem, notes=handed.notes)


def _run(places: Sequence[Handed], course: Course, kept: Path, settings: Settings) -> dict[Handed, Graded]:
    """Grade what is left; on Ctrl+C return what there is."""
    graded: dict[Handed, Graded] = {}
    with tqdm(total=len(places), unit="submission", disable=not settings.progress, dynamic_ncols=True) as bar:

        def jobs() -> Iterator[tuple[int, Submission]]:
            for number, place in enumerate(places):
                submission = submission_of(place, course.limits)
                known = _known(kept, place, submission, course.grader, settings.again)
                if known is None:
                    yield number, submission
                else:
                    graded[place] = known
                    bar.update()

        left = _Left(jobs())
        with suppress(KeyboardInterrupt):
            for number, result in _results(left, course, settings):
                place = places[number]
                graded[place] = _as_graded(result, place, course, left.given[number])
                if not isinstance(result, str):  # a fault of ours is tried again by the next run
                    write_whole(_file(kept, place), json.dumps(graded_to_dict(graded[place])))
                del left.given[number]
                bar.update()
    return graded


class _Left:
    """The submissions that are left; it is known whether there are any before a sandbox is started."""

    def __init__(self, jobs: Iterator[tuple[int, Submission]]) -> None:
        self.jobs = jobs
        self.first = next(jobs, None)
        self.given: dict[int, Submission] = {}

    def __iter__(self) -> Iterator[tuple[int, Submission]]:
        job = self.first
        while job is not None:
            self.given[job[0]] = replace(job[1], notebook=b"", files={})
            yield job
            job = next(self.jobs, None)


def _results(left: _Left, course: Course, settings: Settings) -> Iterator[Result]:
    if left.first is None:
        return iter(())
    if settings.scheduler:
        # Not above: it imports PyTorch, and here the sandbox and the workers do so while this process goes on.
        from camwidget.grading.cluster import graded_there  # noqa: PLC0415

        return graded_there(iter(left), course, scheduler=settings.scheduler)
    workers = settings.workers or len(os.sched_getaffinity(0))
    return graded_here(iter(left), course, workers=workers)


def _as_graded(result: Mapping[str, Any] | str, place: Handed, course: Course, submission: Submission) -> Graded:
    if not isinstance(result, str):
        return graded_from_dict(result)
    why = f"It could not be graded: {result}"
    rows = ungraded(place.learner, course.items(place.assignment), why)
    return Graded(
        place.learner, place.assignment, submission.digest, course.grader, rows, why, contained=course.contained
    )


def _known(kept: Path, place: Handed, submission: Submission, grader: str, again: Sequence[str]) -> Graded | None:
    """What an earlier run made of the same submission with the same checks; None if it is to be graded."""
    if place.learner in again or f"{place.learner}/{place.assignment}" in again:
        return None
    try:
        known = graded_from_dict(json.loads(_file(kept, place).read_text(encoding="utf-8")))
    except (OSError, ValueError):  # CourseError is a ValueError: one of an earlier version is graded again
        return None
    return known if (known.digest, known.grader) == (submission.digest, grader) else None


def _file(kept: Path, place: Handed) -> Path:
    """Where a result is kept. A learner's name may be anything; two names never have the same file."""
    name = place.learner.encode("utf-8", "surrogateescape")
    readable = quote(name, safe="")[:60]
    return kept / f"{place.assignment}-{readable}-{hashlib.sha256(name).hexdigest()[:16]}.json"


def _seed(path: Path) -> int:
    """The class's secret seed: drawn once, kept by the grader, the same at every run into the same folder."""
    if not path.exists():
        write_whole(path, str(secrets.randbits(62)))
    try:
        seed = int(path.read_text(encoding="utf-8"))
    except ValueError as error:
        given = f"The class's seed in {str(path)!r} cannot be read"
        raise CourseError(
            three_parts(given, "It is one number", "Delete the file: everything is graded again")
        ) from error
    return seed % (1 << 62)


def _refuse_unknown(settings: Settings, places: Sequence[Handed]) -> None:
    known = {each for place in places for each in (place.learner, f"{place.learner}/{place.assignment}")}
    for name in settings.only:
        if name not in ASSIGNMENTS:
            close = ", ".join(map(repr, nearest(name, ASSIGNMENTS))) or "one of these"
            given = f"There is no assignment {name!r}"
            raise CourseError(three_parts(given, f"Assignments are {', '.join(ASSIGNMENTS)}", f"Try {close}"))
    for name in settings.again:
        if name not in known:
            close = ", ".join(map(repr, nearest(name, [place.learner for place in places]))) or "a learner's folder"
            given = f"Nobody called {name!r} handed in anything"
            raise CourseError(three_parts(given, "Learners are called as their folders are", f"Try {close}"))

"""What grading a class gives: one row for each learner, assignment and item. Plain values, to JSON and back."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from camwidget.errors import CourseError, three_parts

RIGHT, PARTLY, WRONG = "right", "partly", "wrong"
"""All points; some; none although something was handed in."""
NOT_STARTED = "not started"
"""The answer is still as it was released."""
MISSING = "missing"
"""The notebook was read, and has no answer to this item."""
UNGRADED = "ungraded"
"""No points, not even zero: a person has to look. `Row.reason` says what stood in the way."""
STATUSES = (RIGHT, PARTLY, WRONG, NOT_STARTED, MISSING, UNGRADED)

FORMAT = 1
"""Of the JSON file. Fields may be added; one that is renamed or taken away makes it 2."""


@dataclass(frozen=True)
class FactRow:
    """One fact about one answer, as the hidden check found it."""

    key: str
    """Its name in the item, such as "values"."""
    says: str
    """A sentence without its full stop."""
    points: float
    """What it is worth."""
    passed: bool
    """Whether it held every time."""
    tried: bool = True
    """False if an earlier failure left nothing to try."""
    likely: str = ""
    """Why it does not hold, in words for the learner; it quotes no hidden call and no hidden value."""
    reported: bool = False
    """Whether only the learner's own process could say it, so that the points can be forged."""


@dataclass(frozen=True)
class Row:
    """What one learner got for one item. There is one for every submission and item, whatever happened."""

    learner: str
    """The name of the learner's folder, as it is. Not escaped: it may hold anything, HTML as well."""
    assignment: str
    """Such as "hooks"."""
    item: str
    """Such as "hooks.q5"."""
    title: str
    """What the item is about."""
    points: float | None
    """What was earned; None if the status is "ungraded"."""
    max_points: float
    """What there was to earn."""
    status: str
    """One of `STATUSES`."""
    reason: str = ""
    """Why points were lost, or why there are none, in plain words; empty if everything is right."""
    cause: str = ""
    """A name for the mistake, the same for all who made it: the check's own cause, or "raised NameError"."""
    line: str = ""
    """The learner's own line that raised, if one did."""
    reported_points: float = 0.0
    """Of `points`, those that rest on what the learner's own process reported (`FactRow.reported`)."""
    seconds: float = 0.0
    """How long judging this item took, on the clock."""
    events: tuple[str, ...] = ()
    """What the sandbox stopped while this item was judged, a sentence each."""
    facts: tuple[FactRow, ...] = ()
    """In the item's order; empty if the item was not judged."""
    note: str = ""
    """A sentence worth reading whatever the outcome, such as the reason for a quiz option."""

    @property
    def reported(self) -> bool:
        """Whether some of the points rest on what the learner's own process reported."""
        return self.reported_points > 0


@dataclass(frozen=True)
class Graded:
    """One submission of one assignment, graded."""

    learner: str
    """The name of the learner's folder."""
    assignment: str
    """Such as "hooks"."""
    digest: str
    """Of everything handed in; another one means another submission."""
    grader: str
    """Of everything that marks depend on besides: hidden checks, exercises, seed, limits."""
    rows: tuple[Row, ...]
    """One for each item, in the assignment's order."""
    problem: str = ""
    """Why the notebook as a whole could not be graded; all rows are "ungraded" then."""
    events: tuple[str, ...] = ()
    """What the sandbox stopped while the cells ran, a sentence each; those of single items are in their rows."""
    notes: tuple[str, ...] = ()
    """What a teacher may want to know and what cost nothing, such as a notebook under another name."""
    contained: bool = True
    """Whether it ran in the sandbox; if not, say so loudly wherever the marks are shown."""
    seconds: float = 0.0
    """On the clock."""
    memory_mb: float = 0.0
    """The most memory that the learner's processes held at once, beyond what all share."""
    handed_in: str = ""
    """When, in ISO 8601, from `timestamp.txt` or the file's own time; empty if neither is known."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """Item to the source of its answer cell as handed in; items whose cell is not there are left out."""
    outputs: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    """Cell to its outputs in nbformat 4 form, as the learner's process gave them: not to be trusted, scripts in them as
    well. The key is nbgrader's `grade_id` if the cell has one, otherwise "cell-" and its place among all cells, from 0.
    Check cells are not among them: nothing ran there."""

    @property
    def points(self) -> float | None:
        """The sum of all items; None if one of them has no points, or if nothing could be graded."""
        points = [row.points for row in self.rows] if self.rows and not self.problem else [None]
        return None if any(each is None for each in points) else float(sum(each for each in points if each is not None))

    @property
    def max_points(self) -> float:
        """What there was to earn."""
        return float(sum(row.max_points for row in self.rows))


@dataclass(frozen=True)
class ClassRecord:
    """A whole run: every submission that was found, graded now or before."""

    graded: tuple[Graded, ...]
    """Sorted by assignment and learner, in the order of the course."""
    seed_name: str
    """A name for the secret seed, so that two runs can be seen to have the same; the seed cannot be found from it."""
    finished: bool = True
    """False if the run was interrupted and submissions are left."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows of all submissions."""
        return tuple(row for each in self.graded for row in each.rows)

    @property
    def contained(self) -> bool:
        """Whether everything ran in the sandbox."""
        return all(each.contained for each in self.graded)


def graded_to_dict(graded: Graded) -> dict[str, Any]:
    """One submission as plain values, for JSON."""
    return asdict(graded)


def graded_from_dict(values: Mapping[str, Any]) -> Graded:
    """The inverse of `graded_to_dict`.

    Raises:
        CourseError: a value is missing or has another form.
    """
    try:
        rows = tuple(
            Row(
                **{
                    **row,
                    "events": tuple(row.get("events", ())),
                    "facts": tuple(FactRow(**fact) for fact in row.get("facts", ())),
                }
            )
            for row in values["rows"]
        )
        outputs = {cell: tuple(each) for cell, each in values.get("outputs", {}).items()}
        lists = {name: tuple(values.get(name, ())) for name in ("events", "notes")}
        return Graded(**{**values, **lists, "rows": rows, "outputs": outputs})
    except (TypeError, KeyError, AttributeError) as error:
        given = f"This is no graded submission: {type(error).__name__}: {error}"
        allowed = f"It has the fields of format {FORMAT}"
        raise CourseError(three_parts(given, allowed, "Grade again with this version of camwidget")) from error


def save_class(record: ClassRecord, path: Path) -> None:
    """Write a run as JSON, all of it or nothing.

    Args:
        record: the run.
        path: a file; its folder is there.
    """
    values = {
        "format": FORMAT,
        "seed_name": record.seed_name,
        "finished": record.finished,
        "graded": [graded_to_dict(each) for each in record.graded],
    }
    write_whole(path, json.dumps(values, indent=1))


def load_class(path: Path) -> ClassRecord:
    """Read what `save_class` wrote.

    Raises:
        CourseError: the file is not there, is no JSON, or has another format.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        known = values["format"] == FORMAT
        graded: Iterable[Mapping[str, Any]] = values["graded"]
        seed_name, finished = values["seed_name"], values["finished"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        given = f"The results {str(path)!r} cannot be read: {type(error).__name__}: {error}"
        allowed = "They are the file results.json that `camwidget grade` wrote"
        raise CourseError(three_parts(given, allowed, "Grade again")) from error
    if not known:
        given = f"The results {str(path)!r} have format {values['format']}"
        raise CourseError(three_parts(given, f"This version reads format {FORMAT}", "Grade again"))
    return ClassRecord(tuple(graded_from_dict(each) for each in graded), seed_name, finished=finished)


@contextmanager
def said_in_words(path: Path) -> Iterator[None]:
    """Say in words what stands in the way of writing.

    Args:
        path: what is written.

    Raises:
        CourseError: the disk is full, or the folder is not for us to write to.
    """
    try:
        yield
    except OSError as error:
        given = f"{str(path)!r} cannot be written: {error.strerror or error}"
        allowed = "A report needs a folder that you may write to, and room on its disk"
        advice = "Make room, or name another folder with --out. What has been graded is kept: the same command goes on"
        raise CourseError(three_parts(given, allowed, advice)) from error


def write_whole(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Write a file so that it is either as before or complete, also if the computer stops in the middle.

    Args:
        path: the file; its folder is made if it is not there.
        text: what it holds afterwards.
        mode: who may read it; only its owner by default, because marks are private.

    Raises:
        CourseError: the disk is full, or the folder is not for us to write to.
    """
    beside = path.with_name(f"{path.name}.part")
    with said_in_words(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.touch(mode=mode)
            beside.write_text(text, encoding="utf-8")
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)  # half a file would only take room
            raise

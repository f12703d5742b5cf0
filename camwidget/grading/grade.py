"""The way of one submission: its cells run in order, and each item is judged where its check stands."""

import ast
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from camwidget.course.items import Item
from camwidget.errors import clipped
from camwidget.grading.course import Course, Release, Task, release_of
from camwidget.grading.judge import judge_item, ungraded
from camwidget.grading.limits import refused
from camwidget.grading.notebook import UNNAMED, Cell, UnreadableError, cells_of
from camwidget.grading.plain import Reader, names_bound
from camwidget.grading.process import LateError, Process, StoppedError
from camwidget.grading.records import MISSING, NOT_STARTED, UNGRADED, WRONG, Graded, Row
from camwidget.grading.sandbox import Forks
from camwidget.grading.submission import Submission

released = cache(release_of)


def grade(submission: Submission, course: Course, sandbox: Forks, *, grader: str) -> Graded:
    """Grade one submission; always return a row for each item.

    Args:
        submission: as it was read.
        course: checks, seed, limits.
        sandbox: starts the learner's process.
        grader: `course.grader()`, which takes a moment and is the same for all.
    """
    began = time.perf_counter()
    items, release = course.items(submission.assignment), released(submission.assignment)
    graded = Graded(
        submission.learner,
        submission.assignment,
        submission.digest,
        grader,
        rows=(),
        notes=submission.notes,
        contained=course.contained,
        handed_in=submission.handed_in,
    )
    problem = submission.problem
    cells: tuple[Cell, ...] = ()
    if not problem:
        try:
            cells = cells_of(submission.notebook, _known(release))
        except UnreadableError as error:
            problem = f"It could not be graded: {error}"
    if problem:
        return _with(graded, rows=ungraded(submission.learner, items, problem), problem=problem)
    process = Process(sandbox, files=submission.files, limits=course.limits)
    work = _Work(submission.learner, process, release, items, course.seed)
    try:
        work.run(cells)
    finally:
        process.close()  # also where the teacher stopped it
    rows = tuple(work.rows[name] for name in items)
    return _with(
        graded,
        rows=rows,
        events=tuple(work.events),
        notes=(*graded.notes, *work.marked()),
        seconds=round(time.perf_counter() - began, 3),
        memory_mb=round(process.memory_mb, 1),
        answers=_answers(cells, release),
        outputs=work.outputs,
        problem=rows[0].reason if rows and all(row.status == UNGRADED for row in rows) else "",
    )


def _with(graded: Graded, **changes: Any) -> Graded:
    return Graded(**{**vars(graded), **changes})


def _known(release: Release) -> frozenset[str]:
    return frozenset(release.locked).union(*((task.answer_cell, task.check_cell) for task in release.tasks))


def _answers(cells: tuple[Cell, ...], release: Release) -> dict[str, str]:
    sources = {cell.key: cell.source for cell in reversed(cells) if cell.is_code}
    return {task.item: sources[task.answer_cell] for task in release.tasks if task.answer_cell in sources}


@dataclass(frozen=True)
class _Failed:
    """Why a cell did not run to its end: what it did, and the learner's line."""

    why: str
    line: str


def _raised(error: Mapping[str, Any]) -> _Failed:
    """The same for a cell that raised; the texts are the learner's process's own."""
    kind, message, line = (clipped(str(error.get(part, "")), longest=200) for part in ("kind", "message", "line"))
    return _Failed(f"raised {kind}" + (f": {message}" if message else ""), line)


def _because(row: Row, failed: _Failed) -> Row:
    """Where there is no answer because its cell did not run to its end, say so: it was begun, and is no empty one."""
    if row.status not in (MISSING, NOT_STARTED):
        return row
    lacks = "There is no answer: its name is not defined" if row.status == MISSING else "There is no answer"
    status = row.status if row.status == MISSING else WRONG
    cause = failed.why.partition(":")[0]
    return replace(row, status=status, reason=f"{lacks}, as its cell {failed.why}", cause=cause, line=failed.line)


def _stands_above(task: Task, keys: Sequence[str]) -> bool:
    """Whether a check stands above the answer that it checks."""
    both = task.check_cell in keys and task.answer_cell in keys
    return both and keys.index(task.check_cell) < keys.index(task.answer_cell)


@dataclass
class _Work:
    """One submission on its way."""

    learner: str
    process: Process
    release: Release
    items: Mapping[str, Item]
    seed: int
    rows: dict[str, Row] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    outputs: dict[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    failed: dict[str, _Failed] = field(default_factory=dict)
    """Why a cell did not run to its end, by the cell's key."""
    beyond: str = ""
    """What of the cells that have run so far could reach the grader; empty while all of them are plain."""

    def __post_init__(self) -> None:
        theirs = "\n".join((*self.release.locked.values(), *self.release.play))
        names = {name for node in ast.walk(ast.parse(theirs)) for name in names_bound(node)}
        self.reader = Reader(frozenset(names))

    def read(self, key: str, source: str) -> None:
        """Read a cell before it runs: once something is not plain, reports of this process are only its word."""
        if self.beyond or source in self.release.play or source == self.release.locked.get(key):
            return
        if what := self.reader.beyond(source):
            self.beyond = f"{_called(key)} has {what}"

    def run(self, cells: tuple[Cell, ...]) -> None:
        """Run the cells, and judge each item where its check cell stands, or after its answer if none stands below it.

        What comes after the last check changes no points and is not run.
        """
        keys = [cell.key for cell in cells]
        late = {task.check_cell for task in self.release.tasks if _stands_above(task, keys)}
        checks = {task.check_cell: task for task in self.release.tasks if task.check_cell not in late}
        unchecked = {task.answer_cell: task for task in self.release.tasks if task.check_cell not in {*keys} - late}
        answers = {task.answer_cell for task in self.release.tasks}
        for name, source in self.release.locked.items():
            if name not in keys:
                self.cell(name, source)
        for cell in cells:
            if cell.key in checks:
                self.judge(checks[cell.key])
            elif cell.key in late:
                continue
            elif not cell.is_code and cell.key in answers:
                self.failed[cell.key] = _Failed("is no code cell", "")
            elif cell.is_code and len(self.rows) < len(self.items):
                self.cell(cell.key, self.release.locked.get(cell.key, cell.source))
                if cell.key in unchecked:
                    self.judge(unchecked[cell.key])
        for task in self.release.tasks:
            self.judge(task)

    def cell(self, key: str, source: str) -> None:
        """Run one cell. One that ends Python is left out, and the earlier ones run again before the next."""
        self.read(key, source)
        limit_s = self.process.limits.cell_s
        try:
            answer = self.process.ask({"cell": source}, limit_s)
        except LateError:
            self.process.done.append(source)
            self.stopped(key, f"did not end within {limit_s:g} seconds and was interrupted")
            return
        except StoppedError as error:
            self.stopped(key, f"{error}; it was left out, and the cells before it ran again")
            return
        self.process.done.append(source)
        self.outputs[key] = _outputs(answer)
        limits, raised = self.process.limits, answer.get("error")
        self.failed.pop(key, None)
        if isinstance(raised, dict) and raised.get("kind") != "NotImplementedError":
            self.failed[key] = _raised(raised)
        if answer.get("cut"):
            self.events.append(f"{_called(key)} printed more than {limits.output_kb} KB; the rest was left out")
        why = refused(f"{raised.get('kind')}: {raised.get('message')}", limits) if isinstance(raised, dict) else ""
        if why:
            self.events.append(f"{_called(key)} {why}, and got an error")

    def marked(self) -> tuple[str, ...]:
        """A note where points rest on the process's word, and on which cell they do so."""
        points = sum(row.reported_points for row in self.rows.values())
        if not points:
            return ()
        return (f"Points that are only the word of the learner's own process: {points:g}. {self.beyond}; look at it.",)

    def stopped(self, key: str, why: str) -> None:
        """Note that a cell was stopped."""
        self.events.append(f"{_called(key)} {why}")
        self.failed[key] = _Failed(why.partition(";")[0], "")
        text = f"This cell {why}."
        error = {"output_type": "error", "ename": "Stopped", "evalue": text, "traceback": [text]}
        self.outputs[key] = (error,)

    def judge(self, task: Task) -> None:
        """Judge an item, once."""
        if task.item in self.rows or task.item not in self.items:
            return
        item = self.items[task.item]
        row = judge_item(self.process, task, item, seed=self.seed, learner=self.learner, plain=not self.beyond)
        failed = self.failed.get(task.answer_cell)
        self.rows[task.item] = _because(row, failed) if failed else row


def _called(key: str) -> str:
    """A cell as a teacher finds it: by its name in the release, or counted from the first."""
    place = key.removeprefix(UNNAMED)
    return f"Cell {int(place) + 1} of the notebook" if place != key else f"Cell {key}"


_KINDS: Mapping[str, tuple[str, ...]] = {
    "stream": ("name", "text"),
    "display_data": ("data", "metadata"),
    "error": ("ename", "evalue", "traceback"),
}


def _outputs(answer: Any) -> tuple[Mapping[str, Any], ...]:
    """The outputs of a cell, as far as they have a form that a notebook may hold."""
    outputs = answer.get("outputs")
    return tuple(each for each in outputs if _is_output(each)) if isinstance(outputs, list) else ()


def _is_output(output: Any) -> bool:
    if not isinstance(output, dict) or output.get("output_type") not in _KINDS:
        return False
    kind = output["output_type"]
    if set(output) != {"output_type", *_KINDS[kind]}:
        return False
    texts = [output[name] for name in _KINDS[kind] if name not in ("data", "metadata", "traceback")]
    texts += output["traceback"] if isinstance(output.get("traceback"), list) else []
    if isinstance(output.get("data"), dict):
        texts += output["data"].values()
    return all(isinstance(text, str) for text in texts) and output.get("metadata", {}) == {}

"""The way of one submission: its cells run in order, and each item is judged where its check stands.

A check cell never runs: the course's own judge runs in its place, outside, with stand-ins. Cells of the setup run as
they were released. In the end the fork is ended, and with it everything that it started.
"""

import ast
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from camwidget.course.items import Item
from camwidget.errors import clipped
from camwidget.grading.alone import defined_in, definitions
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


def grade(submission: Submission, course: Course, sandbox: Forks) -> Graded:
    """Grade one submission; always return a row for each item.

    Args:
        submission: as it was read.
        course: checks, seed, limits.
        sandbox: starts the learner's process.
    """
    began = time.perf_counter()
    items, release = course.items(submission.assignment), released(submission.assignment)
    graded = Graded(
        submission.learner,
        submission.assignment,
        submission.digest,
        course.grader,
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
        if not problem and _all_text(cells, release):
            problem = "It could not be graded: none of its answers is in a code cell"
    if problem:
        return _with(graded, rows=ungraded(submission.learner, items, problem), problem=problem)
    process = Process(sandbox, files=submission.files, limits=course.limits)
    second = Process(sandbox, files={}, limits=course.limits)
    work = _Work(submission.learner, process, second, release, items, course.seed)
    try:
        work.run(cells)
    finally:  # also where the teacher stopped it
        process.close()
        work.second.close()
    rows = tuple(work.rows[name] for name in items)
    return _with(
        graded,
        rows=rows,
        events=tuple(work.events),
        notes=(*graded.notes, *work.notes()),
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


def _all_text(cells: Sequence[Cell], release: Release) -> bool:
    """Whether there are answers' cells, and all of them are text: somebody wrote there, and nothing of it can run."""
    answers = {task.answer_cell for task in release.tasks}
    kinds = {cell.is_code for cell in cells if cell.key in answers}
    return kinds == {False}


def _answers(cells: tuple[Cell, ...], release: Release) -> dict[str, str]:
    sources = {cell.key: cell.source for cell in reversed(cells) if cell.is_code}
    return {task.item: sources[task.answer_cell] for task in release.tasks if task.answer_cell in sources}


@dataclass(frozen=True)
class _Failed:
    """Why a cell did not run to its end: what it did, and the learner's line."""

    why: str
    line: str


def _raised(error: Mapping[str, Any], why: str) -> _Failed:
    """The same for a cell that raised; the texts are the learner's process's own.

    Args:
        error: what the process says of it.
        why: the sentence for the limit that caused it, if one did.
    """
    kind, message, line = (clipped(str(error.get(part, "")), longest=200) for part in ("kind", "message", "line"))
    return _Failed(why or f"raised {kind}" + (f": {message}" if message else ""), line)


def _because(row: Row, failed: _Failed) -> Row:
    """Where there is no answer because its cell did not run to its end, say so: it was begun, and is no empty one."""
    if row.status not in (MISSING, NOT_STARTED):
        return row
    lacks = "There is no answer: its name is not defined" if row.status == MISSING else "There is no answer"
    status = row.status if row.status == MISSING else WRONG
    cause = failed.why.partition(":")[0]
    return replace(row, status=status, reason=f"{lacks}, as its cell {failed.why}", cause=cause, line=failed.line)


_HIDDEN_TESTS = re.compile(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", re.DOTALL)
"""Stands in the solution's check cells, which a teacher may grade too; nothing of it is to run in there."""


def _same(one: str, other: str) -> bool:
    """Whether two sources differ in white space at the ends of lines at most, and in hidden tests."""
    lines = [_HIDDEN_TESTS.sub("", source).strip().splitlines() for source in (one, other)]
    return [line.rstrip() for line in lines[0]] == [line.rstrip() for line in lines[1]]


_MOST_LEFT_ON = 12
"""Words of a process about what a cell left on; `modes` knows fewer."""


def _under(row: Row, left_on: Mapping[str, str]) -> Row:
    """Where points were lost and an earlier cell had left something on, say so: the answer may be right without it."""
    if not left_on or row.points == row.max_points or row.status == NOT_STARTED:
        return row
    told = "; ".join(f"{_called(key)} had left {word}" for word, key in left_on.items())
    return replace(row, reason=f"{row.reason.rstrip('.')}. {told}, and this answer's cell ran so".strip(". "))


def _stands_above(task: Task, keys: Sequence[str]) -> bool:
    """Whether a check stands above the answer that it checks."""
    both = task.check_cell in keys and task.answer_cell in keys
    return both and keys.index(task.check_cell) < keys.index(task.answer_cell)


@dataclass
class _Work:
    """One submission on its way."""

    learner: str
    process: Process
    second: Process
    """For answers by themselves; it is not started before one is asked for."""
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
    left_on: dict[str, str] = field(default_factory=dict)
    """What a cell left switched on for all that come after it (see `modes`), and which cell."""
    word: dict[str, str] = field(default_factory=dict)
    """Item to why a report about its answer is only the process's word, though it was to be judged alone."""
    changed_checks: list[str] = field(default_factory=list)
    """Cells of checks into which the learner wrote."""
    judged_without: dict[str, str] = field(default_factory=dict)
    """All that was switched on while some item was judged."""

    def __post_init__(self) -> None:
        theirs = "\n".join((*self.release.locked.values(), *self.release.play))
        names = {name for node in ast.walk(ast.parse(theirs)) for name in names_bound(node)}
        self.released_names = frozenset(names)
        self.reader = Reader(self.released_names)
        self.ran: list[str] = []

    def read(self, key: str, source: str) -> None:
        """Read a cell before it runs: once something is not plain, reports of this process are only its word."""
        if self.beyond or source in self.release.play or source == self.release.locked.get(key):
            return
        if what := self.reader.beyond(source):
            self.beyond = f"{_called(key)} has {what}"

    def run(self, cells: tuple[Cell, ...]) -> None:
        """Run the cells, and judge each item where its check cell stands, or after its answer if none stands below it.

        What comes after the last check changes no points and is not run, unless an answer is still to come.
        """
        keys = [cell.key for cell in cells]
        late = {task.check_cell for task in self.release.tasks if _stands_above(task, keys)}
        checks = {task.check_cell: task for task in self.release.tasks if task.check_cell not in late}
        unchecked = {task.answer_cell: task for task in self.release.tasks if task.check_cell not in {*keys} - late}
        answers = {task.answer_cell: task for task in self.release.tasks}
        first = min((keys.index(key) for key in answers if key in keys), default=len(keys))
        for name, source in self.release.locked.items():
            if name not in keys[:first]:
                self.cell(name, source)
        for place, cell in enumerate(cells):
            if cell.key in checks:
                self.own_in_check(checks[cell.key], cell)
                self.judge(checks[cell.key])
            elif cell.key in late:
                continue
            elif not cell.is_code and cell.key in answers:
                self.failed[cell.key] = _Failed("is no code cell", "")
            elif cell.is_code and self.matters(cells[place:]) and not self.untouched(answers.get(cell.key), cell):
                self.cell(cell.key, self.release.locked.get(cell.key, cell.source))
                if cell.key in unchecked:
                    self.judge(unchecked[cell.key])
                self.judge_again(cell)
        for task in self.release.tasks:
            self.judge(task)

    def matters(self, cells: Sequence[Cell]) -> bool:
        """Whether what is left of a notebook can change points: some item is not judged, or has no answer as yet."""
        if len(self.rows) < len(self.items):
            return True
        open_names = {name for task in self.release.tasks if self.is_open(task) for name in task.names}
        return any(cell.is_code and open_names.intersection(defined_in(cell.source)) for cell in cells)

    def is_open(self, task: Task) -> bool:
        """Whether an item was judged, and there was no answer."""
        row = self.rows.get(task.item)
        return row is not None and (row.status in (MISSING, NOT_STARTED))

    def untouched(self, task: Task | None, cell: Cell) -> bool:
        """Whether a cell is an answer's as it was released, and the answer stands somewhere above it already."""
        if task is None or not _same(cell.source, task.released):
            return False
        return any(set(task.names).intersection(defined_in(source)) for source in self.ran if source != cell.source)

    def own_in_check(self, task: Task, cell: Cell) -> None:
        """Run what a learner wrote into the cell of a check; the check itself is an empty one in there."""
        if cell.is_code and not _same(cell.source, task.check) and task.item not in self.rows:
            self.cell(cell.key, cell.source)
            self.outputs.pop(cell.key, None)
            self.changed_checks.append(cell.key)

    def judge_again(self, cell: Cell) -> None:
        """Judge items that had no answer where their checks stood, once a cell below gives them one."""
        for task in self.release.tasks:
            if self.is_open(task) and set(task.names).intersection(defined_in(cell.source)):
                del self.rows[task.item]
                self.judge(task)

    def cell(self, key: str, source: str) -> None:
        """Run one cell. One that ends Python is left out, and the earlier ones run again before the next."""
        self.read(key, source)
        limit_s = self.process.limits.cell_s
        if key not in self.release.locked:
            self.ran.append(source)
        try:
            answer = self.process.ask({"cell": source}, limit_s)
        except LateError:
            self.process.done.append(source)
            self.stopped(key, f"did not end within {limit_s:g} seconds and was interrupted")
            with suppress(LateError, StoppedError):  # or the next cell would be named for what this one left on
                self.note_left_on(key, self.process.ask({"cell": ""}, limit_s).get("left_on"))
            return
        except StoppedError as error:
            self.stopped(key, f"{error}; it was left out, and the cells before it ran again")
            return
        self.process.done.append(source)
        self.outputs[key] = _outputs(answer)
        self.note_left_on(key, answer.get("left_on"))
        limits, raised = self.process.limits, answer.get("error")
        why = refused(f"{raised.get('kind')}: {raised.get('message')}", limits) if isinstance(raised, dict) else ""
        self.failed.pop(key, None)
        if isinstance(raised, dict) and raised.get("kind") != "NotImplementedError":
            self.failed[key] = _raised(raised, why)
        if answer.get("cut"):
            self.events.append(f"{_called(key)} printed more than {limits.output_kb} KB; the rest was left out")
        if why:
            self.events.append(f"{_called(key)} {why}, and got an error")

    def note_left_on(self, key: str, words: Any) -> None:
        """Remember which cell left what switched on; the words are the learner's process's own."""
        told = [clipped(word, longest=60) for word in words if isinstance(word, str)] if isinstance(words, list) else []
        self.left_on = {word: self.left_on.get(word, key) for word in told[:_MOST_LEFT_ON]}

    def notes(self) -> tuple[str, ...]:
        """What a teacher may want to know about the cells that ran."""
        without = [
            f"{_called(key)} left {word}. The cells after it ran so; items were judged as if it had not."
            for word, key in self.judged_without.items()
        ]
        changed = [f"{_called(key)}, a check, was changed; what stands in it ran." for key in self.changed_checks]
        return (*without, *changed, *self.marked())

    def marked(self) -> tuple[str, ...]:
        """A note where points rest on the process's word, and on what in the answers they do so."""
        points = sum(row.reported_points for row in self.rows.values())
        if not points:
            return ()
        why = [f"{item} ({self.word.get(item, self.beyond)})" for item, row in self.rows.items() if row.reported]
        return (f"Points that are only the word of the learner's own process: {points:g}. Look at {', '.join(why)}.",)

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
        if row.reported:
            row = self.checked_alone(task, row)
        failed = self.failed.get(task.answer_cell)
        row = _because(row, failed) if failed else row
        self.judged_without |= {word: key for word, key in self.left_on.items() if word not in self.judged_without}
        self.rows[task.item] = _under(row, self.left_on)

    def checked_alone(self, task: Task, row: Row) -> Row:
        """Where some cell could have forged a report, ask a process in which this answer ran and nothing else did.

        If all that the answer needs is plain, what holds there is more than the word of the learner's own process.
        """
        source = definitions(task.names, self.ran)
        beyond = Reader(self.released_names).beyond(source) if source else ""
        if not source or beyond:
            self.word[task.item] = f"it has {beyond}" if beyond else self.beyond
            return row
        try:
            setup = () if self.second.done else tuple(self.release.locked.values())
            for cell in (*setup, source):
                self.second.ask({"cell": cell}, self.second.limits.cell_s)
                self.second.done.append(cell)
        except (LateError, StoppedError):
            return row
        item = self.items[task.item]
        again = judge_item(self.second, task, item, seed=self.seed, learner=self.learner, plain=True)
        held, held_here = ({fact.key for fact in each.facts if fact.passed} for each in (again, row))
        if not held_here <= held:  # both have to say the same of the same answer
            self.word[task.item] = f"less holds where only this answer runs; {self.beyond}"
            return row
        return replace(row, facts=tuple(replace(fact, reported=False) for fact in row.facts), reported_points=0.0)


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

"""How far a learner has come: read from a notebook that was run, item by item, with every cell that stopped."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from camwidget.course.report import LONGEST_VALUE, REPORT_MIME
from camwidget.course.selfstudy.materials import item_in, points_of, tasks
from camwidget.errors import clipped

if TYPE_CHECKING:  # a hint does not wait for it
    from nbformat import NotebookNode

DONE, OPEN, WRONG = "done", "not started", "wrong"
"""The states of an item."""

_NO_CHECK = "its check is no longer in the notebook; `camwidget reset {item}` puts it back"
_NO_REPORT = "its check shows nothing: it has to end with .score()"
_UNWRITTEN = "NotImplementedError"


@dataclass(frozen=True)
class ItemProgress:
    """The progress on one item."""

    item: str
    """Its name."""
    state: str
    """`DONE`, `OPEN` or `WRONG`."""
    points: float
    """Points earned."""
    max_points: float
    """Points there are."""
    reason: str = ""
    """What is wrong, in a sentence; empty unless it is wrong."""


@dataclass(frozen=True)
class NotebookProgress:
    """The progress in one notebook."""

    path: Path
    """The learner's file; it is never written to."""
    items: tuple[ItemProgress, ...]
    """In the order of the notebook."""
    broken: tuple[str, ...]
    """A sentence for each cell that stopped and belongs to no item."""
    seconds: float
    """How long it took."""
    cells_run: int = 0
    """How many of its cells had to be run."""

    @property
    def right(self) -> bool:
        """Whether every item is done and no cell is broken."""
        return not self.broken and all(item.state == DONE for item in self.items)

    @property
    def next(self) -> ItemProgress | None:
        """The first item that is not done; None if all are."""
        return next((item for item in self.items if item.state != DONE), None)

    @property
    def summary(self) -> str:
        """How many items are done, the points, and the time, in a line."""
        done = sum(item.state == DONE for item in self.items)
        earned, most = sum(item.points for item in self.items), sum(item.max_points for item in self.items)
        return f"{done} of {len(self.items)} items done, {earned:g} of {most:g} points; {self.seconds:.1f} s"


@dataclass(frozen=True)
class _Stop:
    """A cell that stopped and is no check."""

    why: str
    """The error, or why the cell could not be run."""
    sentence: str
    """The same with the cell it was in, for the learner."""

    @property
    def unwritten(self) -> bool:
        """Whether it stopped because the answer is not written yet."""
        return self.why.startswith(_UNWRITTEN)


def read_progress(
    cells: Sequence["NotebookNode"], lost: Mapping[int, str], *, item: str = ""
) -> tuple[tuple[ItemProgress, ...], tuple[str, ...]]:
    """Read the progress on each item, and what else stopped, from a notebook that was run.

    Args:
        cells: all its cells, with their outputs.
        lost: index of each cell that could not be run, and why.
        item: the one item that was asked for; empty for all.

    Returns:
        The items, those whose check is gone at the end; and a sentence per broken cell.
    """
    items: dict[str, ItemProgress] = {}
    broken: list[_Stop] = []
    since: list[_Stop] = []  # what stopped after the last check
    code = [(index, cell) for index, cell in enumerate(cells) if cell.cell_type == "code"]
    for number, (index, cell) in enumerate(code, 1):
        why = lost.get(index) or _error_in(cell)
        if name := item_in(cell.source):
            items[name] = _item_progress(name, cell, why, since)
            broken += since
            since = []
        elif why and "raises-exception" not in cell.metadata.get("tags", []):
            where = f"cell [{number}], `{_first_line(cell.source)}`"
            since.append(_Stop(why, f"{where}: {clipped(why, longest=LONGEST_VALUE)}"))
    if item:
        return (items[item],), ()
    assignments = {name.partition(".")[0] for name in items}
    for name, task in tasks().items():
        if name.partition(".")[0] in assignments and name not in items:
            items[name] = ItemProgress(name, WRONG, 0.0, task.points, _NO_CHECK.format(item=name))
    return tuple(items.values()), tuple(stop.sentence for stop in broken + since if not stop.unwritten)


def _item_progress(name: str, cell: "NotebookNode", why: str, since: list[_Stop]) -> ItemProgress:
    """The progress that a check cell shows. A stop before it that explains it is taken out of `since`."""
    outputs = (output.get("data", {}) for output in cell.get("outputs", []))
    report: Mapping[str, Any] = next((data[REPORT_MIME] for data in outputs if REPORT_MIME in data), {})
    most = float(report["max_points"]) if report else points_of(cell.metadata)
    if report and report["right"]:
        return ItemProgress(name, DONE, most, most)
    if report and report["started"]:
        return ItemProgress(name, WRONG, float(report["points"]), most, _reason(report))
    if since and (report or why):  # the cell that was to give the answer stopped
        stop = since.pop()
        state, reason = (OPEN, "") if stop.unwritten else (WRONG, stop.sentence)
        return ItemProgress(name, state, 0.0, most, reason)
    if report:
        return ItemProgress(name, OPEN, 0.0, most)
    reason = f"the check stopped: {clipped(why, longest=LONGEST_VALUE)}" if why else _NO_REPORT
    return ItemProgress(name, WRONG, 0.0, most, reason)


def _reason(report: Mapping[str, Any]) -> str:
    """The first thing that does not hold, in a line."""
    fact = next((fact for fact in report["facts"] if not fact["passed"] and fact["tried"]), None)
    if report["stopped"]:
        sentences = [report["stopped"]]
    else:
        sentences = [f"wanted: {fact['says']}", fact["likely"], report["note"]] if fact else [report["note"]]
    line = ". ".join(" ".join(sentence.split()).rstrip(".") for sentence in sentences if sentence)
    return clipped(line, longest=LONGEST_VALUE)


def _error_in(cell: "NotebookNode") -> str:
    outputs = (output for output in cell.get("outputs", []) if output.output_type == "error")
    error = next((f"{output.ename}: {' '.join(output.evalue.split())}" for output in outputs), "")
    # From Python 3.13 on, a cell that breaks off in the middle raises a SyntaxError with a name of Python's own.
    error = error.replace("_IncompleteInputError:", "SyntaxError:", 1)
    return re.sub(r"\(\d+\.py, line", "(line", error)  # a cell's file has a number for a name


def _first_line(source: str) -> str:
    return clipped(next((line.strip() for line in source.splitlines() if line.strip()), ""), longest=40)

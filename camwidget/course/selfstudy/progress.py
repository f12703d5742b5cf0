"""How far a learner has come: each item of a notebook that was run, and each cell that stopped."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from camwidget.course.report import LONGEST, REPORT_MIME
from camwidget.course.selfstudy.materials import item_in, points_of, tasks
from camwidget.errors import clipped

DONE, OPEN, WRONG = "done", "not started", "wrong"
"""How an item can stand."""

_NO_CHECK = "its check is no longer in the notebook; `camwidget start` puts a fresh copy into another folder"
_UNWRITTEN = "NotImplementedError"


@dataclass(frozen=True)
class Standing:
    """How one item stands."""

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
class Progress:
    """How one notebook stands."""

    path: Path
    """The learner's file; it is never written to."""
    standings: tuple[Standing, ...]
    """One per item, in the order of the notebook."""
    broken: tuple[str, ...]
    """A sentence for each cell that stopped and belongs to no item."""
    seconds: float
    """How long it took."""

    @property
    def right(self) -> bool:
        """Whether every item is done and no cell is broken."""
        return not self.broken and all(each.state == DONE for each in self.standings)

    def lines(self) -> Iterator[str]:
        """Tell it in lines of text."""
        yield str(self.path)
        width = max((len(each.item) for each in self.standings), default=0)
        for each in self.standings:
            points = f"{each.points:g} of {each.max_points:g}"
            yield f"  {each.state:<11}  {each.item:<{width}}  {points:>8}  {each.reason}".rstrip()
        yield from (f"  {told}" for told in self.broken)
        done = sum(each.state == DONE for each in self.standings)
        earned, most = (sum(getattr(each, name) for each in self.standings) for name in ("points", "max_points"))
        yield f"  {done} of {len(self.standings)} items done, {earned:g} of {most:g} points; {self.seconds:.0f} s"


@dataclass(frozen=True)
class _Stop:
    """A cell that stopped and is no check."""

    what: str
    """The error, or why the cell could not be run."""
    told: str
    """The same with where it was, for the learner."""

    @property
    def unwritten(self) -> bool:
        """Whether it stopped because nobody has written the answer yet."""
        return self.what.startswith(_UNWRITTEN)


def standings(cells: Sequence[NotebookNode], lost: Mapping[int, str]) -> tuple[tuple[Standing, ...], tuple[str, ...]]:
    """Read off a notebook that was run how its items stand, and what else stopped in it.

    Args:
        cells: all its cells, with their outputs.
        lost: index of each cell that could not be run, and why.

    Returns:
        A standing per item, those whose check is gone at the end; and a sentence per broken cell.
    """
    found: dict[str, Standing] = {}
    broken: list[_Stop] = []
    since: list[_Stop] = []  # what stopped after the last check
    code = [(index, cell) for index, cell in enumerate(cells) if cell.cell_type == "code"]
    for number, (index, cell) in enumerate(code, 1):
        what = lost.get(index) or _error_in(cell)
        if item := item_in(cell.source):
            found[item] = _standing(item, cell, what, since)
            broken += since
            since = []
        elif what and "raises-exception" not in cell.metadata.get("tags", []):
            since.append(
                _Stop(what, f"cell [{number}], `{_first_line(cell.source)}`: {clipped(what, longest=LONGEST)}")
            )
    assignments = {item.partition(".")[0] for item in found}
    for name, task in tasks().items():
        if name.partition(".")[0] in assignments and name not in found:
            found[name] = Standing(name, WRONG, 0.0, task.points, _NO_CHECK)
    return tuple(found.values()), tuple(stop.told for stop in broken + since if not stop.unwritten)


def _standing(item: str, cell: NotebookNode, what: str, since: list[_Stop]) -> Standing:
    """How an item stands by its check cell. A stop before it that explains it is taken out of `since`."""
    outputs = (output.get("data", {}) for output in cell.get("outputs", []))
    report: Mapping[str, Any] = next((data[REPORT_MIME] for data in outputs if REPORT_MIME in data), {})
    most = float(report["max_points"]) if report else points_of(cell.metadata)
    if report and report["right"]:
        return Standing(item, DONE, most, most)
    if report and report["started"]:
        return Standing(item, WRONG, float(report["points"]), most, _reason(report))
    if since and (report or what):  # the cell that was to give the answer stopped
        stop = since.pop()
        return Standing(item, OPEN, 0.0, most) if stop.unwritten else Standing(item, WRONG, 0.0, most, stop.told)
    if report:
        return Standing(item, OPEN, 0.0, most)
    told = (
        f"the check stopped: {clipped(what, longest=LONGEST)}"
        if what
        else "its check shows nothing: it has to end with .score()"
    )
    return Standing(item, WRONG, 0.0, most, told)


def _reason(report: Mapping[str, Any]) -> str:
    """The first thing that does not hold, in a line."""
    fact = next((each for each in report["facts"] if not each["passed"] and each["tried"]), None)
    told = [report["stopped"]]
    if not report["stopped"]:
        told = [f"not yet: {fact['says']}", fact["likely"], report["note"]] if fact else [report["note"]]
    return clipped(". ".join(" ".join(each.split()).rstrip(".") for each in told if each), longest=LONGEST)


def _error_in(cell: NotebookNode) -> str:
    errors = (output for output in cell.get("outputs", []) if output.output_type == "error")
    # From Python 3.13 on, a cell that breaks off in the middle raises a SyntaxError with a name of Python's own.
    told = next((f"{each.ename}: {' '.join(each.evalue.split())}" for each in errors), "")
    told = told.replace("_IncompleteInputError:", "SyntaxError:", 1)
    return re.sub(r"\(\d+\.py, line", "(line", told)  # a cell's file has a number for a name


def _first_line(source: str) -> str:
    return clipped(next((line.strip() for line in source.splitlines() if line.strip()), ""), longest=40)

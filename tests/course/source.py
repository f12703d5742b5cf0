"""The source notebooks under solutions/, read as code: what comes before an item, its solution, what is handed in."""

import json
import linecache
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from camwidget.course.calling import described
from camwidget.course.check import judged
from camwidget.course.items import ASSIGNMENTS, find_item
from camwidget.course.report import Report
from camwidget.course.selfstudy.materials import tasks
from tests.house.repository import ROOT

SOLUTIONS = ROOT / "solutions"
WRITTEN = tuple(name for name in ASSIGNMENTS if (SOLUTIONS / name / f"{name}.ipynb").is_file())
"""The assignments that have a source notebook."""

_CHECK = re.compile(r'^cw\.check\("(?P<item>[\w.]+)", (?P<answers>.+)\)\.score\(\)$', re.MULTILINE)
_HEAD = re.compile(
    r"(?:question (?P<question>\d+) · )?difficulty (?P<stars>[●○]{3}) \((?P<difficulty>[123]) of 3\)"
    r" · about (?P<minutes>\d+) minutes · \d+ points?"
)
_SOLUTION = re.compile(r"^(?P<indent>[ \t]*)### BEGIN SOLUTION\n.*?^[ \t]*### END SOLUTION$", re.MULTILINE | re.DOTALL)

# As nbgrader's kernel has it: the hidden checks are found beside the solutions.
if str(SOLUTIONS) not in sys.path:
    sys.path.append(str(SOLUTIONS))


@dataclass(frozen=True)
class Question:
    """One item in its notebook."""

    name: str
    answers: str
    """What is handed in, as an expression."""
    solution: str
    """The answer cell of the source notebook."""
    before: tuple[str, ...]
    """Every code cell before it."""

    @property
    def unsolved(self) -> str:
        """The answer cell as a learner gets it."""
        return _SOLUTION.sub(r"\g<indent># YOUR CODE HERE\n\g<indent>raise NotImplementedError()", self.solution)


@cache
def questions(assignment: str) -> Mapping[str, Question]:
    """Item name to where it stands in the assignment's source notebook."""
    notebook = json.loads((SOLUTIONS / assignment / f"{assignment}.ipynb").read_text(encoding="utf-8"))
    before: list[str] = []
    found: dict[str, Question] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        about = cell["metadata"].get("nbgrader", {})
        if about.get("grade") and not about.get("solution"):
            matched = _CHECK.search(source)
            assert matched is not None, f"{cell['id']} checks nothing"
            *earlier, solution = before
            found[matched["item"]] = Question(matched["item"], matched["answers"], solution, tuple(earlier))
        elif about.get("solution") or about.get("locked"):  # a cell to play with changes nothing that is checked
            before.append(source)
    return found


@dataclass(frozen=True)
class Head:
    """What the first line of a task says of its item; nothing else in the repository says it."""

    question: int | None
    """Number of the question in the chapter's questionnaire, if the item mirrors one."""
    stars: str
    """The difficulty, drawn."""
    difficulty: int
    """1 (easy) to 3."""
    minutes: int
    """About how long it takes."""


def head_of(item: str) -> Head:
    """Read the head of an item's task, as learners and the command get it."""
    matched = _HEAD.fullmatch(tasks()[item].about)
    assert matched is not None, f"the head of {item} says {tasks()[item].about!r}"
    question = int(matched["question"]) if matched["question"] else None
    return Head(question, matched["stars"], int(matched["difficulty"]), int(matched["minutes"]))


@cache
def namespace_before(item: str) -> Mapping[str, Any]:
    """What the notebook's cells have defined when the item's answer cell runs, with every earlier item solved."""
    question = questions(item.partition(".")[0])[item]
    namespace: dict[str, Any] = {"__name__": "__main__"}
    previous = next((each for each in _in_order(item) if each.before == question.before[:-1]), None)
    if previous is not None:
        namespace = {**namespace_before(previous.name)}
        _run(question.before[-1], namespace)
        return namespace
    for source in question.before:
        _run(source, namespace)
    return namespace


def _in_order(item: str) -> list[Question]:
    return list(questions(item.partition(".")[0]).values())


def _run(code: str, namespace: dict[str, Any]) -> None:
    """Run a cell so that tracebacks find its lines."""
    name = f"<cell {hash(code)}>"
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    exec(compile(code, name, "exec"), namespace)


def handed_in(item: str, code: str) -> tuple[Any, ...]:
    """The objects that a learner with this answer cell hands in."""
    namespace = {**namespace_before(item)}
    _run(code, namespace)
    answers: tuple[Any, ...] = eval(f"({questions(item.partition('.')[0])[item].answers},)", namespace)
    return answers


@cache
def report_on(item: str, code: str, *, hidden: bool = False) -> Report | str:
    """What the item's check says of an answer cell; what the cell itself raised, where it does not even run."""
    try:
        answers = handed_in(item, code)
    except Exception as raised:  # noqa: BLE001 (a learner's cell may raise anything)
        return described(raised)
    return judged(find_item(item, hidden=hidden), answers, hidden=hidden)


def told(report: Report | str) -> str:
    """All that a learner reads in a report."""
    return report if isinstance(report, str) else repr(report)


def is_right(report: Report | str) -> bool:
    """Whether an answer earned every point."""
    return isinstance(report, Report) and report.right


def is_named(report: Report | str) -> bool:
    """Whether a report on a wrong answer says which mistake it is, and not only where to look."""
    if isinstance(report, str):
        return "in your line" in report
    named = any(fact.likely and not fact.vague for fact in report.facts if not fact.passed and fact.tried)
    return named or "Likely: " in report.stopped or (not report.started and not report.stopped)

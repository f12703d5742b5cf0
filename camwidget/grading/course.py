"""What grading an assignment needs: what was released, the hidden checks, and the class's secret seed."""

import ast
import hashlib
import importlib
import json
import sys
import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import camwidget
from camwidget.course.items import Item, items_of
from camwidget.course.order import ASSIGNMENTS
from camwidget.course.selfstudy.materials import folder_of
from camwidget.errors import CourseError, three_parts
from camwidget.grading.limits import Limits
from camwidget.grading.records import ClassRecord


@dataclass(frozen=True)
class Task:
    """One item as the released notebook asks for it."""

    item: str
    """Such as "hooks.q5"."""
    names: tuple[str, ...]
    """What is handed in, by the names that the answer cell defines."""
    answer_cell: str
    """Its `grade_id`."""
    check_cell: str
    """That of the check cell."""
    released: str
    """The answer cell as learners got it."""
    check: str
    """The check cell as learners got it."""


@dataclass(frozen=True)
class Release:
    """A released notebook, as far as grading needs it."""

    tasks: tuple[Task, ...]
    """In its order."""
    locked: Mapping[str, str]
    """`grade_id` to source of the code cells that learners are not to change, check cells left out."""
    play: frozenset[str]
    """Sources of the code cells that are neither graded nor locked."""


@dataclass(frozen=True)
class Course:
    """What is the same for all submissions of a run. Plain values: it goes to other processes and machines."""

    hidden: Mapping[str, str]
    """Module name to source of the hidden checks."""
    seed: int
    """The class's secret one."""
    limits: Limits
    contained: bool
    """Whether learners' code runs in the sandbox."""
    keep_out: tuple[str, ...] = ()
    """Folders that no learner's code is to see, even if they lie among what the sandbox lets in."""
    grader: str = field(init=False)
    """A digest of everything that marks depend on besides what was handed in, on the machine where this was made."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "grader", self._digest())

    def _digest(self) -> str:
        package = Path(camwidget.__file__).parent
        ours = {
            str(path.relative_to(package)): path.read_text(encoding="utf-8") for path in sorted(package.rglob("*.py"))
        }
        released = {name: _released(name) for name in ASSIGNMENTS}
        whole = [ours, released, dict(self.hidden), self.seed, asdict(self.limits), self.contained]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()

    def is_of_this_machine(self) -> bool:
        """Return whether marks depend on the same things here as where this was made."""
        return self.grader == self._digest()

    def items(self, assignment: str) -> Mapping[str, Item]:
        """Return the hidden checks of an assignment, and make their module importable.

        Args:
            assignment: such as "hooks".

        Raises:
            CourseError: they are not among `hidden`, or not sound.
        """
        name = f"hidden_{assignment}"
        source = self.hidden.get(name)
        if source is None:
            raise CourseError(_no_checks(f"The hidden checks of {assignment!r} are not there"))
        known = sys.modules.get(name)
        if known is None or getattr(known, "__graded_source__", None) != source:
            module = types.ModuleType(name)
            vars(module).update(__graded_source__=source, __file__=f"<{name}>")
            importlib.import_module(f"camwidget.course.assignments.{assignment}.items")
            exec(compile(source, f"<{name}>", "exec"), vars(module))
            sys.modules[name] = module
        return items_of(assignment, hidden=True)


def hidden_checks(folder: Path) -> dict[str, str]:
    """Read the hidden checks.

    Args:
        folder: where `hidden_<assignment>.py` lie, beside the solutions.

    Raises:
        CourseError: there is none.
    """
    found = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("hidden_*.py"))}
    if not found:
        raise CourseError(_no_checks(f"There are no hidden checks in {str(folder)!r}"))
    return found


def _no_checks(given: str) -> str:
    allowed = "They are files hidden_<assignment>.py, beside the solutions in camwidget's repository"
    return three_parts(given, allowed, "Run this in the repository, or name their folder with --checks")


def _released(assignment: str) -> str:
    return (folder_of("exercises") / assignment / f"{assignment}.ipynb").read_text(encoding="utf-8")


def release_of(assignment: str) -> Release:
    """Return what was released.

    Args:
        assignment: such as "hooks".
    """
    tasks: list[Task] = []
    locked: dict[str, str] = {}
    play: set[str] = set()
    answer: tuple[str, str] = ("", "")
    for cell in json.loads(_released(assignment))["cells"]:
        about: Mapping[str, Any] = cell["metadata"].get("nbgrader", {})
        source = "".join(cell["source"])
        if cell["cell_type"] != "code":
            continue
        if not about:
            play.add(source)
            continue
        name = str(about["grade_id"])
        if about["solution"]:
            answer = (name, source)
        elif about["grade"]:
            item, names = _checked(source)
            tasks.append(Task(item, names, answer[0], name, answer[1], source))
        elif about["locked"]:
            locked[name] = source
    return Release(tuple(tasks), locked, frozenset(play))


def stubs_of(record: ClassRecord) -> dict[str, str]:
    """Return the source of each answer cell as it was released, by its item, for the assignments of a run.

    Args:
        record: the run.
    """
    assignments = dict.fromkeys(each.assignment for each in record.graded if each.assignment)
    return {task.item: task.released for name in assignments for task in release_of(name).tasks}


def _checked(source: str) -> tuple[str, tuple[str, ...]]:
    """The item that a check cell checks, and the names handed in."""
    call = next(
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "check"
    )
    item, *names = (each.value if isinstance(each, ast.Constant) else ast.unparse(each) for each in call.args)
    return str(item), tuple(map(str, names))


def seed_name(seed: int) -> str:
    """A name for a secret seed: two runs with the same name had the same one. The seed cannot be found from it.

    Args:
        seed: at most 62 bits.
    """
    return hashlib.pbkdf2_hmac("sha256", str(seed).encode(), b"camwidget", 100_000).hex()[:8]

"""The notebooks and exercises that come with the package: where they are, copies of them, and the hints in them."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from camwidget.course.order import ASSIGNMENTS
from camwidget.errors import CourseError, nearest, three_parts

FOLDERS = ("notebooks", "exercises")
"""What a learner gets: the story, and the course."""
PAGE = "COURSE.md"
"""And the page that leads through both."""

_PACKAGE = Path(__file__).resolve().parents[2]
_CHECK = re.compile(r"""\bcheck\(\s*["'](?P<item>\w+\.\w+)["']""")
_HINT = re.compile(r"<summary>Hint \d: (?P<kind>.+?)</summary>\s*(?P<text>.*?)\s*</details>", re.DOTALL)


@dataclass(frozen=True)
class Task:
    """What a released exercise says about an item."""

    name: str
    """Such as "hooks.q5"."""
    title: str
    """What it is about."""
    points: float
    """What it is worth."""
    about: str
    """Question, difficulty, minutes and points, in a line."""
    hints: tuple[tuple[str, str], ...]
    """Kind and text, from a nudge to almost the answer."""


def folder_of(name: str) -> Path:
    """Return where one of `FOLDERS`, or `PAGE`, is: inside an installed package, or beside it in a working copy.

    Raises:
        CourseError: it is in neither.
    """
    for place in (_PACKAGE / "materials" / name, _PACKAGE.parent / name):
        if place.exists():
            return place
    given = f"This installation of camwidget has no {name}"
    raise CourseError(three_parts(given, "They come with the package", "Install camwidget again"))


def start(target: Path) -> tuple[list[Path], list[Path]]:
    """Copy notebooks, exercises and the course page into a folder; existing files stay as they are.

    Args:
        target: the folder; created if missing.

    Returns:
        The paths copied and the paths left alone, both relative to the folder.

    Raises:
        CourseError: the folder cannot be created or written to.
    """
    copied, left = [], []
    try:
        for name in (PAGE, *FOLDERS):
            source = folder_of(name)
            for path in [source] if source.is_file() else sorted(each for each in source.rglob("*") if each.is_file()):
                inside = name / path.relative_to(source)
                if any(part.startswith((".", "__")) for part in inside.parts):
                    continue
                if (target / inside).exists():
                    left.append(inside)
                    continue
                (target / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target / inside)
                copied.append(inside)
    except OSError as error:
        given = f"The folder {str(target)!r} cannot be used: {error.strerror}"
        raise CourseError(
            three_parts(given, "It has to be a folder that you may write into", "Name a new one")
        ) from error
    return copied, left


@cache
def tasks() -> Mapping[str, Task]:
    """Return every item of the released exercises by its name, in the order of the course."""
    by_name: dict[str, Task] = {}
    for assignment in ASSIGNMENTS:
        path = released(assignment)
        if path.is_file():  # an assignment that is not written yet is not released
            by_name |= _tasks_in(json.loads(path.read_text(encoding="utf-8"))["cells"])
    return by_name


def released(assignment: str) -> Path:
    """Return where the release of an assignment lies."""
    return folder_of("exercises") / assignment / f"{assignment}.ipynb"


def sources(path: Path) -> list[str]:
    """Return the code cells of a notebook; of a file that is damaged, its whole text, so that it is not overlooked."""
    text = path.read_text("utf-8", errors="replace")
    try:
        return [_text(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        return [text.replace('\\"', '"')]


def _tasks_in(cells: list[dict[str, object]]) -> dict[str, Task]:
    """Read the tasks of one release: an item's head and hints are somewhere between the check before it and its own."""
    by_name: dict[str, Task] = {}
    prose: list[str] = []
    for cell in cells:
        source = _text(cell["source"])
        if cell["cell_type"] == "markdown":
            prose.append(source)
        elif name := item_in(source):
            text = "\n".join(prose)
            head = re.search(rf"^## (?P<title>.+)\n+\*{re.escape(name)} · (?P<about>.+)\*$", text, re.MULTILINE)
            hints = tuple((hint["kind"], hint["text"]) for hint in _HINT.finditer(text))
            title, about = (head["title"], head["about"]) if head else (name, "")
            by_name[name] = Task(name, title, points_of(cell["metadata"]), about, hints)
            prose = []
    return by_name


def points_of(metadata: object) -> float:
    """Return the points that nbgrader's metadata gives a cell; 0 if it has none."""
    about = metadata.get("nbgrader", {}) if isinstance(metadata, Mapping) else {}
    points = about.get("points", 0) if isinstance(about, Mapping) else 0
    return float(points) if isinstance(points, int | float) else 0.0


def item_in(source: str) -> str:
    """Return the item that a cell checks; empty if it checks none."""
    matched = _CHECK.search(source)
    return matched["item"] if matched else ""


def _text(source: object) -> str:
    return "".join(source) if isinstance(source, list) else str(source)


def item_named(name: str) -> str:
    """Return the name of an item if it is one.

    Raises:
        CourseError: it is none; the message has the nearest.
    """
    if name not in tasks():
        close = nearest(name, [*tasks(), *ASSIGNMENTS])
        advice = f"Did you mean {' or '.join(map(repr, close))}?" if close else "`camwidget list` shows all of them"
        raise CourseError(three_parts(f"There is no item {name!r}", "Items are named as in the exercises", advice))
    return name


def hint(name: str, *, level: int = 1) -> str:
    """Return a hint, in Markdown, and how many more there are.

    Args:
        name: the item, such as "hooks.q5".
        level: 1 is a nudge; the last is almost the answer.

    Raises:
        CourseError: there is no such item, or no hint of this level.
    """
    task = tasks()[item_named(name)]
    if not 1 <= level <= len(task.hints):
        given = f"Item {name!r} has no hint number {level}"
        raise CourseError(three_parts(given, f"There are hints 1 to {len(task.hints)}", "Begin with --level 1"))
    kind, text = task.hints[level - 1]
    lines = [f"{name} · {task.title}", "", f"Hint {level} of {len(task.hints)}, {kind}:", "", text]
    if level < len(task.hints):
        more = len(task.hints) - level
        lines += ["", f"{more} more: `camwidget hint {name} --level {level + 1}`"]
    return "\n".join(lines)

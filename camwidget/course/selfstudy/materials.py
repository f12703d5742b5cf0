"""The notebooks and exercises that come with the package: where they are, copies of them, and the hints they hold."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from camwidget.errors import CourseError, nearest, three_parts

FOLDERS = ("notebooks", "exercises")
"""What a learner gets: the story, and the course."""

_PACKAGE = Path(__file__).resolve().parents[2]
_CHECK = re.compile(r"""\bcheck\(\s*["'](?P<item>\w+\.\w+)["']""")
_HINT = re.compile(r"<summary>Hint \d: (?P<kind>.+?)</summary>\s*(?P<hint>.*?)\s*</details>", re.DOTALL)


@dataclass(frozen=True)
class Task:
    """What a released exercise tells of an item."""

    name: str
    """Such as "hooks.q5"."""
    title: str
    """What it is about."""
    points: float
    """What it is worth."""
    about: str
    """Difficulty, minutes and points, in a line."""
    hints: tuple[tuple[str, str], ...]
    """Kind and text, from a nudge to almost the answer."""


def folder_of(name: str) -> Path:
    """Return where one of `FOLDERS` lies: in an installed package inside it, in a working copy beside it.

    Raises:
        CourseError: it is in neither place.
    """
    places = [_PACKAGE / "materials" / name, _PACKAGE.parent / name]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        given = f"This installation of camwidget has no {name}"
        raise CourseError(three_parts(given, "They come with the package", "Install camwidget anew"))
    return found


def start(target: Path) -> tuple[list[Path], list[Path]]:
    """Copy notebooks and exercises into a folder; a file that is there already stays as it is.

    Args:
        target: the folder; made if it is not there.

    Returns:
        What was copied and what was left alone, as paths inside the folder.

    Raises:
        CourseError: the folder cannot be made or written into.
    """
    copied, left = [], []
    try:
        for name in FOLDERS:
            source = folder_of(name)
            for path in sorted(each for each in source.rglob("*") if each.is_file()):
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
    """Every item of the released exercises, by its name, in their order."""
    found: dict[str, Task] = {}
    for path in sorted(folder_of("exercises").glob("*/*.ipynb")):
        found |= _tasks_in(json.loads(path.read_text(encoding="utf-8"))["cells"])
    return found


def _tasks_in(cells: list[dict[str, object]]) -> dict[str, Task]:
    """Read tasks off the cells of a release: an item's head and hints stand somewhere before its check."""
    found: dict[str, Task] = {}
    prose: list[str] = []
    for cell in cells:
        source = _text(cell["source"])
        if cell["cell_type"] == "markdown":
            prose.append(source)
        elif (matched := _CHECK.search(source)) is not None:
            name, told = matched["item"], "\n".join(prose)
            head = re.search(rf"^## (?P<title>.+)\n+\*{re.escape(name)} · (?P<about>.+)\*$", told, re.MULTILINE)
            hints = tuple((each["kind"], each["hint"]) for each in _HINT.finditer(told))
            title, about = (head["title"], head["about"]) if head else (name, "")
            found[name] = Task(name, title, points_of(cell["metadata"]), about, hints)
            prose = []
    return found


def points_of(metadata: object) -> float:
    """Return the points that nbgrader's metadata gives a cell; 0 where it has none."""
    about = metadata.get("nbgrader", {}) if isinstance(metadata, Mapping) else {}
    points = about.get("points", 0) if isinstance(about, Mapping) else 0
    return float(points) if isinstance(points, int | float) else 0.0


def item_in(source: str) -> str:
    """Return the item that a cell checks; empty if it checks none."""
    matched = _CHECK.search(source)
    return matched["item"] if matched else ""


def _text(source: object) -> str:
    return "".join(source) if isinstance(source, list) else str(source)


def hint(name: str, *, level: int = 1) -> str:
    """Return a hint in words, and how many more there are.

    Args:
        name: the item, such as "hooks.q5".
        level: 1 is a nudge; the last is almost the answer.

    Raises:
        CourseError: there is no such item, or no hint of this level.
    """
    found = tasks()
    if name not in found:
        close = nearest(name, found)
        advice = f"Did you mean {' or '.join(map(repr, close))}?" if close else "`camwidget list` shows all of them"
        raise CourseError(three_parts(f"There is no item {name!r}", "Items are named as in the exercises", advice))
    task = found[name]
    if not 1 <= level <= len(task.hints):
        given = f"Item {name!r} has no hint number {level}"
        raise CourseError(three_parts(given, f"There are hints 1 to {len(task.hints)}", "Begin with --level 1"))
    kind, text = task.hints[level - 1]
    lines = [f"{name} · {task.title}", f"Hint {level} of {len(task.hints)}, {kind}:", "", text]
    if level < len(task.hints):
        more = len(task.hints) - level
        lines += ["", f"{more} more: camwidget hint {name} --level {level + 1}"]
    return "\n".join(lines)

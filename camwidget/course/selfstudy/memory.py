"""What the last check found, kept between two commands, and which item is next."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs

from camwidget.course.order import ASSIGNMENTS
from camwidget.course.selfstudy.finding import exercises_under
from camwidget.course.selfstudy.materials import tasks
from camwidget.course.selfstudy.notebook import read
from camwidget.course.selfstudy.progress import DONE, NotebookProgress, read_progress


def remember(progress: NotebookProgress) -> None:
    """Note the states of a notebook's items, in the user's state folder, for this content of the file.

    Args:
        progress: what a check found in the whole notebook.
    """
    known = _remembered()
    states = {item.item: item.state for item in progress.items}
    with suppress(OSError):  # a folder that is read-only; the command then reads what the notebook itself shows
        known[str(progress.path.resolve())] = {"sha256": _digest(progress.path), "states": states}
        _file().parent.mkdir(parents=True, exist_ok=True)
        _file().write_text(json.dumps(known), encoding="utf-8")


def next_item(folder: Path) -> str:
    """Return the first item, in the order of the course, that is not done; empty if all are.

    What the last `camwidget check` found counts as long as the notebook has not been saved since; after that, what the
    notebook's own outputs show.

    Args:
        folder: the learner's exercises are under it.

    Raises:
        CourseError: there are no exercises, or one cannot be read.
    """
    for path in exercises_under(folder):
        states = _states(path)
        first = next((item for item, state in states.items() if state != DONE), "")
        if first:
            return first
    return ""


def next_assignment(done: str) -> str:
    """Return the assignment after this one; empty after the last, or if it is none."""
    names = {item.partition(".")[0] for item in tasks()}
    written = [name for name in ASSIGNMENTS if name in names]
    place = written.index(done) + 1 if done in written else len(written)
    return written[place] if place < len(written) else ""


def _states(path: Path) -> Mapping[str, str]:
    known = _remembered().get(str(path.resolve()))
    if known and known["sha256"] == _digest(path):
        return dict(known["states"])
    items, _ = read_progress(read(path).cells, {})
    return {item.item: item.state for item in items}


def _remembered() -> dict[str, Any]:
    try:
        known = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):  # never written, or damaged: it is only a memory
        return {}
    return known if isinstance(known, dict) else {}


def _file() -> Path:
    return platformdirs.user_state_path("camwidget") / "progress.json"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

"""Submissions: where they lie, what belongs to one, the digest of what was handed in. Nothing is followed or run."""

import base64
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from camwidget.course.order import ASSIGNMENTS
from camwidget.errors import CourseError, three_parts
from camwidget.grading.limits import Limits

MOST_FILES = 200


@dataclass(frozen=True)
class Place:
    """Where one learner's submission of one assignment lies: nbgrader's layout, `SUBMISSIONS/learner/assignment/`."""

    learner: str
    assignment: str
    folder: Path


@dataclass(frozen=True)
class Submission:
    """What one learner handed in for one assignment, read but not understood."""

    learner: str
    assignment: str
    notebook: bytes = b""
    files: Mapping[str, str] = field(default_factory=dict)
    """What was handed in beside the notebook: name to content in base64."""
    digest: str = ""
    problem: str = ""
    """Why there is no notebook; empty if there is one."""
    notes: tuple[str, ...] = ()
    handed_in: str = ""
    """When, in ISO 8601; empty if nobody knows."""


def places_in(submissions: Path) -> list[Place]:
    """Return all submissions in nbgrader's layout, sorted by assignment in the course's order and by learner.

    Args:
        submissions: the folder with a folder for each learner.

    Raises:
        CourseError: there is no such folder, or no submission in it.
    """
    given = f"{str(submissions)!r} is no folder with submissions"
    allowed = f"It has a folder for each learner, with folders in it that are called {', '.join(ASSIGNMENTS)}"
    if not submissions.is_dir():
        raise CourseError(three_parts(given, allowed, "Name the folder, such as grading/submitted"))
    found = [
        Place(learner.name, assignment, learner / assignment)
        for assignment in ASSIGNMENTS
        for learner in sorted(submissions.iterdir())
        if os.path.lexists(learner / assignment) and not learner.name.startswith(".")
    ]
    if not found:
        raise CourseError(three_parts(given, allowed, "Look at what is in there"))
    return found


def read(place: Place, limits: Limits) -> Submission:
    """Read a submission; what cannot be read is a problem in words.

    Args:
        place: where it lies.
        limits: of the notebook and of the files.
    """
    learner, assignment, folder = place.learner, place.assignment, place.folder
    try:
        if folder.parent.is_symlink() or folder.is_symlink():
            return _without(place, "the folder is a link, and nothing says where to")
        if not folder.is_dir():
            return _without(place, "there is no folder where it should be")
        paths = list(_regular_files(folder))
    except OSError as error:
        return _without(place, f"the folder cannot be read: {error.strerror}")
    except _TooManyError:
        return _without(place, f"there are more than {MOST_FILES} files in it")
    notebook, problem, notes = _which(paths, folder, assignment)
    if notebook is None:
        return _without(place, problem)
    size = notebook.stat().st_size
    if size > limits.notebook_mb << 20:
        return _without(place, f"the notebook has {size >> 20} MB; {limits.notebook_mb} are allowed")
    try:
        content = notebook.read_bytes()
        files, more = _others([path for path in paths if path != notebook], folder, limits)
    except OSError as error:
        return _without(place, f"it cannot be read: {error.strerror}")
    digest = hashlib.sha256(json.dumps([assignment, sorted(files.items())]).encode() + content).hexdigest()
    handed_in = _handed_in(folder, notebook)
    return Submission(learner, assignment, content, files, digest, notes=(*notes, *more), handed_in=handed_in)


class _TooManyError(Exception):
    pass


def _without(place: Place, problem: str) -> Submission:
    digest = hashlib.sha256(json.dumps([place.assignment, problem]).encode()).hexdigest()
    return Submission(place.learner, place.assignment, digest=digest, problem=f"It could not be graded: {problem}")


def _regular_files(folder: Path) -> Iterator[Path]:
    """Files in a folder and below. Links are left out, and what is no file: reading a pipe would never end."""
    count = 0
    for root, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in sorted(names):
            count += 1
            if count > MOST_FILES:
                raise _TooManyError
            path = Path(root) / name
            if stat.S_ISREG(path.lstat().st_mode):
                yield path


def _which(paths: list[Path], folder: Path, assignment: str) -> tuple[Path | None, str, tuple[str, ...]]:
    """The notebook, or why there is none, and what a teacher may want to know."""
    notebooks = [path for path in paths if path.suffix == ".ipynb" and path.parent == folder]
    wanted = folder / f"{assignment}.ipynb"
    if wanted in notebooks:
        rest = len(notebooks) - 1
        return wanted, "", (f"{rest} other notebooks were left alone",) if rest else ()
    if len(notebooks) == 1:
        return notebooks[0], "", (f"the notebook is called {notebooks[0].name!r}, not {wanted.name!r}",)
    if wanted.is_symlink():
        return None, "the notebook is a link, and nothing says where to", ()
    if notebooks:
        return None, f"there are {len(notebooks)} notebooks, and none is called {wanted.name!r}", ()
    return None, f"there is no notebook {wanted.name!r}", ()


def _others(paths: list[Path], folder: Path, limits: Limits) -> tuple[dict[str, str], tuple[str, ...]]:
    files: dict[str, str] = {}
    room, left = limits.files_mb << 20, 0
    for path in paths:
        size = path.stat().st_size
        if path.name == "timestamp.txt" or (path.suffix == ".ipynb" and path.parent == folder):
            continue
        if size > room:
            left += 1
            continue
        room -= size
        files[str(path.relative_to(folder))] = base64.b64encode(path.read_bytes()).decode()
    return files, (f"{left} files beside the notebook were too large",) if left else ()


def _handed_in(folder: Path, notebook: Path) -> str:
    try:
        text = (
            (folder / "timestamp.txt").read_text(encoding="utf-8")[:100].strip()
            if _is_file(folder / "timestamp.txt")
            else ""
        )
        if text:
            when = datetime.fromisoformat(text.removesuffix(" UTC").replace(" ", "T", 1))
            return (when if when.tzinfo else when.replace(tzinfo=UTC)).isoformat()
    except (OSError, ValueError):
        pass
    return datetime.fromtimestamp(int(notebook.stat().st_mtime), tz=UTC).isoformat()


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False

"""Which notebooks of a learner are meant: by a path, a folder, an assignment's name, or an item's."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from camwidget.course.order import ASSIGNMENTS
from camwidget.course.selfstudy.materials import item_in, item_named, sources
from camwidget.errors import CourseError, three_parts, typed


@dataclass(frozen=True)
class Wanted:
    """A notebook to check."""

    path: Path
    """The learner's file."""
    item: str = ""
    """The one item of it that was asked for; empty for all."""


def wanted(names: Sequence[str], folder: Path) -> list[Wanted]:
    """Return the notebooks that are meant, each once.

    Args:
        names: paths, folders, assignments ("hooks") or items ("hooks.q5"); without any, all exercises of the folder.
        folder: where assignments are looked for.

    Raises:
        CourseError: there is no such item or assignment, or no notebook of it under the folder.
    """
    found: dict[Wanted, None] = {}
    for name in names:
        path = folder / name
        if path.is_dir() and (name not in ASSIGNMENTS or _has_exercises(path)):
            found |= dict.fromkeys(map(Wanted, exercises_under(path)))
        elif name in ASSIGNMENTS:
            found[Wanted(notebook_of(name, folder))] = None
        elif path.exists() or name.endswith(".ipynb") or "/" in name or "\\" in name:  # as on Windows
            found[Wanted(Path(name))] = None  # whoever reads it says if it is not there
        else:
            found[Wanted(notebook_of(item_named(name).partition(".")[0], folder), name)] = None
    return list(found) or list(map(Wanted, exercises_under(folder)))


def exercises_under(folder: Path) -> list[Path]:
    """Return the notebooks in a folder and its subfolders that check an item, in the order of the course.

    Raises:
        CourseError: there is none.
    """
    exercises = _exercises(folder)
    if not exercises:
        given = f"There are no exercises under {str(folder)!r}"
        raise CourseError(
            three_parts(given, "Exercises are notebooks with checks", "Get them with `camwidget start DIR`")
        )
    return exercises


def notebook_of(assignment: str, folder: Path) -> Path:
    """Return a learner's notebook of an assignment.

    Args:
        assignment: such as "hooks".
        folder: where to look, subfolders included.

    Raises:
        CourseError: there is none, or several.
    """
    found = [path for path in _exercises(folder) if assignment_in(path) == assignment]
    if len(found) == 1:
        return found[0]
    if not found:
        given = f"There is no notebook of {assignment!r} under {str(folder.resolve())!r}"
        advice = "Go to the folder of your course with `cd`, or make one with `camwidget start DIR`"
        raise CourseError(three_parts(given, "An exercise is a notebook with checks", advice))
    given = f"There are several notebooks of {assignment!r}: {', '.join(map(str, found))}"
    raise CourseError(
        three_parts(given, "Only one can be meant", f"Name the file, as in `camwidget check {typed(found[0])}`")
    )


def assignment_in(path: Path) -> str:
    """Return the assignment that most checks of a notebook belong to; empty if it checks nothing."""
    names = [item.partition(".")[0] for item in map(item_in, sources(path)) if item]
    return max(names, key=names.count, default="")


def _exercises(folder: Path) -> list[Path]:
    paths = [path for path in folder.rglob("*.ipynb") if path.is_file() and not _hidden(path.relative_to(folder))]
    found = {path: assignment_in(path) for path in sorted(paths)}
    places = {name: place for place, name in enumerate(ASSIGNMENTS)}
    named = [path for path, assignment in found.items() if assignment]
    return sorted(named, key=lambda path: (places.get(found[path], len(places)), path))


def _has_exercises(folder: Path) -> bool:
    return bool(_exercises(folder))


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)

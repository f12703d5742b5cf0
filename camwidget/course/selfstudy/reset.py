"""Put one item of a learner's notebook back as it came, and keep a copy of the file."""

import json
from copy import deepcopy
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from camwidget.course.selfstudy.materials import item_named, released
from camwidget.errors import CourseError, three_parts


@dataclass(frozen=True)
class Reset:
    """What a reset would do."""

    path: Path
    """The learner's notebook."""
    copy: Path
    """Where the notebook as it is will be kept."""
    lines: int
    """How many lines of the learner's answer go."""
    notebook: dict[str, Any]
    """The notebook with the item as it came."""

    def apply(self) -> None:
        """Keep the copy, then write the notebook.

        Raises:
            CourseError: one of the two files cannot be written; the notebook is then as it was.
        """
        try:
            self.copy.write_bytes(self.path.read_bytes())
            fresh = self.path.with_name(f".{self.path.name}.new")
            fresh.write_text(json.dumps(self.notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            fresh.replace(self.path)  # in one step, so that a notebook is never half written
        except OSError as error:
            given = f"{str(error.filename)!r} cannot be written: {error.strerror}"
            advice = "Give yourself leave to write there, or copy the course with `camwidget start DIR`"
            raise CourseError(three_parts(given, "Notebook and copy lie in one folder", advice)) from error


def reset_of(item: str, path: Path) -> Reset:
    """Return what has to be done to put an item back.

    Args:
        item: such as "hooks.q5".
        path: the learner's notebook.

    Raises:
        CourseError: there is no such item, or the file is not a notebook.
    """
    release = json.loads(released(item_named(item).partition(".")[0]).read_text(encoding="utf-8"))
    try:
        mine: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        cells = [*mine["cells"]]
        places = {_name_of(cell): place for place, cell in enumerate(cells)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        advice = "Make a fresh one with `camwidget start DIR`"
        raise CourseError(three_parts(f"{str(path)!r} is not a notebook", "It was saved by Jupyter", advice)) from error
    stem = item.replace(".", "-").replace("_", "-")
    own = {f"{stem}-{part}" for part in ("task", "hints", "answer", "check")}
    lines, before = 0, -1
    for cell in release["cells"]:
        name = _name_of(cell)
        place = places.get(name)
        if name in own:
            fresh = deepcopy(cell)
            if place is None:  # it was deleted: back behind the cell that comes before it
                cells.insert(before + 1, fresh)
                places = {_name_of(each): at for at, each in enumerate(cells)}
                place = places[name]
            else:
                lines += _learners_lines(cells[place], fresh)
                cells[place] = fresh
        before = place if place is not None else before
    return Reset(path, _free_name(path), lines, mine | {"cells": cells})


def _name_of(cell: dict[str, Any]) -> str:
    """What nbgrader calls a cell, or else its id: an editor may give new ids."""
    return str(cell.get("metadata", {}).get("nbgrader", {}).get("grade_id") or cell.get("id", ""))


def _learners_lines(mine: dict[str, Any], fresh: dict[str, Any]) -> int:
    old, new = ("".join(cell["source"]).splitlines() for cell in (mine, fresh))
    return len([line for line in old if line.strip() and line not in new])


def _free_name(path: Path) -> Path:
    """A name that is taken by nothing, and is no notebook's: `check` would take the copy for an exercise."""
    names = (path.with_name(f"{path.name}.before-reset-{number}") for number in count(1))
    return next(name for name in names if not name.exists())

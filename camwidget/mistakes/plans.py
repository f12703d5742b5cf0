"""Plans to move or drop the files of pictures: they list what they will do, and do nothing before `carry_out`."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import SupportsIndex

from camwidget.errors import DataError, three_parts
from camwidget.given import path as path_of
from camwidget.given import several
from camwidget.maps.arguments import class_index
from camwidget.mistakes.found import Found, refuse_other
from camwidget.mistakes.tags import ROWS_ADVICE


@dataclass(frozen=True)
class Plan:
    """What is to be done with files: nothing is done until `carry_out` is called. Print it first."""

    steps: tuple[tuple[Path, Path], ...]
    """From where to where each file goes."""
    why: str
    """What is done, in a sentence."""

    def __len__(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        shown = [f"  {start} -> {end}" for start, end in self.steps[:20]]
        more = [f"  and {len(self) - 20} more"] if len(self) > 20 else []
        head = f"{self.why}: {len(self)} {'file' if len(self) == 1 else 'files'}. Nothing is done before carry_out()."
        return "\n".join([head, *shown, *more])

    def carry_out(self) -> None:
        """Move the files, as they are listed.

        Raises:
            DataError: a file is not there, one would be replaced, or one cannot be moved. Then all are where they were.
        """
        ends = [end for _, end in self.steps]
        missing = [start for start, _ in self.steps if not start.is_file()]
        taken = [end for end in ends if os.path.lexists(end)] + [end for end in set(ends) if ends.count(end) > 1]
        if missing or taken:
            given = f"{missing[0]} is not there" if missing else f"{taken[0]} would be replaced"
            allowed = "Files are moved only if all of them can be, and none is replaced"
            raise DataError(three_parts(given, allowed, "Make a new plan, or move that file yourself"))
        moved: list[tuple[Path, Path]] = []
        try:
            for start, end in self.steps:
                end.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(start, end)
                moved.append((start, end))
        except OSError as error:
            for before, after in reversed(moved):
                shutil.move(after, before)
            given = f"{start} cannot be moved ({error.strerror or error})"
            allowed = "Both folders must be writable; no file was moved"
            raise DataError(three_parts(given, allowed, "Change that, or choose another folder")) from error


def plan_move(found: Found, rows: Iterable[SupportsIndex], to: SupportsIndex | str) -> Plan:
    """Return the plan to move wrongly labelled pictures into the folder of the class that they are.

    Args:
        found: what `find_mistakes` returned, for a folder with a folder for each class.
        rows: the rows of the pictures.
        to: the class, by its name or its number.

    Raises:
        ClassError: there is no such class.
        DataError: a row is no file, or its file does not lie in the folder of its class.
    """
    refuse_other(found)
    name = found.class_names[class_index(to, found.class_names)]
    steps = []
    for row in _each(rows):
        file, label = found.file(row), str(found.table["true"].loc[row])
        if label not in file.parts[:-1]:
            given = f"{file} does not lie in a folder called {label!r}"
            allowed = "A picture is moved from the folder of one class to that of another"
            raise DataError(three_parts(given, allowed, "Where labels come from elsewhere, change them there"))
        place = len(file.parts) - 2 - file.parts[-2::-1].index(label)
        steps.append((file, Path(*file.parts[:place], name, *file.parts[place + 1 :])))
    return Plan(tuple(steps), f"Move to {name!r}")


def plan_drop(found: Found, rows: Iterable[SupportsIndex], into: str | PathLike[str]) -> Plan:
    """Return the plan to take pictures out of the data: they are moved to another folder, and not deleted.

    Args:
        found: what `find_mistakes` returned.
        rows: the rows of the pictures.
        into: a folder outside of the data.

    Raises:
        DataError: a row is no file, or the folder lies inside of the data.
    """
    refuse_other(found)
    place = path_of(into, "into", try_='Try "~/dropped"', error=DataError).absolute()
    root = Path(found.root).absolute() if found.root else None
    if root is not None and (root.resolve() == place.resolve() or root.resolve() in place.resolve().parents):
        given = f"{place} lies inside of the data"
        raise DataError(three_parts(given, f"It must be outside of {root}", "Choose a folder beside it"))
    files = [found.file(row) for row in _each(rows)]
    ends = [place / (file.relative_to(root) if root is not None else file.name) for file in files]
    return Plan(tuple(zip(files, ends, strict=True)), f"Drop, to {place}")


def _each(rows: Iterable[SupportsIndex]) -> list[int]:
    return list(dict.fromkeys(several(rows, "rows", try_=ROWS_ADVICE, error=DataError)))

"""Names for single pictures, such as "wrong label"; counts of them, and plans to move or drop files."""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from camwidget.errors import DataError, three_parts

USUAL = ("wrong label", "something else in the picture", "a shortcut", "a kind never trained on")
"""Tags that are offered at first; any other word will do as well."""

_LONGEST = 60


class Tags:
    """Which rows have which tag. A picture may have several."""

    def __init__(self) -> None:
        self._rows: dict[str, set[int]] = {}

    def __repr__(self) -> str:
        return f"<Tags: {', '.join(f'{name} {count}' for name, count in self.counts().items()) or 'none'}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tags) and self.as_lists() == other.as_lists()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def add(self, tag: str, rows: Iterable[int]) -> None:
        """Give rows a tag.

        Args:
            tag: any words, up to 60 characters, without ";" since that joins tags in a table.
            rows: the rows.

        Raises:
            DataError: the tag is empty or too long, or has a semicolon in it.
        """
        name = tag.strip() if isinstance(tag, str) else ""
        if not name or len(name) > _LONGEST or ";" in name or not name.isprintable():
            given = f"The tag is {tag!r}"
            allowed = f"A tag is one line of up to {_LONGEST} characters, without a semicolon"
            raise DataError(three_parts(given, allowed, f"Try {USUAL[0]!r}"))
        found = {int(row) for row in rows}
        if found:
            self._rows.setdefault(name, set()).update(found)

    def remove(self, tag: str, rows: Iterable[int]) -> None:
        """Take a tag from rows; those without it stay as they are.

        Args:
            tag: the tag.
            rows: the rows.
        """
        left = self._rows.get(tag, set()) - {int(row) for row in rows}
        self._rows.pop(tag, None)
        if left:
            self._rows[tag] = left

    def replace(self, other: "Tags") -> None:
        """Take over what others say.

        Args:
            other: other tags.
        """
        self._rows = {tag: set(rows) for tag, rows in other.as_lists().items()}

    def of(self, row: int) -> list[str]:
        """Return the tags of a row, in alphabetical order."""
        return sorted(tag for tag, rows in self._rows.items() if row in rows)

    def rows(self, tag: str) -> list[int]:
        """Return the rows that have a tag, in their order."""
        return sorted(self._rows.get(tag, ()))

    def counts(self) -> dict[str, int]:
        """Return each tag with how many rows have it, the most frequent first."""
        return dict(
            sorted(((tag, len(rows)) for tag, rows in self._rows.items()), key=lambda each: (-each[1], each[0]))
        )

    def as_lists(self) -> dict[str, list[int]]:
        """Return each tag with its rows, as JSON can hold them."""
        return {tag: self.rows(tag) for tag in sorted(self._rows)}

    @classmethod
    def from_lists(cls, lists: dict[str, Any]) -> "Tags":
        """Return tags from what `as_lists` returned.

        Raises:
            DataError: a tag is none.
        """
        tags = cls()
        for tag, rows in lists.items():
            tags.add(tag, rows)
        return tags


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
            DataError: a file is not there, or one would be replaced. Then no file is moved.
        """
        ends = [end for _, end in self.steps]
        missing = [start for start, _ in self.steps if not start.is_file()]
        taken = [end for end in ends if end.exists()] + [end for end in set(ends) if ends.count(end) > 1]
        if missing or taken:
            given = f"{missing[0]} is not there" if missing else f"{taken[0]} would be replaced"
            allowed = "Files are moved only if all of them can be, and none is replaced"
            raise DataError(three_parts(given, allowed, "Make a new plan, or move that file yourself"))
        for start, end in self.steps:
            end.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(start, end)


def plan_move(found: Any, rows: Sequence[int], to: str) -> Plan:
    """Return the plan to move wrongly labelled pictures into the folder of the class that they are.

    Args:
        found: what `find_mistakes` returned, for a folder with a folder for each class.
        rows: the rows of the pictures.
        to: the name of the class.

    Raises:
        DataError: there is no such class, a row is no file, or its file does not lie in the folder of its class.
    """
    if to not in found.class_names:
        given = f"There is no class {to!r}"
        raise DataError(three_parts(given, f"Classes are {', '.join(found.class_names)}", "Check the spelling"))
    steps = []
    for row in rows:
        file, label = found.file(row), str(found.table["true"].loc[row])
        if label not in file.parts[:-1]:
            given = f"{file} does not lie in a folder called {label!r}"
            allowed = "A picture is moved from the folder of one class to that of another"
            raise DataError(three_parts(given, allowed, "Where labels come from elsewhere, change them there"))
        place = len(file.parts) - 2 - file.parts[-2::-1].index(label)
        steps.append((file, Path(*file.parts[:place], to, *file.parts[place + 1 :])))
    return Plan(tuple(steps), f"Move to {to!r}")


def plan_drop(found: Any, rows: Sequence[int], into: str | Path) -> Plan:
    """Return the plan to take pictures out of the data: they are moved to another folder, and not deleted.

    Args:
        found: what `find_mistakes` returned.
        rows: the rows of the pictures.
        into: a folder outside of the data.

    Raises:
        DataError: a row is no file, or the folder lies inside of the data.
    """
    place = Path(into).expanduser().absolute()
    root = Path(found.root).absolute() if found.root else None
    if root is not None and (place == root or root in place.parents):
        given = f"{place} lies inside of the data"
        raise DataError(three_parts(given, f"It must be outside of {root}", "Choose a folder beside it"))
    files = [found.file(row) for row in rows]
    ends = [place / (file.relative_to(root) if root is not None else file.name) for file in files]
    return Plan(tuple(zip(files, ends, strict=True)), f"Drop, to {place}")

"""Read a handed-in notebook, whatever it is: cells as plain values, or why there are none."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_CELLS = 1000
LONGEST_SOURCE = 1 << 20
KINDS = ("code", "markdown", "raw")
"""What nbformat 4 knows; in another case of letters Jupyter shows it as broken."""
UNNAMED = "cell-"
"""Begins the key of a cell that the release does not have; its place follows."""


class UnreadableError(Exception):
    """It is no notebook; the message is why, without its full stop."""


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook."""

    key: str
    """`grade_id`, or its own id where that is one of the release's, or `UNNAMED` and its place."""
    is_code: bool
    source: str


def cells_of(content: bytes, known: frozenset[str]) -> tuple[Cell, ...]:
    """Return the cells of a notebook; outputs are left out.

    Args:
        content: of the file.
        known: the `grade_id`s of the release.

    Raises:
        UnreadableError: it is no notebook.
    """
    try:
        notebook = json.loads(content)  # also in UTF-16 and UTF-32, which are seen from the first bytes
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError(_what_it_is(content, error)) from None
    version = notebook.get("nbformat") if isinstance(notebook, dict) else None
    if type(version) is not int:
        raise UnreadableError("it is JSON, but no notebook: it has no nbformat that is a whole number")
    if version < 4:
        import nbformat  # noqa: PLC0415 (takes a second, and hardly any notebook is so old)

        try:
            notebook = nbformat.reads(json.dumps(notebook), as_version=4)
        except Exception as error:  # noqa: BLE001 (a converter stumbles over anything in any way)
            raise UnreadableError(f"it has the old format {version}, and cannot be converted: {error}"[:300]) from None
    elif version > 4:
        raise UnreadableError(f"it has the format {version}, and 4 is the newest that is known")
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise UnreadableError("it has no list of cells")
    if len(cells) > MOST_CELLS:
        raise UnreadableError(f"it has {len(cells)} cells; {MOST_CELLS} are allowed")
    return tuple(_cell(cell, place, known) for place, cell in enumerate(cells))


_BEGINNINGS: Mapping[bytes, str] = {
    b"PK": "it is a zip that is called a notebook; unpack it",
    b"\x1f\x8b": "it is packed, and called a notebook; unpack it",
    b"%PDF": "it is a PDF that is called a notebook",
    b"<": "it is a web page that is called a notebook; save the notebook itself",
}


def _what_it_is(content: bytes, error: Exception) -> str:
    """Why bytes are no notebook, without its full stop."""
    begins = content[:1000].lstrip()
    if not begins and not content.strip():
        return "the file is empty"
    for beginning, what in _BEGINNINGS.items():
        if begins.startswith(beginning) and not begins.startswith(b"<<<<"):
            return what
    if isinstance(error, UnicodeDecodeError):
        return "it is no notebook, or one that was saved in another encoding than UTF-8"
    where = (
        f" ({error.msg.removesuffix(' starting at')} in line {error.lineno})"
        if isinstance(error, json.JSONDecodeError)
        else ""
    )
    return f"it is no notebook, or only a part of one{where}"


def _cell(cell: Any, place: int, known: frozenset[str]) -> Cell:
    if not isinstance(cell, dict):
        raise UnreadableError(f"cell {place + 1} is no cell")
    if cell.get("cell_type") not in KINDS:
        raise UnreadableError(f"cell {place + 1} is neither code nor text")
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise UnreadableError(f"cell {place + 1} has no text")
    if len(source) > LONGEST_SOURCE:
        raise UnreadableError(f"cell {place + 1} has more than {LONGEST_SOURCE >> 20} MB of code")
    metadata = cell.get("metadata")
    about = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    graded = about.get("grade_id") if isinstance(about, Mapping) else None
    key = next(
        (each for each in (graded, cell.get("id")) if isinstance(each, str) and each in known), f"{UNNAMED}{place}"
    )
    return Cell(key, cell.get("cell_type") == "code", source)

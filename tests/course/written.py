"""The notebooks of the assignments as they are committed, with and without solutions, and their cells by name."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tests.course.source import SOLUTIONS
from tests.house.repository import ROOT

EXERCISES = ROOT / "exercises"
# Each is put together here, so that no file contains what is looked for.
MARKERS = ["BEGIN" + " SOLUTION", "END" + " SOLUTION", "HIDDEN" + " TESTS", "MARK" + " SCHEME", "hidden" + "=True"]


def source(assignment: str) -> NotebookNode:
    return nbformat.read(SOLUTIONS / assignment / f"{assignment}.ipynb", as_version=4)


def exercise(assignment: str) -> NotebookNode:
    return nbformat.read(EXERCISES / assignment / f"{assignment}.ipynb", as_version=4)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def cell_of(notebook: NotebookNode, item: str, part: str) -> NotebookNode:
    """One of the cells of an item: its task, hints, answer or check."""
    wanted = f"{item}-{part}".replace(".", "-").replace("_", "-")
    return next(cell for cell in notebook.cells if cell.id == wanted)


def check_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that nbgrader grades by itself."""
    return [
        cell for cell in notebook.cells if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
    ]

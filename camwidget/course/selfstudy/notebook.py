"""Run a learner's notebook and report how far they have come in it."""

import time
import warnings
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from camwidget.course.selfstudy.kernel import Kernel
from camwidget.course.selfstudy.materials import item_in
from camwidget.course.selfstudy.progress import NotebookProgress, read_progress
from camwidget.errors import CourseError, three_parts


def read(path: Path) -> NotebookNode:
    """Read a learner's notebook.

    Raises:
        CourseError: there is no such file, it is not a notebook, or it checks nothing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cells without an id are warned about, and run like others
            notebook = nbformat.read(path, as_version=4)
    except FileNotFoundError as error:
        given = f"There is no file {str(path)!r}"
        raise CourseError(
            three_parts(given, "Name a notebook that is there", "Look with `ls`, or name none")
        ) from error
    except OSError as error:
        given = f"{str(path)!r} cannot be read: {error.strerror}"
        advice = "Without a name, all exercises under the current folder are checked"
        raise CourseError(three_parts(given, "Name a notebook, a file that ends in .ipynb", advice)) from error
    except (nbformat.ValidationError, ValueError, AttributeError, KeyError, TypeError) as error:
        given = f"{str(path)!r} is not a notebook, or only a part of one"
        advice = "Open it in JupyterLab and save it again, or start again with `camwidget start DIR`"
        raise CourseError(three_parts(given, "A notebook is a JSON file that Jupyter wrote", advice)) from error
    if not any(item_in(cell.source) for cell in notebook.cells if cell.cell_type == "code"):
        given = f"{str(path)!r} checks nothing"
        raise CourseError(three_parts(given, 'An exercise has cells with cw.check("…")', "Name one from exercises/"))
    return notebook


def limit_of(seconds: float) -> float:
    """Return a time limit for one cell, in seconds, if it is one.

    Raises:
        CourseError: it is not positive and finite.
    """
    if not 0 < seconds < float("inf"):
        given = f"The limit is {seconds:g} seconds"
        raise CourseError(three_parts(given, "A cell needs some time, and has to end", "Try --limit 60"))
    return seconds


def check_notebook(path: Path, *, kernel: Kernel, item: str = "") -> NotebookProgress:
    """Run a notebook in a kernel and report the progress on each item. The file is not changed.

    Args:
        path: the notebook.
        kernel: for this notebook alone; what it has run before, and nothing has changed for, is not run again.
        item: the one item to run the notebook for, up to its check; empty for all.

    Raises:
        CourseError: see `read`; or the notebook does not check this item.
    """
    notebook, started = read(path), time.monotonic()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    if item:
        checks = [place for place, cell in enumerate(notebook.cells) if item_in(cell.source) == item]
        if not checks:
            given, advice = f"{str(path)!r} does not check {item!r} any more", f"Try `camwidget reset {item}`"
            raise CourseError(three_parts(given, f"It has to have its cell with cw.check({item!r}, …)", advice))
        del notebook.cells[checks[0] + 1 :]
    with tqdm(total=len(notebook.cells), desc=path.name, leave=False, disable=None) as bar:
        lost = kernel.run(notebook, before_cell=lambda index: _move(bar, index))
    seconds = time.monotonic() - started
    return NotebookProgress(path, *read_progress(notebook.cells, lost, item=item), seconds, kernel.cells_run)


def _move(bar: Any, index: int) -> None:
    bar.n = index
    bar.refresh()

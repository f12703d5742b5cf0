"""Run a learner's notebook and report how far they have come in it."""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from camwidget.course.selfstudy.kernel import run
from camwidget.course.selfstudy.materials import item_in
from camwidget.course.selfstudy.progress import NotebookProgress, read_progress
from camwidget.errors import CourseError, three_parts


def exercises_under(folder: Path) -> list[Path]:
    """Return the notebooks in a folder and its subfolders that check an item.

    Raises:
        CourseError: there is none.
    """
    notebooks = sorted(path for path in folder.rglob("*.ipynb") if not _hidden(path.relative_to(folder)))
    exercises = [path for path in notebooks if path.is_file() and "check(" in path.read_text("utf-8", errors="replace")]
    if not exercises:
        given = f"There are no exercises under {str(folder)!r}"
        raise CourseError(
            three_parts(given, "Exercises are notebooks with checks", "Get them with `camwidget start DIR`")
        )
    return exercises


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


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


def check_notebook(path: Path, *, limit_s: float) -> NotebookProgress:
    """Run a notebook in a fresh kernel and report the progress on each item. The file is not changed.

    Args:
        path: the notebook.
        limit_s: seconds that one cell may take.

    Raises:
        CourseError: see `read`.
    """
    notebook, started = read(path), time.monotonic()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with tqdm(total=len(notebook.cells), desc=path.name, leave=False, disable=None) as bar:
        lost = run(notebook, path.resolve().parent, limit_s=limit_s, before_cell=lambda index: _move(bar, index))
    return NotebookProgress(path, *read_progress(notebook.cells, lost), time.monotonic() - started)


def _move(bar: Any, index: int) -> None:
    bar.n = index
    bar.refresh()


def check_when_saved(
    paths: Sequence[Path], check: Callable[[Path], object], changes: Iterator[set[tuple[Any, str]]]
) -> None:
    """Check notebooks again whenever they are saved, until there are no more changes.

    Args:
        paths: the notebooks.
        check: called with each notebook that was saved.
        changes: sets of changes, as `watchfiles.watch` yields them.
    """
    known = {path.resolve(): path for path in paths}
    for changed in changes:
        for path in sorted({Path(name).resolve() for _, name in changed} & known.keys()):
            if path.is_file():
                check(known[path])

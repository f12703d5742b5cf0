"""Notebooks of a toy assignment, whose checks load no PyTorch."""

from collections.abc import Sequence
from pathlib import Path

import nbformat

# Stands in for `cw.check` where the kernel would otherwise load PyTorch only to compare two numbers.
TOY = """\
from camwidget.course.report import Fact, Report

class cw:
    @staticmethod
    def check(name, answer):
        facts = (Fact("it is 1", 2, answer == 1, got=str(answer), likely="it is another number"),)
        return Report(name, "one", facts, started=answer is not None)
"""


def item(number: int, answer: str, name: str = "value") -> list[str]:
    """The two cells of an item: its answer and its check."""
    return [answer, f'cw.check("toy.q{number}", {name}).score()']


def write(path: Path, cells: Sequence[str]) -> Path:
    """Write a notebook of code cells; checks are worth two points."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    for cell in notebook.cells:
        if "cw.check" in cell.source and "class cw" not in cell.source:
            cell.metadata["nbgrader"] = {"points": 2}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path

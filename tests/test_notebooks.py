"""The story notebooks run from the top, and their committed outputs are the ones they give."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tests.notebooks import NOTEBOOKS, executed


def texts(notebook: NotebookNode) -> list[list[str]]:
    """What every code cell says in text, with numbers to three decimals: the rest differs between processors."""
    said = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            parts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
            said.append([re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.3f}", part) for part in parts])
    return said


def pictures(notebook: NotebookNode) -> list[list[str]]:
    return [
        sorted(
            kind for output in cell.get("outputs", []) for kind in output.get("data", {}) if kind.startswith("image/")
        )
        for cell in notebook.cells
    ]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_committed_outputs_are_what_the_notebook_gives(path: Path) -> None:
    committed = nbformat.read(path, as_version=4)

    fresh = executed(path)

    assert texts(fresh) == texts(committed)
    assert pictures(fresh) == pictures(committed)
    assert any(pictures(committed))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_keeps_no_state_of_live_widgets_and_no_error(path: Path) -> None:
    source = path.read_text("utf-8")
    notebook = json.loads(source)

    assert "application/vnd.jupyter.widget" not in source
    assert all(output["output_type"] != "error" for cell in notebook["cells"] for output in cell.get("outputs", []))
    assert all(output.get("name") != "stderr" for cell in notebook["cells"] for output in cell.get("outputs", []))

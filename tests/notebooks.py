"""Run the story notebooks: `python -m tests.notebooks` writes their outputs anew; the tests use the same code.

What is committed is what a reader on a page without a kernel needs: text and pictures, no state of live widgets.
"""

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests.house.repository import ROOT
from tests.patience import HANGING_S

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
OF_THE_MOMENT = ("camw-reopened", "fastprogress", "progress-bar-interrupted")
"""Marks of outputs that are not kept: what a panel puts behind itself, for pages without its widget; the bars of a
training, which tell how long it took."""
LIVE = "application/vnd.jupyter.widget-view+json"


def executed(path: Path) -> NotebookNode:
    """The notebook with fresh outputs, run from the top in a new kernel; a cell that raises stops it."""
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    # Streams are joined: how a kernel cuts what is printed into messages depends on time.
    client = NotebookClient(
        notebook,
        timeout=HANGING_S,
        startup_timeout=HANGING_S,
        iopub_timeout=HANGING_S,  # what comes later than that would be left out
        kernel_name="python3",
        store_widget_state=False,
        coalesce_streams=True,
        resources=resources,
    )
    # what a notebook server would choose; the tests' own choice, drawing into memory, must not reach the kernel
    client.execute(env={**os.environ, "MPLBACKEND": "module://matplotlib_inline.backend_inline"})
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}  # its version would change with each machine
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if "outputs" in cell:
            kept = (str(each.get("data", {})) for each in cell.outputs)
            cell.outputs = [
                each
                for each, data in zip(cell.outputs, kept, strict=True)
                if not any(mark in data for mark in OF_THE_MOMENT)
            ]
            # nor the line on what is being loaded, of which nothing is left
            cell.outputs = [each for each in cell.outputs if each.get("data", True)]
        for output in cell.get("outputs", []):
            # a page that runs no kernel would say that the widget is missing, instead of showing the picture
            output.get("data", {}).pop(LIVE, None)
    return notebook


def main() -> None:
    for path in NOTEBOOKS:
        nbformat.write(executed(path), path)


if __name__ == "__main__":
    main()

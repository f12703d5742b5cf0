"""Run a learner's notebook in a kernel of its own: an endless loop or a crash costs one cell, not the notebook."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

MOST_RESTARTS = 5
"""How often a notebook may take its kernel down before the rest is given up."""


class _ThisPython(AsyncKernelManager):
    """Starts kernels in this Python, where camwidget is installed, whatever kernel a notebook names."""

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="camwidget check", language="python")


def run(
    notebook: NotebookNode, folder: Path, *, limit_s: float, before_cell: Callable[[int], None] = lambda _: None
) -> Mapping[int, str]:
    """Run every cell, in order, in a fresh kernel, and write the outputs into `notebook`.

    A cell that does not end, or takes the kernel down, is left out, and all others are run again without it.

    Args:
        notebook: its cells get outputs; the file it came from is not touched.
        folder: where the kernel works, as Jupyter would have it: the notebook's own folder.
        limit_s: seconds that one cell may take.
        before_cell: called with the index of each cell before it runs.

    Returns:
        Index of each cell that could not be run, and why.
    """
    lost: dict[int, str] = {}
    while len(lost) <= MOST_RESTARTS:
        stopped = _run_once(notebook, folder, lost, limit_s=limit_s, before_cell=before_cell)
        if stopped is None:
            return lost
        lost |= stopped
    last = max(lost)
    rest = dict.fromkeys(_code(notebook), "it was not reached: the cells before it stopped the kernel too often")
    return lost | {index: why for index, why in rest.items() if index > last}


def _run_once(
    notebook: NotebookNode, folder: Path, lost: Mapping[int, str], *, limit_s: float, before_cell: Callable[[int], None]
) -> dict[int, str] | None:
    """Run the cells that are not lost; return the one that stopped the run, if any."""
    client = NotebookClient(
        notebook,
        timeout_func=lambda _: limit_s,  # `timeout` takes no fraction of a second in nbclient 0.10
        allow_errors=True,
        kernel_manager_class=_ThisPython,
        resources={"metadata": {"path": str(folder)}},
        shutdown_kernel="immediate",  # a kernel in a loop ignores a polite request
        store_widget_state=False,
    )
    # As in a notebook server. What the kernel process itself writes to the terminal does not concern the learner.
    environment = {**os.environ, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    with client.setup_kernel(env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        for index in _code(notebook):
            if index in lost:
                continue
            before_cell(index)
            try:
                client.execute_cell(notebook.cells[index], index)
            except CellTimeoutError:
                return {index: f"it did not end within {limit_s:g} seconds: a loop that never ends?"}
            except DeadKernelError:
                return {index: "it ended Python altogether: exit, a crash, or too little memory?"}
    return None


def _code(notebook: NotebookNode) -> list[int]:
    return [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]

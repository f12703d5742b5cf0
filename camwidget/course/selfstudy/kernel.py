"""Run a learner's notebook in a kernel of its own: an endless loop or a crash costs one cell, not the notebook.

A kernel may be kept. Then the next run of the same notebook runs only what has changed since.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from camwidget.course.selfstudy.changes import Changes, changes

MOST_RESTARTS = 5
"""How often a notebook may take its kernel down before the rest is given up."""


class _ThisPython(AsyncKernelManager):
    """Starts kernels in this Python, where camwidget is installed, whatever kernel a notebook names."""

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="camwidget check", language="python")


LOADING = 5
"""So many times the limit a cell of the course's own may take."""


def _is_ours(cell: NotebookNode) -> bool:
    """Whether a cell is the course's own, and no check of what a learner wrote."""
    about = cell.metadata.get("nbgrader", {})
    return bool(about.get("locked") and not about.get("grade"))


class Kernel:
    """A kernel for one notebook, at work until `close`, or the end of a `with` block.

    Args:
        folder: where it works, as Jupyter would have it: the notebook's own folder.
        limit_s: seconds that one cell may take.
    """

    def __init__(self, folder: Path, *, limit_s: float) -> None:
        self._folder, self._limit_s = folder, limit_s
        self._client: Any = None
        self._ran: list[NotebookNode] = []  # the code cells of the last run, with their outputs
        self._lost: dict[int, str] = {}  # place among them to why a cell could not be run
        self.cells_run = 0
        """How many cells the last `run` ran."""

    def run(self, notebook: NotebookNode, *, before_cell: Callable[[int], None] = lambda _: None) -> Mapping[int, str]:
        """Run the cells in order, and write the outputs into `notebook`; what nothing has changed for is not run again.

        A cell that does not end, or takes the kernel down, is left out, and all others are run again without it, in a
        new kernel: a loop can swallow an interrupt.

        Args:
            notebook: its cells get outputs; the file it came from is not touched.
            before_cell: called with the index of each cell before it runs.

        Returns:
            Index of each cell that could not be run, and why.
        """
        places = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
        code = [notebook.cells[index] for index in places]
        due = changes([cell.source for cell in self._ran], [cell.source for cell in code])
        lost = {now: self._lost[before] for now, before in due.kept.items() if before in self._lost}
        lost = {place: why for place, why in lost.items() if place not in due.run}
        for now, before in due.kept.items():
            code[now].outputs = self._ran[before].outputs
        self._ran, self._lost, self.cells_run = [], {}, 0  # if this run is broken off, nothing is known to have run
        while len(lost) <= MOST_RESTARTS:
            stopped = self._run_once(notebook, places, lost, due, before_cell)
            if not stopped:
                break
            lost |= stopped
            due = changes([], [cell.source for cell in code])  # a new kernel knows nothing
        else:
            last = max(lost)
            why = "it was not reached: the cells before it stopped the kernel too often"
            lost |= {place: why for place in range(last + 1, len(code)) if place not in lost}
        self._ran, self._lost = code, lost
        return {places[place]: why for place, why in lost.items()}

    def _run_once(
        self,
        notebook: NotebookNode,
        places: list[int],
        lost: Mapping[int, str],
        due: Changes,
        before_cell: Callable[[int], None],
    ) -> dict[int, str]:
        """Run the cells that are due and not lost; return the one that stopped the kernel, if any."""
        client = self._started()
        try:
            if due.forget:
                names = ", ".join(map(repr, sorted(due.forget)))
                client.nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("")])
                forget = f"for _name in [{names}]:\n    get_ipython().user_ns.pop(_name, None)"
                client.execute_cell(nbformat.v4.new_code_cell(forget), 0, store_history=False)
            client.nb = notebook
            for place in sorted(due.run - lost.keys()):
                before_cell(places[place])
                self.cells_run += 1
                try:
                    client.execute_cell(notebook.cells[places[place]], places[place])
                except CellTimeoutError:
                    self.close()
                    return {place: self._late(notebook.cells[places[place]])}
                except DeadKernelError:
                    self.close()
                    return {place: "it ended Python altogether: exit, a crash, or too little memory?"}
        except BaseException:
            self.close()
            raise
        return {}

    def _limit_of(self, cell: NotebookNode) -> float:
        """How long a cell may take: one of the course's own has no loop in it, and loads what takes long."""
        return self._limit_s * (LOADING if _is_ours(cell) else 1)

    def _late(self, cell: NotebookNode) -> str:
        if _is_ours(cell):
            told = f"loading took longer than {self._limit_of(cell):g} seconds: try again, or give it more time"
            return f"{told}, `--limit {2 * self._limit_s:g}`"
        return f"it did not end within {self._limit_s:g} seconds: a loop that never ends?"

    def _started(self) -> Any:
        if self._client is None:
            client = NotebookClient(
                nbformat.v4.new_notebook(),
                timeout_func=self._limit_of,  # `timeout` takes no fraction of a second in nbclient 0.10
                allow_errors=True,
                kernel_manager_class=_ThisPython,
                resources={"metadata": {"path": str(self._folder)}},
                shutdown_kernel="immediate",  # a kernel in a loop ignores a polite request
                store_widget_state=False,
            )
            # As in a notebook server. What the kernel process writes to the terminal does not concern the learner.
            environment = {**os.environ, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
            self._open = client.setup_kernel(env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self._open.__enter__()
            self._client = client
        return self._client

    def close(self) -> None:
        """End the kernel; another run would start a new one."""
        self._ran, self._lost = [], {}
        if self._client is not None:
            self._client = None
            self._open.__exit__(None, None, None)

    def __enter__(self) -> "Kernel":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

"""A kernel that is kept runs only what has changed, and gives what a new one would."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbformat import NotebookNode, v4

from camwidget.course.selfstudy.kernel import Kernel
from tests.patience import HANGING_S

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with Kernel(tmp_path_factory.mktemp("work"), limit_s=float(HANGING_S)) as started:
        yield started


def notebook(*cells: str) -> NotebookNode:
    return v4.new_notebook(cells=[v4.new_markdown_cell("text"), *map(v4.new_code_cell, cells)])


def shown(ran: NotebookNode) -> list[str]:
    """What each code cell gives: its value, or the name of its error."""
    outputs = [cell.outputs for cell in ran.cells if cell.cell_type == "code"]
    return [
        "".join(out.ename if out.output_type == "error" else out.data["text/plain"] for out in each) for each in outputs
    ]


@pytest.mark.parametrize(
    ("cells", "gives", "runs"),
    [
        (["a = 1", "b = 2", "a + 1", "b"], ["", "", "2", "2"], 4),
        (["a = 1", "b = 2", "a + 1", "b"], ["", "", "2", "2"], 0),
        (["a = 5", "b = 2", "a + 1", "b"], ["", "", "6", "2"], 2),
        (["a = 5", "c = 2", "a + 1", "b"], ["", "", "6", "NameError"], 2),  # `b` is forgotten
        (["a = 5", "b = 9", "a + 1", "b"], ["", "", "6", "9"], 2),
        (["a = 5", "b = 9", "a +", "b"], ["", "", "SyntaxError", "9"], 1),
        (["b = 9", "b"], ["", "9"], 0),
    ],
)
def test_one_edit_after_the_other(kernel: Kernel, cells: list[str], gives: list[str], runs: int) -> None:
    ran = notebook(*cells)

    assert kernel.run(ran) == {}
    assert [each.replace("_IncompleteInputError", "SyntaxError") for each in shown(ran)] == gives
    assert kernel.cells_run == runs


def test_a_cell_that_took_the_kernel_down_is_not_run_again_until_it_changes(tmp_path: Path) -> None:
    with Kernel(tmp_path, limit_s=float(HANGING_S)) as kernel:
        first = kernel.run(notebook("a = 1", "import os; os._exit(1)", "a"))
        kept, second = notebook("a = 1", "import os; os._exit(1)", "a + 1"), {}
        second = kernel.run(kept)
        runs = kernel.cells_run
        mended = notebook("a = 1", "2", "a + 1")
        third = kernel.run(mended)

    assert list(first) == list(second) == [2]
    assert shown(kept) == ["", "", "2"]
    assert runs == 1
    assert third == {}
    assert shown(mended) == ["", "2", "2"]


def test_after_the_end_no_process_is_left(tmp_path: Path) -> None:
    with Kernel(tmp_path, limit_s=float(HANGING_S)) as kernel:
        ran = notebook("import os; os.getpid()")
        kernel.run(ran)

    alive = [sys.executable, "-c", f"import os; os.kill({int(shown(ran)[0])}, 0)"]
    assert subprocess.run(alive, capture_output=True, check=False).returncode != 0

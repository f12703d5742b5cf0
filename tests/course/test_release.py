"""The released exercises: what nbgrader makes of the sources, and what they earn unsolved and solved."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator

from camwidget.course.items import find_item
from camwidget.course.report import REPORT_MIME
from camwidget.course.selfstudy.materials import tasks
from tests.course.source import SOLUTIONS, WRITTEN, head_of, questions
from tests.course.written import EXERCISES, MARKERS, cell_of, check_cells, exercise, files_of, source
from tests.house.repository import ROOT, run_jupyter
from tests.patience import HANGING_S

pytestmark = pytest.mark.slow
ITEMS = [item for assignment in WRITTEN for item in questions(assignment)]
HINTS = ("a nudge", "an approach", "almost the answer")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release made now, of all assignments."""
    folder = tmp_path_factory.mktemp("release")
    done = run_jupyter("tests.course.release", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def test_the_exercises_are_exactly_what_nbgrader_makes_of_the_sources(fresh: Path) -> None:
    told = "make them again with: python -m tests.course.release"

    assert sorted(path.name for path in EXERCISES.iterdir()) == sorted(WRITTEN), told
    assert files_of(EXERCISES).keys() == files_of(fresh).keys(), told
    assert [name for name, content in files_of(fresh).items() if (EXERCISES / name).read_bytes() != content] == [], told


@pytest.mark.parametrize("assignment", WRITTEN)
def test_an_exercise_holds_no_solution_no_hidden_check_and_no_mark_scheme(assignment: str) -> None:
    released = (EXERCISES / assignment / f"{assignment}.ipynb").read_text(encoding="utf-8")
    whole = (SOLUTIONS / assignment / f"{assignment}.ipynb").read_text(encoding="utf-8")

    assert [marker for marker in MARKERS if marker in released] == []
    assert [marker for marker in MARKERS if marker not in whole] == []


@pytest.mark.parametrize("assignment", WRITTEN)
def test_a_source_is_valid_has_stable_ids_and_no_outputs(assignment: str) -> None:
    notebook = source(assignment)
    about = {cell.id: cell.metadata["nbgrader"] for cell in notebook.cells if "nbgrader" in cell.metadata}

    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    assert {each["schema_version"] for each in about.values()} == {3}
    assert {cell_id: each["grade_id"] for cell_id, each in about.items() if each["grade_id"] != cell_id} == {}
    assert [cell.id for cell in notebook.cells if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", cell.id)] == []
    assert [cell.id for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")] == []


@pytest.mark.parametrize("item", ITEMS)
def test_the_head_of_a_task_has_the_title_and_the_points_of_the_item(item: str) -> None:
    task = cell_of(source(item.partition(".")[0]), item, "task").source
    title, points = find_item(item).title, find_item(item).points
    head = head_of(item)
    unit = "point" if points == 1 else "points"

    assert task.splitlines()[:2] == [f"## {title}", ""]
    assert task.splitlines()[2].endswith(
        f"({head.difficulty} of 3) · about {head.minutes} minutes · {points:g} {unit}*"
    )
    assert head.stars == "●" * head.difficulty + "○" * (3 - head.difficulty)


@pytest.mark.parametrize("item", ITEMS)
def test_nbgrader_and_both_kinds_of_checks_give_the_same_points(item: str) -> None:
    check = cell_of(source(item.partition(".")[0]), item, "check")

    assert check.metadata.nbgrader.points == find_item(item).points == find_item(item, hidden=True).points


@pytest.mark.parametrize("item", ITEMS)
def test_an_item_has_three_hints_from_a_nudge_to_almost_the_answer(item: str) -> None:
    cell = cell_of(source(item.partition(".")[0]), item, "hints").source
    hints = re.findall(r"<details>\n<summary>Hint (\d): (.+?)</summary>\n\n(.*?)\n\n</details>", cell, flags=re.DOTALL)

    assert [(int(number), kind) for number, kind, _ in hints] == list(enumerate(HINTS, 1))
    assert all(text.strip() and "</details>" not in text for _, _, text in hints)
    assert tasks()[item].hints == tuple((kind, text) for _, kind, text in hints)


@pytest.mark.parametrize("assignment", WRITTEN)
def test_the_options_of_a_quiz_have_the_letters_that_the_package_explains(assignment: str) -> None:
    explained = import_module(f"camwidget.course.assignments.{assignment}.quizzes").OPTIONS
    letters = {
        item: re.findall(r"^- \*\*([a-z])\*\*", cell_of(source(assignment), item, "task").source, re.MULTILINE)
        for item in questions(assignment)
    }

    assert {item: found for item, found in letters.items() if found} == {
        item: list(options) for item, options in explained.items()
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[NotebookNode], None]]:
    """Runs notebooks one after the other in one kernel, which finds the hidden checks; names are forgotten between."""
    resources = {"metadata": {"path": str(tmp_path_factory.mktemp("run"))}}
    client = NotebookClient(
        nbformat.v4.new_notebook(),
        timeout=HANGING_S,
        startup_timeout=HANGING_S,
        iopub_timeout=HANGING_S,
        allow_errors=True,
        resources=resources,
    )
    path = os.pathsep.join(filter(None, [str(SOLUTIONS), str(ROOT), os.environ.get("PYTHONPATH")]))

    def run_cells(notebook: NotebookNode) -> None:
        first = nbformat.v4.new_code_cell("%reset -f")
        client.nb = nbformat.v4.new_notebook(cells=[first, *notebook.cells])
        for index, cell in enumerate(client.nb.cells):
            client.execute_cell(cell, index)

    with client.setup_kernel(
        env={**os.environ, "PYTHONPATH": path, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    ):
        yield run_cells


def reports(cell: NotebookNode) -> list[Mapping[str, Any]]:
    return [output.data[REPORT_MIME] for output in cell.outputs if REPORT_MIME in output.get("data", {})]


def earned(cell: NotebookNode) -> float | None:
    """What nbgrader reads as the points of a cell; None where the cell gives none."""
    return next((float(out.data["text/plain"]) for out in cell.outputs if out.output_type == "execute_result"), None)


def errors(notebook: NotebookNode) -> dict[str, str]:
    """Cell id to what it raised."""
    return {
        cell.id: f"{output.ename}: {output.evalue}"
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    }


IN_A_KERNEL = ("hooks", "mistakes")
"""Assignments that run in a kernel as well. All run in the sandbox: `grading/test_right_answers.py`."""


@pytest.mark.parametrize("assignment", IN_A_KERNEL)
def test_the_solution_runs_and_earns_every_point(assignment: str, run: Callable[[NotebookNode], None]) -> None:
    notebook = source(assignment)

    run(notebook)

    assert errors(notebook) == {}
    for cell in check_cells(notebook):
        assert [(report["hidden"], report["right"]) for report in reports(cell)] == [(False, True), (True, True)], (
            cell.id
        )
        assert earned(cell) == cell.metadata.nbgrader.points


@pytest.mark.parametrize("assignment", IN_A_KERNEL)
def test_the_exercise_earns_nothing_and_stops_only_where_something_is_not_written(
    assignment: str, run: Callable[[NotebookNode], None]
) -> None:
    notebook = exercise(assignment)

    run(notebook)

    assert {what for what in errors(notebook).values() if not what.startswith("NotImplementedError")} == set()
    assert {cell.id: earned(cell) for cell in check_cells(notebook) if earned(cell) != 0} == {}
    assert all(not report["started"] for cell in check_cells(notebook) for report in reports(cell))

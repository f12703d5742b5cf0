"""Notebooks as learners hand them in: solved, as released, with single answers changed, with cells put between."""

import copy
import json
from functools import cache
from typing import Any

from camwidget.grading.course import Course, hidden_checks
from camwidget.grading.grade import grade
from camwidget.grading.limits import Limits
from camwidget.grading.records import Graded
from camwidget.grading.sandbox import Sandbox
from camwidget.grading.submission import Submission
from tests.course.source import SOLUTIONS
from tests.house.repository import ROOT

LIMITS = Limits(cell_s=3.0, answer_s=3.0, whole_s=120.0, patience=40.0, memory_mb=600, disk_mb=16, output_kb=64)
"""Short ones. On the clock there is a lot of room, so that a busy machine changes nothing."""
SEED = 3_141_592_653_589

Notebook = dict[str, Any]


@cache
def _read(path: Any) -> Notebook:
    return json.loads(path.read_text(encoding="utf-8"))


def solved(assignment: str) -> Notebook:
    return copy.deepcopy(_read(SOLUTIONS / assignment / f"{assignment}.ipynb"))


def released(assignment: str) -> Notebook:
    return copy.deepcopy(_read(ROOT / "exercises" / assignment / f"{assignment}.ipynb"))


def cell_id(item: str, part: str) -> str:
    return f"{item}-{part}".replace(".", "-").replace("_", "-")


def cell_of(notebook: Notebook, item: str, part: str = "answer") -> dict[str, Any]:
    return next(cell for cell in notebook["cells"] if cell["id"] == cell_id(item, part))


def answer(notebook: Notebook, item: str, code: str) -> Notebook:
    cell_of(notebook, item)["source"] = code
    return notebook


def insert(notebook: Notebook, code: str, place: int) -> Notebook:
    cell = {"cell_type": "code", "id": f"mine-{place}", "metadata": {}, "outputs": [], "source": code}
    notebook["cells"].insert(place, {**cell, "execution_count": None})
    return notebook


def without_play(notebook: Notebook) -> Notebook:
    """Without the cells to play with, which take time and change no points."""
    cells = notebook["cells"]
    notebook["cells"] = [cell for cell in cells if cell["cell_type"] != "code" or cell["metadata"].get("nbgrader")]
    return notebook


FULL = {
    f"keepdim.{name}": float(worth)
    for name, worth in {
        "predict": 5,
        "error": 1,
        "broadcast": 3,
        "silent": 4,
        "meets": 1,
        "unsqueeze": 5,
        "einsum": 4,
        "wild": 1,
    }.items()
}


def keepdim() -> Notebook:
    return without_play(solved("keepdim"))


@cache
def course(limits: Limits = LIMITS, seed: int = SEED) -> Course:
    return Course(hidden_checks(SOLUTIONS), seed, limits, contained=True)


def graded(
    notebook: Notebook | bytes,
    sandbox: Sandbox,
    *,
    assignment: str = "keepdim",
    files: dict[str, str] | None = None,
    limits: Limits = LIMITS,
    seed: int = SEED,
) -> Graded:
    content = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
    submission = Submission("learner", assignment, content, files or {}, "digest")
    return grade(submission, course(limits, seed), sandbox.forks)


def points(result: Graded) -> dict[str, float | None]:
    return {row.item: row.points for row in result.rows}

"""An item goes back to how it came; the rest of the notebook, and a copy of it, stay."""

import json
from pathlib import Path

import pytest

from camwidget.course.selfstudy.materials import released
from camwidget.course.selfstudy.reset import reset_of
from camwidget.errors import CourseError

ITEM, CELL = "keepdim.unsqueeze", "keepdim-unsqueeze"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "keepdim.ipynb"
    path.write_bytes(released("keepdim").read_bytes())
    return path


def changed(path: Path, *, drop: str = "", write: str = "") -> None:
    notebook = json.loads(path.read_text())
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] != drop]
    for cell in notebook["cells"]:
        if cell["id"] == write:
            cell["source"], cell["outputs"] = ["mine = 1\n", "mine = 2"], []
    path.write_text(json.dumps(notebook))


def test_an_answer_goes_back_and_other_answers_stay(mine: Path) -> None:
    changed(mine, write=f"{CELL}-answer")
    changed(mine, write="keepdim-einsum-answer")
    before = mine.read_bytes()

    reset = reset_of(ITEM, mine)
    assert mine.read_bytes() == before, "nothing is written before it is agreed to"
    reset.apply()

    fresh = {cell["id"]: cell for cell in json.loads(released("keepdim").read_text())["cells"]}
    after = {cell["id"]: cell for cell in json.loads(mine.read_text())["cells"]}
    assert after[f"{CELL}-answer"] == fresh[f"{CELL}-answer"]
    assert after["keepdim-einsum-answer"]["source"] == ["mine = 1\n", "mine = 2"]
    assert reset.copy.read_bytes() == before
    assert reset.lines == 2
    assert sorted(each.name for each in mine.parent.iterdir()) == [mine.name, reset.copy.name]


@pytest.mark.parametrize("part", ["task", "hints", "answer", "check"])
def test_a_cell_that_was_deleted_comes_back_where_it_was(mine: Path, part: str) -> None:
    before = [cell["id"] for cell in json.loads(mine.read_text())["cells"]]
    changed(mine, drop=f"{CELL}-{part}")

    reset_of(ITEM, mine).apply()

    assert [cell["id"] for cell in json.loads(mine.read_text())["cells"]] == before


def test_every_reset_keeps_a_copy_of_its_own(mine: Path) -> None:
    for _ in range(3):
        reset_of(ITEM, mine).apply()

    assert len(list(mine.parent.glob("keepdim.ipynb.before-reset-*"))) == 3


@pytest.mark.parametrize("content", ["", "[]", '{"cells": 3}', '{"cells": [3]}'])
def test_what_is_no_notebook_is_told_so(mine: Path, content: str) -> None:
    mine.write_text(content)

    with pytest.raises(CourseError, match=r"is not a notebook.*camwidget start DIR"):
        reset_of(ITEM, mine)

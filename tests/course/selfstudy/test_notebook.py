"""`camwidget check`: what it says of a learner's notebook, run in a real kernel; and that it leaves the file alone."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from camwidget.course.report import REPORT_MIME, Fact, Report
from camwidget.course.selfstudy import kernel as running
from camwidget.course.selfstudy.finding import Wanted, exercises_under
from camwidget.course.selfstudy.notebook import check_notebook, limit_of, read
from camwidget.course.selfstudy.progress import DONE, OPEN, WRONG, read_progress
from camwidget.course.selfstudy.watching import saved
from camwidget.errors import CourseError
from tests.course.selfstudy.toy import TOY, item, write
from tests.patience import HANGING_S

ENDLESS = """\
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
"""
LIMIT_S = 12
"""For one cell of `MIXED`, where one waits for ever: it costs time on the clock, so that a busy machine has enough."""

MIXED = [
    TOY,
    *item(1, "value = 1"),
    *item(2, "value = 2"),
    *item(3, "value = None\nraise NotImplementedError()"),
    *item(
        4,
        "while True:\n    try:\n        __import__('time').sleep(9)\n    except BaseException:\n        pass",
        "never",
    ),
    *item(5, "import os\nos._exit(0)\ngone = 1", "gone"),
    *item(6, "five = (", "five"),
    "1 / 0",
    *item(7, "seven = 1", "seven"),
]


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """The command, run on a notebook with every kind of mishap, one that is not there, and a right one."""
    folder = tmp_path_factory.mktemp("learner")
    before = write(folder / "mixed.ipynb", MIXED).read_bytes()
    write(folder / "deep" / "right.ipynb", [TOY, *item(1, "value = 1")])
    (folder / "home").mkdir()
    command = [
        sys.executable,
        "-m",
        "camwidget.command",
        "check",
        "--limit",
        str(LIMIT_S),
        "mixed.ipynb",
        "none.ipynb",
    ]
    package = str(Path(running.__file__).parents[3])
    environment = {**os.environ, "HOME": str(folder / "home"), "PYTHONPATH": package}
    done = subprocess.run(
        [*command, "deep/right.ipynb"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert (folder / "mixed.ipynb").read_bytes() == before, "the learner's file was changed"
    return done, folder


def said_of(done: subprocess.CompletedProcess[str], item: str) -> str:
    return " ".join(next(line for line in done.stdout.splitlines() if f" {item} " in line).split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("item", "says"),
    [
        ("toy.q1", "done toy.q1 2 of 2"),
        ("toy.q2", "wrong toy.q2 0 of 2 wanted: it is 1. it is another number"),
        ("toy.q3", "not started toy.q3 0 of 2"),
        ("toy.q4", "wrong toy.q4 0 of 2 cell [8], `while True:`: it did not end within 12 seconds: a loop that never"),
        ("toy.q5", "wrong toy.q5 0 of 2 cell [10], `import os`: it ended Python altogether"),
        ("toy.q6", "wrong toy.q6 0 of 2 cell [12], `five = (`: SyntaxError: incomplete input (line 1)"),
        ("toy.q7", "done toy.q7 2 of 2"),
    ],
)
def test_each_item_gets_its_line(checked: tuple[subprocess.CompletedProcess[str], Path], item: str, says: str) -> None:
    assert said_of(checked[0], item).startswith(says)


@pytest.mark.slow
def test_whatever_happens_in_one_notebook_the_others_get_their_turn(
    checked: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, _ = checked

    assert "cell [14], `1 / 0`: ZeroDivisionError: division by zero" in done.stdout
    assert "2 of 7 items done, 4 of 14 points" in done.stdout
    assert "1 of 1 items done, 2 of 2 points" in done.stdout
    assert "There is no file 'none.ipynb'." in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode == 2


@pytest.mark.slow
def test_checking_leaves_nothing_behind_in_the_learners_folder(
    checked: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    _, folder = checked

    assert sorted(path.name for path in folder.iterdir()) == ["deep", "home", "mixed.ipynb"]
    assert [path.name for path in (folder / "deep").iterdir()] == ["right.ipynb"]


def test_a_notebook_that_always_takes_its_kernel_down_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MOST_RESTARTS", 1)
    dies = "import os; os._exit(1)"
    path = write(tmp_path / "dies.ipynb", [dies, dies, *item(1, "value = 1")])

    with running.Kernel(tmp_path, limit_s=float(HANGING_S)) as kernel:
        progress = check_notebook(path, kernel=kernel)

    assert progress.items[0].state == WRONG
    assert "it was not reached" in progress.items[0].reason
    assert not progress.right


# What is read from outputs, without a kernel.


def cell_with(source: str, *outputs: Mapping[str, object], points: float = 0) -> NotebookNode:
    cell = nbformat.v4.new_code_cell(source)
    cell.outputs = [nbformat.from_dict(dict(output)) for output in outputs]
    if points:
        cell.metadata["nbgrader"] = {"points": points}
    return cell


def stopped(kind: str, message: str = "") -> dict[str, object]:
    return {"output_type": "error", "ename": kind, "evalue": message, "traceback": []}


def reported(name: str, *, passed: bool = False, started: bool = True, **more: str) -> dict[str, object]:
    report = Report(name, "one", (Fact("it is 1", 3, passed, likely="a sign"),), started, **more)
    return {"output_type": "display_data", "data": {REPORT_MIME: json.loads(json.dumps(report.as_dict()))}}


CHECK = 'cw.check("toy.q1", value).score()'
UNNAMED = cell_with(CHECK, stopped("NameError", "no value"))
UNWRITTEN = cell_with("a", stopped("NotImplementedError"))
BROKEN = cell_with("a", stopped("KeyError", "3"))


@pytest.mark.parametrize(
    ("cells", "state", "reason"),
    [
        ([cell_with(CHECK, reported("toy.q1", passed=True))], DONE, ""),
        ([cell_with(CHECK, reported("toy.q1"))], WRONG, "wanted: it is 1. a sign"),
        ([cell_with(CHECK, reported("toy.q1", stopped="`f()`: it raised E."))], WRONG, "`f()`: it raised E"),
        ([cell_with(CHECK, reported("toy.q1", note="a: because"))], WRONG, "wanted: it is 1. a sign. a: because"),
        ([cell_with(CHECK, reported("toy.q1", started=False))], OPEN, ""),
        ([UNNAMED], WRONG, "the check stopped: NameError: no value"),
        ([cell_with(CHECK)], WRONG, "its check shows nothing: it has to end with .score()"),
        ([UNWRITTEN, UNNAMED], OPEN, ""),
        ([BROKEN, UNNAMED], WRONG, "cell [1], `a`: KeyError: 3"),
        ([BROKEN, cell_with(CHECK, reported("toy.q1", started=False))], WRONG, "cell [1], `a`: KeyError: 3"),
    ],
)
def test_the_progress_on_an_item_follows_from_its_cells(cells: list[NotebookNode], state: str, reason: str) -> None:
    (item,), broken = read_progress(cells, {})

    assert (item.item, item.state, item.reason) == ("toy.q1", state, reason)
    assert broken == ()


def test_a_cell_that_may_raise_or_is_not_written_yet_is_not_broken() -> None:
    meant = cell_with("1 / 0", stopped("ZeroDivisionError"))
    meant.metadata["tags"] = ["raises-exception"]

    assert read_progress([meant, cell_with("later", stopped("NotImplementedError"))], {}) == ((), ())


def test_an_answer_that_is_right_although_a_cell_stopped_is_right_and_the_cell_is_reported() -> None:
    cells = [cell_with("a", stopped("KeyError", "3")), cell_with(CHECK, reported("toy.q1", passed=True))]

    (item,), broken = read_progress(cells, {})

    assert item.state == DONE
    assert broken == ("cell [1], `a`: KeyError: 3",)


def test_an_item_whose_check_was_deleted_is_missed() -> None:
    items, _ = read_progress(
        [cell_with('cw.check("keepdim.wild", 1).score()', reported("keepdim.wild", passed=True))], {}
    )
    gone = next(item for item in items if item.item == "keepdim.silent")

    assert (gone.state, gone.points, gone.max_points) == (WRONG, 0, 4)
    assert "no longer in the notebook" in gone.reason


# What is looked at.


def test_without_a_name_all_notebooks_with_checks_are_found_but_no_hidden_copies(tmp_path: Path) -> None:
    write(tmp_path / "b" / "two.ipynb", [CHECK])
    write(tmp_path / "one.ipynb", [CHECK])
    write(tmp_path / "story.ipynb", ["1"])
    write(tmp_path / ".ipynb_checkpoints" / "one-checkpoint.ipynb", [CHECK])

    assert exercises_under(tmp_path) == [tmp_path / "b" / "two.ipynb", tmp_path / "one.ipynb"]


def test_a_folder_without_exercises_is_told_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="camwidget start DIR"):
        exercises_under(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"[]", b"3", b'{"cells": [', b"\xff\xfe\x00", b'{"nbformat": 3, "worksheets": []}',
        b'{"nbformat": 9, "cells": []}', b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3]}',
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]}',
    ],
)  # fmt: skip
def test_what_is_no_notebook_is_told_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.ipynb"
    path.write_bytes(content)

    with pytest.raises(CourseError, match=r"is not a notebook, or only a part of one\. .* Jupyter wrote\. Open it"):
        read(path)


def test_a_folder_a_missing_file_and_a_notebook_without_checks_are_told_so(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="cannot be read: Is a directory"):
        read(tmp_path)
    with pytest.raises(CourseError, match="There is no file"):
        read(tmp_path / "none.ipynb")
    with pytest.raises(CourseError, match="checks nothing"):
        read(write(tmp_path / "story.ipynb", ["1"]))


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_limit_has_to_be_some_time(seconds: float) -> None:
    with pytest.raises(CourseError, match="Try --limit 60"):
        limit_of(seconds)


def test_a_saved_notebook_is_looked_at_again_and_nothing_else_is(tmp_path: Path) -> None:
    mine = write(tmp_path / "mine.ipynb", [CHECK])
    gone = tmp_path / "gone.ipynb"
    changes = [{(1, str(mine)), (1, str(tmp_path / "other.ipynb"))}, {(3, str(gone))}, {(2, str(mine)), (1, str(mine))}]

    seen = list(saved([Wanted(mine), Wanted(gone)], iter(changes)))

    assert seen == [Wanted(mine), Wanted(mine)]

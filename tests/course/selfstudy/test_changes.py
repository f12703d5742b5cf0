"""Which cells run again after an edit: read off the code."""

import pytest

from camwidget.course.selfstudy.changes import changes, names_in

CELLS = [
    "import torch\nfrom torch import nn",
    "size = 3",
    "def double(x):\n    return x * size",
    "check(double)",
    "other = 5",
    "check(other)",
]


def edited(place: int, source: str, cells: list[str] = CELLS) -> list[str]:
    return [*cells[:place], source, *cells[place + 1 :]]


@pytest.mark.parametrize(
    ("now", "run"),
    [
        (CELLS, set()),
        (edited(4, "other = 6"), {4, 5}),
        (edited(1, "size = 4"), {1, 2, 3}),  # what a function uses from outside counts for the function
        (edited(3, "check(double, 1)"), {3}),
        (edited(4, "size = 6"), {1, 2, 3, 4, 5}),  # a name is set twice: both cells, and `other` is gone
        (edited(4, "other = ("), {4, 5}),  # a cell that is no Python sets nothing
        (edited(0, "%matplotlib inline"), {0, 1, 2, 3, 4, 5}),
        (edited(4, "exec('size = 1')"), {0, 1, 2, 3, 4, 5}),
        (edited(4, "from os import *"), {0, 1, 2, 3, 4, 5}),
        (edited(4, "await other"), {4, 5}),
        (edited(4, "return 3"), {0, 1, 2, 3, 4, 5}),
        ([*CELLS[:4], *CELLS[5:]], {4}),  # the cell that set `other` is gone
        ([*CELLS[:3], "new = 1", *CELLS[3:]], {3}),
        ([*CELLS, "last = size"], {6}),
    ],
)
def test_what_uses_a_changed_name_runs_again_and_nothing_else(now: list[str], run: set[int]) -> None:
    assert changes(CELLS, now).run == run


@pytest.mark.parametrize(
    "change", ["box.side = 2", "box[0] = 1", "box.inner[0].side = 2", "del box.side", "box.append(3)", "box += [1]"]
)
def test_an_object_that_a_changed_cell_changes_is_made_anew(change: str) -> None:
    cells = ["box = make()", "1 + 1", "print(box)"]

    due = changes([*cells, f"{change}\n1"], [*cells, change])

    assert due.run == {0, 2, 3}


def test_calling_a_method_of_an_imported_module_makes_nothing_stale() -> None:
    cells = ["import torch", "x = torch.zeros(1)"]

    assert changes([*cells, "torch.manual_seed(0)"], [*cells, "torch.manual_seed(1)"]).run == {2}


def test_an_import_inside_an_answer_does_not_make_the_whole_notebook_stale() -> None:
    cells = ["import torch", "x = torch.zeros(1)", "import torch\ny = 1", "print(y)"]

    due = changes(cells, edited(2, "import torch\ny = 2", cells))

    assert due.run == {2, 3}
    assert due.forget == {"y"}


def test_names_of_a_cell_that_is_gone_are_forgotten() -> None:
    due = changes(CELLS, edited(4, "another = 5"))

    assert due.forget == {"other"}
    assert due.run == {4, 5}, "what used it has to fail now, as it would from the top"


def test_everything_is_run_the_first_time() -> None:
    assert changes([], CELLS).run == set(range(6))
    assert changes([], CELLS).forget == set()


def test_local_names_are_not_global_ones() -> None:
    names = names_in("def f(a, *, b=size):\n    c = a + d\n    global e\n    e = c\n    return [g for g in range(c)]")

    assert names.sets == {"f", "e"}
    assert names.uses >= {"size", "d"}
    assert names.uses.isdisjoint({"a", "c", "g"})

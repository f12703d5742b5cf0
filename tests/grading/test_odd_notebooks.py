"""Odd submissions: there is a row for each item, whatever was handed in; something broken never looks like a zero."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from camwidget.grading.notebook import UnreadableError, cells_of
from camwidget.grading.records import Graded
from camwidget.grading.sandbox import Sandbox
from camwidget.grading.submission import Submission
from tests.grading.submissions import (
    FULL,
    Notebook,
    answer,
    cell_of,
    course,
    graded,
    insert,
    keepdim,
    points,
    released,
    without_play,
)


def old_format(notebook: Notebook) -> Notebook:
    import nbformat

    node = nbformat.from_dict(notebook)
    for cell in node.cells:
        cell.pop("id", None)
    node.nbformat_minor = 4
    return json.loads(nbformat.writes(nbformat.convert(node, 3), version=3))


def stripped(notebook: Notebook) -> Notebook:
    for place, cell in enumerate(notebook["cells"]):
        cell.update(metadata={}, id=f"x{place}")
    return notebook


def without(notebook: Notebook, item: str, part: str) -> Notebook:
    notebook["cells"].remove(cell_of(notebook, item, part))
    return notebook


def changed(notebook: Notebook, item: str, part: str, **values: Any) -> Notebook:
    cell_of(notebook, item, part).update(values)
    return notebook


def moved_below(notebook: Notebook, item: str) -> Notebook:
    """The check of an item stands first, and its answer last."""
    check, given = cell_of(notebook, item, "check"), cell_of(notebook, item)
    others = [cell for cell in notebook["cells"] if cell is not check and cell is not given]
    notebook["cells"] = [check, *others, given]
    return notebook


def doubled(notebook: Notebook, item: str, part: str) -> Notebook:
    cell = cell_of(notebook, item, part)
    notebook["cells"].insert(notebook["cells"].index(cell), dict(cell))
    return notebook


def with_kernel(notebook: Notebook, kernel: Any) -> Notebook:
    notebook["metadata"]["kernelspec"] = kernel
    return notebook


def swapped(notebook: Notebook) -> Notebook:
    """Two answers in one another's cells: the first of the two checks comes before its answer."""
    one, two = (cell_of(notebook, item) for item in ("keepdim.meets", "keepdim.error"))
    one["source"], two["source"] = two["source"], one["source"]
    return notebook


def misplaced(notebook: Notebook) -> Notebook:
    """Three right answers, each where somebody wrote it who did not find the cell for it."""
    cells, stubs = notebook["cells"], released("keepdim")
    for item, part, where in (
        ("keepdim.unsqueeze", "check", 1),
        ("keepdim.einsum", "answer", 0),
    ):
        own = {**cell_of(notebook, item), "id": f"mine-{item[8:]}", "metadata": {}}
        cell_of(notebook, item)["source"] = cell_of(stubs, item)["source"]
        cells.insert(cells.index(cell_of(notebook, item, part)) + where, own)
    answer_, check = cell_of(notebook, "keepdim.wild"), cell_of(notebook, "keepdim.wild", "check")
    check["source"] = "".join([*answer_["source"], "\n\n", *check["source"]])
    cells.remove(answer_)
    return notebook


ODD: dict[str, tuple[Callable[[], Notebook], dict[str, float]]] = {
    "format 3": (lambda: old_format(keepdim()), FULL),
    "another language's kernel": (
        lambda: with_kernel(keepdim(), {"name": "ir", "language": "R", "display_name": "R"}),
        FULL,
    ),
    "metadata and ids lost": (lambda: stripped(keepdim()), FULL),
    "a doubled answer": (lambda: doubled(keepdim(), "keepdim.unsqueeze", "answer"), FULL),
    "an answer far below its check": (lambda: moved_below(keepdim(), "keepdim.unsqueeze"), FULL),
    "a deleted check": (lambda: without(keepdim(), "keepdim.unsqueeze", "check"), FULL),
    "a deleted answer": (lambda: without(keepdim(), "keepdim.unsqueeze", "answer"), FULL | {"keepdim.unsqueeze": 0.0}),
    "a deleted setup": (lambda: {**(n := keepdim()), "cells": [c for c in n["cells"] if c["id"] != "setup-1"]}, FULL),
    "a setup that ends Python": (
        lambda: {
            **(n := keepdim()),
            "cells": [{**c, "source": "import os; os._exit(1)"} if c["id"] == "setup-1" else c for c in n["cells"]],
        },
        FULL,
    ),
    "a check that forges a report": (
        lambda: changed(without_play(released("keepdim")), "keepdim.wild", "check", source="print(1.0); 1.0"),
        dict.fromkeys(FULL, 0.0),
    ),
    "swapped answers": (lambda: swapped(keepdim()), FULL),
    "answers below a check, above a stub, and in a check": (lambda: misplaced(keepdim()), FULL),
    "the exercise as it came, and the solved one below": (
        lambda: {**(n := keepdim()), "cells": without_play(released("keepdim"))["cells"] + n["cells"]},
        FULL,
    ),
    "a setup below the answers": (
        lambda: {**(n := keepdim()), "cells": sorted(n["cells"], key=lambda cell: cell["id"] == "setup-1")},
        FULL,
    ),
    "more points promised": (
        lambda: changed(
            without_play(released("keepdim")),
            "keepdim.wild",
            "check",
            metadata={"nbgrader": {"grade_id": "keepdim-wild-check", "points": 99, "grade": True}},
        ),
        dict.fromkeys(FULL, 0.0),
    ),
    "a syntax error in one answer": (
        lambda: answer(keepdim(), "keepdim.unsqueeze", "def weighted_map(:"),
        FULL | {"keepdim.unsqueeze": 0.0},
    ),
    "a null byte in one answer": (
        lambda: answer(keepdim(), "keepdim.wild", "picture_width = 320\x00"),
        FULL | {"keepdim.wild": 0.0},
    ),
    "text without an encoding": (lambda: insert(keepdim(), "x = '\ud800'", 3), FULL),
    "an output without an encoding": (
        lambda: insert(keepdim(), "print('\\ud800'); raise ValueError('\\udfff')", 3),
        FULL,
    ),
    "numbers that JSON has not": (lambda: with_kernel(keepdim(), {"name": float("nan"), "x": float("inf")}), FULL),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD)
def test_an_odd_notebook_earns_what_is_right_in_it(name: str, sandbox: Sandbox) -> None:
    make, deserved = ODD[name]

    result = graded(make(), sandbox)

    assert (points(result), [row.reason for row in result.rows if row.points != deserved[row.item]]) == (deserved, [])


@pytest.mark.slow
def test_where_a_cell_left_no_answer_the_row_says_why(sandbox: Sandbox) -> None:
    notebook = answer(keepdim(), "keepdim.broadcast", "def broadcast_shape(first, second:\n    return 1")
    answer(notebook, "keepdim.wild", "picture_width = None\npicture_width = int(input())")
    answer(notebook, "keepdim.meets", "import os; os._exit(0)")
    answer(notebook, "keepdim.error", "")
    cell_of(notebook, "keepdim.einsum")["cell_type"] = "markdown"
    answer(notebook, "keepdim.silent", cell_of(released("keepdim"), "keepdim.silent")["source"])

    rows = {row.item: row for row in graded(notebook, sandbox).rows}

    lacks = "There is no answer: its name is not defined"
    told = {item: (row.status, row.reason) for item, row in rows.items() if row.status != "right"}
    status, reason = told.pop("keepdim.broadcast")
    assert (status, reason.startswith(f"{lacks}, as its cell raised SyntaxError: ")) == ("missing", True)
    assert told == {
        "keepdim.wild": ("wrong", "There is no answer, as its cell raised EOFError: EOF when reading a line"),
        "keepdim.meets": ("missing", f"{lacks}, as its cell ended Python"),
        "keepdim.error": ("missing", lacks),
        "keepdim.einsum": ("missing", f"{lacks}, as its cell is no code cell"),
        "keepdim.silent": ("not started", "Not started"),
    }
    assert rows["keepdim.wild"].line == "picture_width = int(input())"


@pytest.mark.slow
def test_what_a_cell_prints_is_kept_up_to_a_bound_and_takes_no_memory_beyond(sandbox: Sandbox) -> None:
    result = graded(insert(keepdim(), "for _ in range(1000): print('x' * 1_000_000)", 3), sandbox)

    assert points(result) == FULL
    assert result.events == ("Cell 4 of the notebook printed more than 64 KB; the rest was left out",)
    assert result.memory_mb < 100


@pytest.mark.slow
def test_a_file_beside_the_notebook_is_there_and_takes_no_modules_place(sandbox: Sandbox) -> None:
    import base64

    shadow = base64.b64encode(b"raise SystemExit\n").decode()
    helper = base64.b64encode(b"def width(): return 320\n").decode()
    notebook = answer(keepdim(), "keepdim.wild", "from tools.helper import width\npicture_width = width()")

    result = graded(notebook, sandbox, files={"camwidget.py": shadow, "torch.py": shadow, "tools/helper.py": helper})

    assert points(result) == FULL


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "truncated": (json.dumps(released("keepdim")).encode()[:5000], "only a part of one"),
    "a zip": (b"PK\x03\x04\xff", "it is a zip"),
    "packed": (b"\x1f\x8b\x08", "it is packed"),
    "a page": (b"\n<!DOCTYPE html><html>", "it is a web page"),
    "a conflict": (b"<<<<<<< HEAD\n{}", "no notebook, or only a part"),
    "another encoding": ('{"nbformat": 4, "x": "größe"}'.encode("cp1252"), "another encoding than UTF-8"),
    "no JSON": (b"\x89PNG\r\n", "no notebook"),
    "a list": (b"[1, 2]", "no nbformat"),
    "no format": (b'{"cells": []}', "no nbformat"),
    "a format of the future": (b'{"nbformat": 5, "cells": []}', "the format 5"),
    "a broken old one": (b'{"nbformat": 3, "worksheets": 7}', "old format 3"),
    "no cells": (b'{"nbformat": 4}', "no list of cells"),
    "cells that are none": (b'{"nbformat": 4, "cells": [1]}', "cell 1 is no cell"),
    "a cell without text": (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": {"a": 1}}]}', "cell 1 has no text"),
    "lines that are no text": (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": ["a = 1", 7, null]}]}', "cell 1 has no text"),
    "a cell of no kind": (b'{"nbformat": 4, "cells": [{"cell_type": "Code", "source": "x"}]}', "cell 1 is neither code"),
    "a cell whose text is not there": (b'{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "cell 1 has no text"),
    "no number for a format": (b'{"nbformat": NaN, "cells": []}', "no nbformat"),
    "cells twice, the last without a list": (b'{"nbformat": 4, "cells": [], "cells": {"0": {}}}', "no list of cells"),
    "a number of ten thousand digits": (b'{"nbformat": 4, "cells": [], "x": ' + b"7" * 10_000 + b"}", "no notebook"),
    "deep": (b'{"nbformat": 4, "cells": ' + b"[" * 200_000, "no notebook"),
    "too many cells": (json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": ""}] * 1001}).encode(), "1001 cells"),
    "a cell of megabytes": (json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "#" * (2 << 20)}]}).encode(), "MB of code"),
}  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_a_notebook_is_read_in_every_encoding_that_its_first_bytes_tell(encoding: str) -> None:
    text = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": ["# größe\r\n"]}]}, ensure_ascii=False)

    assert [cell.source for cell in cells_of(text.encode(encoding), frozenset())] == ["# größe\r\n"]


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_notebook_says_why(name: str) -> None:
    content, why = BROKEN[name]

    with pytest.raises(UnreadableError, match=why):
        cells_of(content, frozenset())


def graded_without_running(content: bytes) -> Graded:
    import socket

    from camwidget.grading.grade import grade
    from camwidget.grading.sandbox import Forks

    with socket.socket() as unconnected:  # a fork asked for here would raise
        submission = Submission("ann", "keepdim", content, {}, "digest")
        return grade(submission, course(), Forks(unconnected))


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_notebook_has_rows_without_points_and_nothing_runs(name: str) -> None:
    result = graded_without_running(BROKEN[name][0])

    assert [(row.item, row.points, row.status) for row in result.rows] == [(item, None, "ungraded") for item in FULL]
    assert all(BROKEN[name][1] in row.reason for row in result.rows)
    assert (result.points, result.problem) == (None, result.rows[0].reason)


def as_text(notebook: Notebook) -> Notebook:
    for item in FULL:
        cell_of(notebook, item)["cell_type"] = "markdown"
    return notebook


def test_where_every_answer_is_text_nothing_is_a_zero() -> None:
    result = graded_without_running(json.dumps(as_text(keepdim())).encode())

    assert {(row.points, row.status) for row in result.rows} == {(None, "ungraded")}
    assert "none of its answers is in a code cell" in result.problem


def test_a_cell_that_a_limit_stopped_is_told_so_in_words_and_not_in_the_systems(sandbox: Sandbox) -> None:
    result = graded(answer(keepdim(), "keepdim.einsum", "%%bash\nls"), sandbox)
    row = next(row for row in result.rows if row.item == "keepdim.einsum")

    assert row.reason.endswith("as its cell tried to start a process, which nobody may here")
    assert "Errno" not in row.reason + row.cause

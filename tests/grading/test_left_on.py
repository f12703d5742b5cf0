"""What a cell leaves switched on, lowered or computing costs the item that it belongs to at most."""

from dataclasses import replace

import pytest

from camwidget.grading.sandbox import Sandbox
from tests.grading.bank import PATIENT
from tests.grading.submissions import (
    FULL,
    answer,
    graded,
    insert,
    keepdim,
    points,
)


@pytest.mark.slow
def test_what_a_cell_leaves_switched_on_costs_no_item_and_the_teacher_reads_which_it_was(sandbox: Sandbox) -> None:
    left = """
import resource, sys, threading, torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
class Breaks(TorchFunctionMode):
    def __torch_function__(self, *_, **__):
        raise RuntimeError("a mode that was left on")
class Looks(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return function(*args, **(kwargs or {}))
def busy():
    while True: pass
torch.set_default_dtype(torch.float64)
torch.set_default_device("meta")
torch.autograd.graph.save_on_cpu().__enter__()
kept = torch.inference_mode(), torch.autocast("cpu"), Looks(), Breaks()
for each in kept: each.__enter__()
sys.setrecursionlimit(150)
for _ in range(8): threading.Thread(target=busy, daemon=True).start()
for name in dir(resource):
    if name.startswith("RLIMIT_"): resource.setrlimit(getattr(resource, name), (0, 0))
"""
    notebook = keepdim()
    # With all bounds at zero and eight threads beside it, the cell may come to no end: it computes until it is stopped.
    result = graded(insert(notebook, left, 3), sandbox, limits=replace(PATIENT, cell_s=6.0))

    assert points(result) == FULL
    told = " ".join(result.notes)
    for what in ("the default dtype changed", "a default device on", "autocast on", "inference mode on"):
        assert f"Cell 4 of the notebook left {what}." in told
    assert "a TorchFunctionMode on" in told
    assert "a TorchDispatchMode on" in told
    assert {event for row in result.rows for event in row.events} == {
        "threads that an earlier cell had left computing were ended"
    }


@pytest.mark.slow
def test_where_a_mode_that_was_left_on_spoils_an_answer_the_row_says_so(sandbox: Sandbox) -> None:
    notebook = answer(keepdim(), "keepdim.wild", "picture_width = int(torch.tensor(320.0))")

    result = graded(insert(notebook, "torch.set_default_device('meta')", 3), sandbox)

    row = next(row for row in result.rows if row.item == "keepdim.wild")
    assert (points(result), row.reason.split(". ")[-1]) == (
        FULL | {"keepdim.wild": 0.0},
        "Cell 4 of the notebook had left a default device on, and this answer's cell ran so",
    )


def test_a_cell_that_was_interrupted_is_named_for_what_it_left_on(sandbox: Sandbox) -> None:
    endless = "import torch\ntorch.set_default_dtype(torch.float64)\nwhile True: pass"

    result = graded(insert(keepdim(), endless, 3), sandbox, limits=replace(PATIENT, cell_s=2.0))

    assert points(result) == FULL
    assert "Cell 4 of the notebook left the default dtype changed." in " ".join(result.notes)

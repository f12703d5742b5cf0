"""Steps that fail in every way a Python can: an error, a crash, an endless wait, noise in between."""

import pytest

from camwidget.doctor.finding import MISSING, NOTE, OK
from camwidget.doctor.trial import STEPS, findings

GOOD = ("made = {'version': '1.0'}", "")


def test_each_step_that_works_is_a_line() -> None:
    found = findings({"one": GOOD, "two": ("print('noise'); print('[]'); print('3'); made = {'version': '2.0'}", "")})

    assert [(each.name, each.found, each.state) for each in found] == [("one", "1.0", OK), ("two", "2.0", OK)]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise RuntimeError('operator torchvision::nms does not exist')", "nms does not exist"),
        ("import no_such_package", "No module named 'no_such_package'"),
        ("import os; os.kill(os.getpid(), 9)", "Python ended with -9"),
    ],
    ids=["an error", "a missing package", "a crash"],
)
def test_a_step_that_fails_is_missing_with_the_reason_and_its_advice_and_ends_the_trial(code: str, told: str) -> None:
    found = findings({"one": GOOD, "two": (code, "do this"), "three": GOOD})

    assert [each.name for each in found] == ["one", "two"]
    assert (found[1].state, found[1].advice) == (MISSING, "do this")
    assert told in found[1].found


def test_one_that_never_ends_is_ended() -> None:
    found = findings({"one": GOOD, "two": ("import time; time.sleep(600)", "wait")}, limit_s=3.0)

    assert found[-1].state == MISSING
    assert "longer than 3 seconds" in found[-1].found


def test_the_device_is_told_in_words() -> None:
    made = {"version": "2", "cuda": None, "devices": [], "mps": False, "threads": 4}
    (plain,) = findings({"torch": (f"made = {made}", "")})
    (gpu,) = findings({"torch": (f"made = {made | {'cuda': '13.0', 'devices': ['GPU X']}}", "")})

    assert plain.found == "2, built without CUDA, 4 threads; device: the processor, which is enough"
    assert gpu.found == "2, built for CUDA 13.0, 4 threads; device: GPU X"


def test_a_panel_without_a_layer_is_not_called_good() -> None:
    (found,) = findings({"a panel": ("made = {'layers': 0, 'seconds': 1.0, 'bytes': 1}", "")})

    assert found.state == NOTE


@pytest.mark.slow
def test_here_a_panel_can_be_made() -> None:
    found = findings()

    assert [each.name for each in found] == list(STEPS)
    assert {each.state for each in found} == {OK}
    assert "9 layers" in found[-1].found

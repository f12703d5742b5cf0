"""Steps that fail in every way a Python can: an error, a crash, an endless wait, noise in between."""

import pytest

from camwidget.command.doctor.finding import MISSING, NOTE, OK, Finding
from camwidget.command.doctor.trial import STEPS, about_start, findings

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

    (single,) = findings({"torch": (f"made = {made | {'threads': 1}}", "")})

    assert plain.found == "2, built without CUDA, 4 threads; device: the processor, which is enough"
    assert ", 1 thread; " in single.found
    assert gpu.found == "2, built for CUDA 13.0, 4 threads; device: GPU X"


def test_a_panel_without_a_layer_is_not_called_good() -> None:
    found, _ = findings({"a panel": ("made = {'layers': 0, 'bytes': 1}", "")})

    assert found.state == NOTE


def start(**about: float | bool) -> Finding:
    """A start of 30 seconds in all, 20 of them for PyTorch."""
    computed = {"computed": 10.0} | about
    return about_start({"torch": {"seconds": 20.0, **computed}, "a panel": {"seconds": 10.0, "computed": 5.0}})


@pytest.mark.parametrize(
    ("about", "advised"),
    [
        ({"compiled": False, "kept": True, "load": 90.0, "processors": 2}, "first start after an installation"),
        ({"compiled": False, "kept": False}, "python -m compileall"),
        ({"compiled": True, "load": 3.5, "processors": 2}, "Other programs are at work"),
        ({"compiled": True, "load": 0.5, "processors": 2, "computed": 2.0}, "waited for the disk"),
        ({"compiled": True, "load": 2.5, "processors": 2, "computed": 20.0}, "The processor is slow"),
        ({"compiled": True, "load": 0.0, "computed": 20.0}, "The processor is slow"),  # a system that tells no load
    ],
)
def test_a_slow_start_is_a_note_with_its_cause_and_what_to_do(about: dict[str, float | bool], advised: str) -> None:
    found = start(**about)

    assert found.state == NOTE
    assert found.found.startswith("30.0 s from a fresh Python to a panel (torch 20.0 s, a panel 10.0 s)")
    assert advised in found.advice


def test_a_quick_start_is_told_without_advice() -> None:
    found = about_start({"torch": {"seconds": 2.0, "computed": 2.0}, "a panel": {"seconds": 4.0, "computed": 3.5}})

    assert (found.state, found.advice) == (OK, "")
    assert found.found.endswith("it computed for 5.5 s")


def test_the_time_of_each_step_is_taken() -> None:
    wait = "import time; time.sleep(0.3); made = {}"
    found = findings({"one": (wait, ""), "a panel": ("made = {'layers': 9, 'bytes': 1}", "")})

    assert [each.name for each in found] == ["one", "a panel", "start"]
    assert float(found[-1].found.split()[0]) >= 0.3


def test_words_in_another_alphabet_are_read_as_they_are() -> None:
    (found,) = findings({"one": ("raise RuntimeError('Größe ∞')", "")})

    assert found.found == "RuntimeError: Größe ∞"


@pytest.mark.slow
def test_here_a_panel_can_be_made() -> None:
    found = findings()

    assert [each.name for each in found] == [*STEPS, "start"]
    assert {each.state for each in found[:-1]} == {OK}  # a busy machine may be slow
    assert "9 layers" in found[-2].found

"""Each attack earns exactly what its honest part deserves, and the grader goes on."""

import contextlib
import time
from pathlib import Path

import pytest

from camwidget.grading.sandbox import Sandbox, weaker
from tests.grading.attacked import half_honest, not_as_deserved
from tests.grading.attacks import ATTACKS, USUAL
from tests.grading.submissions import graded, insert, points, solved, without_play
from tests.patience import STUCK_S

pytestmark = pytest.mark.slow


FORKS_A_LITTLE = """
import os, threading
refused = []
for _ in range(5):
    try:
        if os.fork() == 0: os._exit(0)
    except BlockingIOError: refused.append(True)
thread = threading.Thread(target=lambda: refused.append("a thread"))
thread.start(); thread.join()
print(refused)
"""


def test_a_submission_starts_no_process_whatever_the_bounds_on_their_number_and_may_start_threads(
    sandbox: Sandbox,
) -> None:
    result = graded(insert(half_honest(), FORKS_A_LITTLE, 2), sandbox)

    printed = [output["text"] for outputs in result.outputs.values() for output in outputs if "text" in output]
    assert "[True, True, True, True, True, 'a thread']\n" in printed


def test_where_no_control_group_can_be_made_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camwidget.grading.sandbox._control_group", lambda: None)

    assert "No control group can be made here" in weaker()


@pytest.mark.parametrize("name", USUAL)
def test_an_attack_earns_what_its_honest_part_deserves(name: str, sandbox: Sandbox) -> None:
    assert not_as_deserved(ATTACKS[name], sandbox) == ""


def test_after_all_attacks_the_next_submission_is_graded_as_ever_and_nothing_is_left_running(sandbox: Sandbox) -> None:
    result = graded(without_play(solved("keepdim")), sandbox)

    assert points(result) == {row.item: row.max_points for row in result.rows}
    # The process that holds the namespace, and the warm one. Whoever watched the last fork sees within a moment that
    # nobody asks it any more, ends it, and ends.
    started = time.monotonic()
    while (left := descendants(sandbox.process.pid)) != 2 and time.monotonic() - started < STUCK_S:
        time.sleep(0.05)
    assert left == 2


def descendants(pid: int) -> int:
    """How many processes come from one."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):  # it has ended in the meantime
            found += map(int, (task / "children").read_text().split())
    return len(found) + sum(map(descendants, (each for each in found if Path(f"/proc/{each}/task").is_dir())))

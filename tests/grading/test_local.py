"""Workers on this machine: all fork from one sandbox, and one that is killed loses nothing."""

import json
import os
import signal
from pathlib import Path

import pytest

from camwidget.command.cli import main
from camwidget.grading.local import graded_here
from camwidget.grading.records import load_class
from camwidget.grading.runner import RESULTS
from camwidget.grading.submission import Submission
from tests.course.source import SOLUTIONS
from tests.grading.bwrap import need_sandbox
from tests.grading.submissions import course, solved, without_play

pytestmark = pytest.mark.slow


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def family(pid: int) -> list[int]:
    return [pid, *(each for child in children(pid) for each in family(child))]


def named(text: str) -> list[int]:
    """Processes that come from this one and have this in their command line."""
    return [pid for pid in family(os.getpid()) if text in Path(f"/proc/{pid}/cmdline").read_text()]


def test_a_worker_that_is_killed_in_the_middle_loses_nothing_and_nothing_is_left_running() -> None:
    need_sandbox()
    content = json.dumps(without_play(solved("keepdim"))).encode()
    jobs = [(number, Submission(f"learner {number}", "keepdim", content, {}, "")) for number in range(4)]
    sandboxes = named("bwrap")
    results = {}
    for number, result in graded_here(iter(jobs), course(), workers=2):
        assert number not in results
        results[number] = result
        if len(results) == 1:
            server = named("multiprocessing.forkserver")
            workers = [pid for pid in server if children(pid) == []]
            os.kill(workers[0], signal.SIGKILL)

    assert {
        number: sum(row["points"] for row in result["rows"]) for number, result in results.items()
    } == dict.fromkeys(range(4), 24.0)
    assert named("bwrap") == sandboxes


def test_the_command_grades_without_a_sandbox_only_if_asked_and_says_so_and_what_no_gradebook_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "submitted" / "ann" / "keepdim"
    place.mkdir(parents=True)
    (place / "keepdim.ipynb").write_text(json.dumps(without_play(solved("keepdim"))))
    command = ["grade", str(tmp_path / "submitted"), "--out", str(tmp_path / "out")]

    code = main([*command, "--checks", str(SOLUTIONS), "--workers", "1", "--uncontained"])

    said = capsys.readouterr()
    assert code == 0, said
    assert said.out.count("UNCONTAINED") == 2
    record = load_class(tmp_path / "out" / RESULTS)
    assert ([each.points for each in record.graded], record.contained) == ([24], False)

    # Nothing is graded again; nbgrader could not take it, and that is not passed over.
    monkeypatch.setattr("camwidget.grading.gradebook.write_gradebook", lambda *_: ["ann/keepdim is not in: why"])
    more = ["--checks", str(SOLUTIONS), "--uncontained", "--course", str(tmp_path)]
    assert main([*command, *more]) == 1
    assert "ann/keepdim is not in: why" in capsys.readouterr().out

"""A Dask cluster grades as this machine does, also when one of its workers is killed in the middle."""

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from camwidget.errors import CourseError
from camwidget.grading import cluster, work
from camwidget.grading.cluster import graded_there
from camwidget.grading.sandbox import Sandbox
from camwidget.grading.submission import Submission
from tests.grading.attacked import half_honest
from tests.grading.submissions import answer, course
from tests.grading.worker_preload import CONTROL
from tests.house.repository import ROOT
from tests.patience import HANGING_S

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.slow
COUNT = 5


def submissions() -> list[Submission]:
    found = []
    for number in range(COUNT):
        notebook = answer(half_honest(), "keepdim.wild", f"picture_width = {312 + number}")
        found.append(Submission(f"learner {number}", "keepdim", json.dumps(notebook).encode(), {}, f"digest {number}"))
    return found


def lasting(graded: Any) -> dict[str, Any]:
    """Without what differs from run to run."""
    plain = json.loads(json.dumps(graded))
    rows = [{**row, "seconds": 0} for row in plain["rows"]]
    return {**plain, "seconds": 0, "memory_mb": 0, "rows": rows}


@contextmanager
def worker(scheduler: str, folder: Path, sandbox: Sandbox | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A worker as the command makes one, in a process of its own; it forks from a sandbox, or makes its own."""
    command = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler, "--nthreads", "1", "--no-nanny"]
    command += ["--no-dashboard", "--host", "127.0.0.1", "--local-directory", str(folder)]
    command += ["--preload", "tests.grading.worker_preload"]
    given = [] if sandbox is None else [sandbox.control.fileno()]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", CONTROL: "".join(map(str, given))}
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=given, stdout=said, stderr=said)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def test_a_worker_that_is_killed_in_the_middle_loses_nothing_and_all_is_graded_once_and_as_here(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    work.use(sandbox.forks, contained=True)
    ours = course()
    here = {number: lasting(work.do(each, ours)) for number, each in enumerate(submissions())}
    there: dict[int, dict[str, Any]] = {}
    killed: subprocess.Popen[bytes] | None = None
    with ExitStack() as opened:
        home = distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0")
        address = opened.enter_context(home).scheduler_address
        workers = []
        for number, shared in enumerate((sandbox, None)):
            (folder := tmp_path / str(number)).mkdir()
            workers.append(opened.enter_context(worker(address, folder, shared)))
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(len(workers), timeout=HANGING_S)
            places = {pid: place for place, pid in client.run(os.getpid).items()}
        jobs = iter(enumerate(submissions()))
        for number, result in graded_there(jobs, ours, scheduler=address):
            assert number not in there
            assert not isinstance(result, str), result
            there[number] = lasting(result)
            if killed is None:
                known = home.scheduler.workers
                killed = next(each for each in workers if known[places[each.pid]].processing)
                os.kill(killed.pid, signal.SIGKILL)
                assert killed.wait() == -signal.SIGKILL
        assert [each.poll() is None for each in workers if each is not killed] == [True]

    assert killed is not None
    assert there == here
    assert [there[number]["rows"][-1]["points"] for number in range(COUNT)] == [0, 1, 1, 1, 1]


@pytest.mark.parametrize("forks", [{}, {True: "a sandbox of a class before"}], ids=["new", "has graded"])
def test_a_worker_with_another_version_grades_nothing_however_often_it_is_asked(
    monkeypatch: pytest.MonkeyPatch, forks: dict[bool, str]
) -> None:
    monkeypatch.setattr(work, "_forks", forks)
    for name in ("_own_sandbox", "grade"):
        monkeypatch.setattr(work, name, lambda *_: pytest.fail("it was about to grade"))
    elsewhere = pickle.loads(pickle.dumps(course()))
    object.__setattr__(elsewhere, "grader", "of another version")  # as it comes from a machine with other files
    sent = pickle.loads(pickle.dumps(elsewhere))

    assert sent.grader == "of another version"
    for _ in range(2):
        with pytest.raises(CourseError, match="another version of camwidget"):
            work.do(submissions()[0], sent)


def test_a_scheduler_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECTING_S", 0.5)
    with pytest.raises(CourseError, match="dask worker ADDRESS --nthreads 1"):
        list(graded_there(iter(()), course(), scheduler="tcp://127.0.0.1:1"))

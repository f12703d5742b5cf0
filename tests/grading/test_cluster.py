"""A Dask cluster grades as this machine does."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from camwidget.grading import work
from camwidget.grading.cluster import graded_there
from camwidget.grading.course import Course
from camwidget.grading.sandbox import Sandbox
from camwidget.grading.submission import Submission
from tests.grading.submissions import answer, course, solved, without_play

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.slow
COUNT = 3
FAILED: list[bool] = []
_DO = work.do


def failing_once(*args) -> object:
    """In place of what a worker does, of this module so that the workers have the same one."""
    if not FAILED:
        FAILED.append(True)
        raise OSError("the warm process has ended")
    return _DO(*args)


def submissions() -> list[Submission]:
    found = []
    for number in range(COUNT):
        notebook = answer(without_play(solved("keepdim")), "keepdim.wild", f"picture_width = {312 + number}")
        found.append(Submission(f"learner {number}", "keepdim", json.dumps(notebook).encode(), {}, f"digest {number}"))
    return found


def lasting(graded) -> dict:
    """Without what differs from run to run."""
    plain = json.loads(json.dumps(graded))
    rows = [{**row, "seconds": 0} for row in plain["rows"]]
    return {**plain, "seconds": 0, "memory_mb": 0, "rows": rows}


@pytest.fixture
def scheduler(sandbox: Sandbox, tmp_path: Path) -> Iterator[str]:
    """Of a cluster whose workers live in this process and share its sandbox; what they are sent goes over TCP."""
    work.use(sandbox.forks, contained=True)
    cluster = distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        local_directory=str(tmp_path),
    )
    with cluster:
        yield cluster.scheduler_address


def test_a_cluster_grades_everything_once_and_as_here_also_what_failed_the_first_time(
    scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours: Course = course()
    here = {number: lasting(work.do(each, ours, ours.grader())) for number, each in enumerate(submissions())}
    FAILED.clear()
    monkeypatch.setattr(work, "do", failing_once)
    there: dict[int, dict] = {}
    for number, result in graded_there(iter(enumerate(submissions())), ours, grader=ours.grader(), scheduler=scheduler):
        assert number not in there
        assert not isinstance(result, str), result
        there[number] = lasting(result)

    assert FAILED == [True]
    assert there == here
    assert [there[number]["rows"][-1]["points"] for number in range(COUNT)] == [0, 1, 1]


def test_a_scheduler_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from camwidget.errors import CourseError
    from camwidget.grading import cluster

    monkeypatch.setattr(cluster, "CONNECTING_S", 0.5)
    with pytest.raises(CourseError, match="dask worker ADDRESS --nthreads 1"):
        list(graded_there(iter(()), course(), grader="", scheduler="tcp://127.0.0.1:1"))

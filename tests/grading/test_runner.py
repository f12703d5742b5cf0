"""A class is graded once: what was graded and has not changed is taken over, what is left is gone on with."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from camwidget.course.items import items_of
from camwidget.errors import CourseError
from camwidget.grading import runner, work
from camwidget.grading.limits import Limits
from camwidget.grading.local import Result
from camwidget.grading.records import UNGRADED, load_class
from camwidget.grading.runner import KEPT, NOT_YET, RESULTS, Settings, grade_class
from camwidget.grading.sandbox import Sandbox
from camwidget.grading.summary import summary
from camwidget.grading.turns import alone_in
from tests.course.source import SOLUTIONS
from tests.grading.submissions import answer, cell_of, released, solved, without_play

pytestmark = pytest.mark.slow
LEARNERS = ("ann", "bob", "<b>cid")
SETTINGS = Settings(checks=SOLUTIONS, progress=False, limits=Limits(patience=40.0))


def hand_in(folder: Path, learner: str, text: str) -> None:
    place = folder / learner / "keepdim"
    place.mkdir(parents=True, exist_ok=True)
    (place / "keepdim.ipynb").write_text(text)


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    right = json.dumps(without_play(solved("keepdim")))
    for learner in LEARNERS[:2]:
        hand_in(tmp_path / "submitted", learner, right)
    hand_in(tmp_path / "submitted", LEARNERS[2], right[:1000])
    return tmp_path / "submitted"


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str], Any]:
    """Learner and digest to what was graded: the tests of this file are about who is graded, and not about points."""
    return {}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, found: dict[tuple[str, str], Any]) -> list[str]:
    """Grade in this process, the same bytes once; who was graded is noted. "stop" in front interrupts the run."""
    names: list[str] = []

    def graded_in_this_process(jobs, course, *, workers) -> Iterator[Result]:
        for number, submission in jobs:
            if names and names[0] == "stop" and len(names) == 2:
                raise KeyboardInterrupt
            names.append(submission.learner)
            key = submission.learner, submission.digest
            if key not in found:
                found[key] = work.do(submission, course)
            yield number, {**found[key], "grader": course.grader}

    work.use(sandbox.forks, contained=True)
    monkeypatch.setattr(runner, "graded_here", graded_in_this_process)
    return names


def test_what_has_not_changed_is_graded_once(submissions: Path, tmp_path: Path, asked: list[str]) -> None:
    first = grade_class(submissions, tmp_path / "out", settings=SETTINGS)
    assert sorted(asked) == sorted(LEARNERS)
    asked.clear()
    second = grade_class(submissions, tmp_path / "out", settings=SETTINGS)

    assert asked == []
    assert second == first == load_class(tmp_path / "out" / RESULTS)
    assert {each.learner: each.points for each in first.graded} == {"ann": 24, "bob": 24, "<b>cid": None}
    assert len(first.rows) == 3 * 8
    assert "look at <b>cid/keepdim" in "\n".join(summary(first))


def test_a_changed_submission_and_one_that_is_asked_for_are_graded_again(
    submissions: Path, tmp_path: Path, asked: list[str]
) -> None:
    before = grade_class(submissions, tmp_path / "out", settings=SETTINGS)
    asked.clear()
    hand_in(
        submissions, "bob", json.dumps(answer(without_play(solved("keepdim")), "keepdim.wild", "picture_width = 7"))
    )
    after = grade_class(submissions, tmp_path / "out", settings=SETTINGS)
    assert asked == ["bob"]
    assert {each.learner: each.points for each in after.graded} == {"ann": 24, "bob": 23, "<b>cid": None}

    asked.clear()
    again = grade_class(submissions, tmp_path / "out", settings=Settings(**{**vars(SETTINGS), "again": ("ann",)}))
    assert asked == ["ann"]
    assert points(again) == points(after)
    assert again.seed_name == before.seed_name


def points(record) -> list[tuple[str, str, float | None]]:
    return [(row.learner, row.item, row.points) for row in record.rows]


def test_an_interrupted_run_goes_on_where_it_was(submissions: Path, tmp_path: Path, asked: list[str]) -> None:
    asked.append("stop")
    first = grade_class(submissions, tmp_path / "out", settings=SETTINGS)
    assert first.finished is False
    assert len(first.rows) == len(LEARNERS) * len(items_of("keepdim"))
    left = [each for each in first.graded if each.problem == NOT_YET]
    assert len(left) == 2
    assert {(row.points, row.status, row.reason) for each in left for row in each.rows} == {(None, UNGRADED, NOT_YET)}
    done = asked.pop()
    asked.clear()

    second = grade_class(submissions, tmp_path / "out", settings=SETTINGS)

    assert (len(second.graded), second.finished) == (3, True)
    assert NOT_YET not in {each.problem for each in second.graded}
    assert sorted([*asked, done]) == sorted(LEARNERS)


def test_two_runs_do_not_grade_into_one_folder_at_once(submissions: Path, tmp_path: Path, asked: list[str]) -> None:
    (tmp_path / "out" / KEPT).mkdir(parents=True)
    with alone_in(tmp_path / "out" / KEPT), pytest.raises(CourseError, match=r"Another run is grading into .*--out"):
        grade_class(submissions, tmp_path / "out", settings=SETTINGS)
    assert asked == []
    assert not (tmp_path / "out" / KEPT / "seed").exists()

    assert grade_class(submissions, tmp_path / "out", settings=SETTINGS).finished


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_is_said_in_words_and_what_was_graded_is_kept(
    submissions: Path, tmp_path: Path, asked: list[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / f"{RESULTS}.part").symlink_to("/dev/full")
    with pytest.raises(CourseError, match=rf"{RESULTS}' cannot be written: No space left.*Make room.*goes on"):
        grade_class(submissions, tmp_path / "out", settings=SETTINGS)
    assert not (tmp_path / "out" / f"{RESULTS}.part").is_symlink()
    asked.clear()

    assert grade_class(submissions, tmp_path / "out", settings=SETTINGS).finished
    assert asked == []


def test_a_report_goes_into_no_file(submissions: Path, tmp_path: Path, asked: list[str]) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(CourseError, match=r"'.*out' cannot be written: .*directory"):
        grade_class(submissions, tmp_path / "out", settings=SETTINGS)
    assert asked == []


def test_another_seed_draws_other_numbers_and_is_kept_from_others(
    submissions: Path, tmp_path: Path, asked: list[str]
) -> None:
    one = grade_class(submissions, tmp_path / "one", settings=SETTINGS)
    two = grade_class(submissions, tmp_path / "two", settings=SETTINGS)
    kept = tmp_path / "one" / "kept"

    assert one.seed_name != two.seed_name
    assert (kept.stat().st_mode & 0o077, (kept / "seed").stat().st_mode & 0o077) == (0, 0)
    assert (kept / ".gitignore").read_text() == "*\n"  # a course may lie in a public repository
    assert (kept / "seed").read_text() not in (tmp_path / "one" / RESULTS).read_text()
    assert len(asked) == 6


def test_a_fault_of_the_graders_gives_no_points_and_is_tried_again(
    submissions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(jobs, course, *, workers) -> Iterator[Result]:
        for number, _ in jobs:
            yield number, "the grader failed: ZeroDivisionError"

    monkeypatch.setattr(runner, "graded_here", failing)
    record = grade_class(submissions, tmp_path / "out", settings=SETTINGS)

    assert {row.status for row in record.rows} == {"ungraded"}
    assert all("ZeroDivisionError" in row.reason for row in record.rows)
    assert not list((tmp_path / "out" / "kept").glob("*.json"))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"only": ("keepdims",)}, "Try 'keepdim'"),
        ({"again": ("anne",)}, "Try 'ann'"),
        ({"checks": Path("nowhere")}, "--checks"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(submissions: Path, tmp_path: Path, settings, says: str) -> None:
    with pytest.raises(CourseError, match=says):
        grade_class(submissions, tmp_path / "out", settings=Settings(**{**vars(SETTINGS), **settings}))


def test_a_folder_without_submissions_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(CourseError, match=r"nothing in|no folder and no zip"):
            grade_class(folder, tmp_path / "out", settings=SETTINGS)


def test_without_a_sandbox_nothing_is_graded_and_one_is_told_what_to_install(
    submissions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CourseError, match=r"apt-get install bubblewrap.*--uncontained"):
        grade_class(submissions, tmp_path / "out", settings=SETTINGS)


def test_the_released_notebook_of_an_assignment_is_what_is_compared_with() -> None:
    from camwidget.grading.course import release_of

    tasks = release_of("hooks").tasks
    assert [task.item for task in tasks][:3] == ["hooks.q1a", "hooks.q1b", "hooks.q3"]
    assert tasks[0].released == "".join(cell_of(released("hooks"), "hooks.q1a")["source"])

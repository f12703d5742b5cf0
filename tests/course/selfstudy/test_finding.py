"""What `check hooks`, `check hooks.q5`, `check folder` and `check file` mean, and which item is next."""

from pathlib import Path

import nbformat
import pytest

from camwidget.course.selfstudy.finding import Wanted, exercises_under, notebook_of, wanted
from camwidget.course.selfstudy.memory import next_assignment, next_item, remember
from camwidget.course.selfstudy.progress import DONE, OPEN, ItemProgress, NotebookProgress
from camwidget.errors import CourseError


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Notebooks of two assignments, saved without outputs, and one that checks nothing."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, code in {
        "exercises/cam/cam.ipynb": ['cw.check("cam.q2a", 1).score()'],
        "exercises/hooks/hooks.ipynb": ['cw.check("hooks.q1a", 1).score()', 'cw.check("hooks.q5", 1).score()'],
        "story.ipynb": ["1"],
    }.items():
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in code]), path)
    return tmp_path / "mine"


def places(found: list[Wanted], course: Path) -> list[tuple[str, str]]:
    return [(each.path.relative_to(course).stem, each.item) for each in found]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], [("hooks", ""), ("cam", "")]),  # in the order of the course, not of the alphabet
        (["hooks"], [("hooks", "")]),
        (["exercises/hooks"], [("hooks", "")]),
        (["exercises"], [("hooks", ""), ("cam", "")]),
        (["hooks.q5"], [("hooks", "hooks.q5")]),
        (["cam", "hooks", "cam"], [("cam", ""), ("hooks", "")]),
    ],
)
def test_a_name_means_a_notebook(course: Path, names: list[str], found: list[tuple[str, str]]) -> None:
    assert places(wanted(names, course), course) == found


def test_inside_the_folder_of_the_exercises_an_assignment_is_its_folder(course: Path) -> None:
    assert places(wanted(["hooks"], course / "exercises"), course) == [("hooks", "")]


def test_a_file_that_is_named_is_taken_as_it_is() -> None:
    assert wanted(["none.ipynb"], Path()) == [Wanted(Path("none.ipynb"))]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("hoks", "There is no item 'hoks'.*Did you mean 'hooks'"),
        ("hooks.q55", "Did you mean 'hooks.q5'"),
        ("keepdim", "no notebook of 'keepdim'.*camwidget start"),
        ("zzz", "camwidget list"),
    ],
)
def test_what_is_not_there_is_answered_with_what_to_do(course: Path, name: str, says: str) -> None:
    with pytest.raises(CourseError, match=says):
        wanted([name], course)


def test_two_notebooks_of_one_assignment_are_not_confused(course: Path) -> None:
    (course / "copy.ipynb").write_bytes((course / "exercises/cam/cam.ipynb").read_bytes())

    with pytest.raises(CourseError, match=r"several notebooks of 'cam'.*Name the file"):
        notebook_of("cam", course)


def test_a_damaged_exercise_is_not_overlooked(course: Path) -> None:
    path = course / "exercises/cam/cam.ipynb"
    path.write_text(path.read_text()[:-20])

    assert path in exercises_under(course)


def test_the_next_item_is_what_the_last_check_left_until_the_notebook_is_saved_again(course: Path) -> None:
    path = course / "exercises/hooks/hooks.ipynb"
    items = (ItemProgress("hooks.q1a", DONE, 1.0, 1.0), ItemProgress("hooks.q5", OPEN, 0.0, 4.0))

    assert next_item(course) == "hooks.q1a"
    remember(NotebookProgress(path, items, (), 1.0))
    assert next_item(course) == "hooks.q5"
    path.write_text(path.read_text() + "\n")
    assert next_item(course) == "hooks.q1a", "its outputs show nothing yet"


def test_a_memory_that_is_damaged_is_no_memory(course: Path, tmp_path: Path) -> None:
    (tmp_path / "state" / "camwidget").mkdir(parents=True)
    (tmp_path / "state" / "camwidget" / "progress.json").write_text("{")

    assert next_item(course) == "hooks.q1a"


def test_after_an_assignment_comes_the_next_of_the_course() -> None:
    assert next_assignment("hooks") == "cam"
    assert next_assignment("mistakes") == next_assignment("toy") == ""

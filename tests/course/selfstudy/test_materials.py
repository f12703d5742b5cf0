"""What comes with the package: copies for a learner, and the hints read off the exercises."""

import re
from pathlib import Path

import pytest

from camwidget.course.items import find_item
from camwidget.course.selfstudy.materials import hint, item_in, start, tasks
from camwidget.errors import CourseError
from tests.course.source import WRITTEN, questions
from tests.house.repository import ROOT, run_code


def test_start_copies_every_notebook_and_exercise_byte_for_byte(tmp_path: Path) -> None:
    copied, left = start(tmp_path / "new" / "course")

    assert left == []
    assert {path.parts[0] for path in copied} == {"COURSE.md", "exercises", "notebooks"}
    assert {f"{name}.ipynb" for name in WRITTEN} <= {path.name for path in copied}
    for path in copied:
        assert (tmp_path / "new" / "course" / path).read_bytes() == (ROOT / path).read_bytes()


def test_start_overwrites_nothing_and_puts_back_what_is_gone(tmp_path: Path) -> None:
    first, _ = start(tmp_path)
    (tmp_path / first[0]).write_text("my work")
    (tmp_path / first[1]).unlink()

    copied, left = start(tmp_path)

    assert copied == [first[1]]
    assert left == [first[0], *first[2:]]
    assert (tmp_path / first[0]).read_text() == "my work"


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(CourseError, match=r"'.*file' cannot be used: .* Name a new one\."):
        start(tmp_path / "file")


def test_every_item_has_its_title_and_points_in_the_exercises() -> None:
    items = [item for assignment in WRITTEN for item in questions(assignment)]

    assert sorted(tasks()) == sorted(items)
    for name, task in tasks().items():
        assert task.title == find_item(name).title
        assert task.points == find_item(name).points
        assert re.search(r"difficulty .* about \d+ minutes", task.about)


def test_a_hint_says_how_many_more_there_are_and_how_to_get_the_next() -> None:
    nudge, last = hint("keepdim.silent"), hint("keepdim.silent", level=3)

    assert nudge.splitlines()[:3] == ["keepdim.silent · The silent case", "", "Hint 1 of 3, a nudge:"]
    assert nudge.endswith("2 more: `camwidget hint keepdim.silent --level 2`")
    assert "almost the answer" in last
    assert "more:" not in last


@pytest.mark.parametrize(
    ("name", "level", "says"),
    [
        ("keepdim.silnt", 1, r"no item 'keepdim.silnt'\..*Did you mean 'keepdim.silent'"),
        ("zzz", 1, "camwidget list"),
        ("keepdim.silent", 0, "hints 1 to 3"),
        ("keepdim.silent", 4, "hints 1 to 3"),
    ],
)
def test_a_hint_that_is_not_there_is_answered_with_what_is(name: str, level: int, says: str) -> None:
    with pytest.raises(CourseError, match=says):
        hint(name, level=level)


@pytest.mark.parametrize(
    ("source", "item"),
    [
        ('cw.check("hooks.q5", f).score()', "hooks.q5"),
        ("check( 'cam.two_parts' , f)", "cam.two_parts"),
        ('x = 1\ncw.check("hooks.q5", f, g)', "hooks.q5"),
        ('"hooks.q5"', ""),
        ('recheck("hooks.q5")', ""),
        ('check("hooks")', ""),
    ],
)
def test_the_item_that_a_cell_checks_is_read_off_its_call(source: str, item: str) -> None:
    assert item_in(source) == item


def test_hints_need_no_heavy_library() -> None:
    heavy = ["numpy", "torch", "nbformat", "jupyter_client", "IPython"]
    code = "import sys; from camwidget.command.cli import main; code = main(['hint', 'keepdim.silent']); "

    printed = run_code(f"{code}print(code, [name for name in {heavy} if name in sys.modules])")

    assert printed.endswith("0 []")

import shutil
from pathlib import Path

import jaxtyping
import pytest
from torch.utils.data import DataLoader

from camwidget.errors import ClassError, DataError
from camwidget.mistakes.find import find_mistakes
from camwidget.mistakes.found import Found
from camwidget.mistakes.plans import plan_drop, plan_move
from camwidget.mistakes.tags import Tags
from tests.mistakes.small import Files, network, picture_folder


@pytest.fixture
def found(tmp_path: Path) -> Found:
    loader = DataLoader(Files(picture_folder(tmp_path / "pictures")), batch_size=9)
    return find_mistakes(network(), loader, progress=False)


def test_tags_are_counted_and_a_picture_may_have_several() -> None:
    tags = Tags()
    tags.add("wrong label", [3, 1])
    tags.add(" a shortcut ", [3])
    tags.add("wrong label", [1])

    assert tags.counts() == {"wrong label": 2, "a shortcut": 1}
    assert tags.of(3) == ["a shortcut", "wrong label"]
    assert tags.rows("wrong label") == [1, 3]
    tags.remove("wrong label", [1, 3])
    assert tags.counts() == {"a shortcut": 1}


@pytest.mark.parametrize("tag", ["", "  ", "a; b", "two\nlines", "x" * 61])
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(DataError, match="one line of up to 60"):
        Tags().add(tag, [1])


def test_a_plan_to_move_lists_its_steps_and_does_nothing_before_it_is_carried_out(found: Found) -> None:
    start = found.file(4)
    plan = plan_move(found, [4], "cow")
    end = start.parent.parent / "cow" / start.name

    assert plan.steps == ((start, end),)
    assert str(start) in repr(plan)
    assert "Nothing is done before" in repr(plan)
    assert start.is_file()
    plan.carry_out()
    assert end.is_file()
    assert not start.exists()


def test_no_file_is_moved_if_one_cannot_be(found: Found) -> None:
    first, second = found.file(3), found.file(4)
    (second.parent.parent / "cow" / second.name).write_bytes(b"mine")

    with pytest.raises(DataError, match=r"bee_1.png would be replaced"):
        plan_move(found, [3, 4], "cow").carry_out()

    assert first.is_file()
    assert second.is_file()


def test_pictures_are_dropped_to_another_folder_and_not_deleted(found: Found, tmp_path: Path) -> None:
    content = found.file(0).read_bytes()

    plan_drop(found, [0, 5], tmp_path / "dropped").carry_out()

    assert (tmp_path / "dropped" / "ant" / "ant_0.png").read_bytes() == content
    assert not found.file(5).exists()


def test_a_plan_that_makes_no_sense_is_refused(found: Found) -> None:
    with pytest.raises(ClassError, match="no class 'pig'"):
        plan_move(found, [1], "pig")
    with pytest.raises(DataError, match="inside of the data"):
        plan_drop(found, [1], Path(found.root) / "bin")
    found.file(1).unlink()
    with pytest.raises(DataError, match="is not there"):
        plan_move(found, [1], "cow").carry_out()


def test_only_rows_that_there_are_have_tags_so_what_is_saved_can_be_loaded(
    found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(DataError, match=r"no row 99.*found.wrong.index"):
        found.tags.add("x", [1, 99])
    with pytest.raises(DataError, match=r"rows is 1\..*pass \[1\]"):
        found.tags.add("x", 1)
    with pytest.raises(DataError, match=r"rows holds 1.5"):
        found.tags.add("x", [1.5])
    assert found.tags.counts() == {}

    found.tags.add("x", found.table.index[:2])

    assert Found.load(found.save(tmp_path / "kept")).tags.rows("x") == [0, 1]


def test_a_tag_that_nothing_has_is_not_taken_away_in_silence(found: Found) -> None:
    found.tags.add("wrong label", [1])
    with pytest.raises(DataError, match="Did you mean 'wrong label'"):
        found.tags.remove("wrong lable", [1])


def test_a_move_that_fails_in_the_middle_is_taken_back(found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, move, moved = plan_move(found, [3, 4, 5], "cow"), shutil.move, []

    def failing(start: Path, end: Path) -> None:
        if len(moved) == 2:
            moved.append(start)
            raise OSError(28, "No space left on device")
        moved.append(start)
        move(start, end)

    monkeypatch.setattr(shutil, "move", failing)

    with pytest.raises(DataError, match=r"bee_2.png cannot be moved \(No space left.*no file was moved"):
        plan.carry_out()

    assert all(start.is_file() and not end.exists() for start, end in plan.steps)


def test_a_folder_inside_of_the_data_is_found_behind_a_link(found: Found, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(found.root, target_is_directory=True)
    with pytest.raises(DataError, match="inside of the data"):
        plan_drop(found, [1], tmp_path / "link" / "bin")

"""Class lists as Moodle, Canvas and teachers write them."""

from pathlib import Path

import pytest

from camwidget.errors import CourseError
from camwidget.grading.roster import Member, read_roster


def roster(tmp_path: Path, text: str) -> tuple[Member, ...]:
    (tmp_path / "class.csv").write_text(text, encoding="utf-8-sig")
    return read_roster(tmp_path / "class.csv")


def test_a_list_of_moodle_is_read(tmp_path: Path) -> None:
    text = "Identifier,Full name,Email address,Status\nParticipant 12,Ada Lovelace,ada@x.org,Submitted\n"

    assert roster(tmp_path, text) == (Member("Ada Lovelace", "Ada Lovelace", "ada@x.org", "12"),)


def test_a_list_of_canvas_is_read(tmp_path: Path) -> None:
    text = 'Student,ID,SIS Login ID,Section\n"Lovelace, Ada",12345,al1,A\n'

    assert roster(tmp_path, text) == (Member("al1", "Ada Lovelace", "", "12345"),)


def test_other_commas_and_two_columns_of_names_are_read(tmp_path: Path) -> None:
    assert roster(tmp_path, "Username;First name;Surname\nal1;Ada;Lovelace\n") == (Member("al1", "Ada Lovelace"),)


@pytest.mark.parametrize(
    "content",
    [
        "learner\tname\nal1\tAda Lövelace\n".encode("utf-16"),
        "sep=|\nlearner|name\nal1|Ada Lövelace\n".encode(),
        "\ufefflearner;name\r\nal1;Ada Lövelace\r\n;\r\n".encode(),
    ],
)
def test_what_spreadsheets_save_is_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "class.csv").write_bytes(content)

    assert read_roster(tmp_path / "class.csv") == (Member("al1", "Ada Lövelace"),)


def test_the_line_of_points_in_a_list_of_canvas_is_nobody(tmp_path: Path) -> None:
    text = 'Student,ID,SIS Login ID,keepdim (1)\n    Points Possible,,,24\n"Lovelace, Ada",12345,al1,\n'

    assert [member.learner for member in roster(tmp_path, text)] == ["al1"]


def test_a_list_in_another_encoding_is_refused_with_what_to_try(tmp_path: Path) -> None:
    (tmp_path / "class.csv").write_bytes("learner\nBjörn\n".encode("cp1252"))

    with pytest.raises(CourseError, match="CSV UTF-8"):
        read_roster(tmp_path / "class.csv")


def test_a_learner_is_known_by_any_of_their_names(tmp_path: Path) -> None:
    ada = Member("al1", "Ada Lovelace", "ada@x.org", "12")

    assert [ada.is_called(name, "") for name in ("AL1", "ada lovelace", "lovelaceada", "ada@x.org", "ada")] == [
        True, True, True, True, False,
    ]  # fmt: skip
    assert ada.is_called("anything", "12")
    assert not ada.is_called("al1", "13")


@pytest.mark.parametrize("text", ["", "id,name\n", "colour\nred\n", "id\nada\nada\n"])
def test_a_list_that_names_nobody_or_somebody_twice_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(CourseError, match=r"names nobody|twice"):
        roster(tmp_path, text)


def test_a_list_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "class.csv").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(CourseError, match="cannot be read"):
        read_roster(tmp_path / "class.csv")

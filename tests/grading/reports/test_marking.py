"""Late days and weights, worked out by hand."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from camwidget.errors import CourseError
from camwidget.grading.reports.marking import Final, Marking, final, read_marking
from tests.grading.reports.small_class import ada, ben, broken

TEXT = """
[late]
due = { hooks = 2026-03-01T12:00:00+00:00, cam = 2026-04-01 }
free_days = 1
per_day = 0.25
most = 0.5
[weights]
hooks = 2
"""


def settings(tmp_path: Path, text: str) -> Marking:
    (tmp_path / "marks.toml").write_text(text, encoding="utf-8")
    return read_marking(tmp_path / "marks.toml")


def test_the_file_is_read(tmp_path: Path) -> None:
    read = settings(tmp_path, TEXT)

    assert (read.free_days, read.per_day, read.most, dict(read.weights)) == (1.0, 0.25, 0.5, {"hooks": 2.0})
    assert read.due["hooks"] == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (read.due["cam"].day, read.due["cam"].hour) == (1, 23)  # a day lasts until its end
    assert settings(tmp_path, "") == Marking()


@pytest.mark.parametrize(
    ("handed_in", "days", "lost"),
    [
        ("2026-03-01T12:00:00+00:00", 0, 0.0),
        ("2026-03-01T12:00:01+00:00", 1, 0.0),  # a day begun, and free
        ("2026-03-02T12:00:01+00:00", 2, 0.75),  # a quarter of 3
        ("2026-03-01T12:00:00-05:00", 1, 0.0),  # another time zone
        ("2026-03-09T12:00:00", 8, 1.5),  # no time zone: the teacher's; and no more than half
        ("", 0, 0.0),
        ("yesterday", 0, 0.0),
    ],
)
def test_days_begun_cost_their_share_and_no_more_than_the_most(
    tmp_path: Path, handed_in: str, days: int, lost: float
) -> None:
    late = final(replace(ben(), handed_in=handed_in), settings(tmp_path, TEXT))

    assert late == Final(days, lost, 3.0 - lost, 2 * (3.0 - lost), 10.0)


def test_without_settings_points_are_points_and_without_points_there_are_none() -> None:
    assert final(ada(), Marking()) == Final(0, 0.0, 5.0, 5.0, 5.0)
    assert final(broken(), Marking()) == Final(0, None, None, None, 5.0)


@pytest.mark.parametrize(
    "text",
    [
        "late = 3", "[lte]", "[late]\nper_dya = 1", "[late]\nper_day = 10", "[late]\nper_day = true",
        "[late]\nfree_days = -1", "[late]\nfree_days = inf", '[late]\ndue = { hooks = "tomorrow" }',
        "[late]\ndue = { hoks = 2026-01-01 }", '[weights]\nhooks = "two"', "[weights", "[late]\nper_day = nan",
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_refused_with_what_to_write(tmp_path: Path, text: str) -> None:
    with pytest.raises(CourseError, match=r"Did you mean|Write "):
        settings(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="cannot be read"):
        read_marking(tmp_path / "none.toml")

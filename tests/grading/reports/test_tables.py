"""The tables: one line for everything, and no formula from a learner."""

import csv
import io
from dataclasses import replace

import pytest

from camwidget.errors import CourseError
from camwidget.grading.reports.marking import Marking
from camwidget.grading.reports.tables import lms_csv, rows_csv, sums_csv
from camwidget.grading.roster import Member
from tests.grading.reports.small_class import ada, broken, hostile, small_class


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_there_is_a_line_for_every_submission_and_item_with_its_status() -> None:
    lines = read(rows_csv(small_class(broken())))

    assert [(line["learner"], line["item"], line["status"], line["points"]) for line in lines] == [
        ("ada", "hooks.q1", "right", "2"), ("ada", "hooks.q2", "right", "3"),
        ("ben", "hooks.q1", "right", "2"), ("ben", "hooks.q2", "partly", "1"),
        ("cem", "hooks.q1", "not started", "0"), ("cem", "hooks.q2", "partly", "1"),
        ("dora", "hooks.q1", "ungraded", ""), ("dora", "hooks.q2", "ungraded", ""),
    ]  # fmt: skip
    assert lines[-1]["reason"] == "It is no notebook"


def test_there_is_a_sum_for_every_submission_or_the_reason() -> None:
    lines = read(sums_csv(small_class(hostile(), broken()), Marking()))

    assert [(line["status"], line["points"], line["points_after"], line["max_points"]) for line in lines] == [
        ("graded", "5", "5", "5"), ("graded", "3", "3", "5"), ("graded", "1", "1", "5"),
        ("1 of 2 items ungraded", "", "", "5"), ("ungraded", "", "", "5"),
    ]  # fmt: skip
    assert lines[-1]["problem"] == "It could not be graded: it is no notebook"
    assert {line["contained"] for line in lines} == {"yes"}


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\t=1"])
def test_a_name_becomes_no_formula(name: str) -> None:
    (line, *_) = read(
        rows_csv(replace(small_class(), graded=(replace(ada(), rows=(replace(ada().rows[0], learner=name),)),)))
    )

    assert line["learner"].startswith("'")


MEMBERS = {"ada": Member("ada", "Ada Lovelace", "ada@x.org", "12"), "dora": Member("dora", "Dora D", number="34")}


def test_moodle_gets_numbers_and_empty_cells_for_those_without_points() -> None:
    assert lms_csv(small_class(broken()), "moodle", Marking(), members=MEMBERS).splitlines() == [
        "Identifier,Full name,Email address,Grade",
        "Participant 12,Ada Lovelace,ada@x.org,5",
        ",ben,,3",
        ",cem,,1",
        "Participant 34,Dora D,,",
    ]


def test_canvas_gets_a_column_for_each_assignment_and_the_points_possible() -> None:
    assert lms_csv(small_class(broken()), "canvas", Marking(), members=MEMBERS).splitlines()[:3] == [
        "Student,ID,SIS Login ID,Section,hooks",
        "    Points Possible,,,,5",
        "Ada Lovelace,12,ada,,5",
    ]


def test_another_system_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(CourseError, match="Did you mean 'moodle'"):
        lms_csv(small_class(), "mooodle", Marking(), members={})

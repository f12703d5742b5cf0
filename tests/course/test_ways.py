"""Beside a right answer stand two ways to write it, both of them right."""

import pytest

from camwidget.course.check import check
from camwidget.course.report import as_html
from camwidget.course.ways import PACKED, packed, ways_of
from tests.course.source import WRITTEN, handed_in, is_right, questions, report_on, told
from tests.course.ways import two_ways

ITEMS = [item for assignment in WRITTEN for item in questions(assignment)]


def test_what_is_packed_is_what_the_bank_has() -> None:
    assert PACKED.read_text("ascii") == packed(two_ways()), "pack them again with: python -m tests.course.ways"


@pytest.mark.parametrize("item", [item for item in ITEMS if ways_of(item)])
def test_two_different_ways_are_both_right(item: str) -> None:
    one, other = ways_of(item)

    assert one != other
    assert "SOLUTION" not in one + other
    for way in (one, other):
        report = report_on(item, way)
        assert is_right(report), told(report)


def test_every_answer_that_is_written_and_not_chosen_has_ways() -> None:
    written = [item for item in ITEMS if "def " in questions(item.partition(".")[0])[item].solution]

    assert [item for item in written if not ways_of(item)] == []


def test_they_stand_beside_a_right_answer_alone() -> None:
    item = "keepdim.unsqueeze"
    right, wrong = (
        ways_of(item)[0],
        "def weighted_map(weights, activation):\n    return activation.sum(0) < weights.sum()",
    )

    shown = check(item, *handed_in(item, right))
    assert shown.ways == ways_of(item)
    assert as_html(shown).count("<pre>") == 2
    assert check(item, *handed_in(item, wrong)).ways == ()
    assert check(item, *handed_in(item, right), hidden=True).ways == ()
    assert "Compare" not in as_html(check(item, None))

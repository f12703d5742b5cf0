"""The seed of a class draws the numbers, and does not decide who gets a point."""

import pytest

from camwidget.course.attempt import Attempt
from camwidget.course.check import judged
from camwidget.course.items import Item
from tests.course.bank import entry_of
from tests.course.seeds import points_under
from tests.course.source import questions

LUCKY = [
    ("cam.q2b", "only width", 3),
    ("cam.cam_head", "the_linear", 1),
    ("mistakes.place", "raw", 3),
    ("mistakes.place", "first_map", 3),
    ("mistakes.top_losses", "mistakes_only", 3),
    ("nlp_cam.without_top", "by_word", 3),
]
"""Wrong answers that a single drawn case may be kind to."""


@pytest.mark.parametrize(("item", "name", "points"), LUCKY)
def test_a_wrong_answer_gets_the_same_points_under_every_seed(item: str, name: str, points: int) -> None:
    code = entry_of(item).wrong[name].code

    assert set(points_under(item, code)) == {points}


def test_a_network_of_which_the_package_has_no_map_is_drawn_again_and_costs_nobody_the_item() -> None:
    solution = questions("grad_cam")["grad_cam.panel"].solution

    assert points_under("grad_cam.panel", solution, (1, 30 * 7919)) == [3, 3]


def _judge_three(attempt: Attempt) -> None:
    for number in range(3):
        got = attempt.call(attempt.answer, number, called=f"both({number})")
        attempt.fact("form", isinstance(got, tuple), stop=True)
        attempt.fact("length", len(got) == 2, stop=True)
        attempt.fact("first", got[0] == number)
        attempt.fact("second", got[1] == -number)


THREE = Item(
    "cam.toy",
    "a number and its negative",
    judge=_judge_three,
    facts={key: (key, 1) for key in ("form", "length", "first", "second")},
)


@pytest.mark.parametrize("lucky", range(3))
def test_facts_behind_one_that_fails_do_not_count_for_the_calls_in_which_it_held(lucky: int) -> None:
    report = judged(THREE, (lambda number: (number, -number) if number == lucky else (number,),))

    assert [(fact.passed, fact.tried) for fact in report.facts] == [
        (True, True),
        (False, True),
        (False, False),
        (False, False),
    ]


def test_facts_that_were_stated_before_the_one_that_fails_keep_what_they_said() -> None:
    report = judged(THREE, (lambda number: (number, number, 0) if number else (number, number),))

    assert [fact.passed for fact in report.facts] == [True, False, False, False]
    assert [fact.tried for fact in report.facts] == [True, True, False, False]
    wrong_second = judged(THREE, (lambda number: (number, 1) if number < 2 else (number,),))
    assert [(fact.passed, fact.tried) for fact in wrong_second.facts][2:] == [(False, False), (False, True)]

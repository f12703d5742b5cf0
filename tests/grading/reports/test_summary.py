"""The numbers about an assignment, worked out by hand."""

import pytest

from camwidget.course.items import SEE_NOTE
from camwidget.grading.records import FactRow
from camwidget.grading.reports.summary import Bar, mistake_of, summarise
from tests.grading.reports.small_class import ada, ben, broken, cem, graded, hostile, row


def test_an_item_has_its_solvers_its_mean_and_its_mistakes() -> None:
    first, second = summarise("hooks", [ada(), ben(), cem()]).items

    assert (first.item, first.judged, first.solved, first.mean) == ("hooks.q1", 3, 2, pytest.approx(4 / 3))
    assert (first.not_started, first.mistakes, first.unnamed, first.seconds) == (1, (), 0, 0.25)
    assert (second.judged, second.solved, second.mean) == (3, 1, pytest.approx(5 / 3))
    assert (second.mistakes, second.unnamed) == ((("the sign is turned around", 1),), 1)
    assert second.reported_points == 1.0


def test_without_points_is_no_zero() -> None:
    summary = summarise("hooks", [ada(), hostile(), broken()])
    first, second = summary.items

    assert (first.judged, first.ungraded, first.mean) == (2, 1, 2.0)
    assert (second.judged, second.ungraded, second.mean) == (1, 2, 3.0)
    assert [each.points for each in summary.graded] == [5.0, None, None]
    assert [each.learner for each in summary.problems] == ["dora"]
    assert sum(bar.count for bar in summary.bars) == 1


def test_learners_are_ranked_and_those_without_a_sum_come_last() -> None:
    summary = summarise("hooks", [broken(), cem(), ben(), ada()])

    assert [each.learner for each in summary.graded] == ["ada", "ben", "cem", "dora"]
    assert summary.quartiles is None  # of three nobody is a quarter


def points(*sums: float, most: float) -> list:  # type: ignore[type-arg]
    return [graded(f"l{place}", row(f"l{place}", "q1", each, most)) for place, each in enumerate(sums)]


def test_bars_hold_whole_points_and_the_last_one_the_best() -> None:
    assert summarise("hooks", points(0, 2.5, 3, 22, 23, most=23.0)).bars == (
        Bar(0.0, 2.0, 2), Bar(3.0, 5.0, 1), Bar(6.0, 8.0, 0), Bar(9.0, 11.0, 0), Bar(12.0, 14.0, 0), Bar(15.0, 17.0, 0),
        Bar(18.0, 20.0, 0), Bar(21.0, 23.0, 2),
    )  # fmt: skip
    assert [bar.count for bar in summarise("hooks", points(0, 1, 1, most=1.0)).bars] == [3]


def test_quartiles_are_those_of_the_sums() -> None:
    assert summarise("hooks", points(1, 2, 3, 4, 5, most=5.0)).quartiles == (2, 3, 4)


def class_of(pairs: list[tuple[float, float]]) -> list:  # type: ignore[type-arg]
    return [
        graded(f"l{place}", row(f"l{place}", "q1", own, 4.0), row(f"l{place}", "q2", rest, 4.0))
        for place, (own, rest) in enumerate(pairs)
    ]


def test_an_item_is_compared_with_the_others_without_itself() -> None:
    # Along with the rest, against it, and by itself: with the item in the sum the last one would seem fine.
    along = summarise("hooks", class_of([(place % 5, place % 5) for place in range(10)])).items[0]
    against = summarise("hooks", class_of([(place % 5, 4 - place % 5) for place in range(10)])).items[0]
    alone = summarise("hooks", class_of([(a, b) for a in (0, 4) for b in (0, 4)] * 3)).items[0]

    assert (along.tells_apart, along.weak) == (pytest.approx(1), False)
    assert (against.tells_apart, against.weak) == (pytest.approx(-1), True)
    assert (alone.tells_apart, alone.weak) == (pytest.approx(0), True)


def test_few_learners_and_equal_points_tell_nothing() -> None:
    few = summarise("hooks", class_of([(place % 5, place % 5) for place in range(9)])).items[0]
    equal = summarise("hooks", class_of([(4, place % 5) for place in range(12)])).items[0]
    nearly_all = summarise("hooks", class_of([(4, 4)] * 39 + [(0, 4)] + [(4, 0)])).items[0]

    assert (few.tells_apart, few.weak) == (None, False)
    assert (equal.tells_apart, equal.weak) == (None, False)
    assert nearly_all.tells_apart is not None
    assert nearly_all.tells_apart < 0
    assert not nearly_all.weak


def test_a_mistake_is_named_by_the_check_or_by_what_is_said_about_an_option() -> None:
    assert mistake_of(ben().rows[1]) == "the sign is turned around"
    assert mistake_of(cem().rows[1]) == ""


@pytest.mark.parametrize(
    ("cause", "note", "name"),
    [
        (SEE_NOTE, "b: It is not.", "b: It is not."),
        (SEE_NOTE, "b: It is not.\nc: It is.", "b and c together"),
        # What is said about an option that is right is no mistake.
        ("more than one option is right: 1 missing", "c: It is.", "c: more than one option is right: 1 missing"),
        ("answer with letters such as 'a'", "", "answer with letters such as 'a'"),
    ],
)
def test_a_mistake_in_a_quiz_is_named_by_what_was_chosen_and_never_by_a_right_option(
    cause: str, note: str, name: str
) -> None:
    chosen = (FactRow("chosen", "the right option is chosen", 1.0, False),)

    assert mistake_of(row("x", "q", 0.0, 1.0, cause=cause, note=note, facts=chosen)) == name


def test_what_the_sandbox_stopped_is_listed_with_its_place() -> None:
    stopped = graded("zoe", row("zoe", "q1", 0.0, 2.0, events=("used memory",)), events=("Cell x ended",))

    assert summarise("hooks", [stopped]).events == (("zoe", "", "Cell x ended"), ("zoe", "hooks.q1", "used memory"))

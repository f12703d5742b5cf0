"""The commonest wrong answers without a name."""

from dataclasses import replace

from camwidget.grading.reports.unnamed import unnamed
from tests.grading.reports.small_class import ada, ben, cem


def test_wrong_answers_without_a_cause_are_grouped_by_how_they_fail_and_counted() -> None:
    def copy(learner: str, source: str) -> object:
        return replace(cem(), learner=learner, answers={"hooks.q2": source})

    same = copy("dan", "def f(y):  # mine\n    return y < 1")
    different = copy("eva", "def f(x):\n    return 2")

    (group,) = unnamed([ada(), ben(), cem(), same, different], {"hooks.q2": ""})  # type: ignore[list-item]

    assert (group.item, group.failing) == ("hooks.q2", ("the numbers are right",))
    assert group.learners == ("cem", "dan", "eva")
    assert group.examples == (("def f(x):\n    return x < 1", 2), ("def f(x):\n    return 2", 1))


def test_what_has_a_name_or_is_right_is_not_among_them() -> None:
    assert unnamed([ada(), ben()], {}) == ()

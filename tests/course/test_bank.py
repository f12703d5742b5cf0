"""Every right answer earns all points, every wrong one loses the point meant for it, and no mutant survives."""

import jaxtyping
import pytest

from camwidget.course.items import find_item, items_of
from camwidget.course.report import Report
from tests.course.bank import Wrong, bank_of, entry_of
from tests.course.bank.families import families, family_code
from tests.course.mutants import mutants
from tests.course.source import WRITTEN, is_named, is_right, questions, report_on, told

pytestmark = pytest.mark.slow
BANKS = {assignment: bank_of(assignment) for assignment in WRITTEN}
ITEMS = [item for assignment in WRITTEN for item in questions(assignment)]
RIGHT = [(item, name) for bank in BANKS.values() for item, entry in bank.items() for name in entry.right]
WRONG = [(item, name) for bank in BANKS.values() for item, entry in bank.items() for name in entry.wrong]
LIBERTIES = [(item, name) for item in ITEMS for name in families(item)[0]]
SLIPS = [(item, name) for item in ITEMS for name in families(item)[1]]
NAMED = 0.85
"""The share of wrong answers that are told which mistake it is."""


@pytest.fixture
def as_users_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the checks of annotations, most of the time of what runs a thousand times.

    The same judges have run with them, over every right and every wrong answer of the bank, in the visible checks.
    """
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def graded(item: str, code: str) -> Report | str:
    """What the hidden check says, without the checks of annotations.

    It has the judges of the visible one, with other sizes: they have run with the checks, over this very answer.
    """
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        return report_on(item, code, hidden=True)
    finally:
        jaxtyping.config.update("jaxtyping_disable", before)


@pytest.mark.parametrize("assignment", WRITTEN)
def test_the_notebook_the_bank_and_both_kinds_of_checks_have_the_same_items(assignment: str) -> None:
    visible = list(items_of(assignment))

    assert list(questions(assignment)) == visible
    assert list(BANKS[assignment]) == visible
    assert list(items_of(assignment, hidden=True)) == visible


@pytest.mark.parametrize("item", ITEMS)
def test_visible_and_hidden_checks_are_worth_the_same(item: str) -> None:
    assert find_item(item, hidden=True).points == find_item(item).points


@pytest.mark.parametrize("item", ITEMS)
def test_the_bank_is_rich_enough(item: str) -> None:
    entry = entry_of(item)

    assert len(set(entry.right.values())) >= 4
    assert len({wrong.code for wrong in entry.wrong.values()}) >= 8


@pytest.mark.parametrize("hidden", [False, True], ids=["visible", "hidden"])
@pytest.mark.parametrize("item", ITEMS)
def test_the_solution_earns_every_point(item: str, hidden: bool) -> None:
    report = report_on(item, questions(item.partition(".")[0])[item].solution, hidden=hidden)

    assert is_right(report), told(report)


@pytest.mark.parametrize("item", ITEMS)
def test_what_is_not_solved_yet_is_not_started(item: str) -> None:
    report = report_on(item, questions(item.partition(".")[0])[item].unsolved)

    # A cell that sets a value stops by itself; a function or a class is there, and stops when it is called.
    assert "NotImplementedError" in report if isinstance(report, str) else not report.started


@pytest.mark.parametrize(("item", "name"), RIGHT)
def test_a_right_answer_earns_every_point(item: str, name: str) -> None:
    code = entry_of(item).right[name]

    for report in (report_on(item, code), graded(item, code)):
        assert is_right(report), told(report)


@pytest.mark.parametrize(("item", "name"), WRONG)
def test_a_wrong_answer_loses_the_point_and_gets_the_message_meant_for_it(item: str, name: str) -> None:
    wrong: Wrong = entry_of(item).wrong[name]
    report, mark = report_on(item, wrong.code), graded(item, wrong.code)

    assert wrong.says in told(report)
    assert not is_right(mark), told(mark)
    if isinstance(report, Report) and wrong.loses:
        says = find_item(item).facts[wrong.loses][0]
        assert says in [fact.says for fact in report.facts if not fact.passed and fact.tried], told(report)
    else:
        assert not is_right(report)
        assert wrong.loses == "" or isinstance(report, Report)


@pytest.mark.usefixtures("as_users_have_it")
@pytest.mark.parametrize(("item", "name"), LIBERTIES)
def test_a_liberty_that_an_answer_takes_costs_nothing(item: str, name: str) -> None:
    code = family_code(item, questions(item.partition(".")[0])[item].solution, families(item)[0][name])

    for hidden in (False, True):
        report = report_on(item, code, hidden=hidden)
        assert is_right(report), told(report)


@pytest.mark.usefixtures("as_users_have_it")
@pytest.mark.parametrize(("item", "name"), SLIPS)
def test_a_slip_that_can_occur_in_every_item_is_found_and_named(item: str, name: str) -> None:
    family = families(item)[1][name]
    code = family_code(item, questions(item.partition(".")[0])[item].solution, family)
    report = report_on(item, code)

    assert not is_right(report)
    assert not is_right(report_on(item, code, hidden=True))
    assert family.says in told(report)


@pytest.mark.parametrize("assignment", WRITTEN)
def test_most_wrong_answers_are_told_which_mistake_it_is(assignment: str) -> None:
    named = [
        is_named(report_on(item, wrong.code))
        for item, entry in BANKS[assignment].items()
        for wrong in entry.wrong.values()
    ]

    assert sum(named) / len(named) >= NAMED


@pytest.mark.usefixtures("as_users_have_it")
@pytest.mark.parametrize("item", ITEMS)
def test_no_mutant_of_the_solution_survives(item: str) -> None:
    entry = entry_of(item)
    made = dict(mutants(questions(item.partition(".")[0])[item].solution))
    alive = [
        change
        for change, code in made.items()
        if change not in entry.equivalent
        if is_right(report_on(item, code)) and is_right(report_on(item, code, hidden=True))
    ]

    assert made, "the solution has nothing to change"
    assert alive == []
    assert sorted(set(entry.equivalent) - set(made)) == [], "these are no mutants (any more)"

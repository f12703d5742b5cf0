"""The other side of the attacks: whatever is right loses nothing when it is judged outside, in any way of writing.

These try some; `python -m tests.grading.bank` tries all answers of the bank, `python -m tests.grading.whole` forty
whole submissions.
"""

import pytest

from camwidget.grading.judge import REPORTED
from camwidget.grading.sandbox import Sandbox
from tests.course.bank import entry_of
from tests.course.source import WRITTEN
from tests.grading.bank import differences
from tests.grading.submissions import graded, released, without_play
from tests.grading.whole import lost, whole

pytestmark = pytest.mark.slow


WHOLE = (8, 17, 21, 25, 26, 27, 37)
"""Numbers of whole submissions: one for each assignment, of ways that change much."""


@pytest.mark.parametrize("number", WHOLE)
def test_a_whole_submission_written_in_another_way_earns_everything(number: int, sandbox: Sandbox) -> None:
    result = whole(number).graded(sandbox)

    assert (lost(result), result.points) == ("", result.max_points)
    assert result.events == ()


def test_whole_submissions_are_of_every_assignment_and_forty_ways_of_writing() -> None:
    assert {WRITTEN[number % len(WRITTEN)] for number in WHOLE} == set(WRITTEN)
    assert len({(each.assignment, each.notebook) for each in map(whole, range(40))}) == 40
    assert len({whole(number).way for number in range(40)}) == 40


@pytest.mark.parametrize("assignment", WRITTEN)
def test_a_released_notebook_is_not_started_anywhere(assignment: str, sandbox: Sandbox) -> None:
    result = graded(without_play(released(assignment)), sandbox, assignment=assignment)

    assert {row.status for row in result.rows} == {"not started"}
    assert result.points == 0


@pytest.mark.parametrize("item", REPORTED)
def test_a_wrong_answer_is_judged_outside_as_it_is_inside(item: str, sandbox: Sandbox) -> None:
    name, wrong = list(entry_of(item).wrong.items())[-1]

    assert differences(sandbox, item, {name: wrong.code}) == {}

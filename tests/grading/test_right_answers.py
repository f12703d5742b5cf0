"""The other side of the attacks: whatever is right loses nothing when it is judged outside, in any way of writing.

These try some answers of the bank; `python -m tests.grading.bank` tries all.
"""

import pytest

from camwidget.grading.judge import REPORTED
from camwidget.grading.sandbox import Sandbox
from tests.course.bank import bank_of
from tests.course.source import WRITTEN
from tests.grading.bank import PATIENT, differences
from tests.grading.submissions import SEED, answer, graded, released, solved, without_play

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("assignment", WRITTEN)
def test_a_whole_submission_written_in_another_way_earns_everything(assignment: str, sandbox: Sandbox) -> None:
    notebook = without_play(solved(assignment))
    for item, entry in bank_of(assignment).items():
        answer(notebook, item, list(entry.right.values())[-1])

    result = graded(notebook, sandbox, assignment=assignment, seed=SEED + 1, limits=PATIENT)

    assert {row.item: row.reason for row in result.rows if row.points != row.max_points} == {}
    assert result.events == ()


@pytest.mark.parametrize("assignment", WRITTEN)
def test_a_released_notebook_is_not_started_anywhere(assignment: str, sandbox: Sandbox) -> None:
    result = graded(without_play(released(assignment)), sandbox, assignment=assignment)

    assert {row.status for row in result.rows} == {"not started"}
    assert result.points == 0


@pytest.mark.parametrize("item", REPORTED)
def test_a_wrong_answer_is_judged_outside_as_it_is_inside(item: str, sandbox: Sandbox) -> None:
    name, wrong = list(bank_of(item.partition(".")[0])[item].wrong.items())[-1]

    assert differences(sandbox, item, {name: wrong.code}) == {}

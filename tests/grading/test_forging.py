"""What a learner's process can make its judge believe, and that a row says so."""

import pytest

from camwidget.grading.judge import REPORTED
from camwidget.grading.sandbox import Sandbox
from tests.course.bank import bank_of
from tests.grading.forgeable import plain_answers, promised, reported
from tests.grading.submissions import answer, cell_of, graded, insert, released, solved, without_play
from tests.house.repository import ROOT

ALL_AS_BEFORE = """
import camwidget.grading.child as child
real_hooks, real_after = child._Session.hooks, child._Session.after
def hooks(self):
    self.forged_modes = [module.training for module in self.objects.modules]
    return real_hooks(self)
def after(self, args, watched):
    modes = self.forged_modes
    told = real_after(self, args, watched)
    told["args"] = {}
    told["hooks"] = [[list(range(len(before))), 0] for before in self.stand]
    for module, ours, mode in zip(told["modules"], self.objects.modules, modes):
        names = list(child.own_tensors(ours))
        module.update(training=mode, as_it_came=True, tensors={}, same=names, runs=[])
    return told
child._Session.hooks, child._Session.after = hooks, after
"""
"""Says after each call that everything is as it was before, and that no network ran."""
IGNORES_THE_HOOK = """
import sys
explain_module = sys.modules["camwidget.pictures.explain"]
real = explain_module.explain
explain_module.explain = lambda *args, hook=None, hook_bwd=None, **kwargs: real(*args, **kwargs)
explain_module.explain.__module__, explain_module.explain.__qualname__ = real.__module__, real.__qualname__
"""


def test_the_facts_that_only_the_learners_process_can_tell_exist_and_both_readmes_have_the_figures() -> None:
    says = "{} of the {} points".format(*reported())
    reach_nothing = "{} of the {} right answers".format(*plain_answers())

    assert set(REPORTED) <= set(promised())
    for readme in (ROOT / "README.md", ROOT / "camwidget" / "grading" / "README.md"):
        text = " ".join(readme.read_text(encoding="utf-8").split())
        assert says in text, readme
        assert reach_nothing in text, readme


@pytest.mark.slow
def test_a_report_is_marked_only_where_the_answer_itself_is_not_plain_code(sandbox: Sandbox) -> None:
    plain = graded(without_play(solved("keepdim")), sandbox)
    beside = without_play(solved("keepdim"))
    behind = beside["cells"].index(cell_of(beside, "keepdim.unsqueeze", "check")) + 1
    elsewhere = graded(insert(beside, "import sys", behind), sandbox)
    right = bank_of("keepdim")["keepdim.einsum"].right["keepdim"]
    itself = graded(answer(beside, "keepdim.einsum", right.replace("):\n", "):\n    sys\n", 1)), sandbox)

    for result in (plain, elsewhere):
        assert (result.points, [row.reported_points for row in result.rows], result.notes) == (24, [0.0] * 8, ())
    marked = {row.item: row.reported_points for row in itself.rows if row.reported}
    assert (itself.points, marked) == (24, {"keepdim.einsum": 1.0})
    assert itself.notes == (
        "Points that are only the word of the learner's own process: 1. Look at keepdim.einsum (it has `import sys`).",
    )


@pytest.mark.slow
def test_a_package_that_is_patched_in_the_learners_process_gains_points_that_are_marked(sandbox: Sandbox) -> None:
    notebook = without_play(released("hooks"))
    names = answer_names("hooks.panel")
    answer(notebook, "hooks.panel", f"class {names[0]}: pass")

    result = graded(insert(notebook, IGNORES_THE_HOOK, 2), sandbox, assignment="hooks")
    rows = {row.item: row for row in result.rows}

    assert (rows["hooks.panel"].points, rows["hooks.panel"].reported_points) == (3, 3)
    assert "hooks.panel (less holds where only this answer runs; Cell 3 of the notebook has" in result.notes[-1]
    assert {row.points for item, row in rows.items() if item != "hooks.panel"} == {0}


@pytest.mark.slow
@pytest.mark.parametrize("assignment", sorted({item.partition(".")[0] for item in REPORTED}))
def test_forged_reports_gain_no_point_that_is_not_marked(assignment: str, sandbox: Sandbox) -> None:
    notebook, expected = without_play(solved(assignment)), {}
    for item, keys in REPORTED.items():
        if item.startswith(f"{assignment}."):
            for wrong in bank_of(assignment)[item].wrong.values():
                if wrong.loses in keys:
                    answer(notebook, item, wrong.code)
                    expected[item] = wrong.loses

    honest = {row.item: row for row in graded(notebook, sandbox, assignment=assignment).rows}
    forging = insert(notebook, ALL_AS_BEFORE, 2)
    forged = {row.item: row for row in graded(forging, sandbox, assignment=assignment).rows}

    assert expected
    gained = False
    for item in expected:
        before = {fact.key: fact.passed for fact in honest[item].facts}
        after = {fact.key: fact.passed for fact in forged[item].facts}
        assert not all(before.values()), item
        won = {key for key, passed in after.items() if passed and not before[key]}
        assert won <= REPORTED[item], item
        assert won <= {fact.key for fact in forged[item].facts if fact.reported}, item
        gained = gained or bool(won)
    assert gained, "the forgery no longer forges anything, so this test says nothing"


def answer_names(item: str) -> tuple[str, ...]:
    from camwidget.grading.course import release_of

    return next(task.names for task in release_of(item.partition(".")[0]).tasks if task.item == item)

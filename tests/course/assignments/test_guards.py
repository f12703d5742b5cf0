"""The guards that all judges share: what is left behind, how often a network ran, and sizes that hide nothing."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules import module as pytorchs

from camwidget.course.assignments.awkward import awkward_sizes
from camwidget.course.assignments.traces import Before, Counted
from camwidget.course.attempt import Attempt
from camwidget.course.calling import Budget
from camwidget.course.check import judged
from camwidget.course.items import Item


def network() -> Counted:
    return Counted(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3)).eval()


def attempt() -> Attempt:
    return Attempt((), promised={}, seed=3, budget=Budget(1.0))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda model, _: model[0].register_forward_hook(lambda *_: None), "1 hook too many"),
        (lambda model, _: model[1]._forward_hooks.clear(), "1 hook too few"),
        (lambda *_: pytorchs.register_module_forward_hook(lambda *_: None), "1 hook too many"),
        (lambda model, _: model[3].train(), "another mode"),
        (lambda model, _: model[0].requires_grad_(False), "another requires_grad"),
        (lambda model, _: model[3].bias.data.add_(1), "other weights"),
        (lambda model, inputs: model.train()(inputs) is None or model.eval(), "what batch norm remembers"),
        (lambda _, inputs: inputs.mul_(2), "inputs has changed"),
        (lambda _, inputs: inputs.requires_grad_(), "inputs asks for gradients"),
        (lambda model, _: setattr(model[0], "forward", model[0].forward), "something added to a module"),
    ],
)
def test_whatever_an_answer_leaves_behind_is_told(change: Callable[[Counted, Tensor], object], told: str) -> None:
    model, inputs = network(), torch.ones(2, 1, 2, 2)
    before = Before(model, {"inputs": inputs})

    assert before.changes() == []
    change(model, inputs)
    assert [got for got, _ in before.changes()] == [told]


def test_a_hook_for_all_modules_does_not_outlive_the_check() -> None:
    before = Before(network(), {})
    pytorchs.register_module_forward_hook(lambda *_: None)
    before.changes()

    assert not pytorchs._global_forward_hooks


def test_runs_of_a_copy_are_counted_with_their_mode_and_recording() -> None:
    model, inputs = network(), torch.ones(2, 1, 2, 2)
    model(inputs)
    with torch.no_grad():
        copy.deepcopy(model).train()(inputs)

    assert [(set(run.training), run.recorded, run.recording) for run in model.runs] == [
        ({False}, True, True),
        ({True}, False, False),
    ]


def test_every_two_axes_are_equally_long_once() -> None:
    sizes = list(awkward_sizes(attempt(), ("one", "two", "three"), ones=("one",)))
    alike = [{(a, b) for a in each for b in each if a < b and each[a] == each[b]} for each in sizes]

    assert len(set(sizes[0].values())) == 3
    assert alike[1:4] == [{("one", "two")}, {("one", "three")}, {("three", "two")}]
    assert len(set(sizes[4].values())) == 1
    assert sizes[5]["one"] == 1


def judge_parts(one: Attempt) -> None:
    for key, function in zip("ab", one.answers, strict=True):
        with one.part(key):
            one.fact(key, one.call(function, called=f"{key}()") == 1)


PARTS = Item("cam.parts", "two parts", judge=judge_parts, facts={"a": ("a is 1", 1), "b": ("b is 1", 1)}, rounds=1)


def unwritten() -> int:
    raise NotImplementedError


def fails() -> int:
    return 1 // 0


def test_parts_are_judged_by_themselves() -> None:
    half = judged(PARTS, (fails, lambda: 1))

    assert (half.points, half.started, half.stopped) == (1, True, "")
    assert "ZeroDivisionError" in half.facts[0].likely
    assert "return 1 // 0" in half.facts[0].likely


def test_what_has_no_written_part_or_lacks_one_is_not_started() -> None:
    assert not judged(PARTS, (unwritten, unwritten)).started
    assert judged(PARTS, (unwritten, lambda: 1)).points == 1
    assert not judged(PARTS, (None, lambda: 1)).started


def judge_cases(one: Attempt) -> None:
    for number in (1, 2, 3):
        got = one.call(one.answer, number, called=f"answer({number})")
        one.fact("small" if number == 1 else "large", got == number, likely="give it back")


CASES = Item(
    "cam.cases", "cases", judge=judge_cases, facts={"small": ("1 is 1", 1), "large": ("others too", 1)}, rounds=1
)


def breaks_at_three(number: int) -> int:
    return {1: 1, 2: 2}[number]


def test_what_held_until_a_later_call_failed_did_not_hold_every_time() -> None:
    report = judged(CASES, (breaks_at_three,))

    assert (report.right, report.points) == (False, 1)
    assert [(fact.passed, fact.tried) for fact in report.facts] == [(True, True), (False, False)]
    assert "KeyError: 3" in report.stopped
    assert judged(CASES, (lambda number: number,)).right

"""Judges for the functions of `hooks` about `eval` and `no_grad`. The hidden checks use them too."""

from typing import Any

import torch
from torch import Tensor, nn

from camwidget.course.assignments.networks import batch_network
from camwidget.course.assignments.traces import Before, Counted, judge_left
from camwidget.course.attempt import Attempt
from camwidget.course.compare import as_numbers, numbers_agree
from camwidget.errors import a_kind

MODES = {"train": (True, True), "eval": (False, True), "no_grad": (True, False)}
"""Name to training mode and recording, as the exercise has them."""


def judge_modes(attempt: Attempt, *, learning_inputs: bool) -> None:
    """Judge an experiment (model, inputs) -> name to (same logits twice, recorded).

    The networks differ in what the modes change: with and without dropout, with and without parameters that learn.

    Args:
        attempt: of this round.
        learning_inputs: whether some inputs ask for gradients, so that something is recorded even in a frozen network.
    """
    for dropout in (True, False):
        for frozen in (False, True):
            model, inputs = _network(attempt, dropout=dropout, hardly=frozen)
            model.requires_grad_(not frozen)
            asks = learning_inputs and frozen == dropout
            inputs.requires_grad_(asks)
            # Each mode to start from is tried with and without dropout.
            model.train(starts := dropout == frozen)
            before = Before(model, {"inputs": inputs})
            kind = f"{'with' if dropout else 'without'} dropout{', frozen' if frozen else ''}"
            got = attempt.call(attempt.answer, model, inputs, called=f"try_modes(model, inputs), a model {kind}")
            likely = "return a dict with these three names, and a pair of True or False for each"
            if isinstance(got, dict) and set(got) == set(MODES):
                likely = "each entry is a pair of True or False: are two runs the same, and was anything recorded?"
            fine = isinstance(got, dict) and set(got) == set(MODES) and all(_is_pair(entry) for entry in got.values())
            attempt.fact("form", fine, expected="train, eval, no_grad: pairs", got=got, likely=likely, stop=True)
            for name, (training, recording) in MODES.items():
                same, recorded = not (dropout and training), recording and (asks or not frozen)
                _judge_pair(attempt, name, tuple(got[name]), (same, recorded))
            _judge_runs(attempt, model, inputs)
            words = ("evaluation mode", "training mode")
            likely = "note model.training at the beginning, and give it back with model.train(mode)"
            if model.training == starts:
                judge_left(attempt, before, "mode", still_there="a hook of yours is still on the model: remove it")
            else:
                attempt.fact("mode", False, expected=words[starts], got=words[not starts], likely=likely)


def _judge_runs(attempt: Attempt, model: Counted, inputs: Tensor) -> None:
    """State whether the model ran twice in each of the three ways, on the inputs that were given."""
    wanted = f"two runs for each of {', '.join(map(repr, MODES))}"
    for name, (training, recording) in MODES.items():
        like = [run for run in model.runs if set(run.training) == {training} and run.recording == recording]
        mode = "training mode" if training else "evaluation mode"
        inside = "inside" if not recording else "outside of"
        likely = (
            f"for {name!r} the model runs twice, in {mode} and {inside} `torch.no_grad()`: not once, and not more often"
        )
        got = f"{name}: {len(like)} of {len(model.runs)} runs"
        if not attempt.fact("runs", len(like) == 2, expected=wanted, got=got, likely=likely):
            return
    same = len(model.runs) == 6 and all(torch.equal(run.given, inputs) for run in model.runs)
    likely = "run it on the inputs that are given, and not more often than twice in each way"
    attempt.fact("runs", same, expected=wanted, got=f"{len(model.runs)} runs in all", likely=likely)


def _network(attempt: Attempt, *, dropout: bool, hardly: bool) -> tuple[Counted, Tensor]:
    """A network and inputs for it; `hardly`: dropout moves the last logit of the last picture alone, and no answer."""
    attempt.seed_torch()
    features, hidden, classes = attempt.sizes(3, low=4, high=9)
    first, last = nn.Linear(features, 16 * hidden), nn.Linear(16 * hidden, classes)
    inputs = attempt.tensor(2, features)
    if hardly:
        inputs[0] = first.bias.data[:] = last.weight.data[:-1] = 0
        last.bias.data[0] = 100
    layers = [first, nn.ReLU(), *([nn.Dropout(0.5)] if dropout else []), last]
    return Counted(*layers), inputs


def _is_pair(value: Any) -> bool:
    numbers = as_numbers(value)
    return numbers is not None and numbers.shape == (2,) and bool(((numbers == 0) | (numbers == 1)).all())


def _judge_pair(attempt: Attempt, name: str, got: tuple[Any, Any], right: tuple[bool, bool]) -> None:
    """State the two facts about one row of the table."""
    training, recording = MODES[name]
    same, recorded = bool(got[0]), bool(got[1])
    mode = "training mode" if training else "evaluation mode"
    likely = (
        f"for {name!r} run the model twice in {mode}, on the same inputs, and compare all logits of all pictures: "
        "torch.equal does"
    )
    if training and right[0]:
        likely = "there is no dropout in this model: let two runs tell you, not memory"
    attempt.fact("same", same == right[0], expected=f"{name}: {right[0]}", got=f"{name}: {same}", likely=likely)
    likely = f"read `logits.requires_grad` of a run for {name!r}"
    if not recording:
        likely = "for 'no_grad' run the model inside `with torch.no_grad():`, and then read `logits.requires_grad`"
    elif not right[1]:
        likely = "this model is frozen, so there is nothing to record: read `logits.requires_grad` after a run"
    elif name == "eval":
        likely = "eval() does not stop the recording: run it without no_grad, and read `logits.requires_grad`"
    attempt.fact(
        "recorded", recorded == right[1], expected=f"{name}: {right[1]}", got=f"{name}: {recorded}", likely=likely
    )


def judge_quiet_run(attempt: Attempt, *, pictures: int) -> None:
    """Judge a function (model, inputs) -> logits, in evaluation mode, with nothing recorded and every mode restored.

    Args:
        attempt: of this round.
        pictures: how many inputs.
    """
    for evaluated in ((), ("second",), ("norm", "head"), ("first", "norm", "relu", "second", "head"), ("",)):
        recording = evaluated != ("second",)  # once the caller has switched gradients off, and they stay off
        model, inputs = batch_network(attempt, pictures=pictures)
        outputs = model.outputs(inputs)
        right = outputs["head"]
        model.train()
        for name in evaluated:  # some modules are in evaluation mode beforehand; the last time, all are
            model.get_submodule(name).eval()
        if evaluated and evaluated[0] == "first":
            model.norm.training = True  # a container's mode need not be that of what it contains
            model.head.training = True
        before = Before(model, {"inputs": inputs})
        called = "quiet_run(model, inputs), with model in training mode"
        if evaluated:
            called = "quiet_run(model, inputs), with parts of model in evaluation mode"
        with torch.set_grad_enabled(recording):
            got = attempt.call(attempt.answer, model, inputs, called=called)
        if isinstance(got, tuple | list) and len(got) == 1:
            attempt.fact("values", False, got=a_kind(got), likely="return the logits themselves", stop=True)
        likely = "the model ran in training mode: dropout and the batch's own mean were at work"
        if any(any(run.training) for run in model.runs):
            attempt.fact("values", numbers_agree(got, right), expected=right, got=got, likely=likely)
        else:
            mistakes = {
                "these are probabilities: return the logits": right.softmax(1),
                "only the first picture's logits are returned": right[0],
                "these are the classes with the largest logits: return the logits": right.argmax(1),
            }
            attempt.values("values", got, right, mistakes=mistakes, axes=("picture", "class"))
        recorded = (isinstance(got, Tensor) and got.requires_grad) or any(run.recorded for run in model.runs)
        likely = "run it inside `with torch.no_grad():`"
        if recorded and isinstance(got, Tensor) and not got.requires_grad:
            likely = "detach() afterwards is too late, the run was recorded: " + likely
        attempt.fact("quiet", not recorded, expected="nothing recorded", got="a recorded run", likely=likely)
        _judge_modes(attempt, model, before)


def _judge_modes(attempt: Attempt, model: nn.Module, before: Before) -> None:
    """State whether every module is in its own mode again, and nothing else has changed."""
    after, was = [module.training for module in model.modules()], before.training
    if after == was:
        judge_left(attempt, before, "mode", still_there="a hook of yours is still on the model: remove it")
        return
    likely = "note the mode before you call model.eval(), and give it back with model.train(mode)"
    if not any(after):
        likely = "the model is still in evaluation mode: " + likely
    elif not all(was):
        likely = "some modules were in evaluation mode, some in training mode: give each module its own mode back"
    attempt.fact("mode", False, expected="each module's own mode", got="another mode", likely=likely)

"""Judges for the functions of `hooks` about `eval` and `no_grad`. The hidden checks use them too."""

from typing import Any

import torch
from torch import Tensor, nn

from camwidget.course.assignments.networks import batch_network
from camwidget.course.attempt import Attempt
from camwidget.course.compare import numbers_agree

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
            model, inputs = _network(attempt, dropout=dropout)
            model.requires_grad_(not frozen)
            asks = learning_inputs and frozen == dropout
            inputs.requires_grad_(asks)
            starts = bool(attempt.size(0, 1))
            model.train(starts)
            kind = f"{'with' if dropout else 'without'} dropout{', frozen' if frozen else ''}"
            got = attempt.call(attempt.answer, model, inputs, called=f"try_modes(model, inputs), a model {kind}")
            likely = "return a dict with these three names, and a pair of True or False for each"
            fine = isinstance(got, dict) and set(got) == set(MODES) and all(_is_pair(entry) for entry in got.values())
            attempt.fact("form", fine, expected="train, eval, no_grad: pairs", got=got, likely=likely, stop=True)
            for name, (training, recording) in MODES.items():
                same, recorded = not (dropout and training), recording and (asks or not frozen)
                _judge_pair(attempt, name, tuple(got[name]), (same, recorded))
            likely = "note model.training at the beginning, and give it back with model.train(mode)"
            words = ("evaluation mode", "training mode")
            back = model.training == starts
            attempt.fact("mode", back, expected=words[starts], got=words[not starts], likely=likely)


def _network(attempt: Attempt, *, dropout: bool) -> tuple[nn.Module, Tensor]:
    attempt.seed_torch()
    features, hidden, classes = attempt.sizes(3, low=4, high=9)
    layers: list[nn.Module] = [nn.Linear(features, 16 * hidden), nn.ReLU(), nn.Linear(16 * hidden, classes)]
    if dropout:
        layers.insert(2, nn.Dropout(0.5))
    return nn.Sequential(*layers), attempt.tensor(2, features)


def _is_pair(value: Any) -> bool:
    return (isinstance(value, tuple | list) and len(value) == 2) and all(
        isinstance(part, bool) or numbers_agree(part, 0.0) or numbers_agree(part, 1.0) for part in value
    )


def _judge_pair(attempt: Attempt, name: str, got: tuple[Any, Any], right: tuple[bool, bool]) -> None:
    """State the two facts about one row of the table."""
    training, recording = MODES[name]
    same, recorded = bool(got[0]), bool(got[1])
    mode = "training mode" if training else "evaluation mode"
    likely = f"for {name!r} run the model twice in {mode}, on the same inputs, and compare the two with torch.equal"
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


def judge_quiet_run(attempt: Attempt, *, mixed: bool) -> None:
    """Judge a function (model, inputs) -> logits, in evaluation mode, with nothing recorded and the mode restored.

    Args:
        attempt: of this round.
        mixed: whether parts of the model are in evaluation mode beforehand.
    """
    model, inputs = batch_network(attempt)
    with torch.no_grad():
        right = model.eval()(inputs)
    model.train()
    if mixed:
        model.second.eval()  # its mode changes nothing, but has to be restored
    before = [module.training for module in model.modules()]
    remembered = [buffer.clone() for buffer in model.buffers()]
    ran_in: list[bool] = []
    for module in model.modules():
        module.register_forward_hook(lambda module, *_: ran_in.append(module.training))
    got = attempt.call(attempt.answer, model, inputs, called="quiet_run(model, inputs), with model in training mode")
    likely = "the model ran in training mode: dropout and the batch's own mean were at work"
    if any(ran_in):
        attempt.fact("values", numbers_agree(got, right), expected=right, got=got, likely=likely)
    else:
        attempt.values("values", got, right, mistakes={"these are probabilities: return the logits": right.softmax(1)})
    recorded = isinstance(got, Tensor) and got.requires_grad
    likely = "run it inside `with torch.no_grad():`"
    attempt.fact("quiet", not recorded, expected="nothing recorded", got="logits with a grad_fn", likely=likely)
    _judge_given_back(attempt, model, before, remembered)


def _judge_given_back(attempt: Attempt, model: nn.Module, before: list[bool], remembered: list[Tensor]) -> None:
    """State whether every module is in its own mode again, and batch norm's statistics are unchanged."""
    after = [module.training for module in model.modules()]
    if after != before:
        likely = "note the mode before you call model.eval(), and give it back with model.train(mode)"
        if not any(after):
            likely = "the model is still in evaluation mode: " + likely
        elif not all(before):
            likely = "some modules were in evaluation mode, some in training mode: give each module its own mode back"
        attempt.fact("mode", False, expected="each module's own mode", got="another mode", likely=likely)
        return
    same = all(torch.equal(one, two) for one, two in zip(remembered, model.buffers(), strict=True))
    likely = "batch norm ran in training mode, and mixed this batch into what it remembers: call eval() before the run"
    attempt.fact("mode", same, expected="batch norm as it was", got="batch norm has changed", likely=likely)

"""How the functions of `hooks` are judged. The hidden checks call the same judges with other sizes."""

from typing import Any

import torch
from torch import Tensor, nn

from camwidget.course.attempt import Attempt
from camwidget.course.checks.grad_cam_hook_judges import hooks_on
from camwidget.course.checks.networks import batch_network
from camwidget.course.compare import agree, as_numbers


def judge_order(attempt: Attempt) -> None:
    """Judge a prediction: the names of modules in the order in which their forward hooks fire.

    Args:
        attempt: the try.
    """
    predicted = attempt.answer
    right = _order(shown_network(), torch.zeros(1, 3))
    is_list = isinstance(predicted, list | tuple) and all(isinstance(each, str) for each in predicted)
    likely = "write a list of names, such as ['first', 'block']"
    attempt.fact("names", is_list, expected="a list of str", got=predicted, likely=likely, stop=True)
    likely = "each of the five modules fires once; the whole model's name is the empty text"
    same = sorted(predicted) == sorted(right)
    attempt.fact(
        "names", same, expected="every module once", got=", ".join(map(repr, predicted)), likely=likely, stop=True
    )
    likely = "look at pairs: what has to be finished before a module can put out anything?"
    if list(predicted) == right[::-1]:
        likely = "this is backwards"
    elif predicted.index("block") < predicted.index("block.last"):
        likely = (
            "a forward hook fires when the module has put out its result: a container is done after what it contains"
        )
    attempt.fact(
        "order", list(predicted) == right, expected="another order", got=", ".join(map(repr, predicted)), likely=likely
    )


def shown_network() -> nn.Sequential:
    """Return the network of the exercise on the firing order."""
    block = nn.Sequential()
    block.add_module("inner", nn.ReLU())
    block.add_module("last", nn.Linear(4, 2))
    network = nn.Sequential()
    network.add_module("first", nn.Linear(3, 4))
    network.add_module("block", block)
    return network


def _order(network: nn.Module, inputs: Tensor) -> list[str]:
    fired: list[str] = []
    for name, module in network.named_modules():
        module.register_forward_hook(lambda _, __, ___, name=name: fired.append(name))
    network(inputs)
    return fired


def judge_stats(attempt: Attempt, *, scale: float) -> None:
    """Judge a function (model, layers, inputs) -> name to (mean, standard deviation, share near zero).

    Args:
        attempt: the try.
        scale: the inputs are this many times as large as usual.
    """
    # Imported here: a second of work that only this item needs.
    from fastai.callback.hook import ActivationStats  # noqa: PLC0415 (see above)

    model, inputs = batch_network(attempt)
    inputs = scale * inputs
    layers = dict(model.named_children())
    before = hooks_on(model)
    rights: dict[str, Any] = {}
    value = inputs
    with torch.no_grad():
        for name, layer in layers.items():
            value = layer(value)
            rights[name] = ActivationStats().hook(layer, None, value)
    got = attempt.call(attempt.answer, model, layers, inputs, shown="activation_stats(model, layers, inputs)")
    likely = "return a dict: the name of each layer, and three numbers"
    named = isinstance(got, dict) and set(got) == set(layers) and all(_three(each) for each in got.values())
    attempt.fact(
        "form", named, expected=f"a dict with {', '.join(map(repr, layers))}", got=got, likely=likely, stop=True
    )
    for name, right in rights.items():
        mean, deviation, near = (float(each) for each in got[name])
        attempt.values("mean", mean, right["mean"], usual=False)
        attempt.values("std", deviation, right["std"], usual=False)
        likely = "at most 0.05, as ActivationStats has it: negative values count as well"
        attempt.fact("near_zero", agree(near, right["near_zero"]), expected=right["near_zero"], got=near, likely=likely)
    left = hooks_on(model) - before
    attempt.fact("removed", left == 0, expected="no hook", got=f"{left} hooks", likely="remove every hook at the end")


def _three(value: Any) -> bool:
    numbers = [as_numbers(each) for each in value] if isinstance(value, tuple | list) else []
    return len(numbers) == 3 and all(each is not None and each.numel() == 1 for each in numbers)


def judge_store(attempt: Attempt, *, inner: bool) -> None:
    """Judge a function (model, layer, inputs) -> what the layer put out.

    Args:
        attempt: the try.
        inner: look at the layer in front of an in-place ReLU first.
    """
    model, inputs = batch_network(attempt)
    before = hooks_on(model)
    for key in ("early", "late") if inner else ("late", "early"):
        layer = getattr(model, "norm" if key == "early" else "second")
        with torch.no_grad():
            right = model.norm(model.first(inputs))
            if key == "late":
                right = model.second(right.relu())
            logits = model(inputs)
        got = attempt.call(attempt.answer, model, layer, inputs, shown="store_activation(model, layer, inputs)")
        shapes = {
            tuple(logits.shape): "this is what the whole model returns",
            tuple(inputs.shape): "these are the inputs",
        }
        attempt.shape("shape", got, tuple(right.shape), mistakes=shapes)
        wrong = {"this is what the next layer made of it, in place: store a copy, with clone()": right.relu()}
        attempt.values("copy" if key == "early" else "values", got, right, mistakes=wrong if key == "early" else None)
    left = hooks_on(model) - before
    attempt.fact(
        "removed",
        left == 0,
        expected="no hook",
        got=f"{left} hooks",
        likely="the hook is still on the layer: remove it",
    )


def judge_quiet_run(attempt: Attempt, *, mixed: bool) -> None:
    """Judge a function (model, inputs) -> logits, in evaluation mode, with nothing recorded, the mode given back.

    Args:
        attempt: the try.
        mixed: parts of the model are in evaluation mode beforehand.
    """
    model, inputs = batch_network(attempt)
    with torch.no_grad():
        right = model.eval()(inputs)
    model.train()
    if mixed:
        model.second.eval()  # its mode changes nothing, and yet it is to be given back
    before = [each.training for each in model.modules()]
    remembered = [each.clone() for each in model.buffers()]
    got = attempt.call(attempt.answer, model, inputs, shown="quiet_run(model, inputs), with model in training mode")
    likely = "the model ran in training mode: dropout and the batch's own mean were at work"
    attempt.fact("values", agree(got, right), expected=right, got=got, likely=likely)
    recorded = isinstance(got, Tensor) and got.requires_grad
    likely = "run it inside `with torch.no_grad():`"
    attempt.fact("quiet", not recorded, expected="nothing recorded", got="logits with a grad_fn", likely=likely)
    after = [each.training for each in model.modules()]
    likely = (
        "give each module its own mode back: some were in evaluation mode, some in training mode"
        if mixed
        else "give the mode back, with model.train()"
    )
    same = after == before and all(torch.equal(one, two) for one, two in zip(remembered, model.buffers(), strict=True))
    attempt.fact(
        "mode", same, expected="training mode" if not mixed else "each as before", got="another mode", likely=likely
    )

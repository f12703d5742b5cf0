"""Judges for the functions of `hooks`. The hidden checks use them too, with other sizes."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from camwidget.course.assignments.leftovers import judge_left, with_other_hooks
from camwidget.course.assignments.networks import batch_network
from camwidget.course.attempt import Attempt
from camwidget.course.compare import as_numbers


def judge_order(attempt: Attempt) -> None:
    """Judge a prediction: the names of modules in the order in which their forward hooks fire."""
    predicted = attempt.answer
    right = _order(order_network(), torch.zeros(1, 3))
    is_list = isinstance(predicted, list | tuple) and all(isinstance(name, str) for name in predicted)
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


def order_network() -> nn.Sequential:
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
        attempt: of this round.
        scale: how many times as large as usual the inputs are.
    """
    # Imported here: a second of work that only this item needs.
    from fastai.callback.hook import ActivationStats  # noqa: PLC0415 (see above)

    model, inputs = batch_network(attempt)
    inputs = scale * inputs
    layers = dict(model.named_children())
    before = with_other_hooks(model)
    outputs = {"": inputs}
    with torch.no_grad():
        for name, layer in layers.items():
            outputs[name] = layer(list(outputs.values())[-1].clone())
    got = attempt.call(attempt.answer, model, layers, inputs, called="activation_stats(model, layers, inputs)")
    _judge_form(attempt, got, list(layers))
    for place, name in enumerate(layers, 1):
        layer_input, output, *behind = list(outputs.values())[place - 1 :]
        right = ActivationStats().hook(layers[name], None, output)
        mean, deviation, near = got[name]
        wrong = {f"these are the numbers of what goes in, not of what {name!r} puts out": layer_input}
        if name == "norm":
            late = "the next layer works in place and had changed the activation: compute inside the hook function"
            wrong = {late: behind[0], **wrong}
        attempt.values("mean", mean, right["mean"], mistakes=_means(output, wrong), usual=False)
        attempt.values("std", deviation, right["std"], mistakes=_deviations(output, wrong), usual=False)
        attempt.values("near_zero", near, right["near_zero"], mistakes=_shares(output, wrong), usual=False)
    likely = "remove every hook at the end: keep all handles in a list"
    judge_left(attempt, model, before, likely=likely)


def _judge_form(attempt: Attempt, got: Any, names: list[str]) -> None:
    """State whether there are three numbers under each name; if not, say what is usually missing."""
    wanted = f"a dict with {', '.join(map(repr, names))}"
    likely, summary = "return a dict: the name of each layer, and three numbers", got
    if isinstance(got, dict) and set(got) == set(names):
        lengths = {len(entry) if isinstance(entry, tuple | list) else 1 for entry in got.values()}
        likely = "three single numbers for each layer: the mean, the standard deviation, the share near zero"
        if lengths == {3}:
            likely = "each of the three is one number for the whole layer: take the mean over all axes"
    elif isinstance(got, dict):
        summary = f"a dict with {', '.join(map(repr, got)) or 'nothing in it'}"
        likely = "some layers are missing, or there are others: is there one hook for each, and was the model run?"
        if list(got) == names[-1:]:
            likely = (
                "all hooks used the last name, because the loop had moved on when they ran: give each its own, "
                "with name=name or a function that makes the hook function"
            )
    complete = (
        isinstance(got, dict) and set(got) == set(names) and all(_is_three_numbers(entry) for entry in got.values())
    )
    attempt.fact("form", complete, expected=wanted, got=summary, likely=likely, stop=True)


def _is_three_numbers(value: Any) -> bool:
    numbers = [as_numbers(part) for part in value] if isinstance(value, tuple | list) else []
    return len(numbers) == 3 and all(number is not None and number.numel() == 1 for number in numbers)


def _means(output: Tensor, other_tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        "this is the sum, not the mean": output.sum(),
        "this is the mean of the magnitudes: leave abs() out": output.abs().mean(),
        **{message: tensor.mean() for message, tensor in other_tensors.items()},
    }


def _deviations(output: Tensor, other_tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        "this is the variance: the standard deviation is its square root, std()": output.var(),
        "this divides by the number of values; std() without arguments divides by one less": output.std(correction=0),
        **{message: tensor.std() for message, tensor in other_tensors.items()},
    }


def _shares(output: Tensor, other_tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    share = _share(output)
    return {
        "you took the magnitude: ActivationStats counts every value of at most 0.05, negative ones as well": _share(
            output.abs()
        ),
        "these are the values that are exactly zero: ActivationStats counts all of at most 0.05": (output == 0)
        .float()
        .mean(),
        "this is the share of the others: count the values of at most 0.05": 1 - share,
        "this is in percent: give the share, from 0 to 1": 100 * share,
        "this is how many there are: divide by the number of values": share * output.numel(),
        **{message: _share(tensor) for message, tensor in other_tensors.items()},
    }


def _share(values: Tensor) -> Tensor:
    return (values <= 0.05).float().mean()


def judge_store(attempt: Attempt, *, inner: bool) -> None:
    """Judge a function (model, layer, inputs) -> the layer's output.

    Args:
        attempt: of this round.
        inner: start with the layer in front of an in-place ReLU.
    """
    model, inputs = batch_network(attempt)
    before = with_other_hooks(model)
    with torch.no_grad():
        early, logits = model.norm(model.first(inputs)), model(inputs)
        late = model.second(early.relu())
    layer_inputs = {"early": model.first(inputs).detach(), "late": early.relu()}
    for key in ("early", "late") if inner else ("late", "early"):
        layer, right = (model.norm, early) if key == "early" else (model.second, late)
        meanings = {
            "list index out of range": "nothing was stored: the model has to run between putting the hook on and taking it off",
        }
        called = f"store_activation(model, layer, inputs), with a {type(layer).__name__} as layer"
        got = attempt.call(attempt.answer, model, layer, inputs, called=called, meanings=meanings)
        if isinstance(got, tuple | list) and len(got) == 1 and as_numbers(got[0]) is not None:
            likely = "the tensor is in a list or tuple: return its entry, [0]"
            attempt.fact(
                "shape", False, expected=tuple(right.shape), got=f"a {type(got).__name__}", likely=likely, stop=True
            )
        shapes = {
            tuple(right.shape[1:]): "the batch axis is missing: store the whole output, all pictures",
            tuple(right.shape[:2]): "the positions are missing: store the output as it is, without a mean",
            tuple(logits.shape): "this is what the whole model returns",
            tuple(inputs.shape): "these are the inputs",
        }
        if key == "late":
            shapes[tuple(layer_inputs[key].shape)] = (
                "this went into the layer: the output is the hook function's third argument"
            )
        attempt.shape("shape", got, tuple(right.shape), mistakes=shapes)
        wrong = {"this went into the layer: the output is the hook function's third argument": layer_inputs[key]}
        if key == "early":
            late_copy = "this is what the next layer made of it, in place: store a copy, with clone()"
            wrong = {late_copy: right.relu(), **wrong}
        attempt.values("copy" if key == "early" else "values", got, right, mistakes=wrong)
    likely = "the hook is still on the layer: remove its handle when the model has run"
    judge_left(attempt, model, before, likely=likely)

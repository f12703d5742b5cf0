"""Judges for the functions of `hooks`. The hidden checks use them too, with other sizes."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from camwidget.course.assignments.networks import Small, batch_network
from camwidget.course.assignments.traces import Before, judge_left
from camwidget.course.attempt import Attempt
from camwidget.course.compare import as_numbers, numbers_agree
from camwidget.errors import a_kind


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
    model, inputs = batch_network(attempt)
    _stats_of(attempt, model, scale * inputs, {name: name for name, _ in model.named_children()})
    # Square maps, one picture; other names, and not in the order in which the layers run.
    model, inputs = batch_network(attempt, pictures=1, alike=True)
    _stats_of(attempt, model, scale * inputs, {"late": "second", "early": "first", "bent": "relu"})


def _stats_of(attempt: Attempt, model: Small, inputs: Tensor, asked: Mapping[str, str]) -> None:
    """Judge the answer on these layers, given as name to a child's name."""
    # Imported here: a second of work that only this item needs.
    from fastai.callback.hook import ActivationStats  # noqa: PLC0415 (see above)

    outputs = {"": inputs, **model.outputs(inputs)}
    order = list(outputs)
    layers = {name: model.get_submodule(child) for name, child in asked.items()}
    before = Before(model, {"inputs": inputs})
    got = attempt.call(attempt.answer, model, layers, inputs, called=f"activation_stats(model, {list(layers)}, inputs)")
    _judge_form(attempt, got, list(layers))
    for name, child in asked.items():
        output = outputs[child]
        right = ActivationStats().hook(layers[name], None, output)
        mean, deviation, near = _three(got[name])
        wrong = {
            f"these are the numbers of what goes in, not of what {name!r} puts out": outputs[
                order[order.index(child) - 1]
            ]
        }
        if child == "norm":
            late = "the next layer works in place and had changed the activation: compute inside the hook function"
            wrong = {late: outputs["relu"], **wrong}
        if len(output) > 1:
            wrong["these are the numbers of the first picture alone"] = output[0]
        wrong["these are the numbers of the first channel alone"] = output[:, 0]
        wrong |= {
            f"these are the numbers of {other!r}, under the name {name!r}: one hook, one name": outputs[asked[other]]
            for other in asked
            if other != name
        }
        attempt.values("mean", mean, right["mean"], mistakes=_means(output, wrong), usual=False)
        attempt.values("std", deviation, right["std"], mistakes=_deviations(output, wrong), usual=False)
        attempt.values("near_zero", near, right["near_zero"], mistakes=_shares(output, wrong), usual=False)
    judge_once(attempt, model, quietly=True)
    judge_left(attempt, before, "removed", still_there="remove every hook at the end: keep all handles in a list")


def judge_once(attempt: Attempt, model: Small, *, quietly: bool) -> None:
    """State that a model ran once, and if it had to, that nothing was recorded for gradients.

    Args:
        attempt: of this round.
        model: what the answer ran.
        quietly: whether the exercise asks for a run without gradients.
    """
    runs = model.runs
    likely = f"the model ran {len(runs)} times: put all hooks on first, and run it once"
    recorded = quietly and any(run.recorded for run in runs)
    if len(runs) <= 1:
        likely = "gradients were recorded: run it inside `with torch.no_grad():`"
    got = f"{len(runs)} run{'s' if len(runs) != 1 else ''}{', recorded' if recorded else ''}"
    wanted = "one run, nothing recorded" if quietly else "one run"
    attempt.fact("once", len(runs) <= 1 and not recorded, expected=wanted, got=got, likely=likely)


def _judge_form(attempt: Attempt, got: Any, names: list[str]) -> None:
    """State whether there are three numbers under each name; if not, say what is usually missing."""
    wanted = f"a dict with {', '.join(map(repr, names))}"
    likely, summary = "return a dict: the name of each layer, and three numbers", got
    if isinstance(got, dict) and set(got) == set(names):
        lengths = {len(entry) if isinstance(entry, tuple | list) else 1 for entry in got.values()}
        likely = "three single numbers for each layer: the mean, the standard deviation, the share near zero"
        if lengths == {3}:
            likely = "each of the three is one number for the whole layer: take the mean over all axes"
    elif isinstance(got, dict) and not got:
        likely = (
            "no hook has stored anything: was the model run while the hooks were on, and is there one on each layer?"
        )
        summary = "a dict with nothing in it"
    elif isinstance(got, dict):
        summary = f"a dict with {', '.join(map(repr, got)) or 'nothing in it'}"
        likely = "some layers are missing, or there are others: is there one hook for each, and was the model run?"
        if list(got) == names[-1:]:
            likely = (
                "all hooks used the last name, because the loop had moved on when they ran: give each its own, "
                "with name=name or a function that makes the hook function"
            )
        elif not all(isinstance(name, str) for name in got):
            likely = "the keys are the names of the layers, as layers.items() gives them, not the modules"
    complete = (
        isinstance(got, dict) and set(got) == set(names) and all(_is_three_numbers(entry) for entry in got.values())
    )
    attempt.fact("form", complete, expected=wanted, got=summary, likely=likely, stop=True)


def _is_three_numbers(value: Any) -> bool:
    whole = as_numbers(value)
    if whole is not None and whole.shape == (3,):
        return True
    numbers = [as_numbers(part) for part in value] if isinstance(value, tuple | list) else []
    return len(numbers) == 3 and all(number is not None and number.numel() == 1 for number in numbers)


def _three(value: Any) -> list[Any]:
    """The three numbers of a layer, which may stand in one tensor."""
    if isinstance(value, tuple | list):
        return list(value)
    numbers = as_numbers(value)
    return [] if numbers is None else list(numbers)


def _means(output: Tensor, other_tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        "this is the sum, not the mean": output.sum(),
        "this is the mean of the magnitudes: leave abs() out": output.abs().mean(),
        "this is the largest value, not the mean": output.max(),
        "this is the smallest value, not the mean": output.min(),
        "this is the median, not the mean": output.median(),
        "this is the mean of what a ReLU would leave": output.relu().mean(),
        "this is the standard deviation: the mean comes first": output.std(),
        **{message: tensor.mean() for message, tensor in other_tensors.items()},
    }


def _deviations(output: Tensor, other_tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        "this is the variance: the standard deviation is its square root, std()": output.var(),
        "this is the mean: the standard deviation comes second": output.mean(),
        "this is the mean distance from the mean, not the standard deviation": (output - output.mean()).abs().mean(),
        "this is the root of the mean square: subtract the mean first": output.square().mean().sqrt(),
        "this is the largest minus the smallest value": output.max() - output.min(),
        "this is the mean over the channels of each one's deviation": output.transpose(0, 1)
        .flatten(1)
        .std(dim=1)
        .mean(),
        "this is the mean of deviations along one axis: take the deviation of all values at once": output.std(1).mean(),
        "this is the mean of deviations over the pictures: take the deviation of all values at once": output.std(
            0, correction=min(1, len(output) - 1)
        ).mean(),
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
        "these are the values below zero: count all of at most 0.05": (output < 0).float().mean(),
        "these are the values up to zero: count all of at most 0.05": (output <= 0).float().mean(),
        "the limit is 0.05, whatever the largest value is": (output <= 0.05 * output.max()).float().mean(),
        "this was rounded: give the share as it is": share.round(),
        "the limit is 0.05, not 0.5": (output <= 0.5).float().mean(),
        "the limit is 0.05, not 0.01": (output <= 0.01).float().mean(),
        "the limit is 0.05, not 0.005": (output <= 0.005).float().mean(),
        "the limit is 0.05, not 0.1": (output <= 0.1).float().mean(),
        "this is the share of values up to the mean: the limit is 0.05": (output <= output.mean()).float().mean(),
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
    for number, (pictures, alike) in enumerate(((2, False), (1, False), (3, True))):
        model, inputs = batch_network(attempt, pictures=pictures, alike=alike)
        outputs = {"": inputs, **model.outputs(inputs)}
        before = Before(model, {"inputs": inputs})
        names = ("norm", "second") if inner else ("second", "norm")
        for name in names if number else (*names, "first", "head"):
            model.runs.clear()
            _judge_stored(attempt, model, name, inputs, outputs)
            judge_once(attempt, model, quietly=False)
            likely = "the hook is still on the layer: remove its handle when the model has run"
            judge_left(attempt, before, "removed", still_there=likely)


def _judge_stored(attempt: Attempt, model: Small, name: str, inputs: Tensor, outputs: Mapping[str, Tensor]) -> None:
    """State what is stored of one layer."""
    layer, right, order = model.get_submodule(name), outputs[name], list(outputs)
    layer_input, logits = outputs[order[order.index(name) - 1]], outputs["head"]
    meanings = {
        "list index out of range": "nothing was stored: the model has to run between putting the hook on and taking it off",
    }
    called = f"store_activation(model, layer, inputs), with {a_kind(layer)} as layer and {len(inputs)} pictures"
    got = attempt.call(attempt.answer, model, layer, inputs, called=called, meanings=meanings)
    _refuse_wrapped(attempt, got, right)
    was_input = "this went into the layer: the output is the hook function's third argument"
    shapes = {
        tuple(right.shape[1:]): "the batch axis is missing: store the whole output, all pictures",
        (1, *right.shape[1:]): "only one picture is left: store the whole output, all pictures",
        tuple(right.shape[:2]): "the positions are missing: store the output as it is, without a mean",
        tuple(layer_input.shape): was_input,
        tuple(logits.shape): "this is what the whole model returns",
        tuple(inputs.shape): "these are the inputs",
    }
    attempt.shape("shape", got, tuple(right.shape), mistakes=shapes)
    # Wherever sizes agree by chance, the numbers tell.
    wrong = {was_input: layer_input, "these are the inputs": inputs, "this is what the whole model returns": logits}
    wrong |= {
        f"this is what another layer puts out, {other!r}: put the hook on the layer you are given": tensor
        for other, tensor in outputs.items()
        if other not in ("", name)
    }
    if name == "norm":
        del wrong["this is what another layer puts out, 'relu': put the hook on the layer you are given"]
        wrong["this is what the next layer made of it, in place: store a copy, with clone()"] = right.relu()
    wrong = {message: tensor for message, tensor in wrong.items() if tensor.shape == right.shape}
    if name == "norm" and numbers_agree(got, right.relu()):
        attempt.values("copy", got, right, mistakes=wrong)
        return
    attempt.values("values", got, right, mistakes=wrong, axes=("picture", "channel", "row", "column"))
    if name == "norm":
        attempt.fact("copy", True)


def _refuse_wrapped(attempt: Attempt, got: Any, right: Tensor) -> None:
    """State the shape as wrong where a list, tuple or dict holds what should have been returned itself."""
    if isinstance(got, dict):
        likely = "the tensor is in a dict: return the entry itself"
        attempt.fact("shape", False, expected=tuple(right.shape), got="a dict", likely=likely, stop=True)
    if isinstance(got, tuple | list) and len(got) == 1 and isinstance(got[0], Tensor):
        likely = "the tensor is in a list or tuple: return its entry, [0]"
        got = a_kind(got)
        attempt.fact("shape", False, expected=tuple(right.shape), got=got, likely=likely, stop=True)

"""Judges for the hook classes of `hooks`, and for the hook that changes an output."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor

from camwidget.course.assignments.drawn_maps import network_with_maps
from camwidget.course.assignments.networks import Small, batch_network
from camwidget.course.assignments.traces import Before, judge_left
from camwidget.course.attempt import Attempt
from camwidget.course.calling import described
from camwidget.course.compare import numbers_agree
from camwidget.course.mistakes import why_shape
from camwidget.errors import HookError, a_kind
from camwidget.hooks.restore import hooks_on
from camwidget.pictures.explain import explain
from camwidget.pictures.result import Explanation

_MISTAKES = {
    "without a clone": "copy",
    "still holds the graph": "detached",
    "is never removed": "removed",
    "removes hooks of others": "removed",
}
"""Part of a message to the fact that it concerns; all other messages concern what is stored."""
_TWO = ("first", "second")
_THREE = "PyTorch gives the function three things: the module, its inputs, its output"


def judge_context(attempt: Attempt, *, pictures: int) -> None:
    """Judge a class whose with block takes its hook off, whatever happens inside.

    Args:
        attempt: of this round.
        pictures: how many inputs.
    """
    for name in ("second", "norm", "first", "head"):  # the second one stands in front of a layer that works in place
        model, inputs = batch_network(attempt, pictures=pictures, alike=name == "first")
        outputs, earlier = model.outputs(inputs), model.outputs(2 * inputs)
        before = Before(model, {"inputs": inputs})
        hook = _in_a_block(attempt, model, name, inputs, outputs, earlier)
        judge_left(attempt, before, "removed", still_there="remove the handle in __exit__")
        _judge_still_there(attempt, hook, outputs[name])
        _judge_two(attempt, model, inputs, outputs)
        likely = "each object takes its own hook off: keep the handle in self, not in a name of the class"
        judge_left(attempt, before, "removed", still_there=likely)
    _judge_after_error(attempt)


def _in_a_block(
    attempt: Attempt,
    model: Small,
    name: str,
    inputs: Tensor,
    outputs: Mapping[str, Tensor],
    earlier: Mapping[str, Tensor],
) -> Any:
    """Use the class as a with block does, run the model twice inside, and state what is stored."""
    layer, right = model.get_submodule(name), outputs[name]
    _backward(model, inputs)
    slopes, count = _grads(model), len(hooks_on(model))
    model.zero_grad()
    hook = attempt.call(attempt.answer, layer, called="MyHook(layer)")
    managed = all(hasattr(type(hook), method) for method in ("__enter__", "__exit__"))
    likely = "a context manager needs the methods __enter__ and __exit__"
    attempt.fact("stored", managed, expected="a context manager", got=a_kind(hook), likely=likely, stop=True)
    meanings = {"None": "__enter__ returns what stands behind `as`: return self"}
    entered = attempt.call(type(hook).__enter__, hook, called="with MyHook(layer) as hook:", meanings=meanings)
    own = len(hooks_on(model)) - count
    meanings = {"positional argument": _THREE}
    # Gradients are recorded, as in a notebook: only so a missing detach() shows.
    attempt.call(model, 2 * inputs, called="model(2 * inputs), inside the with block", meanings=meanings)
    logits = attempt.call(model, inputs, called="model(inputs) once more, inside the with block")
    stored = getattr(entered, "stored", None)
    likely = "set self.stored in the function that the hook calls; a plain name in it is gone when the function ends"
    if not own:
        likely = (
            "no hook is on the layer inside the block: register it in __init__ or __enter__, take it off in __exit__"
        )
    attempt.fact("stored", stored is not None, expected=right, got="nothing", likely=likely, stop=True)
    given = _layer_input(outputs, name, inputs)
    _judge_one_tensor(attempt, stored, right, given)
    mistakes = {
        "this went into the layer: the output is the hook function's third argument": given,
        "this is of the first run: keep the last one's output": earlier[name],
        "this is the output's shape or a mean, not the output": right.mean().expand_as(right),
        "the outputs of all runs are added up: store anew each time": right + earlier[name],
    }
    if name == "norm" and numbers_agree(stored, right.relu()):
        likely = "this is what the next layer made of it, in place: store a copy, with clone(), and return nothing"
        attempt.fact("copy", False, expected=right, got=stored, likely=likely)
    else:
        axes = ("picture", "channel", "row", "column")
        attempt.values("stored", stored, right, mistakes=mistakes, axes=axes, stop=True)
        likely = "it still holds the graph: store output.detach().clone()"
        detached = isinstance(stored, Tensor) and not stored.requires_grad
        attempt.fact("copy", detached, expected="a detached tensor", got="a tensor with a grad_fn", likely=likely)
    likely = "what the hook function returns takes the place of the layer's output: return nothing"
    attempt.fact("listens", numbers_agree(logits, outputs["head"]), expected=outputs["head"], got=logits, likely=likely)
    attempt.call(_backward, model, inputs, called="a backward pass inside the with block", allow_none=True)
    same = all(map(numbers_agree, _grads(model), slopes))
    likely = "no gradient gets through this layer any more: detach a copy, and leave the output itself as it is"
    attempt.fact("listens", same, expected="gradients as without the hook", got="others", likely=likely)
    model.zero_grad()
    likely = "the hook is on the layer twice: register it in __init__ or in __enter__, not in both"
    attempt.fact("removed", own == 1, expected="1 hook", got=f"{own} hooks", likely=likely)
    meanings = {
        "positional argument": "Python gives __exit__ three things about the error: def __exit__(self, *error)",
        "has no attribute": "keep what register_forward_hook returns, in self, so that __exit__ can remove it",
    }
    called = "the end of the with block"
    attempt.call(type(hook).__exit__, hook, None, None, None, called=called, meanings=meanings, allow_none=True)
    return entered


def _backward(model: Small, inputs: Tensor) -> None:
    """Run backward from the first logit of every picture, where anything is recorded."""
    logits = model(inputs)[:, 0].sum()
    if logits.requires_grad:
        logits.backward()


def _grads(model: Small) -> list[Tensor]:
    """What backward has left at each parameter; zeros where nothing has arrived."""
    return [torch.zeros_like(each) if each.grad is None else each.grad.clone() for each in model.parameters()]


def _judge_one_tensor(attempt: Attempt, stored: Any, right: Tensor, given: Tensor) -> None:
    """State that what is stored is one tensor of the output's shape."""
    likely = f"store the tensor itself, not {a_kind(stored)}"
    if isinstance(stored, tuple | list) and len(stored) > 1:
        likely = f"store the last run's output alone, not {a_kind(stored)} of all"
    got = a_kind(stored)
    attempt.fact("stored", isinstance(stored, Tensor), expected=right, got=got, likely=likely, stop=True)
    likely = why_shape(tuple(stored.shape), tuple(right.shape))
    if tuple(stored.shape[1:]) == tuple(right.shape[1:]) or stored.shape == right.shape[1:]:
        likely = "only one picture is stored: store the whole output"
    if stored.shape == given.shape:
        likely = "this went into the layer: the output is the hook function's third argument"
    elif stored.shape == right.shape[:2]:
        likely = "the positions are gone: store the output as it is, without a mean"
    attempt.fact(
        "stored",
        stored.shape == right.shape,
        expected=tuple(right.shape),
        got=tuple(stored.shape),
        likely=likely,
        stop=True,
    )


def _judge_still_there(attempt: Attempt, hook: Any, right: Tensor) -> None:
    """State that the stored tensor can be read behind the block, and is what it was."""
    try:
        stored = hook.stored
    except Exception:  # noqa: BLE001 (a learner's class, or ours, may raise anything here)
        stored = None
    likely = "`stored` is gone after the block: take the hook off in __exit__, and leave what is stored"
    attempt.fact("removed", stored is not None, expected="stored as it was", got="nothing", likely=likely)
    if stored is not None:
        likely = "`stored` has changed after the block: the hook has not come off, or it shares memory with the layer"
        attempt.fact("copy", numbers_agree(stored, right), expected=right, got=stored, likely=likely)


def _judge_two(attempt: Attempt, model: Small, inputs: Tensor, outputs: Mapping[str, Tensor]) -> None:
    """State that two objects of the class, on two layers, store each its own."""
    with ExitStack() as stack:
        hooks = [attempt.call(attempt.answer, model.get_submodule(name), called="MyHook(layer)") for name in _TWO]
        entered = []
        for hook in hooks:
            entered.append(
                attempt.call(type(hook).__enter__, hook, called="with MyHook(one) as one, MyHook(two) as two:")
            )
            stack.callback(
                attempt.raised_by, type(hook).__exit__, hook, None, None, None, called="the end of the block"
            )
        attempt.call(model, inputs, called="model(inputs), with two hooks on two layers")
        same = all(
            numbers_agree(getattr(hook, "stored", None), outputs[name])
            for name, hook in zip(_TWO, entered, strict=True)
        )
    likely = (
        "two objects of your class share what they store: set self.stored, not a name of the class or of the notebook"
    )
    attempt.fact("listens", same, expected="each layer's own output", got="another layer's", likely=likely)


def _judge_after_error(attempt: Attempt) -> None:
    """State what becomes of the hook and of the error where something is raised inside the block."""
    for kind in (KeyError, ZeroDivisionError):
        model, _ = batch_network(attempt)
        before = Before(model, {})

        def fail(model: Small = model, kind: type[Exception] = kind) -> None:
            with attempt.answer(model.second):
                raise kind("a mishap inside the block")

        error = attempt.raised_by(fail, called=f"with MyHook(layer): raise {kind.__name__}(...)")
        likely = "remove the handle in __exit__: Python calls it after an error too"
        judge_left(attempt, before, "after_error", still_there=likely)
        likely, got = "__exit__ returned something true, and that swallows the error: return nothing", "no error"
        if error is not None:
            likely, got = (
                f"another error was raised in __exit__, and hides the first: {described(error)}",
                type(error).__name__,
            )
        attempt.fact("error", isinstance(error, kind), expected=kind.__name__, got=got, likely=likely)


def _layer_input(outputs: Mapping[str, Tensor], name: str, inputs: Tensor) -> Tensor:
    """What goes into a child of a network, given what each child puts out."""
    order = list(outputs)
    return outputs[order[order.index(name) - 1]] if order.index(name) else inputs


def _run_layer(model: Small, name: str, given: Tensor) -> Tensor:
    """What a child puts out for this."""
    with torch.no_grad():
        output: Tensor = model.get_submodule(name)(given)
    return output


def judge_change(attempt: Attempt, *, pictures: int) -> None:
    """Judge a function (model, layer, channel, inputs) -> the logits with this channel of the layer switched off.

    Args:
        attempt: of this round.
        pictures: how many inputs.
    """
    # The layer "same" puts out the inputs themselves: what is written into its output is written into them.
    for name, count in (("second", pictures + 1), ("norm", 1), ("first", pictures + 2), ("same", 2)):
        model, inputs = batch_network(attempt, pictures=count, alike=name == "first", opened=name == "same")
        channels = model.outputs(inputs)[name].shape[1]
        channel = {"second": attempt.size(1, channels - 2), "norm": 0, "first": channels - 1, "same": 1}[name]
        _judge_silenced(attempt, model, name, channel, inputs)


def _silent_mistakes(
    activation: Tensor, channel: int, right: Tensor, logits: Tensor, rest: Callable[[Tensor], Tensor]
) -> dict[str, Tensor]:
    """The wrong logits that learners get: what they should read, to the logits."""

    def without(change: Callable[[Tensor], object]) -> Tensor:
        changed = activation.clone()
        change(changed)
        return rest(changed)

    pictures, count = activation.shape[:2]
    only = activation * (torch.arange(count) == channel).view(-1, *[1] * (activation.ndim - 2))
    return {
        "these are the logits with all channels: what the hook function returns takes the place of the output, and the "
        "model has to run while the hook is on it": logits,
        "a picture was switched off, not a channel: the first axis is the batch": without(
            lambda each: each[channel % pictures].zero_()
        ),
        "all other channels were switched off": rest(only),
        "all channels were switched off: only [:, channel] is to be zero": rest(0 * activation),
        "the channel next to it was switched off: channels are counted from 0": without(
            lambda each: each[:, (channel + 1) % count].zero_()
        ),
        "the channel before it was switched off: channels are counted from 0": without(
            lambda each: each[:, channel - 1].zero_()
        ),
        "only the first picture's channel was switched off": without(lambda each: each[0, channel].zero_()),
        "a row of every channel was switched off: channels are the second axis": without(
            lambda each: each[:, :, channel % each.shape[2]].zero_()
        ),
        "a column of every channel was switched off: channels are the second axis": without(
            lambda each: each[..., channel % each.shape[3]].zero_()
        ),
        "the first channels, up to this one, were switched off": without(lambda each: each[:, : channel + 1].zero_()),
        "the channels in front of this one were switched off": without(lambda each: each[:, :channel].zero_()),
        "only a row of the channel was switched off: [:, channel] is all of it": without(
            lambda each: each[:, channel, channel % each.shape[2]].zero_()
        ),
        "all channels from this one on were switched off: only [:, channel] is to be zero": without(
            lambda each: each[:, channel:].zero_()
        ),
        "the channel was set to the smallest value, not to 0": without(
            lambda each: each[:, channel].fill_(float(each.min()))
        ),
        "only what is above zero was switched off in the channel": without(lambda each: each[:, channel].clamp_(max=0)),
        "only what is below zero was switched off in the channel": without(lambda each: each[:, channel].clamp_(min=0)),
        "the channel was set to 1, not to 0": without(lambda each: each[:, channel].fill_(1)),
        "the channel was set to its mean, not to 0": without(
            lambda each: each[:, channel].copy_(each[:, channel].mean().expand_as(each[:, channel]))
        ),
        "the channel was halved, not set to 0": without(lambda each: each[:, channel].div_(2)),
        "the channel's sign was turned around": without(lambda each: each[:, channel].neg_()),
        "these are probabilities: return the logits": right.softmax(1),
        "this is the difference to the logits with all channels: return the logits": right - logits,
    }


def _judge_silenced(attempt: Attempt, model: Small, name: str, channel: int, inputs: Tensor) -> None:
    """State what the logits without one channel of one layer are."""
    outputs = model.outputs(inputs)
    children = list(outputs)
    activation = outputs[name]

    def rest(changed: Tensor) -> Tensor:
        with torch.no_grad():
            for child in children[children.index(name) + 1 :]:
                changed = model.get_submodule(child)(changed.clone())
        return changed

    def without(change: Callable[[Tensor], object]) -> Tensor:
        changed = activation.clone()
        change(changed)
        return rest(changed)

    pictures = len(inputs)
    right = without(lambda each: each[:, channel].zero_())

    def mistakes() -> dict[str, Tensor]:
        nothing = torch.zeros_like(_layer_input(outputs, name, inputs))
        put_in = "what goes into the layer was switched off, not what it puts out"
        known = _silent_mistakes(activation, channel, right, outputs["head"], rest)
        return {**known, put_in: rest(_run_layer(model, name, nothing))}

    before = Before(model, {"inputs": inputs})
    called = f"without_channel(model, layer, {channel}, inputs), with {a_kind(model.get_submodule(name))} as layer"
    kept = "the output keeps its shape: set the channel to zero, and leave it in its place"
    meanings = {
        "out of bounds for dimension 0": "the first axis is the batch: channels are the second, [:, channel]",
        "cannot be multiplied": kept,
        "Given groups=": kept,
        "should contain": kept,
    }
    layer = model.get_submodule(name)
    got = attempt.call(attempt.answer, model, layer, channel, inputs, called=called, meanings=meanings)
    shapes = {
        tuple(activation.shape): "this is the activation: return the logits",
        (pictures,): "one number for each picture: return all logits",
        (right.shape[1],): "the logits of one picture only: return those of all",
    }
    attempt.shape("shape", got, tuple(right.shape), mistakes=shapes)
    attempt.values("values", got, right, mistakes=mistakes, axes=("picture", "class"))
    likely = "the hook is still there, so the next run is changed as well: remove it"
    judge_left(attempt, before, "removed", still_there=likely)


def judge_panel(attempt: Attempt) -> None:
    """Judge a hook class by letting `explain` use it as the panel does."""
    for keys, layers in ((("activation", "detached", "removed"), ["second"]), (("copy",), ["first", "norm", "second"])):
        model, inputs, ours = network_with_maps(lambda: batch_network(attempt), layers=layers, target_classes=[0])

        def run(model: Small = model, inputs: Tensor = inputs, layers: list[str] = layers) -> Explanation:
            return explain(model, inputs[:1], layers=layers, target_classes=[0], hook=attempt.answer)

        error = attempt.raised_by(run, called="CamPanel(learn, picture, hook=MyPanelHook)")
        if error is not None:
            _state_error(attempt, error, keys)
        theirs = attempt.call(run, called="CamPanel(learn, picture, hook=MyPanelHook)")
        for name in layers:
            attempt.values(keys[0], theirs.cams[name], ours.cams[name], stop=True)
        for key in keys:
            attempt.fact(key, True)
    _judge_by_itself(attempt)


def _judge_by_itself(attempt: Attempt) -> None:
    """State that the hook stores all pictures of a batch, which the panel never has, and comes off after an error."""
    model, inputs = batch_network(attempt)
    right, before = model.outputs(inputs)["second"], Before(model, {"inputs": inputs})

    def listen(*, fail: bool) -> Any:
        with attempt.answer(model.second) as hook:
            model(inputs)
            if fail:
                raise KeyError("a mishap inside the block")
            return hook.stored

    stored = attempt.call(listen, fail=False, called="with MyPanelHook(layer) as hook: model(inputs), two pictures")
    stored = stored[-1] if isinstance(stored, list) else stored  # the panel takes lists, too
    some = {tuple(right[:1].shape): "only one picture is stored: store the whole output"}
    attempt.shape("activation", stored, tuple(right.shape), mistakes=some)
    attempt.values("activation", stored, right)
    attempt.raised_by(listen, fail=True, called="with MyPanelHook(layer): model(inputs); raise KeyError(...)")
    likely = "remove the handle in __exit__, whatever it is given: Python calls it after an error too"
    judge_left(attempt, before, "removed", still_there=likely)


def _state_error(attempt: Attempt, error: Exception, keys: Sequence[str]) -> None:
    """State the fact that an error of `explain` concerns; errors about other facts come after the numbers were right."""
    likely = str(error).removesuffix(".")
    key = next((key for part, key in _MISTAKES.items() if part in likely), keys[0])
    if key in ("detached", "removed"):
        attempt.fact("activation", True)
    if not isinstance(error, HookError):
        likely = described(error)
    elif "shown above this one" in likely and error.__cause__ is not None:
        likely = f"{likely.partition('. ')[0]}. {described(error.__cause__)}"
        if "positional argument" in likely:
            likely += f". {_THREE}"
    attempt.fact(key, False, expected="a picture", got=type(error).__name__, likely=likely, stop=True)

"""Judges for the hook classes of `hooks`, and for the hook that changes an output."""

from collections.abc import Sequence

import torch

from camwidget.course.assignments.leftovers import judge_left, with_other_hooks
from camwidget.course.assignments.networks import batch_network
from camwidget.course.attempt import Attempt
from camwidget.course.calling import described
from camwidget.course.compare import as_numbers
from camwidget.errors import HookError
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
_THREE = "PyTorch gives the function three things: the module, its inputs, its output"


def judge_context(attempt: Attempt) -> None:
    """Judge a class whose with block takes its hook off, whatever happens inside."""
    model, inputs = batch_network(attempt)
    layer = model.second
    before = with_other_hooks(model)
    with torch.no_grad():
        layer_input = model.norm(model.first(inputs)).relu()
        right = layer(layer_input)
    hook = attempt.call(attempt.answer, layer, called="MyHook(layer)")
    managed = all(hasattr(type(hook), name) for name in ("__enter__", "__exit__"))
    likely = "a context manager needs the methods __enter__ and __exit__"
    attempt.fact(
        "stored", managed, expected="a context manager", got=f"a {type(hook).__name__}", likely=likely, stop=True
    )
    meanings = {"None": "__enter__ returns what stands behind `as`: return self"}
    entered = attempt.call(type(hook).__enter__, hook, called="with MyHook(layer) as hook:", meanings=meanings)
    own = len(hooks_on(model)) > before
    meanings = {"positional argument": _THREE}
    with torch.no_grad():
        attempt.call(model, 2 * inputs, called="model(inputs), inside the with block", meanings=meanings)
        attempt.call(model, inputs, called="model(inputs) once more, inside the with block")
    stored = getattr(entered, "stored", None)
    likely = "set self.stored in the function that the hook calls; a plain name in it is gone when the function ends"
    if not own:
        likely = (
            "no hook is on the layer inside the block: register it in __init__ or __enter__, take it off in __exit__"
        )
    attempt.fact("stored", stored is not None, expected=right, got="nothing", likely=likely, stop=True)
    numbers = as_numbers(stored)
    if numbers is not None and numbers.shape == layer_input.shape:
        likely = "this went into the layer: the output is the hook function's third argument"
        attempt.fact("stored", False, expected=right, got=stored, likely=likely)
    else:
        with torch.no_grad():
            first = layer(model.norm(model.first(2 * inputs)).relu())
        attempt.values(
            "stored", stored, right, mistakes={"this is of the first run: keep the last one's output": first}
        )
    meanings = {
        "positional argument": "Python gives __exit__ three things about the error: def __exit__(self, *error)",
        "has no attribute": "keep what register_forward_hook returns, in self, so that __exit__ can remove it",
    }
    called = "the end of the with block"
    attempt.call(type(hook).__exit__, hook, None, None, None, called=called, meanings=meanings, allow_none=True)
    judge_left(attempt, model, before, likely="remove the handle in __exit__")
    before = len(hooks_on(model))

    def fail() -> None:
        with attempt.answer(layer):
            raise KeyError("a mishap inside the block")

    error = attempt.raised_by(fail, called="with MyHook(layer): raise KeyError(...)")
    likely = "remove the handle in __exit__: Python calls it after an error too"
    judge_left(attempt, model, before, likely=likely, key="after_error")
    likely, got = "__exit__ returned something true, and that swallows the error: return nothing", "no error"
    if error is not None:
        likely, got = "another error was raised in __exit__, and hides the first", type(error).__name__
    attempt.fact("error", isinstance(error, KeyError), expected="KeyError", got=got, likely=likely)


def judge_change(attempt: Attempt) -> None:
    """Judge a function (model, layer, channel, inputs) -> the logits with this channel of the layer switched off."""
    model, inputs = batch_network(attempt)
    model.eval()
    layer, channel = model.second, attempt.size(0, model.second.out_channels - 1)
    before = with_other_hooks(model)
    weights = [parameter.detach().clone() for parameter in model.parameters()]
    with torch.no_grad():
        activation = layer(model.norm(model.first(inputs)).relu())
        untouched = model(inputs)
        silent = activation.clone()
        silent[:, channel] = 0
        right = model.head(silent)
        wrong_axis = activation.clone()
        wrong_axis[channel % 2] = 0
        only = torch.zeros_like(activation)
        only[:, channel] = activation[:, channel]
        beside = [activation.clone() for _ in range(2)]
        for changed, step in zip(beside, (1, -1), strict=True):
            changed[:, (channel + step) % changed.shape[1]] = 0
    called = f"without_channel(model, layer, {channel}, inputs)"
    got = attempt.call(attempt.answer, model, layer, channel, inputs, called=called)
    attempt.shape(
        "shape",
        got,
        tuple(right.shape),
        mistakes={tuple(activation.shape): "this is the activation: return the logits"},
    )
    mistakes = {
        "nothing has changed: what the hook function returns takes the place of the output": untouched,
        "a picture was switched off, not a channel: the first axis is the batch": model.head(wrong_axis).detach(),
        "all other channels were switched off": model.head(only).detach(),
        "all channels were switched off: only [:, channel] is to be zero": model.head(0 * activation).detach(),
        "the channel next to it was switched off: channels are counted from 0": model.head(beside[0]).detach(),
        "the channel before it was switched off: channels are counted from 0": model.head(beside[1]).detach(),
        "these are probabilities: return the logits": right.softmax(1),
    }
    attempt.values("values", got, right, mistakes=mistakes)
    judge_left(attempt, model, before, likely="the hook is still there, so the next run is changed as well: remove it")
    same = all(torch.equal(one, two) for one, two in zip(weights, model.parameters(), strict=True))
    likely = "the layer's weights were changed: change its output, in a hook function, and leave the weights alone"
    attempt.fact("removed", same, expected="the weights as they were", got="other weights", likely=likely)


def judge_panel(attempt: Attempt) -> None:
    """Judge a hook class by letting `explain` use it as the panel does."""
    model, inputs = batch_network(attempt)
    for keys, layers in ((("activation", "detached", "removed"), ["second"]), (("copy",), ["first", "norm", "second"])):
        ours = explain(model, inputs[:1], layers=layers, target_classes=[0])

        def run(layers: list[str] = layers) -> Explanation:
            return explain(model, inputs[:1], layers=layers, target_classes=[0], hook=attempt.answer)

        error = attempt.raised_by(run, called="CamPanel(learn, picture, hook=MyPanelHook)")
        if error is not None:
            _state_error(attempt, error, keys)
        theirs = attempt.call(run, called="CamPanel(learn, picture, hook=MyPanelHook)")
        for name in layers:
            attempt.values(keys[0], theirs.cams[name], ours.cams[name], stop=True)
        for key in keys:
            attempt.fact(key, True)


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

"""How the hook classes of `hooks`, and the hook that changes an output, are judged."""

import torch

from camwidget.course.attempt import Attempt
from camwidget.course.checks.grad_cam_hook_judges import hooks_on
from camwidget.course.checks.networks import batch_network
from camwidget.errors import CamwidgetError
from camwidget.explain import Explanation, explain


def judge_context(attempt: Attempt) -> None:
    """Judge a class whose with block takes its hook off, whatever happens inside.

    Args:
        attempt: the try.
    """
    model, inputs = batch_network(attempt)
    layer = model.second
    before = hooks_on(model)
    with torch.no_grad():
        right = model.second(model.norm(model.first(inputs)).relu())
    hook = attempt.call(attempt.answer, layer, shown="MyHook(layer)")
    managed = all(hasattr(type(hook), name) for name in ("__enter__", "__exit__"))
    likely = "a context manager needs the methods __enter__ and __exit__"
    attempt.fact(
        "stored", managed, expected="a context manager", got=f"a {type(hook).__name__}", likely=likely, stop=True
    )
    entered = attempt.call(type(hook).__enter__, hook, shown="with MyHook(layer) as hook:")
    with torch.no_grad():
        attempt.call(model, inputs, shown="model(inputs), inside the with block")
    stored = getattr(entered, "stored", None)
    likely = "stored is not there: set self.stored in the function that the hook calls"
    attempt.fact("stored", stored is not None, expected=right, got="nothing", likely=likely, stop=True)
    attempt.values("stored", stored, right)
    attempt.call(type(hook).__exit__, hook, None, None, None, shown="the end of the with block", allow_none=True)
    left = hooks_on(model) - before
    attempt.fact("removed", left == 0, expected="no hook", got=f"{left} hooks", likely="remove the handle in __exit__")

    def fail() -> None:
        with attempt.answer(layer):
            raise KeyError("a mishap inside the block")

    error = attempt.raised_by(fail, shown="with MyHook(layer): raise KeyError(...)")
    left = hooks_on(model) - before
    likely = "remove the handle in __exit__: Python calls it after an error too"
    attempt.fact("after_error", left == 0, expected="no hook", got=f"{left} hooks", likely=likely)
    likely = "__exit__ returned something true, and that swallows the error: return nothing"
    attempt.fact("error", isinstance(error, KeyError), expected="KeyError", got=type(error).__name__, likely=likely)


def judge_change(attempt: Attempt) -> None:
    """Judge a function (model, layer, channel, inputs) -> the logits with this channel of the layer switched off.

    Args:
        attempt: the try.
    """
    model, inputs = batch_network(attempt)
    model.eval()
    layer, channel = model.second, attempt.size(0, model.second.out_channels - 1)
    before = hooks_on(model)
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
    shown = f"without_channel(model, layer, {channel}, inputs)"
    got = attempt.call(attempt.answer, model, layer, channel, inputs, shown=shown)
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
    }
    attempt.values("values", got, right, mistakes=mistakes)
    with torch.no_grad():
        again = model(inputs)
    left = hooks_on(model) - before
    fine = left == 0 and torch.equal(again, untouched)
    likely = (
        "the hook is still there: the next run is changed as well" if left else "the weights themselves were changed"
    )
    attempt.fact("removed", fine, expected="the model as before", got=f"{left} hooks", likely=likely)


def judge_panel(attempt: Attempt) -> None:
    """Judge a class by letting it capture for `explain`, as in the panel.

    Args:
        attempt: the try.
    """
    model, inputs = batch_network(attempt)
    model.eval()
    for key, layers in (("activation", ["second"]), ("copy", ["first", "norm", "second"])):
        ours = explain(model, inputs[:1], layers=layers, target_classes=[0])

        def run(layers: list[str] = layers) -> Explanation:
            return explain(model, inputs[:1], layers=layers, target_classes=[0], hook=attempt.answer)

        error = attempt.raised_by(run, shown="CamPanel(learn, picture, hook=MyHook)")
        told = str(error) if isinstance(error, CamwidgetError) else f"{type(error).__name__}: {error}"
        attempt.fact(key, error is None, expected="a picture", got=type(error).__name__, likely=told, stop=True)
        theirs = attempt.call(run, shown="CamPanel(learn, picture, hook=MyHook)")
        for name in layers:
            attempt.values(key, theirs.cams[name], ours.cams[name], stop=True)

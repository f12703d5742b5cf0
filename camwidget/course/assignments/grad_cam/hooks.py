"""Judges for the answers of `grad_cam` about hooks on a network. The hidden checks use them too, with other sizes."""

from typing import Any

import torch
from torch import Tensor, nn

from camwidget.course.attempt import Attempt
from camwidget.hooks.restore import hooks_on
from camwidget.pictures.explain import explain
from camwidget.pictures.result import Explanation


def judge_backward_hook(attempt: Attempt, *, twice: bool) -> None:
    """Judge a hook class that stores the gradient of a module's output.

    Args:
        attempt: of this round.
        twice: whether two backward passes run, for two classes.
    """
    model, layers, inputs = _network(attempt)
    layer = layers[attempt.size(0, 1)]
    classes = range(2) if twice else [attempt.size(0, 1)]
    rights = [_gradient(model, layer, inputs, target)[1] for target in classes]
    before = len(hooks_on(model))
    hook = attempt.call(attempt.answer, layer, called="MyHookBwd(layer)")
    entered = attempt.call(hook.__enter__, called="with MyHookBwd(layer) as hook:") if _managed(attempt, hook) else hook
    for target, right in zip(classes, rights, strict=True):
        attempt.raised_by(
            lambda target=target: model(inputs)[0, target].backward(), called="model(inputs)[0, c].backward()"
        )
        stored = getattr(entered, "stored", None)
        likely = "nothing is stored: is self.stored set when the gradient arrives?"
        if isinstance(stored, tuple):
            likely = "this is the tuple of gradients: store its first element"
        is_tensor = isinstance(stored, Tensor)
        got = stored if is_tensor else f"stored is {type(stored).__name__}"
        wanted = f"a tensor of shape {tuple(right.shape)}"
        attempt.fact(
            "shape",
            isinstance(stored, Tensor) and stored.shape == right.shape,
            expected=wanted,
            got=got,
            likely=likely,
            stop=True,
        )
        activation = _gradient(model, layer, inputs, target)[0]
        mistakes = {
            "this is the activation, not its gradient": activation,
            "gradients of several backward passes are added up": torch.stack(rights).sum(0),
            "this is the gradient of the first class: store anew each time": rights[0],
        }
        mistakes = {message: wrong for message, wrong in mistakes.items() if not torch.equal(wrong, right)}
        attempt.values("values", stored, right, mistakes=mistakes)
    attempt.call(hook.__exit__, None, None, None, called="the end of the with block", allow_none=True)
    left = len(hooks_on(model)) - before
    attempt.fact("removed", left == 0, expected="no hook", got=f"{left} hooks", likely="remove the handle in __exit__")


def _managed(attempt: Attempt, hook: Any) -> bool:
    has = hasattr(type(hook), "__enter__") and hasattr(type(hook), "__exit__")
    likely = "write __enter__, which returns self, and __exit__, which removes the hook"
    attempt.fact(
        "shape", has, expected="a context manager", got=f"a {type(hook).__name__}", likely=likely, stop=not has
    )
    attempt.facts.pop("shape", None)  # only its failure counts here; the gradient's shape is what it is about
    return has


def judge_grad_cam(attempt: Attempt, *, layer: int) -> None:
    """Judge a function (model, layer, inputs, target_class, relu=False) -> Grad-CAM, from model to map.

    Args:
        attempt: of this round.
        layer: which layer comes first: 0 for an inner one, 1 for the last.
    """
    model, layers, inputs = _network(attempt)
    target = attempt.size(0, 1)
    before = len(hooks_on(model))
    for key, at in (("last", layers[1]), ("inner", layers[0]))[:: 1 if layer else -1]:
        activation, gradient = (tensor[0].double() for tensor in _gradient(model, at, inputs, target))
        right = (gradient.mean((1, 2), keepdim=True) * activation).sum(0)
        other = (_gradient(model, at, inputs, 1 - target)[1][0].double().mean((1, 2), keepdim=True) * activation).sum(0)
        probability = model(inputs).softmax(dim=1)[0, target].item()
        for relu in (False, True):
            bend = torch.relu if relu else torch.clone
            wanted = bend(right)
            # At the inner layer relu=False is left out: there is no ReLU unless one asks for it.
            options: dict[str, Any] = {} if key == "inner" and not relu else {"relu": relu}
            option_text = f", relu={relu}" if options else ""
            called = f"grad_cam(model, layer, inputs, {target}{option_text}), {key} layer"
            got = attempt.call(attempt.answer, model, at, inputs, target, called=called, **options)
            attempt.shape(
                "shape",
                got,
                tuple(wanted.shape),
                mistakes={(1, *wanted.shape): "one picture, one map: drop the batch axis"},
            )
            mistakes = {
                "this is the map of the other class": bend(other),
                "the gradient was not averaged: that is HiResCAM": bend((gradient * activation).sum(0)),
                "the probability was differentiated, not the logit": bend(
                    probability * (1 - probability) * (right - other)
                ),
                "relu=True was ignored" if relu else "ReLU is applied although relu=False": right
                if relu
                else right.relu(),
            }
            attempt.values("relu" if relu else key, got, wanted, mistakes=mistakes, usual=not relu)
    left = len(hooks_on(model)) - before
    attempt.fact(
        "removed", left == 0, expected="no hook", got=f"{left} hooks", likely="take every hook off, with a with block"
    )


def _network(attempt: Attempt) -> tuple[nn.Sequential, tuple[nn.Module, nn.Module], Tensor]:
    """A network, two of its layers (an inner one, and the last with a map), and inputs; nothing works in place."""
    attempt.seed_torch()
    narrow, wide, height, width = attempt.sizes(4, low=5, high=12)
    inner = nn.Sequential(nn.Conv2d(3, narrow, 3, padding=1), nn.BatchNorm2d(narrow), nn.ReLU())
    last = nn.Sequential(nn.Conv2d(narrow, wide, 3, stride=2, padding=1), nn.ReLU())
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(wide, 8), nn.Tanh(), nn.Linear(8, 2))
    return nn.Sequential(inner, last, head).eval(), (inner, last), attempt.tensor(1, 3, height, width)


def _gradient(model: nn.Module, layer: nn.Module, inputs: Tensor, target: int) -> tuple[Tensor, Tensor]:
    """Activation and gradient of one layer, by autograd; the model is left as it was."""
    kept: list[Tensor] = []
    handle = layer.register_forward_hook(lambda _, __, output: kept.append(output))
    try:
        with torch.enable_grad():
            logit = model(inputs.clone().requires_grad_())[0, target]
            (gradient,) = torch.autograd.grad(logit, kept[0])
    finally:
        handle.remove()
    return kept[0].detach(), gradient


def judge_own_hooks(attempt: Attempt, *, layers: tuple[str, ...]) -> None:
    """Judge two hook classes, for activations and for gradients, by letting `explain` use them as the panel does.

    Args:
        attempt: of this round.
        layers: names of the network's layers to look at.
    """
    model, _, inputs = _network(attempt)
    hook, hook_bwd = (*attempt.answers, None)[:2]
    ours = explain(model, inputs, layers=layers, target_classes=[0, 1])
    pairs: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("activation", {"hook": hook}, "CamPanel(learn, picture, hook=MyHook)"),
        ("gradient", {"hook": hook, "hook_bwd": hook_bwd}, "CamPanel(learn, picture, hook=MyHook, hook_bwd=MyHookBwd)"),
    )
    for key, hooks, called in pairs:

        def run(hooks: dict[str, Any] = hooks) -> Explanation:
            return explain(model, inputs, layers=layers, target_classes=[0, 1], **hooks)

        error = attempt.raised_by(run, called=called)
        if error is not None:
            attempt.fact(key, False, expected="a picture", got=type(error).__name__, likely=str(error), stop=True)
        theirs = attempt.call(run, called=called)
        for name in layers:
            attempt.values(key, theirs.cams[name], ours.cams[name], stop=True)

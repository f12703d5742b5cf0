"""Judges for the answers of `grad_cam` about hooks on a network. The hidden checks use them too, with other sizes."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from camwidget.course.assignments.drawn_maps import network_with_maps
from camwidget.course.assignments.grad_cam.judges import map_mistakes, other_starts
from camwidget.course.assignments.networks import batch_network
from camwidget.course.assignments.traces import Before, judge_left
from camwidget.course.attempt import Attempt
from camwidget.course.calling import described
from camwidget.course.compare import numbers_agree
from camwidget.errors import a_kind
from camwidget.pictures.explain import explain
from camwidget.pictures.result import Explanation


def judge_backward_hook(attempt: Attempt, *, inner_first: bool) -> None:
    """Judge a hook class that stores the gradient of a module's output.

    Args:
        attempt: of this round.
        inner_first: which layer comes first.
    """
    for alike in (False, True):
        for place in (0, 1, 2) if inner_first else (2, 1, 0):
            model, layers, inputs = _network(attempt, alike=alike)
            _judge_listening(attempt, model, layers[place], inputs)
    _judge_two(attempt)
    _judge_error(attempt)


def _judge_listening(attempt: Attempt, model: nn.Sequential, layer: nn.Module, inputs: Tensor) -> None:
    """Use the class as a with block does: one backward pass, another, and one more through the same forward pass."""
    classes = _class_count(model)
    targets = [(first := attempt.size(0, classes - 1)), (first + 1) % classes, (first + 2) % classes]
    pairs = [_gradient(model, layer, inputs, target) for target in targets]
    logits, slopes = _without_hooks(model, inputs, targets[0])
    before = Before(model, {"inputs": inputs})
    hook = attempt.call(attempt.answer, layer, called="MyHookBwd(layer)")
    has = all(hasattr(type(hook), method) for method in ("__enter__", "__exit__"))
    likely = "write __enter__, which returns self, and __exit__, which removes the hook"
    if not has:
        got = a_kind(hook)
        attempt.fact("shape", False, expected="a context manager", got=got, likely=likely, stop=True)
    meanings = {"None": "__enter__ returns what stands behind `as`: return self"}
    entered = attempt.call(type(hook).__enter__, hook, called="with MyHookBwd(layer) as hook:", meanings=meanings)

    def backward(target: int, keep: bool = False) -> Tensor:
        output: Tensor = model(inputs)
        output[0, target].backward(retain_graph=keep)
        return output

    called = "model(inputs)[0, c].backward(), inside the with block"
    meanings = {"positional argument": "PyTorch gives the function three things: the module, grad_input, grad_output"}
    model.zero_grad()
    output = attempt.call(backward, targets[0], called=called, meanings=meanings)
    _judge_gradient(attempt, "values", entered, pairs, 0)
    came = [parameter.grad for parameter in model.parameters()]
    same = numbers_agree(output, logits) and all(map(numbers_agree, came, slopes))
    likely = "what the hook function returns takes the place of the output, or of the gradient: return nothing"
    attempt.fact("listens", same, expected="logits and gradients as without it", got="others", likely=likely)
    output = attempt.call(backward, targets[1], True, called=f"{called}, for another class", meanings=meanings)
    _judge_gradient(attempt, "newest", entered, pairs, 1)
    called = "output[0, c].backward() once more, for another class, through the same forward pass"
    attempt.call(lambda: output[0, targets[2]].backward(), called=called, meanings=meanings, allow_none=True)
    _judge_gradient(attempt, "newest", entered, pairs, 2)
    meanings = {
        "positional argument": "Python gives __exit__ three things about the error: def __exit__(self, *error)",
        "has no attribute": "keep what register_full_backward_hook returns, in self, so that __exit__ can remove it",
    }
    called = "the end of the with block"
    attempt.call(type(hook).__exit__, hook, None, None, None, called=called, meanings=meanings, allow_none=True)
    judge_left(attempt, before, "removed", still_there="remove the handle in __exit__")
    model.zero_grad(set_to_none=True)


def _judge_gradient(attempt: Attempt, key: str, entered: Any, pairs: list[tuple[Tensor, Tensor]], number: int) -> None:
    """State that the gradient of one of several backward passes is stored."""
    activation, right = pairs[number]
    stored = getattr(entered, "stored", None)
    likely = "nothing is stored: is the hook registered, and is self.stored set when the gradient arrives?"
    got = f"stored is {type(stored).__name__}"
    if isinstance(stored, tuple):
        likely = "this is the tuple of gradients: store its first element"
    elif isinstance(stored, list):
        likely = "this is a list: store the newest gradient itself, in place of the one before"
    elif stored is not None and not isinstance(stored, Tensor):
        likely = f"this is {a_kind(stored)}: store the tensor"
    wanted = f"a tensor of shape {tuple(right.shape)}"
    if not isinstance(stored, Tensor):
        attempt.fact("shape", False, expected=wanted, got=got, likely=likely, stop=True)
        return
    shapes = {
        tuple(right.shape[1:]): "the batch axis is missing: store the whole gradient",
        tuple(right.shape[:2]): "the positions are missing: store the gradient as it comes, without a mean",
    }
    likely = shapes.get(
        tuple(stored.shape), "this is not the gradient of the output: it comes in grad_output, the third argument"
    )
    fits = stored.shape == right.shape
    attempt.fact("shape", fits, expected=wanted, got=tuple(stored.shape), likely=likely, stop=True)
    mistakes = {
        "this is the activation, not its gradient": activation,
        "gradients of several backward passes are added up": sum(pair[1] for pair in pairs[: number + 1]),
        "gradients of the last two backward passes are added up": sum(
            pair[1] for pair in pairs[number - 1 : number + 1]
        ),
        "this is the gradient of the first backward pass: store anew each time": pairs[0][1],
        "this is the gradient of the backward pass before: store anew each time": pairs[number - 1][1],
    }
    if not number:
        mistakes = {"this is the activation, not its gradient": activation}
    if number == 1:
        del mistakes["this is the gradient of the backward pass before: store anew each time"]
        del mistakes["gradients of the last two backward passes are added up"]
    attempt.values(key, stored, right, mistakes=mistakes, axes=("picture", "channel", "row", "column"))


def _judge_two(attempt: Attempt) -> None:
    """State that two objects of the class, on two layers, store each its own gradient."""
    model, layers, inputs = _network(attempt, alike=False)
    rights, before = [_gradient(model, layer, inputs, 0)[1] for layer in layers[:2]], Before(model, {})
    hooks = [attempt.call(attempt.answer, layer, called="MyHookBwd(layer)") for layer in layers[:2]]
    entered = [attempt.call(type(hook).__enter__, hook, called="two with blocks at once") for hook in hooks]
    called = "model(inputs)[0, c].backward(), with two hooks on two layers"
    attempt.call(lambda: model(inputs)[0, 0].backward(), called=called, allow_none=True)
    same = all(numbers_agree(getattr(hook, "stored", None), right) for hook, right in zip(entered, rights, strict=True))
    likely = (
        "two objects of your class share what they store: set self.stored, not a name of the class or of the notebook"
    )
    attempt.fact("listens", same, expected="each layer's own gradient", got="another layer's", likely=likely)
    for hook in hooks:
        attempt.call(type(hook).__exit__, hook, None, None, None, called="the end of the block", allow_none=True)
    likely = "each object takes its own hook off: keep the handle in self, not in a name of the class"
    judge_left(attempt, before, "removed", still_there=likely, only_hooks=True)


def _judge_error(attempt: Attempt) -> None:
    """State that the hook comes off after an error too, and that the error is not lost."""
    model, layers, _ = _network(attempt, alike=False)
    before = Before(model, {})

    def fail() -> None:
        with attempt.answer(layers[0]):
            raise KeyError("a mishap inside the block")

    error = attempt.raised_by(fail, called="with MyHookBwd(layer): raise KeyError(...)")
    likely = "remove the handle in __exit__: Python calls it after an error too"
    judge_left(attempt, before, "removed", still_there=likely)
    likely = "__exit__ returned something true, and that swallows the error: return nothing"
    got = type(error).__name__ if error is not None else "no error"
    attempt.fact("removed", isinstance(error, KeyError), expected="the KeyError comes out", got=got, likely=likely)


def judge_grad_cam(attempt: Attempt, *, last_first: bool) -> None:
    """Judge a function (model, layer, inputs, target_class, relu=False) -> Grad-CAM, from model to map.

    Args:
        attempt: of this round.
        last_first: which layer comes first: the last, or an inner one.
    """
    for alike in (False, True):
        model, (inner, last, bare), inputs = _network(attempt, alike=alike)
        before = Before(model, {"inputs": inputs})
        places = (("last", last), ("inner", inner), ("inner", bare))
        for number, (key, at) in enumerate(places if last_first else places[::-1]):
            classes = _class_count(model)
            target = (attempt.size(1, classes - 2), 0, classes - 1)[number]
            _judge_layer(attempt, model, at, inputs, target, key, before)


def _judge_layer(
    attempt: Attempt, model: nn.Sequential, at: nn.Module, inputs: Tensor, target: int, key: str, before: Before
) -> None:
    """State whether the maps of one layer are right, with and without ReLU."""
    activation, gradient = (tensor[0].double() for tensor in _gradient(model, at, inputs, target))
    right = (gradient.mean((1, 2), keepdim=True) * activation).sum(0)
    shapes = {
        (1, *right.shape): "one picture, one map: drop the batch axis",
        tuple(activation.shape): "there is one map per channel: add the channels up",
        tuple(right.shape[::-1]): "height and width have changed places",
    }
    for relu in (False, True):
        # The first time relu=False is left out: there is no ReLU unless one asks for it.
        options: dict[str, Any] = {} if key == "inner" and not relu else {"relu": relu}
        option_text = f", relu={relu}" if options else ""
        called = f"grad_cam(model, layer, inputs, {target}{option_text}), {key} layer"
        got = attempt.call(attempt.answer, model, at, inputs, target, called=called, **options)
        attempt.shape("shape", got, tuple(right.shape), mistakes=shapes)

        def mistakes(relu: bool = relu) -> dict[str, Tensor]:
            bend = torch.relu if relu else torch.clone
            known = {message: bend(wrong) for message, wrong in map_mistakes(activation, gradient).items()}
            for message, start in other_starts(_class_count(model), target).items():
                slope = _gradient(model, at, inputs, target, start=start)[1][0].double()
                known[message] = bend((slope.mean((1, 2), keepdim=True) * activation).sum(0))
            known["relu=True was ignored" if relu else "ReLU is applied although relu=False"] = (
                right if relu else right.relu()
            )
            if relu:
                known["with relu=True the absolute value is taken: negative values become zero"] = right.abs()
                known["with relu=True the sign is turned around first"] = (-right).relu()
                bent = (gradient.mean((1, 2), keepdim=True).relu() * activation).sum(0)
                if not numbers_agree(bent, bent.relu()):  # else it is among the mistakes above, with ReLU once more
                    known["with relu=True the weights are bent, not the map"] = bent
            return known

        attempt.values("relu" if relu else key, got, bend_of(right, relu), mistakes=mistakes, axes=("row", "column"))
        judge_left(attempt, before, "removed", still_there="take every hook off, with a with block")


def _class_count(model: nn.Sequential) -> int:
    return list(model.parameters())[-1].numel()


def bend_of(right: Tensor, relu: bool) -> Tensor:
    """The map as it is, or with negative values set to zero."""
    return right.relu() if relu else right


def _network(attempt: Attempt, *, alike: bool) -> tuple[nn.Sequential, tuple[nn.Module, ...], Tensor]:
    """A network, three of its layers (an inner one, the last with a map, a bare one), and inputs; nothing works in place.

    `alike`: square maps, and as many channels as rows at the inner layer and at the last.
    """
    attempt.seed_torch()
    narrow, wide, height, width = attempt.sizes(4, low=5, high=10)
    classes = attempt.size(3, 5)
    if alike:
        narrow = height = width = 8
        wide = 4
    inner = nn.Sequential(nn.Conv2d(3, narrow, 3, padding=1), nn.BatchNorm2d(narrow), nn.ReLU())
    bare = nn.Conv2d(narrow, wide, 3, stride=2, padding=1)
    last = nn.Sequential(bare, nn.ReLU())
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(wide, 8), nn.Tanh(), nn.Linear(8, classes))
    return nn.Sequential(inner, last, head).eval(), (inner, last, bare), attempt.tensor(1, 3, height, width)


def _gradient(
    model: nn.Module,
    layer: nn.Module,
    inputs: Tensor,
    target: int,
    *,
    start: Callable[[Tensor, int], Tensor] = lambda output, target: output[0, target],
) -> tuple[Tensor, Tensor]:
    """Activation and gradient of one layer, by autograd; the model is left as it was."""
    kept: list[Tensor] = []
    handle = layer.register_forward_hook(lambda _, __, output: kept.append(output))
    try:
        with torch.enable_grad():
            number = start(model(inputs.clone().requires_grad_()), target)
            (gradient,) = torch.autograd.grad(number, kept[0])
    finally:
        handle.remove()
    return kept[0].detach(), gradient


def _without_hooks(model: nn.Module, inputs: Tensor, target: int) -> tuple[Tensor, list[Tensor]]:
    """The logits, and the gradient of one of them for every parameter."""
    with torch.enable_grad():
        output: Tensor = model(inputs)
        return output.detach(), list(torch.autograd.grad(output[0, target], list(model.parameters())))


def judge_own_hooks(attempt: Attempt, *, layers: tuple[str, ...]) -> None:
    """Judge two hook classes, for activations and for gradients, by letting `explain` use them as the panel does.

    Args:
        attempt: of this round.
        layers: names of the network's layers to look at.
    """

    def draw() -> tuple[nn.Module, Tensor]:
        model, _, inputs = _network(attempt, alike=False)
        return model, inputs

    model, inputs, ours = network_with_maps(draw, layers=layers, target_classes=[0, 1])
    hook, hook_bwd = (*attempt.answers, None)[:2]
    pairs: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("activation", {"hook": hook}, "CamPanel(learn, picture, hook=MyHook)"),
        ("gradient", {"hook": hook, "hook_bwd": hook_bwd}, "CamPanel(learn, picture, hook=MyHook, hook_bwd=MyHookBwd)"),
    )
    for key, hooks, called in pairs:

        def run(hooks: dict[str, Any] = hooks) -> Explanation:
            return explain(model, inputs, layers=layers, target_classes=[0, 1], **hooks)

        error = attempt.raised_by(run, called=called)
        if error is not None:
            likely = str(error).removesuffix(".")
            if error.__cause__ is not None:  # what the learner's own code raised, with its line
                likely = f"{likely.partition('. ')[0]}. {described(error.__cause__)}"
                if "positional argument" in likely:
                    likely += (
                        ". PyTorch gives the function three things: the module, and what goes in, and what comes out"
                    )
            attempt.fact(key, False, expected="a picture", got=type(error).__name__, likely=likely, stop=True)
        theirs = attempt.call(run, called=called)
        for name in layers:
            attempt.values(key, theirs.cams[name], ours.cams[name], stop=True)
    _judge_copies(attempt, hook, hook_bwd)


def _judge_copies(attempt: Attempt, hook: Any, hook_bwd: Any) -> None:
    """State that what both store is a copy: what works in place afterwards does not change it."""
    network, pictures = batch_network(attempt)
    for name in ("norm", "second"):  # a layer in place stands behind the first
        right = network.outputs(pictures)[name]

        def listen(name: str = name) -> Any:
            with hook(network.get_submodule(name)) as it:
                network(pictures)
                return it.stored

        stored = _newest(attempt.call(listen, called="with MyHook(layer) as hook: model(inputs), two pictures"))
        likely = "the next layer works in place, and changed what is stored: store a copy, with clone()"
        attempt.values("activation", stored, right, mistakes={likely: right.relu()})
    model, layers, inputs = _network(attempt, alike=False)
    right = _gradient(model, layers[1], inputs, 0)[1]

    def overwrite(_: nn.Module, __: Any, slopes: Any) -> None:
        slopes[0].zero_()

    def listen_back() -> Any:
        with hook_bwd(layers[1]) as it, layers[1].register_full_backward_hook(overwrite):
            model(inputs)[0, 0].backward()
            return it.stored

    stored = _newest(attempt.call(listen_back, called="with MyHookBwd(layer) as hook: model(inputs)[0, 0].backward()"))
    likely = "somebody else's hook works in place, and changed what is stored: store a copy, with clone()"
    attempt.values("gradient", stored, right, mistakes={likely: torch.zeros_like(right)}, usual=False)


def _newest(stored: Any) -> Any:
    """What is stored; the last of it where a list is, as the panel has it."""
    return stored[-1] if isinstance(stored, list) and stored else stored

"""The judge of `rebuild`. The hidden checks use it too, with other sizes."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor, nn

from camwidget.course.assignments.grad_cam.judges import STARTS, map_mistakes
from camwidget.course.assignments.networks import another_dls
from camwidget.course.assignments.traces import Before, judge_left
from camwidget.course.attempt import Attempt
from camwidget.course.compare import as_numbers

_STATISTICS = (0.3, 0.2)
"""Mean and standard deviation that the dls normalise with."""


_BEFORE_IN_PLACE = 1
"""Which part of the body stands in front of the ReLU that works in place."""


@dataclass(frozen=True)
class _Maps:
    """The right maps of one class, and what is needed to recognise wrong ones."""

    cam: Float[Tensor, "map_height map_width"]
    grad_cam: Float[Tensor, "layer_height layer_width"]
    activation: Float[Tensor, "layer_channel layer_height layer_width"]
    gradient: Float[Tensor, "layer_channel layer_height layer_width"]


def judge_both_maps(attempt: Attempt, *, widths: tuple[int, int]) -> None:
    """Judge a function (learn, picture, layer, target_class) -> CAM and signed Grad-CAM.

    Args:
        attempt: of this round.
        widths: least and greatest number of channels.
    """
    body, head, linear = _network(attempt, widths)
    height, width = attempt.sizes(2, low=9, high=20)
    picture = (attempt.tensor(height, width, 3).mul(60) + 120).clamp(0, 255).byte()
    linear.weight.grad = torch.ones_like(linear.weight)
    model = nn.Sequential(body, head)
    target, training = attempt.size(0, linear.out_features - 1), bool(attempt.size(0, 1))
    # The layer in front of the one that works in place, and another.
    for mixed, place in enumerate((_BEFORE_IN_PLACE, attempt.size(0, len(body) - 1))):
        model.train(training)
        if mixed:
            body[0].training, head.training = not training, not training
        _judge_at(attempt, model, body, head, place, picture, target)


def _judge_at(
    attempt: Attempt,
    model: nn.Sequential,
    body: nn.Sequential,
    head: nn.Sequential,
    place: int,
    picture: UInt8[Tensor, "height width 3"],
    target: int,
) -> None:
    """Judge the maps at one layer of the body; body and head are the model's two parts."""
    body_twin, head_twin = copy.deepcopy((body, head))  # whatever an answer does to the model, our maps are of these
    right = _maps(body_twin, head_twin, place, _prepared(picture), target)

    @cache
    def mistakes() -> dict[str, dict[str, Tensor]]:
        return _mistakes(attempt, body_twin, head_twin, place, picture, target, right)

    grads, before = _grads(model), Before(model, {})
    mean, std = _STATISTICS
    dls = another_dls(("dog", "cat"), mean=(mean, mean, mean), std=(std, std, std))
    learn = SimpleNamespace(model=model, dls=dls)
    called = f"both_maps(learn, picture, learn.model[0][{place}], {target})"
    photograph = Image.fromarray(picture.numpy())
    got = attempt.call(attempt.answer, learn, photograph, body[place], target, called=called)
    pair = tuple(got) if isinstance(got, tuple | list) else ()
    expected = f"two maps, of shapes {tuple(right.cam.shape)} and {tuple(right.grad_cam.shape)}"
    numbers = [as_numbers(each) for each in pair]
    shapes = [None if each is None else tuple(each.shape) for each in numbers]
    wanted = [tuple(right.cam.shape), tuple(right.grad_cam.shape)]
    likely = "return a pair: the CAM first, then the Grad-CAM"
    if len(shapes) == 2 and None not in shapes:
        likely = "each map has the rows and columns of its layer: no batch, no channels, no stretching"
    attempt.fact("form", shapes == wanted, expected=expected, got=_told(got, shapes), likely=likely, stop=True)
    attempt.values("cam", pair[0], right.cam, mistakes=lambda: mistakes()["cam"])
    attempt.values("grad_cam", pair[1], right.grad_cam, mistakes=lambda: mistakes()["grad_cam"])
    held = [name for name, each in zip(("CAM", "Grad-CAM"), pair, strict=True) if getattr(each, "requires_grad", False)]
    likely = "detach() lets go of the graph, which holds on to every layer's numbers"
    attempt.fact(
        "detached", not held, expected="plain numbers", got=f"requires_grad in the {' and '.join(held)}", likely=likely
    )
    still_there = "a hook was not removed: with, or remove() in finally"
    judge_left(attempt, before, "removed", still_there=still_there, only_hooks=True)
    _judge_traces(attempt, before, grads)


def _judge_traces(attempt: Attempt, before: Before, grads: list[Tensor | None]) -> None:
    model = before.model
    modes = [module.training for module in model.modules()] == before.training
    same = all(_equal(before, each.grad) for before, each in zip(grads, model.parameters(), strict=True))
    likely = (
        "backward() adds to .grad, and zero_grad() throws away what others had there: torch.autograd.grad does neither"
    )
    if not modes:
        likely = (
            f"the model came in {'training' if all(before.training) else 'evaluation'} mode: give it back as it came"
        )
        if len(set(before.training)) > 1:
            likely = "some modules came in training mode and others not: keep the mode of each, and give it back"
    got = "another mode" if not modes else "another .grad"
    attempt.fact("left", modes and same, expected="the same modes, the same .grad", got=got, likely=likely)
    if modes and same:
        judge_left(attempt, before, "left", still_there="a hook is left")


def _network(attempt: Attempt, widths: tuple[int, int]) -> tuple[nn.Sequential, nn.Sequential, nn.Linear]:
    """Draw a body, a head for plain CAM, and the head's linear layer, with an in-place ReLU, batch norm and dropout."""
    attempt.seed_torch()
    narrow, wide, classes = attempt.sizes(3, low=widths[0], high=widths[1])
    norm, linear = nn.BatchNorm2d(narrow), nn.Linear(wide, classes)
    norm.register_buffer("running_mean", attempt.tensor(narrow) * 0.3)
    norm.register_buffer("running_var", attempt.tensor(narrow).square() + 0.5)
    first, second = nn.Conv2d(3, narrow, 3, stride=2, padding=1), nn.Conv2d(narrow, wide, 3, padding=1)
    body = nn.Sequential(first, norm, nn.ReLU(inplace=True), second)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), linear)
    return body, head, linear


def _prepared(
    picture: UInt8[Tensor, "height width 3"], *, mean: float = _STATISTICS[0], std: float = _STATISTICS[1]
) -> Tensor:
    """What the dls make of the picture, worked out without fastai."""
    batch: Tensor = (picture.permute(2, 0, 1)[None].float() / 255 - mean) / std
    return batch


def _maps(
    body: nn.Sequential,
    head: nn.Sequential,
    place: int,
    inputs: Tensor,
    target: int,
    *,
    training: bool = False,
    start: Callable[[Tensor, int], Tensor] = lambda output, target: output[0, target],
) -> _Maps:
    """Both maps by cutting the body in two: no hook, and nothing of the model is changed."""
    model = nn.Sequential(body, head).train(training)
    statistics = [each.clone() for each in model.buffers()]
    before, after = body[: place + 1], body[place + 1 :]
    with torch.no_grad():
        activation = before(inputs).clone()
    activation.requires_grad_()
    end = after(activation.clone())
    (gradient,) = torch.autograd.grad(start(head(end), target), activation)
    weight = gradient.mean((2, 3), keepdim=True)
    for each, kept in zip(model.buffers(), statistics, strict=True):
        each.data.copy_(kept)
    activation = activation.detach()
    cam = torch.einsum("k,kij->ij", _linear(head).weight[target].detach(), end[0].detach())
    return _Maps(cam, (weight * activation).sum(1)[0], activation[0], gradient[0])


def _linear(head: nn.Sequential) -> nn.Linear:
    last = head[-1]
    assert isinstance(last, nn.Linear)
    return last


def _mistakes(
    attempt: Attempt,
    body: nn.Sequential,
    head: nn.Sequential,
    place: int,
    picture: UInt8[Tensor, "height width 3"],
    target: int,
    right: _Maps,
) -> dict[str, dict[str, Tensor]]:
    """For each fact: what the learner should read, and the map that this mistake gives."""
    linear = _linear(head)
    classes = linear.out_features
    inputs = _prepared(picture)
    raw = _maps(body, head, place, _prepared(picture, mean=0.0, std=1.0), target)
    with torch.random.fork_rng(devices=[]):
        attempt.seed_torch()
        trained = _maps(body, head, place, inputs, target, training=True)
    every = [_maps(body, head, place, inputs, each) for each in range(classes)]
    others = {f"this is class {each}, not {target}": every[each] for each in range(classes) if each != target}
    shared = others | {
        "the picture was not prepared by the dls: test_dl does it as in training": raw,
        "the model ran in training mode: batch norm and dropout then do something else": trained,
    }
    cam = {says: maps.cam for says, maps in shared.items()} | {
        "this is CAM divided by the number of cells, which is Grad-CAM at this layer": right.cam / right.cam.numel(),
        "the bias was added to every cell": right.cam + linear.bias[target].detach(),
        "the classes were added up: take the weights of one": sum((each.cam for each in every), torch.zeros(())),
    }
    grad_cam = {says: maps.grad_cam for says, maps in shared.items()} | {
        "this is gradient times activation at each cell: average the gradient first": (
            right.gradient * right.activation
        ).sum(0),
        "the gradients were added up, not averaged": right.grad_cam * right.grad_cam.numel(),
    }
    grad_cam |= {says: _maps(body, head, place, inputs, target, start=start).grad_cam for says, start in STARTS.items()}
    known = map_mistakes(right.activation, right.gradient)
    grad_cam |= {says: wrong for says, wrong in known.items() if says.startswith("you ")}
    if place < len(body) - 1:
        says = "this is Grad-CAM at the end of the body: `layer` is another one"
        grad_cam[says] = _maps(body, head, len(body) - 1, inputs, target).grad_cam
    if right.cam.shape == right.grad_cam.shape and place < len(body) - 1:
        cam["the two maps have changed places"] = right.grad_cam
        grad_cam["the two maps have changed places"] = right.cam
    if place == _BEFORE_IN_PLACE:
        overwritten = _maps(body, head, place + 1, inputs, target).grad_cam
        grad_cam["the layer behind works in place and wrote over what you kept: hand a copy on"] = overwritten
    return {"cam": cam, "grad_cam": grad_cam}


def _grads(model: nn.Module) -> list[Tensor | None]:
    return [None if each.grad is None else each.grad.clone() for each in model.parameters()]


def _equal(one: Tensor | None, other: Tensor | None) -> bool:
    return one is other if one is None or other is None else torch.equal(one, other)


def _told(got: Any, shapes: list[tuple[int, ...] | None]) -> Any:
    """The shapes that came, in words; what came, where it is not a pair of numbers."""
    return got if len(shapes) != 2 or None in shapes else f"shapes {shapes[0]} and {shapes[1]}"

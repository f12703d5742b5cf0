"""Judges for the answers of `grad_cam` about tensors. The hidden checks use them too, with other sizes."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from camwidget.course.assignments.awkward import awkward_sizes
from camwidget.course.assignments.traces import judge_given
from camwidget.course.attempt import Attempt
from camwidget.course.compare import numbers_agree
from camwidget.course.reading import why_none
from camwidget.errors import a_kind

STARTS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "these are the gradients of all classes together: let only one class count": lambda output, _: output.sum(),
    "this is the gradient of the mean of all logits: let only one class count": lambda output, _: output.mean(),
    "this is the gradient of the largest logit: start from the class that is asked for": lambda output, _: output.max(),
    "the probability was differentiated, not the logit: leave softmax out": lambda output, c: output.softmax(1)[0, c],
    "the logarithm of the probability was differentiated, not the logit": lambda output, c: output.log_softmax(1)[0, c],
    "this is the gradient of a loss: start from the logit itself": lambda output, c: functional.cross_entropy(
        output, torch.tensor([c])
    ),
    "this is the gradient of the logit's square": lambda output, c: output[0, c] ** 2,
    "this is the gradient of the logit's magnitude": lambda output, c: output[0, c].abs(),
    "all other classes count, and the one that is asked for does not": lambda output, c: output.sum() - output[0, c],
    "the other classes are subtracted: only the one that is asked for counts": lambda output, c: (
        2 * output[0, c] - output.sum()
    ),
    "the weight of the class is its number, not 1": lambda output, c: c * output[0, c],
    "every logit is weighed by the number of the class": lambda output, c: c * output.sum(),
}
"""What learners start the backward pass from, in place of one logit: what they should read, to the number."""


def judge_three_ways(attempt: Attempt, *, classes: tuple[int, int]) -> None:
    """Judge three functions that get the gradient of one class: by index, by weights, by autograd.grad.

    Each is judged by itself.

    Args:
        attempt: of this round.
        classes: least and greatest number of classes that the output has.
    """
    by_index, by_weights, by_autograd = (*attempt.answers, None, None)[:3]
    for number in range(3):
        count = attempt.size(*classes)
        target = (attempt.size(1, count - 2), 0, count - 1)[number]
        alike = number == 1
        with attempt.part("index"):
            _judge_backward(attempt, "index", by_index, "by_index(output, target_class)", count, target, alike=alike)
        with attempt.part("weights"):
            called = "by_weights(output, target_class)"
            _judge_backward(attempt, "weights", by_weights, called, count, target, alike=alike)
        with attempt.part("autograd", "clean"):
            _judge_autograd(attempt, by_autograd, count, target, alike=alike)


def _judge_backward(
    attempt: Attempt, key: str, function: Any, called: str, classes: int, target: int, *, alike: bool
) -> None:
    """Judge a function that runs backward and returns nothing."""
    head, leaf = _head(attempt, classes, alike=alike)
    right = _slope(head, leaf, lambda output: output[0, target])
    got = attempt.call(function, head(leaf * 1), target, called=called, allow_none=True)
    if leaf.grad is None:
        likely = "no gradient arrived: call backward()"
        if isinstance(got, Tensor):
            likely = "it returns something, and backward() has not run: call backward(), and return nothing"
        attempt.fact(key, False, expected=right, got="no gradient", likely=likely, stop=True)
    attempt.values(key, leaf.grad, right, mistakes=partial(_other_starts, head, leaf, target), stop=True)
    likely = "it returns something: backward() leaves the gradient in .grad, so there is nothing to return"
    attempt.fact(key, got is None, expected="nothing returned", got=got, likely=likely)


def _judge_autograd(attempt: Attempt, function: Any, classes: int, target: int, *, alike: bool) -> None:
    """Judge the function that returns the gradient; parameters have no .grad before, or one that has to stay."""
    for kept in (False, True):
        head, leaf = _head(attempt, classes, alike=alike)
        right = _slope(head, leaf, lambda output: output[0, target])
        for parameter in head.parameters():
            parameter.grad = torch.ones_like(parameter) if kept else None
        activation = leaf * 1
        called = "by_autograd(output, target_class, activation)"
        meanings = {"not have been used in the graph": "ask for the gradient of the activation that is handed in"}
        output = head(activation)
        got = attempt.call(function, output, target, activation, called=called, meanings=meanings, allow_none=True)
        grads = [parameter.grad for parameter in head.parameters()]
        likely = "backward() fills the .grad of every parameter; torch.autograd.grad leaves them alone"
        if kept:
            clean = all(grad is not None and bool((grad == 1).all()) for grad in grads)
            wanted, came = "every .grad as it was", "another .grad"
        else:
            clean = all(grad is None for grad in grads)
            wanted, came = "no parameter has a .grad", "parameters have a .grad"
        attempt.fact("clean", clean, expected=wanted, got=came, likely=likely)
        if got is None:
            likely = why_none(function) if clean else "backward() returns nothing: use torch.autograd.grad, which does"
            attempt.fact("autograd", False, expected=right, got="None", likely=likely, stop=True)
        if isinstance(got, tuple | list):
            likely = f"autograd.grad returns a tuple, and so do you ({a_kind(got)}): take its first element"
            attempt.fact("autograd", False, expected=right, got=got, likely=likely, stop=True)
        shapes = {
            (1, classes): "this is the gradient of the output: give activation to autograd.grad as its second argument",
            tuple(right.shape[1:]): "the batch axis is missing: return the gradient as it comes",
            tuple(right.shape[:2]): "the positions are missing: return the gradient as it comes, without a mean",
        }
        attempt.shape("autograd", got, tuple(right.shape), mistakes=shapes)
        attempt.values("autograd", got, right, mistakes=partial(_other_starts, head, leaf, target))


def _head(attempt: Attempt, classes: int, *, alike: bool) -> tuple[nn.Sequential, Tensor]:
    """A head with a bend in it, so that classes differ in more than a factor, and a leaf for its activation."""
    attempt.seed_torch()
    channel, height, width = attempt.sizes(3)
    if alike:
        channel = height = width = classes
    layers = nn.Linear(channel, 6), nn.Tanh(), nn.Linear(6, classes)
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), *layers), attempt.tensor(
        1, channel, height, width
    ).requires_grad_()


def _slope(head: nn.Module, leaf: Tensor, start: Callable[[Tensor], Tensor]) -> Tensor:
    activation = leaf.detach().clone().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(start(head(activation)), activation)[0].double()


def other_starts(classes: int, target: int) -> dict[str, Callable[[Tensor, int], Tensor]]:
    """Return `STARTS`, and each of the other classes.

    Args:
        classes: how many there are.
        target: the one that is asked for.
    """
    others = {
        f"this is the gradient of class {other}: start from class {target}, which is asked for": (
            lambda output, _, other=other: output[0, other]
        )
        for other in range(classes)
        if other != target
    }
    return {**STARTS, **others}


def _started(start: Callable[[Tensor, int], Tensor], target: int, output: Tensor) -> Tensor:
    return start(output, target)


def _other_starts(head: nn.Sequential, leaf: Tensor, target: int) -> dict[str, Tensor]:
    classes = head(leaf.detach()).shape[1]
    wrong = {
        message: _slope(head, leaf, partial(_started, start, target))
        for message, start in other_starts(classes, target).items()
    }
    right, logit = _slope(head, leaf, lambda output: output[0, target]), head(leaf.detach())[0, target].item()
    wrong["the sign is turned around: the class counts 1, not -1"] = -right
    wrong["the class was weighed with its own logit: it counts 1"] = logit * right
    return {message: value for message, value in wrong.items() if not numbers_agree(value, torch.zeros_like(value))}


def judge_map(attempt: Attempt, *, high: int) -> None:
    """Judge a function (activation, gradient) -> signed Grad-CAM map.

    Args:
        attempt: of this round.
        high: the greatest length of an axis.
    """
    for sizes in awkward_sizes(attempt, ("channel", "height", "width"), high=high):
        channel, height, width = sizes.values()
        activation = attempt.tensor(channel, height, width)
        gradient = attempt.tensor(channel, height, width) + attempt.tensor(channel, 1, 1)
        before = {"activation": activation.clone(), "gradient": gradient.clone()}
        called = f"grad_cam_map(activation, gradient), both of shape {tuple(activation.shape)}"
        got = attempt.call(attempt.answer, activation, gradient, called=called)
        shapes = {
            (channel, height, width): "there is one map per channel: add the channels up",
            (channel,): "these are the channels' weights: multiply, then add up",
            (1, height, width): "the channels' axis is left over, with length 1: sum over it without keepdim",
            (width, height): "height and width have changed places",
            (): "one number for all: add up over the channels only",
            (channel, 1, 1): "these are the channels' weights: multiply, then add up",
        }
        attempt.shape("shape", got, (height, width), mistakes=shapes)
        one, two = before["activation"].double(), before["gradient"].double()
        right = (two.mean((1, 2), keepdim=True) * one).sum(0)
        attempt.values("values", got, right, mistakes=partial(map_mistakes, one, two), axes=("row", "column"))
        judge_given(attempt, "kept", {"activation": activation, "gradient": gradient}, before)


def map_mistakes(one: Tensor, two: Tensor) -> dict[str, Tensor]:
    """Return the wrong maps that learners make of an activation and a gradient: what they should read, to the map.

    Args:
        one: the activation, channel, height, width.
        two: the gradient.
    """
    weight = two.mean((1, 2), keepdim=True)
    right, (channel, height, width) = (weight * one).sum(0), one.shape
    known = {
        "gradient times activation place by place: that is HiResCAM, the gradient was not averaged": (one * two).sum(0),
        "the mean of gradient times activation, place by place: average the gradient first": (one * two).mean(0),
        "the gradients were added up, not averaged": right * height * width,
        "the largest gradient of each channel was taken, not the mean": (two.amax((1, 2), keepdim=True) * one).sum(0),
        "the absolute gradient was averaged: its sign counts": (two.abs().mean((1, 2), keepdim=True) * one).sum(0),
        "ReLU was applied to the gradient before it was averaged": (two.relu().mean((1, 2), keepdim=True) * one).sum(0),
        "ReLU was applied to the activation: what is below zero counts as well": (weight * one.relu()).sum(0),
        "the absolute activation was weighed": (weight * one.abs()).sum(0),
        "the activation was averaged instead of the gradient": (one.mean((1, 2), keepdim=True) * two).sum(0),
        "both were averaged, so every position has the same value": (weight * one.mean((1, 2), keepdim=True))
        .sum(0)
        .expand(height, width),
        "the mean over channels was taken: add them up": right / channel,
        "the largest channel was taken: add them up": (weight * one).amax(0),
        "only the first channel is used: add all of them up": (weight * one)[0],
        "the last channel is missing": (weight * one)[:-1].sum(0),
        "the first channel is missing": (weight * one)[1:].sum(0),
        "you applied ReLU to the channels' weights": (weight.relu() * one).sum(0),
        "you took the absolute value of the channels' weights: evidence against turned into evidence for": (
            weight.abs() * one
        ).sum(0),
        "the weights went through a softmax: they are mean gradients, as they are": (weight.softmax(0) * one).sum(0),
        "the weights were divided by their sum or norm": (weight / weight.norm() * one).sum(0),
        "the gradient was averaged over the channels: average over the positions": (two.mean(0) * one).sum(0),
        "the gradient was averaged over channels and rows: average over the positions": (two.mean((0, 1)) * one).sum(0),
        "the weights were divided by the sum of their magnitudes: leave them as they are": right / weight.abs().sum(),
        "the gradient was averaged over all axes: each channel has its own weight": (two.mean() * one).sum(0),
        "only the gradient is used: where is the activation?": two.mean(0),
        "only the gradient is used, and added up: where is the activation?": two.sum(0),
        "only the activation is used: where is the gradient?": one.sum(0),
        "only the activation is used, and averaged: where is the gradient?": one.mean(0),
        "the gradient was averaged over the rows only": (two.mean(1, keepdim=True) * one).sum(0),
        "the gradient was averaged over the columns only": (two.mean(2, keepdim=True) * one).sum(0),
    }
    if channel == width:
        known["the weights met the width, not the channels: keepdim is missing"] = (two.mean((1, 2)) * one).sum(0)
    if channel == height:
        known["the weights met the height, not the channels: one axis is missing"] = (
            two.mean((1, 2))[:, None] * one
        ).sum(0)
    if height == width:
        known["height and width have changed places"] = right.T
    return known


def judge_as_cam(attempt: Attempt, *, high: int) -> None:
    """Judge a function (Grad-CAM map of a pooled linear head's layer) -> CAM.

    Args:
        attempt: of this round.
        high: greatest length of an axis.
    """
    for sizes in awkward_sizes(attempt, ("height", "width"), high=high, ones=("height", "width")):
        height, width = sizes.values()
        channel, classes = attempt.size(3, 9), attempt.size(2, 5)
        target = attempt.size(0, classes - 1)
        activation, weight = attempt.tensor(channel, height, width).double(), attempt.tensor(classes, channel).double()
        activation.requires_grad_()
        logit = weight[target] @ activation.mean((1, 2))
        (gradient,) = torch.autograd.grad(logit, activation)
        activation = activation.detach()
        if height * width > 1:
            activation[:, 0, 0] = 0  # a cell without evidence is a position like every other
        grad_cam_map = (gradient.mean((1, 2), keepdim=True) * activation).sum(0).float()
        right = torch.einsum("k,kij->ij", weight[target], activation)
        before = {"grad_cam_map": grad_cam_map.clone()}
        called = f"as_cam(grad_cam_map) with shape {tuple(grad_cam_map.shape)}"
        got = attempt.call(attempt.answer, grad_cam_map, called=called)
        shapes: dict[Any, str] = {
            (): "one number: the map keeps its two axes, only its values change",
            (width, height): "height and width have changed places",
        }
        attempt.shape("shape", got, (height, width), mistakes=shapes)
        first = before["grad_cam_map"].double()
        mistakes = {
            "divided where it should be multiplied": first / (height * width),
            "multiplied by the number of cells that are not zero: all of them count": first * first.count_nonzero(),
            "multiplied by the height only": first * height,
            "multiplied by the width only": first * width,
            "multiplied by height plus width: how many positions are there?": first * (height + width),
            "multiplied by 49: that is right for 7 by 7 cells only": first * 49,
            "multiplied by 1280, the channels of our network: it is the number of positions that counts": first * 1280,
            "multiplied by the height twice: a map need not be square": first * height**2,
            "multiplied by the width twice: a map need not be square": first * width**2,
            "multiplied twice by the number of positions": right * height * width,
            "the number of positions was added, not multiplied": first + height * width,
            "this is still Grad-CAM": first,
            "this is a softmax of the map: only one factor is missing": first.flatten().softmax(0).view_as(first),
            "the map was scaled, by its own largest value: the factor is the number of positions": first / first.max(),
            "the map was scaled to 0 ... 1: only one factor is missing": (first - first.min())
            / (first.max() - first.min() + 1e-12),
            "ReLU was applied, and the factor is missing": first.relu(),
        }
        attempt.values("values", got, right, mistakes=mistakes)
        judge_given(attempt, "values", {"grad_cam_map": grad_cam_map}, before)

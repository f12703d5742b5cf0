"""Judges for the answers of `grad_cam` about tensors. The hidden checks use them too, with other sizes."""

import torch
from torch import Tensor, nn

from camwidget.course.attempt import Attempt


def judge_three_ways(attempt: Attempt, *, classes: tuple[int, int]) -> None:
    """Judge three functions that get the gradient of one class: by index, by weights, by autograd.grad.

    Args:
        attempt: of this round.
        classes: least and greatest number of classes that the output has.
    """
    count = attempt.size(*classes)
    by_index, by_weights, by_autograd = (*attempt.answers, None, None)[:3]
    for key, function, called in (
        ("index", by_index, "by_index(output, target_class)"),
        ("weights", by_weights, "by_weights(output, target_class)"),
    ):
        head, linear, activation, target = _head(attempt, count)
        right = _slope(linear, activation, target)
        attempt.call(function, head(activation), target, called=called, allow_none=True)
        got = activation.grad
        together = torch.stack([_slope(linear, activation, target_class) for target_class in range(count)]).sum(0)
        likely = "no gradient arrived: call backward()"
        wrong = {
            "these are the gradients of all classes together: let only one class count": together,
            "this is another class's gradient": _slope(linear, activation, (target + 1) % count),
        }
        if got is None:
            attempt.fact(key, False, expected=right, got="no gradient", likely=likely)
        else:
            attempt.values(key, got, right, mistakes=wrong)
    head, linear, activation, target = _head(attempt, count)
    right = _slope(linear, activation, target)
    got = attempt.call(
        by_autograd, head(activation), target, activation, called="by_autograd(output, target_class, activation)"
    )
    if isinstance(got, tuple):
        attempt.fact(
            "autograd", False, expected=right, got=got, likely="autograd.grad returns a tuple: take its first element"
        )
    else:
        attempt.values("autograd", got, right)
    filled = any(parameter.grad is not None for parameter in head.parameters())
    likely = "backward() fills the .grad of every parameter; torch.autograd.grad leaves them alone"
    attempt.fact("clean", not filled, expected="no parameter has a .grad", got="parameters have a .grad", likely=likely)


def judge_map(attempt: Attempt, *, channels: tuple[int, int]) -> None:
    """Judge a function (activation, gradient) -> signed Grad-CAM map.

    Args:
        attempt: of this round.
        channels: least and greatest number.
    """
    height, width = attempt.sizes(2)
    channel = attempt.size(*channels)
    activation, gradient = attempt.tensor(channel, height, width), attempt.tensor(channel, height, width)
    before = activation.clone(), gradient.clone()
    called = f"grad_cam_map(activation, gradient), both of shape {tuple(activation.shape)}"
    got = attempt.call(attempt.answer, activation, gradient, called=called)
    shapes = {
        (channel, height, width): "there is one map per channel: add the channels up",
        (channel,): "these are the channels' weights: multiply, then add up",
        (width, height): "height and width have changed places",
    }
    attempt.shape("shape", got, (height, width), mistakes=shapes)
    one, two = before[0].double(), before[1].double()
    weight = two.mean((1, 2), keepdim=True)
    right = (weight * one).sum(0)
    mistakes = {
        "gradient times activation place by place: that is HiResCAM, the gradient was not averaged": (one * two).sum(0),
        "the gradients were added up, not averaged": right * height * width,
        "the activation was averaged instead of the gradient": (one.mean((1, 2), keepdim=True) * two).sum(0),
        "the mean over channels was taken: add them up": right / channel,
        "you applied ReLU to the channels' weights": (weight.relu() * one).sum(0),
        "only the gradient is used: where is the activation?": two.mean(0),
        "only the activation is used: where is the gradient?": one.sum(0),
    }
    attempt.values("values", got, right, mistakes=mistakes)
    same = torch.equal(activation, before[0]) and torch.equal(gradient, before[1])
    attempt.fact(
        "kept", same, expected="the numbers given", got="changed numbers", likely="an operation in place, such as *="
    )


def judge_as_cam(attempt: Attempt, *, low: int, high: int) -> None:
    """Judge a function (Grad-CAM map of a pooled linear head's layer) -> CAM.

    Args:
        attempt: of this round.
        low: least height and width.
        high: greatest.
    """
    height, width = attempt.sizes(2, low=low, high=high)
    channel, classes = attempt.size(3, 9), attempt.size(2, 5)
    target = attempt.size(0, classes - 1)
    activation, weight = attempt.tensor(channel, height, width).double(), attempt.tensor(classes, channel).double()
    activation.requires_grad_()
    logit = weight[target] @ activation.mean((1, 2))
    (gradient,) = torch.autograd.grad(logit, activation)
    activation = activation.detach()
    grad_cam_map = (gradient.mean((1, 2), keepdim=True) * activation).sum(0).float()
    right = torch.einsum("k,kij->ij", weight[target], activation)
    got = attempt.call(
        attempt.answer, grad_cam_map, called=f"as_cam(grad_cam_map) with shape {tuple(grad_cam_map.shape)}"
    )
    attempt.shape("shape", got, (height, width))
    mistakes = {
        "divided where it should be multiplied": grad_cam_map / (height * width),
        "multiplied by the height only": grad_cam_map * height,
        "multiplied by the width only": grad_cam_map * width,
        "multiplied by 49: that is right for 7 by 7 cells only": grad_cam_map * 49,
        "this is still Grad-CAM": grad_cam_map,
    }
    attempt.values("values", got, right, mistakes=mistakes)


def _head(attempt: Attempt, classes: int) -> tuple[nn.Sequential, nn.Linear, Tensor, int]:
    attempt.seed_torch()
    channel, height, width = attempt.sizes(3)
    linear = nn.Linear(channel, classes)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear)
    return head, linear, attempt.tensor(1, channel, height, width).requires_grad_(), attempt.size(0, classes - 1)


def _slope(linear: nn.Linear, activation: Tensor, target: int) -> Tensor:
    """The gradient of one class, by hand: its weights, spread over the positions."""
    return (linear.weight[target][None, :, None, None] / activation[0, 0].numel()).expand_as(activation).detach()

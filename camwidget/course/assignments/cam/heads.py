"""The judge for a network's head, from which plain CAM is exact."""

from typing import Any

import torch
from torch import Tensor, nn

from camwidget.course.attempt import Attempt


def judge_cam_head(attempt: Attempt, *, strength: float) -> None:
    """Judge a function (channels, classes) -> head.

    Args:
        attempt: of this round.
        strength: how many times as large as usual the activations are.
    """
    channels = attempt.size(3, 6)
    # No side is as long as there are channels: there a missing mean would raise nothing.
    for channel, classes, height, width in (
        attempt.sizes(4, low=3, high=12),
        [channels, channels, *attempt.sizes(2, low=7, high=11)],
    ):
        attempt.seed_torch()
        head = attempt.call(attempt.answer, channel, classes, called=f"cam_head({channel}, {classes})")
        likely = "return the head, an nn.Sequential for example"
        if isinstance(head, type):
            likely = "this is the class: return an object of it"
        is_module = isinstance(head, nn.Module)
        attempt.fact("shape", is_module, expected="a torch.nn.Module", got=head, likely=likely, stop=True)
        _judge_shapes(attempt, head.eval(), channel, classes, (height, width))
        _judge_straight(attempt, head, [strength * attempt.tensor(2, channel, height, width) for _ in range(2)])


def _run(head: nn.Module, activation: Tensor) -> Any:
    with torch.no_grad():
        return head(activation.clone())


_HEAD_MEANINGS = {
    "cannot be multiplied": "the linear layer is not given as many numbers as there are channels: pool to one cell, flatten, "
    "then nn.Linear(channels, classes)",
    "Output size is too small": "the pooling has a window of a fixed size: nn.AdaptiveAvgPool2d(1) makes one cell of any map",
}


def _judge_shapes(attempt: Attempt, head: nn.Module, channel: int, classes: int, size: tuple[int, int]) -> None:
    """State that activations of any size become one logit per class."""
    height, width = size
    sizes = ((height, width), (width, height + 1), (channel, channel), (1, 1), (7, 7))
    for pictures, shape in [*((2, shape) for shape in sizes), (1, size), (channel, size)]:
        given = (pictures, channel, *shape)
        called = f"head(activation) with shape {given}"
        got = attempt.call(_run, head, attempt.tensor(*given), called=called, meanings=_HEAD_MEANINGS)
        shapes = {
            (pictures, classes, 1, 1): "the positions are left over: flatten",
            (pictures, classes, *shape): "the positions are still there: pool them",
            (classes,): "the batch axis is gone: nothing may be squeezed away",
            (pictures, 2): "there are two logits: are two classes written into the function?",
        }
        attempt.shape("shape", got, (pictures, classes), mistakes=shapes)


def _judge_straight(attempt: Attempt, head: nn.Module, activations: list[Tensor]) -> None:
    """State that the logits are a weighted sum of the channels' means, plus a bias, and the same every time.

    Twice the activation is twice as far from the bias, sums add up, and neither the place nor the number of positions
    matters: the mean of a larger map with the same mean is the same.
    """
    first, second = activations
    zero = _run(head, torch.zeros_like(first))
    mean = first.mean((2, 3), keepdim=True)
    larger = mean.expand(-1, -1, first.shape[2] + 3, first.shape[3] + 2)
    straight = _run(head, first)
    same = torch.equal(straight, _run(head, first))
    likely = (
        "is dropout at work in evaluation mode, or a layer made anew in each run? Make layers once, in __init__, and use "
        "nn.Dropout, not F.dropout"
    )
    attempt.fact("mode", same, expected="twice the same", got="two answers", likely=likely)
    if not same:
        likely = "the same activation gives other logits each time"
        attempt.fact("linear", False, expected="a straight line in the means", got="chance", likely=likely, stop=True)
    room = float(straight.abs().max() + zero.abs().max()) * 1e-4 + 1e-5
    bend = "something bends it: a ReLU, a softmax, a largest value, or a layer with an activation in between"
    lines = {
        bend: (_run(head, -1.5 * first) - zero, -1.5 * (straight - zero)),
        "it matters where something is: a place counts more than another": (straight, _run(head, first.flip(2, 3))),
        "single large values count more than by their part in the mean": (_run(head, _with_peak(first)), straight),
        "sums do not add up: max pooling, or something that bends": (
            _run(head, first + second) - zero,
            straight + _run(head, second) - 2 * zero,
        ),
        "this is the sum over the positions, not their mean: a larger map gives larger logits": (
            _run(head, larger),
            _run(head, mean.expand_as(first)),
        ),
        "there is more than the mean of each channel": (straight, _run(head, mean.expand_as(first))),
        "the pictures of a batch influence each other": (straight[:1], _run(head, first[:1])),
    }
    likely = next((message for message, pair in lines.items() if float((pair[0] - pair[1]).abs().max()) > room), "")
    if float((straight - _run(head, _lowered(first))).abs().max()) <= room:
        likely = "the largest value is taken, not the mean: average pooling, not max pooling"
    if float((straight - _run(head, second)).abs().max()) <= room:
        likely = "the logits do not depend on the activation"
    attempt.fact("linear", not likely, expected="a straight line in the means", got="something else", likely=likely)


def _lowered(activation: Tensor) -> Tensor:
    """The same largest values, and everything else lower."""
    largest = activation.amax((2, 3), keepdim=True)
    return torch.where(activation == largest, activation, activation - 1 - largest.abs())


def _with_peak(activation: Tensor) -> Tensor:
    """The same means, with other largest values."""
    changed = activation.clone()
    step = 3 * activation.abs().max()
    changed[..., 0, 0] += step
    changed[..., -1, -1] -= step
    return changed

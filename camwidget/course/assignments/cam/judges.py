"""Judges for the answers of `cam`. The hidden checks use them too, with other sizes."""

from typing import Any

import torch
from torch import Tensor, nn

from camwidget.course.assignments.networks import feeds_pooling, small_network
from camwidget.course.attempt import Attempt


def judge_find_layer(attempt: Attempt, *, deep: bool) -> None:
    """Judge a function (model, inputs) -> name of the last layer with a map.

    Args:
        attempt: of this round.
        deep: whether the network's layers are nested and run in another order than they are named.
    """
    model, inputs = small_network(attempt, nested=deep)
    wanted, others = feeds_pooling(model, inputs)
    model.train()
    hooks_before = sum(len(module._forward_hooks) for module in model.modules())
    remembered = [buffer.clone() for buffer in model.buffers()]
    got = attempt.call(attempt.answer, model, inputs, called="cam_layer(model, inputs), with a network of ours")
    names = [name for name, _ in model.named_modules() if name]
    likely = "return the dotted name as named_modules() gives it, not the module"
    attempt.fact(
        "name",
        got in names if isinstance(got, str) else False,
        expected=f"a str such as {names[0]!r}",
        got=got,
        likely=likely,
        stop=True,
    )
    reason = "that layer's output has no positions left: it comes after pooling"
    if got in others:
        reason = "that layer has a map, but later layers have one too: CAM uses the last"
    attempt.fact("layer", got in wanted, expected=" or ".join(map(repr, wanted)), got=got, likely=reason)
    same_mode = all(module.training for module in model.modules())
    hooks = sum(len(module._forward_hooks) for module in model.modules())
    same_buffers = all(torch.equal(one, other) for one, other in zip(remembered, model.buffers(), strict=True))
    likely = "a hook is still there: remove it"
    if hooks == hooks_before:
        likely = "batch norm learned from the picture: run the network in evaluation mode"
    if not same_mode:
        likely = "it was in training mode before: give that back with model.train()"
    left = f"{hooks} hooks, {'training' if same_mode else 'evaluation'} mode, batch norm {'' if same_buffers else 'not '}as before"
    kept = same_mode and same_buffers and hooks == hooks_before
    attempt.fact("kept", kept, expected="no hook, training mode, batch norm as before", got=left, likely=likely)


def judge_scores(attempt: Attempt, *, batch: bool, channels: tuple[int, int] = (2, 9)) -> None:
    """Judge a function (activation, weight) -> maps, for one picture or for a batch.

    Args:
        attempt: of this round.
        batch: whether a batch axis comes first.
        channels: least and greatest number of channels.
    """
    pictures, classes, height, width = attempt.sizes(4)
    channel = attempt.size(*channels)
    front = (pictures,) if batch else ()
    activation, weight = attempt.tensor(*front, channel, height, width), attempt.tensor(classes, channel)
    before = activation.clone(), weight.clone()
    name = "batch_scores" if batch else "class_scores"
    called = f"{name}(activation, weight) with shapes {tuple(activation.shape)} and {tuple(weight.shape)}"
    got = attempt.call(attempt.answer, activation, weight, called=called)
    wanted = (*front, classes, height, width)
    pooled = "the positions are gone: this is the pooled score, not a map"
    shapes = {
        (*front, classes): pooled,
        (*front, channel, height, width): "there is one map per channel: sum over channels, keep classes",
        (*front, height, width): "the classes are gone: keep one map for each",
        (classes, *front, height, width): "the first two axes have changed places: pictures come first",
        (*front, classes, width, height): "height and width have changed places",
    }
    attempt.shape("shape", got, wanted, mistakes=shapes)
    right = class_maps(*before)
    flipped = class_maps(before[0], before[1].abs())
    mistakes = {
        "you used the absolute weight: evidence against turned into evidence for": flipped,
        "this is the mean over channels: CAM adds them up": right / channel,
        "one channel is missing": class_maps(before[0][..., 1:, :, :], before[1][:, 1:]),
        "one channel is missing at the end": class_maps(before[0][..., :-1, :, :], before[1][:, :-1]),
        "these are probabilities over the classes, not scores": right.softmax(dim=-3),
        "every position has the same score: the activation was averaged first": right.mean(
            (-2, -1), keepdim=True
        ).expand_as(right),
        "all classes have the first one's map": right[..., :1, :, :].expand_as(right),
        "all pictures have the first one's map": right[:1].expand_as(right),
    }
    attempt.values(
        "values",
        got,
        right,
        mistakes={message: wrong for message, wrong in mistakes.items() if not torch.equal(wrong, right)},
    )
    same = torch.equal(activation, before[0]) and torch.equal(weight, before[1])
    attempt.fact(
        "kept",
        same,
        expected="the numbers given",
        got="changed numbers",
        likely="an operation in place, such as mul_ or +=",
    )


def class_maps(activation: Tensor, weight: Tensor) -> Tensor:
    """Return the maps in float64, by definition: for each class the channels, weighted and added up.

    Args:
        activation: (..., channel, map_height, map_width).
        weight: (class, channel).
    """
    activation, weight = activation.double(), weight.double()
    return torch.stack([(row[:, None, None] * activation).sum(dim=-3) for row in weight], dim=-3)


def judge_logits(attempt: Attempt, *, low: int, high: int) -> None:
    """Judge a function (maps, bias) -> logits.

    Args:
        attempt: of this round.
        low: least size of a map.
        high: greatest size of a map.
    """
    channel, height, width = attempt.sizes(3, low=low, high=high)
    classes = attempt.size(2, 5)
    linear = nn.Linear(channel, classes)
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear).double()
    activation, weight, bias = (
        attempt.tensor(1, channel, height, width),
        attempt.tensor(classes, channel),
        attempt.tensor(classes),
    )
    with torch.no_grad():
        linear.weight.copy_(weight)
        linear.bias.copy_(bias)
        right = network(activation.double())[0]
    maps = class_maps(activation[0], weight).float()
    called = f"logits_from_maps(maps, bias) with shapes {tuple(maps.shape)} and {tuple(bias.shape)}"
    got = attempt.call(attempt.answer, maps, bias, called=called)
    shapes = {
        (): "one number for all classes: average over the positions only",
        (classes, 1, 1): "the axes of length 1 are left over: no keepdim here",
        (classes, height, width): "the positions are still there: average over them",
    }
    attempt.shape("shape", got, (classes,), mistakes=shapes)
    pooled = right - bias
    mistakes = {
        "the bias is missing": pooled,
        "this is the sum over positions: the network takes their mean": pooled * height * width + bias,
        "the bias was subtracted": pooled - bias,
        "the largest value was taken: the network averages": maps.amax((1, 2)) + bias,
        "the bias was divided by the number of positions as well": pooled + bias / (height * width),
    }
    attempt.values("values", got, right, mistakes=mistakes)
    half = maps[:, : max(height // 2, 1)]
    got = attempt.call(
        attempt.answer, half, bias, called=f"logits_from_maps(maps, bias) with maps of shape {tuple(half.shape)}"
    )
    attempt.values(
        "sizes",
        got,
        half.double().mean((1, 2)) + bias,
        mistakes={
            "the size of the map is written into the function": half.double().sum((1, 2)) / (height * width) + bias
        },
    )


def judge_cam_head(attempt: Attempt, *, strength: float) -> None:
    """Judge a function (channels, classes) -> head.

    Args:
        attempt: of this round.
        strength: how many times as large as usual the activations are.
    """
    channel, classes, height, width = attempt.sizes(4, low=3, high=12)
    attempt.seed_torch()
    head = attempt.call(attempt.answer, channel, classes, called=f"cam_head({channel}, {classes})")
    if not isinstance(head, nn.Module):
        attempt.fact(
            "shape",
            False,
            expected="a torch.nn.Module",
            got=head,
            likely="return the head, an nn.Sequential for example",
            stop=True,
        )
    head = head.eval().double()

    def run(activation: Tensor) -> Any:
        with torch.no_grad():
            return head(activation)

    for shape in ((height, width), (width, height + 1)):
        got = attempt.call(
            run,
            attempt.tensor(2, channel, *shape).double(),
            called=f"head(activation) with shape {(2, channel, *shape)}",
        )
        shapes = {
            (2, classes, 1, 1): "the positions are left over: flatten",
            (2, classes, *shape): "the positions are still there: pool them",
        }
        attempt.shape("shape", got, (2, classes), mistakes=shapes)
    first, second = (strength * attempt.tensor(1, channel, height, width).double() for _ in range(2))
    zero = run(torch.zeros_like(first))
    # A weighted sum of the means plus a bias: twice the activation is twice as far from the bias, sums add up, and
    # where in the picture something is does not matter.
    lines = {
        "something bends it: a ReLU or a second layer with an activation in between": (
            run(-1.5 * first) - zero,
            -1.5 * (run(first) - zero),
        ),
        "sums do not add up: max pooling, or something that bends": (
            run(first + second) - zero,
            run(first) + run(second) - 2 * zero,
        ),
        "it matters where something is: there is more than the mean": (
            run(first),
            run(first.mean((2, 3), keepdim=True).expand_as(first)),
        ),
    }
    likely = next(
        (message for message, (one, other) in lines.items() if not torch.allclose(one, other, rtol=1e-9, atol=1e-9)), ""
    )
    attempt.fact("linear", not likely, expected="a straight line in the means", got="something else", likely=likely)
    likely = "dropout at work although in evaluation mode? use nn.Dropout, not F.dropout"
    attempt.fact(
        "mode", torch.equal(run(first), run(first)), expected="twice the same", got="two answers", likely=likely
    )

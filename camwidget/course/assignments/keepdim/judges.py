"""Judges for the answers of `keepdim`. The hidden checks use those that take a size, at other sizes."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.course.assignments.awkward import awkward_sizes
from camwidget.course.assignments.traces import judge_given
from camwidget.course.attempt import Attempt
from camwidget.course.compare import as_numbers
from camwidget.course.reading import functions_of, return_lines


def judge_broadcast(attempt: Attempt, *, high: int) -> None:
    """Judge a function (shape, shape) -> the broadcast shape, or None.

    Args:
        attempt: of this round.
        high: the greatest length.
    """
    a, b, c, d, e = attempt.sizes(5, high=high)
    ones = [((a, 1, c), (1, b, c)), ((1, b, 1), (a, b, c)), ((a,), (a,)), ((1, b, 1, d), (a, 1, c, 1)), ((1,), (1,))]
    ones += [((1, 1, 1), (a, b, c)), ((a, b, c), (1, 1, 1)), ((a, a), (a, a)), ((1, a), (a, 1)), ((a, 1), (1, a))]
    missing = [((c,), (a, b, c)), ((a, b, c), (b, 1)), ((), (a, b)), ((a, b, c), ()), ((e,), (a, b, c, d, e))]
    missing += [((d, 1), (a, b, c, d, e)), ((), ()), ((1,), (a, b)), ((a, b), (1,)), ((b,), (a, 1)), ((a, 1), (b,))]
    misfit = [((a,), (a, b, c)), ((a, b, c), (a, b)), ((a, b), (b, a)), ((a, b, c, d), (e, b, c, d))]
    misfit += [
        ((a, b, c), (a, d, c)),
        ((a, b, 1), (c, d, e, 1)),
        ((a,), (b,)),
        ((2, 3), (4, 6)),
        ((2,), (4,)),
        ((3, 2), (3,)),
    ]
    for key, cases in (("ones", ones), ("missing", missing), ("misfit", misfit)):
        broadcast_cases(attempt, [(key, *pair) for pair in cases])


def judge_silent(attempt: Attempt, *, high: int) -> None:
    """Judge a function (channels, height) -> activation, gradient for which a dropped keepdim raises nothing.

    Args:
        attempt: of this round.
        high: the greatest length.
    """
    channels, height = attempt.sizes(2, high=high)
    for size in ((channels, height), (height, channels), (channels, channels), (channels, 1), (2, 5)):
        silent_case(attempt, *size)


def judge_unsqueeze(attempt: Attempt, *, high: int) -> None:
    """Judge a function (weights, activation) -> map.

    Args:
        attempt: of this round.
        high: the greatest length.
    """
    axes = ("channel", "height", "width")
    for sizes in awkward_sizes(attempt, axes, high=high, ones=axes):
        lengths = tuple(sizes.values())
        weighted_map(attempt, "equal" if len(set(lengths)) < 3 else "values", lengths)


def judge_einsum(attempt: Attempt, *, high: int) -> None:
    """Judge a function (activation, gradient) -> one map per picture.

    Args:
        attempt: of this round.
        high: the greatest length.
    """
    axes = ("picture", "channel", "height", "width")
    for sizes in awkward_sizes(attempt, axes, high=high, ones=("picture", "channel")):
        batch_map(attempt, tuple(sizes.values()))


def broadcast_cases(attempt: Attempt, cases: Sequence[tuple[str, tuple[int, ...], tuple[int, ...]]]) -> None:
    """State for pairs of shapes whether the answer agrees with PyTorch.

    Args:
        attempt: of this round.
        cases: the fact's key and two shapes.
    """
    for key, first, second in cases:
        called = f"broadcast_shape({first}, {second})"
        try:
            expected = tuple(torch.broadcast_shapes(first, second))
        except RuntimeError:
            expected = None
        got = attempt.call(attempt.answer, first, second, called=called, allow_none=True)
        numbers = None if got is None else as_numbers(got)
        shape: object = got
        if numbers is not None and numbers.ndim == 1:
            shape = tuple(numbers.int().tolist())
        likely = _why_broadcast(shape, first, second, expected, key, attempt.answer)
        attempt.fact(key, shape == expected, expected=repr(expected), got=repr(got), likely=likely)


def _why_broadcast(
    shape: object, first: tuple[int, ...], second: tuple[int, ...], expected: object, key: str, answer: Any
) -> str:
    """What a wrong shape suggests."""
    if shape is None and not any(return_lines(function) for function in functions_of(answer)):
        return "nothing is returned at all: is there a return at the end? print() only shows"
    if expected is None:
        if shape is False:
            return "two lengths that differ, neither of them 1, do not fit: return None, not False"
        return "two lengths that differ, neither of them 1, do not fit: return None"
    if shape is None and key == "missing":
        return "these fit: were they compared from the left? The shorter one gets ones in front"
    if shape is None:
        return "these fit: equal lengths do, and so does 1 with anything"
    if not isinstance(shape, tuple):
        return "return the shape as a tuple, or None"
    assert isinstance(expected, tuple)
    if shape == expected[::-1] and len(set(expected)) > 1:
        return "this is back to front: turn it around at the end"
    if shape == expected[len(expected) - len(shape) :]:
        return "the axes that only one shape has are missing: ones go in front of the shorter, and they let any length pass"
    if sorted(shape) == sorted(expected):
        return "the lengths are right and in another order"
    if len(shape) == len(expected) and any(got == 1 != right for got, right in zip(shape, expected, strict=True)):
        return "a 1 was not stretched: it takes the other's length"
    if shape == first + second:
        return "the shapes were put behind each other: let the axes meet"
    return "compare the shapes from the last axis backwards, and let 1 stretch"


def right_map(weights: Float[Tensor, " channel"], activation: Float[Tensor, "channel height width"]) -> Tensor:
    """Each channel times its weight, added up, in float64: height, width."""
    return torch.einsum("c,chw->hw", weights.double(), activation.double())


def silent_case(attempt: Attempt, channels: int, height: int) -> None:
    """State whether the answer's activation and gradient are a silent case.

    Args:
        attempt: of this round.
        channels: how many channels both should have.
        height: how many rows.
    """
    got = attempt.call(attempt.answer, channels, height, called=f"silent_case({channels}, {height})")
    pair = list(got) if isinstance(got, list | tuple) else []
    fits = len(pair) == 2 and all(isinstance(tensor, Tensor) and tensor.ndim == 3 for tensor in pair)
    if not fits or pair[0].shape != pair[1].shape or pair[0].shape[:2] != (channels, height):
        likely = "return activation, gradient: both with the channels and the height that the function is given"
        if fits and pair[0].shape != pair[1].shape:
            likely = "activation and gradient have one shape: " + likely
        elif len(pair) == 2 and all(isinstance(tensor, Tensor) and tensor.ndim == 4 for tensor in pair):
            likely = "there is no batch axis here: " + likely
        elif fits and pair[0].shape[:2] == (height, channels):
            likely = "the channels come first, then the height: " + likely
        elif len(pair) == 3:
            likely = "these are three: " + likely
        shapes = [tuple(part.shape) if isinstance(part, Tensor) else part for part in pair] if pair else got
        wanted = f"two tensors of one shape ({channels}, {height}, width)"
        attempt.fact("pair", False, expected=wanted, got=repr(shapes), likely=likely, stop=True)
    floating = all(tensor.is_floating_point() for tensor in pair)
    likely = "mean() of whole numbers raises: make floats, with torch.randn or .float()"
    attempt.fact("silent", floating, expected="floats", got=str(pair[1].dtype), likely=likely, stop=True)
    activation, gradient = (tensor.detach().double() for tensor in pair)
    finite = bool(torch.isfinite(activation).all() and torch.isfinite(gradient).all()) and activation.numel() > 0
    attempt.fact("pair", finite, expected="finite numbers", likely="there are NaN or infinite values", stop=True)
    weights, width = gradient.mean(dim=[1, 2]), activation.shape[2]
    likely = f"{channels} weights meet a width of {width}: they fit if the two are equal"
    attempt.fact("silent", width in (1, channels), got=f"width {width}", likely=likely, stop=True)
    dropped, right = (weights * activation).sum(0), right_map(weights, activation)
    stretched = "a width of 1 is stretched: the map gets as wide as there are channels"
    attempt.fact(
        "same", dropped.shape == right.shape, expected=tuple(right.shape), got=tuple(dropped.shape), likely=stretched
    )
    differ = dropped.shape != right.shape or not torch.allclose(dropped, right, rtol=1e-3, atol=1e-6)
    likely = "where all weights are equal it does not matter which meets which" if _all_equal(weights) else ""
    attempt.fact("wrong", differ, got="the same map", likely=likely or "give the channels different numbers")


def _all_equal(weights: Float[Tensor, " channel"]) -> bool:
    return bool((weights - weights[0]).abs().max() <= 1e-6)


def weighted_map(attempt: Attempt, key: str, shape: tuple[int, ...]) -> None:
    """State whether the answer weighs the channels of an activation of this shape.

    Args:
        attempt: of this round.
        key: of the fact about the values.
        shape: channel, height, width.
    """
    channels, height, width = shape
    weights, activation = attempt.tensor(channels), attempt.tensor(*shape)
    before = {"weights": weights.clone(), "activation": activation.clone()}
    called = f"weighted_map(weights, activation) with shapes {(channels,)} and {tuple(shape)}"
    got = attempt.call(attempt.answer, weights, activation, called=called)
    shapes = {
        (channels,): "one number per channel: add up over the channels, not over the positions",
        (channels, height, width): "an axis is left over: add the channels up",
        (1, height, width): "an axis of length 1 is left over: sum(0) without keepdim",
        (channels, height): "the channels are still there: add up over axis 0, not over the width",
        (channels, width): "the channels are still there: add up over axis 0, not over the height",
        (): "one number for all: add up over the channels only",
    }
    attempt.shape("shape", got, (height, width), mistakes=shapes)
    one, two = before["weights"].double(), before["activation"].double()

    def mistakes() -> dict[str, Tensor]:
        product = one[:, None, None] * two
        known = {
            "the weights were not used: multiply each channel first": two.sum(0),
            "this is a mean in place of a sum over the channels": product.mean(0),
            "this is the largest channel, not the sum over the channels": product.amax(0),
            "the absolute weights were used: their sign counts": (one.abs()[:, None, None] * two).sum(0),
            "ReLU was applied to the weights: their sign counts": (one.relu()[:, None, None] * two).sum(0),
            "the weights were added, not multiplied": (one[:, None, None] + two).sum(0),
            "each weight was divided by: multiply": (two / one[:, None, None]).sum(0),
            "all channels got the first weight": (one[0] * two).sum(0),
            "all channels got the mean of the weights": (one.mean() * two).sum(0),
            "the weights are in reverse order": (one.flip(0)[:, None, None] * two).sum(0),
            "the first channel is missing": product[1:].sum(0),
            "the last channel is missing": product[:-1].sum(0),
            "only the first channel is used": product[0],
            "the weights were divided by their sum": product.sum(0) / one.sum(),
        }
        if channels in (width, 1) or width == 1:
            known["the weights met the width, not the channels"] = _if_shape((one * two).sum(0), (height, width))
        if channels in (height, 1) or height == 1:
            known["the weights met the height, not the channels"] = _if_shape(
                (one[:, None] * two).sum(0), (height, width)
            )
        if channels == height:
            known["added up over the height, not over the channels"] = product.sum(1)
        if channels == height == width:
            known["added up over the width, not over the channels"] = product.sum(2)
        if height == width:
            known["height and width have changed places"] = product.sum(0).T
        return known

    attempt.values(key, got, right_map(before["weights"], before["activation"]), mistakes=mistakes, stop=True)
    judge_given(attempt, "kept", {"weights": weights, "activation": activation}, before)


def _if_shape(values: Tensor, shape: tuple[int, int]) -> Tensor:
    """These values where they have the shape of a map; what no answer gives otherwise."""
    return values if values.shape == shape else torch.full(shape, torch.nan)


def batch_map(attempt: Attempt, shape: tuple[int, ...]) -> None:
    """State whether the answer is Grad-CAM, before its last ReLU, for a batch of this shape.

    Args:
        attempt: of this round.
        shape: batch, channel, height, width.
    """
    activation, gradient = attempt.tensor(*shape), attempt.tensor(*shape) + attempt.tensor(*shape[:2], 1, 1)
    before = {"activation": activation.clone(), "gradient": gradient.clone()}
    called = f"batch_map(activation, gradient), both {tuple(shape)}"
    got = attempt.call(attempt.answer, activation, gradient, called=called)
    act, grad = before["activation"].double(), before["gradient"].double()
    pictures, channels, height, width = shape
    shapes = {
        tuple(shape): "an axis is left over: add the channels up",
        (height, width): "an axis is missing: there is one map per picture, keep the batch axis",
        (pictures, 1, height, width): "the channels' axis is left over, with length 1: sum over it without keepdim",
        (pictures, channels): "these are the weights: multiply them with the activation, and add the channels up",
        (channels, height, width): "the batch is gone: add up over the channels, which are axis 1",
    }
    attempt.shape("shape", got, (pictures, height, width), mistakes=shapes)
    weights = grad.mean(dim=(2, 3))
    right = torch.einsum("bc,bchw->bhw", weights, act)
    attempt.values("values", got, right, mistakes=lambda: _batch_mistakes(act, grad, right), axes=("picture", "row"))
    judge_given(attempt, "kept", {"activation": activation, "gradient": gradient}, before)


def _batch_mistakes(act: Tensor, grad: Tensor, right: Tensor) -> dict[str, Tensor]:
    weights = grad.mean(dim=(2, 3))

    def weighed(by: Tensor, what: Tensor = act) -> Tensor:
        return torch.einsum("bc,bchw->bhw", by, what)

    known = {
        "every picture got the first one's weights": weighed(weights[:1].expand_as(weights)),
        "all pictures have the first one's map": right[:1].expand_as(right),
        "every picture was weighed by the next one's weights": weighed(weights.roll(-1, 0)),
        "the pictures are in reverse order": right.flip(0),
        "the weights were averaged over the batch as well": weighed(weights.mean(0).expand_as(weights)),
        "the average goes over channels and rows: axis 0 is the batch, so height and width are axes 2 and 3": (
            grad.mean((1, 2), keepdim=True) * act
        ).sum(1),
        "divided by the height twice: a map need not be square": weighed(grad.sum((2, 3))) / act.shape[2] ** 2,
        "divided by the width twice: a map need not be square": weighed(grad.sum((2, 3))) / act.shape[3] ** 2,
        "the weights were added up over the batch": weighed(weights.sum(0).expand_as(weights)),
        "gradient and activation were multiplied place by place: average the gradient first": (act * grad).sum(1),
        "the activation was averaged, not the gradient": weighed(act.mean(dim=(2, 3)), grad),
        "the sum over the positions was not divided by their number": weighed(grad.sum(dim=(2, 3))),
        "the largest gradient was taken, not the mean": weighed(grad.amax((2, 3))),
        "the absolute gradient was averaged: its sign counts": weighed(grad.abs().mean((2, 3))),
        "ReLU was applied to the weights: their sign counts": weighed(weights.relu()),
        "the absolute weights were used: their sign counts": weighed(weights.abs()),
        "the weights went through a softmax: they are mean gradients, as they are": weighed(weights.softmax(1)),
        "multiplied place by place, and divided by the number of positions: average the gradient first": (
            act * grad
        ).sum(1)
        / act[0, 0].numel(),
        "ReLU was applied to the activation": weighed(weights, act.relu()),
        "this is a mean over the channels: add them up": right / act.shape[1],
        "this is the largest channel: add them up": (weights[..., None, None] * act).amax(1),
        "only the gradient is used: where is the activation?": grad.mean(1),
        "only the activation is used: where is the gradient?": act.sum(1),
        "both were averaged, so every position has the same value": (weights * act.mean((2, 3)))
        .sum(1)[:, None, None]
        .expand_as(right),
        "divided by the height only": weighed(grad.sum((2, 3))) / act.shape[2],
        "divided by the width only": weighed(grad.sum((2, 3))) / act.shape[3],
        "divided by the number of channels, not of positions": weighed(grad.sum((2, 3))) / act.shape[1],
        "divided by the number of all numbers, not of positions": weighed(grad.sum((2, 3))) / act.numel(),
        "49 is written into the function: divide by height times width": weighed(grad.sum((2, 3))) / 49,
    }
    if act.shape[2] == act.shape[3]:
        known["height and width have changed places"] = right.transpose(1, 2)
    if act.shape[0] == act.shape[1]:
        known["batch and channel have changed places in the weights"] = weighed(weights.T)
    return known

"""Judges for the answers of `keepdim`. The hidden checks use those that take a size, at other sizes."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.course.attempt import Attempt

_WIDE = range(313, 321)
"""Picture widths in pixels whose map is 40 wide after three halvings, each rounded up."""

_SHAPES: tuple[tuple[str, object, dict[object, str]], ...] = (
    ("weights", (4, 1, 1), {(4,): "keepdim=True keeps the averaged axes, each with length 1"}),
    ("product", (4, 2, 3), {(4, 1, 1): "a length of 1 is stretched to the other's length"}),
    ("map", (2, 3), {(4,): "sum(0) removes the first axis, and only that", (1, 2, 3): "sum(0) keeps no axis"}),
    ("dropped", (4,), {(4, 1, 1): "without keepdim the averaged axes are gone", (2, 3): "dim=[1, 2] goes, not stays"}),
    ("meets", "error", {(4, 2, 3): "shapes meet from the last axis backwards: 4 weights meet a width of 3"}),
)
"""Key of each fact, the right shape, and what frequent wrong shapes say."""


def judge_predicted(attempt: Attempt) -> None:
    """Judge five predicted shapes, written down without running anything."""
    predicted: Any = attempt.answer
    if not isinstance(predicted, list | tuple) or len(predicted) != len(_SHAPES):
        likely = "give all five, in the order of the exercise"
        attempt.fact("weights", False, expected="a list of five", got=predicted, likely=likely, stop=True)
    for (key, right, mistakes), entry in zip(_SHAPES, predicted, strict=True):
        shape = _as_shape(entry)
        likely = mistakes.get(shape, "write this step's two shapes under each other, flush right")
        attempt.fact(key, shape == right, got=repr(entry), likely=likely)


def _as_shape(entry: object) -> object:
    """A shape as a tuple, or the word in small letters; the answer's own repr if it is neither."""
    if isinstance(entry, str):
        return entry.strip().lower()
    if isinstance(entry, int) and not isinstance(entry, bool):
        return (entry,)
    whole = isinstance(entry, list | tuple) and all(isinstance(length, int) for length in entry)
    return tuple(entry) if whole and isinstance(entry, Sequence) else repr(entry)


def judge_wild(attempt: Attempt) -> None:
    """Judge the width of a picture whose map is as wide as the layer has channels."""
    width: Any = attempt.answer
    is_number = isinstance(width, int | float) and not isinstance(width, bool)
    mistakes = {40: "that is the width of the map; the question is about the picture"}
    mistakes |= {5: "the picture is larger than its map: multiply", 224: "at 224 pixels the map is 28 wide, not 40"}
    likely = "give one number"
    if is_number:
        likely = mistakes.get(width, "the map is 8 times smaller than the picture, and has to be 40 wide")
    attempt.fact("width", is_number and width in _WIDE, got=repr(width), likely=likely)


def judge_broadcast(attempt: Attempt) -> None:
    """Judge a function (shape, shape) -> the broadcast shape, or None."""
    a, b, c = attempt.sizes(3)
    broadcast_cases(attempt, [("ones", (a, 1, c), (1, b, c)), ("ones", (1, b, 1), (a, b, c)), ("ones", (a,), (a,))])
    broadcast_cases(attempt, [("missing", (c,), (a, b, c)), ("missing", (a, b, c), (b, 1))])
    broadcast_cases(attempt, [("misfit", (a,), (a, b, c)), ("misfit", (a, b, c), (a, b)), ("misfit", (a, b), (b, a))])


def judge_silent(attempt: Attempt) -> None:
    """Judge a function (channels, height) -> activation, gradient for which a dropped keepdim raises nothing."""
    channels, height = attempt.sizes(2)
    silent_case(attempt, channels, height)


def judge_unsqueeze(attempt: Attempt) -> None:
    """Judge a function (weights, activation) -> map."""
    channels, other, width = attempt.sizes(3)
    weighted_map(attempt, "equal", (channels, other, channels))
    weighted_map(attempt, "equal", (channels, channels, other))
    weighted_map(attempt, "values", (channels, other, width))


def judge_einsum(attempt: Attempt) -> None:
    """Judge a function (activation, gradient) -> one map per picture."""
    batch, channels, height, width = attempt.sizes(4)
    batch_map(attempt, (batch, channels, height, width))


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
        shape = tuple(got) if isinstance(got, list | tuple) else got
        likely = "compare the shapes from the last axis backwards, and let 1 stretch"
        if expected is None:
            likely = "two lengths that differ, neither of them 1, do not fit: return None"
        elif shape is None and key == "missing":
            likely = "were they compared from the left? The shorter one gets ones in front"
        elif shape is None:
            likely = "these fit: equal lengths do, and so does 1 with anything"
        attempt.fact(key, shape == expected, expected=repr(expected), got=repr(got), likely=likely)


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
        shapes = [tuple(part.shape) if isinstance(part, Tensor) else part for part in pair] if pair else got
        wanted = f"two tensors of one shape ({channels}, {height}, width)"
        likely = "return activation, gradient: both with the channels and the height that the function is given"
        attempt.fact("pair", False, expected=wanted, got=repr(shapes), likely=likely, stop=True)
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


def weighted_map(attempt: Attempt, key: str, shape: tuple[int, int, int]) -> None:
    """State whether the answer weighs the channels of an activation of this shape.

    Args:
        attempt: of this round.
        key: of the fact about the values.
        shape: channel, height, width.
    """
    channels, height, width = shape
    weights, activation = attempt.tensor(channels), attempt.tensor(*shape)
    called = f"weighted_map(weights, activation) with shapes {(channels,)} and {shape}"
    got = attempt.call(attempt.answer, weights.clone(), activation.clone(), called=called)
    attempt.shape("shape", got, (height, width))
    mistakes = {}
    if channels == width:
        mistakes["the weights met the width, not the channels"] = (weights * activation).sum(0)
    if channels == height:
        mistakes["the weights met the height, not the channels"] = (weights[:, None] * activation).sum(0)
    attempt.values(key, got, right_map(weights, activation), mistakes=mistakes, stop=True)


def batch_map(attempt: Attempt, shape: tuple[int, int, int, int]) -> None:
    """State whether the answer is Grad-CAM, before its last ReLU, for a batch of this shape.

    Args:
        attempt: of this round.
        shape: batch, channel, height, width.
    """
    activation, gradient = attempt.tensor(*shape), attempt.tensor(*shape) + attempt.tensor(*shape[:2], 1, 1)
    before = activation.clone(), gradient.clone()
    got = attempt.call(attempt.answer, activation, gradient, called=f"batch_map(activation, gradient), both {shape}")
    act, grad = (tensor.double() for tensor in before)
    attempt.shape("shape", got, (shape[0], *shape[2:]))
    weights = grad.mean(dim=(2, 3))
    mistakes = {
        "every picture got the first one's weights": torch.einsum("c,bchw->bhw", weights[0], act),
        "the weights were averaged over the batch as well": torch.einsum("c,bchw->bhw", weights.mean(0), act),
        "gradient and activation were multiplied place by place: average the gradient first": (act * grad).sum(1),
        "the activation was averaged, not the gradient": torch.einsum("bc,bchw->bhw", act.mean(dim=(2, 3)), grad),
        "the sum over the positions was not divided by their number": torch.einsum(
            "bc,bchw->bhw", grad.sum(dim=(2, 3)), act
        ),
    }
    attempt.values("values", got, torch.einsum("bc,bchw->bhw", weights, act), mistakes=mistakes)
    kept = torch.equal(activation, before[0]) and torch.equal(gradient, before[1])
    attempt.fact("kept", kept, got="one of them was changed", likely="an in-place operation such as *= or mul_")

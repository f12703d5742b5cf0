"""The items of `keepdim`: which axis meets which, and what happens where the wrong ones meet in silence."""

from collections.abc import Sequence
from typing import Any

from camwidget.course.assignments.keepdim.judges import batch_map, broadcast_cases, silent_case, weighted_map
from camwidget.course.attempt import Attempt
from camwidget.course.items import Items, Option, add_quiz

ITEMS = Items("keepdim")

WIDE = range(313, 321)
"""Picture widths in pixels whose map is 40 wide after three halvings that round up."""
_PREDICTED: tuple[tuple[str, object, dict[object, str]], ...] = (
    ("weights", (4, 1, 1), {(4,): "keepdim=True keeps the averaged axes, each with length 1"}),
    ("product", (4, 2, 3), {(4, 1, 1): "a length of 1 is stretched to the other's length"}),
    ("map", (2, 3), {(4,): "sum(0) removes the first axis, and only that", (1, 2, 3): "sum(0) keeps no axis"}),
    ("dropped", (4,), {(4, 1, 1): "without keepdim the averaged axes are gone", (2, 3): "dim=[1, 2] goes, not stays"}),
    ("meets", "error", {(4, 2, 3): "shapes meet from the last axis backwards: 4 weights meet a width of 3"}),
)


@ITEMS.item(
    "predict",
    "Five shapes, on paper",
    facts={
        "weights": ("the weights with keepdim", 1),
        "product": ("the product with keepdim", 1),
        "map": ("the map", 1),
        "dropped": ("the weights without keepdim", 1),
        "meets": ("the product without keepdim", 1),
    },
    minutes=5,
    hints=(
        "Write the three axes down as channel, height, width, and cross out those that `mean` averages over.",
        "`keepdim=True` writes a 1 where an axis was crossed out. For the product, write both shapes under each other, "
        "flush right, and compare them from the right.",
        "With `keepdim` the weights are 4×1×1, and each 1 is stretched. Without it there is one axis left, and it "
        "meets the width.",
    ),
    rounds=1,
)
def _predict(attempt: Attempt) -> None:
    given: Any = attempt.answer
    ready = isinstance(given, list | tuple) and len(given) == len(_PREDICTED)
    if not ready:
        likely = "give all five, in the order of the exercise"
        attempt.fact("weights", False, expected="a list of five", got=given, likely=likely, stop=True)
    for (key, expected, mistakes), entry in zip(_PREDICTED, given, strict=True):
        seen = _as_shape(entry)
        likely = mistakes.get(seen, "write this step's two shapes under each other, flush right")
        attempt.fact(key, seen == expected, got=repr(entry), likely=likely)


def _as_shape(entry: object) -> object:
    """A shape as a tuple, or the word in small letters; the answer's own repr where it is neither."""
    if isinstance(entry, str):
        return entry.strip().lower()
    if isinstance(entry, int) and not isinstance(entry, bool):
        return (entry,)
    whole = isinstance(entry, list | tuple) and all(isinstance(each, int) for each in entry)
    return tuple(entry) if whole and isinstance(entry, Sequence) else repr(entry)


add_quiz(
    ITEMS,
    "error",
    "What the network's last layer does without keepdim",
    {
        "a": Option("the same map", "The weights would have to meet the channels, but they meet the width."),
        "b": Option("a map of another shape", "1280 and 7 are different and neither is 1: nothing can be stretched."),
        "c": Option("an error", "1280 weights meet a width of 7, and neither of the two is 1.", right=True),
        "d": Option("a wrong map of the right shape", "That takes a width that the weights fit. Here it is 7."),
    },
    hints=(
        "Which axis of the activation do the weights meet first?",
        "Write (1280,) under (1280, 7, 7), flush right.",
        "1280 stands under 7. Two lengths fit if they are equal, or if one of them is 1.",
    ),
)


@ITEMS.item(
    "broadcast",
    "The rule of broadcasting, as a function",
    facts={
        "ones": ("a length of 1 is stretched, on either side", 1),
        "missing": ("missing axes are added on the left", 1),
        "misfit": ("shapes that do not fit give None", 1),
    },
    difficulty=2,
    minutes=10,
    hints=(
        "Start at the end of both shapes.",
        "Make both shapes equally long by putting ones in front of the shorter. Then go through them in pairs.",
        "In a pair, take the larger if the two are equal or one of them is 1; otherwise return None.",
    ),
)
def _broadcast(attempt: Attempt) -> None:
    a, b, c = attempt.sizes(3)
    broadcast_cases(attempt, [("ones", (a, 1, c), (1, b, c)), ("ones", (1, b, 1), (a, b, c)), ("ones", (a,), (a,))])
    broadcast_cases(attempt, [("missing", (c,), (a, b, c)), ("missing", (a, b, c), (b, 1))])
    broadcast_cases(attempt, [("misfit", (a,), (a, b, c)), ("misfit", (a, b, c), (a, b)), ("misfit", (a, b), (b, a))])


@ITEMS.item(
    "silent",
    "The silent case",
    facts={
        "pair": ("two tensors of one shape: the given channels and height, and your width", 1),
        "silent": ("nothing is raised when keepdim is dropped", 1),
        "same": ("the wrong map has the shape of the right one", 1),
        "wrong": ("its values are wrong", 1),
    },
    difficulty=3,
    minutes=12,
    hints=(
        "The weights meet the width. When do they fit?",
        "Choose the width so that it equals the length of the weights. A width of 1 fits as well, but look at the "
        "shape of the map.",
        "`activation = torch.randn(channels, height, channels)`, and a gradient of the same shape whose channels have "
        "different averages.",
    ),
)
def _silent(attempt: Attempt) -> None:
    channels, height = attempt.sizes(2)
    silent_case(attempt, channels, height)


add_quiz(
    ITEMS,
    "meets",
    "What weight 3 multiplies in the silent case",
    {
        "a": Option("channel 3, everywhere", "That is the right map. It takes weights of shape (channel, 1, 1)."),
        "b": Option("column 3 of every channel", "The weights lie along the last axis: the width.", right=True),
        "c": Option("row 3 of every channel", "Rows are the axis before the last; weights of (channel, 1) meet it."),
        "d": Option("position 3 of channel 3", "A single axis is repeated over all others, not matched with them."),
    },
    hints=(
        "Which axis of the activation do the weights lie along?",
        "Try weights that are all 0 except weight 3, and print the product.",
        "One axis alone is always the last one, and the last axis counts columns.",
    ),
)


@ITEMS.item(
    "unsqueeze",
    "Mend it without keepdim",
    facts={
        "shape": ("the map has one value per position", 1),
        "equal": ("it is right where channels and width, or channels and height, are equal", 2),
        "values": ("it is right for every other size", 1),
    },
    difficulty=2,
    minutes=8,
    hints=(
        "The weights need as many axes as the activation.",
        "Put axes of length 1 behind the channels: with `unsqueeze`, with `None` in an index, or with `reshape`.",
        "`weights[:, None, None]` has shape (channel, 1, 1). Multiply, then sum over axis 0.",
    ),
)
def _unsqueeze(attempt: Attempt) -> None:
    channels, other, width = attempt.sizes(3)
    for key, shape in [
        ("equal", (channels, other, channels)),
        ("equal", (channels, channels, other)),
        ("values", (channels, other, width)),
    ]:
        weighted_map(attempt, key, shape)


@ITEMS.item(
    "einsum",
    "Grad-CAM for a batch, with letters in place of shapes",
    facts={
        "shape": ("there is one map per picture", 1),
        "values": ("every picture is weighed by its own gradient", 2),
        "kept": ("activation and gradient are left as they were", 1),
    },
    difficulty=2,
    minutes=8,
    hints=(
        "Give every axis a letter: b for the batch, c for the channel, h and w for the position.",
        "First the weights: average the gradient over h and w; what is left is `bc`. Then join `bc` with `bchw`.",
        '`torch.einsum("bc,bchw->bhw", weights, activation)`, with the weights as `gradient.mean(dim=[2, 3])`.',
    ),
)
def _einsum(attempt: Attempt) -> None:
    batch, channels, height, width = attempt.sizes(4)
    batch_map(attempt, (batch, channels, height, width))


@ITEMS.item(
    "wild",
    "A picture for which nobody would notice",
    facts={"width": ("the map of such a picture is as wide as the layer has channels", 1)},
    difficulty=2,
    minutes=5,
    hints=(
        "How wide must the map be?",
        "The map is 8 times smaller than the picture.",
        "40 channels need a map 40 wide, so the picture is 8 times 40 wide.",
    ),
    rounds=1,
)
def _wild(attempt: Attempt) -> None:
    given: Any = attempt.answer
    number = isinstance(given, int | float) and not isinstance(given, bool)
    mistakes = {40: "that is the width of the map; the question is about the picture"}
    mistakes |= {5: "the picture is larger than its map: multiply", 224: "at 224 pixels the map is 28 wide, not 40"}
    likely = "the map is 8 times smaller than the picture, and has to be 40 wide" if number else "give one number"
    if number:
        likely = mistakes.get(given, likely)
    attempt.fact("width", number and given in WIDE, got=repr(given), likely=likely)

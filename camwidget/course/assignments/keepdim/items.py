"""The items of `keepdim`: which axis meets which, and what happens when the wrong ones meet silently."""

from functools import partial

from camwidget.course.assignments.keepdim.judges import (
    judge_broadcast,
    judge_einsum,
    judge_silent,
    judge_unsqueeze,
)
from camwidget.course.assignments.keepdim.predictions import judge_predicted, judge_wild
from camwidget.course.assignments.keepdim.quizzes import OPTIONS
from camwidget.course.items import Item, quiz

ITEMS = (
    Item(
        "keepdim.predict",
        "Five shapes, on paper",
        judge=judge_predicted,
        rounds=1,
        facts={
            "weights": ("the weights with keepdim", 1),
            "product": ("the product with keepdim", 1),
            "map": ("the map", 1),
            "dropped": ("the weights without keepdim", 1),
            "meets": ("the product without keepdim", 1),
        },
    ),
    quiz("keepdim.error", "What the network's last layer does without keepdim", OPTIONS["keepdim.error"]),
    Item(
        "keepdim.broadcast",
        "The rule of broadcasting, as a function",
        judge=partial(judge_broadcast, high=9),
        rounds=1,
        facts={
            "ones": ("a length of 1 is stretched, on either side", 1),
            "missing": ("missing axes are added on the left", 1),
            "misfit": ("shapes that do not fit give None", 1),
        },
    ),
    Item(
        "keepdim.silent",
        "The silent case",
        judge=partial(judge_silent, high=9),
        rounds=1,
        facts={
            "pair": ("two tensors of one shape: the given channels and height, and your width", 1),
            "silent": ("nothing is raised when keepdim is dropped", 1),
            "same": ("the wrong map has the shape of the right one", 1),
            "wrong": ("its values are wrong", 1),
        },
    ),
    quiz("keepdim.meets", "What weight 3 multiplies in the silent case", OPTIONS["keepdim.meets"]),
    Item(
        "keepdim.unsqueeze",
        "Mend it without keepdim",
        judge=partial(judge_unsqueeze, high=9),
        rounds=1,
        facts={
            "shape": ("the map has one value per position", 1),
            "equal": ("it is right where some of the three lengths are equal, or are 1", 2),
            "values": ("it is right for every other size", 1),
            "kept": ("weights and activation are left as they were", 1),
        },
    ),
    Item(
        "keepdim.einsum",
        "Grad-CAM for a batch, with letters in place of shapes",
        judge=partial(judge_einsum, high=9),
        rounds=1,
        facts={
            "shape": ("there is one map per picture", 1),
            "values": ("every picture is weighed by its own gradient", 2),
            "kept": ("activation and gradient are left as they were", 1),
        },
    ),
    Item(
        "keepdim.wild",
        "A picture for which nobody would notice",
        judge=judge_wild,
        rounds=1,
        facts={
            "width": ("the map of such a picture is as wide as the layer has channels", 1),
        },
    ),
)

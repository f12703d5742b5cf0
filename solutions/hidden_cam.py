"""The teacher's hidden checks of `cam`: other sizes, other networks, the same facts."""

from camwidget.course.assignments.cam.dls import judge_class_name, judge_picture_again
from camwidget.course.assignments.cam.judges import (
    class_maps,
    judge_cam_head,
    judge_find_layer,
    judge_logits,
    judge_scores,
)
from camwidget.course.attempt import Attempt
from camwidget.course.items import Items, items_of

VISIBLE = items_of("cam").found
ITEMS = Items("cam")

ITEMS.item("q2a", "Which layer", facts=VISIBLE["cam.q2a"].facts, rounds=1)(VISIBLE["cam.q2a"].judge)


@ITEMS.item(
    "q2b",
    "Find the layer",
    facts={
        "name": ("a name of one of the network's modules is returned", 1),
        "layer": ("it is the last layer with a map, also where layers run in another order than they are named", 2),
        "kept": ("the network is left as it was", 1),
    },
)
def find_layer(attempt: Attempt) -> None:
    """Nested networks whose head comes first among the names."""
    judge_find_layer(attempt, deep=True)


@ITEMS.item(
    "q7a",
    "Scores",
    facts={
        "shape": ("one map per class, for other sizes too", 1),
        "values": ("the values are right for many channels", 1),
        "line": ("twice the weight gives twice the map", 1),
        "kept": ("weight and activation are left as they were", 1),
    },
)
def scores(attempt: Attempt) -> None:
    """Many channels, and a property instead of numbers."""
    judge_scores(attempt, batch=False, channels=(40, 60))
    channel, classes, height, width = attempt.sizes(4)
    activation, weight = attempt.tensor(channel, height, width), attempt.tensor(classes, channel)
    got = attempt.call(attempt.answer, activation, -2 * weight, shown="class_scores(activation, -2 * weight)")
    attempt.values("line", got, -2 * class_maps(activation, weight))


@ITEMS.item(
    "q7b",
    "Scores of a batch",
    facts={
        "shape": ("one map per picture and class, for other sizes too", 1),
        "values": ("the values are right for many channels", 1),
        "one": ("a batch of one works like any other", 1),
        "kept": ("weight and activations are left as they were", 1),
    },
)
def batch_scores(attempt: Attempt) -> None:
    """Many channels, and a batch of one."""
    judge_scores(attempt, batch=True, channels=(40, 60))
    channel, classes, height, width = attempt.sizes(4)
    activation, weight = attempt.tensor(1, channel, height, width), attempt.tensor(classes, channel)
    got = attempt.call(attempt.answer, activation, weight, shown="batch_scores(activation, weight) with one picture")
    attempt.values("one", got, class_maps(activation, weight))


@ITEMS.item("q8", "Name of a class", facts=VISIBLE["cam.q8"].facts)
def class_name(attempt: Attempt) -> None:
    """The index is what argmax returns."""
    judge_class_name(attempt, tensor_index=True)


@ITEMS.item("q9", "Decode", facts=VISIBLE["cam.q9"].facts)
def picture_again(attempt: Attempt) -> None:
    """Another deviation."""
    judge_picture_again(attempt, spread=0.2)


@ITEMS.item("mean_plus_bias", "From the map to the logit", facts=VISIBLE["cam.mean_plus_bias"].facts)
def logits_from_maps(attempt: Attempt) -> None:
    """Larger maps."""
    judge_logits(attempt, low=10, high=19)


ITEMS.item("two_layers", "Two layers", facts=VISIBLE["cam.two_layers"].facts, rounds=1)(VISIBLE["cam.two_layers"].judge)


@ITEMS.item("cam_head", "A head for CAM", facts=VISIBLE["cam.cam_head"].facts)
def cam_head(attempt: Attempt) -> None:
    """Activations thirty times as large."""
    judge_cam_head(attempt, strength=30.0)

"""The teacher's hidden checks of `cam`: other sizes, other networks, and a few facts of their own."""

from dataclasses import replace
from functools import partial

from camwidget.course.assignments.cam.dls import judge_class_name, judge_picture_again
from camwidget.course.assignments.cam.judges import (
    class_maps,
    judge_cam_head,
    judge_find_layer,
    judge_logits,
    judge_scores,
)
from camwidget.course.attempt import Attempt
from camwidget.course.items import Item, items_of

VISIBLE = items_of("cam")


def judge_many_channels(attempt: Attempt) -> None:
    """Many channels, and a property in place of numbers."""
    judge_scores(attempt, batch=False, channels=(40, 60))
    channel, classes, height, width = attempt.sizes(4)
    activation, weight = attempt.tensor(channel, height, width), attempt.tensor(classes, channel)
    got = attempt.call(attempt.answer, activation, -2 * weight, called="class_scores(activation, -2 * weight)")
    attempt.values("line", got, -2 * class_maps(activation, weight))


def judge_batch_of_one(attempt: Attempt) -> None:
    """Many channels, and a batch of one."""
    judge_scores(attempt, batch=True, channels=(40, 60))
    channel, classes, height, width = attempt.sizes(4)
    activation, weight = attempt.tensor(1, channel, height, width), attempt.tensor(classes, channel)
    got = attempt.call(attempt.answer, activation, weight, called="batch_scores(activation, weight) with one picture")
    attempt.values("one", got, class_maps(activation, weight))


ITEMS = (
    replace(VISIBLE["cam.q2a"], title="Which layer"),
    Item(
        "cam.q2b",
        "Find the layer",
        judge=partial(judge_find_layer, deep=True),
        facts={
            "name": ("a name of one of the network's modules is returned", 1),
            "layer": ("it is the last layer with a map, also where layers run in another order than they are named", 2),
            "kept": ("the network is left as it was", 1),
        },
    ),
    Item(
        "cam.q7a",
        "Scores",
        judge=judge_many_channels,
        facts={
            "shape": ("one map per class, for other sizes too", 1),
            "values": ("the values are right for many channels", 1),
            "line": ("twice the weight gives twice the map", 1),
            "kept": ("weight and activation are left as they were", 1),
        },
    ),
    Item(
        "cam.q7b",
        "Scores of a batch",
        judge=judge_batch_of_one,
        facts={
            "shape": ("one map per picture and class, for other sizes too", 1),
            "values": ("the values are right for many channels", 1),
            "one": ("a batch of one works like any other", 1),
            "kept": ("weight and activations are left as they were", 1),
        },
    ),
    # The index is what argmax returns.
    replace(VISIBLE["cam.q8"], title="Name of a class", judge=partial(judge_class_name, tensor_index=True)),
    # Another deviation.
    replace(VISIBLE["cam.q9"], title="Decode", judge=partial(judge_picture_again, spread=0.2)),
    # Larger maps.
    replace(
        VISIBLE["cam.mean_plus_bias"], title="From the map to the logit", judge=partial(judge_logits, low=10, high=19)
    ),
    replace(VISIBLE["cam.two_layers"], title="Two layers"),
    # Activations thirty times as large.
    replace(VISIBLE["cam.cam_head"], title="A head for CAM", judge=partial(judge_cam_head, strength=30.0)),
)

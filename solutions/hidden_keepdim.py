"""The teacher's hidden checks of `keepdim`: other sizes and properties, the same points. Never released."""

from dataclasses import replace

import torch

from camwidget.course.assignments.keepdim.judges import batch_map, broadcast_cases, silent_case, weighted_map
from camwidget.course.attempt import Attempt
from camwidget.course.items import Item, items_of

VISIBLE = items_of("keepdim")


def judge_broadcast(attempt: Attempt) -> None:
    """Up to five axes, some of length 1, and shapes without an axis."""
    a, b, c, d, e = attempt.sizes(5, high=12)
    broadcast_cases(
        attempt, [("ones", (1, b, 1, d), (a, 1, c, 1)), ("ones", (1,), (1,)), ("ones", (1, 1, 1), (a, b, c))]
    )
    broadcast_cases(attempt, [("missing", (), (a, b)), ("missing", (e,), (a, b, c, d, e)), ("missing", (a, b, c), ())])
    broadcast_cases(attempt, [("missing", (d, 1), (a, b, c, d, e)), ("misfit", (a, b, c, d), (e, b, c, d))])
    broadcast_cases(attempt, [("misfit", (a, b, c), (a, d, c)), ("misfit", (a, b, 1), (c, d, e, 1))])


def judge_silent(attempt: Attempt) -> None:
    """More channels and rows, or as many of one as of the other."""
    channels, height = attempt.size(2, 24), attempt.size(1, 24)
    silent_case(attempt, channels, height)


def judge_unsqueeze(attempt: Attempt) -> None:
    """Every pair of equal lengths, all three equal, and lengths of 1."""
    channels, other, width = attempt.sizes(3, high=16)
    for key, shape in [
        ("equal", (channels, channels, channels)),
        ("equal", (channels, other, other)),
        ("equal", (channels, channels, other)),
        ("equal", (channels, other, channels)),
        ("values", (channels, other, 1)),
        ("values", (1, other, width)),
        ("values", (channels, other, width)),
    ]:
        weighted_map(attempt, key, shape)


def judge_einsum(attempt: Attempt) -> None:
    """Equal lengths, a batch of one, one channel, and no gradients recorded."""
    batch, channels, height, width = attempt.sizes(4, low=2, high=12)
    for shape in [
        (batch, batch, height, width),
        (batch, channels, height, height),
        (batch, channels, batch, channels),
        (1, channels, height, width),
        (batch, 1, height, width),
    ]:
        batch_map(attempt, shape)
    with torch.no_grad():
        batch_map(attempt, (batch, channels, height, width))


# The answers to the other items are single values: nothing could be drawn.
ITEMS = (
    VISIBLE["keepdim.predict"],
    VISIBLE["keepdim.error"],
    Item(
        "keepdim.broadcast",
        VISIBLE["keepdim.broadcast"].title,
        judge=judge_broadcast,
        facts={
            "ones": ("a length of 1 is stretched, in every axis", 1),
            "missing": ("missing axes are added on the left, up to five of them", 1),
            "misfit": ("shapes that do not fit give None, wherever they differ", 1),
        },
    ),
    Item(
        "keepdim.silent",
        VISIBLE["keepdim.silent"].title,
        judge=judge_silent,
        rounds=5,
        facts={
            "pair": ("two tensors of one shape, with the channels and the height asked for", 1),
            "silent": ("nothing is raised when keepdim is dropped", 1),
            "same": ("the wrong map has the shape of the right one", 1),
            "wrong": ("its values are wrong", 1),
        },
    ),
    VISIBLE["keepdim.meets"],
    Item(
        "keepdim.unsqueeze",
        VISIBLE["keepdim.unsqueeze"].title,
        judge=judge_unsqueeze,
        facts={
            "shape": ("the map has one value per position", 1),
            "equal": ("it is right where some of the three lengths are equal", 2),
            "values": ("it is right for every other size", 1),
        },
    ),
    replace(VISIBLE["keepdim.einsum"], judge=judge_einsum),
    VISIBLE["keepdim.wild"],
)

"""The teacher's checks of `keepdim`: other sizes and properties, the same points. Never released, never installed."""

import torch

from camwidget.course.assignments.keepdim.items import ITEMS as VISIBLE
from camwidget.course.assignments.keepdim.judges import batch_map, broadcast_cases, silent_case, weighted_map
from camwidget.course.attempt import Attempt
from camwidget.course.items import Items

ITEMS = Items("keepdim")


def _same(short_name: str) -> None:
    """Take the visible item: its answer is one value, whatever one draws."""
    ITEMS.found[f"keepdim.{short_name}"] = VISIBLE.found[f"keepdim.{short_name}"]


_same("predict")
_same("error")


@ITEMS.item(
    "broadcast",
    "The rule of broadcasting, as a function",
    facts={
        "ones": ("a length of 1 is stretched, in every axis", 1),
        "missing": ("missing axes are added on the left, up to five of them", 1),
        "misfit": ("shapes that do not fit give None, wherever they differ", 1),
    },
)
def _broadcast(attempt: Attempt) -> None:
    a, b, c, d, e = attempt.sizes(5, high=12)
    broadcast_cases(
        attempt, [("ones", (1, b, 1, d), (a, 1, c, 1)), ("ones", (1,), (1,)), ("ones", (1, 1, 1), (a, b, c))]
    )
    broadcast_cases(attempt, [("missing", (), (a, b)), ("missing", (e,), (a, b, c, d, e)), ("missing", (a, b, c), ())])
    broadcast_cases(attempt, [("missing", (d, 1), (a, b, c, d, e)), ("misfit", (a, b, c, d), (e, b, c, d))])
    broadcast_cases(attempt, [("misfit", (a, b, c), (a, d, c)), ("misfit", (a, b, 1), (c, d, e, 1))])


@ITEMS.item(
    "silent",
    "The silent case",
    facts={
        "pair": ("two tensors of one shape, with the channels and the height asked for", 1),
        "silent": ("nothing is raised when keepdim is dropped", 1),
        "same": ("the wrong map has the shape of the right one", 1),
        "wrong": ("its values are wrong", 1),
    },
    rounds=5,
)
def _silent(attempt: Attempt) -> None:
    channels, height = attempt.size(2, 24), attempt.size(1, 24)
    silent_case(attempt, channels, height)


_same("meets")


@ITEMS.item(
    "unsqueeze",
    "Mend it without keepdim",
    facts={
        "shape": ("the map has one value per position", 1),
        "equal": ("it is right where some of the three lengths are equal", 2),
        "values": ("it is right for every other size", 1),
    },
)
def _unsqueeze(attempt: Attempt) -> None:
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


@ITEMS.item(
    "einsum",
    "Grad-CAM for a batch, with letters in place of shapes",
    facts={
        "shape": ("there is one map per picture", 1),
        "values": ("every picture is weighed by its own gradient", 2),
        "kept": ("activation and gradient are left as they were", 1),
    },
)
def _einsum(attempt: Attempt) -> None:
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


_same("wild")

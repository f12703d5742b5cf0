"""The teacher's hidden checks of `grad_cam`: other sizes, other networks, the same facts."""

from camwidget.course.assignments.grad_cam.hooks import judge_backward_hook, judge_grad_cam, judge_own_hooks
from camwidget.course.assignments.grad_cam.judges import judge_as_cam, judge_map, judge_three_ways
from camwidget.course.attempt import Attempt
from camwidget.course.items import Items, items_of

VISIBLE = items_of("grad_cam").found
ITEMS = Items("grad_cam")


def same(short_name: str) -> None:
    """Judge a quiz as the visible check does.

    Args:
        short_name: of the item.
    """
    item = VISIBLE[f"grad_cam.{short_name}"]
    ITEMS.item(short_name, item.title, facts=item.facts, rounds=item.rounds)(item.judge)


same("q11")
same("q12a")


@ITEMS.item("q12b", "A hook for gradients", facts=VISIBLE["grad_cam.q12b"].facts)
def backward_hook(attempt: Attempt) -> None:
    """Two backward passes, for two classes: the second counts."""
    judge_backward_hook(attempt, twice=True)


same("q13a")


@ITEMS.item("q13b", "Three ways", facts=VISIBLE["grad_cam.q13b"].facts)
def three_ways(attempt: Attempt) -> None:
    """More classes."""
    judge_three_ways(attempt, classes=attempt.size(7, 12))


@ITEMS.item("map", "The map", facts=VISIBLE["grad_cam.map"].facts)
def grad_cam_map(attempt: Attempt) -> None:
    """More channels."""
    judge_map(attempt, channels=(30, 50))


@ITEMS.item("any_layer", "Any layer", facts=VISIBLE["grad_cam.any_layer"].facts, rounds=4)
def any_layer(attempt: Attempt) -> None:
    """The inner layer first."""
    judge_grad_cam(attempt, layer=0)


@ITEMS.item("equals_cam", "Grad-CAM is CAM", facts=VISIBLE["grad_cam.equals_cam"].facts)
def as_cam(attempt: Attempt) -> None:
    """Larger maps."""
    judge_as_cam(attempt, low=10, high=19)


@ITEMS.item("panel", "Own hooks", facts=VISIBLE["grad_cam.panel"].facts)
def panel(attempt: Attempt) -> None:
    """Layers inside a layer."""
    judge_own_hooks(attempt, layers=("0.0", "0.2", "1.1"))

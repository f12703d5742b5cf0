"""The teacher's hidden checks of `grad_cam`: other sizes, other networks, the same facts."""

from dataclasses import replace
from functools import partial

from camwidget.course.assignments.grad_cam.hooks import judge_backward_hook, judge_grad_cam, judge_own_hooks
from camwidget.course.assignments.grad_cam.judges import judge_as_cam, judge_map, judge_three_ways
from camwidget.course.items import items_of

VISIBLE = items_of("grad_cam")

ITEMS = (
    VISIBLE["grad_cam.q11"],
    VISIBLE["grad_cam.q12a"],
    # The inner layer first.
    replace(
        VISIBLE["grad_cam.q12b"], title="A hook for gradients", judge=partial(judge_backward_hook, inner_first=True)
    ),
    VISIBLE["grad_cam.q13a"],
    # More classes.
    replace(VISIBLE["grad_cam.q13b"], title="Three ways", judge=partial(judge_three_ways, classes=(7, 12))),
    # Longer axes.
    replace(VISIBLE["grad_cam.map"], title="The map", judge=partial(judge_map, high=30)),
    # Layers inside a layer.
    replace(VISIBLE["grad_cam.panel"], title="Own hooks", judge=partial(judge_own_hooks, layers=("0.0", "0.2", "1.1"))),
    # The inner layer first.
    replace(VISIBLE["grad_cam.any_layer"], title="Any layer", judge=partial(judge_grad_cam, last_first=False)),
    # Larger maps.
    replace(VISIBLE["grad_cam.equals_cam"], title="Grad-CAM is CAM", judge=partial(judge_as_cam, high=19)),
)

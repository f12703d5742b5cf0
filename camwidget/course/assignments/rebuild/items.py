"""The item of `rebuild`: everything of the first two notebooks, from memory."""

from functools import partial

from camwidget.course.assignments.rebuild.judges import judge_both_maps
from camwidget.course.items import Item

ITEMS = (
    Item(
        "rebuild.both_maps",
        "From a picture to both maps",
        judge=partial(judge_both_maps, widths=(3, 9)),
        rounds=3,
        facts={
            "form": ("two maps come back, each of its layer's own size", 1),
            "cam": ("the first is the CAM of the class, at the end of the body", 2),
            "grad_cam": ("the second is the signed Grad-CAM of the class, at the layer", 2),
            "detached": ("neither map holds on to the graph", 1),
            "removed": ("no hook is left on the model, and those of others are still there", 1),
            "left": ("every module's mode and every parameter's .grad are as they were", 1),
        },
    ),
)

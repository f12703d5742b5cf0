"""The teacher's hidden checks of `cam`: other sizes and other networks, the same facts."""

from dataclasses import replace
from functools import partial

from camwidget.course.assignments.cam.dls import judge_class_name, judge_picture_again
from camwidget.course.assignments.cam.heads import judge_cam_head
from camwidget.course.assignments.cam.judges import judge_find_layer, judge_logits, judge_scores
from camwidget.course.items import items_of

VISIBLE = items_of("cam")

ITEMS = (
    replace(VISIBLE["cam.q2a"], title="Which layer"),
    # The same kinds of networks, in another order.
    replace(
        VISIBLE["cam.q2b"],
        title="Find the layer",
        judge=partial(judge_find_layer, kinds=("in_a_row", "jumbled", "wrapped", "child", "nested")),
    ),
    # Longer axes.
    replace(VISIBLE["cam.q7a"], title="Scores", judge=partial(judge_scores, batch=False, high=24)),
    replace(VISIBLE["cam.q7b"], title="Scores of a batch", judge=partial(judge_scores, batch=True, high=16)),
    # First an index as argmax returns it.
    replace(VISIBLE["cam.q8"], title="Name of a class", judge=partial(judge_class_name, tensors_first=True)),
    # Another deviation.
    replace(VISIBLE["cam.q9"], title="Decode", judge=partial(judge_picture_again, spread=0.2)),
    # Larger maps.
    replace(VISIBLE["cam.mean_plus_bias"], title="From the map to the logit", judge=partial(judge_logits, high=19)),
    replace(VISIBLE["cam.two_layers"], title="Two layers"),
    # Activations thirty times as large.
    replace(VISIBLE["cam.cam_head"], title="A head for CAM", judge=partial(judge_cam_head, strength=30.0)),
)

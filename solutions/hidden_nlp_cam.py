"""The teacher's hidden checks of `nlp_cam`: longer texts, wider networks, the same facts."""

from dataclasses import replace
from functools import partial

from camwidget.course.assignments.nlp_cam.deleting import judge_leave_one_out, judge_without_top
from camwidget.course.assignments.nlp_cam.judges import (
    judge_gradient_times_input,
    judge_logits,
    judge_word_scores,
)
from camwidget.course.items import items_of

VISIBLE = items_of("nlp_cam")

ITEMS = (
    replace(VISIBLE["nlp_cam.word_scores"], title="Scores", judge=partial(judge_word_scores, high=40)),
    replace(VISIBLE["nlp_cam.logits"], title="Logits", judge=partial(judge_logits, longest=40)),
    replace(VISIBLE["nlp_cam.gradient_times_input"], judge=partial(judge_gradient_times_input, high=40)),
    replace(
        VISIBLE["nlp_cam.leave_one_out"],
        title="Leave one out",
        judge=partial(judge_leave_one_out, longest=20),
    ),
    replace(VISIBLE["nlp_cam.without_top"], title="Delete the top", judge=partial(judge_without_top, longest=30)),
    VISIBLE["nlp_cam.same_colours"],
    VISIBLE["nlp_cam.negation"],
)

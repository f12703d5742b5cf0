"""The teacher's hidden checks of `mistakes`: more pictures, larger maps, the same facts."""

from dataclasses import replace
from functools import partial

from camwidget.course.assignments.mistakes.counting import judge_missing
from camwidget.course.assignments.mistakes.hiding import judge_hiding
from camwidget.course.assignments.mistakes.losses import judge_top_losses
from camwidget.course.assignments.mistakes.maps import judge_difference, judge_shared_cell
from camwidget.course.assignments.mistakes.sure import judge_sure_and_wrong
from camwidget.course.assignments.mistakes.turns import judge_gallery
from camwidget.course.items import items_of

VISIBLE = items_of("mistakes")

ITEMS = (
    replace(VISIBLE["mistakes.top_losses"], title="Losses", judge=partial(judge_top_losses, high=20)),
    replace(VISIBLE["mistakes.sure_and_wrong"], title="Sure and wrong", judge=partial(judge_sure_and_wrong, high=16)),
    replace(VISIBLE["mistakes.difference"], title="Difference", judge=partial(judge_difference, high=9)),
    replace(VISIBLE["mistakes.place"], title="Place", judge=partial(judge_shared_cell, high=12)),
    replace(VISIBLE["mistakes.occlusion"], title="Hide", judge=partial(judge_hiding, longest=26)),
    replace(VISIBLE["mistakes.missing"], title="Kinds", judge=partial(judge_missing, most=30)),
    VISIBLE["mistakes.cannot_tell"],
    replace(VISIBLE["mistakes.panel"], title="Order", judge=partial(judge_gallery, most=32)),
)

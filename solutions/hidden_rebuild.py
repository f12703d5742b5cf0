"""The teacher's hidden check of `rebuild`: more channels and more classes, the same facts."""

from dataclasses import replace
from functools import partial

from camwidget.course.assignments.rebuild.judges import judge_both_maps
from camwidget.course.items import items_of

VISIBLE = items_of("rebuild")

ITEMS = (
    replace(VISIBLE["rebuild.both_maps"], title="Both maps", judge=partial(judge_both_maps, widths=(10, 16)), rounds=4),
)

"""The teacher's hidden checks of `keepdim`: other and longer sizes, the same facts. Never released."""

from dataclasses import replace
from functools import partial

from camwidget.course.assignments.keepdim.judges import (
    judge_broadcast,
    judge_einsum,
    judge_silent,
    judge_unsqueeze,
)
from camwidget.course.items import items_of

VISIBLE = items_of("keepdim")

# The answers to four items are single values: nothing could be drawn.
ITEMS = (
    VISIBLE["keepdim.predict"],
    VISIBLE["keepdim.error"],
    replace(VISIBLE["keepdim.broadcast"], judge=partial(judge_broadcast, high=30)),
    replace(VISIBLE["keepdim.silent"], judge=partial(judge_silent, high=24)),
    VISIBLE["keepdim.meets"],
    replace(VISIBLE["keepdim.unsqueeze"], judge=partial(judge_unsqueeze, high=16)),
    replace(VISIBLE["keepdim.einsum"], judge=partial(judge_einsum, high=12)),
    VISIBLE["keepdim.wild"],
)

"""The teacher's hidden checks of `hooks`: other sizes, other networks, the same facts."""

from dataclasses import replace
from functools import partial

from camwidget.course.assignments.hooks.classes import judge_change, judge_context
from camwidget.course.assignments.hooks.functions import judge_stats, judge_store
from camwidget.course.assignments.hooks.modes import judge_modes, judge_quiet_run
from camwidget.course.items import items_of

VISIBLE = items_of("hooks")

# What a quiz or a prediction asks leaves nothing to vary: those items are the visible ones.
ITEMS = (
    VISIBLE["hooks.q1a"],
    VISIBLE["hooks.q1b"],
    VISIBLE["hooks.q3"],
    VISIBLE["hooks.q4a"],
    # Inputs near zero: the limit of 0.05 matters.
    replace(VISIBLE["hooks.q4b"], title="Statistics", judge=partial(judge_stats, scale=0.1)),
    # The layer in front of the in-place ReLU first.
    replace(VISIBLE["hooks.q5"], title="Store activations", judge=partial(judge_store, inner=True)),
    VISIBLE["hooks.q6a"],
    # If the inputs ask for gradients, something is recorded even in a frozen network.
    replace(VISIBLE["hooks.q6b"], title="Try the modes", judge=partial(judge_modes, learning_inputs=True)),
    # More pictures, or a single one, and more networks.
    replace(VISIBLE["hooks.q6c"], title="Look without a trace", judge=partial(judge_quiet_run, pictures=5)),
    replace(VISIBLE["hooks.q10"], title="Context manager", judge=partial(judge_context, pictures=1)),
    replace(VISIBLE["hooks.change_output"], title="Change an output", judge=partial(judge_change, pictures=3)),
    replace(VISIBLE["hooks.panel"], title="Own hook", rounds=3),
)

"""The teacher's hidden checks of `hooks`: other sizes, other networks, the same facts."""

from dataclasses import replace
from functools import partial

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
    replace(VISIBLE["hooks.q4b"], title="Statistics", judge=partial(judge_stats, scale=0.1), rounds=4),
    # The layer in front of the in-place ReLU first.
    replace(VISIBLE["hooks.q5"], title="Store activations", judge=partial(judge_store, inner=True), rounds=4),
    VISIBLE["hooks.q6a"],
    # If the inputs ask for gradients, something is recorded even in a frozen network.
    replace(VISIBLE["hooks.q6b"], title="Try the modes", judge=partial(judge_modes, learning_inputs=True)),
    # A part of the model is in evaluation mode beforehand.
    replace(VISIBLE["hooks.q6c"], title="Look without a trace", judge=partial(judge_quiet_run, mixed=True)),
    # More networks, and more channels.
    replace(VISIBLE["hooks.q10"], title="Context manager", rounds=5),
    replace(VISIBLE["hooks.change_output"], title="Change an output", rounds=6),
    replace(VISIBLE["hooks.panel"], title="Own hook", rounds=4),
)

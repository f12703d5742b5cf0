"""The teacher's hidden checks of `hooks`: other sizes, other networks, the same facts."""

from camwidget.course.assignments.hooks.classes import judge_change, judge_context, judge_panel
from camwidget.course.assignments.hooks.functions import judge_stats, judge_store
from camwidget.course.assignments.hooks.modes import judge_modes, judge_quiet_run
from camwidget.course.attempt import Attempt
from camwidget.course.items import Items, items_of

VISIBLE = items_of("hooks").found
ITEMS = Items("hooks")


def same(short_name: str) -> None:
    """Judge as the visible check does: what is asked leaves nothing to vary.

    Args:
        short_name: of the item.
    """
    item = VISIBLE[f"hooks.{short_name}"]
    ITEMS.item(short_name, item.title, facts=item.facts, rounds=item.rounds)(item.judge)


same("q1a")
same("q1b")
same("q3")
same("q4a")


@ITEMS.item("q4b", "Statistics", facts=VISIBLE["hooks.q4b"].facts, rounds=4)
def activation_stats(attempt: Attempt) -> None:
    """Inputs near zero: the limit of 0.05 matters."""
    judge_stats(attempt, scale=0.1)


@ITEMS.item("q5", "Store activations", facts=VISIBLE["hooks.q5"].facts, rounds=4)
def store_activation(attempt: Attempt) -> None:
    """The layer in front of the in-place ReLU first."""
    judge_store(attempt, inner=True)


same("q6a")


@ITEMS.item("q6b", "Try the modes", facts=VISIBLE["hooks.q6b"].facts)
def try_modes(attempt: Attempt) -> None:
    """Where the inputs ask for it, something is recorded even in a frozen network."""
    judge_modes(attempt, learning_inputs=True)


@ITEMS.item("q6c", "Look without a trace", facts=VISIBLE["hooks.q6c"].facts)
def quiet_run(attempt: Attempt) -> None:
    """A part of the model is in evaluation mode beforehand."""
    judge_quiet_run(attempt, mixed=True)


@ITEMS.item("q10", "Context manager", facts=VISIBLE["hooks.q10"].facts, rounds=5)
def context_manager(attempt: Attempt) -> None:
    """More networks."""
    judge_context(attempt)


@ITEMS.item("change_output", "Change an output", facts=VISIBLE["hooks.change_output"].facts, rounds=6)
def change_output(attempt: Attempt) -> None:
    """More networks and channels."""
    judge_change(attempt)


@ITEMS.item("panel", "Own hook", facts=VISIBLE["hooks.panel"].facts, rounds=4)
def panel(attempt: Attempt) -> None:
    """More networks."""
    judge_panel(attempt)

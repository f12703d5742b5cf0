"""The items of `hooks`: functions that PyTorch calls while a network runs."""

from functools import partial

from camwidget.course.assignments.hooks.classes import judge_change, judge_context, judge_panel
from camwidget.course.assignments.hooks.functions import judge_order, judge_stats, judge_store
from camwidget.course.assignments.hooks.modes import judge_modes, judge_quiet_run
from camwidget.course.assignments.hooks.quizzes import OPTIONS
from camwidget.course.items import Item, quiz

ITEMS = (
    quiz("hooks.q1a", "What is a hook?", OPTIONS["hooks.q1a"]),
    Item(
        "hooks.q1b",
        "In which order do hooks fire?",
        judge=judge_order,
        rounds=1,
        facts={
            "names": ("every module is named once", 1),
            "order": ("they are in the order in which their hooks fire", 1),
        },
    ),
    quiz("hooks.q3", "Why does CAM need a hook?", OPTIONS["hooks.q3"]),
    quiz("hooks.q4a", "Read fastai's ActivationStats: what counts as near zero?", OPTIONS["hooks.q4a"]),
    Item(
        "hooks.q4b",
        "The same numbers with hooks of your own",
        judge=partial(judge_stats, scale=1.0),
        rounds=1,
        facts={
            "form": ("there are three numbers for every layer, by name", 1),
            "mean": ("the means agree with ActivationStats", 1),
            "std": ("the standard deviations agree", 1),
            "near_zero": ("the shares of values near zero agree", 1),
            "once": ("the model runs once, and nothing is recorded for gradients", 1),
            "removed": ("no hook is left, and nothing else has changed", 1),
        },
    ),
    Item(
        "hooks.q5",
        "Store the activations of a given layer",
        judge=partial(judge_store, inner=False),
        rounds=1,
        facts={
            "shape": ("it has the shape of what the layer puts out", 1),
            "values": ("it is what the layer put out", 1),
            "copy": ("also where the next layer works in place", 1),
            "once": ("the model runs once", 1),
            "removed": ("afterwards no hook is on the layer, and nothing else has changed", 1),
        },
    ),
    quiz("hooks.q6a", "eval() and no_grad(): which of these are true?", OPTIONS["hooks.q6a"], points=2),
    Item(
        "hooks.q6b",
        "Find out what a mode changes",
        judge=partial(judge_modes, learning_inputs=False),
        rounds=1,
        facts={
            "form": ("there is a pair for each of the three", 1),
            "same": ("it says when the logits are the same twice", 1),
            "recorded": ("it says when something is recorded for gradients", 1),
            "runs": ("the model runs twice in each of the three ways", 1),
            "mode": ("the model is left as it was, its mode included", 1),
        },
    ),
    Item(
        "hooks.q6c",
        "Look without leaving a trace",
        judge=partial(judge_quiet_run, pictures=2),
        rounds=1,
        facts={
            "values": ("the logits are those of evaluation mode", 1),
            "quiet": ("nothing was recorded for gradients", 1),
            "mode": ("every module has its own mode again, and nothing else has changed", 2),
        },
    ),
    Item(
        "hooks.q10",
        "A hook that takes itself off, whatever happens",
        judge=partial(judge_context, pictures=2),
        rounds=1,
        facts={
            "stored": ("inside the block hook.stored is what the layer put out the last time", 1),
            "copy": ("it is a detached copy, which nothing changes later", 1),
            "listens": ("the hook only listens, and two of them do not mix", 1),
            "removed": ("after the block no hook is left, and `stored` is still there", 1),
            "after_error": ("nor is a hook left after an error inside the block", 1),
            "error": ("the error is not swallowed", 1),
        },
    ),
    Item(
        "hooks.change_output",
        "A hook that changes what a layer puts out",
        judge=partial(judge_change, pictures=1),
        rounds=2,
        facts={
            "shape": ("the model's logits come back", 1),
            "values": ("they are those without this channel, at any layer with channels", 2),
            "removed": ("afterwards the model and the inputs are as before", 1),
        },
    ),
    Item(
        "hooks.panel",
        "Your own hook drives the panel",
        judge=judge_panel,
        rounds=2,
        facts={
            "activation": ("what your hook stores is what the layer put out", 1),
            "detached": ("what is stored is detached from the graph", 1),
            "copy": ("also on layers in front of one that works in place", 1),
            "removed": ("at the end of the with block the hook is gone", 1),
        },
    ),
)

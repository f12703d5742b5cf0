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
        facts={
            "form": ("there are three numbers for every layer, by name", 1),
            "mean": ("the means agree with ActivationStats", 1),
            "std": ("the standard deviations agree", 1),
            "near_zero": ("the shares of values near zero agree", 1),
            "removed": ("no hook is left", 1),
        },
    ),
    Item(
        "hooks.q5",
        "Store the activations of a given layer",
        judge=partial(judge_store, inner=False),
        facts={
            "shape": ("it has the shape of what the layer puts out", 1),
            "values": ("it is what the layer put out", 1),
            "copy": ("also where the next layer works in place", 1),
            "removed": ("afterwards no hook is on the layer", 1),
        },
    ),
    quiz("hooks.q6a", "eval() and no_grad(): which of these are true?", OPTIONS["hooks.q6a"], points=2),
    Item(
        "hooks.q6b",
        "Find out what a mode changes",
        judge=partial(judge_modes, learning_inputs=False),
        facts={
            "form": ("there is a pair for each of the three", 1),
            "same": ("it says when the logits are the same twice", 1),
            "recorded": ("it says when something is recorded for gradients", 1),
            "mode": ("the model's mode is given back", 1),
        },
    ),
    Item(
        "hooks.q6c",
        "Look without leaving a trace",
        judge=partial(judge_quiet_run, mixed=False),
        facts={
            "values": ("the logits are those of evaluation mode", 1),
            "quiet": ("nothing was recorded for gradients", 1),
            "mode": ("the mode is given back, and batch norm remembers what it did", 2),
        },
    ),
    Item(
        "hooks.q10",
        "A hook that takes itself off, whatever happens",
        judge=judge_context,
        facts={
            "stored": ("inside the block hook.stored is what the layer put out", 1),
            "removed": ("after the block no hook is left", 1),
            "after_error": ("nor after an error inside the block", 1),
            "error": ("the error is not swallowed", 1),
        },
    ),
    Item(
        "hooks.change_output",
        "A hook that changes what a layer puts out",
        judge=judge_change,
        facts={
            "shape": ("the model's logits come back", 1),
            "values": ("they are those without this channel", 2),
            "removed": ("afterwards the model is as before", 1),
        },
    ),
    Item(
        "hooks.panel",
        "Your own hook drives the panel",
        judge=judge_panel,
        facts={
            "activation": ("what your hook stores is what the layer put out", 1),
            "detached": ("what is stored is detached from the graph", 1),
            "copy": ("also on layers in front of one that works in place", 1),
            "removed": ("at the end of the with block the hook is gone", 1),
        },
    ),
)

"""Items of `hooks`: functions that PyTorch calls while a network runs."""

from camwidget.course.assignments.hooks.classes import judge_change, judge_context, judge_panel
from camwidget.course.assignments.hooks.functions import judge_order, judge_stats, judge_store
from camwidget.course.assignments.hooks.modes import judge_modes, judge_quiet_run
from camwidget.course.assignments.hooks.quizzes import add_modes_quiz, add_stats_quiz, add_what_quiz, add_why_quiz
from camwidget.course.attempt import Attempt
from camwidget.course.items import Items

ITEMS = Items("hooks")

add_what_quiz(ITEMS)

ITEMS.item(
    "q1b",
    "In which order do hooks fire?",
    question=1,
    difficulty=2,
    minutes=4,
    rounds=1,
    facts={
        "names": ("every module is named once", 1),
        "order": ("they are in the order in which their hooks fire", 1),
    },
    hints=(
        "A forward hook fires when its module has put out its result.",
        "Can a container be finished before the last layer inside it is?",
        "Start with the layer that runs first. The whole model, whose name is the empty text, is finished last.",
    ),
)(judge_order)

add_why_quiz(ITEMS)
add_stats_quiz(ITEMS)


@ITEMS.item(
    "q4b",
    "The same numbers with hooks of your own",
    question=4,
    difficulty=3,
    minutes=8,
    facts={
        "form": ("there are three numbers for every layer, by name", 1),
        "mean": ("the means agree with ActivationStats", 1),
        "std": ("the standard deviations agree", 1),
        "near_zero": ("the shares of values near zero agree", 1),
        "removed": ("no hook is left", 1),
    },
    hints=(
        "One hook per layer. What does each of them have to know, to file its numbers under the right name?",
        "Compute in the hook function and store three numbers, not the activation: it may be changed or freed later.",
        "A function that makes hook functions: `def listener(name): def keep(module, given, output): stats[name] = (...); "
        "return keep`. The share is `(output <= 0.05).float().mean()`.",
    ),
)
def activation_stats(attempt: Attempt) -> None:
    """Judge a function (model, layers, inputs) -> statistics."""
    judge_stats(attempt, scale=1.0)


@ITEMS.item(
    "q5",
    "Store the activations of a given layer",
    question=5,
    difficulty=2,
    minutes=6,
    facts={
        "shape": ("it has the shape of what the layer puts out", 1),
        "values": ("it is what the layer put out", 1),
        "copy": ("also where the next layer works in place", 1),
        "removed": ("afterwards no hook is on the layer", 1),
    },
    hints=(
        "`register_forward_hook` is given a function, and returns a handle. What is the handle for?",
        "The function gets `(module, given, output)`. Keep `output` somewhere outside of it, run the model, remove the handle.",
        "`stored.append(output.detach().clone())` in the function. Without `clone()` an in-place layer behind changes what "
        "you have stored.",
    ),
)
def store_activation(attempt: Attempt) -> None:
    """Judge a function (model, layer, inputs) -> activation."""
    judge_store(attempt, inner=False)


add_modes_quiz(ITEMS)


@ITEMS.item(
    "q6b",
    "Find out what a mode changes",
    question=6,
    difficulty=2,
    minutes=6,
    facts={
        "form": ("there is a pair for each of the three", 1),
        "same": ("it says when the logits are the same twice", 1),
        "recorded": ("it says when something is recorded for gradients", 1),
        "mode": ("the model's mode is given back", 1),
    },
    hints=(
        "Do not answer from memory: let the model answer. Two runs on the same inputs show whether chance is at work.",
        "`torch.equal(first, second)` compares two tensors. `logits.requires_grad` says whether anything was recorded.",
        "Note `before = model.training`. Then for each of the three `model.train(True)` or `model.train(False)`, two runs, "
        "the last one of the three inside `with torch.no_grad():`. At the end `model.train(before)`.",
    ),
)
def try_modes(attempt: Attempt) -> None:
    """Judge a function (model, inputs) -> name to (same, recorded)."""
    judge_modes(attempt, learning_inputs=False)


@ITEMS.item(
    "q6c",
    "Look without leaving a trace",
    question=6,
    difficulty=2,
    minutes=5,
    facts={
        "values": ("the logits are those of evaluation mode", 1),
        "quiet": ("nothing was recorded for gradients", 1),
        "mode": ("the mode is given back, and batch norm remembers what it did", 2),
    },
    hints=(
        "Three steps: note the mode, run, give the mode back.",
        "`model.training` says the mode. `model.eval()` changes it, `model.train(mode)` gives it back.",
        "Parts of a model may be in different modes: note `module.training` for every module of `model.modules()`, and give "
        "each its own back.",
    ),
)
def quiet_run(attempt: Attempt) -> None:
    """Judge a function (model, inputs) -> logits."""
    judge_quiet_run(attempt, mixed=False)


@ITEMS.item(
    "q10",
    "A hook that takes itself off, whatever happens",
    question=10,
    difficulty=3,
    minutes=8,
    facts={
        "stored": ("inside the block hook.stored is what the layer put out", 1),
        "removed": ("after the block no hook is left", 1),
        "after_error": ("nor after an error inside the block", 1),
        "error": ("the error is not swallowed", 1),
    },
    hints=(
        "A with statement calls two methods of the object: one at its beginning and one at its end.",
        "`__enter__` returns what stands behind `as`. `__exit__` is called at the end, after an error too.",
        "`def __enter__(self): return self` and `def __exit__(self, *error): self.handle.remove()`. If `__exit__` returned "
        "True, the error would be swallowed.",
    ),
)
def context_manager(attempt: Attempt) -> None:
    """Judge a class that is a hook and a context manager."""
    judge_context(attempt)


@ITEMS.item(
    "change_output",
    "A hook that changes what a layer puts out",
    difficulty=3,
    minutes=5,
    facts={
        "shape": ("the model's logits come back", 1),
        "values": ("they are those without this channel", 2),
        "removed": ("afterwards the model is as before", 1),
    },
    hints=(
        "What happens with the value that a hook function returns?",
        "If it is not None, it takes the place of the layer's output. Channels are the second axis.",
        "`changed = output.clone(); changed[:, channel] = 0; return changed`, and remove the handle after the run.",
    ),
)
def change_output(attempt: Attempt) -> None:
    """Judge a function (model, layer, channel, inputs) -> logits."""
    judge_change(attempt)


@ITEMS.item(
    "panel",
    "Your own hook drives the panel",
    difficulty=2,
    minutes=3,
    facts={
        "activation": ("what your hook stores is what the layer put out", 1),
        "detached": ("what is stored is detached from the graph", 1),
        "copy": ("also on layers in front of one that works in place", 1),
        "removed": ("at the end of the with block the hook is gone", 1),
    },
    hints=(
        "Read the message: it names what the panel found.",
        "The panel puts one hook of yours on every layer and takes it off at the end of its with block.",
        "Store `output.detach().clone()`, return nothing from the hook function, remove the handle in `__exit__`.",
    ),
)
def panel(attempt: Attempt) -> None:
    """Judge a hook class by what `explain` makes of it."""
    judge_panel(attempt)

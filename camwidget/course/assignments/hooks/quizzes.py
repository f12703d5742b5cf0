"""The quizzes of `hooks`, with a reason for every option."""

from camwidget.course.items import Items, Option, add_quiz


def add_what_quiz(items: Items) -> None:
    """Add the one about what a hook is.

    Args:
        items: the items of `hooks`.
    """
    add_quiz(
        items,
        "q1a",
        "What is a hook?",
        {
            "a": Option(
                "A copy of a layer that one can change without harm.",
                "Nothing is copied. The layer itself runs, and the hook is called when it does.",
            ),
            "b": Option(
                "A function of ours that PyTorch calls whenever a module runs.",
                "It gets the module, what went in, and what came out. What it does with them is up to us.",
                right=True,
            ),
            "c": Option(
                "A special layer that is put between two others.",
                "The network keeps its layers and their order. A hook is a function beside them, and is easy to take off again.",
            ),
            "d": Option(
                "A list in which PyTorch keeps all activations.",
                "PyTorch keeps activations only as long as it needs them. That is why one needs hooks to see them.",
            ),
        },
        question=1,
        hints=(
            "Who calls whom?",
            "Look at what `register_forward_hook` is given: a function.",
            "We hand PyTorch a function; PyTorch calls it at the right moment.",
        ),
    )


def add_why_quiz(items: Items) -> None:
    """Add the one about why CAM needs a hook.

    Args:
        items: the items of `hooks`.
    """
    add_quiz(
        items,
        "q3",
        "Why does CAM need a hook?",
        {
            "a": Option(
                "The model returns only its logits, and CAM needs what a layer inside puts out.",
                "By the time the logits are there, the positions are gone. The hook catches them on the way.",
                right=True,
            ),
            "b": Option(
                "Without a hook the model cannot be run on one picture.",
                "It runs on any batch, also of one. The hook adds nothing to that.",
            ),
            "c": Option(
                "The hook computes the map.",
                "The map is computed by us, afterwards. The hook only stores what it is computed from.",
            ),
            "d": Option(
                "The weights of the last layer can only be read by a hook.",
                "Weights are there at any time: `learn.model[1][-1].weight`. Activations are there only for a moment.",
            ),
        },
        question=3,
        hints=(
            "What does `learn.model(inputs)` return, and in which shape?",
            "CAM multiplies weights with activations. Which of the two can you get at without running anything?",
            "The activations exist only while the model runs.",
        ),
    )


def add_stats_quiz(items: Items) -> None:
    """Add the one about fastai's ActivationStats.

    Args:
        items: the items of `hooks`.
    """
    add_quiz(
        items,
        "q4a",
        "Read fastai's ActivationStats: what counts as near zero?",
        {
            "a": Option(
                "Values between -0.05 and 0.05.",
                "So one would think. But the code compares the value itself, not its magnitude.",
            ),
            "b": Option(
                "Values of at most 0.05, so every negative one as well.",
                "Behind a ReLU there are no negative ones, and the difference does not matter. Elsewhere it does.",
                right=True,
            ),
            "c": Option(
                "Values that are exactly zero.",
                "Very small ones are as good as dead too, so there is a little room.",
            ),
            "d": Option(
                "Values below the mean.",
                "The mean is computed as well, but it has nothing to do with this share.",
            ),
        },
        question=4,
        difficulty=2,
        minutes=4,
        hints=(
            "In a cell of your own: `from fastai.callback.hook import ActivationStats`, then `ActivationStats??`.",
            "Find the method `hook`. What does it return for `near_zero`?",
            "There is one comparison in it. Does it take the absolute value?",
        ),
    )


def add_modes_quiz(items: Items) -> None:
    """Add the one about `eval` and `no_grad`.

    Args:
        items: the items of `hooks`.
    """
    add_quiz(
        items,
        "q6a",
        "eval() and no_grad(): which of these are true?",
        {
            "a": Option(
                "eval() switches off dropout, and lets batch norm use what it remembers.",
                "So the same picture gives the same answer every time, whoever else is in the batch.",
                right=True,
            ),
            "b": Option(
                "eval() stops PyTorch from recording what gradients need.",
                "It does not. Try it: the logits still have a `grad_fn`.",
            ),
            "c": Option(
                "no_grad() stops PyTorch from recording what gradients need.",
                "That saves memory and time. It also means that there is no backward pass.",
                right=True,
            ),
            "d": Option(
                "no_grad() changes the numbers that come out.",
                "The numbers are the same. Only what is remembered about them differs.",
            ),
        },
        question=6,
        points=2,
        difficulty=2,
        minutes=3,
        hints=(
            "Two of the four are right. One of them is about the layers, one about memory.",
            "Run a model with dropout twice, in each mode. Then look at `model(inputs).requires_grad`.",
            "One is about what layers do, the other about what is recorded.",
        ),
    )

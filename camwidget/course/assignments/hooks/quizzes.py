"""Why each option of the quizzes of `hooks` is right or wrong. The options' texts are in the source notebook."""

from camwidget.course.items import Option

OPTIONS = {
    "hooks.q1a": {
        "a": Option("Nothing is copied. The layer itself runs, and the hook is called when it does."),
        "b": Option(
            "It gets the module, what went in, and what came out. What it does with them is up to us.", right=True
        ),
        "c": Option(
            "The network keeps its layers and their order. A hook is a function beside them, and is easy to take off again."
        ),
        "d": Option(
            "PyTorch keeps activations only as long as it needs them. That is why one needs hooks to see them."
        ),
    },
    "hooks.q3": {
        "a": Option(
            "By the time the logits are there, the positions are gone. The hook catches them on the way.", right=True
        ),
        "b": Option("It runs on any batch, also of one. The hook adds nothing to that."),
        "c": Option("The map is computed by us, afterwards. The hook only stores what it is computed from."),
        "d": Option(
            "Weights are there at any time: `learn.model[1][-1].weight`. Activations are there only for a moment."
        ),
    },
    "hooks.q4a": {
        "a": Option("So one would think. But the code compares the value itself, not its magnitude."),
        "b": Option(
            "Behind a ReLU there are no negative ones, and the difference does not matter. Elsewhere it does.",
            right=True,
        ),
        "c": Option("Very small ones are as good as dead too, so there is a little room."),
        "d": Option("The mean is computed as well, but it has nothing to do with this share."),
    },
    "hooks.q6a": {
        "a": Option("So the same picture gives the same answer every time, whoever else is in the batch.", right=True),
        "b": Option("It does not. Try it: the logits still have a `grad_fn`."),
        "c": Option("That saves memory and time. It also means that there is no backward pass.", right=True),
        "d": Option("The numbers are the same. Only what is remembered about them differs."),
    },
}

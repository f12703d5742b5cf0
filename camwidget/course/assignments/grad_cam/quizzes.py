"""The quizzes of `grad_cam`, with a reason for every option."""

from camwidget.course.items import Items, Option, add_quiz


def add_inside_quiz(items: Items) -> None:
    """Add the one about layers inside the network.

    Args:
        items: the items of `grad_cam`.
    """
    add_quiz(
        items,
        "q11",
        "Why does plain CAM not work for a layer inside the network?",
        {
            "a": Option(
                "Inner layers have no activations that a hook could store.",
                "Every layer that runs puts something out, and a hook can store it.",
            ),
            "b": Option(
                "No weight of the classifier belongs to an inner layer's channels: more layers lie between.",
                "CAM needs one weight per channel and class. Those exist only for what goes into pooling and the linear layer.",
                right=True,
            ),
            "c": Option(
                "The maps of inner layers are too large.",
                "Size is no obstacle: einsum takes any height and width.",
            ),
            "d": Option(
                "Inner layers have fewer channels, so einsum always raises an error.",
                "Often it does. But where the numbers of channels agree by chance it runs, and the map means nothing.",
            ),
        },
        question=11,
        hints=(
            "Where do the numbers in the weighted sum of CAM come from?",
            "Count the layers between an inner layer and the logits. Which weights join its channel 7 to the class cat?",
            "There is no such single weight. That is what gradients will stand in for.",
        ),
    )


def add_backward_quiz(items: Items) -> None:
    """Add the one about the backward hook.

    Args:
        items: the items of `grad_cam`.
    """
    add_quiz(
        items,
        "q12a",
        "Why do we need a hook in the backward pass to get the gradient of an inner activation?",
        {
            "a": Option(
                "PyTorch keeps `.grad` for parameters; the gradient of an activation inside is used and thrown away.",
                "Keeping all of them would cost a lot of memory. Whoever wants one has to listen when it comes by.",
                right=True,
            ),
            "b": Option(
                "Without a hook PyTorch computes no gradients.",
                "It computes them whenever backward() runs. They are just not kept.",
            ),
            "c": Option(
                "A forward hook would be too slow.",
                "Speed is not the point: when the forward pass runs, the gradient does not exist yet.",
            ),
            "d": Option(
                "Only a backward hook knows which class we are interested in.",
                "The class is chosen by which logit we call backward() on. The hook sees only what arrives.",
            ),
        },
        question=12,
        hints=(
            "After `loss.backward()`, which tensors have a `.grad`?",
            "Make a small network, keep its inner activation in a variable, run backward, and look at its `.grad`.",
            "It is None (PyTorch even warns): only leaves keep their gradient.",
        ),
    )


def add_scalar_quiz(items: Items) -> None:
    """Add the one about `output.backward()`.

    Args:
        items: the items of `grad_cam`.
    """
    add_quiz(
        items,
        "q13a",
        "The output has shape (1, 2). Why does `output.backward()` fail?",
        {
            "a": Option(
                "A gradient says how one number changes; here are two, and PyTorch does not choose for us.",
                "Pick one logit, or say how much each of them counts.",
                right=True,
            ),
            "b": Option(
                "The model is in evaluation mode.",
                "Evaluation mode changes dropout and batch norm. Gradients are recorded as before.",
            ),
            "c": Option(
                "backward() can only be called on a loss function's result.",
                "Any single number that was computed from tensors with gradients will do. A logit is one.",
            ),
            "d": Option(
                "The batch has one picture; backward needs at least two.",
                "One picture is fine. What matters is how many numbers the output holds.",
            ),
        },
        question=13,
        hints=(
            "Read the error message: what can a gradient implicitly be created for?",
            "A slope belongs to one quantity. How many quantities does the output hold?",
            "One for the dog and one for the cat. Which of the two should be explained?",
        ),
    )

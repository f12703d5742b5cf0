"""Why each option of the quizzes of `grad_cam` is right or wrong. The options' texts are in the source notebook."""

from camwidget.course.items import Option

OPTIONS = {
    "grad_cam.q11": {
        "a": Option("Every layer that runs puts something out, and a hook can store it."),
        "b": Option(
            "CAM needs one weight per channel and class. Those exist only for what goes into pooling and the linear layer.",
            right=True,
        ),
        "c": Option("Size is no obstacle: einsum takes any height and width."),
        "d": Option(
            "Often it does. But where the numbers of channels agree by chance it runs, and the map means nothing."
        ),
    },
    "grad_cam.q12a": {
        "a": Option(
            "Keeping all of them would cost a lot of memory. Whoever wants one has to listen when it comes by.",
            right=True,
        ),
        "b": Option("It computes them whenever backward() runs. They are just not kept."),
        "c": Option("Speed is not the point: when the forward pass runs, the gradient does not exist yet."),
        "d": Option("The class is chosen by which logit we call backward() on. The hook sees only what arrives."),
    },
    "grad_cam.q13a": {
        "a": Option("Pick one logit, or say how much each of them counts.", right=True),
        "b": Option("Evaluation mode changes dropout and batch norm. Gradients are recorded as before."),
        "c": Option("Any single number that was computed from tensors with gradients will do. A logit is one."),
        "d": Option("One picture is fine. What matters is how many numbers the output holds."),
    },
}

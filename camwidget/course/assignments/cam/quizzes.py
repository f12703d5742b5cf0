"""Why each option of the quizzes of `cam` is right or wrong. The options' texts are in the source notebook."""

from camwidget.course.items import Option

OPTIONS = {
    "cam.q2a": {
        "a": Option(
            "It knows edges and colours. Many layers stand between it and the classes, so no weight joins it to a class."
        ),
        "b": Option(
            "Here the channels mean most, and the classifier's weights apply to exactly these channels.", right=True
        ),
        "c": Option(
            "Its weights are used. But its output has one number per class and no positions, so there is nothing to draw."
        ),
        "d": Option("Pooling averages the positions away. After it nobody knows where anything was."),
    },
    "cam.two_layers": {
        "a": Option(
            "With resnet34 the sizes happen to agree: 512 and 512. That it runs is what makes the mistake easy to miss."
        ),
        "b": Option(
            "Same number, other things. Feature 7 of the hidden layer is a mixture of all channels, bent by a ReLU.",
            right=True,
        ),
        "c": Option(
            "That is how one can tell: average it and compare. The mean of a CAM, plus the bias if there is one, is the logit.",
            right=True,
        ),
        "d": Option(
            "It has: the body is the same, and puts out 512 maps. What is missing is one weight per channel and class."
        ),
    },
}

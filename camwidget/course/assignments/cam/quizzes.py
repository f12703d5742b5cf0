"""The quizzes of `cam`, with a reason for every option."""

from camwidget.course.items import Items, Option, add_quiz


def add_layer_quiz(items: Items) -> None:
    """Add the one about the layer.

    Args:
        items: the items of `cam`.
    """
    add_quiz(
        items,
        "q2a",
        "Which layer does CAM use, and why that one?",
        {
            "a": Option(
                "The first convolution: it sees the picture itself.",
                "It knows edges and colours. Many layers stand between it and the classes, so no weight joins it to a class.",
            ),
            "b": Option(
                "The last layer that still has positions, right before pooling.",
                "Here the channels mean most, and the classifier's weights apply to exactly these channels.",
                right=True,
            ),
            "c": Option(
                "The last linear layer: it is nearest to the classes.",
                "Its weights are used. But its output has one number per class and no positions, so there is nothing to draw.",
            ),
            "d": Option(
                "The pooling layer: it sums up what was found.",
                "Pooling averages the positions away. After it nobody knows where anything was.",
            ),
        },
        question=2,
        hints=(
            "A map needs positions. Which layers still have some?",
            "Follow the shapes from the input to the logits, and watch where height and width end.",
            "It is what goes into the pooling layer.",
        ),
    )


def add_head_quiz(items: Items) -> None:
    """Add the one about fastai's two linear layers.

    Args:
        items: the items of `cam`.
    """
    add_quiz(
        items,
        "two_layers",
        "Two linear layers: why the einsum is no CAM",
        {
            "a": Option(
                "The sizes differ, so einsum raises an error.",
                "With resnet34 the sizes happen to agree: 512 and 512. That it runs is what makes the mistake easy to miss.",
            ),
            "b": Option(
                "The last weight belongs to the 512 features behind the first linear layer, not to the body's 512 channels.",
                "Same number, other things. Feature 7 of the hidden layer is a mixture of all channels, bent by a ReLU.",
                right=True,
            ),
            "c": Option(
                "The mean of such a map plus the bias is not the logit.",
                "That is how one can tell: add it up and compare. A CAM adds up.",
                right=True,
            ),
            "d": Option(
                "Dropout in the head makes the map random.",
                "In evaluation mode dropout does nothing. The map is the same every time, and still not a CAM.",
            ),
        },
        points=2,
        difficulty=3,
        minutes=6,
        hints=(
            "Two of the four are right.",
            "Print the head, and write beside each layer how many numbers come out and what they are numbers of.",
            "einsum only compares lengths. Ask what the 512 columns of the last weight are about, and how to test a CAM.",
        ),
    )

"""Why each option of the quizzes of `keepdim` is right or wrong. The options' texts are in the source notebook."""

from camwidget.course.items import Option

OPTIONS = {
    "keepdim.error": {
        "a": Option("The weights would have to meet the channels, but they meet the width."),
        "b": Option("1280 and 7 are different and neither is 1: nothing can be stretched."),
        "c": Option("1280 weights meet a width of 7, and neither of the two is 1.", right=True),
        "d": Option("That takes a width that the weights fit. Here it is 7."),
    },
    "keepdim.meets": {
        "a": Option("That is the right map. It takes weights of shape (channel, 1, 1)."),
        "b": Option("The weights lie along the last axis: the width.", right=True),
        "c": Option("Rows are the axis before the last; weights of (channel, 1) meet it."),
        "d": Option("A single axis is repeated over all others, not matched with them."),
    },
}

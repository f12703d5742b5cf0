"""Why each option of the quizzes of `nlp_cam` is right or wrong. The options' texts are in the source notebook."""

from camwidget.course.items import Option

OPTIONS = {
    "nlp_cam.same_colours": {
        "a": Option(
            "Then the two classes would be equally probable. Which words speak for which class would still differ."
        ),
        "b": Option(
            "What does not depend on the class cannot say anything about it. Two classes side by side show it at once.",
            right=True,
        ),
        "c": Option("With two classes the maps are often each other's opposite. They are not the same."),
        "d": Option("Scaling changes how strong a colour is, not which words it is on, nor the sign."),
    },
    "nlp_cam.negation": {
        "a": Option(
            "The map shows what the network does, not what the review means. The network may well count 'good' as good."
        ),
        "b": Option(
            "Deeper layers see a word's neighbours. Whether they have learned what 'not' does is another matter: slide to them and look.",
            right=True,
        ),
        "c": Option(
            "If the probability hardly moves, it has learned nothing of 'not'. That is an experiment, not a colour.",
            right=True,
        ),
        "d": Option(
            "An unknown word has no meaning of its own for the network. That is another gap: its colour says nothing at all about that word."
        ),
    },
}

"""Why each option of the quiz of `mistakes` is right or wrong. The options' texts are in the source notebook."""

from camwidget.course.items import Option

OPTIONS = {
    "mistakes.cannot_tell": {
        "a": Option("A map tells this: it says how much each cell adds to the logit of the class."),
        "b": Option(
            "A map shows what one layer adds up. What would be without it, only a changed picture shows: hide it and ask again.",
            right=True,
        ),
        "c": Option(
            "Darkness lies over the whole picture. It has no place, so no cell stands out. The table of kinds finds it.",
            right=True,
        ),
        "d": Option("The difference of the two maps tells this. It adds up to the difference of the two logits."),
        "e": Option(
            "A map shows what is in a picture. What was never trained on is in no picture: counting finds it.",
            right=True,
        ),
    },
}

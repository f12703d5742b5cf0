"""Items of `nlp_cam`: which words decide a review."""

from camwidget.course.assignments.nlp_cam.judges import (
    judge_gradient_times_input,
    judge_leave_one_out,
    judge_logits,
    judge_without_top,
    judge_word_scores,
)
from camwidget.course.attempt import Attempt
from camwidget.course.items import Items, Option, add_quiz

ITEMS = Items("nlp_cam")


@ITEMS.item(
    "word_scores",
    "Score every word for every class",
    difficulty=1,
    minutes=6,
    facts={
        "shape": ("there is one row per class, with one value per word", 1),
        "values": ("each value is the sum over channels of weight times activation", 2),
        "kept": ("weight and activation are left as they were", 1),
    },
    hints=(
        'For pictures it was `"ck,kij->cij"`. A text has one axis less.',
        "Letters: k for channels, c for classes, p for the place of a word.",
        '`torch.einsum("ck,kp->cp", weight, activation)`, or simply `weight @ activation`',
    ),
)
def word_scores(attempt: Attempt) -> None:
    """Judge a function (activation, weight) -> scores."""
    judge_word_scores(attempt, channels=(2, 9))


@ITEMS.item(
    "logits",
    "From the words back to the logit, with padding",
    difficulty=2,
    minutes=8,
    facts={
        "shape": ("there is one logit per class", 1),
        "values": ("the mean over the words, without padding, plus the bias", 2),
        "full": ("it is right without padding too", 1),
    },
    hints=(
        "Texts of one batch are filled up to one length. What stands there is no word. May it count?",
        "Add up the scores of the words only, and divide by how many words there are.",
        "`(scores * is_word).sum(dim=1) / is_word.sum() + bias`, or `scores[:, is_word].mean(dim=1) + bias`",
    ),
)
def logits_from_words(attempt: Attempt) -> None:
    """Judge a function (scores, bias, is_word) -> logits."""
    judge_logits(attempt, longest=12)


@ITEMS.item(
    "gradient_times_input",
    "Gradient times input",
    difficulty=2,
    minutes=7,
    facts={
        "shape": ("there is one value per word", 1),
        "values": ("it is the sum over channels of gradient times embedding", 2),
    },
    hints=(
        "A word is a row of numbers, its embedding. The gradient says what each of them is worth.",
        "Multiply number by number, then add up within each word.",
        "`(gradient * embedding).sum(dim=1)`",
    ),
)
def gradient_times_input(attempt: Attempt) -> None:
    """Judge a function (gradient, embedding) -> values."""
    judge_gradient_times_input(attempt, width=(1, 4))


@ITEMS.item(
    "leave_one_out",
    "Leave one word out",
    difficulty=2,
    minutes=8,
    facts={
        "shape": ("there is one number per word, in their order", 1),
        "values": ("it is the number with all words minus the number without this one", 2),
        "kept": ("the list of words is left as it was", 1),
    },
    hints=(
        "Ask the network once with all words, and once more for each word. What do you compare?",
        "Leave out one *place*: a word may stand there twice.",
        "`whole = predict(words)`, then for each place `whole - predict(words[:place] + words[place + 1:])`",
    ),
)
def leave_one_out(attempt: Attempt) -> None:
    """Judge a function (predict, words) -> losses."""
    judge_leave_one_out(attempt, longest=8)


@ITEMS.item(
    "without_top",
    "Delete the words that count most",
    difficulty=2,
    minutes=7,
    facts={
        "form": ("a list of words is returned", 1),
        "words": ("those with the largest values are gone, the others in their order", 2),
        "kept": ("the list of words is left as it was", 1),
    },
    hints=(
        "Find the places to delete first. Then go through the text once.",
        "`torch.topk` gives the places of the largest values. A large negative value is no reason to delete.",
        "`gone = set(values.topk(count).indices.tolist())`, then keep `word` where its place is not in `gone`.",
    ),
)
def without_top(attempt: Attempt) -> None:
    """Judge a function (words, values, count) -> words."""
    judge_without_top(attempt, longest=10)


add_quiz(
    ITEMS,
    "same_colours",
    "A tool colours the words the same for every class. What is the most likely reason?",
    {
        "a": Option(
            "The review is equally good and bad.",
            "Then the two classes would be equally probable. Which words speak for which class would still differ.",
        ),
        "b": Option(
            "The tool forgot the gradient, or shows the activation alone: the class never enters.",
            "What does not depend on the class cannot say anything about it. Two classes side by side show it at once.",
            right=True,
        ),
        "c": Option(
            "The network has only two classes.",
            "With two classes the maps are often each other's opposite. They are not the same.",
        ),
        "d": Option(
            "The colours are scaled to the largest value.",
            "Scaling changes how strong a colour is, not which words it is on, nor the sign.",
        ),
    },
    minutes=3,
    hints=(
        "Where does the class enter the computation of a map?",
        "In CAM it chooses a row of the weight; in Grad-CAM it chooses the number whose gradient is taken.",
        "If neither happens, every class gets the same picture.",
    ),
)

add_quiz(
    ITEMS,
    "negation",
    "In 'not a good film' the word 'good' is coloured as speaking for the positive class. What may be true?",
    {
        "a": Option(
            "The map is wrong: the review is negative.",
            "The map shows what the network does, not what the review means. The network may well count 'good' as good.",
        ),
        "b": Option(
            "The network adds up words, and 'good' on its own does speak for it.",
            "Deeper layers see neighbours and may mend that. Slide to them and look.",
            right=True,
        ),
        "c": Option(
            "Leaving out 'not' would tell more about what the network has learned of negation.",
            "If the probability hardly moves, it has learned nothing of 'not'. That is an experiment, not a colour.",
            right=True,
        ),
        "d": Option(
            "Words that the network does not know have the same problem.",
            "An unknown word has no meaning of its own for the network. That is another gap: its colour says nothing at all about that word.",
        ),
    },
    points=2,
    difficulty=2,
    minutes=5,
    hints=(
        "Two of the four are right.",
        "A map explains the network. It does not judge the review.",
        "Try it: explain 'a good film' and 'not a good film', layer by layer, and leave words out.",
    ),
)

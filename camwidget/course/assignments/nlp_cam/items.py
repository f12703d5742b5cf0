"""The items of `nlp_cam`: which words decide a review."""

from functools import partial

from camwidget.course.assignments.nlp_cam.judges import (
    judge_gradient_times_input,
    judge_leave_one_out,
    judge_logits,
    judge_without_top,
    judge_word_scores,
)
from camwidget.course.assignments.nlp_cam.quizzes import OPTIONS
from camwidget.course.items import Item, quiz

ITEMS = (
    Item(
        "nlp_cam.word_scores",
        "Score every word for every class",
        judge=partial(judge_word_scores, channels=(2, 9)),
        facts={
            "shape": ("there is one row per class, with one value per word", 1),
            "values": ("each value is the sum over channels of weight times activation", 2),
            "kept": ("weight and activation are left as they were", 1),
        },
    ),
    Item(
        "nlp_cam.logits",
        "From the words back to the logit, with padding",
        judge=partial(judge_logits, longest=12),
        facts={
            "shape": ("there is one logit per class", 1),
            "values": ("the mean over the words, without padding, plus the bias", 2),
            "full": ("it is right without padding too", 1),
        },
    ),
    Item(
        "nlp_cam.gradient_times_input",
        "Gradient times input",
        judge=partial(judge_gradient_times_input, width=(1, 4)),
        facts={
            "shape": ("there is one value per word", 1),
            "values": ("it is the sum over channels of gradient times embedding", 2),
        },
    ),
    Item(
        "nlp_cam.leave_one_out",
        "Leave one word out",
        judge=partial(judge_leave_one_out, longest=8),
        facts={
            "shape": ("there is one number per word, in their order", 1),
            "values": ("it is the number with all words minus the number without this one", 2),
            "kept": ("the list of words is left as it was", 1),
        },
    ),
    Item(
        "nlp_cam.without_top",
        "Delete the words that count most",
        judge=partial(judge_without_top, longest=10),
        facts={
            "form": ("a list of words is returned", 1),
            "words": ("those with the largest values are gone, the others in their order", 2),
            "kept": ("the list of words is left as it was", 1),
        },
    ),
    quiz(
        "nlp_cam.same_colours",
        "A tool colours the words the same for every class. What is the most likely reason?",
        OPTIONS["nlp_cam.same_colours"],
    ),
    quiz(
        "nlp_cam.negation",
        "In 'not a good film' the word 'good' is coloured as speaking for the positive class. What may be true?",
        OPTIONS["nlp_cam.negation"],
        points=2,
    ),
)

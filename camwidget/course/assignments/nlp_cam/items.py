"""The items of `nlp_cam`: which words decide a review."""

from functools import partial

from camwidget.course.assignments.nlp_cam.deleting import judge_leave_one_out, judge_without_top
from camwidget.course.assignments.nlp_cam.judges import (
    judge_gradient_times_input,
    judge_logits,
    judge_word_scores,
)
from camwidget.course.assignments.nlp_cam.quizzes import OPTIONS
from camwidget.course.items import Item, quiz

ITEMS = (
    Item(
        "nlp_cam.word_scores",
        "Score every word for every class",
        judge=partial(judge_word_scores, high=9),
        rounds=1,
        facts={
            "shape": ("there is one row per class, with one value per word", 1),
            "values": ("each value is the sum over channels of weight times activation", 2),
            "kept": ("weight and activation are left as they were", 1),
        },
    ),
    Item(
        "nlp_cam.logits",
        "From the words back to the logit, with padding",
        judge=partial(judge_logits, longest=16),
        rounds=1,
        facts={
            "shape": ("there is one logit per class", 1),
            "values": ("the mean over the words, without the filling, plus the bias", 1),
            "filling": ("it is right wherever the filling stands, and however many words there are", 1),
            "full": ("it is right without filling too", 1),
            "kept": ("what was given is left as it was", 1),
        },
    ),
    Item(
        "nlp_cam.gradient_times_input",
        "Gradient times input",
        judge=partial(judge_gradient_times_input, high=9),
        rounds=1,
        facts={
            "shape": ("there is one value per word", 1),
            "values": ("it is the sum over channels of gradient times embedding", 2),
            "kept": ("gradient and embedding are left as they were", 1),
        },
    ),
    Item(
        "nlp_cam.leave_one_out",
        "Leave one word out",
        judge=partial(judge_leave_one_out, longest=8),
        rounds=1,
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
        rounds=1,
        facts={
            "form": ("a list of words is returned", 1),
            "words": ("those with the largest values are gone, the others in their order", 2),
            "count": ("as many as `count` says: none, all of them, and not one more where values are equal", 1),
            "kept": ("words and values are left as they were", 1),
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

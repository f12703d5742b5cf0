"""The items of `mistakes`: which pictures a network gets wrong, and why."""

from functools import partial

from camwidget.course.assignments.mistakes.counting import judge_missing
from camwidget.course.assignments.mistakes.hiding import judge_hiding
from camwidget.course.assignments.mistakes.losses import judge_top_losses
from camwidget.course.assignments.mistakes.maps import judge_difference, judge_shared_cell
from camwidget.course.assignments.mistakes.quizzes import OPTIONS
from camwidget.course.assignments.mistakes.sure import judge_sure_and_wrong
from camwidget.course.assignments.mistakes.turns import judge_gallery
from camwidget.course.items import Item, quiz

ITEMS = (
    Item(
        "mistakes.top_losses",
        "The largest losses, from logits",
        judge=partial(judge_top_losses, high=9),
        rounds=1,
        facts={
            "form": ("two things come back: `k` losses, and `k` rows", 1),
            "losses": ("each loss is minus the logarithm of the probability of the true class", 1),
            "order": ("they are the largest ones, the largest first, each with its row", 1),
            "large": ("they are right for very large logits too", 1),
            "kept": ("logits and labels are left as they were", 1),
        },
    ),
    Item(
        "mistakes.sure_and_wrong",
        "Most sure, and wrong",
        judge=partial(judge_sure_and_wrong, high=10),
        rounds=1,
        facts={
            "form": ("a flat list of row numbers is returned", 1),
            "chosen": ("it holds every mistake once, and no right answer", 1),
            "order": ("the most sure mistake comes first", 1),
            "none": ("where no answer is wrong the list is empty", 1),
            "kept": ("logits and labels are left as they were", 1),
        },
    ),
    Item(
        "mistakes.difference",
        "Why this, and why not that",
        judge=partial(judge_difference, high=7),
        rounds=1,
        facts={
            "shape": ("there is one map per picture, of the activation's height and width", 1),
            "values": ("each cell has its share of the difference of the two logits", 2),
            "sum": ("each map adds up to the logit of what was said minus that of what is true", 1),
            "kept": ("what was given is left as it was", 1),
        },
    ),
    Item(
        "mistakes.place",
        "The place that a group shares",
        judge=partial(judge_shared_cell, high=8),
        rounds=1,
        facts={
            "form": ("a row and a column are returned, as whole numbers", 1),
            "cell": ("it is the largest cell of the mean of the maps, each divided by its length", 2),
            "zero": ("a map of zeros spoils nothing", 1),
            "kept": ("the maps are left as they were", 1),
        },
    ),
    Item(
        "mistakes.occlusion",
        "A fair test: hide it, and hide as much elsewhere",
        judge=partial(judge_hiding, longest=20),
        rounds=1,
        facts={
            "form": ("three numbers are returned", 1),
            "here": ("the first is the probability that is lost when the place is hidden", 1),
            "elsewhere": ("the second is what is lost when as much is hidden elsewhere", 1),
            "effect": ("the third is the first minus the second", 1),
            "left": ("nothing is recorded, and network and pictures are left as they were", 1),
        },
    ),
    Item(
        "mistakes.missing",
        "Which kind is missing?",
        judge=partial(judge_missing, most=14),
        rounds=1,
        facts={
            "form": ("there is an entry of two numbers for each class and kind in test, and for no other", 1),
            "share": ("the first is the share of the kind among the training pictures of the class", 1),
            "zero": ("it is 0 where training has none, also for a class that it lacks", 1),
            "rate": ("the second is the error rate of the class and the kind in test", 1),
            "kept": ("both lists are left as they were", 1),
        },
    ),
    quiz("mistakes.cannot_tell", "What can a map not tell?", OPTIONS["mistakes.cannot_tell"], points=2),
    Item(
        "mistakes.panel",
        "Your own order drives the gallery",
        judge=partial(judge_gallery, most=20),
        rounds=1,
        facts={
            "form": ("a flat list of row numbers is returned", 1),
            "chosen": ("it holds every mistake once, and no right answer", 1),
            "turns": ("every kind of mistake has its turn before one comes again", 1),
            "loss": ("within a round, and within a kind, the largest loss comes first", 1),
            "kept": ("what was given is left as it was", 1),
        },
    ),
)

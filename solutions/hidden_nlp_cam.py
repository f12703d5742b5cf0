"""The teacher's hidden checks of `nlp_cam`: longer texts, wider networks, the same facts."""

from camwidget.course.assignments.nlp_cam.judges import (
    judge_gradient_times_input,
    judge_leave_one_out,
    judge_logits,
    judge_without_top,
    judge_word_scores,
)
from camwidget.course.attempt import Attempt
from camwidget.course.items import Items, items_of

VISIBLE = items_of("nlp_cam").found
ITEMS = Items("nlp_cam")


@ITEMS.item("word_scores", "Scores", facts=VISIBLE["nlp_cam.word_scores"].facts)
def word_scores(attempt: Attempt) -> None:
    """Many channels."""
    judge_word_scores(attempt, channels=(40, 60))


@ITEMS.item("logits", "Logits", facts=VISIBLE["nlp_cam.logits"].facts, rounds=4)
def logits_from_words(attempt: Attempt) -> None:
    """Longer texts."""
    judge_logits(attempt, longest=40)


@ITEMS.item("gradient_times_input", "Gradient times input", facts=VISIBLE["nlp_cam.gradient_times_input"].facts)
def gradient_times_input(attempt: Attempt) -> None:
    """Wider embeddings."""
    judge_gradient_times_input(attempt, width=(30, 40))


@ITEMS.item("leave_one_out", "Leave one out", facts=VISIBLE["nlp_cam.leave_one_out"].facts, rounds=5)
def leave_one_out(attempt: Attempt) -> None:
    """Longer texts."""
    judge_leave_one_out(attempt, longest=20)


@ITEMS.item("without_top", "Delete the top", facts=VISIBLE["nlp_cam.without_top"].facts, rounds=6)
def without_top(attempt: Attempt) -> None:
    """Longer texts."""
    judge_without_top(attempt, longest=30)


for short_name in ("same_colours", "negation"):
    quiz = VISIBLE[f"nlp_cam.{short_name}"]
    ITEMS.item(short_name, quiz.title, facts=quiz.facts, rounds=quiz.rounds)(quiz.judge)

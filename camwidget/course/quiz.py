"""Quizzes: questions with a few options, and a sentence for each option that says why it is right or wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from camwidget.course.attempt import Attempt
from camwidget.course.items import Items


@dataclass(frozen=True)
class Option:
    """One option of a quiz."""

    says: str
    """What can be chosen, as the notebook prints it."""
    because: str
    """Why it is right or wrong; shown to whoever chose it."""
    right: bool = False
    """Whether it belongs to the answer."""


def add_quiz(
    items: Items,
    short_name: str,
    title: str,
    options: Mapping[str, Option],
    *,
    question: int | None = None,
    points: int = 1,
    minutes: int = 3,
    difficulty: int = 1,
    hints: Sequence[str] = (),
) -> None:
    """Add an item whose answer is the letter of an option, or all right letters in one string or collection.

    The reasons of all chosen options are told; what would have been right is not.

    Args:
        items: the assignment's items.
        short_name: such as "q1".
        title: the question.
        options: letter to option.
        question: number in the chapter's questionnaire.
        points: what it is worth.
        minutes: about how long it takes.
        difficulty: 1 to 3.
        hints: see `Item`.
    """
    right = {letter for letter, option in options.items() if option.right}
    allowed = ", ".join(map(repr, options))

    def judge(attempt: Attempt) -> None:
        chosen = _letters(attempt.answer)
        unknown = sorted(chosen - options.keys())
        if unknown or not chosen:
            got = repr(attempt.answer)
            likely = f"answer with letters such as {next(iter(options))!r}"
            attempt.fact("chosen", False, expected=f"one or more of {allowed}", got=got, likely=likely, stop=True)
        attempt.note = "\n".join(f"{letter}: {options[letter].because}" for letter in sorted(chosen))
        missing = len(right - chosen)
        several = f"more than one option is right: {missing} missing" if missing and len(right) > 1 else ""
        likely = "read what is said about your choice, then choose again" if chosen - right else several
        attempt.fact("chosen", chosen == right, got=", ".join(sorted(chosen)), likely=likely)

    facts = {"chosen": ("the right option is chosen" if len(right) == 1 else "all right options are chosen", points)}
    items.item(
        short_name, title, facts=facts, question=question, difficulty=difficulty, minutes=minutes, hints=hints, rounds=1
    )(judge)


def _letters(answer: object) -> set[str]:
    if isinstance(answer, str):
        return set(answer.lower().replace(",", " ").replace(" ", ""))
    if isinstance(answer, list | tuple | set | frozenset):
        return {str(each).strip().lower() for each in answer}
    return set()

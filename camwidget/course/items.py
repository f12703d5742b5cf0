"""What an item of the course is, and how one is found by its name. A quiz is an item too."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import partial

from camwidget.course.attempt import Attempt
from camwidget.course.order import ASSIGNMENTS
from camwidget.errors import CourseError, nearest, three_parts

SEE_NOTE = "read what is said about your choice, then choose again"
"""Said of a quiz where a wrong option was chosen: why it is wrong stands in the note, a line for each option chosen."""
Judge = Callable[[Attempt], None]
"""Tries an answer once, with sizes that it draws from the attempt, and states which facts hold."""


@dataclass(frozen=True)
class Item:
    """One thing a learner does: what is promised about it, and who judges it.

    Task, hints, difficulty and minutes are in the source notebook, and nowhere else.
    """

    name: str
    """The assignment, a dot, and a short name, such as "hooks.q5"."""
    title: str
    """What it is about, in a few words; the heading of its task."""
    _: KW_ONLY
    judge: Judge
    """Called once per round."""
    facts: Mapping[str, tuple[str, int]]
    """Key to the sentence and the points of each fact, in the order in which they are checked."""
    rounds: int = 3
    """How many times an answer is judged, with other numbers each time."""

    @property
    def points(self) -> float:
        """What all its facts are worth together."""
        return float(sum(points for _, points in self.facts.values()))


@dataclass(frozen=True)
class Option:
    """One option of a quiz. Its text is in the source notebook."""

    because: str
    """Why it is right or wrong; shown to whoever chose it."""
    right: bool = False
    """Whether it belongs to the answer."""


def quiz(name: str, title: str, options: Mapping[str, Option], *, points: int = 1) -> Item:
    """Return an item whose answer is the letter of an option, or all right letters in one string or collection.

    The report gives the reason for every option that was chosen, but not which ones would have been right.

    Args:
        name: such as "hooks.q1a".
        title: the question.
        options: letter to option.
        points: what it is worth.
    """
    several = sum(option.right for option in options.values()) > 1
    chosen = "you chose all the right options, and no other" if several else "you chose the right option"
    return Item(
        name, title, judge=partial(_judge_choice, options=options), facts={"chosen": (chosen, points)}, rounds=1
    )


def _judge_choice(attempt: Attempt, *, options: Mapping[str, Option]) -> None:
    right = {letter for letter, option in options.items() if option.right}
    chosen = _letters(attempt.answer)
    if not chosen or chosen - options.keys():
        expected = f"one or more of {', '.join(map(repr, options))}"
        likely = f"answer with letters such as {next(iter(options))!r}"
        attempt.fact("chosen", False, expected=expected, got=repr(attempt.answer), likely=likely, stop=True)
    attempt.note = "\n".join(f"{letter}: {options[letter].because}" for letter in sorted(chosen))
    missing = len(right - chosen)
    likely = f"more than one option is right: {missing} missing" if missing and len(right) > 1 else ""
    if chosen - right:
        likely = SEE_NOTE
    attempt.fact("chosen", chosen == right, got=", ".join(sorted(chosen)), likely=likely)


def _letters(answer: object) -> set[str]:
    if isinstance(answer, str):
        return set(answer.lower()) - set(" ,.;:()")
    if isinstance(answer, list | tuple | set | frozenset):
        return {str(letter).strip().lower() for letter in answer}
    return set()


def items_of(assignment: str, *, hidden: bool = False) -> Mapping[str, Item]:
    """Return the items of an assignment by their names, in its order.

    Args:
        assignment: one of `ASSIGNMENTS`.
        hidden: the teacher's hidden checks instead, from a module `hidden_<assignment>` on Python's path; the package
            neither has nor installs it.

    Raises:
        CourseError: there is no such assignment, its hidden checks are not on the path, or its items are not sound.
    """
    if assignment not in ASSIGNMENTS:
        close = nearest(assignment, ASSIGNMENTS, count=1)
        advice = f"Did you mean {close[0]!r}?" if close else "Choose one of these"
        allowed = f"Assignments are {', '.join(map(repr, ASSIGNMENTS))}"
        raise CourseError(three_parts(f"There is no assignment {assignment!r}", allowed, advice))
    module = f"hidden_{assignment}" if hidden else f"camwidget.course.assignments.{assignment}.items"
    try:
        items: Sequence[Item] = importlib.import_module(module).ITEMS
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        given = f"The checks of {assignment!r} are not there: no module {module}"
        allowed = "Hidden checks are the teacher's and lie beside the solutions"
        raise CourseError(three_parts(given, allowed, "Grade with the repository's nbgrader_config.py")) from error
    return _by_name(items)


def _by_name(items: Sequence[Item]) -> dict[str, Item]:
    by_name: dict[str, Item] = {}
    for item in items:
        if item.name in by_name or not item.facts:
            wrong = "is there already" if item.name in by_name else "promises no fact"
            allowed = "Names are used once, and every item has facts"
            raise CourseError(three_parts(f"Item {item.name!r} {wrong}", allowed, "Change one of them"))
        by_name[item.name] = item
    return by_name


def find_item(name: str, *, hidden: bool = False) -> Item:
    """Return an item by its name.

    Args:
        name: such as "hooks.q5".
        hidden: see `items_of`.

    Raises:
        TypeError: the name is not a string.
        CourseError: there is no such item; the message has the nearest names.
    """
    if not isinstance(name, str):
        given = f"The first argument is {name!r}"
        raise TypeError(three_parts(given, "It is the item's name", 'Use check("hooks.q5", your_function)'))
    assignment = name.partition(".")[0]
    items = items_of(assignment, hidden=hidden)
    if name in items:
        return items[name]
    close = nearest(name, items)
    allowed = f"{assignment!r} has {', '.join(map(repr, items))}"
    advice = f"Did you mean {' or '.join(map(repr, close))}?" if close else "Choose one of these"
    raise CourseError(three_parts(f"There is no item {name!r}", allowed, advice))

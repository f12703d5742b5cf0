"""The items of the course: what each promises and how it is judged; quizzes among them."""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from camwidget.course.attempt import Attempt
from camwidget.errors import CourseError, nearest, three_parts

ASSIGNMENTS = ("hooks", "cam", "grad_cam", "keepdim", "nlp_cam")
"""The assignments, in the order of the course."""

Judge = Callable[[Attempt], None]
"""Looks at an answer once, with the sizes that the attempt draws."""


@dataclass(frozen=True)
class Item:
    """One thing a learner does, with everything that is known about it."""

    name: str
    """The assignment, a dot, and a short name, such as "hooks.q5"."""
    title: str
    """What it is about, in a few words."""
    facts: Mapping[str, tuple[str, int]]
    """Key to what the fact says and its points; in the order in which they are looked at."""
    judge: Judge
    """Looks at an answer; called once per round."""
    question: int | None = None
    """Number of the question in the chapter's questionnaire, if it mirrors one."""
    difficulty: int = 1
    """1 (easy) to 3."""
    minutes: int = 5
    """About how long it takes."""
    hints: Sequence[str] = ()
    """A nudge, an approach, almost the answer."""
    rounds: int = 3
    """How many times it is judged, each with other numbers."""

    @property
    def points(self) -> float:
        """What all its facts are worth together."""
        return float(sum(points for _, points in self.facts.values()))


@dataclass(frozen=True)
class Items:
    """The items of one assignment, by their short names.

    Args:
        assignment: the assignment's name.
    """

    assignment: str
    found: dict[str, Item] = field(default_factory=dict)
    """Full name to item, in the order in which they were added."""

    def item(
        self,
        short_name: str,
        title: str,
        *,
        facts: Mapping[str, tuple[str, int]],
        question: int | None = None,
        difficulty: int = 1,
        minutes: int = 5,
        hints: Sequence[str] = (),
        rounds: int = 3,
    ) -> Callable[[Judge], Judge]:
        """Add the decorated judge as an item; see `Item` for what the arguments mean.

        Raises:
            CourseError: the name is taken, or no fact is promised.
        """
        name = f"{self.assignment}.{short_name}"
        if name in self.found or not facts:
            given = f"Item {name!r} {'is there already' if name in self.found else 'promises no fact'}"
            raise CourseError(three_parts(given, "Names are used once, and every item has facts", "Change one of them"))

        def add(judge: Judge) -> Judge:
            self.found[name] = Item(
                name, title, MappingProxyType(dict(facts)), judge, question, difficulty, minutes, tuple(hints), rounds
            )
            return judge

        return add

    def __iter__(self) -> Iterator[Item]:
        return iter(self.found.values())


def items_of(assignment: str, *, hidden: bool = False) -> Items:
    """Return the items of an assignment.

    Args:
        assignment: one of `ASSIGNMENTS`.
        hidden: the teacher's hidden checks instead, from a module `hidden_<assignment>` on Python's path; the package
            neither has nor installs it.

    Raises:
        CourseError: there is no such assignment, or its hidden checks are not on the path.
    """
    if assignment not in ASSIGNMENTS:
        close = nearest(assignment, ASSIGNMENTS, count=1)
        advice = f"Did you mean {close[0]!r}?" if close else "Choose one of these"
        allowed = f"Assignments are {', '.join(map(repr, ASSIGNMENTS))}"
        raise CourseError(three_parts(f"There is no assignment {assignment!r}", allowed, advice))
    module = f"hidden_{assignment}" if hidden else f"camwidget.course.assignments.{assignment}.items"
    try:
        items: Items = importlib.import_module(module).ITEMS
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        given = f"The checks of {assignment!r} are not there: no module {module}"
        allowed = "Hidden checks are the teacher's and lie beside the solutions"
        raise CourseError(three_parts(given, allowed, "Grade with the repository's nbgrader_config.py")) from error
    return items


def find_item(name: str, *, hidden: bool = False) -> Item:
    """Return an item by its name.

    Args:
        name: such as "hooks.q5".
        hidden: see `items_of`.

    Raises:
        CourseError: there is no such item; the message has the nearest names.
    """
    if not isinstance(name, str):
        given = f"The first argument is {name!r}"
        raise TypeError(three_parts(given, "It is the item's name", 'Use check("hooks.q5", your_function)'))
    items = items_of(name.partition(".")[0], hidden=hidden)
    if name in items.found:
        return items.found[name]
    close = nearest(name, items.found)
    allowed = f"{items.assignment!r} has {', '.join(map(repr, items.found))}"
    advice = f"Did you mean {' or '.join(map(repr, close))}?" if close else "Choose one of these"
    raise CourseError(three_parts(f"There is no item {name!r}", allowed, advice))


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

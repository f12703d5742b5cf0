"""`check`: judge an answer by its item and report the facts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from camwidget.course.attempt import Abandoned, Attempt
from camwidget.course.calling import Budget
from camwidget.course.items import Item, find_item
from camwidget.course.report import Fact, Report, unreached

LIMIT_S = 2.0
"""Seconds that an answer may use while it is checked in a notebook."""
HIDDEN_LIMIT_S = 10.0
"""Seconds that it may use under a teacher's hidden checks."""
SEED = 18
HIDDEN_SEED = 1918
"""Hidden checks draw other sizes and numbers, even where they judge in the same way."""


def check(name: str, *answers: Any, hidden: bool = False) -> Report:
    """Judge an answer at once, and say in plain words what holds and what does not yet.

    The answer is called several times, with other sizes and numbers each time. What it prints or warns costs nothing;
    what it raises is told. PyTorch's random state and gradient mode are afterwards as they were.

    Args:
        name: the item, such as "hooks.q5".
        answers: your function, class or value; the exercise says what to hand in.
        hidden: use the teacher's hidden checks. They are on no learner's machine.

    Raises:
        CourseError: there is no such item.

    Example:
        >>> check("hooks.q1", None).started
        False
    """
    return judged(find_item(name, hidden=hidden), answers, hidden=hidden)


def judged(item: Item, answers: tuple[Any, ...], *, hidden: bool = False, seed: int | None = None) -> Report:
    """Return the report on an answer to an item.

    Args:
        item: the item.
        answers: what was handed in.
        hidden: whether the report is for a teacher's hidden checks.
        seed: of all that is drawn; None for `SEED`, and for `HIDDEN_SEED` under hidden checks.
    """
    budget = Budget(HIDDEN_LIMIT_S if hidden else LIMIT_S)
    found: dict[str, Fact] = {}
    stopped, note, printed, unwritten = "", "", [], not answers or all(_empty(each) for each in answers)
    recording = torch.is_grad_enabled()
    if seed is None:
        seed = HIDDEN_SEED if hidden else SEED
    with torch.random.fork_rng(devices=[]), _one_thread():
        for round_ in range(item.rounds if not unwritten else 0):
            attempt = Attempt(answers, promised=item.facts, seed=seed + 1009 * round_, budget=budget)
            try:
                item.judge(attempt)
            except Abandoned:
                stopped, unwritten = attempt.stopped, attempt.unwritten
                # What held before, but was not looked at this time, did not hold every time.
                found = {key: fact for key, fact in found.items() if not fact.passed or key in attempt.facts}
            finally:
                torch.set_grad_enabled(recording)
            found |= {key: fact for key, fact in attempt.facts.items() if key not in found or found[key].passed}
            note = attempt.note or note
            printed += [each for each in attempt.printed if each not in printed]
            if stopped or unwritten or not all(fact.passed for fact in attempt.facts.values()):
                break
    facts = tuple(found.get(key) or unreached([promise])[0] for key, promise in item.facts.items())
    return Report(
        item.name, item.title, facts, not unwritten, "" if unwritten else stopped, note, "\n".join(printed), hidden
    )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Tiny networks gain nothing from several threads, and lose a lot where the machine is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _empty(answer: Any) -> bool:
    return answer is None or answer is ...

"""`check`: judge an answer to an item and report which facts hold.

Each round, the item's judge gets an `Attempt` with a seed of its own, draws sizes and a network, computes the right
values, calls the answer and states facts. Rounds end once a fact fails, and are merged into one `Report`. Its `score`
shows it and returns the points, which nbgrader reads as the mark. In a graded notebook a cell's last line is the hidden
check's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch

from camwidget.course.attempt import Abandoned, Attempt
from camwidget.course.calling import Budget
from camwidget.course.items import Item, find_item
from camwidget.course.report import Fact, Report
from camwidget.course.ways import ways_of

LIMIT_S = 2.0
"""Seconds of computing that an answer may use when it is checked in a notebook."""
HIDDEN_LIMIT_S = 10.0
"""Seconds that it may use under a teacher's hidden checks."""
SEED = 18
HIDDEN_SEED = 1918
"""Hidden checks draw other sizes and numbers, even if their judge is the same."""
_SEEDS_APART = 1009
"""From one round's seed to the next."""


def check(name: str, *answers: Any, hidden: bool = False) -> Report:
    """Judge an answer at once, and say in plain words what is right and what is not yet.

    The answer is called several times, with other sizes and numbers each time. What it prints or warns costs nothing;
    what it raises is reported. PyTorch's random state and gradient mode are restored. Beside a right
    answer stand two ways to write it, to compare.

    Args:
        name: the item, such as "hooks.q5".
        answers: your function, class or value; the exercise says what to hand in. If one of several is missing, the
            exercise counts as not started.
        hidden: use the teacher's hidden checks, which no learner's machine has.

    Raises:
        CourseError: there is no such item.

    Example:
        >>> check("hooks.q1", None).started
        False
    """
    report = judged(find_item(name, hidden=hidden), answers, hidden=hidden)
    return replace(report, ways=ways_of(name)) if report.right and not hidden else report


def judged(
    item: Item, answers: tuple[Any, ...], *, hidden: bool = False, seed: int | None = None, budget: Budget | None = None
) -> Report:
    """Return the report on an answer to an item.

    Args:
        item: the item.
        answers: what was handed in.
        hidden: whether these are the teacher's hidden checks.
        seed: for the sizes and numbers of all rounds; one that anybody can read here by default.
        budget: what calls the answer, and for how long; in this process by default.
    """
    seed = (HIDDEN_SEED if hidden else SEED) if seed is None else seed
    budget = budget or Budget(HIDDEN_LIMIT_S if hidden else LIMIT_S)
    stated: dict[str, Fact] = {}
    stopped, note, printed, unwritten = "", "", [], not answers or any(_is_empty(answer) for answer in answers)
    recording = torch.is_grad_enabled()
    with torch.random.fork_rng(devices=[]), _one_thread():
        for round_ in range(item.rounds if not unwritten else 0):
            attempt = Attempt(answers, promised=item.facts, seed=seed + _SEEDS_APART * round_, budget=budget)
            try:
                item.judge(attempt)
                unwritten = attempt.unwritten
            except Abandoned:
                stopped, unwritten = attempt.stopped, attempt.unwritten
            finally:
                torch.set_grad_enabled(recording)
            if attempt.stopped and all(key in attempt.facts and attempt.facts[key].passed for key in item.facts):
                # Everything held until a later call failed: what that call would have shown did not hold every time.
                open_ = {key: Fact(*item.facts[key], passed=False, tried=False) for key in attempt.not_reached()}
                attempt.facts |= open_
            # A fact that held in earlier rounds but was not reached in this one did not hold every time.
            stated = {key: fact for key, fact in stated.items() if not fact.passed or key in attempt.facts}
            stated |= {key: fact for key, fact in attempt.facts.items() if key not in stated or stated[key].passed}
            note = attempt.note or note
            printed += [text for text in attempt.printed if text not in printed]
            if stopped or unwritten or not all(fact.passed for fact in attempt.facts.values()):
                break
    return Report(
        item.name,
        item.title,
        tuple(stated.get(key) or Fact(*promise, passed=False, tried=False) for key, promise in item.facts.items()),
        started=not unwritten,
        stopped="" if unwritten else stopped,
        note=note,
        printed="\n".join(printed),
        hidden=hidden,
    )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Tiny networks gain nothing from several threads, and lose a lot on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _is_empty(answer: Any) -> bool:
    return answer is None or answer is ...

"""The judge of `mistakes.panel`: one mistake of each kind before the next of any. The hidden check uses it too."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from camwidget.course.assignments.awkward import Apart
from camwidget.course.assignments.mistakes.rows import by, judge_rows, known_order, rows_in, unlike
from camwidget.course.assignments.traces import judge_given
from camwidget.course.attempt import Attempt

Kind = Callable[[int, int], Any]
"""From true and said to what counts as one kind of mistake."""


def judge_gallery(attempt: Attempt, *, most: int) -> None:
    """Judge a function (true, said, loss) -> the rows of the mistakes, one of each kind before the next of any.

    Args:
        attempt: of this round.
        most: pictures of the largest set but one.
    """
    apart = Apart(_turns_wrong)
    for pictures, classes in ((attempt.size(12, most), 3), (attempt.size(12, most), 2), (most, 4), (40, 3)):
        _judge_turns(attempt, *apart.draw(partial(_answers, attempt, pictures, classes)))
    for case in apart.until_all_show(partial(_answers, attempt, most, 3)):
        _judge_turns(attempt, *case)
    true, said, loss = _answers(attempt, 9, 3)
    _judge_turns(attempt, torch.ones_like(true), torch.where(said == true, 1, 2), loss)  # one kind only
    _judge_turns(attempt, torch.tensor([2]), torch.tensor([0]), torch.tensor([1.5]))
    _judge_turns(attempt, true, true.clone(), loss)  # nothing is wrong


def _answers(attempt: Attempt, pictures: int, classes: int) -> tuple[Tensor, Tensor, Tensor]:
    """Draw true classes, answers and losses, all losses different; some kinds of mistake are frequent."""
    true = torch.randint(0, classes, (pictures,), generator=attempt.generator)
    said = torch.randint(0, classes, (pictures,), generator=attempt.generator)
    often = torch.rand(pictures, generator=attempt.generator) < 0.4
    true, said = torch.where(often, 1, true), torch.where(often, 0, said)
    order = torch.randperm(pictures, generator=attempt.generator)
    return true, said, (order + 0.3 * torch.rand(pictures, generator=attempt.generator)) / 7


def _turns_wrong(case: tuple[Tensor, Tensor, Tensor]) -> dict[str, tuple[int, ...] | None]:
    """Name of each known mistake to the rows that it gives; None where they are right."""
    return unlike(in_turns(*case), _turn_orders(*case))


def in_turns(true: Tensor, said: Tensor, loss: Tensor, kind: Kind = lambda true, said: (true, said)) -> list[int]:
    """The rows of the mistakes: the worst of each kind, then the second worst of each kind, and so on.

    Args:
        true: the true class of each picture.
        said: what was said.
        loss: its loss.
        kind: what counts as one kind.
    """
    seen: dict[Any, int] = {}
    ranked: list[tuple[int, int]] = []
    pairs = list(zip(true.tolist(), said.tolist(), strict=True))
    for row in by(loss, range(len(loss))):
        if pairs[row][0] != pairs[row][1]:
            which = kind(*pairs[row])
            seen[which] = seen.get(which, -1) + 1
            ranked.append((seen[which], row))
    return [row for _, row in sorted(ranked, key=lambda each: each[0])]


def _judge_turns(attempt: Attempt, true: Tensor, said: Tensor, loss: Tensor) -> None:
    before = {"true": true.clone(), "said": said.clone(), "loss": loss.clone()}
    right = in_turns(before["true"], before["said"], before["loss"])
    called = f"gallery_order(true, said, loss), {len(true)} pictures, {len(right)} mistakes"
    got = attempt.call(attempt.answer, true, said, loss, called=called, allow_none=not right)
    if got is None:
        likely = "where nothing is wrong the list is empty, and not None"
        attempt.fact("chosen", False, expected="[]", got="None", likely=likely, stop=True)
    rows = rows_in(attempt, got, len(true), len(right), "form")
    known = _turn_orders(*before.values())
    judge_rows(attempt, rows, right, known, key="chosen", pictures=len(true))
    pairs = list(zip(before["true"].tolist(), before["said"].tolist(), strict=True))
    kinds = [pairs[row] for row in rows]
    turns = [kinds[:place].count(kind) for place, kind in enumerate(kinds)]
    told = known_order(rows, right, known)
    likely = (
        told or "before a kind comes again, every other kind that is left has its turn: which rows are of one kind?"
    )
    attempt.fact("turns", turns == sorted(turns), expected=right, got=rows, likely=likely, vague=not told)
    worst = [float(before["loss"][row]) for row in rows]
    falls = all(
        worst[one] > worst[other]
        for other in range(len(rows))
        for one in range(other)
        if turns[one] == turns[other] or kinds[one] == kinds[other]
    )
    likely = told or "within a round, and within a kind, the largest loss comes first"
    attempt.fact("loss", falls, expected=right, got=rows, likely=likely, vague=not told)
    judge_given(attempt, "kept", {"true": true, "said": said, "loss": loss}, before)


def _turn_orders(true: Tensor, said: Tensor, loss: Tensor) -> dict[str, list[int]]:
    """What the learner should read, to the rows that this mistake gives."""
    right = in_turns(true, said, loss)
    kinds = list(zip(true.tolist(), said.tolist(), strict=True))
    wrong, losses = sorted(right), loss.tolist()
    largest = {kinds[row]: losses[row] for row in by(-loss, wrong)}
    turn = {row: [kinds[one] for one in right[:place]].count(kinds[row]) for place, row in enumerate(right)}
    return {
        "they are ordered by the loss alone: the kinds have to take turns": by(loss, wrong),
        "cat taken for dog and dog taken for cat count as one kind: they are two": in_turns(
            true, said, loss, lambda one, other: frozenset((one, other))
        ),
        "the true class alone decides the kind: what was said belongs to it": in_turns(
            true, said, loss, lambda one, _: one
        ),
        "what was said alone decides the kind: the true class belongs to it": in_turns(
            true, said, loss, lambda _, other: other
        ),
        "all of one kind come before the next kind: they have to take turns": sorted(
            wrong, key=lambda row: (-largest[kinds[row]], -losses[row])
        ),
        "all of one kind come before the next kind, ordered by class: they have to take turns": sorted(
            wrong, key=lambda row: (kinds[row], -losses[row])
        ),
        "the smallest loss comes first": in_turns(true, said, -loss),
        "in each round the kinds are ordered by their classes: the largest loss comes first": sorted(
            wrong, key=lambda row: (turn[row], kinds[row])
        ),
        "every round has the order of the first: its own losses decide, the largest first": sorted(
            wrong, key=lambda row: (turn[row], -max(losses[other] for other in wrong if kinds[other] == kinds[row]))
        ),
        "the last round comes first: begin with the worst of each kind": sorted(right, key=lambda row: -turn[row]),
        "these are places in the list of mistakes, not rows of the data: look the rows up": [
            wrong.index(row) for row in right
        ],
        "only two of each kind are there: go on until every mistake is there": [row for row in right if turn[row] < 2],
        "in each round the smallest loss comes first": sorted(wrong, key=lambda row: (turn[row], losses[row])),
        "in each round the rows come in the order of the data: the largest loss comes first": sorted(
            wrong, key=lambda row: (turn[row], row)
        ),
        "the losses are not looked at: the worst of each kind comes first": in_turns(
            true, said, -torch.arange(len(true)).double()
        ),
        "only the worst of each kind is there: the others come after": [row for row in right if turn[row] == 0],
        "they are in the order of the data": wrong,
        "rows are counted from 0": [row + 1 for row in right],
        "right answers are there as well: leave them out": _all_in_turns(kinds, loss),
    }


def _all_in_turns(kinds: Sequence[tuple[int, int]], loss: Tensor) -> list[int]:
    """As `in_turns`, with right answers as kinds of their own."""
    order = by(loss, range(len(kinds)))
    turn = {row: [kinds[one] for one in order[:place]].count(kinds[row]) for place, row in enumerate(order)}
    return sorted(order, key=lambda row: turn[row])

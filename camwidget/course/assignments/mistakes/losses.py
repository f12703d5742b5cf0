"""The judge of `mistakes.top_losses`: the largest losses, from logits. The hidden check uses it too."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from camwidget.course.assignments.awkward import Apart, awkward_sizes
from camwidget.course.assignments.mistakes.rows import by, known_order, some_wrong, unlike
from camwidget.course.assignments.traces import judge_given
from camwidget.course.attempt import Attempt
from camwidget.course.compare import as_numbers, numbers_agree

_CUT = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, torch.finfo(torch.float32).eps, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16)
"""Small numbers that are added to a probability so that its logarithm is finite."""


def judge_top_losses(attempt: Attempt, *, high: int) -> None:
    """Judge a function (logits, labels, k) -> the k largest losses, and their rows.

    Args:
        attempt: of this round.
        high: the greatest length of an axis.
    """
    apart = Apart(_top_wrong)

    def case(pictures: int, classes: int, count: int) -> tuple[Tensor, Tensor, int]:
        return apart.draw(lambda: (*some_wrong(attempt, pictures, classes), count))

    for number, sizes in enumerate(awkward_sizes(attempt, ("picture", "class"), low=4, high=high, ones=("picture",))):
        pictures, classes = sizes.values()
        count = (attempt.size(3, pictures - 1), pictures, 1)[number] if number < 3 else pictures
        _judge_top(attempt, *case(pictures, classes, count))
    _judge_top(attempt, *case(8, 2, attempt.size(3, 6)))
    _judge_top(attempt, *case(attempt.size(30, 40), 5, attempt.size(4, 9)))
    for again in apart.until_all_show(lambda: (*some_wrong(attempt, high, 4), 4)):
        _judge_top(attempt, *again)
    with attempt.part("large"):
        logits, labels = some_wrong(attempt, 7, 4, wrong=7)  # so that large numbers alone are in question
        _judge_top(attempt, logits + 500, labels, 4, key="large")  # the same probabilities
        logits, labels = some_wrong(attempt, 6, 3, scale=600.0)
        _judge_top(attempt, logits, labels, 6, key="large")


def _top_wrong(case: tuple[Tensor, Tensor, int]) -> dict[str, tuple[int, ...] | None]:
    """Name of each known mistake to the rows that it gives; None where they are right."""
    logits, labels, count = case
    every = torch.nn.functional.cross_entropy(logits.double(), labels, reduction="none")
    right = every.argsort(descending=True)[:count].tolist()
    return unlike(right, _top_orders(logits.double(), labels, every, right))


def _judge_top(attempt: Attempt, logits: Tensor, labels: Tensor, count: int, *, key: str = "") -> None:
    """Judge the answer on one set of logits; all that is wrong costs the fact `key`, where there is one."""
    before = {"logits": logits.clone(), "labels": labels.clone()}
    large = f", the largest {float(logits.abs().max()):,.0f}" if key else ""
    called = f"top_losses(logits, labels, {count}), logits of shape {tuple(logits.shape)}{large}"
    meanings = {"Target": "labels has one class per picture: cross_entropy takes logits first, labels second"}
    got = attempt.call(attempt.answer, logits, labels, count, called=called, meanings=meanings)
    losses, rows = _losses_and_rows(attempt, got, count, len(labels))
    exact = before["logits"].double()
    every = exact.logsumexp(1) - exact.gather(1, labels[:, None])[:, 0]
    wanted = every.sort(descending=True).values[:count]
    inside = bool(((rows >= 0) & (rows < len(every))).all())
    paired = every[rows] if inside else wanted
    at = rows if inside else every.argsort(descending=True)[:count]
    if key and not bool(torch.isfinite(losses).all()):
        likely = "exp() of a large number is infinite, and the logarithm of 0 as well: logsumexp, log_softmax and "
        likely += "cross_entropy take the largest logit out first"
        attempt.fact(key, False, expected=paired, got=losses, likely=likely)
    elif key and not numbers_agree(losses, paired) and (cut := _cut_off(losses, exact, labels, at)):
        attempt.fact(key, False, expected=paired, got=losses, likely=cut)
    else:
        attempt.values(key or "losses", losses, paired, mistakes=lambda: _loss_mistakes(exact, labels, at))
    right = inside and len(set(rows.tolist())) == count and numbers_agree(every[rows], wanted)
    order = every.argsort(descending=True)[:count].tolist()
    likely = "" if right else known_order(rows.tolist(), order, _top_orders(exact, labels, every, order))
    if not right and not likely:
        likely = _why_order(rows.tolist(), order, len(every))
    attempt.fact(key or "order", right, expected=order, got=rows.tolist(), likely=likely)
    judge_given(attempt, "kept", {"logits": logits, "labels": labels}, before)


def _losses_and_rows(attempt: Attempt, got: Any, count: int, pictures: int) -> tuple[Tensor, Tensor]:
    """State that two flat lists of this length came, losses and whole numbers, and return them."""
    several = isinstance(got, tuple | list) or (isinstance(got, Tensor | np.ndarray) and got.ndim > 0)
    pair = list(got) if several else []
    numbers = [as_numbers(each) for each in pair] if len(pair) == 2 else []
    shapes = [None if each is None else tuple(each.shape) for each in numbers]
    whole = [each is not None and bool((each == each.round()).all()) for each in numbers]
    fits = shapes == [(count,), (count,)] and whole[1]
    likely = "return two things: the losses, then the rows"
    if isinstance(got, dict):
        likely = "return the two side by side, `return losses, rows`, and no dictionary"
    elif shapes == [(count,), (count,)]:
        likely = (
            "the losses come first, the rows second" if whole[0] else "rows are whole numbers: which pictures are it?"
        )
    elif shapes and shapes[0] == shapes[1] == (pictures,):
        likely = "all pictures came back: return the `k` largest only"
    elif shapes and shapes[0] == shapes[1] and len(shapes[0] or ()) == 1:
        likely = f"{(shapes[0] or (0,))[0]} of each came, and {count} are asked for: the function is given `k`"
    elif (numbers_of := as_numbers(got)) is not None and tuple(numbers_of.shape) == (count,):
        likely = "only one of the two came: return losses and rows"
    elif len(pair) == count and all(isinstance(each, tuple | list | Tensor) for each in pair):
        likely = "this is a pair for each picture: return all losses together, then all rows together"
    expected = f"{count} losses, and {count} rows"
    attempt.fact("form", fits, expected=expected, got=got, likely=likely, stop=True)
    losses, rows = (each if each is not None else torch.empty(0) for each in numbers)
    return losses, rows.long()


def _loss_mistakes(logits: Tensor, labels: Tensor, at: Tensor) -> dict[str, Tensor]:
    """What the learner should read, to what this mistake gives at these rows."""
    logs = logits.log_softmax(1)
    p = logs.exp()

    def true(values: Tensor) -> Tensor:
        return values.gather(1, labels[:, None])[:, 0]

    loss = -true(logs)
    known = {
        "this is the logarithm of the probability: a loss is minus that": -loss,
        "these are probabilities of the true class: take minus their logarithm": true(p),
        "this is 1 minus the probability: take minus the logarithm of the probability": 1 - true(p),
        "this is minus the logarithm of 1 minus the probability": -torch.log1p(-true(p)),
        "these are the logits of the true class: they become probabilities first": true(logits),
        "these are minus the logits of the true class: they become probabilities first": -true(logits),
        "the logarithm is to the base 2: take the natural one, log()": loss / math.log(2),
        "the logarithm is to the base 10: take the natural one, log()": loss / math.log(10),
        "this is the loss of what was said: take the probability of the true class": -logs.amax(1),
        "these are the probabilities of what was said, and no losses": p.amax(1),
        "the first class was taken each time: labels says which one": -logs[:, 0],
        "the softmax went over the pictures: it goes over the classes, axis 1": -true(logits.log_softmax(0)),
        "softmax was taken twice: cross_entropy and log_softmax want raw logits": -true(p.log_softmax(1)),
        "every loss is the mean of all: cross_entropy(..., reduction='none') keeps them apart": loss.mean().expand_as(
            loss
        ),
        "every loss is the sum of all: cross_entropy(..., reduction='none') keeps them apart": loss.sum().expand_as(
            loss
        ),
        "this is the largest logit minus that of the true class: the others count too": logits.amax(1) - true(logits),
        "the logit of the true class was not subtracted": logits.logsumexp(1),
        "the loss was multiplied by the probability": loss * true(p),
        "the losses were divided by the number of pictures": loss / len(loss),
        "the probabilities of all classes went in: only the true one counts": -logs.sum(1),
        "the mean over all classes was taken: only the true one counts": -logs.mean(1),
    }
    return {says: values[at] for says, values in known.items()}


def _cut_off(losses: Tensor, logits: Tensor, labels: Tensor, at: Tensor) -> str:
    """What to read where a small number was put into the logarithm; empty where none was."""
    p = logits.softmax(1).gather(1, labels[:, None])[:, 0][at]
    for small in _CUT:
        if any(numbers_agree(losses, -each.log()) for each in (p + small, p.clamp(min=small))):
            return (
                f"a small number such as {small:.0e} in the logarithm cuts large losses off: start from the logits, with "
                "logsumexp or log_softmax"
            )
    return ""


def _top_orders(logits: Tensor, labels: Tensor, every: Tensor, right: list[int]) -> dict[str, list[int]]:
    """What the learner should read, to the rows that this mistake gives."""
    count, rows, wrong = len(right), list(range(len(every))), (logits.argmax(1) != labels).tolist()
    whole = every.argsort(descending=True).tolist()
    sure = logits.softmax(1).amax(1)
    true = logits.gather(1, labels[:, None])[:, 0]
    return {
        "the smallest come first: sort the largest first, with descending=True": whole[::-1][:count],
        "the largest are there, and the largest comes last": right[::-1],
        "these are the first rows: which have the largest losses?": rows[:count],
        "they are ordered by how sure the network was, not by the loss": by(sure, rows)[:count],
        "they are ordered by the logit of the true class: logits are no probabilities yet": by(-true, rows)[:count],
        "they are ordered by the largest logit, not by the loss": by(logits.amax(1), rows)[:count],
        "only mistakes are there: a right answer has a loss as well": [row for row in whole if wrong[row]][:count],
        "these are ranks: argsort() once gives the rows": every.argsort(descending=True).argsort().tolist()[:count],
        "rows are counted from 0": [row + 1 for row in right],
        "the largest are there, in the order of the rows: the largest comes first": sorted(right),
        "these are classes, not rows": labels[right].tolist(),
    }


def _why_order(rows: Sequence[int], right: Sequence[int], pictures: int) -> str:
    strange = [row for row in rows if not 0 <= row < pictures]
    if strange:
        return f"there is no row {strange[0]}: rows go from 0 to {pictures - 1}"
    if len(set(rows)) < len(rows):
        return "a row is there twice"
    if sorted(rows) == sorted(right):
        return "the right rows are there, in another order than their losses"
    return f"row {next(row for row in rows if row not in right)} is there, and others have larger losses"

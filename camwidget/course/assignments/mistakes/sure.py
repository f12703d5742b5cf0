"""The judge of `mistakes.sure_and_wrong`: the mistakes, the surest first. The hidden check uses it too."""

from itertools import pairwise

from torch import Tensor

from camwidget.course.assignments.awkward import Apart, awkward_sizes
from camwidget.course.assignments.mistakes.rows import by, judge_rows, known_order, rows_in, some_wrong, unlike
from camwidget.course.assignments.traces import judge_given
from camwidget.course.attempt import Attempt

_ROOM = 1e-6
"""Probabilities nearer than this are equally sure."""


def judge_sure_and_wrong(attempt: Attempt, *, high: int) -> None:
    """Judge a function (logits, labels) -> the rows of the mistakes, the most sure one first.

    Args:
        attempt: of this round.
        high: the greatest length of an axis.
    """
    apart = Apart(_sure_wrong)

    def case(pictures: int, classes: int, wrong: int | None = None) -> tuple[Tensor, Tensor]:
        return apart.draw(lambda: some_wrong(attempt, pictures, classes, wrong=wrong))

    for sizes in awkward_sizes(attempt, ("picture", "class"), low=5, high=high):
        pictures, classes = sizes.values()
        _judge_sure(attempt, *case(pictures, classes, min(pictures - 1, attempt.size(3, 5))))
    _judge_sure(attempt, *case(9, 2))
    _judge_sure(attempt, *case(attempt.size(25, 35), 4))
    _judge_sure(attempt, *case(6, 3, 6))
    for again in apart.until_all_show(lambda: some_wrong(attempt, high, 4)):
        _judge_sure(attempt, *again)
    logits, labels = case(8, 4, 5)
    first, second = (logits.argmax(1) != labels).nonzero()[:2, 0].tolist()
    logits[second], labels[second] = logits[first], labels[first]
    _judge_sure(attempt, logits, labels)  # two that are equally sure
    _judge_sure(attempt, *some_wrong(attempt, 1, 3, wrong=1))
    with attempt.part("none"):
        for pictures in (5, 1):
            _judge_sure(attempt, *some_wrong(attempt, pictures, 3, wrong=0), key="none")


def _judge_sure(attempt: Attempt, logits: Tensor, labels: Tensor, *, key: str = "") -> None:
    before = {"logits": logits.clone(), "labels": labels.clone()}
    exact = before["logits"].double()
    sure, said = exact.softmax(1).max(1)
    wrong = (said != labels).nonzero()[:, 0].tolist()
    right = by(sure, wrong)
    called = f"sure_and_wrong(logits, labels), logits of shape {tuple(logits.shape)}, {len(wrong)} wrong"
    got = attempt.call(attempt.answer, logits, labels, called=called, allow_none=bool(key))
    if got is None:
        likely = "where no answer is wrong the list is empty, and not None"
        attempt.fact("none", False, expected="[]", got="None", likely=likely, stop=True)
    rows = rows_in(attempt, got, len(labels), len(wrong), key or "form")
    known = _sure_orders(exact, labels, right)
    judge_rows(attempt, rows, right, known, key=key or "chosen", pictures=len(labels))
    falls = all(float(sure[one]) >= float(sure[other]) - _ROOM for one, other in pairwise(rows))
    likely = known_order(rows, right, known) if not falls else ""
    vague = not likely
    likely = likely or "each answer's own probability decides, the largest first: print it beside the rows"
    attempt.fact("order", falls, expected=right, got=rows, likely=likely, vague=vague)
    judge_given(attempt, "kept", {"logits": logits, "labels": labels}, before)


def _sure_orders(logits: Tensor, labels: Tensor, right: list[int]) -> dict[str, list[int]]:
    """What the learner should read, to the rows that this mistake gives."""
    p, rows = logits.softmax(1), list(range(len(labels)))
    sure, said = p.max(1)
    true = p.gather(1, labels[:, None])[:, 0]
    two, two_logits = p.topk(2).values, logits.topk(2).values
    wrong, fine = sorted(right), [row for row in rows if row not in right]
    listed = sure.tolist()
    places = sorted(range(len(wrong)), key=lambda place: -listed[wrong[place]])
    known = {
        "the least sure comes first: sort the largest first, with descending=True": right[::-1],
        "they are ordered by the loss: how sure the answer was is the probability of what was said": by(-true, wrong),
        "they are ordered by the largest logit: only after the softmax can rows be compared": by(logits.amax(1), wrong),
        "they are ordered by how far the answer is ahead of the next class: its own probability is asked": by(
            two[:, 0] - two[:, 1], wrong
        ),
        "they are ordered by how far the largest logit is ahead: the probability is asked": by(
            two_logits[:, 0] - two_logits[:, 1], wrong
        ),
        "they are ordered by the probability of the true class: that of the answer is asked": by(true, wrong),
        "the softmax went over the pictures: it goes over the classes, axis 1": by(
            logits.softmax(0).gather(1, said[:, None])[:, 0], wrong
        ),
        "they are in the order of the data: sort by how sure the answers are": wrong,
        "they are in the order of the data, turned around: sort by how sure the answers are": wrong[::-1],
        "right answers are there as well: leave them out": by(sure, rows),
        "these are the right answers: the wrong ones are asked": by(sure, fine),
        "only the first one came: return all mistakes": right[:1],
        "the last one is missing": right[:-1],
        "the first one is missing": right[1:],
        "these are places in the list of mistakes, not rows of the data: look the rows up": places,
        "rows are counted from 0": [row + 1 for row in right],
        "the mask has to be put into the same order as the rows: mask[order]": [
            row for place, row in enumerate(by(sure, rows)) if place in wrong
        ],
        "the softmax went over the pictures, so other classes win: it goes over the classes, axis 1": _sure_by(
            logits.softmax(0), labels
        ),
        "the least probable class is taken for the answer: it is the most probable one": _sure_by(-logits, labels),
    }
    for row in right:
        if [listed[other] for other in right].count(listed[row]) > 1:
            says = f"row {row} was lost: another one is equally sure, and a dictionary keeps one per key"
            known[says] = [other for other in right if other != row]
    return known


def _sure_by(scores: Tensor, labels: Tensor) -> list[int]:
    """The rows whose largest score is not that of the label, the largest first."""
    most, said = scores.max(1)
    return by(most, (said != labels).nonzero()[:, 0].tolist())


def _sure_wrong(case: tuple[Tensor, Tensor]) -> dict[str, tuple[int, ...] | None]:
    """Name of each known mistake to the rows that it gives; None where they are right."""
    logits, labels = case
    sure, said = logits.double().softmax(1).max(1)
    right = by(sure, (said != labels).nonzero()[:, 0].tolist())
    return unlike(right, _sure_orders(logits.double(), labels, right))

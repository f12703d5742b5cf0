"""The judge of `mistakes.missing`: which kind of picture was never trained on. The hidden check uses it too."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from camwidget.course.assignments.awkward import Apart
from camwidget.course.attempt import Attempt
from camwidget.course.compare import as_numbers, numbers_agree
from camwidget.course.mistakes import likely_mistake

Pair = tuple[str, str]
Train = list[Pair]
Test = list[tuple[str, str, bool]]

_CLASSES = ("cat", "cup", "rocket", "flower", "chair", "boat", "bird")
_KINDS = ("day", "dusk", "snow", "indoors", "close", "far")


def judge_missing(attempt: Attempt, *, most: int) -> None:
    """Judge a function (train, test) -> for each class and kind in test its share in training, and the error rate.

    Args:
        attempt: of this round.
        most: pictures to train on in the largest set.
    """
    apart = Apart(_wrong, tries=3)
    for classes, kinds in ((4, 3), (3, 2), (2, 3), (5, 4), (1, 2)):
        _judge_table(attempt, *apart.draw(partial(_drawn, attempt, classes, kinds, most)))
    for case in apart.until_all_show(partial(_drawn, attempt, 4, 3, most)):
        _judge_table(attempt, *case)
    train, test = _drawn(attempt, 5, 3, most)
    _judge_table(attempt, train, [(*pair, place % 3 > 0) for place, pair in enumerate(train)])  # nothing is missing
    _judge_table(attempt, [], test)


def _drawn(attempt: Attempt, classes: int, kinds: int, most: int) -> tuple[Train, Test]:
    """Draw two sets. The first class lacks a kind; the second, of several, was trained on once, and the third never."""
    names, several = _picked(attempt, _CLASSES, classes), _picked(attempt, _KINDS, kinds)
    train: Train = []
    for place, name in enumerate(names):
        count = attempt.size(most // 2, most)
        if classes > 2 and place in (1, 2):
            count = 2 - place
        choice = several[1:] if place == 0 else several
        train += [(name, choice[attempt.size(0, len(choice) - 1)]) for _ in range(count)]
    train += [("bus", several[-1])] * attempt.size(1, 3)  # a class that the test set lacks
    pairs = [(name, kind) for name in names for kind in several]
    if classes > 1:
        del pairs[attempt.size(1, len(pairs) - 1)]  # and a kind of a class
    test = [(*pair, attempt.size(0, 2) > 0) for pair in pairs for _ in range(attempt.size(1, 5))]
    mixed = (
        torch.randperm(len(train), generator=attempt.generator),
        torch.randperm(len(test), generator=attempt.generator),
    )
    return [train[place] for place in mixed[0].tolist()], [test[place] for place in mixed[1].tolist()]


def _picked(attempt: Attempt, words: Sequence[str], count: int) -> list[str]:
    return [words[place] for place in torch.randperm(len(words), generator=attempt.generator)[:count].tolist()]


class _Counts:
    """What there is to count, a number for each class and kind of the test set.

    Args:
        train: class and kind of each picture to train on.
        test: class and kind of each picture of the test set, and whether its answer was right.
    """

    def __init__(self, train: Train, test: Test) -> None:
        self.pairs = sorted({(name, kind) for name, kind, _ in test})
        self.trained, self.learned = len(train), set(train)
        pairs, names, kinds = Counter(train), Counter(name for name, _ in train), Counter(kind for _, kind in train)
        self.train = self._listed(pairs[pair] for pair in self.pairs)
        self.of_class = self._listed(names[name] for name, _ in self.pairs)
        self.of_kind = self._listed(kinds[kind] for _, kind in self.pairs)
        tested = Counter((name, kind) for name, kind, _ in test)
        wrong = Counter((name, kind) for name, kind, right in test if not right)
        self.tested = self._listed(tested[pair] for pair in self.pairs)
        self.wrong = self._listed(wrong[pair] for pair in self.pairs)
        by_class = [
            [sum(n for pair, n in each.items() if pair[0] == name) for name, _ in self.pairs]
            for each in (tested, wrong)
        ]
        by_kind = [
            [sum(n for pair, n in each.items() if pair[1] == kind) for _, kind in self.pairs]
            for each in (tested, wrong)
        ]
        last = {(name, kind): not right for name, kind, right in test}
        first = {(name, kind): not right for name, kind, right in reversed(test)}
        self.last, self.first = (self._listed(each[pair] for pair in self.pairs) for each in (last, first))
        self.class_tested, self.class_wrong = map(self._listed, by_class)
        self.kind_tested, self.kind_wrong = map(self._listed, by_kind)

    @staticmethod
    def _listed(numbers: Any) -> Tensor:
        return torch.tensor(list(numbers), dtype=torch.float64)

    @property
    def share(self) -> Tensor:
        """Of the training pictures of the class, the part that is of the kind."""
        return self.train / self.of_class.clamp(min=1)

    @property
    def rate(self) -> Tensor:
        """Of the test pictures of the class and the kind, the part whose answer is wrong."""
        return self.wrong / self.tested

    def share_mistakes(self) -> dict[str, Tensor]:
        """What the learner should read, to the shares that this mistake gives."""
        return {
            "this is the error rate: the share in training comes first": self.rate,
            "these are counts: divide by how many pictures of the class there are in training": self.train,
            "this is the share of all training pictures: take those of the class alone": self.train
            / max(self.trained, 1),
            "this is the share among the training pictures of the kind: take those of the class": self.train
            / self.of_kind.clamp(min=1),
            "the share was taken in test: it is training that lacks something": self.tested / self.class_tested,
            "these are per cent: a share lies between 0 and 1": 100 * self.share,
            "this is what the other kinds have: 1 minus it": 1 - self.share,
            "this is the share of the class in training: its kinds are asked": self.of_class / max(self.trained, 1),
            "divided by the number of the class's pictures in test, not in training": self.train / self.class_tested,
            "divided by the number of pictures in test": self.train / self.tested.sum(),
            "this says only whether there is any: the share is asked": (self.train > 0).double(),
            "a division of whole numbers, `//`, leaves no part of one: divide with /": self.share.floor(),
        }

    def rate_mistakes(self) -> dict[str, Tensor]:
        """What the learner should read, to the error rates that this mistake gives."""
        errors = self.wrong.sum()
        return {
            "this is the share in training: the error rate comes second": self.share,
            "this is the share that is right: the error rate is that of the wrong ones": 1 - self.rate,
            "these are counts of errors: divide by how many pictures there are": self.wrong,
            "these are counts of right answers": self.tested - self.wrong,
            "this is the error rate of the class, all kinds together": self.class_wrong / self.class_tested,
            "this is the error rate of the kind, all classes together": self.kind_wrong / self.kind_tested,
            "this is the error rate of the whole test set": (errors / self.tested.sum()).expand_as(self.rate),
            "this is the share of all errors: divide by the pictures of this class and kind": self.wrong
            / errors.clamp(min=1),
            "divided by all pictures of the test set: take those of this class and kind": self.wrong
            / self.tested.sum(),
            "divided by the pictures of the class, all kinds together": self.wrong / self.class_tested,
            "divided by the right ones: take all of this class and kind": self.wrong
            / (self.tested - self.wrong).clamp(min=1),
            "these are per cent: a rate lies between 0 and 1": 100 * self.rate,
            "a division of whole numbers, `//`, leaves no part of one: divide with /": self.rate.floor(),
            "the last picture of each class and kind decides alone: count them all": self.last,
            "the first picture of each class and kind decides alone: count them all": self.first,
        }


def _wrong(case: tuple[Train, Test]) -> dict[str, tuple[float, ...] | None]:
    """Name of each known mistake to the numbers that it gives; None where they are the right ones."""
    counts = _Counts(*case)
    there = counts.train > 0
    both = (
        ("share", counts.share[there], {says: wrong[there] for says, wrong in counts.share_mistakes().items()}),
        ("rate", counts.rate, counts.rate_mistakes()),
    )
    return {
        f"{which}: {says}": None if numbers_agree(wrong, right) else (*wrong.tolist(), float(which == "rate"))
        for which, right, known in both
        for says, wrong in known.items()
    }


def _judge_table(attempt: Attempt, train: Train, test: Test) -> None:
    before = list(train), list(test)
    counts = _Counts(train, test)
    called = f"kinds_table(train, test), {len(train)} pictures to train on, {len(test)} to test"
    meanings = {
        "division by zero": "train may have no picture of a class that test has: its share is then 0; and a class and kind "
        "that test does not have has no entry",
        "ambiguous": "compare a class with a class, and a kind with a kind",
        "to unpack": "an entry of train is (class, kind), one of test is (class, kind, right)",
    }
    missing = [*{name for name, _ in counts.pairs}, *{kind for _, kind in counts.pairs}, *map(str, counts.pairs)]
    lacks = "train may lack a class or a kind that test has: a Counter, or get(key, 0), then says 0"
    got = attempt.call(
        attempt.answer, train, test, called=called, meanings=meanings | {repr(each): lacks for each in missing}
    )
    rows = _rows(attempt, got, counts)
    share, rate = rows[:, 0], rows[:, 1]
    there = counts.train > 0
    if bool(there.any()):
        shares = {says: wrong[there] for says, wrong in counts.share_mistakes().items()}
        shares |= {
            f"it was rounded, to {digits} places: give it as it is": counts.share[there].round(decimals=digits)
            for digits in (1, 2, 3)
        }
        attempt.values("share", share[there], counts.share[there], mistakes=shares, usual=False)
    fits = bool((share[~there] == 0).all())
    likely = likely_mistake(share[~there], {says: wrong[~there] for says, wrong in counts.share_mistakes().items()})
    if not bool(torch.isfinite(share[~there]).all()):
        likely = "where training has none the share is the number 0, also for a class that it lacks: 0 of 0 is 0 here"
    told = ", ".join(
        f"{pair}: {float(value):.3g}" for pair, value, seen in zip(counts.pairs, share, there, strict=True) if not seen
    )
    attempt.fact("zero", fits, expected="0", got=told, likely=likely or "none in training is a share of 0")
    attempt.values("rate", rate, counts.rate, mistakes=counts.rate_mistakes, usual=False)
    kept = (train, test) == before
    likely = "append(), sort(), pop() and remove() change the list that you were given: make a new one"
    attempt.fact("kept", kept, expected="both lists as they were", got="a changed list", likely=likely)


def _rows(attempt: Attempt, got: Any, counts: _Counts) -> Tensor:
    """State that there is an entry of two numbers for each class and kind in the test set, and for no other."""
    wanted = set(counts.pairs)
    keys: set[Any] = (
        {tuple(key) if isinstance(key, list) else key for key in got} if isinstance(got, Mapping) else set()
    )
    rows = [as_numbers(got[pair]) for pair in counts.pairs] if keys == wanted else []
    fits = keys == wanted and all(row is not None and row.shape == (2,) for row in rows)
    likely = ""
    if not isinstance(got, Mapping):
        likely = "return a dictionary: the key is (class, kind), the value is (share, error rate)"
    elif keys == wanted:
        likely = "each entry holds two numbers: the share in training, and the error rate in test"
    elif {key[::-1] for key in keys if isinstance(key, tuple)} == wanted:
        likely = "a key is (class, kind): the class comes first"
    elif keys in ({name for name, _ in wanted}, {kind for _, kind in wanted}):
        likely = "a key is a pair (class, kind), not one of the two alone"
    elif keys == wanted - counts.learned:
        likely = "only what was never trained on is there: every class and kind of test has an entry"
    elif keys == wanted & counts.learned:
        likely = "what was never trained on is not there: go through test, not through train"
    elif keys == wanted | counts.learned or keys == counts.learned:
        likely = "go through test: what is only in train has no error rate"
    elif all(isinstance(key, str) for key in keys):
        likely = "a key is a tuple of two, (class, kind), not one text"
    elif all(isinstance(key, tuple) and len(key) == 3 for key in keys):
        likely = "a key is (class, kind): whether the answer was right does not belong to it"
    expected = f"entries for {len(wanted)} pairs of class and kind"
    extra, missing = keys - wanted, wanted - keys
    vague = not likely
    if vague:
        one = f"{next(iter(extra))!r} is there" if extra else f"{next(iter(missing), '')!r} is missing"
        likely = f"an entry for each class and kind that test has, and for no other: {one}"
    attempt.fact("form", fits, expected=expected, got=got, likely=likely, stop=True, vague=vague)
    return torch.stack([row for row in rows if row is not None])

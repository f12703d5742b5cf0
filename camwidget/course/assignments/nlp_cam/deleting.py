"""Judges for the answers of `nlp_cam` about lists of words. The hidden checks use them too, with longer texts."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from camwidget.course.attempt import Attempt
from camwidget.errors import a_kind

_WORDS = ("the", "film", "is", "not", "very", "good", "dull", "and", "warm", "plot", "never", "great", "was", "a")


def judge_leave_one_out(attempt: Attempt, *, longest: int) -> None:
    """Judge a function (predict, words) -> how much the number loses without each word.

    Args:
        attempt: of this round.
        longest: most words of the first text.
    """
    for count in (attempt.size(5, longest), 1, 2, attempt.size(26, 33)):
        words = [_WORDS[attempt.size(0, len(_WORDS) - 1)] for _ in range(count)]
        if count > 3:
            words[-1] = words[0]  # a word that occurs twice
            words[2] = words[1]  # and one twice in a row
        _left_out(attempt, words)


def _predictor(attempt: Attempt) -> Callable[[Sequence[str]], float]:
    """A network in small: every word is worth something, more so further back, and one pair of words is special."""
    worth = {word: float(attempt.tensor(1)) for word in _WORDS}

    def predict(text: Sequence[str]) -> float:
        strange = [word for word in text if word not in worth]
        if strange:
            raise ValueError(f"predict() wants a list of the words that stay, and was given {strange[0]!r}")
        pairs = sum(one == "not" and two == "good" for one, two in pairwise(text))
        # a word counts more further back, so that it matters which of two equal words is gone
        return 0.7 + sum(worth[word] * (1 + 0.1 * place) for place, word in enumerate(text)) - 3.0 * pairs

    return predict


def _left_out(attempt: Attempt, words: list[str]) -> None:
    """Judge the answer on one text."""
    predict, count = _predictor(attempt), len(words)
    whole = predict(words)
    right = torch.tensor([whole - predict(words[:place] + words[place + 1 :]) for place in range(count)])
    handed_over = list(words)
    meanings = {
        "index out of range": "the list got shorter on the way: make a new list for each word",
        "operand type(s) for -: 'list'": "a list has no minus: make a new list of the words that stay",
    }
    shown = words if count < 12 else f"[{count} words]"
    called = f"leave_one_out(predict, {shown})"
    got = attempt.call(attempt.answer, predict, handed_over, called=called, meanings=meanings)
    if isinstance(got, dict):
        twice = "a dictionary has one number for a word that stands there twice: return a list"
        attempt.fact("shape", False, expected=f"a list of {count} numbers", got=got, likely=twice, stop=True)
    shapes: dict[Any, str] = {
        (count - 1,): "one number is missing: is the last word, or the first, left out of the loop?",
        (count + 1,): "there is one number too many: one per word, and none for the whole text",
        (): "this is a single number: return a list with one number per word",
        (count, 1): "each number is in a list of its own: return a flat list of numbers",
        (count, 2): "there are two numbers per word: return only what is lost",
    }
    if len(set(words)) < count:
        shapes[(len(set(words)),)] = "a word that stands there twice has two places: count places, not words"
    if len(handed_over) < count:
        shapes[(count - len(handed_over),)] = (
            "the list got shorter while the loop went over it: make a new list for each word"
        )
    attempt.shape("shape", got, (count,), mistakes=shapes)
    attempt.values(
        "values", got, right, mistakes=partial(_lost_mistakes, predict, words, right), usual=count > 1, axes=("word",)
    )
    likely = "remove(), pop(), sort() and del change the list: make a new one"
    attempt.fact("kept", handed_over == words, expected="the list as it was", got="a changed list", likely=likely)


def _lost_mistakes(predict: Callable[[Sequence[str]], float], words: list[str], right: Tensor) -> dict[str, Any]:
    """The wrong numbers that learners get: what they should read, to the numbers."""
    whole, count = predict(words), len(words)

    def lost(left: Callable[[int], Sequence[str]]) -> Tensor:
        return torch.tensor([whole - predict(left(place)) for place in range(count)])

    first = [words.index(word) for word in words]
    step = [whole, *(predict(words[place:]) for place in range(1, count + 1))]
    return {
        "the sign is turned around: what is lost is all words minus those that are left": -right,
        "these are the numbers without the word: subtract them from the number with all words": whole - right,
        "every occurrence was left out: leave out one place at a time": lost(
            lambda place: [other for other in words if other != words[place]]
        ),
        "of two equal words the first was left out both times: go by the place, not by the word": right[first],
        "this is the number of each word alone: leave it out of the text instead": torch.tensor(
            [predict([word]) for word in words]
        ),
        "this is what each word adds to an empty text: leave it out of the whole text instead": torch.tensor(
            [predict([word]) - predict([]) for word in words]
        ),
        "this is all words minus each word alone: leave the word out of the text": lost(lambda place: [words[place]]),
        "the words behind were left out as well: only this one is to go": lost(lambda place: words[:place]),
        "the words up to this one were left out: only this one is to go": lost(lambda place: words[place + 1 :]),
        "this word and those behind it are left: only this one is to go": lost(lambda place: words[place:]),
        "the words up to this one are left: only this one is to go": lost(lambda place: words[: place + 1]),
        "the words were left out one after the other: start from all words each time": torch.tensor(
            [one - two for one, two in pairwise(step)]
        ),
        "the next word was left out: places are counted from 0": lost(
            lambda place: words[: (place + 1) % count] + words[(place + 1) % count + 1 :]
        ),
        "the word before was left out: places are counted from 0": lost(
            lambda place: words[: (place - 1) % count] + words[(place - 1) % count + 1 :]
        ),
        "two words were left out, not one": lost(lambda place: words[:place] + words[place + 2 :]),
        "the words that stay are in reverse order: keep them in their order": lost(
            lambda place: (words[:place] + words[place + 1 :])[::-1]
        ),
        "the words that stay are sorted: keep them in their order": lost(
            lambda place: sorted(words[:place] + words[place + 1 :])
        ),
        "words that stand twice were made one (a set?): keep both": lost(
            lambda place: list(dict.fromkeys(words[:place] + words[place + 1 :]))
        ),
        "the word was moved to the end, not left out": lost(
            lambda place: [*words[:place], *words[place + 1 :], words[place]]
        ),
        "the loss was divided by the number with all words": right / whole,
        "the loss was divided by the number of words": right / count,
        "the absolute loss: its sign says for or against": right.abs(),
        "ReLU was applied: a word that speaks against has a negative loss": right.relu(),
        "the numbers are in reverse order: one per word, in the order of the words": right.flip(0),
        "they are sorted by size: keep the order of the words": right.sort().values,
        "they are sorted, the largest first: keep the order of the words": right.sort(descending=True).values,
    }


def judge_without_top(attempt: Attempt, *, longest: int) -> None:
    """Judge a function (words, values, count) -> the words that are left.

    Args:
        attempt: of this round.
        longest: most words of the first text.
    """
    length = attempt.size(8, longest)
    for number in range(3):
        _deleted(attempt, *_text(attempt, length), top=number + 1)
    words, values = _text(attempt, few := min(length, len(_WORDS)))  # what is left stands there once
    for top in (few - 1, few, 0):
        _deleted(attempt, words, values, top=top, key="count")
    _deleted(attempt, *_text(attempt, length), top=length // 2)
    _deleted(attempt, *_text(attempt, 30), top=12)
    words, values = _text(attempt, length)
    _deleted(attempt, words, -values.abs() - 0.1, top=2)  # all speak against
    _deleted(attempt, ["good"], torch.tensor([-0.3]), top=1, key="count")
    ties = torch.tensor([0.5, -0.5, 0.5, 0.25, 0.5, -0.5, 0.75])
    for top in (2, 3):
        _deleted(attempt, list(_WORDS[: len(ties)]), ties, top=top, key="count")


def _text(attempt: Attempt, count: int) -> tuple[list[str], Tensor]:
    """A text and its values. One word occurs twice: the later one goes, the earlier one and the word behind it stay."""
    words = [_WORDS[place % len(_WORDS)] for place in range(count)]
    values = attempt.tensor(count)
    later = attempt.size(2, count - 1)
    earlier = attempt.size(0, later - 2)
    words[later] = words[earlier]
    for place, rank in ((later, -1), (earlier, 1), (earlier + 1, 2)):
        other = int(values.argsort()[rank])
        values[[place, other]] = values[[other, place]]
    return words, values


def _deleted(attempt: Attempt, words: list[str], values: Tensor, *, top: int, key: str = "words") -> None:
    """Judge the answer on one text. Of equal values any may go, but only as many as asked."""
    order = values.argsort(descending=True, stable=True).tolist()
    right = [words[place] for place in range(len(words)) if place not in order[:top]]
    handed_over, given = list(words), values.clone()
    shown = f"{words}, torch.tensor({[round(value, 2) for value in values.tolist()]})"
    called = f"without_top({shown if len(words) < 12 else f'[{len(words)} words], values'}, {top})"
    moved = "deleting a word moves those behind it: find all places first, then keep the others"
    meanings = {
        "index out of range": "an index is too large: deleting a word moves those behind it, and count may be 0"
    }
    if key == "words":
        meanings = {"index out of range": moved}
    got = attempt.call(attempt.answer, handed_over, given, top, called=called, meanings=meanings)
    is_list = isinstance(got, list | tuple) and all(isinstance(word, str) for word in got)
    likely = "return the words, not their places"
    if isinstance(got, str):
        likely = "return a list of the words, not one text"
    elif isinstance(got, set | dict):
        likely = f"{a_kind(got)} has no order, or each word only once: return a list"
    elif isinstance(got, list | tuple) and got and all(isinstance(word, tuple | list) for word in got):
        likely = "return the words alone, without their values"
    attempt.fact("form", is_list, expected="a list of words", got=got, likely=likely, stop=True)
    fits = list(got) == right or _fits_ties(list(got), words, values, top)
    likely = "" if fits else _why_words(list(got), words, values, top)
    came, wanted = " ".join(got) or "no words", " ".join(right) or "no words"
    vague = likely.startswith("other words")
    attempt.fact(key, fits, expected=wanted, got=came, likely=likely, vague=vague)
    kept = handed_over == words and torch.equal(given, values)
    likely = "make a new list: del, remove() and pop() change the one you were given"
    if handed_over == words:
        likely = "values was changed by an operation in place: make a copy first"
    attempt.fact("kept", kept, expected="list and values as they were", got="changed", likely=likely)


def _fits_ties(got: list[str], words: list[str], values: Tensor, top: int) -> bool:
    """Whether it is right too, because of equal values another one went; the words of such a text all differ."""
    if len(set(words)) < len(words) or len(got) != len(words) - top or not set(got) <= set(words):
        return False
    kept = [words.index(word) for word in got]
    gone = [place for place in range(len(words)) if place not in kept]
    in_order = kept == sorted(kept)
    return in_order and (not gone or not kept or bool(values[gone].min() >= values[kept].max()))


def _tie_mistakes(left: Callable[[Sequence[int]], list[str]], values: Tensor, top: int) -> dict[str, list[str]]:
    """What is left where a limit decides, and values are equal to it."""
    if not len(values) > top > 0:
        return {}
    limit = values.sort(descending=True).values[top - 1]
    places = range(len(values))
    return {
        "where values are equal more words were deleted than `count`": left([p for p in places if values[p] >= limit]),
        "where values are equal fewer words were deleted than `count`": left([p for p in places if values[p] > limit]),
    }


def _why_words(got: list[str], words: list[str], values: Tensor, top: int) -> str:
    """What a wrong list of words suggests."""
    places = range(len(words))
    order = values.argsort(descending=True, stable=True).tolist()
    right = [words[place] for place in places if place not in order[:top]]

    def left(gone: Sequence[int]) -> list[str]:
        return [words[place] for place in places if place not in gone]

    by_size = values.abs().argsort(descending=True).tolist()
    went = {words[place] for place in order[:top]}
    first, popped = list(words), list(words)
    for place in order[:top]:
        first.remove(words[place])
        popped[place : place + 1] = []
    forward = list(words)
    for place in sorted(order[:top]):
        forward[place : place + 1] = []
    wrong = {
        "the words with the smallest values were deleted": left(order[::-1][:top]),
        "a large negative value speaks against the class: order by the value, not by its size": left(by_size[:top]),
        "the smallest by size were deleted: the largest values go": left(by_size[::-1][:top]),
        "these are the words that should go": [words[place] for place in order[:top]],
        "these are the words that should go, in their order": [
            words[place] for place in places if place in order[:top]
        ],
        "the words are in another order than in the text": [words[place] for place in order[top:]],
        "the words are in reverse order": right[::-1],
        "the words are sorted: keep the order of the text": sorted(right),
        "of two equal words the first was deleted: go by the place, not by the word": first,
        "every word like those was deleted: go by the place, not by the word": [w for w in words if w not in went],
        "deleting a word moves those behind it: find all places first, then keep the others": popped,
        "deleting a word moves those behind it: delete from the end, or keep the others": forward,
        "the first words were deleted, whatever their values are": words[top:],
        "the last words were deleted, whatever their values are": words[: len(words) - top],
        "all words are left": list(words),
        "words that stand twice were made one: keep both": list(dict.fromkeys(right)),
        "one word more than that was deleted": left(order[: top + 1]),
        "one word less than that was deleted": left(order[: max(top - 1, 0)]),
        "only the word with the largest value was deleted": left(order[:1]),
        "the words with positive values were deleted: delete as many as `count` says": left(
            [place for place in places if values[place] > 0]
        ),
        "the words with negative values were deleted": left([place for place in places if values[place] < 0]),
    }
    wrong |= _tie_mistakes(left, values, top)
    fitting = [message for message, words_left in wrong.items() if got == words_left and words_left != right]
    if top == 0 and got != words:
        return "count may be 0: then no word goes"
    if len(fitting) == 1:
        return fitting[0]
    if len(fitting) == 2:
        return f"one of two: {fitting[0]}; or {fitting[1]}"
    if any(word not in words for word in got):
        return "there is a word in it that was not in the text"
    if len(got) != len(right):
        return f"more or fewer words are left than should be: {len(got)} in place of {len(right)}"
    return "other words should go: those with the largest values"

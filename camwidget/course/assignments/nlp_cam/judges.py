"""Judges for the answers of `nlp_cam`. The hidden checks use them too, with other sizes."""

from collections.abc import Sequence
from itertools import pairwise

import torch

from camwidget.course.attempt import Attempt

_WORDS = ("the", "film", "is", "not", "very", "good", "dull", "and", "warm", "plot", "never", "great", "was", "a")


def judge_word_scores(attempt: Attempt, *, channels: tuple[int, int]) -> None:
    """Judge a function (activation, weight) -> one value per class and word.

    Args:
        attempt: of this round.
        channels: least and greatest number of channels.
    """
    positions, classes = attempt.sizes(2, low=3, high=12)
    channel = attempt.size(*channels)
    activation, weight = attempt.tensor(channel, positions), attempt.tensor(classes, channel)
    before = activation.clone(), weight.clone()
    called = f"word_scores(activation, weight) with shapes {tuple(activation.shape)} and {tuple(weight.shape)}"
    got = attempt.call(attempt.answer, activation, weight, called=called)
    shapes = {
        (classes,): "the words are gone: this is the pooled score",
        (positions,): "the classes are gone: keep one row for each",
        (positions, classes): "classes come first, words second",
        (channel, positions): "there is one row per channel: sum over channels, keep classes",
        (classes, channel): "this is the sum over the words: sum over channels, keep words",
    }
    attempt.shape("shape", got, (classes, positions), mistakes=shapes)
    right = (before[1].double()[:, :, None] * before[0].double()[None]).sum(dim=1)
    mistakes = {
        "this is the mean over channels: CAM adds them up": right / channel,
        "these are probabilities over the classes, not scores": right.softmax(dim=0),
        "every word has the same score: the activation was averaged first": right.mean(1, keepdim=True).expand_as(
            right
        ),
        "all classes have the first one's scores": right[:1].expand_as(right),
    }
    attempt.values("values", got, right, mistakes=mistakes)
    same = torch.equal(activation, before[0]) and torch.equal(weight, before[1])
    attempt.fact("kept", same, expected="the numbers given", got="changed", likely="an operation in place, such as *=")


def judge_logits(attempt: Attempt, *, longest: int) -> None:
    """Judge a function (scores, bias, is_word) -> logits, with padding after the words.

    Args:
        attempt: of this round.
        longest: most positions.
    """
    positions, classes = attempt.size(6, longest), attempt.size(2, 4)
    words = attempt.size(2, positions - 2)
    scores, bias = attempt.tensor(classes, positions), attempt.tensor(classes)
    is_word = torch.arange(positions) < words
    called = f"logits_from_words(scores, bias, is_word), {words} words in {positions} positions"
    meanings = {"shape of the mask": "is_word has one value per position: it belongs to the axis of the words"}
    got = attempt.call(attempt.answer, scores, bias, is_word, called=called, meanings=meanings)
    shapes = {
        (): "one number for all classes: average over the words only",
        (classes, 1): "the axis of the words is left over: no keepdim here",
        (classes, positions): "the words are still there: average over them",
    }
    attempt.shape("shape", got, (classes,), mistakes=shapes)
    total = (scores.double() * is_word).sum(dim=1)
    right = total / words + bias
    mistakes = {
        "padding was averaged along with the words": scores.double().mean(dim=1) + bias,
        "divided by all positions: count the words only": total / positions + bias,
        "padding was added up along with the words": scores.double().sum(dim=1) / words + bias,
        "the bias is missing": total / words,
        "this is the sum: the network takes the mean": total + bias,
        "the bias was subtracted": total / words - bias,
    }
    attempt.values("values", got, right, mistakes=mistakes)
    everywhere = torch.ones(positions, dtype=torch.bool)
    got = attempt.call(
        attempt.answer, scores, bias, everywhere, called="logits_from_words(scores, bias, is_word), no padding"
    )
    attempt.values("full", got, scores.double().mean(dim=1) + bias, usual=False)


def judge_gradient_times_input(attempt: Attempt, *, width: tuple[int, int]) -> None:
    """Judge a function (gradient, embedding) -> one value per word; both are (position, channel).

    Args:
        attempt: of this round.
        width: least and greatest number of channels.
    """
    positions = attempt.size(3, 9)
    channel = positions + attempt.size(*width)
    gradient, embedding = attempt.tensor(positions, channel), attempt.tensor(positions, channel)
    called = f"gradient_times_input(gradient, embedding), both of shape {tuple(gradient.shape)}"
    got = attempt.call(attempt.answer, gradient.clone(), embedding.clone(), called=called)
    shapes = {
        (positions, channel): "there is one number per channel: add them up for each word",
        (channel,): "one number per channel: add over the channels, not over the words",
        (): "one number for the whole text: add over the channels only",
    }
    attempt.shape("shape", got, (positions,), mistakes=shapes)
    one, two = gradient.double(), embedding.double()
    right = (one * two).sum(dim=1)
    mistakes = {
        "the gradient was averaged over the words first: that is Grad-CAM": (one.mean(0) * two).sum(1),
        "this is the size of the gradient: the sign is lost": one.norm(dim=1),
        "only the gradient is used: multiply it with the embedding": one.sum(1),
        "only the embedding is used: where is the gradient?": two.sum(1),
        "the mean over channels was taken: add them up": right / channel,
    }
    attempt.values("values", got, right, mistakes=mistakes)


def judge_leave_one_out(attempt: Attempt, *, longest: int) -> None:
    """Judge a function (predict, words) -> how much the number loses without each word.

    Args:
        attempt: of this round.
        longest: most words.
    """
    count = attempt.size(4, longest)
    words = [_WORDS[attempt.size(0, len(_WORDS) - 1)] for _ in range(count)]
    words[-1] = words[0]  # a word that occurs twice
    worth = {word: float(attempt.tensor(1)) for word in _WORDS}

    def predict(text: Sequence[str]) -> float:
        strange = [word for word in text if word not in worth]
        if strange:
            raise ValueError(f"predict() wants a list of the words that stay, and was given {strange[0]!r}")
        pairs = sum(one == "not" and two == "good" for one, two in pairwise(text))
        # a word counts more further back, so that it matters which of two equal words is gone
        return sum(worth[word] * (1 + 0.1 * place) for place, word in enumerate(text)) - 3.0 * pairs

    whole = predict(words)
    right = torch.tensor([whole - predict(words[:place] + words[place + 1 :]) for place in range(count)])
    handed_over = list(words)
    meanings = {
        "index out of range": "the list got shorter on the way: make a new list for each word",
        "operand type(s) for -: 'list'": "a list has no minus: make a new list of the words that stay",
    }
    got = attempt.call(
        attempt.answer, predict, handed_over, called=f"leave_one_out(predict, {words})", meanings=meanings
    )
    if isinstance(got, dict):
        twice = "a dictionary has one number for a word that stands there twice: return a list"
        attempt.fact("shape", False, expected=f"a list of {count} numbers", got=got, likely=twice, stop=True)
    shapes = {(len(set(words)),): "a word that stands there twice has two places: count places, not words"}
    if len(handed_over) < count:
        shapes[(count - len(handed_over),)] = (
            "the list got shorter while the loop went over it: make a new list for each word"
        )
    attempt.shape("shape", got, (count,), mistakes=shapes)
    gone = torch.tensor([whole - predict([other for other in words if other != word]) for word in words])
    first = [words.index(word) for word in words]
    mistakes = {
        "the sign is turned around: what is lost is all words minus those that are left": -right,
        "these are the numbers without the word: subtract them from the number with all words": whole - right,
        "every occurrence was left out: leave out one place at a time": gone,
        "of two equal words the first was left out both times: go by the place, not by the word": right[first],
    }
    attempt.values("values", got, right, mistakes=mistakes, usual=False)
    attempt.fact(
        "kept",
        handed_over == words,
        expected="the list as it was",
        got="a changed list",
        likely="remove() and del change the list: make a new one",
    )


def judge_without_top(attempt: Attempt, *, longest: int) -> None:
    """Judge a function (words, values, count) -> the words that are left.

    Args:
        attempt: of this round.
        longest: most words.
    """
    count = attempt.size(5, longest)
    top = attempt.size(1, count - 3)
    words = [f"{_WORDS[place % len(_WORDS)]}" for place in range(count)]
    values = attempt.tensor(count)
    # one word occurs twice: the later one goes, the earlier one and the word behind it stay
    later = attempt.size(2, count - 1)
    earlier = attempt.size(0, later - 2)
    words[later] = words[earlier]
    for place, rank in ((later, -1), (earlier, 1), (earlier + 1, 2)):
        other = int(values.argsort()[rank])
        values[[place, other]] = values[[other, place]]
    order = values.argsort(descending=True).tolist()
    right = [words[place] for place in range(count) if place not in order[:top]]
    handed_over = list(words)
    called = f"without_top({words}, torch.tensor({[round(value, 2) for value in values.tolist()]}), {top})"
    moved = "deleting a word moves those behind it: find all places first, then keep the others"
    meanings = {"index out of range": moved}
    got = attempt.call(attempt.answer, handed_over, values.clone(), top, called=called, meanings=meanings)
    is_list = isinstance(got, list | tuple) and all(isinstance(word, str) for word in got)
    attempt.fact(
        "form", is_list, expected="a list of words", got=got, likely="return the words, not their places", stop=True
    )
    lowest, by_size = order[::-1], values.abs().argsort(descending=True).tolist()
    went = {words[place] for place in order[:top]}
    first, popped = list(words), list(words)
    for place in order[:top]:
        first.remove(words[place])
        popped[place : place + 1] = []
    wrong = {
        "the words with the smallest values were deleted": [
            words[place] for place in range(count) if place not in lowest[:top]
        ],
        "a large negative value speaks against the class: order by the value, not by its size": [
            words[place] for place in range(count) if place not in by_size[:top]
        ],
        "these are the words that should go": [words[place] for place in order[:top]],
        "these are the words that should go, in their order": [
            words[place] for place in range(count) if place in order[:top]
        ],
        "the words are in another order than in the text": [words[place] for place in order[top:]],
        "of two equal words the first was deleted: go by the place, not by the word": first,
        "every word like those was deleted: go by the place, not by the word": [
            word for word in words if word not in went
        ],
        moved: popped,
    }
    likely = next((message for message, left in wrong.items() if list(got) == left and left != right), "")
    if not likely:
        likely = "more or fewer words are left than should be" if len(got) != len(right) else "other words should go"
    attempt.fact("words", list(got) == right, expected=" ".join(right), got=" ".join(got) or "no words", likely=likely)
    attempt.fact(
        "kept", handed_over == words, expected="the list as it was", got="a changed list", likely="make a new list"
    )

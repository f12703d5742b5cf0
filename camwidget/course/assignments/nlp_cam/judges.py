"""Judges for the answers of `nlp_cam` about tensors. The hidden checks use them too, with other sizes."""

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from camwidget.course.assignments.awkward import awkward_sizes
from camwidget.course.assignments.traces import judge_given
from camwidget.course.attempt import Attempt


def judge_word_scores(attempt: Attempt, *, high: int) -> None:
    """Judge a function (activation, weight) -> one value per class and word.

    Args:
        attempt: of this round.
        high: the greatest length of an axis.
    """
    for sizes in awkward_sizes(attempt, ("class", "channel", "position"), high=high, ones=("position",)):
        classes, channel, positions = sizes.values()
        activation, weight = attempt.tensor(channel, positions), attempt.tensor(classes, channel)
        before = {"activation": activation.clone(), "weight": weight.clone()}
        called = f"word_scores(activation, weight) with shapes {tuple(activation.shape)} and {tuple(weight.shape)}"
        got = attempt.call(attempt.answer, activation, weight, called=called)
        shapes = {
            (classes,): "the words are gone: this is the pooled score",
            (positions,): "the classes are gone: keep one row for each",
            (positions, classes): "classes come first, words second",
            (channel, positions): "there is one row per channel: sum over channels, keep classes",
            (classes, channel): "this is the sum over the words: sum over channels, keep words",
            (classes, channel, positions): "the channels are still there: sum over them",
            (classes, 1, positions): "an axis of length 1 is left over: sum over the channels without keepdim",
            (
                2,
                positions,
            ): "there are two rows: are two classes written into the function? Each row of the weight is one",
        }
        shapes.pop((classes, positions), None)
        attempt.shape("shape", got, (classes, positions), mistakes=shapes)
        one, two = before["activation"].double(), before["weight"].double()
        right = (two[:, :, None] * one[None]).sum(dim=1)
        mistakes = partial(_score_mistakes, one, two, right)
        attempt.values("values", got, right, mistakes=mistakes, axes=("class", "word"))
        judge_given(attempt, "kept", {"activation": activation, "weight": weight}, before)


def _score_mistakes(one: Tensor, two: Tensor, right: Tensor) -> dict[str, Tensor]:
    products = two[:, :, None] * one[None]
    known = {
        "this is the mean over channels: CAM adds them up": products.mean(1),
        "this is the largest product, not the sum over channels": products.amax(1),
        "these are probabilities over the classes, not scores": right.softmax(dim=0),
        "this is a softmax over the words, not the scores": right.softmax(dim=1),
        "every word has the same score: the activation was averaged first": right.mean(1, keepdim=True).expand_as(
            right
        ),
        "all classes have the first one's scores": right[:1].expand_as(right),
        "you used the absolute weight: evidence against turned into evidence for": two.abs() @ one,
        "you applied ReLU to the weight: evidence against is lost": two.relu() @ one,
        "you used the absolute activation": two @ one.abs(),
        "you applied ReLU to the activation: what is below zero counts as well": two @ one.relu(),
        "only the first channel is used: sum over all": products[:, 0],
        "one channel is missing at the end": products[:, :-1].sum(1),
        "one channel is missing": products[:, 1:].sum(1),
        "the weight is not used: multiply the channels with it": one.sum(0).expand_as(right),
        "the activation was reshaped, which does not swap its axes: .T does": two @ one.reshape(one.shape[::-1]).T,
        "the weight was reshaped, which does not swap its axes: classes are its rows already": two.reshape(
            two.shape[::-1]
        ).T
        @ one,
        "the words are in reverse order": right.flip(1),
        "the classes are in reverse order": right.flip(0),
    }
    if two.shape[0] == two.shape[1]:
        known["rows and columns of the weight have changed places: classes are its rows"] = two.T @ one
    if right.shape[0] == right.shape[1]:
        known["classes and words have changed places"] = right.T
    if two.shape[1] == one.shape[1]:
        known["the weight met the words, not the channels"] = two @ one.T if two.shape[1] == one.shape[0] else right
        known["the sum went over the words, not over the channels"] = (
            (two[:, None] * one).sum(-1) if (one.shape[0] == right.shape[1]) else right
        )
    return known


def judge_logits(attempt: Attempt, *, longest: int) -> None:
    """Judge a function (scores, bias, is_word) -> logits, with filling behind the words, before, between, and none.

    Args:
        attempt: of this round.
        longest: most positions.
    """
    positions = attempt.size(10, longest)
    words = attempt.size(3, positions - 5)
    behind = torch.arange(positions) < words
    masks = {
        "behind the words": behind,
        "before the words": behind.flip(0),
        "between the words": behind[torch.randperm(positions, generator=attempt.generator)],
        "around a single word": torch.arange(positions) == attempt.size(1, positions - 2),
        "behind many words": torch.arange(61) < attempt.size(30, 57),
        "beside as many words": torch.arange(12) % 2 == attempt.size(0, 1),
        "nowhere, and a single word": torch.ones(1, dtype=torch.bool),
        "nowhere": torch.ones(positions, dtype=torch.bool),
    }
    for number, (where, is_word) in enumerate(masks.items()):
        classes = attempt.size(2, 4) if number % 2 == 0 else min(len(is_word), 6) if where != "nowhere" else positions
        scores, bias = attempt.tensor(max(classes, 2), len(is_word)), attempt.tensor(max(classes, 2))
        before = {"scores": scores.clone(), "bias": bias.clone(), "is_word": is_word.clone()}
        count = int(is_word.sum())
        called = f"logits_from_words(scores, bias, is_word), filling {where}: {count} words in {len(is_word)} positions"
        meanings = {"shape of the mask": "is_word has one value per position: it belongs to the axis of the words"}
        got = attempt.call(attempt.answer, scores, bias, is_word, called=called, meanings=meanings)
        shapes = {
            (): "one number for all classes: average over the words only",
            (len(bias), 1): "the axis of the words is left over: no keepdim here",
            (len(bias), len(bias)): "every class met every bias: drop the axis of length 1 before you add",
            (len(bias), len(is_word)): "the words are still there: average over them",
            (len(bias), count): "the words are still there: average over them",
        }
        attempt.shape("shape", got, (len(bias),), mistakes=shapes)
        wrong = _logit_mistakes(before["scores"].double(), before["bias"].double(), before["is_word"])
        right = before["scores"].double()[:, before["is_word"]].sum(1) / count + before["bias"]
        key = "full" if where.startswith("nowhere") else "values" if where == "behind the words" else "filling"
        attempt.values(key, got, right, mistakes=wrong)
        judge_given(attempt, "kept", {"scores": scores, "bias": bias, "is_word": is_word}, before)


def _logit_mistakes(scores: Tensor, bias: Tensor, is_word: Tensor) -> Mapping[str, Tensor]:
    words, positions = int(is_word.sum()), len(is_word)
    total = (scores * is_word).sum(dim=1)
    lowest = scores.masked_fill(~is_word, -torch.inf).amax(1)
    wrong = {
        "padding was averaged along with the words": scores.mean(dim=1) + bias,
        "the mean of all classes was taken: each class has its own": total.mean() / words + bias,
        "divided by all positions: count the words only": total / positions + bias,
        "padding was added up along with the words": scores.sum(dim=1) / words + bias,
        "the bias is missing": total / words,
        "the bias is missing, and padding was averaged along": scores.mean(dim=1),
        "this is the sum: the network takes the mean": total + bias,
        "this is the sum, padding included: the network takes the mean of the words": scores.sum(1) + bias,
        "the bias was subtracted": total / words - bias,
        "the bias was divided by the number of words as well": (total + bias) / words,
        "the bias was divided by the number of positions as well": (total + bias) / positions,
        "the bias was multiplied, not added": total / words * bias,
        "only the first class's bias is used": total / words + bias[0],
        "the biases are in reverse order": total / words + bias.flip(0),
        "the largest value was taken: the network takes the mean": lowest + bias,
        "the largest value of all positions was taken: the network takes the mean of the words": scores.amax(1) + bias,
        "the median was taken: the network takes the mean": scores[:, is_word].median(1).values + bias,
        "only the first word counts: take the mean of all": scores[:, is_word][:, 0] + bias,
        "only the last word counts: take the mean of all": scores[:, is_word][:, -1] + bias,
        "the first positions were taken for the words: is_word says where they are": scores[:, :words].mean(1) + bias,
        "the last positions were taken for the words: is_word says where they are": scores[:, -words:].mean(1) + bias,
        "22, the number of our review's words, is written into the function": total / 22 + bias,
        "50, the number of places, is written into the function": total / 50 + bias,
        "ReLU was applied to the scores: what is below zero counts as well": (scores * is_word).relu().sum(1) / words
        + bias,
        "the absolute scores were averaged: the sign counts": (scores * is_word).abs().sum(1) / words + bias,
        "ReLU was applied at the end: logits may be negative": (total / words + bias).relu(),
        "these are probabilities: return the logits": (total / words + bias).softmax(0),
        "one word too many was counted": total / (words + 1) + bias,
    }
    if words < positions:
        wrong["the filling was averaged, not the words: is_word is True where there is a word"] = (
            scores[:, ~is_word].mean(1) + bias
        )
    if words > 1:
        wrong["one word too few was counted"] = total / (words - 1) + bias
    return wrong


def judge_gradient_times_input(attempt: Attempt, *, high: int) -> None:
    """Judge a function (gradient, embedding) -> one value per word; both are (position, channel).

    Args:
        attempt: of this round.
        high: the greatest length of an axis.
    """
    for sizes in awkward_sizes(attempt, ("position", "channel"), high=high, ones=("position",)):
        positions, channel = sizes.values()
        gradient, embedding = attempt.tensor(positions, channel), attempt.tensor(positions, channel)
        before = {"gradient": gradient.clone(), "embedding": embedding.clone()}
        called = f"gradient_times_input(gradient, embedding), both of shape {tuple(gradient.shape)}"
        got = attempt.call(attempt.answer, gradient, embedding, called=called)
        shapes = {
            (positions, channel): "there is one number per channel: add them up for each word",
            (channel,): "one number per channel: add over the channels, not over the words",
            (): "one number for the whole text: add over the channels only",
            (positions, positions): "every word met every word: multiply number by number, with *, and add up",
            (positions, 1): "the axis of the channels is left over: sum over it without keepdim",
        }
        attempt.shape("shape", got, (positions,), mistakes=shapes)
        one, two = before["gradient"].double(), before["embedding"].double()

        def mistakes(one: Tensor = one, two: Tensor = two) -> dict[str, Tensor]:
            known = {
                "the gradient was averaged over the words first: that is Grad-CAM": (one.mean(0) * two).sum(1),
                "every word met every word: multiply number by number, with *, and add up": (one @ two.T).sum(1),
                "every word met every word, the other way: multiply number by number, with *": (two @ one.T).sum(1),
                "the gradient was added up over the words first": (one.sum(0) * two).sum(1),
                "this is the size of the gradient: the sign is lost": one.norm(dim=1),
                "this is the size of the product: the sign is lost": (one * two).norm(dim=1),
                "the absolute products were added up: the sign is lost": (one * two).abs().sum(1),
                "the absolute gradient was used: the sign is lost": (one.abs() * two).sum(1),
                "ReLU was applied to the products: what speaks against is lost": (one * two).relu().sum(1),
                "ReLU was applied to the gradient": (one.relu() * two).sum(1),
                "only the gradient is used: multiply it with the embedding": one.sum(1),
                "only the gradient is used, and averaged: multiply it with the embedding": one.mean(1),
                "only the embedding is used: where is the gradient?": two.sum(1),
                "only the embedding is used, and averaged: where is the gradient?": two.mean(1),
                "this is the size of the embedding: where is the gradient?": two.norm(dim=1),
                "the mean over channels was taken: add them up": (one * two).mean(1),
                "the largest product was taken: add them up": (one * two).amax(1),
                "only the first channel is used: add all of them up": one[:, 0] * two[:, 0],
                "gradient and embedding were added, not multiplied": (one + two).sum(1),
                "both were added up before they were multiplied: multiply number by number": one.sum(1) * two.sum(1),
                "this is the cosine: multiply and add up, without dividing by the sizes": torch.cosine_similarity(
                    one, two
                ),
                "the words are in reverse order": (one * two).sum(1).flip(0),
            }
            if len(one) == one.shape[1]:
                known["added up over the words, not over the channels"] = (one * two).sum(0)
            return known

        attempt.values("values", got, (one * two).sum(dim=1), mistakes=mistakes, axes=("word",))
        judge_given(attempt, "kept", {"gradient": gradient, "embedding": embedding}, before)

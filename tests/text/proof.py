"""Do the maps of words mean what they say? Measured on reviews, with the packaged model.

    python -m tests.text.proof

Downloads the reviews (`load_reviews`) where they are not there yet, takes about a minute, prints what it finds.

A word's value is its value for the positive class minus that for the negative one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from scipy import stats
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from camwidget.text.explain import explain_text_methods
from camwidget.text.reader import reader_of
from camwidget.text.result import TextExplanation

WAYS = {
    "CAM at conv3": ("cam", "conv3"),
    "Grad-CAM at conv3": ("grad_cam", "conv3"),
    "HiResCAM at conv1": ("hires_cam", "conv1"),
    "gradient times input": ("hires_cam", "embedding"),
    "leave one out": ("occlusion", "conv3"),
}
"""Name to method and layer. Grad-CAM at the embedding is left out: it is averaged over words of opposite meaning."""

TOP = 5
"""How many words are deleted."""


@dataclass(frozen=True)
class Measured:
    """One review: the explanations, and for each word its value by every way of finding one."""

    found: Mapping[str, TextExplanation]
    values: Mapping[str, np.ndarray]


def measured(learner: Any, texts: Iterable[str], *, seed: int = 0) -> list[Measured]:
    """Explain all texts by all methods; random values are added, as what any method must beat."""
    generator = np.random.default_rng(seed)
    results = []
    for text in texts:
        found = explain_text_methods(learner, text, layers=["embedding", "conv1", "conv3"])
        values = {}
        for way, (method, layer) in WAYS.items():
            one, other = (found[method].word_values(layer, index).double().numpy() for index in (1, 0))
            values[way] = one - other
        values["random"] = generator.standard_normal(len(found["cam"].words))
        results.append(Measured(found, values))
    return results


def in_double_precision(learner: Any) -> Any:
    """The same model, its weights as wide as the numbers that are compared; the learner keeps its own."""
    return SimpleNamespace(model=deepcopy(learner.model).double(), dls=learner.dls)


def completeness(results: Sequence[Measured]) -> tuple[float, float]:
    """The largest difference between sum plus bias and logit, and between CAM over words and Grad-CAM, relatively."""
    gaps, differences = [], []
    for result in results:
        cam, grad_cam = result.found["cam"], result.found["grad_cam"]
        for index in cam.target_classes:
            total, bias = cam.contributions("conv3", index)
            size = abs(total) + abs(bias)
            gaps.append(abs(total + bias - float(cam.logits[index])) / size)
            one, other = cam.cam("conv3", index) / len(cam.tokens), grad_cam.cam("conv3", index)
            differences.append(float((one - other).abs().max() / one.abs().max()))
    return max(gaps), max(differences)


def rank_correlation_with_leaving_out(results: Sequence[Measured]) -> dict[str, float]:
    """Spearman's rank correlation of the words' values with leave-one-out, the mean over texts of eight words on."""
    found = defaultdict(list)
    for result in results:
        if len(result.values["random"]) >= 8:
            for way, values in result.values.items():
                found[way].append(stats.spearmanr(values, result.values["leave one out"]).statistic)
    return {way: float(np.nanmean(each)) for way, each in found.items()}


def probability_lost(learner: Any, results: Sequence[Measured], way: str) -> np.ndarray:
    """By how much the predicted class's probability falls when the five words that speak most for it are deleted."""
    lost = []
    reader = reader_of(learner)
    model = reader.network.eval()
    for result in results:
        cam = result.found["cam"]
        predicted = int(cam.logits.argmax())
        order = np.argsort(-result.values[way] if predicted == 1 else result.values[way])
        if way == "random":
            order = np.argsort(result.values[way])
        shorter = without(cam, order[:TOP])
        with torch.no_grad():
            logits = model(reader.ids(reader.tokens(shorter)))[0]
        lost.append(float(cam.probabilities[predicted] - logits.softmax(dim=0)[predicted]))
    return np.array(lost)


def without(result: TextExplanation, gone: Iterable[int]) -> str:
    """The text without some of its words."""
    spans = sorted((result.words[each].start, result.words[each].end) for each in gone)
    kept, cursor = [], 0
    for start, end in spans:
        kept.append(result.text[cursor:start])
        cursor = end
    return "".join([*kept, result.text[cursor:]])


def rank_correlation_with_ratings(results: Sequence[Measured]) -> tuple[int, dict[str, float]]:
    """Spearman's rank correlation of words' mean values with people's ratings of these words, and how many words."""
    ratings = SentimentIntensityAnalyzer().lexicon
    by_word: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        for number, word in enumerate(result.found["cam"].words):
            if word.known and word.text.lower() in ratings:
                for way, values in result.values.items():
                    by_word[word.text.lower()][way].append(values[number])
    words = sorted(by_word)
    rated = [ratings[word] for word in words]
    correlations = {
        way: float(stats.spearmanr([np.mean(by_word[word][way]) for word in words], rated).statistic)
        for way in (*WAYS, "random")
    }
    return len(words), correlations


def report(learner: Any, texts: Sequence[str], reviews: int) -> Iterator[str]:
    """The lines that say what was found.

    Args:
        learner: the model.
        texts: held-out reviews.
        reviews: how many of them words are deleted from; the others serve the other questions too.
    """
    results = measured(learner, texts)
    gap, difference = completeness(results)
    double_gap, double_difference = completeness(measured(in_double_precision(learner), texts[:100]))
    yield f"{len(results)} held-out reviews, {np.mean([len(each.values['random']) for each in results]):.0f} words each"
    yield f"sum of CAM plus bias against the logit: at most {gap:.1e} apart (single), {double_gap:.1e} (double)"
    yield f"CAM per token against Grad-CAM: at most {difference:.1e} (single), {double_difference:.1e} (double)"
    yield "rank correlation of a review's words with leaving one word out (mean over reviews of eight words on):"
    yield from (f"  {way:22}{value:7.2f}" for way, value in rank_correlation_with_leaving_out(results).items())
    long = [each for each in results if len(each.values["random"]) >= 2 * TOP][:reviews]
    by_chance = probability_lost(learner, long, "random")
    yield f"probability lost without the {TOP} top words and without {TOP} random ones, {len(long)} reviews, paired:"
    for way in WAYS:
        lost = probability_lost(learner, long, way)
        yield f"  {way:22}{lost.mean():7.3f} against {by_chance.mean():.3f}; {compared(lost, by_chance)}"
    count, ratings = rank_correlation_with_ratings(results)
    yield f"rank correlation of {count} words' mean values with people's ratings of these words (VADER):"
    yield from (f"  {way:22}{value:7.2f}" for way, value in ratings.items())


def compared(lost: np.ndarray, by_chance: np.ndarray) -> str:
    """Wilcoxon's signed-rank test and the paired t-test, one-sided, as a phrase."""
    signed = stats.wilcoxon(lost, by_chance, alternative="greater").pvalue
    paired = stats.ttest_rel(lost, by_chance, alternative="greater")
    share = (lost > by_chance).mean()
    return f"more in {share:.0%} of the reviews; Wilcoxon p = {signed:.1e}, paired t = {paired.statistic:.1f}"


def main() -> None:
    """Print the report on the held-out reviews."""
    from camwidget.text.learner import text_learner
    from camwidget.text.reviews import load_reviews
    from tests.text.train import split

    _, held_out = split(load_reviews())
    for line in report(text_learner(), held_out.texts, reviews=500):
        print(line)


if __name__ == "__main__":
    main()

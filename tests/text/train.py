"""Train the packaged network, and measure it beside simpler ways of telling good reviews from bad ones.

    python -m tests.text.train               about two minutes on two cores; writes what the package ships
    python -m tests.text.train --evaluate    measures what the package ships
    python -m tests.text.train --record      the same, and writes the record anew

A held-out part of the movie reviews, drawn by a fixed seed, is used for nothing but the printed accuracies. How
long and how to train was chosen on a tenth of the remaining sentences.
"""

import argparse
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from camwidget.text.learner import PADDING, UNKNOWN, ReviewNet, padded, record, text_learner
from camwidget.text.reviews import SHA256, Reviews, load_reviews, other_sentences
from camwidget.text.tokens import Vocabulary
from tests.house.repository import ROOT

PACKAGED = ROOT / "camwidget" / "text" / "packaged"
SEED = 0
HELD_OUT = 0.15
WORDS = 7000
EPOCHS = 6
BATCH = 64
RATE = 2e-3
STEEPNESS = 1.5
"""A sentence's target is not 0 or 1 but sigmoid(1.5 * rating): people were surer of some sentences than of others."""
OTHERS_WEIGHT = 0.5
"""What a sentence that is no movie review counts."""
HIDDEN = 0.1
"""Share of words replaced by the unknown one while training, so that it learns to bear them."""


def split(reviews: Reviews, *, seed: int = SEED) -> tuple[Reviews, Reviews]:
    """Return the sentences to train on, and those held out.

    Args:
        reviews: all.
        seed: of the draw.
    """
    order = np.random.default_rng(seed).permutation(len(reviews)).tolist()
    first = int(len(reviews) * (1 - HELD_OUT))
    return _part(reviews, order[:first]), _part(reviews, order[first:])


def frequent_words(reviews: Reviews, others: Reviews, *, count: int = WORDS) -> list[str]:
    """Return the words met in at least two sentences, the most frequent first; one in a review counts three times.

    Args:
        reviews: movie reviews to train on.
        others: other sentences.
        count: how many words at most.
    """
    nothing = Vocabulary([])
    met: Counter[str] = Counter()
    weighted: Counter[str] = Counter()
    for part, weight in ((reviews, 3), (others, 1)):
        for text in part.texts:
            for word in sorted({token.text.lower() for token in nothing.tokens(text)}):
                met[word] += 1
                weighted[word] += weight
    ranked = sorted((word for word in met if met[word] > 1), key=lambda word: (-weighted[word], word))
    return ranked[:count]


def trained(
    reviews: Reviews, others: Reviews, *, words: Sequence[str], epochs: int = EPOCHS, seed: int = SEED
) -> ReviewNet:
    """Return a network trained on movie reviews and other sentences; its weights are a running mean over the steps.

    Args:
        reviews: movie reviews.
        others: other sentences; each counts `OTHERS_WEIGHT`.
        words: the vocabulary.
        epochs: how often each sentence is seen.
        seed: of everything random.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vocabulary = Vocabulary(words)
        network = ReviewNet(vocabulary)
        texts = [vocabulary.ids(vocabulary.tokens(text))[0] for text in (*reviews.texts, *others.texts)]
        targets = torch.tensor((*reviews.ratings, *others.ratings)).mul(STEEPNESS).sigmoid()
        weights = torch.tensor([1.0] * len(reviews) + [OTHERS_WEIGHT] * len(others))
        mean = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.995))
        optimizer = torch.optim.AdamW(network.parameters(), lr=RATE)
        steps = epochs * len(_batches([len(each) for each in texts]))
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps + 1, pct_start=0.2)
        network.train()
        for ids, places in tqdm(_epochs(texts, epochs), total=steps, desc="training", file=sys.stderr):
            hidden = (torch.rand(ids.shape) < HIDDEN) & (ids != PADDING)
            logits = network(ids.masked_fill(hidden, UNKNOWN))
            loss = _loss(logits[:, 1] - logits[:, 0], targets[places], weights[places])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            mean.update_parameters(network)
        network.load_state_dict(mean.module.state_dict())
    return network.eval()


def _loss(
    difference: Float[Tensor, " batch"], targets: Float[Tensor, " batch"], weights: Float[Tensor, " batch"]
) -> Float[Tensor, ""]:
    """Cross entropy with soft targets: the difference of the two logits is the logit of being positive."""
    return nn.functional.binary_cross_entropy_with_logits(difference, targets, weight=weights)


def _epochs(texts: Sequence[Tensor], epochs: int) -> Iterator[tuple[Tensor, Tensor]]:
    lengths = [len(each) for each in texts]
    for _ in range(epochs):
        for places in _batches(lengths):
            yield padded([(texts[place], 0) for place in places])[0], torch.tensor(places)


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Texts of about equal length together: little padding. Drawn anew each time."""
    order = torch.randperm(len(lengths)).tolist()
    groups = [order[start : start + 20 * BATCH] for start in range(0, len(order), 20 * BATCH)]
    batches = [
        ordered[start : start + BATCH]
        for ordered in (sorted(group, key=lengths.__getitem__) for group in groups)
        for start in range(0, len(ordered), BATCH)
    ]
    return [batches[place] for place in torch.randperm(len(batches)).tolist()]


def accuracy(network: ReviewNet, reviews: Reviews) -> float:
    """Return the share of sentences whose class the network tells.

    Args:
        network: trained.
        reviews: sentences with ratings.
    """
    network = network.eval()
    right = 0
    with torch.no_grad():
        for text, label in zip(reviews.texts, reviews.labels, strict=True):
            tokens = network.vocabulary.tokens(text)
            right += int(network(network.vocabulary.ids(tokens))[0].argmax()) == label
    return right / len(reviews)


def baselines(reviews: Reviews, others: Reviews, held_out: Reviews) -> dict[str, float]:
    """Return the accuracies of TF-IDF with logistic regression, on words, and on words and pairs.

    They learn from what the network learns from, with the same weights: else the comparison is not fair.

    Args:
        reviews: movie reviews to train on.
        others: other sentences to train on; each counts `OTHERS_WEIGHT`.
        held_out: to measure on.
    """
    texts, labels = (*reviews.texts, *others.texts), (*reviews.labels, *others.labels)
    weights = [1.0] * len(reviews) + [OTHERS_WEIGHT] * len(others)
    found = {}
    for name, longest in (("TF-IDF on words", 1), ("TF-IDF on words and pairs", 2)):
        model = make_pipeline(TfidfVectorizer(ngram_range=(1, longest)), LogisticRegression(max_iter=1000))
        model.fit(texts, labels, logisticregression__sample_weight=weights)
        found[name] = float(model.score(held_out.texts, held_out.labels))
    return found


PHRASES = {
    "not … bad": r"\b(?:not|\w*n['\u2019]t)(?:\W+\w+)?\W+bad\b",
    "never boring, never dull": r"\bnever\W+(?:boring|dull)\b",
}
"""What the notebooks ask about: name to pattern. In the first there may be one word in the place of the dots."""


def phrases(reviews: Reviews) -> dict[str, dict[str, int]]:
    """Return for each of `PHRASES` how many sentences have it, and how many of these are negative.

    Args:
        reviews: all sentences that the network learns from.
    """
    found = {}
    for name, pattern in PHRASES.items():
        labels = [
            label
            for text, label in zip(reviews.texts, reviews.labels, strict=True)
            if re.search(pattern, text, re.IGNORECASE)
        ]
        found[name] = {"sentences": len(labels), "negative": labels.count(0)}
    return found


def packed(network: ReviewNet, folder: Path) -> None:
    """Write weights, in half precision, and vocabulary into a folder.

    Args:
        network: trained.
        folder: must be there.
    """
    torch.save({name: each.half() for name, each in network.state_dict().items()}, folder / "weights.pt")
    (folder / "words.txt").write_text("".join(f"{word}\n" for word in network.vocabulary.index), encoding="utf-8")


def main() -> None:
    """Train and write, or only measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.text.train", description=__doc__)
    parser.add_argument("--evaluate", action="store_true", help="measure the packaged network, train nothing")
    parser.add_argument("--record", action="store_true", help="the same, and write the record")
    parser.add_argument("--data", type=Path, help="folder with the data; the user's cache if left out")
    chosen = parser.parse_args()
    reviews, held_out = split(load_reviews(chosen.data))
    others = other_sentences(chosen.data)
    if not (chosen.evaluate or chosen.record):
        network = trained(reviews, others, words=frequent_words(reviews, others))
        packed(network, PACKAGED)
    learner = text_learner()
    measured = {"packaged network": accuracy(learner.model, held_out), **baselines(reviews, others, held_out)}
    if not chosen.evaluate:
        _write_record(reviews, others, held_out, measured)
    rows = [f"{name:28} {value:.4f}" for name, value in measured.items()]
    title = f"accuracy on {len(held_out):,} held-out sentences (recorded: {record()['accuracy']:.4f})"
    sys.stdout.write("\n".join([title, *rows, ""]))


def _write_record(reviews: Reviews, others: Reviews, held_out: Reviews, measured: dict[str, float]) -> None:
    name, *simpler = measured
    everything = Reviews(reviews.texts + others.texts, reviews.ratings + others.ratings)
    found: dict[str, Any] = {
        "command": "python -m tests.text.train",
        "seed": SEED,
        "data": {"source distribution": "vaderSentiment 3.3.2", "sha256": SHA256},
        "split": {"seed": SEED, "trained on": len(reviews), "held out": len(held_out)},
        "other sentences": {"trained on": len(others), "weight": OTHERS_WEIGHT},
        "accuracy": round(measured[name], 4),
        "baselines with the same data": {each: round(measured[each], 4) for each in simpler},
        "phrases": phrases(everything),
        "weights sha256": hashlib.sha256((PACKAGED / "weights.pt").read_bytes()).hexdigest(),
        "torch": torch.__version__.partition("+")[0],
    }
    (PACKAGED / "record.json").write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _part(reviews: Reviews, places: Sequence[int]) -> Reviews:
    return Reviews(tuple(reviews.texts[place] for place in places), tuple(reviews.ratings[place] for place in places))


if __name__ == "__main__":
    main()

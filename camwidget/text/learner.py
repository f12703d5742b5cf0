"""`text_learner`: a fastai Learner around the small network, with trained weights that come with the package."""

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Int
from torch import Tensor

from camwidget.demo import quietly
from camwidget.errors import DataError, three_parts
from camwidget.text.network import PADDING, ReviewNet
from camwidget.text.reviews import Reviews, example_reviews
from camwidget.text.tokens import Vocabulary

if TYPE_CHECKING:
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner

_PACKAGED = files("camwidget.text").joinpath("packaged")
FEWEST = 2
"""Reviews that one can learn from and validate with."""
LONGEST = 400
"""Words of one text that are trained on; longer ones are cut."""


@cache
def vocabulary() -> Vocabulary:
    """Return the words that the packaged network knows."""
    return Vocabulary(_PACKAGED.joinpath("words.txt").read_text(encoding="utf-8").split("\n")[:-1])


def record() -> dict[str, Any]:
    """Return how the packaged network was trained, and how often it is right on sentences it has never seen."""
    found: dict[str, Any] = json.loads(_PACKAGED.joinpath("record.json").read_text(encoding="utf-8"))
    return found


def text_learner(reviews: Reviews | None = None, *, pretrained: bool = True) -> "Learner":
    """Return a fastai Learner that tells positive from negative reviews. Needs no network.

    It knows about 7,000 words. Class activation maps are exact at its last layer, `conv3`.

    Args:
        reviews: sentences to train on, a tenth of which is kept for validation; None for the packaged dozen, which is
            enough to look at the network, and for nothing else.
        pretrained: with the packaged weights; else as random as any new network, ready for `fit_one_cycle`.

    Example:
        >>> learn = text_learner()
        >>> learn.dls.vocab[1]
        ['negative', 'positive']
    """
    with quietly():
        import fastai.callback.progress  # noqa: PLC0415 (so that training shows how far it is)
        import fastai.callback.schedule  # noqa: F401, PLC0415 (for fit_one_cycle)
        from fastai.learner import Learner  # noqa: PLC0415 (seconds to import)
        from fastai.losses import CrossEntropyLossFlat  # noqa: PLC0415 (see above)
        from fastai.metrics import accuracy  # noqa: PLC0415 (see above)
    known = vocabulary()
    network = ReviewNet(known)
    if pretrained:
        path = str(_PACKAGED.joinpath("weights.pt"))
        weights = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict({name: each.float() for name, each in weights.items()})
        network.eval()  # so that learn.model gives the same answer twice; fitting switches by itself
    loaders = review_dls(_examples() if reviews is None else reviews, known)
    return Learner(loaders, network, loss_func=CrossEntropyLossFlat(), metrics=accuracy)


def review_dls(reviews: Reviews, known: Vocabulary, *, batch_size: int = 64, seed: int = 0) -> "DataLoaders":
    """Return fastai DataLoaders over reviews: a tenth, drawn by `seed`, validates.

    Args:
        reviews: at least two.
        known: the words.
        batch_size: texts per step.
        seed: of the split.

    Raises:
        DataError: there are fewer than two.
        TextError: one of them is no text, or empty.
    """
    with quietly():
        from fastai.data.core import DataLoaders  # noqa: PLC0415 (seconds to import)
        from fastai.data.load import DataLoader  # noqa: PLC0415 (see above)
    if len(reviews) < FEWEST:
        given = f"There are {len(reviews)} reviews"
        raise DataError(
            three_parts(given, "One is needed to train on, and one to validate", "load_reviews() has 10,568")
        )
    pairs = [
        (known.ids(known.tokens(text))[0, :LONGEST], label)
        for text, label in zip(reviews.texts, reviews.labels, strict=True)
    ]
    order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(seed)).tolist()
    few = max(len(pairs) // 10, 1)
    parts = [[pairs[place] for place in places] for places in (order[few:], order[:few])]
    loaders = DataLoaders(
        *(
            DataLoader(part, bs=batch_size, shuffle=train, drop_last=False, num_workers=0, create_batch=padded)
            for part, train in zip(parts, (True, False), strict=True)
        ),
        device=torch.device("cpu"),
    )
    loaders.vocab = (known, list(ReviewNet.class_names))
    return loaders


def padded(
    pairs: Sequence[tuple[Int[Tensor, " _"], int]],
) -> tuple[Int[Tensor, "batch position"], Int[Tensor, " batch"]]:
    """Return a batch of texts, shorter ones filled up at their end, and their classes.

    Args:
        pairs: indices of words, and class, text by text.
    """
    ids = torch.nn.utils.rnn.pad_sequence([each for each, _ in pairs], batch_first=True, padding_value=PADDING)
    return ids, torch.tensor([label for _, label in pairs])


def _examples() -> Reviews:
    liked = {"warm", "not bad", "turn", "short", "smile", "long", "plain"}
    texts = example_reviews()
    return Reviews(tuple(texts.values()), tuple(1.0 if name in liked else -1.0 for name in texts))

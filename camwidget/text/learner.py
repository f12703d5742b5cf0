"""`ReviewNet`, a small network over words with exact plain CAM at its last layer, and a Learner around it."""

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from camwidget.errors import DataError, quietly, three_parts
from camwidget.given import refuse_other_kind, yes_or_no
from camwidget.text.reviews import Reviews, example_reviews
from camwidget.text.tokens import Vocabulary

if TYPE_CHECKING:
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner


PADDING = 0
"""The index that stands for no word."""
UNKNOWN = 1
"""The index that stands for every word that is not in the vocabulary."""


class Block(nn.Module):
    """A convolution over neighbouring words, added to its input, and a ReLU; sizes do not change.

    Args:
        width: channels in and out.
        reach: how many neighbouring words are seen at once, an odd number.
    """

    def __init__(self, width: int, *, reach: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, reach, padding="same")
        self.relu = nn.ReLU()

    def forward(self, activation: Float[Tensor, "batch channel position"]) -> Float[Tensor, "batch channel position"]:
        """Return the activation after this layer.

        Args:
            activation: the activation before it.
        """
        output: Tensor = self.relu(activation + self.conv(activation))
        return output


class ReviewNet(nn.Module):
    """Embedding, three convolutions over words, the mean over all words, and one linear layer (Kim 2014, made deeper).

    Padding changes nothing: it is set to zero before every layer, and the mean counts only words.

    Args:
        vocabulary: the words it knows.
        width: channels of every layer.
        dropout: share of pooled channels that are dropped in training.
        blur: share of embedding values that are dropped in training.
    """

    class_names = ("negative", "positive")
    """The classes, in the order of the logits."""

    def __init__(self, vocabulary: Vocabulary, *, width: int = 64, dropout: float = 0.5, blur: float = 0.2) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        """The words it knows."""
        self.embedding = nn.Embedding(len(vocabulary.index) + 2, width, padding_idx=PADDING)
        self.blur = nn.Dropout(blur)
        self.conv1, self.conv2, self.conv3 = (Block(width) for _ in range(3))
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(width, len(self.class_names))
        with torch.no_grad():
            self.embedding.weight.mul_(0.1)  # so that rare words, which training hardly changes, say little

    def forward(self, ids: Int[Tensor, "batch position"]) -> Float[Tensor, "batch class"]:
        """Return the logits.

        Args:
            ids: indices of words; `PADDING` fills up the shorter texts of a batch.
        """
        is_word = (ids != PADDING)[:, None]
        activation = self.blur(self.embedding(ids)).transpose(1, 2)
        for layer in (self.conv1, self.conv2, self.conv3):
            activation = layer(activation) * is_word
        pooled = activation.sum(dim=2) / is_word.sum(dim=2).clamp(min=1)
        logits: Tensor = self.classifier(self.dropout(pooled))
        return logits


_PACKAGED = files("camwidget.text").joinpath("packaged")
FEWEST = 2
"""The fewest reviews that allow both training and validation."""
LONGEST = 400
"""The most words of one text used in training; longer texts are cut."""


@cache
def vocabulary() -> Vocabulary:
    """Return the words that the packaged network knows."""
    return Vocabulary(_PACKAGED.joinpath("words.txt").read_text(encoding="utf-8").split("\n")[:-1])


def record() -> dict[str, Any]:
    """Return how the packaged network was trained, and how often it is right on sentences it has never seen."""
    facts: dict[str, Any] = json.loads(_PACKAGED.joinpath("record.json").read_text(encoding="utf-8"))
    return facts


def text_learner(reviews: Reviews | None = None, *, pretrained: bool = True) -> "Learner":
    """Return a fastai Learner that tells positive from negative reviews. Needs no network.

    It knows about 7,000 words. Class activation maps are exact at its last layer, `conv3`.

    Args:
        reviews: sentences to train on, a tenth of which is kept for validation; None for the packaged dozen, which is
            enough to look at the network and for nothing else.
        pretrained: use the packaged weights; otherwise they are random, ready for `fit_one_cycle`.

    Raises:
        DataError: these are no reviews, or fewer than two; or `pretrained` is neither True nor False.

    Example:
        >>> learn = text_learner()
        >>> learn.dls.vocab[1]
        ['negative', 'positive']
    """
    pretrained = yes_or_no(pretrained, "pretrained", try_="Leave it out for the packaged weights", error=DataError)
    if reviews is not None:
        allowed, advice = "They are what load_reviews returns", "Try text_learner(load_reviews())"
        refuse_other_kind(reviews, Reviews, "reviews is", allowed=allowed, try_=advice, error=DataError)
    with quietly():
        import fastai.callback.progress  # noqa: PLC0415 (so that training shows its progress)
        import fastai.callback.schedule  # noqa: F401, PLC0415 (for fit_one_cycle)
        from fastai.learner import Learner  # noqa: PLC0415 (seconds to import)
        from fastai.losses import CrossEntropyLossFlat  # noqa: PLC0415 (see above)
        from fastai.metrics import accuracy  # noqa: PLC0415 (see above)
    known = vocabulary()
    network = ReviewNet(known)
    if pretrained:
        path = str(_PACKAGED.joinpath("weights.pt"))
        weights = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict({name: weight.float() for name, weight in weights.items()})
        network.eval()  # so that learn.model gives the same answer twice; fitting switches back by itself
    loaders = review_dls(_examples() if reviews is None else reviews, known)
    return Learner(loaders, network, loss_func=CrossEntropyLossFlat(), metrics=accuracy)


def review_dls(reviews: Reviews, known: Vocabulary, *, batch_size: int = 64, seed: int = 0) -> "DataLoaders":
    """Return fastai DataLoaders over reviews: a tenth, drawn by `seed`, is for validation.

    Args:
        reviews: at least two.
        known: the vocabulary.
        batch_size: texts per step.
        seed: decides the split.

    Raises:
        DataError: there are fewer than two.
        TextError: one of them is not a text, or is empty.
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
    """Return a batch of texts, shorter ones padded at their end, and their classes.

    Args:
        pairs: the indices of a text's words and its class, text by text.
    """
    ids = torch.nn.utils.rnn.pad_sequence([ids for ids, _ in pairs], batch_first=True, padding_value=PADDING)
    return ids, torch.tensor([label for _, label in pairs])


def _examples() -> Reviews:
    liked = {"warm", "not bad", "turn", "short", "smile", "long", "plain"}
    texts = example_reviews()
    return Reviews(tuple(texts.values()), tuple(1.0 if name in liked else -1.0 for name in texts))

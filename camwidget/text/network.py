"""`ReviewNet`: a small convolutional network over words, built so that plain CAM is exact at its last layer."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from camwidget.text.tokens import Vocabulary

PADDING = 0
"""The index that stands for no word."""
UNKNOWN = 1
"""The index that stands for every word that is not in the vocabulary."""


class Block(nn.Module):
    """A convolution over neighbouring words, added to its input, and a ReLU; the sizes stay.

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
            activation: that before it.
        """
        found: Tensor = self.relu(activation + self.conv(activation))
        return found


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
            self.embedding.weight.mul_(0.1)  # so that rare words, which training hardly moves, say little

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

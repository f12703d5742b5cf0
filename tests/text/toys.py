"""Small text classifiers for the tests, in double precision."""

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from camwidget.text.tokens import Token

KNOWN = ["a", "good", "bad", "film", "movie", "not", "very", "the", "is", "was", "i", "liked", "it", "no"]
SENTENCES = ["I loved this movie, it was GREAT fun!!! Don't miss it.", "A bad, bad film <br /> with no idea."]


class Words:
    """A vocabulary of single words: 0 is padding, 1 any unknown word."""

    def __init__(self, words: list[str]) -> None:
        self.index = {word: place for place, word in enumerate(words, 2)}

    def tokens(self, text: str) -> tuple[Token, ...]:
        found, end = [], 0
        for word in text.split():
            start = text.index(word, end)
            end = start + len(word)
            known = word.lower() in self.index
            found.append(Token(word, start, end, self.index.get(word.lower(), 1), known, False))
        return tuple(found)


class Reviews(nn.Module):
    """Embedding, three convolutions, masked mean, one linear layer: plain CAM is exact from `conv3`, and only there."""

    def __init__(self, *, channels: int = 5, bias: bool = True) -> None:
        super().__init__()
        self.vocabulary = Words(KNOWN)
        self.class_names = ["negative", "positive"]
        self.embedding = nn.Embedding(len(KNOWN) + 2, 6, padding_idx=0)
        self.conv1 = nn.Sequential(nn.Conv1d(6, channels, 3, padding="same", bias=bias), nn.ReLU())
        self.conv2 = nn.Sequential(nn.Conv1d(channels, channels, 3, padding="same", bias=bias), nn.ReLU(inplace=True))
        self.conv3 = nn.Sequential(nn.Conv1d(channels, channels, 3, padding="same", bias=bias), nn.ReLU(inplace=True))
        self.dropout = nn.Dropout(0.5)
        self.classifier = nn.Linear(channels, 2, bias=bias)

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.embedding(ids), ids != 0)

    def head(self, vectors: Tensor, kept: Tensor) -> Tensor:
        found = self.conv3(self.conv2(self.conv1(vectors.transpose(1, 2)))) * kept[:, None]
        return self.classifier(self.dropout(found.sum(dim=2) / kept.sum(dim=1, keepdim=True).clamp(min=1)))


class Skipping(Reviews):
    """The mean of the embedding goes around the convolutions: linear in `conv3`, yet not read from it alone."""

    def head(self, vectors: Tensor, kept: Tensor) -> Tensor:
        return super().head(vectors, kept) + vectors.mean(dim=1)[:, :2]


class Max(Reviews):
    """Takes the maximum over the words instead of the mean."""

    def head(self, vectors: Tensor, kept: Tensor) -> Tensor:
        return self.classifier(self.conv3(self.conv2(self.conv1(vectors.transpose(1, 2)))).amax(dim=2))


def awd_learner(*, seq_len: int = 5, max_len: int = 1000, width: int = 6, backwards: bool = False) -> Any:
    """fastai's own text classifier, tiny: it reads `seq_len` tokens at a time and pools the last `max_len`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries that fastai loads
        from fastai.text.all import (
            AWD_LSTM,
            CategoryBlock,
            ColReader,
            DataBlock,
            EndSplitter,
            TextBlock,
            awd_lstm_clas_config,
            text_classifier_learner,
        )
        from pandas import DataFrame

        table = DataFrame({"text": SENTENCES * 4, "label": ["good", "bad"] * 4})
        block = DataBlock(
            blocks=(TextBlock.from_df("text", min_freq=1, n_workers=0, backwards=backwards), CategoryBlock),
            get_x=ColReader("text"),
            get_y=ColReader("label"),
            splitter=EndSplitter(),
        )
        config = {**awd_lstm_clas_config, "emb_sz": width, "n_hid": 8, "n_layers": 2}
        dls = block.dataloaders(table, bs=4, num_workers=0)
        learner = text_classifier_learner(
            dls, AWD_LSTM, pretrained=False, config=config, seq_len=seq_len, max_len=max_len
        )
    learner.model.double()
    with torch.no_grad():
        for parameter in learner.model[0].parameters():
            parameter.mul_(3)  # far from zero, where everything is a straight line
    return learner

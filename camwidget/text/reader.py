"""What reads a text in a model: its network, and how words become the indices that the network is given."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from camwidget.errors import ModelError, three_parts
from camwidget.prepare import network_of
from camwidget.text.align import aligned
from camwidget.text.tokens import Token


@dataclass(frozen=True)
class Reader:
    """How a model reads a text."""

    network: nn.Module
    """From token indices (batch, position) to logits."""
    tokens: Callable[[str], tuple[Token, ...]]
    """Gives the tokens of a text."""
    class_names: tuple[str, ...]
    """The model's own names for its classes; empty where it has none."""
    size: int
    """How many tokens the network tells apart."""
    padding: int
    """The index that stands for nothing."""

    def ids(self, tokens: tuple[Token, ...]) -> Int[Tensor, "1 position"]:
        """Return the indices of tokens, on the network's device."""
        like = next(self.network.parameters(), torch.zeros(0))
        return torch.tensor([[token.index for token in tokens]], device=like.device)

    def others(self, ids: Int[Tensor, "1 position"]) -> Int[Tensor, "1 position"]:
        """Return another text of the same length: one token over and over, not among the first, which are special."""
        last = self.size - 1
        return torch.full_like(ids, last if not bool((ids == last).all()) else last - 1)


def why_not_text(model: Any) -> str:
    """Return why a model cannot be given a text, as a sentence; empty where it can."""
    if _kind(model):
        return ""
    given = f"The {type(_network(model)).__name__} has no vocabulary, so there is no way from a text to its inputs"
    allowed = "Text models are text_learner(), fastai's text_classifier_learner, and modules with a `vocabulary`"
    return three_parts(given, allowed, "Set model.vocabulary, or give a picture to a model of pictures")


def reads_text(model: Any) -> bool:
    """Return whether a model or Learner is given texts."""
    return bool(_kind(model))


def reader_of(model: Any) -> Reader:
    """Return how a model reads texts.

    Args:
        model: what `text_learner` returns; a Learner of fastai's `text_classifier_learner`; or a module from token
            indices (batch, position) to logits with an attribute `vocabulary`, and `class_names` if it has any.

    Raises:
        TypeError: the model is neither a Learner nor a module.
        ModelError: it has no vocabulary.
    """
    network, kind = network_of(model), _kind(model)
    if not kind:
        raise ModelError(why_not_text(model))
    embedding = next((each for each in network.modules() if isinstance(each, nn.Embedding)), None)
    if embedding is None or embedding.num_embeddings < 3:
        given = f"The {type(network).__name__} has no table of words, or one of fewer than three"
        allowed = "A text classifier looks its tokens up in an nn.Embedding"
        raise ModelError(three_parts(given, allowed, "Explain another model"))
    vocabulary, names = _vocabulary_and_names(model)
    tokens = vocabulary.tokens if kind == "vocabulary" else _fastai_tokens(model.dls, vocabulary)
    return Reader(network, tokens, names, embedding.num_embeddings, embedding.padding_idx or 0)


def _kind(model: Any) -> str:
    """How a model's words become indices: `"vocabulary"`, `"fastai"`, or an empty string."""
    if hasattr(_vocabulary_and_names(model)[0], "tokens"):
        return "vocabulary"
    owner = getattr(model, "dls", None)
    is_fastai = not isinstance(model, nn.Module) and hasattr(owner, "numericalize") and hasattr(owner, "tokenizer")
    return "fastai" if is_fastai else ""


def _network(model: Any) -> Any:
    return model if isinstance(model, nn.Module) else getattr(model, "model", model)


def _vocabulary_and_names(model: Any) -> tuple[Any, tuple[str, ...]]:
    if isinstance(model, nn.Module):
        return getattr(model, "vocabulary", None), tuple(map(str, getattr(model, "class_names", ())))
    vocab: Any = getattr(getattr(model, "dls", None), "vocab", ())
    # Words first, then classes; with two classes a plain list of their names (strings, or False and True) is as long.
    if not hasattr(vocab, "__len__") or len(vocab) != 2 or isinstance(vocab[1], str | bool | int):
        return None, ()
    return vocab[0], tuple(map(str, vocab[1]))


def _fastai_tokens(dls: Any, vocabulary: Any) -> Callable[[str], tuple[Token, ...]]:
    """How a fastai Learner of texts makes tokens: its own tokenizer and rules, and its own numbers."""
    tokenizer = dls.tokenizer if callable(dls.tokenizer) else dls.tokenizer[0]
    numbers = {word: index for index, word in reversed(list(enumerate(vocabulary)))}

    def tokens(text: str) -> tuple[Token, ...]:
        pieces = [str(piece) for piece in tokenizer(text)]
        found = aligned(text, pieces, index_of=numbers.get, unknown=numbers.get("xxunk", 0))
        # A data loader draws a random seed when it starts, and would start worker processes for one text.
        with torch.random.fork_rng(devices=[]):
            own = dls.test_dl([text], num_workers=0).one_batch()[0].flatten().tolist()
        for order in (found, found[::-1]):  # a Learner made with backwards=True reads from the end
            if [token.index for token in order] == own:
                return tuple(order)
        given = f"The Learner makes {len(own)} numbers of this text, its tokenizer and vocabulary {len(found)} others"
        allowed = "Its data loader must make tokens, then numbers of them, and nothing else"
        raise ModelError(three_parts(given, allowed, "Look at learn.dls.train_ds.tls[0].tfms for further transforms"))

    return tokens

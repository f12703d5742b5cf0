"""How a model reads a text: its network, and how words become the network's indices."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from camwidget.errors import ModelError, three_parts
from camwidget.hooks.turns import random_numbers_left_as_found
from camwidget.hooks.walk import modules_in, parameters_in
from camwidget.maps.arguments import names_on, network_of
from camwidget.text.fastai_tokens import aligned
from camwidget.text.tokenizers import is_tokenizer, tokenizer_tokens
from camwidget.text.tokens import Token

FEWEST = 3
"""The fewest rows of a table of words: padding, unknown words, a word."""

_OURS = "camwidget.text.tokens.Vocabulary(words)"
_OTHERS = (
    "to a tokenizer of Hugging Face, or to an object with a method tokens(text) that returns "
    "camwidget.text.tokens.Token(text, start, end, number, known, special) for each; or give a picture to a model of "
    "pictures"
)


@dataclass(frozen=True)
class Reader:
    """How a model reads a text."""

    network: nn.Module
    """From token indices (batch, position) to logits."""
    tokens: Callable[[str], tuple[Token, ...]]
    """From a text to its tokens."""
    class_names: tuple[str, ...]
    """The model's own names for its classes; empty where it has none."""
    size: int
    """All numbers below are tokens of the network."""
    padding: int
    """The index that stands for nothing."""

    def ids(self, tokens: tuple[Token, ...]) -> Int[Tensor, "1 position"]:
        """Return the indices of tokens, on the network's device."""
        like = next(iter(parameters_in(self.network)), torch.zeros(0))
        return torch.tensor([[token.index for token in tokens]], device=like.device)

    def others(self, ids: Int[Tensor, "1 position"]) -> Int[Tensor, "1 position"]:
        """Return another text of the same length: one token repeated, which this text does not have."""
        return torch.full_like(ids, self._another(ids, near=int(ids.median())))

    def _another(self, ids: Int[Tensor, "1 position"], *, near: int) -> int:
        """The number of another word: below one of the text, so that whatever looks that one up finds it too.

        Not one of the first, which are special, and none of this text's, which may be special as well.
        """
        taken = set(ids.unique().tolist())
        numbers = chain(range(near - 1, FEWEST - 1, -1), range(max(near, FEWEST - 1) + 1, self.size), range(FEWEST))
        return next((number for number in numbers if number not in taken), self.padding)

    def reworded(self, tokens: tuple[Token, ...]) -> Int[Tensor, "1 position"]:
        """Return the same text with other words in the same places: they change places, the special tokens stay."""
        ids = self.ids(tokens)
        words = [position for position, token in enumerate(tokens) if not token.special]
        moved = ids.clone()
        moved[0, words] = ids[0, words].roll(1)
        if torch.equal(moved, ids):  # one word, or one word again and again
            moved[0, words] = self._another(ids, near=int(ids[0, words[0]]))
        return moved


def why_not_text(model: Any) -> str:
    """Return why a model cannot read a text, in sentences; empty if it can."""
    if _kind(model):
        return ""
    name = type(_network(model)).__name__
    given = f"The {name} has no vocabulary, so there is no way from a text to its inputs"
    network = _with_vocabulary(_network(model))
    if isinstance(network, nn.Module) and hasattr(network, "vocabulary"):
        kind = type(network.vocabulary).__name__
        given = f"The vocabulary of the {name} is a {kind}, which cannot turn a text into tokens"
    allowed = "Text models are text_learner(), fastai's text_classifier_learner, and modules with a `vocabulary`"
    advice = f"Set model.vocabulary = {_OURS} if the words are numbered from 2, {_OTHERS}"
    return three_parts(given, allowed, advice)


def reads_text(model: Any) -> bool:
    """Return whether a model or Learner reads texts."""
    return bool(_kind(model))


def looks_words_up(model: Any) -> bool:
    """Return whether a model seems to read texts: it has a `vocabulary`, or a table of words but no 2-d convolution.

    Args:
        model: one that cannot read a text, so that a message can say what it lacks.
    """
    modules = modules_in(model) if isinstance(model, nn.Module) else []
    has_table = any(isinstance(module, nn.Embedding) for module in modules)
    has_pictures = any(isinstance(module, nn.Conv2d) for module in modules)
    return hasattr(model, "vocabulary") or (has_table and not has_pictures)


def reader_of(model: Any) -> Reader:
    """Return how a model reads texts.

    Args:
        model: what `text_learner` returns; a Learner of fastai's `text_classifier_learner`; or a module from token
            indices (batch, position) to logits with an attribute `vocabulary`, and `class_names` if it has any, or a
            Learner around one. A vocabulary is a `camwidget.text.tokens.Vocabulary`, a fast tokenizer of Hugging Face,
            or any object whose `tokens(text)` gives a `camwidget.text.tokens.Token` for everything that the network
            reads.

    Raises:
        TypeError: the model is neither a Learner nor a module.
        ModelError: it has no vocabulary. Later, for a text: its tokens are not `Token`s, or not in the table of words.
    """
    network, kind = network_of(model), _kind(model)
    if not kind:
        raise ModelError(why_not_text(model))
    embeddings = [module for module in modules_in(network) if isinstance(module, nn.Embedding)]
    tables = [embedding for embedding in embeddings if embedding.num_embeddings >= FEWEST]
    if not tables:
        given = f"The {type(network).__name__} has no table of words, or one of fewer than three"
        allowed = "A text classifier looks its tokens up in an nn.Embedding"
        advice = "Explain another model"
        bag = next((module for module in modules_in(network) if isinstance(module, nn.EmbeddingBag)), None)
        if bag is not None:
            given += ": an nn.EmbeddingBag adds the words up before anything could be asked about one of them"
            pooled = {"mean": "mean(dim=1)", "sum": "sum(dim=1)", "max": "amax(dim=1)"}[bag.mode]
            advice = f"Look up with nn.Embedding.from_pretrained(bag.weight), and take .{pooled} of what it returns"
        raise ModelError(three_parts(given, allowed, advice))
    vocabulary, names = _vocabulary_and_names(model)
    if kind == "tokenizer":
        tokens = tokenizer_tokens(vocabulary)
    else:
        tokens = vocabulary.tokens if kind == "vocabulary" else _fastai_tokens(model.dls, vocabulary)
    # One of the tables may be for places in the text, and smaller or larger than the one for words.
    sizes = [table.num_embeddings for table in tables]
    padding = next((table.padding_idx for table in tables if table.padding_idx is not None), 0)
    return Reader(network, partial(_fitting, tokens, rows=max(sizes)), names, min(sizes), padding)


def _fitting(tokens: Callable[[str], Iterable[Any]], text: str, *, rows: int) -> tuple[Token, ...]:
    """The tokens of a text, after checking that the network can look them up."""
    made = tuple(tokens(text))
    wrong = next((token for token in made if not isinstance(token, Token)), None)
    if wrong is not None:
        given = f"The vocabulary turned a part of the text into an object of type {type(wrong).__name__}"
        allowed = "Its tokens(text) gives a camwidget.text.tokens.Token for everything that the network reads"
        raise ModelError(three_parts(given, allowed, f"Make such tokens, or use {_OURS}"))
    outside = next((token for token in made if not 0 <= token.index < rows), None)
    if outside is not None:
        given = f"The vocabulary gives {outside.text!r} the number {outside.index}; the model's table has {rows} rows"
        advice = "A Vocabulary(words) counts its words from 2, so it goes with nn.Embedding(len(words) + 2, ...)"
        raise ModelError(three_parts(given, f"Numbers of tokens are 0 to {rows - 1}", advice))
    beyond = next((token for token in made if not 0 <= token.start <= token.end <= len(text)), None)
    if beyond is not None:
        given = f"The vocabulary puts {beyond.text!r} at {beyond.start} to {beyond.end} of {len(text)} characters"
        allowed = "A token is at text[start:end]; a special one, which has no place, has end equal to start"
        raise ModelError(three_parts(given, allowed, "Count the places in the text that tokens(text) gets"))
    return made


def _kind(model: Any) -> str:
    """How a model's words become indices: `"vocabulary"`, `"tokenizer"`, `"fastai"`, or an empty string."""
    vocabulary = _vocabulary_and_names(model)[0]
    if hasattr(vocabulary, "tokens"):
        return "vocabulary"
    if is_tokenizer(vocabulary):
        return "tokenizer"
    owner = getattr(model, "dls", None)
    is_fastai = not isinstance(model, nn.Module) and hasattr(owner, "numericalize") and hasattr(owner, "tokenizer")
    return "fastai" if is_fastai else ""


def _network(model: Any) -> Any:
    return model if isinstance(model, nn.Module) else getattr(model, "model", model)


def _vocabulary_and_names(model: Any) -> tuple[Any, tuple[str, ...]]:
    network = _network(model)
    inside = _with_vocabulary(network)
    own = getattr(inside, "vocabulary", None)
    names = names_on(network) or names_on(inside) if isinstance(network, nn.Module) else ()
    vocab: Any = () if isinstance(model, nn.Module) else getattr(getattr(model, "dls", None), "vocab", ())
    # Words first, then classes; with two classes a plain list of their names (strings, numbers, False and True) is
    # just as long.
    if hasattr(vocab, "__len__") and len(vocab) == 2 and hasattr(vocab[1], "__len__") and not isinstance(vocab[1], str):
        return vocab[0], _names(vocab[1])
    return own, names or _names(vocab)  # a module of your own, or a Learner around one


def _with_vocabulary(network: Any) -> Any:
    """The module that has the vocabulary: the network, or what it wraps, as DataParallel and nn.Sequential do."""
    inside = network
    while isinstance(inside, nn.Module) and not hasattr(inside, "vocabulary"):
        parts = list(inside.children())
        if not parts or not (len(parts) == 1 or isinstance(inside, nn.Sequential)):
            return network
        inside = parts[0]
    return inside


def _names(classes: Any) -> tuple[str, ...]:
    return tuple(map(str, classes)) if hasattr(classes, "__iter__") else ()


def _fastai_tokens(dls: Any, vocabulary: Any) -> Callable[[str], tuple[Token, ...]]:
    """How a fastai Learner of texts makes tokens: with its own tokenizer, rules and numbers."""
    tokenizer = dls.tokenizer if callable(dls.tokenizer) else dls.tokenizer[0]
    numbers = {word: index for index, word in reversed(list(enumerate(vocabulary)))}

    def tokens(text: str) -> tuple[Token, ...]:
        pieces = [str(piece) for piece in tokenizer(text)]
        made = aligned(text, pieces, index_of=numbers.get, unknown=numbers.get("xxunk", 0))
        # A data loader draws random seeds when it starts, and would start worker processes for one text.
        with random_numbers_left_as_found():
            own = dls.test_dl([text], num_workers=0).one_batch()[0].flatten().tolist()
        for order in (made, made[::-1]):  # a Learner made with backwards=True reads from the end
            if [token.index for token in order] == own:
                return tuple(order)
        given = (
            f"The Learner turns this text into {len(own)} numbers, its tokenizer and vocabulary into {len(made)} others"
        )
        allowed = "Its data loader must turn a text into tokens and these into numbers, and do nothing else"
        raise ModelError(three_parts(given, allowed, "Check learn.dls.train_ds.tls[0].tfms for further transforms"))

    return tokens

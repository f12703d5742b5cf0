"""Words of a text, and their places in it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from camwidget.errors import TextError, three_parts

_PIECE = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")  # noqa: RUF001


@dataclass(frozen=True)
class Token:
    """One of the things that a network reads."""

    text: str
    """As it stands in the text."""
    start: int
    """Place of its first character in the text."""
    end: int
    """Place behind its last character; `start` for special tokens."""
    index: int
    """Its number in the vocabulary."""
    known: bool
    """Whether the vocabulary has it."""
    special: bool
    """Whether it stands for no part of the text."""


def checked_text(text: Any) -> str:
    """Return the text.

    Raises:
        TextError: it is no text, or has no words.
    """
    allowed = "A text is one str with at least one word"
    if not isinstance(text, str):
        given = "The text is None" if text is None else f"The text is of type {type(text).__name__}"
        raise TextError(three_parts(given, allowed, "Pass a str; bytes.decode() makes one of bytes"))
    if not text.strip():
        raise TextError(three_parts("The text is empty", allowed, "Write a sentence"))
    return text


class Vocabulary:
    """The words that a network knows."""

    def __init__(self, words: Sequence[str]) -> None:
        self.index: Mapping[str, int] = {word: place for place, word in enumerate(words, 2)}

    def tokens(self, text: str) -> tuple[Token, ...]:
        """Return the tokens of a text."""
        found = []
        for match in _PIECE.finditer(checked_text(text)):
            index = self.index.get(match[0].lower())
            place = 1 if index is None else index
            found.append(Token(match[0], match.start(), match.end(), place, index is not None, False))
        return tuple(found)

    def ids(self, tokens: Sequence[Token]) -> Int[Tensor, "1 position"]:
        """Return their indices."""
        return torch.tensor([[token.index for token in tokens]])

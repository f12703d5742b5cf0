"""Words of a text, and their places in it."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from camwidget.errors import TextError, clipped, three_parts
from camwidget.text.pieces import APOSTROPHES, pieces_of

_PLAIN = str.maketrans(
    dict.fromkeys(APOSTROPHES, "'")
    | dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"')
    | dict.fromkeys("\u2010\u2011", "-")  # hyphens
    | dict.fromkeys("\u2012\u2014\u2015", "\u2013")  # dashes
    | {"\u2026": "."}
)


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


_ALLOWED = "A text is one str with at least one word"


def checked_text(text: Any) -> str:
    """Return the text; it may be punctuation only.

    Raises:
        TextError: it is no text, or there is nothing in it.
    """
    if not isinstance(text, str):
        given = "The text is None" if text is None else f"The text is of type {type(text).__name__}"
        raise TextError(three_parts(given, _ALLOWED, "Pass a str; bytes.decode() makes one of bytes"))
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        given = "The text holds half a character, which happens when a file is read in the wrong way"
        raise TextError(three_parts(given, _ALLOWED, "Read the file with encoding='utf-8'"))
    if next(pieces_of(text), None) is None:
        given = "The text is empty" if not text.strip() else "The text is empty but for characters that cannot be seen"
        raise TextError(three_parts(given, _ALLOWED, "Write a sentence"))
    return text


def text_with_words(text: Any) -> str:
    """Return the text, of which at least one piece is a word, a number or an emoji.

    Raises:
        TextError: it is no text, or has no words.
    """
    if all(piece.kind == "mark" for piece in pieces_of(checked_text(text))):
        shown = repr(clipped(text, longest=40))
        raise TextError(three_parts(f"There is no word in {shown}", _ALLOWED, "Write a sentence"))
    return str(text)


class Vocabulary:
    """The words that a network knows, each with a number.

    0 stands for padding and 1 for any unknown word, the words are counted from 2. So the network needs an
    `nn.Embedding(len(words) + 2, ...)`.

    Args:
        words: in the order of their numbers, in small letters.

    Example:
        >>> known = Vocabulary(["good", "film"])
        >>> known.ids(known.tokens("Good old film"))
        tensor([[2, 1, 3]])
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.index: Mapping[str, int] = {word: place for place, word in enumerate(words, 2)}

    def tokens(self, text: str) -> tuple[Token, ...]:
        """Return the tokens of a text.

        Capitals, typographic apostrophes, quotation marks and dashes, and the two ways of writing an accent make no
        difference: an "Isn't" copied from a newspaper is the "isn't" of the vocabulary.

        Raises:
            TextError: it is no text, or there is nothing in it.
        """
        found = []
        for start, end, _ in pieces_of(checked_text(text)):
            index = self._index_of(text[start:end])
            place = 1 if index is None else index
            found.append(Token(text[start:end], start, end, place, index is not None, False))
        return tuple(found)

    def _index_of(self, word: str) -> int | None:
        exact = self.index.get(word.lower())
        return self.index.get(unicodedata.normalize("NFC", word).lower().translate(_PLAIN)) if exact is None else exact

    def ids(self, tokens: Sequence[Token]) -> Int[Tensor, "1 position"]:
        """Return their indices."""
        return torch.tensor([[token.index for token in tokens]])

"""From a text to its words: where they begin and end in any script, their numbers, tokens merged back."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from camwidget.errors import TextError, clipped, three_parts

APOSTROPHES = "'\u2019\u02bc"
"""As typed, as printed, and the letter."""
_JOINERS = "\u200c\u200d"  # zero-width: inside a Persian word, between the people of one emoji
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)

Kind = Literal["word", "emoji", "mark"]


class Piece(NamedTuple):
    """What `text[start:end]` is: a word (letters, digits, accents), an emoji or other symbol, or a mark."""

    start: int
    end: int
    kind: Kind


def pieces_of(text: str) -> Iterator[Piece]:
    """Yield the words, emoji and punctuation marks of a text in order.

    A word keeps the apostrophes inside it and its accents, even if these are separate characters; an emoji keeps its
    skin tone and what is joined to it; every mark is a piece of its own. Between two pieces there are only white space
    and invisible characters.

    Args:
        text: any.

    Example:
        >>> [text[start:end] for start, end, _ in pieces_of(text := "Isn't it?!")]
        ["Isn't", 'it', '?', '!']
    """
    start = 0
    while start < len(text):
        kind = _kind(text[start])
        if kind is None:
            start += 1
            continue
        end = (_end_of_word if kind == "word" else _end_of_sign)(text, start)
        yield Piece(start, end, kind)
        start = end


def _kind(character: str) -> Kind | None:
    """What a piece that begins with this character is; None for white space and what is invisible.

    It follows Unicode's categories: a pattern of letters takes a combining accent, half of the signs of Hindi and the
    joints of an emoji for marks of their own.
    """
    category = unicodedata.category(character)
    if category[0] in "LMN" or character == "_":
        return "word"
    if category in ("So", "Co"):
        return "emoji"
    return None if category[0] in "ZC" else "mark"


def _end_of_word(text: str, start: int) -> int:
    end = start + 1
    while end < len(text):
        joins = text[end] in APOSTROPHES or text[end] in _JOINERS
        if _kind(text[end]) == "word":
            end += 1
        elif joins and end + 1 < len(text) and _kind(text[end + 1]) == "word":
            end += 2
        else:
            break
    return end


def _end_of_sign(text: str, start: int) -> int:
    """The end of an emoji or a mark, with what changes its look: a variant, a skin tone, another one joined to it."""
    end = start + 1
    if ord(text[start]) in _FLAG_LETTERS and end < len(text) and ord(text[end]) in _FLAG_LETTERS:
        return end + 1
    while end < len(text):
        if unicodedata.category(text[end])[0] == "M" or ord(text[end]) in _SKIN_TONES:
            end += 1
        elif text[end] == _JOINERS[1] and end + 1 < len(text) and _kind(text[end + 1]) == "emoji":
            end += 2
        else:
            break
    return end


_PLAIN = str.maketrans(
    dict.fromkeys(APOSTROPHES, "'")
    | dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"')
    | dict.fromkeys("\u2010\u2011", "-")  # hyphens
    | dict.fromkeys("\u2012\u2014\u2015", "\u2013")  # dashes
    | {"\u2026": "."}
)


@dataclass(frozen=True)
class Token:
    """One unit that a network reads."""

    text: str
    """As written in the text."""
    start: int
    """Place of its first character in the text."""
    end: int
    """Place after its last character; `start` for special tokens."""
    index: int
    """Its number in the vocabulary."""
    known: bool
    """Whether the vocabulary has it."""
    special: bool
    """Whether it stands for no part of the text."""


_ALLOWED = "A text is one str with at least one word"


def checked_text(text: Any) -> str:
    """Return the text, which may be punctuation only.

    Raises:
        TextError: it is not a text, or there is nothing in it.
    """
    if not isinstance(text, str):
        given = "The text is None" if text is None else f"The text is of type {type(text).__name__}"
        raise TextError(three_parts(given, _ALLOWED, "Pass a str; bytes.decode() turns bytes into one"))
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        given = "The text holds half a character, which happens when a file is read with the wrong encoding"
        raise TextError(three_parts(given, _ALLOWED, "Read the file with encoding='utf-8'"))
    if next(pieces_of(text), None) is None:
        given = "The text is empty" if not text.strip() else "The text is empty except for invisible characters"
        raise TextError(three_parts(given, _ALLOWED, "Write a sentence"))
    return text


def text_with_words(text: Any) -> str:
    """Return the text, of which at least one piece is a word, a number or an emoji.

    Raises:
        TextError: it is not a text, or has no words.
    """
    if all(piece.kind == "mark" for piece in pieces_of(checked_text(text))):
        quoted = repr(clipped(text, longest=40))
        raise TextError(three_parts(f"There is no word in {quoted}", _ALLOWED, "Write a sentence"))
    return str(text)


class Vocabulary:
    """The words that a network knows, each with a number.

    0 stands for padding, 1 for any unknown word, and the words are counted from 2. So the network needs an
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
            TextError: it is not a text, or there is nothing in it.
        """
        tokens = []
        for start, end, _ in pieces_of(checked_text(text)):
            index = self._index_of(text[start:end])
            place = 1 if index is None else index
            tokens.append(Token(text[start:end], start, end, place, index is not None, False))
        return tuple(tokens)

    def _index_of(self, word: str) -> int | None:
        """The number of a word, however its apostrophe is printed.

        While the printed apostrophe made "isn't" an unknown word, the packaged network took "It isn't good" for
        positive, with probability 0.93; with a typed one it says 0.07.
        """
        exact = self.index.get(word.lower())
        return self.index.get(unicodedata.normalize("NFC", word).lower().translate(_PLAIN)) if exact is None else exact

    def ids(self, tokens: Sequence[Token]) -> Int[Tensor, "1 position"]:
        """Return their indices."""
        return torch.tensor([[token.index for token in tokens]])


@dataclass(frozen=True)
class Word:
    """One word of a text, or one run of other characters that the network reads, with its tokens."""

    text: str
    """The characters, as written in the text."""
    start: int
    """Place of its first character in the text."""
    end: int
    """Place after its last character."""
    known: bool
    """Whether the vocabulary has all its tokens."""
    positions: tuple[int, ...]
    """Its tokens, as places in the sequence that the network reads."""


def merged_words(text: str, tokens: Sequence[Token]) -> tuple[Word, ...]:
    """Return the words of a text that have tokens, in order; special tokens are left out.

    Two tokens are one word if they share a place, or if both come from one word or emoji of the text (apostrophes and
    accents included): a tokenizer may split "don't" into "do" and "n't".

    Args:
        text: the text.
        tokens: what the network reads, with places in that text.
    """
    whole = {place: (start, end) for start, end, _ in pieces_of(text) for place in range(start, end)}
    merged: list[tuple[int, int, list[int]]] = []
    for position, token in sorted(enumerate(tokens), key=lambda item: (item[1].start, item[0])):
        if token.special or token.start >= token.end:
            continue
        start = min(token.start, whole.get(token.start, (token.start, 0))[0])
        end = max(token.end, whole.get(token.end - 1, (0, token.end))[1])
        if merged and start < merged[-1][1]:
            first, last, positions = merged.pop()
            merged.append((first, max(last, end), [*positions, position]))
        else:
            merged.append((start, end, [position]))
    return tuple(
        Word(
            text[start:end], start, end, all(tokens[position].known for position in positions), tuple(sorted(positions))
        )
        for start, end, positions in merged
    )


def unknown_share(words: Sequence[Word]) -> float:
    """Return the share of words missing from the vocabulary, from 0 to 1; 0 if there are no words.

    Commas and the like do not count: they are the same in many languages.
    """
    counted = [word for word in words if any(letter.isalnum() for letter in word.text)] or words
    return sum(not word.known for word in counted) / max(len(counted), 1)

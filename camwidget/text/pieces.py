"""Where words, emoji and punctuation marks begin and end in a text, in any script."""

import unicodedata
from collections.abc import Iterator
from typing import Literal, NamedTuple

APOSTROPHES = "'\u2019\u02bc"
"""As typed, as printed, and the letter."""
_JOINERS = "\u200c\u200d"  # zero-width: inside a Persian word, between the persons of one emoji
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)

Kind = Literal["word", "emoji", "mark"]


class Piece(NamedTuple):
    """What stands at `text[start:end]`: a word (letters, digits, accents), an emoji or other symbol, or a mark."""

    start: int
    end: int
    kind: Kind


def pieces_of(text: str) -> Iterator[Piece]:
    """Yield the words, emoji and punctuation marks of a text in their order.

    A word keeps the apostrophes inside it and its accents, also where these are characters of their own; an emoji keeps
    its skin tone and what is joined to it; every mark stands alone. Between two pieces there are only white space
    and characters that cannot be seen.

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
    """What a piece that begins with this character is; None for white space and what cannot be seen."""
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
    """Behind an emoji or a mark, with what changes its look: a variant, a skin tone, another one joined to it."""
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

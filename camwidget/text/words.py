"""From tokens back to the words of a text: sub-tokens are merged, special tokens belong to no word."""

from collections.abc import Sequence
from dataclasses import dataclass

from camwidget.text.pieces import pieces_of
from camwidget.text.tokens import Token


@dataclass(frozen=True)
class Word:
    """One word of a text, or one run of other characters that the network was given, with the tokens made of it."""

    text: str
    """The characters, as they stand in the text."""
    start: int
    """Place of its first character in the text."""
    end: int
    """Place behind its last character."""
    known: bool
    """Whether the vocabulary has all its tokens."""
    positions: tuple[int, ...]
    """Which tokens it became, as places in the sequence that the network reads."""


def merged_words(text: str, tokens: Sequence[Token]) -> tuple[Word, ...]:
    """Return the words of a text that have tokens, in their order; special tokens are left out.

    Two tokens are one word where they share a place, or where both come from one word or emoji of the text (apostrophes
    and accents included): a tokenizer may make "do" and "n't" of "don't".

    Args:
        text: the text.
        tokens: what the network reads, with places in that text.
    """
    whole = {place: (start, end) for start, end, _ in pieces_of(text) for place in range(start, end)}
    found: list[tuple[int, int, list[int]]] = []
    for position, token in sorted(enumerate(tokens), key=lambda each: (each[1].start, each[0])):
        if token.special or token.start >= token.end:
            continue
        start = min(token.start, whole.get(token.start, (token.start, 0))[0])
        end = max(token.end, whole.get(token.end - 1, (0, token.end))[1])
        if found and start < found[-1][1]:
            first, last, positions = found.pop()
            found.append((first, max(last, end), [*positions, position]))
        else:
            found.append((start, end, [position]))
    return tuple(
        Word(text[start:end], start, end, all(tokens[each].known for each in positions), tuple(sorted(positions)))
        for start, end, positions in found
    )


def unknown_share(words: Sequence[Word]) -> float:
    """Return the share of the words that the vocabulary does not have, from 0 to 1; 0 where there are no words.

    Commas and the like do not count: they are the same in many languages.
    """
    counted = [word for word in words if any(letter.isalnum() for letter in word.text)] or words
    return sum(not word.known for word in counted) / max(len(counted), 1)

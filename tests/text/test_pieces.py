"""Words, emoji and marks of a text, in scripts that a pattern of letters cuts to pieces."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camwidget.text.tokens import pieces_of
from tests.text.sentences import DISPLEASED, PLEASED

OF_LETTERS = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
"""What is right for English, and cuts accents, Hindi and joined emoji to pieces."""


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end, _ in pieces_of(text)]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Isn't it?! I don\u2019t...", ["Isn't", "it", "?", "!", "I", "don\u2019t", ".", ".", "."]),
        ("'quoted' rock 'n' roll", ["'", "quoted", "'", "rock", "'", "n", "'", "roll"]),
        ("cafe\u0301 na\u0131\u0308ve", ["cafe\u0301", "na\u0131\u0308ve"]),  # accents as characters of their own
        ("\u0939\u093f\u0928\u094d\u0926\u0940 film", ["\u0939\u093f\u0928\u094d\u0926\u0940", "film"]),  # Hindi
        ("\u05e4\u05d9\u05dc\u05dd \u05e8\u05e2!", ["\u05e4\u05d9\u05dc\u05dd", "\u05e8\u05e2", "!"]),  # right to left
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", ["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"]),
        (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467ok",
            ["\U0001f468\u200d\U0001f469\u200d\U0001f467", "ok"],
        ),  # family
        ("\U0001f44d\U0001f3fd\u2764\ufe0f", ["\U0001f44d\U0001f3fd", "\u2764\ufe0f"]),  # a skin tone, a variant
        ("\U0001f1ee\U0001f1f3\U0001f1eb\U0001f1f7", ["\U0001f1ee\U0001f1f3", "\U0001f1eb\U0001f1f7"]),  # two flags
        ("\ufeffgood\u200b film\u200e", ["good", "film"]),  # what cannot be seen
        ("<b>a_b</b>", ["<", "b", ">", "a_b", "<", "/", "b", ">"]),
        ("\u200d'\u0301", ["'\u0301"]),
        ("", []),
    ],
)
def test_words_of_any_script_and_emoji_stay_whole(text: str, pieces: list[str]) -> None:
    assert cut(text) == pieces


def test_each_piece_says_what_it_is() -> None:
    assert [kind for _, _, kind in pieces_of("No. 7 \U0001f600")] == ["word", "mark", "word", "emoji"]


def test_english_is_cut_as_by_a_pattern_of_letters() -> None:
    for sentence in (*PLEASED, *DISPLEASED):
        assert cut(sentence) == OF_LETTERS.findall(sentence)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_nothing_that_can_be_seen_is_lost_and_places_fit(text: str) -> None:
    pieces = list(pieces_of(text))
    places = [place for start, end, _ in pieces for place in range(start, end)]
    gaps = [letter for place, letter in enumerate(text) if place not in set(places)]

    assert places == sorted(set(places))
    assert all(end > start for start, end, _ in pieces)
    assert all(unicodedata.category(letter)[0] in "ZC" for letter in gaps)

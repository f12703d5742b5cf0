"""Words of a text and their places in it."""

import pytest
import torch

from camwidget.errors import TextError
from camwidget.text.tokens import Vocabulary, text_with_words


@pytest.mark.parametrize(
    "text", ["I don't LIKE it!!", "  <b>bad</b> film ", "פילם רע, très 😀🎬", "tab\tnew\nline", "İstanbul — “fine”"]
)
def test_no_character_is_lost_but_spaces(text: str) -> None:
    tokens = Vocabulary(["film"]).tokens(text)

    assert all(text[token.start : token.end] == token.text for token in tokens)
    assert "".join(token.text for token in tokens) == "".join(text.split())
    assert [token.start for token in tokens] == sorted(token.start for token in tokens)


def test_capitals_count_only_in_what_is_shown() -> None:
    vocabulary = Vocabulary(["good", "don't"])

    tokens = vocabulary.tokens("GOOD, don't")

    assert [(token.text, token.index, token.known) for token in tokens] == [
        ("GOOD", 2, True),
        (",", 1, False),
        ("don't", 3, True),
    ]
    assert torch.equal(vocabulary.ids(tokens), torch.tensor([[2, 1, 3]]))


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("isn\u2019t", "isn't"),
        ("ISN\u02bcT", "isn't"),
        ("cafe\u0301", "caf\u00e9"),
        ("\u201c", '"'),
        ("\u2014", "\u2013"),
        ("\u2011", "-"),
        ("\u2026", "."),
    ],
)
def test_how_a_word_is_printed_makes_no_difference(written: str, word: str) -> None:
    (token,) = Vocabulary(["film", word]).tokens(written)

    assert (token.text, token.index, token.known) == (written, 3, True)


def test_a_word_that_the_vocabulary_has_as_it_is_written_is_that_word() -> None:
    tokens = Vocabulary(["isn't", "isn\u2019t"]).tokens("isn't isn\u2019t")

    assert [token.index for token in tokens] == [2, 3]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (" \n", "The text is empty"),
        ("\u200b\ufeff", "empty except for invisible characters"),
        ("good\ud83d film", "half a character.*encoding='utf-8'"),
    ],
)
def test_what_holds_nothing_to_read_is_refused(text: str, told: str) -> None:
    with pytest.raises(TextError, match=told):
        Vocabulary(["film"]).tokens(text)


def test_punctuation_can_be_read_but_is_no_text_with_words() -> None:
    assert len(Vocabulary(["film"]).tokens("...")) == 3
    assert text_with_words("7 \U0001f600") == "7 \U0001f600"
    with pytest.raises(TextError, match=r"no word in '\?\?\?'.*at least one word"):
        text_with_words("???")
    with pytest.raises(TextError, match=r"no word in '!{39}…'"):
        text_with_words("!" * 50)

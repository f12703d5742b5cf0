"""Words of a text and their places in it."""

import pytest
import torch

from camwidget.errors import TextError
from camwidget.text.tokens import Vocabulary


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


def test_what_has_no_words_is_refused() -> None:
    with pytest.raises(TextError, match="The text is empty"):
        Vocabulary(["film"]).tokens(" \n")

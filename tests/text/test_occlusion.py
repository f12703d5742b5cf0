"""Leave one word out, on a network that one can do in the head."""

import pytest
import torch
from torch import Tensor

from camwidget.errors import ModelError
from camwidget.text.occlusion import groups_of, leave_out
from camwidget.text.tokens import Token, Word, merged_words


def reading(pieces: list[str], special: str = "") -> tuple[tuple[Word, ...], list[Token]]:
    """Tokens one after the other, those in `special` without a place in the text; index = place + 1."""
    tokens, end = [], 0
    for place, piece in enumerate(pieces):
        length = 0 if piece in special.split() else len(piece) + 1
        tokens.append(Token(piece, end, end + max(length - 1, 0), place + 1, True, length == 0))
        end += length
    return merged_words(" ".join(piece for piece in pieces if piece not in special.split()), tokens), tokens


def sums(ids: Tensor) -> Tensor:
    """Logits: the sum of the indices, and minus the number of tokens that are not padding."""
    return torch.stack([ids.sum(dim=1), -(ids != 0).sum(dim=1)], dim=1).double()


def test_a_word_is_worth_what_goes_with_it() -> None:
    words, tokens = reading(["good", "old", "film"])

    values = leave_out(sums, torch.tensor([[1, 2, 3]]), words=words, tokens=tokens, padding=0)

    assert values.tolist() == [[1, -1], [2, -1], [3, -1]]


def test_marks_go_with_their_word_and_the_frame_of_the_text_stays() -> None:
    words, tokens = reading(["xxbos", "xxmaj", "good", "film"], special="xxbos xxmaj")

    values = leave_out(sums, torch.tensor([[1, 2, 3, 4]]), words=words, tokens=tokens, padding=0)

    assert values.tolist() == [[2 + 3, -2], [4, -1]]


def test_neighbours_of_long_texts_go_together_and_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camwidget.text.occlusion.MOST_READ", 10)
    words, tokens = reading(["a", "b", "c", "d", "e"])

    values = leave_out(sums, torch.arange(1, 6)[None], words=words, tokens=tokens, padding=0)

    assert groups_of(words, positions=5) == [[0, 1, 2], [3, 4]]
    assert values[:, 0].tolist() == [2, 2, 2, 4.5, 4.5]


def test_without_any_token_left_there_is_padding() -> None:
    words, tokens = reading(["good"])

    assert leave_out(sums, torch.tensor([[1]]), words=words, tokens=tokens, padding=0).tolist() == [[1, -1]]


def test_logits_that_are_not_numbers_are_refused() -> None:
    words, tokens = reading(["good", "film"])

    with pytest.raises(ModelError, match=r"2 shortened texts.*finite"):
        leave_out(
            lambda ids: sums(ids) / (ids.shape[1] - 1), torch.tensor([[1, 2]]), words=words, tokens=tokens, padding=0
        )


def test_a_model_that_cannot_read_a_shorter_text_is_told() -> None:
    words, tokens = reading(["good", "old", "film"])

    def three_words(ids: Tensor) -> Tensor:
        if ids.shape[1] < 3:
            raise IndexError("too short")
        return sums(ids)

    with pytest.raises(ModelError, match=r"3 shortened texts of 2 tokens .* IndexError: too short\. .*'hires_cam'"):
        leave_out(three_words, torch.tensor([[1, 2, 3]]), words=words, tokens=tokens, padding=0)

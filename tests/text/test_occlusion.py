"""Leave one word out, on a network that one can do in the head."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from camwidget.errors import CamwidgetError, ModelError
from camwidget.text.explain import explain_text, explain_text_methods
from camwidget.text.occlusion import groups_of, leave_out
from camwidget.text.tokens import Token, Vocabulary, Word, merged_words


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

    with pytest.raises(ModelError, match=r"a shortened text of 2 tokens .* IndexError: too short\. .*'hires_cam'"):
        leave_out(three_words, torch.tensor([[1, 2, 3]]), words=words, tokens=tokens, padding=0)


@pytest.mark.parametrize(
    "mixed",
    [
        lambda logits: logits.cumsum(0),
        lambda logits: logits.flip(0).cumsum(0).flip(0),
        lambda logits: logits[:1].expand_as(logits),
        lambda logits: logits + (logits - logits.mean(dim=0)),
    ],
)
@pytest.mark.parametrize("ids", [[1, 2, 3], [1, 2]])
def test_a_model_that_hands_something_on_from_text_to_text_reads_them_one_at_a_time(
    mixed: Callable[[Tensor], Tensor], ids: list[int]
) -> None:
    words, tokens = reading(["good", "old", "film"][: len(ids)])

    values = leave_out(lambda some: mixed(sums(some)), torch.tensor([ids]), words=words, tokens=tokens, padding=0)

    assert values.tolist() == [[number, -1] for number in ids]


def test_texts_that_are_equal_say_nothing_about_others() -> None:
    # Without one of the first two words the texts are the same, and so is their mean. The other two are longer words.
    words = tuple(Word("", at, at + 1, True, places) for at, places in enumerate([(0,), (1,), (2, 3), (4, 5)]))
    tokens = [Token(str(at), at, at + 1, at + 1, True, False) for at in range(6)]

    values = leave_out(
        lambda some: 2 * sums(some) - sums(some).mean(dim=0, keepdim=True),
        torch.tensor([[7, 7, 1, 2, 3, 4]]),
        words=words,
        tokens=tokens,
        padding=0,
    )

    assert values.tolist() == [[7, -1], [7, -1], [3, -2], [7, -2]]


def by_deleting(model: Any, text: str, target: int) -> list[float]:
    """The same by hand: each word is deleted from the text, and the model reads what is left, alone."""
    ids = model.vocabulary.ids(model.vocabulary.tokens(text))
    with torch.no_grad():
        without = [model(torch.cat([ids[:, :at], ids[:, at + 1 :]], dim=1)) for at in range(ids.shape[1])]
        return [float((model(ids) - each)[0, target]) for each in without]


class Reading(nn.Module):
    """A table, a recurrent network and the mean."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.vocabulary: Any = Vocabulary(WORDS)
        self.word, self.rnn, self.head = nn.Embedding(11, 6), nn.LSTM(6, 5), nn.Linear(5, 3)
        self.double().eval()

    def head_of(self, found: Tensor) -> Tensor:
        logits: Tensor = self.head(found)
        return logits


class Mixing(Reading):
    """Takes the texts for the positions: `batch_first` was forgotten, and one text alone shows nothing of it."""

    def forward(self, ids: Tensor) -> Tensor:
        return self.head_of(self.rnn(self.word(ids))[0].mean(dim=1))


class Single(Reading):
    """Takes the batch away, so it reads one text at a time."""

    def forward(self, ids: Tensor) -> Tensor:
        return self.head_of(self.rnn(self.word(ids.squeeze(0)))[0].mean(dim=0)[None])


class Stacked(Reading):
    """Cuts a text into parts, and stacks these in the batch."""

    def forward(self, ids: Tensor) -> Tensor:
        parts = functional.pad(ids, (0, -ids.shape[1] % 3)).reshape(-1, 3)
        return self.head_of(self.rnn(self.word(parts).transpose(0, 1))[0].mean(dim=(0, 1))[None])


class Backwards(Reading):
    """Reads from the end, so its layers lie on other words."""

    def forward(self, ids: Tensor) -> Tensor:
        return self.head_of(self.rnn(self.word(ids.flip(1)).transpose(0, 1))[0].mean(dim=0))


class Drawing(Reading):
    """Drops some of the vectors, in evaluation mode too."""

    def forward(self, ids: Tensor) -> Tensor:
        return self.head_of(functional.dropout(self.rnn(self.word(ids).transpose(0, 1))[0].mean(dim=0), 0.5))


WORDS = ["the", "film", "was", "not", "good", "and", "i", "liked", "it"]
LONG = "I liked the film and it was not good"


@pytest.mark.parametrize("kind", [Mixing, Single, Stacked, Backwards])
def test_whatever_a_network_does_with_a_batch_words_are_left_out_of_one_text(kind: type[Reading]) -> None:
    model = kind()

    found = explain_text(model, LONG, method="occlusion", target_classes=[2])

    assert found.word_values().tolist() == pytest.approx(by_deleting(model, LONG, 2), abs=1e-12)


@pytest.mark.parametrize("kind", [Stacked, Backwards])
def test_where_no_layer_lies_on_the_words_they_are_left_out_and_the_other_methods_say_why_not(
    kind: type[Reading],
) -> None:
    model = kind()
    found = explain_text_methods(model, LONG, target_classes=[2])

    assert found["occlusion"].word_values().tolist() == pytest.approx(by_deleting(model, LONG, 2), abs=1e-12)
    assert explain_text(model, LONG, method="occlusion", layers=["rnn"]).layers[0].name == "rnn"
    for method in ("cam", "grad_cam", "hires_cam"):
        why = found[method].refusals["rnn"]
        assert not found[method].cams
        assert ("has made a batch of 3 of it" if kind is Stacked else "another order than the text's") in why
        assert "method='occlusion'" in why
        with pytest.raises(CamwidgetError, match=r"batch of 3|another order"):
            explain_text(model, LONG, method=method, layers=["rnn"])


def test_a_network_that_draws_random_numbers_has_the_same_values_again() -> None:
    one, other = (explain_text(Drawing(), LONG, method="occlusion").cam() for _ in range(2))

    assert torch.equal(one, other)

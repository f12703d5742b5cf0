"""Networks that reverse, shift, sort or skip words: their layers lie on other words than those of the text."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from camwidget.errors import LayerError, ModelError
from camwidget.hooks.capture import LayerCapture
from camwidget.text.capture import TEXT as A_TEXT
from camwidget.text.explain import explain_text, explain_text_methods
from camwidget.text.positions import MOST_ASKED, lookups_noted
from camwidget.text.tokens import Token, Vocabulary
from tests.toys import hook_count

WORDS = ["the", "film", "was", "not", "good", "and", "i", "liked", "it"]
TEXT = "I liked the film and it was not good"
UNKNOWN = "I liked zork film and it was not good"

Step = Callable[[Tensor], Tensor]


def same(given: Tensor) -> Tensor:
    return given


class Moving(nn.Module):
    """A table, a layer and the mean, with a step that moves words before each of the two."""

    def __init__(self, kind: str = "conv", *, numbers: Step = same, vectors: Step = same, back: Step = same) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.vocabulary: Any = Vocabulary(WORDS)
        self.numbers, self.vectors, self.back = numbers, vectors, back
        self.word = nn.Embedding(len(WORDS) + 2, 8)
        block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        layers: dict[str, Any] = {
            "conv": nn.Conv1d(8, 8, 1),
            "rnn": nn.GRU(8, 8, batch_first=True),
            "both": nn.GRU(8, 4, batch_first=True, bidirectional=True),
            "block": nn.TransformerEncoder(block, 1, enable_nested_tensor=False),
        }
        self.kind, self.layer = kind, layers[kind]
        self.last = nn.Conv1d(8, 5, 1)
        self.head = nn.Linear(5, 3)
        self.double()

    def forward(self, ids: Tensor) -> Tensor:
        given = self.vectors(self.word(self.numbers(ids)))
        found = self.layer(given.transpose(1, 2)).transpose(1, 2) if self.kind == "conv" else self.layer(given)
        found = self.back(found[0] if isinstance(found, tuple) else found)
        return self.head(self.last(found.transpose(1, 2)).relu().mean(dim=2))


def names(model: nn.Module, text: str = TEXT) -> list[str]:
    return [layer.name for layer in explain_text(model, text, method="hires_cam").layers]


def only_known(ids: Tensor) -> Tensor:
    """Unknown words are dropped, and the rest is filled up with padding."""
    return torch.stack([functional.pad(row[row != 1], (0, int((row == 1).sum()))) for row in ids])


MOVES: dict[str, Step] = {
    "reversed": lambda given: given.flip(1),
    "rolled": lambda given: given.roll(2, 1),
    "sorted": lambda given: given.sort(1).values,
    "even places, then odd ones": lambda given: torch.cat([given[:, ::2], given[:, 1::2]], dim=1),
    "one word twice, one not at all": lambda given: torch.cat([given[:, :4], given[:, 3:-1]], dim=1),
    "moved on by one place": lambda given: torch.cat([torch.zeros_like(given[:, :1]), given[:, :-1]], dim=1),
    "by an index": lambda given: given[:, torch.tensor([*range(1, given.shape[1], 2), *range(0, given.shape[1], 2)])],
}


@pytest.mark.parametrize("move", MOVES)
def test_behind_words_that_are_looked_up_elsewhere_no_layer_has_a_map(move: str) -> None:
    model = Moving(numbers=MOVES[move])

    with pytest.raises(ModelError, match=r"(another order than the text's|moved on by one place).* places are not the"):
        explain_text(model, TEXT, method="hires_cam")
    with pytest.raises(LayerError, match=r"'word' (looks the words up in another order|runs on the text moved on)"):
        explain_text(model, TEXT, layers=["word"], method="hires_cam")


def test_unknown_words_that_are_dropped_move_all_that_follow() -> None:
    model = Moving(numbers=only_known)

    assert names(model) == ["word", "layer", "last"]
    with pytest.raises(ModelError, match="not each of them once"):
        names(model, UNKNOWN)


@pytest.mark.parametrize("move", MOVES)
def test_behind_vectors_that_are_moved_only_the_table_has_a_map(move: str) -> None:
    model = Moving(vectors=MOVES[move])

    assert names(model) == ["word"]
    with pytest.raises(LayerError, match=r"'layer' has its values elsewhere: when a word is changed.*here: 'word'"):
        explain_text(model, TEXT, layers=["layer"], method="hires_cam")


REVERSING: dict[str, Step] = {
    "flip": lambda given: given.flip(1),
    "stack": lambda given: torch.stack(given.unbind(1)[::-1], dim=1),
    "gather": lambda given: given.gather(1, torch.arange(given.shape[1]).flip(0)[None, :, None].expand_as(given)),
    "matrix": lambda given: torch.eye(given.shape[1]).flip(0).to(given) @ given,
    "index copy": lambda given: torch.zeros_like(given).index_copy(1, torch.arange(given.shape[1]).flip(0), given),
}


@pytest.mark.parametrize("way", REVERSING)
@pytest.mark.parametrize("kind", ["conv", "rnn", "both", "block"])
def test_a_reversed_text_is_noticed_however_it_is_reversed_and_turning_it_back_heals(kind: str, way: str) -> None:
    reverse = REVERSING[way]
    layer = "layer.layers.0" if kind == "block" else "layer"

    assert names(Moving(kind, vectors=reverse)) == ["word"]
    assert names(Moving(kind, vectors=reverse, back=reverse)) == ["word", "last"]
    assert names(Moving(kind)) == ["word", layer, "last"]


def test_where_the_words_are_turned_back_the_map_is_the_one_worked_out_by_hand() -> None:
    model = Moving("rnn", vectors=REVERSING["flip"], back=REVERSING["flip"])
    found = explain_text(model, TEXT, method="hires_cam", target_classes=[1])
    model.eval()
    ids = model.vocabulary.ids(model.vocabulary.tokens(TEXT))
    read = model.layer(model.word(ids).flip(1))[0].flip(1)
    kept = model.last(read.transpose(1, 2)).detach().requires_grad_()
    (slope,) = torch.autograd.grad(model.head(kept.relu().mean(dim=2))[0, 1], kept)

    torch.testing.assert_close(found.cam("last"), (slope * kept)[0].sum(dim=0).detach())


def test_a_vocabulary_whose_tokens_have_the_order_of_the_network_has_maps() -> None:
    turned = Moving("rnn", numbers=REVERSING["flip"])
    with pytest.raises(ModelError, match=r"let the vocabulary's tokens\(text\) have that order"):
        names(turned)

    class Backwards(Vocabulary):
        def tokens(self, text: str) -> tuple[Token, ...]:
            return super().tokens(text)[::-1]

    model = Moving("rnn")
    model.vocabulary = Backwards(WORDS)
    found = explain_text(model, TEXT, method="hires_cam", layers=["word"], target_classes=[0])
    ids = turned.vocabulary.ids(turned.vocabulary.tokens(TEXT))
    vectors = turned.word(ids).detach().requires_grad_()
    hidden = turned.layer(vectors.flip(1))[0].transpose(1, 2)
    (slope,) = torch.autograd.grad(turned.head(turned.last(hidden).relu().mean(dim=2))[0, 0], vectors)

    assert [word.text for word in found.words] == TEXT.split()
    torch.testing.assert_close(found.word_values("word"), (slope * vectors)[0].sum(dim=1).detach())


IN_PLACE: dict[str, Step] = {
    "numbers of its own": lambda ids: ids * 7 % 11,
    "unknown words hidden": lambda ids: ids.where(ids != 1, 0),
    "the end hidden": lambda ids: ids.where(torch.arange(ids.shape[1]) < 6, 0),
}


@pytest.mark.parametrize("step", IN_PLACE)
def test_words_that_get_other_numbers_in_place_keep_their_maps(step: str) -> None:
    assert names(Moving(numbers=IN_PLACE[step]), UNKNOWN) == ["word", "layer", "last"]


STAYING: dict[str, Step] = {
    "half of the neighbour": lambda given: given + functional.pad(given, (0, 0, 1, -1)) / 2,
    "shifted and back": lambda given: given.roll(3, 1).tanh().roll(-3, 1),
    "a product added": lambda given: torch.baddbmm(given, given, torch.eye(8).to(given)[None]),
    "joined": lambda given: torch.stack([given[:, at] for at in range(given.shape[1])], dim=1),
    "cut and joined": lambda given: torch.cat(given.split(4, dim=1), dim=1),
}


@pytest.mark.parametrize("step", STAYING)
@pytest.mark.parametrize("kind", ["conv", "rnn", "both", "block"])
def test_operations_that_leave_each_word_in_place_cost_no_layer(kind: str, step: str) -> None:
    assert len(names(Moving(kind, vectors=STAYING[step]))) == 3


def passes(model: nn.Module, text: str) -> int:
    ran = []
    hook = model.register_forward_hook(lambda *_: ran.append(1))
    explain_text(model, text, layers=["word"], method="hires_cam")
    hook.remove()
    return len(ran)


@pytest.mark.parametrize(("text", "most"), [(TEXT * 3, MOST_ASKED), ("good film", 2)])
def test_only_a_network_in_doubt_is_asked_about_a_few_words(text: str, most: int) -> None:
    assert passes(Moving("conv"), text) == passes(Moving("block"), text)
    assert passes(Moving("conv", vectors=REVERSING["flip"]), text) == passes(Moving("conv"), text) + most


def test_what_is_looked_up_is_noted_by_keyword_too_and_no_hook_stays() -> None:
    class Named(Moving):
        def forward(self, ids: Tensor) -> Tensor:
            return self.head(self.last(self.word(input=ids.flip(1)).transpose(1, 2)[:, :8]).mean(dim=2))

    model = Named()
    ids = model.vocabulary.ids(model.vocabulary.tokens(TEXT))
    with LayerCapture(model, ["word", "last"], subject=A_TEXT) as capture:
        with lookups_noted(capture) as noted:
            capture.forward(ids)
        capture.forward(ids)

    assert list(noted) == ["word"]
    assert [given.tolist() for given in noted["word"]] == [ids.flip(1).tolist()]
    assert hook_count(model) == 0


@pytest.mark.parametrize("text", ["good film", "good good bad", "The good, the bad, the film " * 9])
def test_reversed_texts_are_noticed_at_any_length(text: str) -> None:
    assert names(Moving("rnn", vectors=REVERSING["flip"]), text) == ["word"]
    assert names(Moving("rnn"), text) == ["word", "layer", "last"]


class Queries(nn.Module):
    """As many learned questions to the text as this text has words, or as many pooled places."""

    def __init__(self, *, pools: bool) -> None:
        super().__init__()
        self.vocabulary = Vocabulary(WORDS)
        self.word = nn.Embedding(len(WORDS) + 2, 8)
        self.asked = nn.Parameter(torch.randn(1, 9, 8))
        self.pool = nn.AdaptiveAvgPool1d(9) if pools else None
        self.last = nn.Conv1d(8, 5, 1)
        self.head = nn.Linear(5, 3)

    def forward(self, ids: Tensor) -> Tensor:
        vectors = self.word(ids)
        if self.pool is not None:
            return self.head(self.last(self.pool(vectors.transpose(1, 2))).relu().mean(dim=2))
        read = (self.asked @ vectors.transpose(1, 2)).softmax(dim=2) @ vectors
        return self.head(self.last(read.transpose(1, 2)).relu().mean(dim=2))


@pytest.mark.parametrize("pools", [False, True])
def test_as_many_questions_or_pools_as_words_are_not_taken_for_the_words(pools: bool) -> None:
    torch.manual_seed(0)
    model = Queries(pools=pools).double()

    assert names(model) == ["word"]
    with pytest.raises(LayerError, match=r"'last' returns .* of shape \(1, 5, 9\), not a value for each of the 9"):
        explain_text(model, TEXT, layers=["last"], method="hires_cam")


class OneLength(nn.Module):
    """Reads nine words, no more and no fewer; as many channels as words."""

    def __init__(self) -> None:
        super().__init__()
        self.vocabulary = Vocabulary(WORDS)
        self.word = nn.Embedding(len(WORDS) + 2, 4)
        self.head = nn.Linear(9 * 4, 3)

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.word(ids).flatten(1))


def test_a_network_of_one_length_has_maps_and_says_why_no_word_can_be_left_out() -> None:
    torch.manual_seed(0)
    model = OneLength().double()
    found = explain_text_methods(model, TEXT, target_classes=[2])
    vectors = model.word(model.vocabulary.ids(model.vocabulary.tokens(TEXT)))[0]

    torch.testing.assert_close(
        found["hires_cam"].cam(), (vectors * model.head.weight[2].view(9, 4)).sum(dim=1).detach()
    )
    assert "must read shorter texts" in found["occlusion"].refusals["word"]
    with pytest.raises(ModelError, match="On a shortened text of 8 tokens the model raised RuntimeError"):
        explain_text(model, TEXT, method="occlusion")


@pytest.mark.parametrize("text", ["good", "good good", TEXT])
def test_a_table_that_is_read_one_row_on_is_never_read_beyond_its_end(text: str) -> None:
    model = Moving(numbers=lambda ids: ids + 1)
    model.word = nn.Embedding(len(WORDS) + 3, 8).double()

    assert names(model, text) == ["word", "layer", "last"]


def test_a_bag_of_words_is_refused_with_a_way_that_works() -> None:
    torch.manual_seed(0)
    model: Any = nn.Sequential(nn.EmbeddingBag(len(WORDS) + 2, 8), nn.Linear(8, 3)).double()
    model.vocabulary = Vocabulary(WORDS)
    with pytest.raises(
        ModelError, match=r"EmbeddingBag adds the words up.*from_pretrained\(bag.weight\), and take \.mean\(dim=1\)"
    ):
        explain_text(model, TEXT)

    class Same(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vocabulary = model.vocabulary
            self.word, self.head = nn.Embedding.from_pretrained(model[0].weight), model[1]

        def forward(self, ids: Tensor) -> Tensor:
            return self.head(self.word(ids).mean(dim=1))

    found = explain_text(Same(), TEXT)
    torch.testing.assert_close(found.logits, model(model.vocabulary.ids(model.vocabulary.tokens(TEXT)))[0].detach())


def test_a_table_that_shrinks_its_rows_when_it_is_read_is_left_as_found() -> None:
    torch.manual_seed(0)
    model = Moving()
    model.word = nn.Embedding(len(WORDS) + 2, 8, max_norm=0.5).double()
    before = model.word.weight.detach().clone()

    explain_text(model, TEXT, method="hires_cam")
    assert torch.equal(model.word.weight, before)
    model(model.vocabulary.ids(model.vocabulary.tokens(TEXT)))
    assert not torch.equal(model.word.weight, before)


def noisy(given: Tensor) -> Tensor:
    return functional.dropout(given, 0.3, training=True)


@pytest.mark.parametrize("kind", ["conv", "rnn"])
def test_a_network_that_draws_random_numbers_is_asked_with_the_same_ones(kind: str) -> None:
    assert names(Moving(kind, vectors=noisy)) == ["word", "layer", "last"]
    assert names(Moving(kind, vectors=lambda given: noisy(given.flip(1)))) == ["word"]
    assert names(Moving(kind, vectors=lambda given: noisy(given.flip(1)), back=REVERSING["flip"])) == ["word", "last"]
    with pytest.raises(ModelError, match="another order than the text's"):
        names(Moving(kind, numbers=MOVES["reversed"], vectors=noisy))


def test_a_network_that_never_draws_the_same_numbers_again_is_refused_where_it_may_move_words() -> None:
    seeds = iter(range(1000))

    def unsteady(given: Tensor) -> Tensor:
        own = torch.Generator().manual_seed(next(seeds))
        return noisy(given.flip(1)) + torch.rand(given.shape, generator=own, dtype=given.dtype)

    assert names(Moving(vectors=unsteady)) == ["word"]
    with pytest.raises(LayerError, match="'layer' may lie on other words than the text's, and cannot be asked"):
        explain_text(Moving(vectors=unsteady), TEXT, layers=["layer"], method="hires_cam")


class Binary(nn.Module):
    """One logit, or its sigmoid, which is no module and may be followed by changes of shape."""

    def __init__(self, last: Step) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.vocabulary, self.last = Vocabulary(WORDS), last
        self.word, self.head = nn.Embedding(len(WORDS) + 2, 8), nn.Linear(8, 1)

    def forward(self, ids: Tensor) -> Tensor:
        return self.last(self.head(self.word(ids).mean(dim=1)))


SIGMOIDS: dict[str, Step] = {
    "method": lambda logit: logit.sigmoid(),
    "function": lambda logit: torch.special.expit(logit).squeeze(1)[:, None],
    "two": lambda logit: torch.cat([logit, -logit + 1], dim=1).sigmoid(),
}


@pytest.mark.parametrize("way", SIGMOIDS)
def test_a_sigmoid_in_the_forward_pass_is_not_applied_twice(way: str) -> None:
    model = Binary(SIGMOIDS[way])
    found = explain_text(model, TEXT, method="hires_cam")
    ids = model.vocabulary.ids(model.vocabulary.tokens(TEXT))

    assert found.activation.name == "sigmoid inside the network"
    torch.testing.assert_close(found.probabilities, model(ids)[0].detach())


def test_one_number_between_0_and_1_without_a_sigmoid_is_a_logit() -> None:
    found = explain_text(Binary(lambda logit: logit.sigmoid() * 0.5), TEXT, method="hires_cam")

    assert found.activation.name == "sigmoid"

"""Networks and vocabularies that somebody else wrote."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from camwidget.dispatch import explain
from camwidget.errors import CamwidgetError, ImageError, ModelError, TextError
from camwidget.panel.text import TextCamPanel
from camwidget.text.explain import explain_text, explain_text_methods
from camwidget.text.tokens import Token, Vocabulary
from tests.text.toys import Reviews

WORDS = ["the", "film", "was", "not", "good", "bad", "."]
TEXT = "The film was not good."


class Transformer(nn.Module):
    """Places first, then words; two transformer blocks, the mean over the words, one linear layer."""

    def __init__(self, *, places: int = 40) -> None:
        super().__init__()
        self.vocabulary = Vocabulary(WORDS)
        self.place = nn.Embedding(places, 8)
        self.word = nn.Embedding(len(WORDS) + 2, 8, padding_idx=0)
        block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.blocks = nn.TransformerEncoder(block, 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, 3)

    def forward(self, ids: Tensor) -> Tensor:
        return self.after(self.word(ids) + self.place(torch.arange(ids.shape[1]))[None])

    def after(self, vectors: Tensor) -> Tensor:
        return self.head(self.blocks(vectors).mean(dim=1))


def test_a_transformers_blocks_are_layers_and_its_last_one_has_an_exact_cam() -> None:
    torch.manual_seed(0)
    model = Transformer().double()
    found = explain_text_methods(model, TEXT, methods=("cam", "grad_cam", "hires_cam"), target_classes=[2])
    ids = model.vocabulary.ids(model.vocabulary.tokens(TEXT))

    assert model.training
    model.eval()
    vectors = (model.word(ids) + model.place(torch.arange(6))[None]).detach().requires_grad_()
    inner = model.blocks.layers[0](vectors)
    (slope,) = torch.autograd.grad(model.head(model.blocks.layers[1](inner).mean(dim=1))[0, 2], inner)

    last = model.blocks.layers[1](inner)[0] @ model.head.weight[2]
    assert [layer.name for layer in found["hires_cam"].layers] == ["word", "blocks.layers.0", "blocks.layers.1"]
    torch.testing.assert_close(found["cam"].cam("blocks.layers.1"), last.detach())
    torch.testing.assert_close(found["hires_cam"].cam("blocks.layers.0"), (slope * inner)[0].sum(dim=1).detach())
    torch.testing.assert_close(sum(found["cam"].contributions()), model(ids)[0, 2].item())


@pytest.mark.parametrize("places", [6, 40])
def test_a_table_of_places_is_not_taken_for_that_of_the_words(places: int) -> None:
    model = Transformer(places=places).double()

    assert explain_text(model, TEXT).layers[-1].name == "blocks.layers.1"


def test_a_vocabulary_that_does_not_fit_the_table_is_told_and_what_would() -> None:
    model = Reviews().double()
    model.vocabulary = Vocabulary([f"word{number}" for number in range(30)] + ["film"])

    with pytest.raises(ModelError, match=r"'film' the number 32; .* 16 rows\. .* 0 to 15\. .*len\(words\) \+ 2"):
        explain(model, "A film")
    assert explain(model, "A good word3").words[2].known


@pytest.mark.parametrize("vocabulary", [{"film": 1}, ["film"], None])
def test_what_makes_no_tokens_is_not_taken_for_a_vocabulary(vocabulary: Any) -> None:
    model = Reviews()
    model.vocabulary = vocabulary
    kind = type(vocabulary).__name__

    for ask in (explain, TextCamPanel):
        with pytest.raises(ModelError, match=rf"The vocabulary of the Reviews is a {kind}, .*Vocabulary\(words\)"):
            ask(model, TEXT)


def test_a_network_of_texts_without_a_vocabulary_is_not_asked_for_a_picture(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.LazyLinear(2))
    picture = tmp_path / "film.png"
    Image.new("RGB", (9, 8)).save(picture)

    with pytest.raises(ModelError, match="The Sequential has no vocabulary"):
        explain(model, TEXT)
    with pytest.raises(ImageError, match="There is no file"):
        explain(nn.Sequential(nn.Conv2d(3, 4, 2), nn.Flatten(), nn.LazyLinear(2)), TEXT)
    with pytest.raises(CamwidgetError) as told:
        explain(model, str(picture))
    assert "vocabulary" not in str(told.value)


def test_tokens_must_be_tokens() -> None:
    model = Reviews()

    class Numbers:
        def tokens(self, text: str) -> list[int]:
            return [2 for _ in text.split()]

    model.vocabulary = Numbers()
    with pytest.raises(
        ModelError, match=r"turned a part of the text into an object of type int\. .*camwidget\.text\.tokens\.Token"
    ):
        explain(model, TEXT)


def test_a_vocabulary_of_ones_own_decides_what_is_a_word() -> None:
    model = Reviews().double()

    class Letters:
        def tokens(self, text: str) -> list[Token]:
            return [Token(each, at, at + 1, 2 + at % 9, True, False) for at, each in enumerate(text)]

    model.vocabulary = Letters()
    result = explain_text(model, "good")

    assert len(result.tokens) == 4
    assert sum(result.contributions()) == pytest.approx(float(result.logits[result.target_classes[0]]))


def test_one_method_may_be_given_without_a_list() -> None:
    panel = TextCamPanel(Reviews(), TEXT, methods="grad_cam")

    assert list(panel.results) == ["grad_cam"]


class Made:
    """A vocabulary that makes the same tokens of every text."""

    def __init__(self, *tokens: Token) -> None:
        self.made = tokens

    def tokens(self, _: str) -> tuple[Token, ...]:
        return self.made


@pytest.mark.parametrize(
    "made",
    [[], [Token("xxbos", 0, 0, 2, True, True)], [Token("the", 0, 3, 2, True, True), Token("", 3, 3, 2, True, False)]],
)
def test_a_text_of_which_no_word_is_read_is_told(made: list[Token]) -> None:
    model = Reviews().double()
    model.vocabulary = Made(*made)

    for ask in (explain, TextCamPanel):
        with pytest.raises(TextError, match=rf"None of the {len(made)} tokens .* 'The film was not good\.'.*sentence"):
            ask(model, TEXT)


@pytest.mark.parametrize(("start", "end"), [(-3, -1), (5, 3), (20, 23)])
def test_a_token_that_stands_outside_of_the_text_is_told(start: int, end: int) -> None:
    model = Reviews().double()
    model.vocabulary = Made(Token("film", 4, 8, 5, True, False), Token("good", start, end, 2, True, False))

    with pytest.raises(ModelError, match=rf"puts 'good' at {start} to {end} of 22 characters\. .*text\[start:end\]"):
        explain(model, TEXT)


@pytest.mark.parametrize("vocab", [None, (), ["negative", "positive"], [0, 1]])
def test_a_learner_around_a_network_with_a_vocabulary_reads_texts(vocab: Any) -> None:
    model = Reviews().double()
    learner = SimpleNamespace(model=model, dls=SimpleNamespace(vocab=vocab))

    result = explain(learner, TEXT)

    assert result.class_names == ("negative", "positive")
    assert torch.equal(result.cam(), explain(model, TEXT).cam())
    assert "explain(learn," in result.code
    model.class_names = ()
    assert explain(learner, TEXT).class_names == (tuple(map(str, vocab or ())) or ("class 0", "class 1"))
    model.vocabulary = {"film": 1}
    with pytest.raises(
        ModelError, match="The vocabulary of the Reviews is a dict, which cannot turn a text into tokens"
    ):
        explain_text(learner, TEXT)

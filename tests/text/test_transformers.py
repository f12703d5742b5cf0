"""Transformers as Hugging Face builds them: tables beside the words', blocks in a list, a head that reads one token."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import LayerError, ModelError
from camwidget.pictures.explain import explain
from camwidget.text.explain import explain_text, explain_text_methods
from camwidget.text.layers import text_layers
from camwidget.text.tokens import Token, Vocabulary
from tests.toys import PooledLinear, picture

WORDS = ["the", "film", "was", "not", "good", "bad", "."]
TEXT = "The film was not good."
BEGIN, END, SIZE = 9, 10, 12


class Marked:
    """A vocabulary with a special token at either end."""

    def tokens(self, text: str) -> tuple[Token, ...]:
        begin, end = Token("[CLS]", 0, 0, BEGIN, True, True), Token("[SEP]", len(text), len(text), END, True, True)
        return (begin, *Vocabulary(WORDS).tokens(text), end)


class Attention(nn.Module):
    """One head; `causal`: a place looks back only."""

    def __init__(self, *, causal: bool) -> None:
        super().__init__()
        self.causal = causal
        self.query, self.key, self.value = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, hidden: Tensor) -> tuple[Tensor, None]:
        scores = self.query(hidden) @ self.key(hidden).transpose(1, 2) / 8**0.5
        if self.causal:
            scores = scores.masked_fill(torch.ones(scores.shape[1:]).triu(1).bool(), -torch.inf)
        return scores.softmax(dim=2) @ self.value(hidden), None


class Block(nn.Module):
    """Attention and two linear layers, each with a way around it; puts out a tuple."""

    def __init__(self, *, causal: bool = False) -> None:
        super().__init__()
        self.attention = Attention(causal=causal)
        self.up, self.down = nn.Linear(8, 16), nn.Linear(16, 8)
        self.norms = nn.ModuleList([nn.LayerNorm(8), nn.LayerNorm(8)])

    def forward(self, hidden: Tensor) -> tuple[Tensor, None]:
        hidden = self.norms[0](hidden + self.attention(hidden)[0])
        return self.norms[1](hidden + self.down(torch.nn.functional.gelu(self.up(hidden)))), None


class Mixer(nn.Module):
    """A block without attention: two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(8, 16), nn.Linear(16, 8)

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.down(self.up(hidden + hidden.mean(dim=1, keepdim=True)).tanh())


class Embeddings(nn.Module):
    """Words, places and kinds, which run in this order or the other way round."""

    def __init__(self) -> None:
        super().__init__()
        self.word, self.place, self.kind = nn.Embedding(SIZE, 8), nn.Embedding(30, 8), nn.Embedding(2, 8)
        self.norm = nn.LayerNorm(8)

    def forward(self, ids: Tensor) -> Tensor:
        return self.beside(ids, self.word(ids))

    def beside(self, ids: Tensor, vectors: Tensor) -> Tensor:
        places = torch.arange(ids.shape[1])[None]
        return self.norm(vectors + self.kind(torch.zeros_like(ids)) + self.place(places))


class Like(nn.Module):
    """Embeddings, two blocks, and a head that reads the first place (`"first"`), the last, or the mean of all."""

    def __init__(self, reads: str, *, block: Any = Block, vocabulary: Any = None) -> None:
        super().__init__()
        self.vocabulary, self.reads = vocabulary or Marked(), reads
        self.embeddings = Embeddings()
        self.encoder = nn.ModuleList([block(), block()])
        self.pooler = nn.Sequential(nn.Linear(8, 8), nn.Tanh())
        self.head = nn.Linear(8, 3)

    def forward(self, ids: Tensor) -> Tensor:
        return self.after(self.embeddings(ids))

    def after(self, hidden: Tensor, *, start: int = 0) -> Tensor:
        for block in list(self.encoder)[start:]:
            made = block(hidden)
            hidden = made[0] if isinstance(made, tuple) else made
        one = {"first": hidden[:, 0], "last": hidden[:, -1], "mean": hidden.mean(dim=1)}[self.reads]
        return self.head(self.pooler(one))


def bert() -> Like:
    return Like("first")


def gpt() -> Like:
    return Like("last", block=lambda: Block(causal=True), vocabulary=Vocabulary(WORDS))


def ids_of(model: Any) -> Tensor:
    return torch.tensor([[token.index for token in model.vocabulary.tokens(TEXT)]])


def names(result: Any) -> list[str]:
    return [layer.name for layer in result.layers]


@pytest.mark.parametrize("make", [bert, gpt])
def test_the_layers_are_the_words_and_the_blocks_that_are_read_at_every_word(make: Any) -> None:
    model = make().double()

    assert text_layers(model) == [
        *(f"embeddings.{name}" for name in ("word", "place", "kind")),
        "encoder.0",
        "encoder.1",
    ]
    assert names(explain_text(model, TEXT, method="hires_cam")) == ["embeddings.word", "encoder.0"]
    assert names(explain_text(Like("mean").double(), TEXT, method="grad_cam"))[1:] == ["encoder.0", "encoder.1"]


@pytest.mark.parametrize("make", [bert, gpt])
def test_maps_are_activation_times_gradient_as_worked_out_by_hand(make: Any) -> None:
    model = make().double().eval()
    found = explain_text(model, TEXT, method="hires_cam", target_classes=[2])
    ids = ids_of(model)
    vectors = model.embeddings.word(ids).detach().requires_grad_()
    hidden = model.encoder[0](model.embeddings(ids))[0].detach().requires_grad_()
    (at_words,) = torch.autograd.grad(model.after(model.embeddings.beside(ids, vectors))[0, 2], vectors)
    (at_block,) = torch.autograd.grad(model.after(hidden, start=1)[0, 2], hidden)

    torch.testing.assert_close(found.cam("embeddings.word"), (at_words * vectors)[0].sum(dim=1).detach())
    torch.testing.assert_close(found.cam("encoder.0"), (at_block * hidden)[0].sum(dim=1).detach())
    assert (found.word_values() != 0).all()


def test_a_word_is_left_out_by_running_the_network_without_it() -> None:
    model = bert().double().eval()
    found = explain_text(model, TEXT, method="occlusion", target_classes=[1])
    ids = ids_of(model)
    without = [torch.cat([ids[:, :at], ids[:, at + 1 :]], dim=1) for at in range(1, 7)]

    expected = [(model(ids) - model(each))[0, 1].detach() for each in without]
    torch.testing.assert_close(found.word_values(), torch.stack(expected))


@pytest.mark.parametrize("name", ["embeddings.place", "embeddings.kind"])
def test_a_table_of_places_asked_for_by_name_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(
        LayerError, match=rf"'{name}' returns the same values whatever the words are.*'embeddings.word'"
    ):
        explain_text(bert().double(), TEXT, layers=[name])


def test_places_that_are_no_table_are_refused_too() -> None:
    class Waves(nn.Module):
        def forward(self, ids: Tensor) -> Tensor:
            return torch.arange(8 * ids.shape[1], dtype=torch.float64).view(1, -1, 8).sin()

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vocabulary, self.word, self.waves = Marked(), nn.Embedding(SIZE, 8), Waves()
            self.head = nn.Linear(8, 2)

        def forward(self, ids: Tensor) -> Tensor:
            return self.head((self.word(ids) * self.waves(ids)).mean(dim=1))

    model = Net().double()

    with pytest.raises(LayerError, match="'waves' returns the same values whatever the words are"):
        explain_text(model, TEXT, layers=["waves"])
    assert names(explain_text(model, TEXT, method="hires_cam")) == ["word"]


@pytest.mark.parametrize(
    ("make", "why"),
    [(bert, "is read at one special token alone"), (gpt, "is read at one place alone: .* the other 5 words' tokens")],
)
def test_a_block_that_is_read_at_one_token_is_refused_with_the_reason(make: Any, why: str) -> None:
    model = make().double()

    with pytest.raises(LayerError, match=rf"'encoder\.1' {why}.*'encoder\.0'"):
        explain_text(model, TEXT, layers=["encoder.1"])


def test_one_word_again_and_again_is_still_changed_for_another() -> None:
    assert names(explain_text(bert().double(), "good", method="hires_cam")) == ["embeddings.word", "encoder.0"]
    assert names(explain_text(bert().double(), "good good", method="hires_cam")) == ["embeddings.word", "encoder.0"]


class Decoding(Like):
    """An encoder as above, and a decoder that reads the text moved on by one place."""

    def __init__(self) -> None:
        super().__init__("mean")
        self.table, self.decoder = nn.Embedding(SIZE, 8), nn.ModuleList([Block(causal=True), Block(causal=True)])

    def forward(self, ids: Tensor) -> Tensor:
        encoded = super().forward(ids)
        moved = 2 * self.table(torch.cat([torch.zeros_like(ids[:, :1]), ids[:, :-1]], dim=1))
        return encoded + self.head(self.decoder[1](self.decoder[0](moved)[0])[0].mean(dim=1))


def test_a_decoder_whose_places_are_not_the_words_is_left_out_and_refused() -> None:
    model = Decoding().double()

    assert names(explain_text(model, TEXT, method="hires_cam"))[-1] == "encoder.1"
    for name in ("table", "decoder.0", "decoder.1"):
        with pytest.raises(LayerError, match=rf"'{name}' runs on the text moved on by one place"):
            explain_text(model, TEXT, layers=[name])


class Recurrent(nn.Module):
    """Reads the LSTM's output at the last word, or the state that it hands on."""

    def __init__(self, *, state: bool) -> None:
        super().__init__()
        self.vocabulary, self.state = Vocabulary(WORDS), state
        self.word = nn.Embedding(SIZE, 8)
        self.rnn = nn.LSTM(8, 5, batch_first=True)
        self.head = nn.Linear(5, 3)

    def forward(self, ids: Tensor) -> Tensor:
        found, (state, _) = self.rnn(self.word(ids))
        return self.head(state[-1] if self.state else found[:, -1])


@pytest.mark.parametrize(
    ("state", "why"), [(False, "is read at one place alone"), (True, "returns values that the logits do not depend on")]
)
def test_a_recurrent_network_that_is_read_at_its_end_is_explained_at_the_words(state: bool, why: str) -> None:
    model = Recurrent(state=state).double()

    assert names(explain_text(model, TEXT, method="hires_cam")) == ["word"]
    with pytest.raises(LayerError, match=f"'rnn' {why}"):
        explain_text(model, TEXT, layers=["rnn"])


def test_where_a_maximum_takes_all_from_one_word_the_layer_stays() -> None:
    class Loudest(Recurrent):
        def forward(self, ids: Tensor) -> Tensor:
            vectors = self.word(ids)
            loudest = vectors.abs().sum(dim=2).argmax(dim=1)
            return self.head(vectors[torch.arange(1), loudest][:, :5])

    model = Loudest(state=False).double()
    result = explain_text(model, TEXT, method="hires_cam")

    assert names(result) == ["word"]
    assert int((result.word_values() != 0).sum()) == 1


def test_blocks_of_several_linear_layers_in_a_sequence_are_layers() -> None:
    model = nn.Sequential(nn.Embedding(SIZE, 8), Mixer(), Mixer(), nn.Sequential(nn.Linear(8, 4), nn.Linear(4, 2)))

    assert text_layers(model) == ["0", "1", "2"]
    assert text_layers(Like("mean", block=Mixer))[-2:] == ["encoder.0", "encoder.1"]


class Wrapped(nn.Module):
    """Returns its network's logits as a library does, beside a loss that is None."""

    def __init__(self, network: Any, *, logits: str = "logits") -> None:
        super().__init__()
        self.network, self.vocabulary, self.called = network, getattr(network, "vocabulary", None), logits

    def forward(self, inputs: Tensor) -> Any:
        return SimpleNamespace(loss=None, **{self.called: self.network(inputs)})


def test_logits_that_have_this_name_are_taken() -> None:
    text, photo, shown = bert().double(), PooledLinear().double(), picture()

    read = explain_text(Wrapped(text), TEXT, method="hires_cam")
    seen = explain(Wrapped(photo), shown)

    assert torch.equal(read.cam(), explain_text(text, TEXT, method="hires_cam").cam())
    assert torch.equal(seen.cam(), explain(photo, shown).cam())
    with pytest.raises(ModelError, match=r"returned a SimpleNamespace.*forward returns only the logits"):
        explain_text(Wrapped(text, logits="scores"), TEXT)


def test_a_layer_that_returns_such_an_object_is_passed_on_as_it_is() -> None:
    model = nn.Sequential(Wrapped(PooledLinear()), nn.Identity()).double()

    with pytest.raises(LayerError, match="'0' returns a SimpleNamespace, not a tensor"):
        explain(model, picture(), layers=["0"])


KINDS = ("Bert", "DistilBert", "Roberta", "GPT2")


def of_a_library(kind: str) -> Any:
    """A small classifier of Hugging Face's, with random weights."""
    import transformers

    sizes = {
        "DistilBert": {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 20},
        "GPT2": {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40, "bos_token_id": 1, "eos_token_id": 2},
    }
    usual = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 20}
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=SIZE, max_position_embeddings=40, pad_token_id=0, num_labels=3, **sizes.get(kind, usual)
    )
    model = getattr(transformers, f"{kind}ForSequenceClassification")(config).double().eval()
    model.vocabulary = Marked()
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_is_true_of_the_library_itself(kind: str) -> None:
    model = of_a_library(kind)
    found = explain_text_methods(model, TEXT, methods=("hires_cam", "occlusion"), target_classes=[1])
    maps, ids = found["hires_cam"], ids_of(model)
    table = model.get_input_embeddings()
    vectors = table(ids).detach().requires_grad_()
    hook = table.register_forward_hook(lambda *_: vectors)
    (gradient,) = torch.autograd.grad(model(ids).logits[0, 1], vectors)
    hook.remove()

    words, block = names(maps)
    assert model.get_submodule(words) is table
    assert block.endswith(".0")
    torch.testing.assert_close(maps.cam(words), (gradient * vectors)[0].sum(dim=1).detach())
    without = [model(torch.cat([ids[:, :at], ids[:, at + 1 :]], dim=1)).logits[0, 1] for at in range(1, 7)]
    expected = model(ids).logits[0, 1] - torch.stack(without)
    torch.testing.assert_close(found["occlusion"].word_values(), expected.detach())
    tables = [name for name, module in model.named_modules() if isinstance(module, nn.Embedding) and name != words]
    for name in tables:
        with pytest.raises(LayerError, match="returns the same values whatever the words are"):
            explain_text(model, TEXT, layers=[name])
    with pytest.raises(LayerError, match="is read at one special token alone"):
        explain_text(model, TEXT, layers=[block[:-1] + "1"])

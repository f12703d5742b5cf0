"""One pass over a text: chunks, repeated layers, tuples, replacement, and what is put back."""

from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from camwidget.errors import ModelError
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.restore import attributes_left_as_found
from camwidget.text.capture import TEXT, Reach, one_text, reach_of, read_text
from camwidget.text.explain import explain_text
from camwidget.text.layers import text_layers
from tests.text.toys import KNOWN, Reviews, Words, awd_learner
from tests.toys import hook_count


class Chunked(nn.Module):
    """Reads three tokens at a time with an LSTM whose state goes on, with its gradient or without."""

    def __init__(self, *, cut: bool) -> None:
        super().__init__()
        self.cut = cut
        self.embedding = nn.Embedding(9, 4)
        self.rnn = nn.LSTM(4, 5, batch_first=True)
        self.head = nn.Linear(5, 2)

    def forward(self, ids: Tensor) -> tuple[Tensor, str]:
        made, memory = [], None
        for part in ids.split(3, dim=1):
            found, memory = self.rnn(self.embedding(part), memory)
            memory = tuple(each.detach() for each in memory) if self.cut else memory
            made.append(found)
        return self.head(torch.cat(made, dim=1)[:, 2:].mean(dim=1)), "raw"


class Twice(nn.Module):
    """Calls one convolution twice on the whole text."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(9, 4)
        self.conv = nn.Conv1d(4, 4, 3, padding="same")
        self.head = nn.Linear(4, 2)

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.conv(self.conv(self.embedding(ids).transpose(1, 2)).relu()).mean(dim=2))


IDS = torch.tensor([[1, 5, 2, 8, 3, 3, 7, 4]])


@pytest.mark.parametrize("cut", [True, False])
def test_gradients_of_chunks_are_those_of_the_whole_text(cut: bool) -> None:
    model = Chunked(cut=cut).double()
    vectors = model.embedding(IDS).detach().requires_grad_()
    parts = iter(vectors.split(3, dim=1))
    hook = model.embedding.register_forward_hook(lambda *_: next(parts))
    (expected,) = torch.autograd.grad(model(IDS)[0][0, 1], vectors)
    hook.remove()

    with LayerCapture(model, ["embedding", "rnn"], subject=TEXT) as capture:
        read_text(capture, IDS)
        gradients = capture.gradients(1)
        reach = reach_of(capture)
        calls = dict(capture.calls)

    # From a layer that puts out the vectors of all chunks, the memory's way is part of the derivative, if it has one.
    torch.testing.assert_close(gradients["embedding"][0, :, 0], expected[0].T, rtol=0, atol=1e-15)
    assert gradients["rnn"].shape == (1, 5, 1, 8)
    assert calls == {"embedding": 3, "rnn": 3}
    assert reach == Reach(chunks=3, cut=cut, first=2)


def test_a_text_read_at_once_is_reached_everywhere() -> None:
    with LayerCapture(Reviews().double(), ["embedding", "conv3"], subject=TEXT) as capture:
        read_text(capture, IDS)
        assert reach_of(capture) == Reach(chunks=1, cut=False, first=0)


def test_of_a_layer_that_runs_twice_over_the_text_the_last_call_counts() -> None:
    model = Twice().double()
    first = model.conv(model.embedding(IDS).transpose(1, 2)).relu()

    with LayerCapture(model, ["conv"], subject=TEXT) as capture:
        logits = read_text(capture, IDS)
        torch.testing.assert_close(capture.activations["conv"][0, :, 0], model.conv(first)[0].detach())
        other = torch.randn(1, 4, 1, 8, dtype=torch.float64)
        replaced = capture.rerun(IDS, replace={"conv": other})

    torch.testing.assert_close(replaced, model.head(other[:, :, 0].mean(dim=2)).detach())
    torch.testing.assert_close(logits, model(IDS).detach())


@pytest.mark.parametrize("name", ["embedding", "rnn"])
def test_what_is_put_in_place_of_chunks_is_divided_among_them(name: str) -> None:
    model = Chunked(cut=True).double()
    with LayerCapture(model, ["embedding", "rnn"], subject=TEXT) as capture:
        logits = read_text(capture, IDS)
        same = capture.rerun(IDS, replace={name: capture.activations[name].detach()})
        zero = capture.rerun(IDS, replace={name: torch.zeros_like(capture.activations[name])})

    assert torch.equal(same, logits)
    if name == "rnn":
        assert torch.equal(zero[0], model.head.bias)


@pytest.mark.parametrize("inputs", [IDS[0], IDS.double(), IDS.repeat(2, 1)])
def test_inputs_that_are_not_one_text_are_refused(inputs: Tensor) -> None:
    with pytest.raises(ModelError, match=r"shape \(1, position\)"):
        one_text(inputs)


def test_attributes_come_back_after_an_error_too() -> None:
    model: Any = nn.Sequential(nn.Linear(1, 1))
    memory, members = torch.zeros(2), [torch.ones(1)]
    model.memory, model.members, model.count = memory, members, 3

    def disturb() -> None:
        with attributes_left_as_found(model):
            model.memory, model.count, model.fresh = torch.ones(2), 4, torch.ones(1)
            model.members[0] = torch.zeros(1)
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        disturb()

    assert model.memory is memory
    assert model.members is members
    assert members[0].item() == 1
    assert model.count == 3
    assert not hasattr(model, "fresh")


class Stateful(Chunked):
    """Keeps its state in tensors that it writes into, and counts what it has read."""

    def __init__(self) -> None:
        super().__init__(cut=True)
        self.state = torch.zeros(2)
        self.pair = (torch.zeros(2), [3])
        self.counts = {"texts": torch.zeros(1), "longest": 0}

    def forward(self, ids: Tensor) -> tuple[Tensor, str]:
        self.state.add_(1)
        self.pair[0].add_(2)
        self.counts["texts"].add_(1)
        self.counts |= {"longest": ids.shape[1], ids.shape: True}
        return super().forward(ids)


def test_what_is_changed_in_place_gets_its_contents_back() -> None:
    model = Stateful().double()
    state, pair, counts = model.state, model.pair, model.counts

    with LayerCapture(model, ["embedding"], subject=TEXT) as capture:
        read_text(capture, IDS)
        capture.rerun(IDS)
        assert state.min() > 1

    assert model.state is state
    assert model.pair is pair
    assert model.counts is counts
    assert (state.tolist(), pair[0].tolist()) == ([0, 0], [0, 0])
    assert counts == {"texts": torch.zeros(1), "longest": 0}


def test_no_hook_stays() -> None:
    model = Chunked(cut=True).double()
    with LayerCapture(model, ["embedding", "rnn"], subject=TEXT) as capture:
        read_text(capture, IDS)
        assert hook_count(model) == 2

    assert hook_count(model) == 0
    assert capture.activations == {}


def test_layers_worth_looking_at_are_found_by_structure() -> None:
    assert text_layers(Reviews()) == ["embedding", "conv1", "conv2", "conv3"]
    assert text_layers(Chunked(cut=True)) == ["embedding", "rnn"]
    assert text_layers(awd_learner().model) == [
        "0.module.encoder", "0.module.encoder_dp", "0.module.rnns.0", "0.module.rnns.1",
    ]  # fmt: skip
    assert text_layers(nn.Sequential(nn.Embedding(3, 2), nn.Sequential(nn.Conv1d(2, 2, 1), nn.Conv1d(2, 2, 1)))) == [
        "0", "1.0", "1.1",
    ]  # fmt: skip


class Narrowing(nn.Module):
    """A convolution that reads three words at a time and gives no value for the first and the last."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(9, 4)
        self.conv = nn.Conv1d(4, 2 * channels, 3)
        self.gate = nn.Sequential(nn.Conv1d(4, 2 * channels, 3), nn.GLU(dim=1))
        self.head = nn.Linear(3 * channels, 2)

    def forward(self, ids: Tensor) -> Tensor:
        vectors = self.embedding(ids).transpose(1, 2)
        return self.head(torch.cat([self.conv(vectors), self.gate(vectors)], dim=1).mean(dim=2))


class PositionsFirst(nn.Module):
    """A recurrent network as PyTorch makes it by default: positions first, then the texts."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(9, 4)
        self.rnn = nn.GRU(4, channels, bidirectional=True)
        self.head = nn.Linear(2 * channels, 2)

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.rnn(self.embedding(ids).transpose(0, 1))[0].mean(dim=0))


@pytest.mark.parametrize("channels", [2, 4, 8, 16])
def test_as_many_channels_as_words_are_not_taken_for_the_words(channels: int) -> None:
    model = Narrowing(channels).double()
    names = [name for name in text_layers(model) if name != "embedding"]

    with LayerCapture(model, ["embedding", *names], subject=TEXT) as capture:
        read_text(capture, IDS)
        assert list(capture.activations) == ["embedding"]
        assert sorted(capture.other_outputs) == sorted(names)


@pytest.mark.parametrize("channels", [2, 4, 8, 16])
def test_positions_that_come_first_are_found_also_where_there_are_as_many_channels(channels: int) -> None:
    model = PositionsFirst(channels).double()
    expected = model.rnn(model.embedding(IDS).transpose(0, 1))[0][:, 0].T.detach()

    with LayerCapture(model, ["embedding", "rnn"], subject=TEXT) as capture:
        read_text(capture, IDS)
        assert torch.equal(capture.activations["rnn"][0, :, 0], expected)


def test_a_text_as_short_as_can_be_is_not_made_shorter() -> None:
    with LayerCapture(Narrowing(16).double(), ["embedding", "conv"], subject=TEXT) as capture:
        read_text(capture, IDS[:, :3])
        assert list(capture.activations) == ["embedding"]


def test_there_need_be_no_place_for_a_longer_text() -> None:
    model = Twice().double()
    model.embedding, places = nn.Embedding(9, 8), nn.Embedding(8, 8)
    model.conv = nn.Conv1d(8, 8, 3, padding="same")
    model.head = nn.Linear(8, 2)
    model.embedding.register_forward_hook(lambda _, inputs, out: out + places(torch.arange(inputs[0].shape[1])))
    model.double()
    places.double()

    with LayerCapture(model, ["embedding", "conv"], subject=TEXT) as capture:
        read_text(capture, IDS)
        assert torch.equal(capture.activations["embedding"][0, :, 0], model.embedding(IDS)[0].T.detach())


class Read(NamedTuple):
    """What was read, and the memory of it."""

    found: Tensor
    last: Tensor


class Reading(nn.Module):
    """An LSTM that puts out a named tuple: the values of the words and the memory, or a packed sequence of them."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(4, 5, batch_first=True)

    def forward(self, vectors: Any) -> Any:
        found, (last, _) = self.rnn(vectors)
        return Read(found, last) if isinstance(found, Tensor) else found


class Named(nn.Module):
    """Takes what it needs of a layer's output by name."""

    def __init__(self, *, packs: bool) -> None:
        super().__init__()
        self.packs = packs
        self.embedding = nn.Embedding(9, 4)
        self.reading = Reading()
        self.head = nn.Linear(5, 2)

    def forward(self, ids: Tensor) -> Tensor:
        vectors = self.embedding(ids)
        if not self.packs:
            return self.head(self.reading(vectors).found.mean(dim=1))
        packed = pack_padded_sequence(vectors, torch.tensor([ids.shape[1]]), batch_first=True)
        return self.head(pad_packed_sequence(self.reading(packed), batch_first=True)[0].mean(dim=1))


@pytest.mark.parametrize("packs", [False, True])
def test_a_named_output_keeps_its_names(packs: bool) -> None:
    model = Named(packs=packs).double()

    with LayerCapture(model, ["embedding", "reading"], subject=TEXT) as capture:
        torch.testing.assert_close(read_text(capture, IDS), model(IDS).detach())
        assert list(capture.activations) == ["embedding", "reading"]
        expected = model.reading.rnn(model.embedding(IDS))[0][0].T.detach()
        torch.testing.assert_close(capture.activations["reading"][0, :, 0], expected)
        none = torch.zeros_like(capture.activations["reading"])
        assert torch.equal(capture.rerun(IDS, replace={"reading": none})[0], model.head.bias)


class Parted(nn.Module):
    """Cuts a text into parts of three words, which are stacked in the batch, or read one after the other."""

    def __init__(self, *, stacks: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stacks, self.vocabulary = stacks, Words(KNOWN)
        self.word, self.rnn, self.head = (
            nn.Embedding(len(KNOWN) + 2, 6),
            nn.GRU(6, 4, batch_first=True),
            nn.Linear(4, 2),
        )
        self.double()

    def forward(self, ids: Tensor) -> Tensor:
        parts = ids.reshape(-1, 1, 3).unbind(0)
        parts = [torch.cat(parts)] if self.stacks else list(parts)
        read = torch.cat([self.rnn(self.word(part))[0].reshape(-1, 4) for part in parts])
        return self.head(read.mean(dim=0)[None])


def test_parts_of_a_text_in_the_batch_are_named_and_one_after_the_other_they_are_read_as_is_advised() -> None:
    text = "the film was not good and"

    with pytest.raises(ModelError, match=r"'rnn' returns .* \(2, 3, 4\) for one text of 6 tokens: .* of 2"):
        explain_text(Parted(stacks=True), text, method="hires_cam")
    found = explain_text(Parted(stacks=False), text, method="hires_cam", target_classes=[1])
    model = Parted(stacks=False)
    numbers = [token.index for token in model.vocabulary.tokens(text)]
    read = model.rnn(model.word(torch.tensor(numbers).reshape(2, 3)))[0]
    assert [layer.name for layer in found.layers] == ["word", "rnn"]
    torch.testing.assert_close(found.cam(), (read.flatten(0, 1) @ model.head.weight[1] / 6).detach())

"""Networks that hold a text with its positions first, as PyTorch's recurrent networks and transformers do unasked.

Each has a twin with the batch first and the same weights, whose maps must be the same, number by number.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from camwidget.errors import LayerError, ModelError
from camwidget.hooks.capture import LayerCapture
from camwidget.text.capture import TEXT as A_TEXT
from camwidget.text.capture import read_text
from camwidget.text.explain import TEXT_METHODS, explain_text, explain_text_methods
from camwidget.text.tokens import Vocabulary

WORDS = ["the", "film", "was", "not", "good", "and", "i", "liked", "it"]
TEXT = "I liked the film and it was not good"
EIGHT = "I liked the film it was not good"  # as many words as channels


class Holding(nn.Module):
    """A table, a layer of that kind, and the mean; `lay` brings the batch first, the positions, or neither."""

    def __init__(self, kind: str, *, lay: str, turns: str = "vectors", move: Callable[[Tensor], Tensor] | None = None):
        super().__init__()
        torch.manual_seed(0)
        self.vocabulary: Any = Vocabulary(WORDS)
        self.word = nn.Embedding(len(WORDS) + 2, 8)
        first = lay == "batch"
        block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=first)
        layers: dict[str, Any] = {
            "lstm": nn.LSTM(8, 6, batch_first=first),
            "both": nn.GRU(8, 4, num_layers=2, batch_first=first, bidirectional=True),
            "block": nn.TransformerEncoder(block, 2, enable_nested_tensor=False),
        }
        self.lay, self.turns, self.move, self.layer = lay, turns, move, layers[kind]
        self.head = nn.Linear(6 if kind == "lstm" else 8, 3)
        self.double()

    def forward(self, ids: Tensor) -> Tensor:
        laid: dict[str, Callable[[Tensor], Tensor]] = {
            "batch": lambda given: given,
            "positions": lambda given: given.transpose(0, 1),
            "neither": lambda given: given.squeeze(0),
        }
        turn = laid[self.lay]
        given = turn(self.word(ids)) if self.turns == "vectors" else self.word(turn(ids))
        if self.move is not None:
            given = self.move(given)
        found = self.layer(given)
        found = found[0] if isinstance(found, tuple) else found
        pooled = found.mean(dim=1 if self.lay == "batch" else 0)
        logits: Tensor = self.head(pooled[None] if self.lay == "neither" else pooled)
        return logits


@pytest.mark.parametrize("text", [TEXT, EIGHT])
@pytest.mark.parametrize("turns", ["vectors", "numbers"])
@pytest.mark.parametrize("lay", ["positions", "neither"])
@pytest.mark.parametrize("kind", ["lstm", "both", "block"])
def test_maps_are_those_of_the_twin_with_the_batch_first(kind: str, lay: str, turns: str, text: str) -> None:
    own, twin = Holding(kind, lay=lay, turns=turns), Holding(kind, lay="batch")
    methods = [method for method in TEXT_METHODS if lay == "positions" or method != "occlusion"]

    found, expected = (explain_text_methods(model, text, methods=methods) for model in (own, twin))

    for method in methods:
        assert found[method].layers == expected[method].layers
        assert found[method].refusals.keys() == expected[method].refusals.keys()
        for layer in expected[method].cams:
            torch.testing.assert_close(found[method].cams[layer], expected[method].cams[layer])
    assert len(found["hires_cam"].layers) >= 2


def test_gradient_times_activation_is_the_one_worked_out_by_hand() -> None:
    model = Holding("lstm", lay="positions").eval()
    ids = model.vocabulary.ids(model.vocabulary.tokens(TEXT))
    kept = model.layer(model.word(ids).transpose(0, 1))[0].detach().requires_grad_()
    (slope,) = torch.autograd.grad(model.head(kept.mean(dim=0))[0, 2], kept)

    found = explain_text(model, TEXT, layers=["layer"], method="hires_cam", target_classes=[2])

    torch.testing.assert_close(found.cam(), (slope * kept).sum(dim=(1, 2)).detach())


@pytest.mark.parametrize("lay", ["positions", "neither"])
def test_a_text_that_is_reversed_with_its_positions_first_is_noticed(lay: str) -> None:
    turned = Holding("lstm", lay=lay, move=lambda given: given.flip(0))
    numbers = Holding("lstm", lay=lay, turns="numbers")
    word = numbers.word.forward
    numbers.word.forward = lambda given: word(given.flip(0))  # type: ignore[method-assign]

    assert [layer.name for layer in explain_text(turned, TEXT, method="hires_cam").layers] == ["word"]
    with pytest.raises(LayerError, match="'layer' has its values elsewhere"):
        explain_text(turned, TEXT, layers=["layer"], method="hires_cam")
    assert explain_text(numbers, TEXT, layers=["word"], method="hires_cam").layers  # what it is given is in order


def test_numbers_that_are_reversed_with_their_positions_first_are_noticed() -> None:
    class Reversed(Holding):
        def forward(self, ids: Tensor) -> Tensor:
            return super().forward(ids.flip(1))

    with pytest.raises(ModelError, match="another order than the text's"):
        explain_text(Reversed("both", lay="positions", turns="numbers"), TEXT, method="hires_cam")


@pytest.mark.parametrize("lay", ["positions", "neither"])
def test_what_is_put_in_the_place_of_a_layer_keeps_its_form(lay: str) -> None:
    model = Holding("both", lay=lay)
    ids = model.vocabulary.ids(model.vocabulary.tokens(TEXT))

    with LayerCapture(model, ["word", "layer"], subject=A_TEXT) as capture:
        logits = read_text(capture, ids)
        same = capture.rerun(ids, replace={name: capture.activations[name].detach() for name in ("word", "layer")})
        assert capture.activations["layer"].shape == (1, 8, 1, ids.shape[1])
        torch.testing.assert_close(same, logits)


@pytest.mark.parametrize("first", [True, False])
def test_a_packed_text_has_the_maps_of_the_same_text_unpacked(first: bool) -> None:
    class Packing(Holding):
        def forward(self, ids: Tensor) -> Tensor:
            vectors = self.word(ids) if first else self.word(ids).transpose(0, 1)
            packed = pack_padded_sequence(vectors, torch.tensor([ids.shape[1]] * len(ids)), batch_first=first)
            logits: Tensor = self.head(pad_packed_sequence(self.layer(packed)[0])[0].mean(dim=0))
            return logits

    own = explain_text_methods(Packing("lstm", lay="batch" if first else "positions"), TEXT)
    twin = explain_text_methods(Holding("lstm", lay="batch"), TEXT)

    for method in TEXT_METHODS:
        assert own[method].layers == twin[method].layers
        for layer in twin[method].cams:
            torch.testing.assert_close(own[method].cams[layer], twin[method].cams[layer])


def test_one_vector_for_the_whole_text_is_no_text_of_one_word() -> None:
    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vocabulary: Any = Vocabulary(WORDS)
            self.word, self.other = nn.Embedding(11, 8), nn.Embedding(11, 8)
            self.head = nn.Linear(8, 2)

        def forward(self, ids: Tensor) -> Tensor:
            logits: Tensor = self.head(self.word(ids).mean(dim=1) + self.other(ids.amax(dim=1)))
            return logits

    found = explain_text(Pooled(), "good", method="hires_cam")

    assert [layer.name for layer in found.layers] == ["word"]

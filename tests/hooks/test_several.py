"""Networks that make several pictures of one, in the batch: refused with what was seen, and advice that works."""

import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import LayerError, ModelError
from camwidget.pictures.explain import explain
from tests.hooks.moving import photo


class One(nn.Module):
    """Two convolutions and the mean."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 5, 3, padding=1)
        self.head = nn.Linear(5, 3)
        self.double().eval()

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.head(self.second(self.first(inputs).relu()).relu().mean(dim=(2, 3)))
        return logits


class Crops(One):
    """Stacks crops in the batch, and averages what they say."""

    def forward(self, inputs: Tensor) -> Tensor:
        parts = torch.cat([inputs[..., :24, :24], inputs[..., -24:, -24:], inputs[..., 4:28, 12:36]])
        return super().forward(parts).mean(dim=0, keepdim=True)


class Rows(One):
    """Takes each row of a map for a text of its own, so there are as many as rows."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(5, 5, batch_first=True).double()

    def forward(self, inputs: Tensor) -> Tensor:
        rows = self.second(self.first(inputs).relu())[0].permute(1, 2, 0)
        logits: Tensor = self.head(self.rnn(rows)[0].mean(dim=(0, 1))[None])
        return logits


def test_crops_in_the_batch_are_named_as_such() -> None:
    with pytest.raises(ModelError, match=r"'second' returns shape \(3, 5, 24, 24\) for one picture: .* batch of 3"):
        explain(Crops(), photo())
    with pytest.raises(LayerError, match=r"'first' returns shape \(3, 6, 24, 24\) for one picture: .* batch of 3"):
        explain(Crops(), photo(), layers=["first"])


def test_one_part_at_a_time_can_be_explained_as_is_advised() -> None:
    with pytest.raises(ModelError, match="on one part at a time"):
        explain(Crops(), photo())

    assert [layer.name for layer in explain(One(), photo()[..., :24, :24]).layers] == ["first", "second"]


def test_what_is_several_only_later_leaves_the_layers_before_it() -> None:
    assert [layer.name for layer in explain(Rows(), photo()).layers] == ["first", "second"]
    with pytest.raises(LayerError, match="returns a tuple, not a tensor"):
        explain(Rows(), photo(), layers=["rnn"])

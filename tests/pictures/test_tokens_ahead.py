"""Vision transformers that hold their tokens ahead of the batch, as PyTorch's blocks do unasked.

Each has a twin with the batch first and the same weights, whose maps must be the same, number by number.
"""

import pytest
import torch
from torch import Tensor, nn

from camwidget.pictures.batch import explain_batch
from camwidget.pictures.explain import explain, explain_methods


class Patches(nn.Module):
    """Patches, a class token, blocks of attention, and the mean of all tokens."""

    def __init__(self, *, ahead: bool, mirrored: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.ahead, self.mirrored = ahead, mirrored
        self.patch = nn.Conv2d(3, 16, 8, 8)
        self.first, self.place = nn.Parameter(torch.randn(1, 1, 16)), nn.Parameter(torch.randn(1, 25, 16) / 10)
        self.blocks = nn.ModuleList(
            [nn.TransformerEncoderLayer(16, 4, 32, batch_first=not ahead, norm_first=True) for _ in range(3)]
        )
        self.head = nn.Linear(16, 3)
        self.double().eval()

    def forward(self, inputs: Tensor) -> Tensor:
        rows = self.patch(inputs)
        tokens = (rows.flip(3) if self.mirrored else rows).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.first.expand(len(tokens), -1, -1), tokens], dim=1) + self.place
        tokens = tokens.transpose(0, 1) if self.ahead else tokens
        for block in self.blocks:
            tokens = block(tokens)
        logits: Tensor = self.head(tokens.mean(dim=0 if self.ahead else 1))
        return logits


PICTURES = torch.rand(3, 3, 32, 48, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
METHODS = ("grad_cam", "hires_cam", "layer_cam", "score_cam")


def test_maps_are_those_of_the_twin_with_the_batch_first() -> None:
    own, twin = (explain_methods(Patches(ahead=ahead), PICTURES[:1], methods=METHODS) for ahead in (True, False))

    for method in METHODS:
        assert own[method].layers == twin[method].layers
        for layer in twin[method].layers:
            torch.testing.assert_close(own[method].cams[layer.name], twin[method].cams[layer.name])
    assert len(own["hires_cam"].layers) >= 3


def test_a_batch_is_explained_at_once_and_has_the_maps_of_each_picture_alone() -> None:
    model = Patches(ahead=True)

    results = explain_batch(model, PICTURES, layers=["blocks.1"], method="hires_cam", target_classes=[1])

    assert not results.one_by_one
    for picture, result in zip(PICTURES.split(1), results, strict=True):
        alone = explain(model, picture, layers=["blocks.1"], method="hires_cam", target_classes=[1])
        torch.testing.assert_close(result.cam(), alone.cam())


def test_what_is_mirrored_is_read_as_in_the_twin() -> None:
    own, twin = (
        explain(Patches(ahead=ahead, mirrored=True), PICTURES[:1], method="hires_cam", target_classes=[1])
        for ahead in (True, False)
    )

    assert own.layers == twin.layers
    assert own.notes == twin.notes
    for layer in twin.layers:
        torch.testing.assert_close(own.cams[layer.name], twin.cams[layer.name])


@pytest.mark.parametrize("rows", [(4, 6), (3, 8)])
def test_a_size_that_is_told_is_read_ahead_of_the_batch_too(rows: tuple[int, int]) -> None:
    model = Patches(ahead=True)
    told = explain(model, PICTURES[:1], layers=["blocks.1"], grid=rows, method="hires_cam", target_classes=[1])
    own = explain(model, PICTURES[:1], layers=["blocks.1"], method="hires_cam", target_classes=[1])

    torch.testing.assert_close(told.cam(), own.cam().reshape(rows))

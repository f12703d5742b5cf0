"""One cell from the inside: channels that add up to the map, and pixels that are found by trying them."""

import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import MapError
from camwidget.pictures.explain import explain
from camwidget.pictures.inside import MOST, Box, LayerInside


@pytest.fixture
def net() -> nn.Sequential:
    """A layer of 12 channels whose maps are not square; nothing but the first layer works in place."""
    return nn.Sequential(
        nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(3, 12, 5, stride=3), nn.ReLU(), nn.Conv2d(12, 12, 3), nn.Tanh()),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 4)),
    ).double()


@pytest.fixture
def pixels() -> Tensor:
    return torch.rand(1, 3, 30, 42, dtype=torch.float64)


@pytest.mark.parametrize("method", ["cam", "grad_cam", "hires_cam", "grad_cam_plus_plus", "xgrad_cam", "layer_cam"])
def test_what_the_channels_add_is_the_map(net: nn.Sequential, pixels: Tensor, method: str) -> None:
    layer = "0" if method == "cam" else "0.3"
    cam = explain(net, pixels, layers=[layer], target_classes=[2], method=method).cam()

    opened = LayerInside(net, pixels, layer=layer, target_class=2, method=method)

    assert torch.allclose(opened.adds.sum(dim=0), cam, rtol=1e-9, atol=1e-12)
    inside = opened.cell(1, 3)
    assert inside.value == pytest.approx(float(cam[1, 3]), rel=1e-9)
    assert inside.count == 12
    assert len(inside.channels) == 5
    for channel in inside.channels:
        assert channel.activation * channel.weight == pytest.approx(channel.adds, rel=1e-9)
        assert float(channel.map[1, 3]) == channel.activation
    told = [abs(channel.adds) for channel in inside.channels]
    assert told == sorted(told, reverse=True)
    assert inside.rest + sum(channel.adds for channel in inside.channels) == pytest.approx(inside.value)


def test_the_pixels_that_a_cell_sees_are_those_that_change_it(net: nn.Sequential, pixels: Tensor) -> None:
    opened = LayerInside(net, pixels, layer="0", target_class=1)
    before = net[0](pixels.clone())[0, :, 1, 3].detach()

    seen = opened.cell(1, 3).seen

    # a cell of the second convolution sees 3 of the first, 3 pixels apart, each of which sees 5
    assert seen == Box(top=3, left=9, bottom=14, right=20)
    for row, column, changes in (
        (3, 9, True),
        (13, 19, True),
        (2, 12, False),
        (14, 12, False),
        (8, 8, False),
        (8, 20, False),
    ):
        other = pixels.clone()
        other[0, :, row, column] += 0.3
        assert bool((net[0](other)[0, :, 1, 3] != before).any()) is changes


def test_most_of_what_moves_a_cell_lies_in_the_smaller_box(net: nn.Sequential, pixels: Tensor) -> None:
    opened = LayerInside(net, pixels, layer="0", target_class=1)
    weight = net[1][2].weight[1].detach()
    picture = pixels.clone().requires_grad_()
    (net[0](picture + 0)[0, :, 1, 3] @ weight).backward()
    moves = picture.grad[0].abs().sum(dim=0)

    inside = opened.cell(1, 3)

    seen, most = inside.seen, inside.most
    share = float(moves[most.top : most.bottom, most.left : most.right].sum() / moves.sum())
    assert MOST <= share < 1
    assert (most.bottom - most.top) * (most.right - most.left) < (seen.bottom - seen.top) * (seen.right - seen.left)
    # no side can go
    for smaller in (
        moves[most.top + 1 : most.bottom, most.left : most.right],
        moves[most.top : most.bottom, most.left : most.right - 1],
    ):
        assert float(smaller.sum() / moves.sum()) < MOST


def test_the_model_is_left_as_it_was_found(net: nn.Sequential, pixels: Tensor) -> None:
    net.train()
    before = pixels.clone()

    LayerInside(net, pixels, layer="0", target_class=1).cell(0, 0)

    assert net.training
    assert all(parameter.requires_grad and parameter.grad is None for parameter in net.parameters())
    assert not any(module._forward_hooks for module in net.modules())
    assert torch.equal(pixels, before)


@pytest.mark.parametrize("method", ["eigen_cam", "score_cam"])
def test_a_method_without_weights_of_channels_says_so(net: nn.Sequential, pixels: Tensor, method: str) -> None:
    with pytest.raises(MapError, match="Choose Grad-CAM"):
        LayerInside(net, pixels, layer="0", target_class=1, method=method)

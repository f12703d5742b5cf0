"""Tensors that are not one picture are refused, and the advice works when it is followed."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import ImageError
from camwidget.pictures.checks import checked_inputs, refuse_levels
from camwidget.pictures.explain import explain


def random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def network(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))


MENDED: dict[str, tuple[Tensor, int, str]] = {
    "two pictures": (random(2, 3, 9, 12), 3, "inputs[:1]"),
    "no batch axis": (random(3, 9, 12), 3, "inputs[None]"),
    "no batch axis, grey": (random(1, 9, 12), 1, "inputs[None]"),
    "no batch axis, five channels": (random(5, 9, 12), 5, "inputs[None]"),
    "channels last": (random(9, 12, 3), 3, "inputs.permute(2, 0, 1)[None]"),
    "channels last in a batch": (random(1, 9, 12, 5), 5, "inputs.permute(0, 3, 1, 2)"),
    "two axes, grey": (random(9, 12), 1, "inputs[None, None]"),
    "sparse": (random(1, 3, 9, 12).to_sparse(), 3, "inputs.to_dense()"),
    "complex": (random(1, 3, 9, 12).to(torch.complex64), 3, "inputs.abs()"),
}


@pytest.mark.parametrize("which", MENDED)
def test_the_advice_for_a_tensor_makes_it_a_picture(which: str) -> None:
    inputs, channels, advice = MENDED[which]

    with pytest.raises(ImageError) as error:
        explain(network(channels), inputs)

    assert f"shape (1, {channels}, height, width)" in str(error.value)
    assert str(error.value).rstrip(".").split(":")[0].endswith(advice) or advice in str(error.value)
    assert explain(network(channels), eval(advice, {"inputs": inputs})).cam().shape == (7, 10)


NONE: list[tuple[Any, int, str]] = [
    (random(1, 1, 16000), 3, r"\(1, 1, 16000\).*sound"),
    (random(16000), 3, "sound"),
    (random(9, 12), 3, "sound"),
    (random(1, 3, 4, 9, 12), 3, "volumes and films"),
    (torch.zeros(1, 3, 0, 12), 3, "is empty"),
    (torch.zeros(0, 3, 9, 12), 3, "is empty"),
    (torch.empty(1, 3, 9, 12, device="meta"), 3, "meta device, which holds shapes and no numbers"),
    (torch.zeros(1, 3, 9, 12, dtype=torch.bool), 3, "Pass the picture itself"),
    (random(1, 3, 9, 12) / 0, 3, "NaN or infinity"),
]


@pytest.mark.parametrize(("inputs", "channels", "message"), NONE)
def test_what_is_no_picture_is_refused(inputs: Tensor, channels: int, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        checked_inputs(inputs, channels=channels)


def test_one_picture_comes_back_as_it_is_without_its_graph() -> None:
    inputs = random(1, 2, 9, 12).requires_grad_()

    found = checked_inputs(inputs, channels=2)

    assert torch.equal(found, inputs)
    assert not found.requires_grad


def test_levels_of_channels_that_nobody_knows_are_let_pass() -> None:
    levels = torch.full((1, 5, 9, 12), 200.0)

    refuse_levels(levels, None, None)
    refuse_levels(levels, (0.5,) * 3, (0.5,) * 3)
    with pytest.raises(ImageError, match="levels from 0 to 255"):
        refuse_levels(levels, (0.5,) * 5, (0.5,) * 5)

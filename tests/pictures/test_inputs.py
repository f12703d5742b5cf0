"""Pictures to inputs and back, against torchvision's own transforms."""

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import nn
from torchvision import transforms

from camwidget.errors import ImageError
from camwidget.pictures.inputs import prepared, to_image, to_inputs
from camwidget.pictures.preparation import IMAGENET_MEAN, IMAGENET_STD, Preparation, preparation_of


def noise(width: int, height: int) -> Image.Image:
    levels = torch.randint(0, 256, (height // 8, width // 8, 3), dtype=torch.uint8).numpy()
    return Image.fromarray(levels).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("size", [(300, 224), (180, 400), (224, 224)])
def test_inputs_are_those_of_torchvision(size: tuple[int, int]) -> None:
    image = noise(*size)
    reference = transforms.Compose(
        [
            transforms.Resize(96),
            transforms.CenterCrop(96),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )

    assert torch.allclose(to_inputs(image, size=96), reference(image)[None], atol=1e-6)


def test_the_picture_comes_back_as_the_network_saw_it() -> None:
    image = noise(96, 96)

    assert np.array_equal(np.asarray(to_image(to_inputs(image, size=96))), np.asarray(image))


def test_the_way_to_inputs_and_back_costs_at_most_a_grey_level() -> None:
    image = noise(300, 200)
    cut = transforms.Compose([transforms.Resize(96), transforms.CenterCrop(96)])(image)
    mean, std = (0.5, 0.4, 0.3), (0.1, 0.2, 0.3)

    seen = to_image(to_inputs(image, size=96, mean=mean, std=std), mean=mean, std=std)

    assert np.abs(np.asarray(seen).astype(int) - np.asarray(cut)).max() <= 1


def test_inputs_that_are_not_square_keep_their_sides() -> None:
    assert to_image(torch.zeros(1, 3, 10, 30)).size == (30, 10)


def test_inputs_of_zero_are_the_mean_colour() -> None:
    colour = np.asarray(to_image(torch.zeros(1, 3, 8, 8)))[0, 0]

    assert colour.tolist() == [round(255 * each) for each in IMAGENET_MEAN]


def test_a_batch_of_two_is_no_picture() -> None:
    # outside of tests no annotation is checked: the function itself must say it
    unchecked = getattr(to_image, "__wrapped__", to_image)
    with pytest.raises(ImageError, match=r"\(2, 3, 8, 9\).*inputs\[:1\]"):
        unchecked(torch.zeros(2, 3, 8, 9))


def test_a_wrapper_asks_the_network_inside() -> None:
    lite, resnet = (timm.create_model(name, pretrained=False) for name in ("tf_efficientnet_lite0", "resnet18"))
    half = preparation_of(lite)
    wrapped = [nn.Sequential(lite), nn.DataParallel(lite), nn.Sequential(nn.Sequential(lite), nn.Softmax(1))]

    assert half.mean == (0.5, 0.5, 0.5)
    assert [preparation_of(each) for each in wrapped] == [half] * 3
    assert preparation_of(nn.ModuleList([lite, resnet])).mean == IMAGENET_MEAN  # they do not agree

    wrapped[0].pretrained_cfg = {"mean": (0.1, 0.2, 0.3)}
    assert preparation_of(wrapped[0]).mean == (0.1, 0.2, 0.3)


LEVELS = {
    "0 to 255": 255 * torch.rand(1, 3, 16, 24, generator=torch.Generator().manual_seed(1)),
    "whole numbers": torch.arange(1152.0).reshape(1, 3, 16, 24).remainder(256),
    "a dark picture": 40 * torch.rand(1, 3, 16, 24, generator=torch.Generator().manual_seed(2)),
    "double precision": torch.full((1, 3, 16, 24), 200.0, dtype=torch.float64),
    "half precision": torch.full((1, 3, 16, 24), 200.0, dtype=torch.bfloat16),
}


@pytest.mark.parametrize("which", LEVELS)
def test_a_tensor_of_levels_is_refused_unless_the_network_takes_levels(which: str) -> None:
    network = nn.Conv2d(3, 2, 1)

    with pytest.raises(
        ImageError, match=r"looks like levels from 0 to 255.*Pass the picture itself.*mean=0, std=1 / 255"
    ):
        prepared(network, LEVELS[which])

    network.pretrained_cfg = {"mean": (0, 0, 0), "std": (1 / 255, 1 / 255, 1 / 255)}
    told = prepared(network, LEVELS[which])
    del network.pretrained_cfg
    for each in (told, prepared(network, LEVELS[which], mean=0, std=1 / 255)):
        assert torch.equal(each.inputs, LEVELS[which].float())
        assert abs(np.asarray(each.image).mean() - LEVELS[which].float().mean().item()) <= 1  # bfloat16 rounds


PLAUSIBLE = {
    "white, by ImageNet's numbers": to_inputs(Image.new("RGB", (64, 64), "white"), size=32),
    "black": to_inputs(Image.new("RGB", (64, 64)), size=32),
    "noise": to_inputs(noise(64, 64), size=32),
    "from 0 to 1": torch.rand(1, 3, 16, 24),
    "white from 0 to 1": torch.ones(1, 3, 16, 24),
    "a normal distribution": torch.randn(1, 3, 16, 24),
    "ten times as wide": 10 * torch.randn(1, 3, 16, 24),
    "levels around their mean": 255 * torch.rand(1, 3, 16, 24) - 120,
    "one bright point": torch.zeros(1, 3, 16, 24).index_fill(3, torch.tensor([3]), 1).mul(60),
    "a deviation of a tenth": to_inputs(noise(64, 64), size=32, mean=(0.0, 0.0, 0.0), std=(0.1, 0.1, 0.1)),
    "beyond 255": torch.full((1, 3, 16, 24), 300.0),
    "zeros": torch.zeros(1, 3, 16, 24),
}


@pytest.mark.parametrize("which", PLAUSIBLE)
def test_any_other_tensor_is_used_as_it_is(which: str) -> None:
    assert torch.equal(prepared(nn.Conv2d(3, 2, 1), PLAUSIBLE[which])[0], PLAUSIBLE[which])


def test_a_model_of_timm_says_what_it_was_trained_with() -> None:
    half = preparation_of(timm.create_model("tf_efficientnet_lite0", pretrained=False))

    assert half.mean == half.std == (0.5, 0.5, 0.5)
    assert half.size == (224, 224)
    assert preparation_of(nn.Linear(2, 2)) == Preparation(3, IMAGENET_MEAN, IMAGENET_STD, (224, 224))

"""Pictures to inputs and back, against torchvision's own transforms."""

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import nn
from torchvision import transforms

from camwidget.errors import ImageError
from camwidget.pictures.inputs import IMAGENET_MEAN, IMAGENET_STD, normalisation_of, to_image, to_inputs


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


def test_a_model_of_timm_says_what_it_was_trained_with() -> None:
    half = normalisation_of(timm.create_model("tf_efficientnet_lite0", pretrained=False))

    assert half.mean == half.std == (0.5, 0.5, 0.5)
    assert half.size == 224
    assert normalisation_of(nn.Linear(2, 2)) == (IMAGENET_MEAN, IMAGENET_STD, 224)

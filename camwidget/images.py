"""Pictures to inputs of a network and back: the one home of mean and standard deviation."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from camwidget.errors import ImageError, three_parts

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean of red, green and blue over ImageNet, for values in [0, 1]."""

IMAGENET_STD = (0.229, 0.224, 0.225)
"""Standard deviation of red, green and blue over ImageNet, for values in [0, 1]."""


class Normalisation(NamedTuple):
    """What a network expects of its inputs: mean and deviation per channel, and the side of its square pictures."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    size: int


def normalisation_of(model: nn.Module) -> Normalisation:
    """Return the mean, deviation and size that `model` was trained with.

    Read from the `pretrained_cfg` that timm's models carry; ImageNet's, at 224 pixels, where there is none.
    """
    config = getattr(model, "pretrained_cfg", None)
    if not isinstance(config, dict):
        return Normalisation(IMAGENET_MEAN, IMAGENET_STD, 224)
    return Normalisation(
        tuple(config.get("mean", IMAGENET_MEAN)),
        tuple(config.get("std", IMAGENET_STD)),
        int(config.get("input_size", (3, 224, 224))[-1]),
    )


def to_inputs(
    image: Image.Image,
    *,
    size: int = 224,
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
) -> Float[Tensor, "1 3 {size} {size}"]:
    """Return `image` as a network eats it: short side scaled to `size`, middle square cut out, normalised."""
    rgb = image.convert("RGB")
    width, height = rgb.size
    short = min(width, height)
    # Pillow's bilinear filter averages over the pixels it drops, so that a large photo does not turn to noise.
    scaled = rgb.resize((size * width // short, size * height // short), Image.Resampling.BILINEAR)
    left, top = round((scaled.width - size) / 2), round((scaled.height - size) / 2)
    cropped = np.asarray(scaled.crop((left, top, left + size, top + size)), dtype=np.float32) / 255
    inputs = torch.from_numpy(cropped).permute(2, 0, 1)[None]
    return (inputs - _per_channel(mean, inputs)) / _per_channel(std, inputs)


def to_image(
    inputs: Float[Tensor, "1 3 height width"],
    *,
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
) -> Image.Image:
    """Return the picture that a network saw as `inputs`: the normalisation undone, nothing else.

    Raises:
        ImageError: `inputs` is not one picture of three channels.
    """
    if inputs.ndim != 4 or inputs.shape[:2] != (1, 3):
        raise ImageError(
            three_parts(
                f"The inputs have the shape {tuple(inputs.shape)}",
                "One picture has the shape (1, 3, height, width)",
                "Take one of a batch with inputs[:1]; add the first axis with inputs[None]",
            )
        )
    pixels = inputs.detach() * _per_channel(std, inputs) + _per_channel(mean, inputs)
    levels = (pixels[0].permute(1, 2, 0) * 255).round().clamp(0, 255)
    return Image.fromarray(levels.to("cpu", torch.uint8).numpy())


def _per_channel(values: Sequence[float], like: Tensor) -> Float[Tensor, "1 3 1 1"]:
    return like.new_tensor(values).view(1, 3, 1, 1)

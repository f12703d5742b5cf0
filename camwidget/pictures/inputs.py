"""From pictures to a network's inputs and back; the only home of mean and standard deviation."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from camwidget.errors import ImageError, three_parts
from camwidget.hooks.tensors import plain
from camwidget.hooks.turns import random_numbers_left_as_found
from camwidget.maps.arguments import Explainable, LearnerLike, network_of
from camwidget.pictures.decode import open_image

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

    Read from timm's `pretrained_cfg`, the model's own or that of the networks inside it (`nn.Sequential(vit)`,
    `DataParallel(vit)`) if they agree; without one, ImageNet's values at 224 pixels.
    """
    configs = [config for module in model.modules() if isinstance(config := _config_of(module), dict)]
    found = [_normalisation(config) for config in configs[: 1 if isinstance(_config_of(model), dict) else None]]
    return found[0] if len(set(found)) == 1 else Normalisation(IMAGENET_MEAN, IMAGENET_STD, 224)


def _config_of(module: nn.Module) -> object:
    return getattr(module, "pretrained_cfg", None)


def _normalisation(config: Mapping[str, Any]) -> Normalisation:
    return Normalisation(
        tuple(map(float, config.get("mean", IMAGENET_MEAN))),
        tuple(map(float, config.get("std", IMAGENET_STD))),
        int(config.get("input_size", (3, 224, 224))[-1]),
    )


def to_inputs(
    image: Image.Image,
    *,
    size: int = 224,
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
) -> Float[Tensor, "1 3 {size} {size}"]:
    """Return `image` as a network's inputs: short side scaled to `size`, centre square cropped, normalised."""
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
    """Return the picture behind a network's `inputs`: only the normalisation is undone.

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


Picture = Image.Image | str | Path | bytes | np.ndarray | Tensor
"""A picture in any form that `open_image` reads, or a normalised float tensor of shape (1, 3, height, width)."""


def prepared(model: Explainable, picture: Picture) -> tuple[Float[Tensor, "1 3 height width"], Image.Image]:
    """Return the inputs, on the model's device and of its dtype, and the picture that the network sees in them.

    A Learner prepares pictures with its own transforms; other models get the usual crop and normalisation. A tensor is
    taken to be prepared already.

    Args:
        model: a Learner or module.
        picture: see `Picture`.

    Raises:
        ImageError: the picture cannot be read, or the tensor is not one normalised picture.
    """
    network = network_of(model)
    learner = None if isinstance(model, nn.Module) else model
    mean, std, size = normalisation_of(network) if learner is None else _learner_normalisation(learner)
    if isinstance(picture, Tensor):
        inputs = _checked(plain(picture.detach()))
        _refuse_levels(inputs, mean, std)
    elif learner is None:
        inputs = to_inputs(open_image(picture), size=size, mean=mean, std=std)
    else:
        inputs = _learner_inputs(learner, open_image(picture))
    image = to_image(inputs, mean=mean, std=std)
    like = next((parameter for parameter in network.parameters() if parameter.is_floating_point()), inputs)
    return inputs.to(device=like.device, dtype=like.dtype), image


def _checked(inputs: Tensor) -> Float[Tensor, "1 3 height width"]:
    allowed = "A tensor is one normalised picture: floating-point, shape (1, 3, height, width), every number finite"
    given = f"The inputs are a {inputs.dtype} tensor of shape {tuple(inputs.shape)}"
    if inputs.ndim == 4 and inputs.shape[0] != 1:
        advice = "One picture is explained at a time: pass inputs[:1] for the first"
    elif inputs.ndim == 3:
        advice = "Add the batch axis with inputs[None]"
    elif not inputs.is_floating_point():
        advice = "Pass the picture itself (a PIL image, a path, an array) and it is normalised for you"
    elif inputs.ndim != 4 or inputs.shape[1] != 3 or not inputs.numel():
        advice = "For a grey picture repeat the channel: inputs.expand(1, 3, -1, -1)"
    elif not bool(torch.isfinite(inputs).all()):
        given, advice = f"{given} that holds NaN or infinity", "Check how the inputs were normalised"
    else:
        return inputs
    raise ImageError(three_parts(given, allowed, advice))


def _refuse_levels(inputs: Tensor, mean: Sequence[float], std: Sequence[float]) -> None:
    """Refuse levels from 0 to 255, unless that is what the network says it takes.

    A normalised picture has values on both sides of zero, most within 3 of it. Anything below zero, or a picture that
    is nearly black everywhere, is let pass.
    """
    lowest, highest, middle = float(inputs.min()), float(inputs.max()), float(inputs.double().mean())
    whitest = float((inputs * _per_channel(std, inputs) + _per_channel(mean, inputs)).max())
    if lowest < 0 or not 16 < highest <= 255 or middle < 4 or whitest < 3:
        return
    given = f"The inputs run from {lowest:g} to {highest:g}, which looks like levels from 0 to 255"
    allowed = "A tensor is one normalised picture: for most networks within 3 of zero"
    advice = "Pass the picture itself, or normalise it. If the network takes 0 to 255, say so: model.pretrained_cfg = "
    advice += "{'mean': (0, 0, 0), 'std': (1 / 255, 1 / 255, 1 / 255)}"
    raise ImageError(three_parts(given, allowed, advice))


def _learner_inputs(learner: LearnerLike, image: Image.Image) -> Float[Tensor, "1 3 height width"]:
    # Only a process with a Learner gets here, so fastai is already imported.
    from fastai.vision.core import PILImage  # noqa: PLC0415

    # A data loader draws random seeds when it starts, and would start worker processes for one picture.
    with random_numbers_left_as_found():
        batch = next(iter(learner.dls.test_dl([PILImage.create(image)], num_workers=0)))
    return plain(batch[0].detach())


def _learner_normalisation(learner: LearnerLike) -> Normalisation:
    """The mean and deviation of the Learner's Normalize, or 0 and 1, which change nothing; no size."""
    for transform in getattr(learner.dls.valid.after_batch, "fs", ()):
        if type(transform).__name__ == "Normalize":
            return Normalisation(tuple(transform.mean.flatten().tolist()), tuple(transform.std.flatten().tolist()), 0)
    return Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 0)

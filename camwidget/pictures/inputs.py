"""From pictures to a network's inputs and back: the only place where either is done."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, Unpack

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from camwidget.errors import CamwidgetError, ImageError, a_kind, three_parts
from camwidget.hooks.turns import random_numbers_left_as_found
from camwidget.hooks.walk import modules_in, parameters_in
from camwidget.maps.arguments import Explainable, network_of
from camwidget.pictures.checks import checked_inputs, refuse_levels
from camwidget.pictures.decode import open_image
from camwidget.pictures.learners import learner_inputs, learner_normalisation, reading_note
from camwidget.pictures.preparation import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    USUAL_SIZE,
    Preparation,
    Prepare,
    preparation_of,
)


def to_inputs(
    image: Image.Image,
    *,
    size: int | tuple[int, int] = USUAL_SIZE,
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
    crop_pct: float = 1.0,
    crop_mode: str = "center",
    interpolation: str = "bilinear",
) -> Float[Tensor, "1 channel height width"]:
    """Return `image` as a network's inputs: scaled, the centre cropped, normalised. timm's words, and its transform.

    Args:
        image: a picture.
        size: of the inputs; the side of a square, or (height, width).
        mean: for each channel, three or one; with one the picture is made grey.
        std: the same.
        crop_pct: the share of the scaled picture that is kept; 1 scales the shorter side to the size.
        crop_mode: `"center"`, `"squash"` (each side by itself) or `"border"` (the longer side).
        interpolation: such as `"bilinear"` or `"bicubic"`.
    """
    from timm.data import create_transform  # noqa: PLC0415 (a Learner's pictures do not need it, and it takes a second)

    transform = create_transform(
        (len(mean), size, size) if isinstance(size, int) else (len(mean), *size),
        mean=tuple(mean),
        std=tuple(std),
        crop_pct=crop_pct,
        crop_mode=crop_mode,
        interpolation=interpolation,
    )
    inputs: Tensor = transform(image.convert("L" if len(mean) == 1 else "RGB"))[None]
    return inputs


def to_image(
    inputs: Float[Tensor, "1 channel height width"],
    *,
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
) -> Image.Image:
    """Return the picture behind a network's `inputs`, in RGB: only the normalisation is undone.

    Args:
        inputs: one picture of three channels, or of one, which is grey.
        mean: for each channel.
        std: for each channel.

    Raises:
        ImageError: `inputs` is not one picture of as many channels as there are numbers, three or one.
    """
    if inputs.ndim != 4 or inputs.shape[0] != 1 or inputs.shape[1] not in (1, 3) or inputs.shape[1] != len(mean):
        raise ImageError(
            three_parts(
                f"The inputs have the shape {tuple(inputs.shape)}, with {len(mean)} numbers for the mean",
                "One picture has the shape (1, 3, height, width) or, if it is grey, (1, 1, height, width)",
                "Take one of a batch with inputs[:1]; add the first axis with inputs[None]",
            )
        )
    pixels = inputs.detach() * _per_channel(std, inputs) + _per_channel(mean, inputs)
    levels = (pixels[0].expand(3, -1, -1).permute(1, 2, 0) * 255).round().clamp(0, 255)
    return Image.fromarray(levels.to("cpu", torch.uint8).numpy())


def _per_channel(values: Sequence[float], like: Tensor) -> Float[Tensor, "1 channel 1 1"]:
    return like.new_tensor(values).view(1, -1, 1, 1)


Picture = Image.Image | str | Path | bytes | np.ndarray | Tensor
"""A picture in any form that `open_image` reads, or a normalised float tensor of shape (1, channel, height, width)."""


class Prepared(NamedTuple):
    """A picture made ready for a network."""

    inputs: Float[Tensor, "1 channel height width"]
    """What the network runs on, on its device and of its dtype."""
    image: Image.Image
    """The picture that the network sees in them."""
    notes: tuple[str, ...] = ()
    """What had to be assumed, and how the picture shown differs from the inputs."""


def prepared(model: Explainable, picture: Picture, **asked: Unpack[Prepare]) -> Prepared:
    """Return a picture as a model's inputs, and as the network sees it.

    A Learner prepares pictures with its own reader and transforms, so that its answer is that of `learn.predict`; other
    models get them as `preparation_of` says. A tensor is taken to be prepared already, unless there is a `transform`:
    that gets tensors, and other arrays than pictures, as they are; pictures as upright PIL images (in RGB, or grey if
    the network takes one channel); and whatever was given if the network takes other channels than one or three.

    Args:
        model: a Learner or module.
        picture: see `Picture`.
        **asked: `transform`, `mean`, `std` and `size`, see `preparation_of`.

    Raises:
        ImageError: the picture cannot be read, does not become inputs, or the tensor is not one normalised picture.
        ModelError: it is a Learner of something else than pictures.
        CamwidgetError: what was asked for cannot be used.
    """
    network = network_of(model)
    told = preparation_of(network, **asked)
    learner = None if isinstance(model, nn.Module) else model
    if learner is not None and told.transform is None:
        _refuse_asked(asked, tensor=isinstance(picture, Tensor))
        own = learner_normalisation(learner)
        given = asked.get("mean") is not None or asked.get("std") is not None
        as_it_is = (0.0,) * told.channels, (1.0,) * told.channels
        mean, std = (told.mean, told.std) if given else own or as_it_is
        told = Preparation(told.channels, mean, std, knows_numbers=True, knows_size=True)
    note = ""
    if told.transform is not None:
        inputs = _transformed(told, picture)
    elif isinstance(picture, Tensor):
        _refuse_asked({"size": asked.get("size")}, tensor=True)
        inputs = checked_inputs(picture, channels=told.channels)
        refuse_levels(inputs, told.mean, told.std)
    elif learner is not None:
        inputs, note = learner_inputs(learner, picture), reading_note(learner, picture)
    else:
        inputs, note = _made(told, picture), told.note
    is_ours = not isinstance(picture, Tensor) or told.knows_numbers or told.channels == 3
    image, shown = _shown(inputs, *((told.mean, told.std) if is_ours else (None, None)))
    notes = tuple(each for each in (note, shown) if each)
    return Prepared(as_taken_by(network, inputs), image, notes)


def _refuse_asked(asked: Mapping[str, Any], *, tensor: bool) -> None:
    """Refuse what would have no effect."""
    names = [name for name in (("size",) if tensor else ("mean", "std", "size")) if asked.get(name) is not None]
    if not names:
        return
    given, why = (
        ("a tensor", "is used as it is") if tensor else ("a Learner", "prepares pictures with its own transforms")
    )
    allowed = f"{given[0].upper()}{given[1:]} {why}"
    advice = (
        "Leave it out, or pass the picture itself" if tensor else "Leave them out, or pass transform= or learn.model"
    )
    raise CamwidgetError(three_parts(f"{names[0]}={asked[names[0]]!r} was given with {given}", allowed, advice))


def _made(told: Preparation, picture: Any) -> Tensor:
    """Inputs from a picture, as the network wants them."""
    if told.channels not in (1, 3):
        given = f"This network takes {told.channels} channels, and was given {a_kind(picture)}"
        allowed = "A picture becomes inputs by itself for networks of three channels, or of one (grey)"
        advice = f"Pass a normalised tensor of shape (1, {told.channels}, height, width), or transform=, a function "
        raise ImageError(three_parts(given, allowed, f"{advice}that makes one of what you give"))
    mean, std = told.mean or IMAGENET_MEAN, told.std or IMAGENET_STD
    return to_inputs(
        open_image(picture),
        size=told.size,
        mean=mean,
        std=std,
        crop_pct=told.crop_pct,
        crop_mode=told.crop_mode,
        interpolation=told.interpolation,
    )


def _transformed(told: Preparation, picture: Any) -> Tensor:
    """Inputs from whatever a transform makes of a picture."""
    transform: Any = told.transform
    item = _for_transform(picture, told.channels)
    more = {"return_tensors": "pt"} if hasattr(transform, "image_mean") else {}
    with random_numbers_left_as_found():
        made = transform(item, **more)
    made = made.get("pixel_values") if isinstance(made, Mapping) else made
    allowed = "It makes one float tensor of shape (channel, height, width), or that with a batch axis of one in front"
    if not isinstance(made, Tensor) or not made.is_floating_point():
        given = f"The transform made a {made.dtype if isinstance(made, Tensor) else type(made).__name__} of the picture"
        advice = "End it with transforms.ToTensor() and transforms.Normalize(mean, std), or with torch.from_numpy"
        raise ImageError(three_parts(given, allowed, advice))
    inputs = made[None] if made.ndim == 3 else made
    if inputs.ndim != 4 or inputs.shape[0] != 1:
        given = f"The transform made a tensor of shape {tuple(made.shape)}"
        raise ImageError(three_parts(given, allowed, "Keep one picture, and put its channels first"))
    return checked_inputs(inputs, channels=None)


def _for_transform(picture: Any, channels: int) -> Any:
    """What a transform gets, see `prepared`."""
    pixels = isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.shape[2:] in ((), (1,), (3,))
    is_picture = isinstance(picture, str | PathLike | bytes | Image.Image) or pixels
    if channels not in (1, 3) or not is_picture:
        return picture
    return open_image(picture).convert("L" if channels == 1 else "RGB")


def _shown(inputs: Tensor, mean: Sequence[float] | None, std: Sequence[float] | None) -> tuple[Image.Image, str]:
    """The picture behind inputs of any channels, and how it differs from them, in a sentence."""
    channels = inputs.shape[1]
    count = 3 if channels >= 3 else 1
    some = inputs[:, :count]
    which = "" if channels == count else f"the first {'three' if count == 3 else 'one'} of {channels} channels"
    if mean is not None and std is not None and len(mean) == len(std) == channels:
        return to_image(some, mean=mean[:count], std=std[:count]), f"The picture shows {which}." if which else ""
    lowest, highest = float(some.min()), float(some.max())
    if lowest >= 0 and highest <= 1:
        image = to_image(some, mean=(0.0,) * count, std=(1.0,) * count)
        return image, f"The picture shows {which}." if which else ""
    spread = highest - lowest or 1.0
    image = to_image(some, mean=(-lowest / spread,) * count, std=(1 / spread,) * count)
    start = f"The picture shows {which}, " if which else "The picture is shown "
    return image, f"{start}stretched from its smallest value to its largest: for its own colours pass mean= and std=."


def as_taken_by(
    network: nn.Module, inputs: Float[Tensor, "batch channel height width"]
) -> Float[Tensor, "batch channel height width"]:
    """Return inputs on the device and of the dtype of the place where they go into a network.

    Args:
        network: any.
        inputs: prepared pictures.
    """
    like = _reference(network, inputs)
    return inputs.to(device=like.device, dtype=like.dtype)


def _reference(network: nn.Module, inputs: Tensor) -> Tensor:
    floating = [parameter for parameter in parameters_in(network) if parameter.is_floating_point()]
    if len({parameter.dtype for parameter in floating}) > 1:
        # Single numbers and heads may have another precision than the convolution that reads the picture.
        first = next((module.weight for module in modules_in(network) if isinstance(module, nn.Conv2d)), None)
        if first is not None and first.is_floating_point():
            return first
    return floating[0] if floating else inputs

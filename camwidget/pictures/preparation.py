"""How a network wants its pictures: what was asked for, what it says of itself, and what is left to assume."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypedDict

import numpy as np
from torch import nn

from camwidget.errors import CamwidgetError, three_parts
from camwidget.hooks.walk import modules_in

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean of red, green and blue over ImageNet, for values in [0, 1]."""

IMAGENET_STD = (0.229, 0.224, 0.225)
"""Standard deviation of red, green and blue over ImageNet, for values in [0, 1]."""

USUAL_SIZE = 224
"""The side of the picture, in pixels, where nothing says another."""

# `preparation_of` checks these, for its messages say more than a type error.
Transform: TypeAlias = Any
"""From a picture to inputs of shape (channel, height, width) or (1, channel, height, width); or an image processor."""

Numbers: TypeAlias = Any
"""A number for each channel, or one for all."""

Size: TypeAlias = Any
"""The side of a square in pixels, or (height, width)."""


class Prepare(TypedDict, total=False):
    """How a picture is to be made ready, as far as it was asked for; see `preparation_of`."""

    transform: Transform | None
    mean: Numbers | None
    std: Numbers | None
    size: Size | None


@dataclass(frozen=True)
class Preparation:
    """How pictures are made into a network's inputs."""

    channels: int = 3
    """How many channels the network takes."""
    mean: tuple[float, ...] | None = IMAGENET_MEAN
    """Subtracted from values in [0, 1], channel by channel; None if nobody knows."""
    std: tuple[float, ...] | None = IMAGENET_STD
    """What the difference is divided by; None if nobody knows."""
    size: tuple[int, int] = (USUAL_SIZE, USUAL_SIZE)
    """Height and width of the inputs, in pixels."""
    crop_pct: float = 1.0
    """The share of the scaled picture that is kept, along a side."""
    crop_mode: str = "center"
    """timm's word for how the sides are scaled: `"center"`, `"squash"` or `"border"`."""
    interpolation: str = "bilinear"
    """timm's word for how pixels are interpolated."""
    transform: Transform | None = None
    """What makes the inputs, in place of all this."""
    knows_numbers: bool = False
    """Whether mean and deviation were told, and not assumed."""
    knows_size: bool = False
    """Whether the size was told, and not assumed."""

    @property
    def note(self) -> str:
        """What was assumed, in sentences; empty if everything was told."""
        if self.transform is not None or (self.knows_numbers and self.knows_size):
            return ""
        grey = "a grey picture with the averages of ImageNet's three means and deviations"
        numbers = grey if self.channels == 1 else "ImageNet's mean and standard deviation"
        size = f"{self.size[0]}x{self.size[1]} pixels"
        assumed = [*([] if self.knows_numbers else [numbers]), *([] if self.knows_size else [size])]
        return (
            f"Not all is known of how this network's pictures were prepared. Assumed: {' and '.join(assumed)}. "
            "If it was trained otherwise, pass transform=, or mean=, std= and size=."
        )


def preparation_of(
    network: nn.Module,
    *,
    transform: Transform | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    size: Size | None = None,
) -> Preparation:
    """Return how a network's pictures are made ready: as asked for, else as it says, else as is usual.

    A network says it in timm's `pretrained_cfg` (mean, deviation, size, crop, interpolation), its own or that of the
    networks inside it (`nn.Sequential(vit)`, `DataParallel(vit)`) if they agree; with the size that it was built for
    (`img_size`, `image_size`, the `config` of a Hugging Face model); and with the channels of its first convolution.
    What is left is ImageNet's mean and deviation at 224 pixels, for a grey picture the means of their three numbers.

    Args:
        network: any.
        transform: makes the inputs from a picture, such as torchvision's `weights.transforms()` or the image processor
            of a Hugging Face model; the picture shown is computed back with the mean and deviation found in it.
        mean: of values in [0, 1], a number for each channel or one for all.
        std: the same for the standard deviation.
        size: of the inputs in pixels; the side of a square, or (height, width).

    Raises:
        CamwidgetError: they are no such numbers, or a transform was given beside a size.
    """
    transform = getattr(transform, "image_processor", transform)
    if isinstance(transform, type) or (transform is not None and not callable(transform)):
        given = f"transform is {transform!r}, of type {type(transform).__name__}"
        allowed = "It is a function from a picture to inputs of shape (channel, height, width), or an image processor"
        raise CamwidgetError(three_parts(given, allowed, "Pass weights.transforms(), or a transforms.Compose([...])"))
    if transform is not None and size is not None:
        given, allowed = f"size={size!r} was given beside a transform", "A transform decides the size itself"
        raise CamwidgetError(three_parts(given, allowed, "Leave one of them out"))
    told = _told_by(network)
    if transform is not None:
        found = next(_normalisations(transform), (None, None))
        inside = [row * told.channels if row is not None and len(row) == 1 else row for row in found]
        told = replace(told, transform=transform, mean=inside[0], std=inside[1])
    elif size is not None:
        told = replace(told, size=_checked_size(size), knows_size=True)
    if mean is None and std is None:
        return told
    return replace(
        told,
        mean=told.mean if mean is None else _checked_numbers("mean", mean, told.channels),
        std=told.std if std is None else _checked_numbers("std", std, told.channels),
        knows_numbers=told.knows_numbers or (mean is not None and std is not None),
    )


def channels_of(network: nn.Module) -> int | None:
    """Return how many channels a network's pictures have, by its first convolution; None if it has none.

    Args:
        network: any.
    """
    return _channels_of(network, modules_in(network))


def _channels_of(network: nn.Module, modules: Sequence[nn.Module]) -> int | None:
    declared = getattr(getattr(network, "config", None), "num_channels", None)
    first = next((module for module in modules if isinstance(module, nn.Conv2d)), None)
    return declared if _is_count(declared) else None if first is None else first.in_channels


def _told_by(network: nn.Module) -> Preparation:
    """What a network says; the rest is as usual, and marked as assumed."""
    modules = modules_in(network)
    channels, size = _channels_of(network, modules) or 3, _size_of(network, modules)
    config = _timm_config(network, modules)
    told = Preparation(channels=channels) if config is None else _from_timm(config, channels)
    if channels not in (1, 3) and len(told.mean or ()) != channels:
        told = replace(told, mean=None, std=None, knows_numbers=False)
    elif told.mean is not None and told.std is not None and len(told.mean) != channels:
        mean, std = (round(sum(numbers) / len(numbers), 4) for numbers in (told.mean, told.std))
        told = replace(told, mean=(mean,) * channels, std=(std,) * channels, knows_numbers=False)
    return told if size is None else replace(told, size=size, knows_size=True)


def _timm_config(network: nn.Module, modules: Sequence[nn.Module]) -> Mapping[str, Any] | None:
    """Timm's notes on a network: its own, or those of the networks inside it if they agree."""
    own = getattr(network, "pretrained_cfg", None)
    inside = (vars(module).get("pretrained_cfg") for module in modules)
    found = [own] if isinstance(own, dict) else [config for config in inside if isinstance(config, dict)]
    return found[0] if len({_from_timm(config, 3) for config in found}) == 1 else None


def _from_timm(config: Mapping[str, Any], channels: int) -> Preparation:
    config = {name: value for name, value in config.items() if value is not None}
    size = tuple(config.get("input_size", (3, USUAL_SIZE, USUAL_SIZE)))
    return Preparation(
        channels=channels,
        mean=tuple(map(float, config.get("mean", IMAGENET_MEAN))),
        std=tuple(map(float, config.get("std", IMAGENET_STD))),
        size=(int(size[-2]), int(size[-1])),
        crop_pct=float(config.get("crop_pct", 1.0)),
        crop_mode=str(config.get("crop_mode", "center")),
        interpolation=str(config.get("interpolation", "bilinear")),
        knows_numbers="mean" in config and "std" in config,
        knows_size="input_size" in config,
    )


def _size_of(network: nn.Module, modules: Sequence[nn.Module]) -> tuple[int, int] | None:
    """The size that a network was built for: some with tokens take no other."""
    own = getattr(getattr(network, "config", None), "image_size", None)
    for module in modules:
        kept = vars(module)  # asking a module for an attribute that it has not is slow
        for size in (kept.get("img_size"), kept.get("image_size"), own):
            if size is not None and (sides := _sides(size)) is not None:
                return sides
    return None


def _normalisations(transform: Any) -> Iterator[tuple[tuple[float, ...], tuple[float, ...]]]:
    """The mean and deviation of every normalisation inside a transform, the last one first."""
    members = getattr(transform, "transforms", None)
    if members is None and isinstance(transform, nn.Module):
        members = transform.children()
    for member in reversed(list(members or ())):
        yield from _normalisations(member)
    for names in (("image_mean", "image_std"), ("mean", "std")):
        mean, std = (getattr(transform, name, None) for name in names)
        if _has_numbers(mean) and _has_numbers(std):
            yield _numbers(mean), _numbers(std)
            return


def _has_numbers(given: Any) -> bool:
    return _is_row(given) or isinstance(given, int | float)


def _numbers(given: Any) -> tuple[float, ...]:
    return tuple(map(float, given)) if _is_row(given) else (float(given),)


def _checked_size(size: Any) -> tuple[int, int]:
    if (sides := _sides(size)) is not None:
        return sides
    allowed = "It is the side of the network's square pictures in pixels, or (height, width)"
    raise CamwidgetError(three_parts(f"size is {size!r}", allowed, f"Most networks take size={USUAL_SIZE}"))


def _sides(size: Any) -> tuple[int, int] | None:
    """Height and width, if that is what it is: the side of a square, or both."""
    if _is_count(size):
        return int(size), int(size)
    both = isinstance(size, tuple | list) and len(size) == 2 and all(map(_is_count, size))
    return (int(size[0]), int(size[1])) if both else None


def _checked_numbers(name: str, numbers: Any, channels: int) -> tuple[float, ...]:
    found = list(numbers) if _is_row(numbers) else [numbers] * channels
    made = tuple(float(number) for number in found if hasattr(number, "__float__") and getattr(number, "ndim", 0) == 0)
    finite = all(abs(number) < float("inf") and (name == "mean" or number > 0) for number in made)
    if len(made) == len(found) == channels and finite:
        return made
    above = "" if name == "mean" else " above zero"
    allowed = f"It is one number{above} for all channels, or one for each of {channels}, for values in [0, 1]"
    raise CamwidgetError(three_parts(f"{name} is {numbers!r}", allowed, f"For ImageNet's, leave {name} out"))


def _is_row(numbers: Any) -> bool:
    return hasattr(numbers, "__iter__") and not isinstance(numbers, str | bytes) and getattr(numbers, "ndim", 1) == 1


def _is_count(number: Any) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool) and bool(number > 0)

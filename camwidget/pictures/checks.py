"""Which tensors are one picture for a network, and what to do with those that are not."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.errors import ImageError, three_parts
from camwidget.hooks.tensors import plain


def checked_inputs(inputs: Tensor, *, channels: int | None) -> Float[Tensor, "1 channel height width"]:
    """Return a tensor that is one picture, without its subclass and its graph.

    Args:
        inputs: any tensor.
        channels: how many the network takes, for the advice; None if that is not known.

    Raises:
        ImageError: it is not one picture of finite numbers.
    """
    shape, expected = tuple(inputs.shape), "channel" if channels is None else str(channels)
    allowed = f"A tensor is one normalised picture: floating-point, shape (1, {expected}, height, width), "
    given, advice = f"The inputs are a {inputs.dtype} tensor of shape {shape}", _why_no_numbers(inputs)
    if not advice and not inputs.is_floating_point():
        advice = "Pass the picture itself (a PIL image, a path, an array) and it is normalised for you"
        if inputs.is_complex():
            advice = "Pass what the network was trained on, such as the magnitude, inputs.abs()"
    advice = advice or _why_no_picture(shape, channels)
    if not advice:
        inputs = plain(inputs.detach())
        if bool(torch.isfinite(inputs).all()):
            return inputs
        given, advice = f"{given} that holds NaN or infinity", "Check how the inputs were normalised"
    raise ImageError(three_parts(given, f"{allowed}every number finite", advice))


def _why_no_numbers(inputs: Tensor) -> str:
    """What to do with a tensor whose numbers cannot be read as they are; empty if they can."""
    if inputs.is_nested:
        return "It is nested: take one of its tensors, inputs.unbind()[0]"
    if inputs.is_meta:
        return "It is on the meta device, which holds shapes and no numbers: make it on the CPU"
    if inputs.is_quantized:
        return "It is quantised: pass inputs.dequantize()"
    return "" if inputs.layout == torch.strided else "It is sparse: pass inputs.to_dense()"


def _why_no_picture(shape: Sequence[int], channels: int | None) -> str:
    """What to do with a shape that is not one picture; empty if it is."""
    fits = (1, 3) if channels is None else (channels,)
    if 0 in shape:
        return "It is empty: pass a picture with pixels"
    if len(shape) == 4 and shape[0] != 1:
        return "One picture is explained at a time: pass inputs[:1] for the first"
    if len(shape) == 4 and shape[1] not in fits and shape[3] in fits:
        return "Put the channels first with inputs.permute(0, 3, 1, 2)"
    if len(shape) == 4:
        return ""
    if len(shape) == 3 and shape[0] in fits:
        return "Add the batch axis with inputs[None]"
    if len(shape) == 3 and shape[2] in fits:
        return "Put the channels first and add the batch axis with inputs.permute(2, 0, 1)[None]"
    if len(shape) == 2 and 1 in fits:
        return "Add the axes of batch and channel with inputs[None, None]"
    return "Pass one picture: sound, texts as numbers, volumes and films are none"


def refuse_levels(inputs: Tensor, mean: Sequence[float] | None, std: Sequence[float] | None) -> None:
    """Refuse levels from 0 to 255, unless mean and deviation say that the network takes them.

    A normalised picture has values on both sides of zero, most within 3 of it. Anything below zero, or a picture that
    is nearly black everywhere, is let pass; so are pictures of several channels whose mean and deviation nobody knows.

    Args:
        inputs: one picture.
        mean: for each channel.
        std: for each channel.

    Raises:
        ImageError: they look like levels.
    """
    if mean is None or std is None or not len(mean) == len(std) == inputs.shape[1]:
        return
    lowest, highest, middle = float(inputs.min()), float(inputs.max()), float(inputs.double().mean())
    scale, shift = (inputs.new_tensor(numbers).view(1, -1, 1, 1) for numbers in (std, mean))
    whitest = float((inputs * scale + shift).max())
    if lowest < 0 or not 16 < highest <= 255 or middle < 4 or whitest < 3:
        return
    given = f"The inputs run from {lowest:g} to {highest:g}, which looks like levels from 0 to 255"
    allowed = "A tensor is one normalised picture: for most networks within 3 of zero"
    advice = "Pass the picture itself, or normalise it. If the network takes 0 to 255, pass mean=0, std=1 / 255"
    raise ImageError(three_parts(given, allowed, advice))

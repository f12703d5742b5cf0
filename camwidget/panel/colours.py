"""Turn numbers into pixels: the colour table, the overlay, and a still picture of many layers. No widgets here.

The browser paints with the same table and the same formulas (`static/`); a test compares the two pixel by
pixel, so what a notebook saves and what a learner slides over are the same picture.
"""

import math

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from camwidget.errors import MapError, three_parts
from camwidget.maps.formulas import upsample

DESATURATION = 0.55
"""Share of grey mixed into the picture, so that strong colour belongs to the map alone."""

FULL_COLOUR_AT = 0.625
"""Share of the scale at which a cell is painted with full opacity; below, opacity falls to nothing at zero."""

_ANCHORS = (
    (-1.0, (5, 80, 174)),
    (-0.5, (74, 144, 217)),
    (0.0, (247, 247, 247)),
    (0.5, (240, 128, 72)),
    (1.0, (166, 15, 32)),
)
# On a dark page colours that grow out of white would all be grey while they are weak. These keep their hue and grow out
# of the page itself; the lightness (L*) is the same on both sides to 2, and rises with the magnitude.
_ANCHORS_ON_DARK = (
    (-1.0, (150, 200, 255)),
    (-FULL_COLOUR_AT, (85, 150, 235)),
    (-1 / 128, (60, 140, 255)),
    (1 / 128, (250, 115, 40)),
    (FULL_COLOUR_AT, (235, 120, 62)),
    (1.0, (255, 185, 135)),
)
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)


def colormap(*, on_dark: bool = False) -> UInt8[np.ndarray, "257 4"]:
    """Return the signed colour table: red, green, blue and opacity for 257 steps from -scale to +scale.

    Step 128 is exactly zero and fully transparent, so that where there is no evidence one sees the picture itself.
    Blue stands for evidence against, red for evidence for: the pair stays apart for colour-blind readers, and the
    lightness is the same on both sides, so neither looks stronger than the other.

    Args:
        on_dark: the table for words on a dark page.
    """
    values = np.linspace(-1.0, 1.0, 257)
    anchors = _ANCHORS_ON_DARK if on_dark else _ANCHORS
    stops = [stop for stop, _ in anchors]
    colours = [np.interp(values, stops, [colour[channel] for _, colour in anchors]) for channel in range(3)]
    opacity = 255 * np.minimum(1.0, np.abs(values) / FULL_COLOUR_AT)
    table: np.ndarray = np.rint(np.stack([*colours, opacity], axis=1))
    return table.astype(np.uint8)


def colour_step(value: float, scale: float, *, signed: bool = True) -> int:
    """Return the row of `colormap` for a value, from 0 to 256.

    Args:
        value: raw, signed.
        scale: the magnitude that gets the full colour; 0 gives the row of zero.
        signed: otherwise negative values count as zero.
    """
    if scale <= 0:
        return 128
    return math.floor(min(max(value / scale, -1.0 if signed else 0.0), 1.0) * 128 + 0.5) + 128


def overlay(
    image: Image.Image,
    cam: Float[Tensor, "map_height map_width"],
    *,
    scale: float,
    heatmap_opacity: float = 0.7,
    smooth: bool = True,
    signed: bool = True,
) -> Image.Image:
    """Return `image` with `cam` painted over it.

    Args:
        image: the picture, any size; it is not changed.
        cam: raw values, signed, at the layer's own size.
        scale: the magnitude that gets the full colour, in the units of `cam`; 0 paints the bare picture.
        heatmap_opacity: from 0 (only the picture) to 1.
        smooth: interpolate the values (then colour them), or show each cell as a block.
        signed: show evidence against as well; otherwise negative values count as zero (the ReLU of Grad-CAM).

    Raises:
        MapError: `cam` holds a value that is not finite.
    """
    if not torch.isfinite(cam).all():
        raise MapError(
            three_parts(
                "The map holds values that are not finite numbers.",
                "Only finite values can be painted.",
                "Look at the model's logits and weights for NaN or infinity first.",
            )
        )
    width, height = image.size
    values = cam.detach().to("cpu", torch.float32)
    if smooth:
        spread = upsample(values[None], height=height, width=width)[0].numpy()
    else:
        rows = np.arange(height) * values.shape[0] // height
        columns = np.arange(width) * values.shape[1] // width
        spread = values.numpy()[rows[:, None], columns[None, :]]
    share = np.clip(spread / scale, -1.0, 1.0) if scale > 0 else np.zeros((height, width), np.float32)
    if not signed:
        share = np.maximum(share, 0.0)
    painted = colormap()[np.floor(share * 128 + 0.5).astype(np.int64) + 128].astype(np.float32)
    opacity = heatmap_opacity * painted[..., 3:] / 255
    base = _desaturated(image)
    return Image.fromarray(np.rint(base * (1 - opacity) + painted[..., :3] * opacity).astype(np.uint8), "RGB")


def _desaturated(image: Image.Image) -> Float[np.ndarray, "height width 3"]:
    pixels = np.asarray(image.convert("RGB"), dtype=np.float32)
    grey = pixels @ _LUMINANCE
    return pixels * (1 - DESATURATION) + grey[..., None] * DESATURATION

"""Where does a map say the object is? A box from a map, and how well a map fits the user's box.

Everything is measured at the picture's size: a map is interpolated first, as it is for display. Only evidence for the
class counts, so a map without any positive value points nowhere and is refused.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from skimage.measure import label, regionprops
from torch import Tensor

from camwidget.errors import BoxError, MapError, three_parts
from camwidget.given import number, told
from camwidget.maps.formulas import positive, upsample

THRESHOLD = 0.2
"""Share of the map's maximum above which a pixel belongs to the object: the rule of Zhou et al. 2016."""

TOLERANCE = 15
"""How many pixels outside the box still count as a hit: Zhang et al. 2016, on pictures of common size."""

LOCALISATION_CAVEAT = (
    "A map shows where the evidence is, not where the object ends: a network may know it by one part, or by what is "
    "around it. A blurry map covers an object better than a sharp one."
)
"""What to say beside a box or a share."""


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels; `right` and `bottom` are the first pixels outside, as in Pillow's `crop`."""

    left: int
    """First column inside."""
    top: int
    """First row inside."""
    right: int
    """First column to the right of the box."""
    bottom: int
    """First row below the box."""

    def __post_init__(self) -> None:
        sides = (self.left, self.top, self.right, self.bottom)
        given = f"The box is left {self.left}, top {self.top}, right {self.right}, bottom {self.bottom}"
        if not all(isinstance(side, int) and not isinstance(side, bool) for side in sides):
            allowed = "Its sides are whole numbers of pixels"
            raise TypeError(three_parts(given, allowed, "Use int(round(side)), and check that they are not shares"))
        if self.left < 0 or self.top < 0 or self.left >= self.right or self.top >= self.bottom:
            allowed = "A box has 0 <= left < right and 0 <= top < bottom"
            advice = "If you have left, top, width and height, use Box(left, top, left + width, top + height)"
            raise BoxError(three_parts(given, allowed, advice))


def box_from_map(
    cam: Float[Tensor, "map_height map_width"], *, height: int, width: int, threshold: float | int = THRESHOLD
) -> Box:
    """Return the box around the largest connected region above a share of the map's maximum.

    This is how Zhou et al. 2016 made boxes from CAM, with 20 %. The best share differs between methods, layers and data
    sets (Choe et al. 2020): unless it was tuned on pictures with known boxes, it compares nothing.

    Args:
        cam: raw values, at any size.
        height: height of the picture in pixels.
        width: width of the picture in pixels.
        threshold: the share, from 0 to below 1. A pixel must be above it.

    Raises:
        MapError: the map has no positive value, or one that is not finite, or is not a map.
        BoxError: the threshold is not such a share.

    Example:
        >>> box_from_map(torch.tensor([[0.0, 1.0, 0.0]]), height=2, width=3)
        Box(left=1, top=0, right=2, bottom=2)
    """
    share = number(threshold)
    if share is None or not 0 <= share < 1:
        allowed = "It is a share of the map's maximum, from 0 to below 1"
        advice = "Twenty percent is 0.2" if share is not None and share > 1 else "The default is 0.2"
        raise BoxError(three_parts(f"The threshold is {told(threshold)}", allowed, advice))
    evidence = _evidence(cam, height, width)
    # Diagonal neighbours are connected. Of regions of the same size the first in reading order is taken.
    regions = regionprops(label((evidence > share * evidence.max()).numpy(), connectivity=2))
    top, left, bottom, right = max(regions, key=lambda region: region.area).bbox
    return Box(int(left), int(top), int(right), int(bottom))


def energy_in_box(cam: Float[Tensor, "map_height map_width"], box: Box, *, height: int, width: int) -> float:
    """Return the share of the map's positive values that lies inside the box: 0 to 1.

    The energy-based pointing game of Wang et al. 2020. A map that is the same everywhere gets the box's share of the
    picture's area: compare with that.

    Args:
        cam: raw values, at any size.
        box: where the object is, in pixels of the picture.
        height: height of the picture in pixels.
        width: width of the picture in pixels.

    Raises:
        MapError: the map has no positive value, or one that is not finite, or is not a map.
        BoxError: the box does not lie inside the picture.
    """
    evidence = _evidence(cam, height, width)
    _inside(box, height, width)
    return float(evidence[box.top : box.bottom, box.left : box.right].sum() / evidence.sum())


def pointing_game(
    cam: Float[Tensor, "map_height map_width"], box: Box, *, height: int, width: int, tolerance: float | int = TOLERANCE
) -> bool:
    """Return whether the map's highest point lies in the box, or within the tolerance of it.

    Zhang et al. 2016 count hits / (hits + misses) over a data set. If several pixels are highest, the one nearest to
    their centre is taken.

    Args:
        cam: raw values, at any size.
        box: where the object is, in pixels of the picture.
        height: height of the picture in pixels.
        width: width of the picture in pixels.
        tolerance: allowed distance from the box in pixels, in a straight line; 15 in the paper.

    Raises:
        MapError: the map has no positive value, or one that is not finite, is the same everywhere, or is not a map.
        BoxError: the box does not lie inside the picture, or the tolerance is negative.
    """
    distance = number(tolerance)
    if distance is None or distance < 0:
        allowed = "It is a distance in pixels, 0 or more"
        raise BoxError(three_parts(f"The tolerance is {told(tolerance)}", allowed, "The paper's is 15"))
    row, column = highest_point(cam, height=height, width=width)
    _inside(box, height, width)
    beside = max(box.left - column, 0, column - (box.right - 1))
    above = max(box.top - row, 0, row - (box.bottom - 1))
    return bool((beside**2 + above**2) ** 0.5 <= distance)


def highest_point(cam: Float[Tensor, "map_height map_width"], *, height: int, width: int) -> tuple[int, int]:
    """Return the row and the column of the map's highest pixel; of several, the one nearest to their centre.

    Args:
        cam: raw values, at any size.
        height: height of the picture in pixels.
        width: width of the picture in pixels.

    Raises:
        MapError: the map has no positive value, or one that is not finite, is the same everywhere, or is not a map.
    """
    evidence = _evidence(cam, height, width)
    if bool((evidence == evidence[0, 0]).all()):
        given, allowed = "The map is the same everywhere", "The pointing game needs a map with a highest point"
        raise MapError(three_parts(given, allowed, "Try another layer, or energy_in_box"))
    highest = torch.nonzero(evidence >= evidence.max() * (1 - 1e-9)).double()  # up to rounding
    row, column = highest[(highest - highest.mean(dim=0)).norm(dim=1).argmin()].tolist()
    return int(row), int(column)


def at_picture_size(cam: Float[Tensor, "..."], *, height: int, width: int) -> Float[Tensor, "height width"]:
    """Return one map, checked, at the size of the picture, on the CPU and in double precision.

    Raises:
        MapError: it is not one map, or holds a value that is not finite.
    """
    if cam.ndim != 2 or not cam.numel():
        given, allowed = f"The map has shape {tuple(cam.shape)}", "One map has shape (map_height, map_width)"
        raise MapError(three_parts(given, allowed, "Use result.cam(layer, target_class), or cams[0] of several"))
    if not bool(torch.isfinite(cam).all()):
        given, allowed = "The map holds NaN or infinity", "Every value of a map must be a finite number"
        raise MapError(three_parts(given, allowed, "Check the model's logits and weights for NaN or infinity first"))
    values = cam.detach().cpu().double()
    if bool((values == values[0, 0]).all()):  # interpolation would round it to a pattern
        return values[0, 0].expand(height, width)
    return upsample(values[None], height=height, width=width)[0]


def _evidence(cam: Tensor, height: int, width: int) -> Float[Tensor, "height width"]:
    evidence = positive(at_picture_size(cam, height=height, width=width))
    if not bool(evidence.max() > 0):
        given, allowed = "The map has no positive value", "Only evidence for the class says where it is"
        raise MapError(three_parts(given, allowed, "Try another layer, or a class that the model finds probable"))
    return evidence


def _inside(box: Box, height: int, width: int) -> None:
    if box.right > width or box.bottom > height:
        given = f"The box reaches to column {box.right} and row {box.bottom}"
        allowed = f"The picture is {width} pixels wide and {height} high"
        advice = "Give the box in pixels of the picture that the network saw, result.image"
        raise BoxError(three_parts(given, allowed, advice))

"""Parts of a picture hidden: what the network says without them, and without parts of the same size elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.scores import TargetArgument, scores_asked
from camwidget.hooks.subject import PICTURE
from camwidget.hooks.tensors import at_least_single
from camwidget.maps.arguments import Explainable, network_of

WAYS = ("blur", "grey", "fill")
"""How a part is hidden: out of focus; in the colour that the preparation takes for the middle, which is zero to the
network; in the mean colour of its rim."""

BLURRED_TO = 8
"""A blurred picture is averaged to so many rows and columns and spread again."""

MOST_PLACES = 8
"""So many other places of the same parts are tried."""

_GRID = 7  # rows and columns of other places to choose from


@dataclass(frozen=True)
class Region:
    """A part of a picture, from 0 to 1; `bottom` and `right` are its ends."""

    top: float
    left: float
    bottom: float
    right: float

    def meets(self, other: "Region") -> bool:
        """Return whether the two have some of the picture in common."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


@dataclass(frozen=True, eq=False, kw_only=True)
class Hidden:
    """What the network says of a picture with hidden parts."""

    logits: Float[Tensor, "class"]
    """Without these parts."""
    elsewhere: Float[Tensor, "place class"]
    """Without parts of the same sizes at other places, which meet none of these; one row for each try."""
    example: tuple[Region, ...]
    """One of those tries; empty if there is no room for any."""


def without(
    model: Explainable,
    pixels: Float[Tensor, "1 channel height width"],
    regions: Sequence[Region],
    *,
    way: str,
    target: TargetArgument | None = None,
) -> Hidden:
    """Run the network on a picture with hidden parts, and with parts of the same sizes hidden elsewhere.

    Args:
        model: a Learner or module.
        pixels: the picture as the network takes it.
        regions: the parts to hide.
        way: one of `WAYS`.
        target: numbers of your own in place of the logits, see `explain`.

    Raises:
        CamwidgetError: see `explain`.
    """
    subject = replace(PICTURE, scores=scores_asked(target))
    others = elsewhere(regions)
    with torch.inference_mode(False), LayerCapture(network_of(model), (), subject=subject) as capture:
        capture.forward(pixels)
        said = [at_least_single(capture.rerun(hidden(pixels, each, way=way)))[0].cpu() for each in (regions, *others)]
    count = len(said[0])
    rest = torch.stack(said[1:]) if others else torch.zeros(0, count)
    return Hidden(logits=said[0], elsewhere=rest, example=tuple(others[0]) if others else ())


def hidden(
    pixels: Float[Tensor, "1 channel height width"], regions: Sequence[Region], *, way: str
) -> Float[Tensor, "1 channel height width"]:
    """Return a picture with some parts hidden; at least one pixel of each.

    Args:
        pixels: the picture as the network takes it.
        regions: the parts.
        way: one of `WAYS`.
    """
    made = pixels.detach().clone()
    height, width = pixels.shape[2:]
    small = functional.adaptive_avg_pool2d(pixels.detach(), BLURRED_TO)
    blurred = functional.interpolate(small, size=(height, width), mode="bilinear", align_corners=False)
    for region in regions:
        rows, columns = _pixels(region.top, region.bottom, height), _pixels(region.left, region.right, width)
        part = (..., rows, columns)
        if way == "blur":
            made[part] = blurred[part]
        else:
            made[part] = 0 if way == "grey" else _rim(pixels.detach(), rows, columns)
    return made


def _pixels(start: float, end: float, count: int) -> slice:
    first = min(round(start * count), count - 1)
    return slice(first, max(first + 1, round(end * count)))


def _rim(pixels: Tensor, rows: slice, columns: slice) -> Float[Tensor, "1 channel 1 1"]:
    """The mean colour of the pixels that touch a part; of all pixels if it is the whole picture."""
    around = torch.zeros(pixels.shape[2:], dtype=torch.bool)
    around[max(0, rows.start - 1) : rows.stop + 1, max(0, columns.start - 1) : columns.stop + 1] = True
    around[rows, columns] = False
    if not bool(around.any()):
        around[:] = True
    mean: Tensor = pixels[..., around.to(pixels.device)].mean(dim=-1)[..., None, None]
    return mean


def elsewhere(regions: Sequence[Region]) -> list[list[Region]]:
    """Return the same parts at other places: they meet none of the parts given, nor one another.

    Args:
        regions: the parts.
    """
    choices = [_moved(region, regions) for region in regions]
    if not regions or not all(choices):
        return []
    longest = max(map(len, choices))
    found: list[list[Region]] = []
    for place in range(longest):
        # of several parts each goes its own way, so that they are spread
        parts = [each[(place + number * len(each) // len(choices)) % len(each)] for number, each in enumerate(choices)]
        apart = not any(one.meets(two) for number, one in enumerate(parts) for two in parts[:number])
        if apart:
            found.append(parts)
    step = max(1, -(-len(found) // MOST_PLACES))
    return found[::step]


def _moved(region: Region, taken: Sequence[Region]) -> list[Region]:
    """A part at all places of a grid where it meets none of those that are taken."""
    height, width = region.bottom - region.top, region.right - region.left
    places = [
        Region(top, left, top + height, left + width)
        for top, left in product(
            *([(1 - size) * step / (_GRID - 1) for step in range(_GRID)] for size in (height, width))
        )
    ]
    free = [place for place in places if not any(place.meets(other) for other in taken)]
    return list(dict.fromkeys(free))

"""One cell of a map from the inside: the channels that make up its value, and the pixels that move it."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.errors import MapError, three_parts
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.layers import find_module
from camwidget.hooks.selection import open_capture
from camwidget.hooks.subject import PICTURE
from camwidget.hooks.tensors import at_least_single
from camwidget.maps.arguments import Explainable, network_of, request_of, sizes_of
from camwidget.maps.formulas import grad_cam
from camwidget.maps.methods import FROM_GRADIENTS, METHOD_LABELS

STRONGEST = 5
"""So many channels of a cell are shown."""

MOST = 0.8
"""Share of what moves a cell that lies in the smaller of the two boxes."""


@dataclass(frozen=True)
class Box:
    """A part of a picture in whole pixels; `bottom` and `right` are the first ones outside."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Channel:
    """What one channel adds to a cell: `activation` times `weight`."""

    index: int
    activation: float
    weight: float
    adds: float
    map: Float[Tensor, "map_height map_width"]
    """The channel's activation at every cell."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Inside:
    """One cell of a map from the inside."""

    value: float
    """Of the cell; what all channels add."""
    channels: tuple[Channel, ...]
    """The strongest, by the magnitude of what they add."""
    count: int
    """How many channels there are."""
    rest: float
    """What all other channels add."""
    seen: Box | None
    """All pixels of this picture that move the cell; None if none does, or none can be differentiated."""
    most: Box | None
    """A box, as small as could be found, with 80 % of what moves it."""


class LayerInside:
    """A layer's channels for one method and one class: what each of them adds to every cell of the map.

    All methods but Eigen-CAM and Score-CAM are sums over the channels in which no channel knows of another, so the
    formula of a method, given one channel alone, gives what that channel adds.

    Args:
        model: a Learner or module.
        pixels: the picture as the network takes it.
        layer: dotted name.
        target_class: by index.
        method: see `explain`.
        **asked: `call`, `grid` and `target`, see `explain`.

    Raises:
        MapError: the method has no weights of channels to tell.
        CamwidgetError: see `explain`.
    """

    def __init__(
        self,
        model: Explainable,
        pixels: Float[Tensor, "1 channel height width"],
        *,
        layer: str,
        target_class: int,
        method: str = "grad_cam",
        **asked: Any,
    ) -> None:
        formula = {"cam": grad_cam, "grad_cam": grad_cam, **FROM_GRADIENTS}.get(method)
        if formula is None:
            given = f"{METHOD_LABELS.get(method, method)} was asked for the weights of its channels"
            allowed = "Methods whose weights follow from one gradient have them"
            raise MapError(three_parts(given, allowed, "Choose Grad-CAM to look into this cell"))
        request = request_of(model, ("grad_cam",), layers=[layer], **asked)
        opened = open_capture(
            network_of(model),
            pixels,
            request.layers,
            call=request.shown_call,
            sizes=sizes_of(request.grid),
            subject=replace(PICTURE, scores=request.scores),
        )
        with torch.inference_mode(False), opened as (capture, _):
            activation = at_least_single(capture.activations[layer].detach())[0]
            gradient = at_least_single(capture.gradients(target_class, names=[layer])[layer])[0]
            self._picture = pixels.detach().clone().requires_grad_()
            self._graph = _from_picture(capture, layer, self._picture)
        # one channel to a row of the batch
        self.adds: Float[Tensor, "channel map_height map_width"] = formula(activation[:, None], gradient[:, None])
        """What each channel adds to every cell."""
        self.activation: Float[Tensor, "channel map_height map_width"] = activation
        """The layer's output."""
        if method == "cam":  # whose cells are so many times the cells of Grad-CAM
            self.adds = self.adds * activation[0].numel()

    def cell(self, row: int, column: int) -> Inside:
        """Return what is in one cell, counted from 0.

        Args:
            row: of the cell.
            column: of the cell.
        """
        adds, activation = self.adds[:, row, column], self.activation[:, row, column]
        order = adds.abs().argsort(descending=True, stable=True)[:STRONGEST].tolist()
        channels = tuple(
            Channel(
                index=index,
                activation=float(activation[index]),
                weight=float(adds[index] / activation[index]) if activation[index] != 0 else 0.0,
                adds=float(adds[index]),
                map=self.activation[index].cpu(),
            )
            for index in order
        )
        value = float(adds.double().sum())
        seen, most = self._pixels_of(row, column)
        rest = value - sum(channel.adds for channel in channels)
        return Inside(value=value, channels=channels, count=len(adds), rest=rest, seen=seen, most=most)

    def _pixels_of(self, row: int, column: int) -> tuple[Box | None, Box | None]:
        """All pixels that move a cell, and the box with most of that, by two gradients down to the picture.

        The one follows the cell's value with the weights held fixed. Channels can cancel in it, so the other one
        follows the channels with weights drawn at random.
        """
        if self._graph is None:
            return None, None
        weights = torch.where(self.activation == 0, 0, self.adds / self.activation)[:, row, column]
        drawn = torch.randn(len(weights), generator=torch.Generator().manual_seed(1))
        cell, moves = self._graph[:, row, column], []
        for each in (weights, drawn):
            (found,) = torch.autograd.grad(cell, self._picture, grad_outputs=each.to(cell), retain_graph=True)
            moves.append(at_least_single(found)[0].abs().sum(dim=0).cpu())
        seen = _around((moves[0] > 0) | (moves[1] > 0))
        return seen, _most_of(moves[0] if float(moves[0].sum()) > 0 else moves[1], seen)


def _from_picture(
    capture: LayerCapture, layer: str, picture: Float[Tensor, "1 channel height width"]
) -> Float[Tensor, "layer_channel map_height map_width"] | None:
    """Run the network once more, and return a layer's map with the graph back to the picture, if one leads there."""
    outputs: list[Tensor] = []

    def keep(_module: Any, _inputs: Any, output: Any) -> None:
        outputs.append(capture.subject.first_of(output))

    hook = find_module(capture.model, layer).register_forward_hook(keep)
    try:
        with torch.enable_grad():
            capture.model(picture + 0)  # a layer that works in place must not meet a leaf
            counting = [outputs[call] for call in capture.layouts[layer].calls(len(outputs))]
            return capture.as_map(layer, counting)[0] if all(each.requires_grad for each in counting) else None
    finally:
        hook.remove()


def _around(moved: Tensor) -> Box | None:
    """The smallest box around all that is true."""
    rows, columns = (moved.any(dim=dim).nonzero().flatten().tolist() for dim in (1, 0))
    return Box(rows[0], columns[0], rows[-1] + 1, columns[-1] + 1) if rows else None


def _most_of(moves: Float[Tensor, "height width"], seen: Box | None) -> Box | None:
    """A box with most of the sum: the side with the least to lose goes, as long as enough is left."""
    if seen is None:
        return None
    top, left, bottom, right = seen.top, seen.left, seen.bottom, seen.right
    # sums of boxes by four look-ups
    table = torch.zeros(moves.shape[0] + 1, moves.shape[1] + 1, dtype=torch.float64)
    table[1:, 1:] = moves.double().cumsum(0).cumsum(1)
    sums = table.tolist()

    def inside(box: tuple[int, int, int, int]) -> float:
        first, start, last, end = box
        whole: float = sums[last][end] - sums[first][end] - sums[last][start] + sums[first][start]
        return whole

    enough = MOST * inside((top, left, bottom, right))
    while True:
        smaller = [
            box
            for box in (
                (top + 1, left, bottom, right),
                (top, left + 1, bottom, right),
                (top, left, bottom - 1, right),
                (top, left, bottom, right - 1),
            )
            if box[0] < box[2] and box[1] < box[3] and inside(box) >= enough
        ]
        if not smaller:
            return Box(top, left, bottom, right)
        top, left, bottom, right = max(smaller, key=inside)

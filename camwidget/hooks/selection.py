"""Which layers a run gives maps of: those asked for, or a good choice, read as maps by what they put out."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from camwidget.errors import LayerError, ModelError, three_parts
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.layers import FEW, candidate_layers, opened_layers
from camwidget.hooks.layout import FIRST, TOKENS, Grid, grid_of, orders_beside, unclear

ALLOWED = (
    "A layer with a map puts out one tensor (1, channel, height, width), (1, height, width, channel) or (1, tokens, "
    "channel), larger than 1x1, which the logits depend on"
)
"""What a layer must be."""


def captured(
    stack: ExitStack, network: nn.Module, pixels: Float[Tensor, "1 3 height width"], layers: Sequence[str] | None
) -> tuple[LayerCapture, Float[Tensor, "1 class"]]:
    """Return an open capture that holds only layers with maps, after its forward pass, and the logits.

    Where no layers are asked for, blocks are opened until there are a few layers with maps.

    Args:
        stack: what closes the capture.
        network: the model.
        pixels: the picture.
        layers: the layers asked for; None for a good choice.

    Raises:
        LayerError: a layer that was asked for has no map; the message says why.
        ModelError: the model has no layer with a map, or does not return finite logits.
    """
    names = list(candidate_layers(network) if layers is None else layers)
    while names:
        with ExitStack() as attempt:
            capture = attempt.enter_context(LayerCapture(network, names))
            logits = capture.forward(pixels)
            grids = _grids(network, capture, pixels)
            unread = _unread(capture, grids, logits)
            capture.keep(grids)
            found = [name for name in grids if name not in unread]
            if layers is not None:
                _check(network, capture, layers, found, unread)
            inside = opened_layers(network, names) if layers is None and len(found) < FEW else names
            if len(inside) == len(names):
                if not found:
                    break
                repeated = _repeated(capture) if layers is None else set()
                capture.keep({name: grids[name] for name in found if name not in repeated})
                stack.enter_context(attempt.pop_all())
                return capture, logits
        names = inside
    given = f"This {type(network).__name__} has no spatial layer: no layer puts out a map (1, channel, height, width)"
    allowed = "Class activation maps need a convolutional network, or tokens, with maps that are larger than 1x1"
    raise ModelError(three_parts(given, allowed, "Try a larger picture, or name a layer yourself with layers=[...]"))


def _grids(network: nn.Module, capture: LayerCapture, pixels: Tensor) -> dict[str, Grid]:
    """How each layer with a map is read."""
    height, width = pixels.shape[2:]
    shapes = {name: tuple(each.shape) for name, each in capture.activations.items()}
    orders: Mapping[str, str] = {}
    seen: set[tuple[int, int]] = set()
    if unclear(shapes.values(), height=height, width=width):
        everywhere = capture.shapes(pixels)
        orders = orders_beside(everywhere, height=height, width=width)
        convolutions = [name for name in everywhere if isinstance(network.get_submodule(name), nn.Conv2d)]
        seen = {(each[2], each[3]) for name in convolutions if len(each := everywhere[name]) == 4}
    found = {}
    for name, shape in shapes.items():
        grid = grid_of(shape, height=height, width=width, order=orders.get(name, FIRST), seen=seen)
        if grid is not None:
            found[name] = grid
    return found


def _unread(capture: LayerCapture, grids: Mapping[str, Grid], logits: Float[Tensor, "1 class"]) -> set[str]:
    """Layers whose places the most probable class does not depend on: it is read from their other tokens alone."""
    extra = {name: grid for name, grid in grids.items() if grid.order == TOKENS and grid.extra}
    if not extra or not capture.differentiable:
        return set()
    gradients = capture.gradients(int(logits.argmax()))  # in the layers' own form still
    places = {name: grid.as_map(gradients[name]) for name, grid in extra.items()}
    return {name for name, each in places.items() if not bool(each.any()) and bool(gradients[name].any())}


def _repeated(capture: LayerCapture) -> set[str]:
    """Layers that only hand on what the last layer inside them put out."""
    return {
        name
        for (inner, before), (name, after) in pairwise(capture.activations.items())
        if inner.startswith(f"{name}.") and before.shape == after.shape and torch.equal(before, after)
    }


def _check(
    network: nn.Module, capture: LayerCapture, layers: Sequence[str], found: Sequence[str], unread: set[str]
) -> None:
    missing = next((name for name in layers if name not in found), None)
    if missing is None:
        return
    some = ", ".join(repr(each) for each in candidate_layers(network) if each not in layers) or "none"
    given = f"Layer {missing!r} {_why_no_map(capture, missing, unread)}"
    raise LayerError(three_parts(given, ALLOWED, f"Layers to look at may be {some}"))


def _why_no_map(capture: LayerCapture, name: str, unread: set[str]) -> str:
    """The end of a sentence."""
    if name in capture.other_outputs:
        return f"puts out a {type(capture.other_outputs[name]).__name__}, not a tensor of floating-point numbers"
    if name in unread:
        grid = capture.grids[name]
        return (
            f"puts out {grid.map_height * grid.map_width} places that the logits do not depend on: the classes are "
            f"read from its other {'token' if grid.extra == 1 else f'{grid.extra} tokens'} alone"
        )
    if name not in capture.calls:
        return "did not run in the forward pass"
    return f"puts out shape {capture.put_out[name]}: that is no map of this picture"

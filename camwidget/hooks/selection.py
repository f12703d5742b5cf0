"""The layers to make maps of: those asked for, or a good choice, read as maps by the shapes of their outputs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from camwidget.errors import LayerError, ModelError, three_parts
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.layers import FEW, candidate_layers, opened_layers
from camwidget.hooks.layout import FIRST, LAST_CALL, TOKENS, AsItIs, Grid, grid_of, orders_beside, unclear

ALLOWED = (
    "A layer with a map returns one tensor (1, channel, height, width), (1, height, width, channel) or (1, tokens, "
    "channel), larger than 1x1, which the logits depend on"
)
"""What a layer must be."""


@contextmanager
def open_capture(
    network: nn.Module,
    pixels: Float[Tensor, "1 3 height width"],
    layers: Sequence[str] | None,
    *,
    call: int = LAST_CALL,
) -> Iterator[tuple[LayerCapture, Float[Tensor, "1 class"]]]:
    """Yield a capture after its forward pass, holding only layers with maps, and the logits.

    If no layers are asked for, blocks are opened until there are a few layers with maps.

    Args:
        network: the model.
        pixels: the picture.
        layers: the layers asked for; None for a good choice.
        call: which call to show of layers that run several times, see `LayerCapture`.

    Raises:
        LayerError: a layer that was asked for has no map, or no layer ran so often; the message says why.
        ModelError: the model has no layer with a map, or does not return finite logits.
    """
    names = list(candidate_layers(network) if layers is None else layers)
    while names:
        with LayerCapture(network, names, call=call) as capture:
            logits = capture.forward(pixels)
            grids = _grids(network, capture, pixels)
            unread, uncalled = _unread(capture, grids, logits), without_call(capture)
            usable = {name: grid for name, grid in grids.items() if name not in unread and name not in uncalled}
            if layers is not None:
                refuse_call(capture, layers)
                refuse_missing(
                    layers,
                    usable,
                    why=partial(_why_no_map, capture, unread, uncalled),
                    allowed=ALLOWED,
                    others=candidate_layers(network),
                )
            inside = opened_layers(network, names) if layers is None and len(usable) < FEW else names
            if len(inside) == len(names) and usable:
                refuse_call(capture, names)
                capture.keep(grids)
                repeated = _repeated(capture) if layers is None else set()
                capture.keep({name: grid for name, grid in usable.items() if name not in repeated})
                yield capture, logits
                return
        names = inside if len(inside) > len(names) else []
    given = f"This {type(network).__name__} has no spatial layer: no layer returns a map (1, channel, height, width)"
    allowed = "Class activation maps need a convolutional network, or tokens, with maps that are larger than 1x1"
    raise ModelError(three_parts(given, allowed, "Try a larger picture, or name a layer yourself with layers=[...]"))


def refuse_missing(
    layers: Sequence[str],
    found: Mapping[str, object],
    *,
    why: Callable[[str], str],
    allowed: str,
    others: Sequence[str],
) -> None:
    """Refuse the first layer asked for that cannot be shown.

    Args:
        layers: the layers asked for.
        found: those that can be shown, by name.
        why: from a name to the end of a sentence that begins with the layer.
        allowed: what a layer must be.
        others: layers to propose.

    Raises:
        LayerError: one of them is not among those found.
    """
    missing = [name for name in layers if name not in found]
    if missing:
        some = ", ".join(repr(name) for name in others if name not in layers) or "none"
        given = f"Layer {missing[0]!r} {why(missing[0])}"
        raise LayerError(three_parts(given, allowed, f"Other candidates: {some}"))


def without_call(capture: LayerCapture) -> dict[str, str]:
    """Return the layers that ran several times, but not as often as the call asked for, and the end of a sentence.

    Args:
        capture: after its forward pass.
    """
    ran = {name: capture.shown(name)[1] for name in capture.layouts}
    return {
        name: f"ran {count} times: it has no call {capture.call}"
        for name, count in ran.items()
        if 1 < count < capture.call
    }


def refuse_call(capture: LayerCapture, layers: Sequence[str]) -> None:
    """Refuse a call that no layer has.

    Args:
        capture: after its forward pass.
        layers: the layers that may be shown.

    Raises:
        LayerError: none of them ran so often.
    """
    ran = {name: capture.shown(name)[1] for name in capture.layouts if name in layers}
    most = max(ran.values(), default=1)
    if capture.call <= most:
        return
    which = f"Layer {layers[0]!r}" if len(layers) == 1 else "No layer to be shown"
    given = f"{which} has {'no' if len(layers) == 1 else 'a'} call {capture.call}"
    allowed = f"A call is counted from 1, and the most that {'it' if len(layers) == 1 else 'one of them'} has is {most}"
    advice = (
        "Leave call out for the last one" if most > 1 else "Leave call out, or name a layer that runs several times"
    )
    raise LayerError(three_parts(given, allowed, advice))


def _grids(network: nn.Module, capture: LayerCapture, pixels: Tensor) -> dict[str, Grid]:
    """How each layer with a map is read."""
    height, width = pixels.shape[2:]
    shapes = capture.output_shapes
    orders: Mapping[str, str] = {}
    seen: set[tuple[int, int]] = set()
    if unclear(shapes.values(), height=height, width=width):
        one = AsItIs(capture.call)
        everywhere = {name: calls[one.calls(len(calls))[0]] for name, calls in capture.shapes(pixels).items()}
        orders = orders_beside(everywhere, height=height, width=width)
        convolutions = [name for name in everywhere if isinstance(network.get_submodule(name), nn.Conv2d)]
        seen = {(shape[2], shape[3]) for name in convolutions if len(shape := everywhere[name]) == 4}
    grids = {}
    for name in capture.outputs:
        grid = grid_of(shapes[name], height=height, width=width, order=orders.get(name, FIRST), seen=seen)
        if grid is not None:
            grids[name] = replace(grid, call=capture.call)
    return grids


def _unread(capture: LayerCapture, grids: Mapping[str, Grid], logits: Float[Tensor, "1 class"]) -> dict[str, Grid]:
    """Layers whose positions the most probable class does not depend on: it is read from their other tokens alone."""
    extra = {name: grid for name, grid in grids.items() if grid.order == TOKENS and grid.extra}
    if not extra or not capture.differentiable:
        return {}
    gradients = capture.gradients(int(logits.argmax()))  # still in the layers' own form
    maps = {name: grid.as_map([gradients[name]]) for name, grid in extra.items()}
    return {
        name: extra[name] for name, gradient in maps.items() if not bool(gradient.any()) and bool(gradients[name].any())
    }


def _repeated(capture: LayerCapture) -> set[str]:
    """Layers that only pass on the output of the last layer inside them."""
    return {
        name
        for (inner, before), (name, after) in pairwise(capture.activations.items())
        if inner.startswith(f"{name}.") and before.shape == after.shape and torch.equal(before, after)
    }


def _why_no_map(capture: LayerCapture, unread: Mapping[str, Grid], uncalled: Mapping[str, str], name: str) -> str:
    """The end of a sentence."""
    if name in uncalled:
        return uncalled[name]
    if name in capture.other_outputs:
        return f"returns a {type(capture.other_outputs[name]).__name__}, not a tensor of floating-point numbers"
    if name in unread:
        grid = unread[name]
        return (
            f"returns {grid.map_height * grid.map_width} positions that the logits do not depend on: the classes are "
            f"read from its other {'token' if grid.extra == 1 else f'{grid.extra} tokens'} alone"
        )
    if name not in capture.calls:
        return "did not run in the forward pass"
    return f"returns shape {capture.output_shapes[name]}, which is not a map of this picture"

"""The layers to make maps of: those asked for, or a good choice; only those that are maps of the picture."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn

from camwidget.errors import LayerError, ModelError, three_parts
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.layers import FEW, candidate_layers, opened_layers
from camwidget.hooks.layout import FIRST, LAST_CALL, Grid, in_doubt, readings, readings_of
from camwidget.hooks.obstacles import from_before, is_quantised, why_closed
from camwidget.hooks.probe import MOST_CELLS_UNASKED, Noted, ask, convolutions_noted, like_patches
from camwidget.hooks.subject import PICTURE, Subject

_ON_LAST_AXIS = (nn.Linear, nn.LayerNorm, nn.MultiheadAttention, nn.Embedding)

ALLOWED = (
    "A layer with a map returns one tensor (1, channel, height, width), (1, height, width, channel) or (1, tokens, "
    "channel), larger than 1x1, which the logits depend on"
)
"""What a layer must be."""


Sizes = Mapping[str, tuple[int, int, int | None]]
"""Layer name to rows, columns and how many tokens without a position come first (None: all that are left over). The
size under `EVERY` is for all layers."""

EVERY = ""
"""In `Sizes`, instead of a layer's name."""


@contextmanager
def open_capture(
    network: nn.Module,
    pixels: Float[Tensor, "1 channel height width"],
    layers: Sequence[str] | None,
    *,
    call: int = LAST_CALL,
    sizes: Sizes = MappingProxyType({}),
    subject: Subject = PICTURE,
    first_class: int | None = None,
) -> Iterator[tuple[LayerCapture, Float[Tensor, "1 class"]]]:
    """Yield a capture after its forward pass, holding only layers with maps, and the logits.

    If no layers are asked for, blocks are opened until there are a few layers with maps. Where shapes leave a doubt,
    the network runs again on changed pictures.

    Args:
        network: the model.
        pixels: the picture.
        layers: the layers asked for; None for a good choice.
        call: which call to show of layers that run several times, see `LayerCapture`.
        sizes: of maps, as the caller knows them.
        subject: a picture, and what is explained.
        first_class: the class whose gradients will be asked for first, if it is known: a pass is saved.

    Raises:
        LayerError: a layer that was asked for has no map, or not of the size given, or no layer ran so often; the
            message says why.
        ModelError: the model has no layer with a map, or does not return finite logits.
    """
    names = list(candidate_layers(network) if layers is None else layers)
    asked = [*(name for name in sizes if name != EVERY), *(layers or ())]
    reasons: dict[str, str] = {}
    quantised = False
    while names:
        with LayerCapture(network, names, subject=subject, call=call) as capture:
            with convolutions_noted(network) as noted:
                logits = capture.forward(pixels)
            quantised = any(map(is_quantised, capture.other_outputs.values()))
            seen = {(shape[2], shape[3]) for shape in noted.shapes.values()}
            told = {
                name: sizes[name] if name in sizes else sizes[EVERY]
                for name in capture.outputs
                if name in sizes or (EVERY in sizes and (layers is not None or _fits(capture, name, sizes[EVERY])))
            }
            ways = {name: _ways(capture, name, pixels, told, seen) for name in capture.outputs}
            inside = opened_layers(network, names) if layers is None else names
            few = sum(map(bool, ways.values())) < FEW  # without a question to the network
            if len(inside) == len(names) or not few:
                if layers is not None:
                    refuse_call(capture, layers)
                grids, reasons = _read(capture, pixels, ways, told, noted, _class_to_try(logits, first_class))
                _refuse(network, capture, asked, grids, reasons)
                if EVERY in sizes and not told:
                    raise LayerError(_no_such_size(sizes[EVERY]))
                if grids and (len(inside) == len(names) or len(grids) >= FEW):
                    refuse_call(capture, names)
                    capture.keep(grids)
                    repeated = _repeated(capture) if layers is None else set()
                    capture.keep({name: grid for name, grid in grids.items() if name not in repeated})
                    yield capture, logits
                    return
        names = inside if len(inside) > len(names) else []
    raise _without_layers(network, reasons, quantised=quantised)


def _without_layers(network: nn.Module, reasons: Mapping[str, str], *, quantised: bool) -> ModelError:
    """Why a network has nothing to show."""
    if closed := why_closed(network):
        return ModelError(three_parts(closed, "Maps are made of what layers return", from_before(network)))
    if quantised:
        given = f"The layers of this {type(network).__name__} return quantised numbers"
        advice = "Explain the network from before its quantisation"
        return ModelError(three_parts(given, "Maps need gradients, and whole numbers have none", advice))
    given = f"This {type(network).__name__} has no spatial layer: no layer returns a map (1, channel, height, width)"
    if reasons:
        name, reason = list(reasons.items())[-1]
        given = f"This {type(network).__name__} has no spatial layer. Layer {name!r} {reason}"
    allowed = "Class activation maps need a convolutional network, or tokens, with maps that are larger than 1x1"
    return ModelError(three_parts(given, allowed, "Try a larger picture, or name a layer yourself with layers=[...]"))


def refuse_missing(
    layers: Sequence[str],
    found: Mapping[str, object],
    *,
    why: Callable[[str], str],
    allowed: str,
    others: Callable[[], Sequence[str]],
) -> None:
    """Refuse the first layer asked for that cannot be shown.

    Args:
        layers: the layers asked for.
        found: those that can be shown, by name.
        why: from a name to the end of a sentence that begins with the layer.
        allowed: what a layer must be.
        others: gives layers to propose; called only if there is something to refuse.

    Raises:
        LayerError: one of them is not among those found.
    """
    missing = [name for name in layers if name not in found]
    if missing:
        some = ", ".join(repr(name) for name in others() if name not in layers) or "none"
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


def _fits(capture: LayerCapture, name: str, size: tuple[int, int, int | None]) -> bool:
    return bool(readings_of(capture.output_shapes[name], rows=size[0], columns=size[1], extra=size[2]))


def _ways(
    capture: LayerCapture, name: str, pixels: Tensor, told: Sizes, seen: Collection[tuple[int, int]]
) -> list[Grid]:
    """How a layer can be read: with the size given, if it was, else by its shape."""
    shape, (height, width) = capture.output_shapes[name], pixels.shape[2:]
    if name in told:
        rows, columns, extra = told[name]
        return readings_of(shape, rows=rows, columns=columns, extra=extra)
    return readings(shape, height=height, width=width, seen=seen)


def _read(
    capture: LayerCapture,
    pixels: Tensor,
    ways: Mapping[str, Sequence[Grid]],
    told: Sizes,
    noted: Noted,
    target: int,
) -> tuple[dict[str, Grid], dict[str, str]]:
    """How each layer with a map is read, and why others are not: the end of a sentence."""
    height, width = pixels.shape[2:]
    unused, uncalled = capture.unused(), without_call(capture)
    reasons = dict.fromkeys(unused, "has no part in the logits: they are not computed from what it returns")
    reasons |= uncalled
    convolved = noted.shapes
    seen = {(shape[2], shape[3]) for shape in convolved.values()}
    sure: dict[str, Grid] = {}
    doubtful: dict[str, Sequence[Grid]] = {}
    for name in capture.outputs:
        shape = capture.output_shapes[name]
        if name in told and not ways[name]:
            reasons[name] = f"returns shape {shape}, which does not hold {_written(told[name])}"
        if name in unused or name in uncalled or not ways[name]:
            continue
        as_convolved = None if name in told else _as_convolved(name, shape, ways[name], convolved)
        sure_of = len(ways[name]) == 1 if name in told else not in_doubt(shape, height=height, width=width, seen=seen)
        if not (as_convolved or sure_of):
            as_convolved = like_patches(capture.activations[name], ways[name], noted)
        if as_convolved or sure_of:
            sure[name] = as_convolved or ways[name][0]
        else:
            doubtful[name] = ways[name]
    answers = ask(capture.observe, pixels, capture.activations, doubtful)  # as they are, as long as none is kept
    small = {
        name: grid
        for name in answers.reasons
        if (grid := _too_small_to_ask(capture, name, doubtful[name], convolved)) is not None
    }
    found = {name: replace(grid, call=capture.call) for name, grid in {**sure, **answers.grids, **small}.items()}
    reasons |= {name: reason for name, reason in answers.reasons.items() if name not in small}
    unread = _unread(capture, {name: found[name] for name in capture.outputs if name in found}, target)
    reasons |= {name: _why_unread(grid) for name, grid in unread.items()}
    return {name: found[name] for name in capture.outputs if name in found and name not in unread}, reasons


def _as_convolved(
    name: str, shape: Sequence[int], ways: Sequence[Grid], convolved: Mapping[str, Sequence[int]]
) -> Grid | None:
    """Channels first, where a convolution or pool inside the layer returned the very same shape; None elsewhere.

    PyTorch's convolutions have their channels first, and if the sides differ no other order of the same axes has the
    same shape. So a small network, or one whose ReLU is dead, is read without a question that it could not answer.
    """
    return None if len(set(shape[1:])) == 1 else _first_by_convolution(name, shape, ways, convolved)


def _first_by_convolution(
    name: str, shape: Sequence[int], ways: Sequence[Grid], convolved: Mapping[str, Sequence[int]]
) -> Grid | None:
    """The reading with channels first, if a convolution or pool inside the layer returned that very shape."""
    inside = (module for module in convolved if module == name or module.startswith(f"{name}."))
    if not any(tuple(convolved[module]) == tuple(shape) for module in inside):
        return None
    return next((way for way in ways if way.order == FIRST), None)


def _too_small_to_ask(
    capture: LayerCapture, name: str, ways: Sequence[Grid], convolved: Mapping[str, Sequence[int]]
) -> Grid | None:
    """Channels first, where a map has too few cells for an answer and nothing inside the layer works on a last axis."""
    first = _first_by_convolution(name, capture.output_shapes[name], ways, convolved)
    if first is None or first.map_height * first.map_width > MOST_CELLS_UNASKED:
        return None
    inside = capture.model.get_submodule(name).modules()
    return None if any(isinstance(module, _ON_LAST_AXIS) for module in inside) else first


def _class_to_try(logits: Float[Tensor, "1 class"], first_class: int | None) -> int:
    known = first_class is not None and 0 <= first_class < logits.shape[1]
    return first_class if first_class is not None and known else int(logits.argmax())


def _unread(capture: LayerCapture, grids: Mapping[str, Grid], target: int) -> dict[str, Grid]:
    """Layers whose positions a class does not depend on: it is read from their other tokens alone."""
    extra = {name: grid for name, grid in grids.items() if grid.others}
    if not extra or not capture.differentiable:
        return {}
    gradients = capture.gradients(target, names=list(grids), remember=True)  # still in the layers' own form
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


def _refuse(
    network: nn.Module,
    capture: LayerCapture,
    layers: Sequence[str],
    grids: Mapping[str, Grid],
    reasons: Mapping[str, str],
) -> None:
    """Refuse the first layer asked for that has no map."""
    refuse_missing(
        layers,
        grids,
        why=lambda name: reasons.get(name) or _why_no_map(capture, name),
        allowed=ALLOWED,
        others=lambda: candidate_layers(network),
    )


def _no_such_size(size: tuple[int, int, int | None]) -> str:
    given = f"No layer of this choice returns {_written(size)}"
    allowed = "grid holds the rows and columns of maps, so a layer must have as many places"
    return three_parts(given, allowed, "Name the layers in layers=[...], or give sizes by layer: grid={name: (7, 7)}")


def _written(size: tuple[int, int, int | None]) -> str:
    """A size in words."""
    rows, columns, extra = size
    return f"a map of {rows} rows and {columns} columns" + (f" after {extra} other tokens" if extra else "")


def _why_unread(grid: Grid) -> str:
    return (
        f"returns {grid.map_height * grid.map_width} positions that the logits do not depend on: the classes are read "
        f"from its other {'token' if grid.others == 1 else f'{grid.others} tokens'} alone"
    )


def _why_no_map(capture: LayerCapture, name: str) -> str:
    """The end of a sentence."""
    if is_quantised(capture.other_outputs.get(name)):
        return "returns quantised numbers, which have no gradient"
    if name in capture.other_outputs:
        return f"returns a {type(capture.other_outputs[name]).__name__}, not a tensor of floating-point numbers"
    if name not in capture.layer_names:
        return "is not among the layers chosen: name it in layers too"
    if name not in capture.calls:
        return "did not run in the forward pass"
    return f"returns shape {capture.output_shapes[name]}, which is not a map of this picture"

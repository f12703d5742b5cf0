"""The layers to make maps of: those asked for, or a good choice; only those that are maps of the picture."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from camwidget.errors import LayerError, ModelError, a_kind, three_parts
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.layers import FEW, candidate_layers, opened_layers
from camwidget.hooks.layout import LAST_CALL, Grid, readings_of
from camwidget.hooks.obstacles import from_before, is_quantised, why_closed
from camwidget.hooks.probe import convolutions_noted
from camwidget.hooks.reading import Shown, Sizes, read, written
from camwidget.hooks.subject import PICTURE, Subject
from camwidget.hooks.traced import recorded_from
from camwidget.hooks.walk import modules_in

ALLOWED = (
    "A layer with a map returns one tensor (1, channel, height, width), (1, height, width, channel), (1, tokens, "
    "channel) or (tokens, 1, channel), larger than 1x1, which the logits depend on"
)
"""What a layer must be."""


EVERY = ""
"""In `Sizes`, instead of a layer's name: for all layers."""


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
    quantised, several = False, ""
    while names:
        with LayerCapture(network, names, subject=subject, call=call) as capture:
            recorded = recorded_from(pixels)
            with convolutions_noted(network, recorded) as noted:
                logits = capture.forward(recorded)
            quantised = any(map(is_quantised, capture.other_outputs.values()))
            several = next((name for name in reversed(capture.outputs) if _is_several(capture, name)), "")
            several = f"Layer {several!r} {_why_no_map(capture, several)}" if several else ""
            told = {
                name: sizes[name] if name in sizes else sizes[EVERY]
                for name in capture.outputs
                if name in sizes or (EVERY in sizes and (layers is not None or _fits(capture, name, sizes[EVERY])))
            }
            shown = Shown(capture, pixels, noted, told)
            inside = opened_layers(network, names) if layers is None else names
            few = sum(map(bool, shown.ways.values())) < FEW  # without a question to the network
            if len(inside) == len(names) or not few:
                if layers is not None:
                    refuse_call(capture, layers)
                grids, reasons = read(shown, without_call(capture), target=_class_to_try(logits, first_class))
                others = partial(_with_maps, network, pixels, subject=subject, sizes=sizes)
                _refuse(capture, asked, grids, reasons, others=others)
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
    raise _without_layers(network, reasons, quantised=quantised, several=several)


def _without_layers(network: nn.Module, reasons: Mapping[str, str], *, quantised: bool, several: str) -> ModelError:
    """Why a network has nothing to show."""
    if closed := why_closed(network):
        return ModelError(three_parts(closed, "Maps are made of what layers return", from_before(network)))
    if quantised:
        given = f"The layers of this {type(network).__name__} return quantised numbers"
        advice = "Explain the network from before its quantisation"
        return ModelError(three_parts(given, "Maps need gradients, and whole numbers have none", advice))
    if several and not reasons:
        allowed = "A map shows where in the one picture a layer's values lie, so a layer must return one map for it"
        advice = "Explain a module that takes one part and returns logits, on one part at a time"
        return ModelError(three_parts(several, allowed, advice))
    given = f"This {type(network).__name__} has no spatial layer: no layer returns a map (1, channel, height, width)"
    if reasons:
        name, reason = list(reasons.items())[-1]
        given = f"This {type(network).__name__} has no spatial layer. Layer {name!r} {reason}"
    allowed = "Class activation maps need a convolutional network, or tokens, with maps that are larger than 1x1"
    return ModelError(three_parts(given, allowed, _what_to_try(network)))


def _what_to_try(network: nn.Module) -> str:
    """What helps where no layer has a map: that depends on whether there are layers that could have one."""
    modules = modules_in(network)
    if any(_convolves_by_itself(module) for module in modules):
        return "Write its convolutions as modules, such as nn.Conv2d: functions such as F.conv2d leave no layer to hear"
    kinds = (nn.modules.conv._ConvNd, nn.LayerNorm, nn.MultiheadAttention)
    if not any(isinstance(module, kinds) for module in modules):
        return "Explain another network: without convolutions or tokens, no layer of this one keeps places apart"
    return "Try a larger picture, or name a layer yourself with layers=[...]"


def _convolves_by_itself(module: nn.Module) -> bool:
    """Whether a module that is none of PyTorch's own holds weights in the shape of a convolution's."""
    own = not type(module).__module__.startswith("torch.")
    return own and any(
        weight is not None and not is_lazy(weight) and weight.ndim > 3 for weight in module._parameters.values()
    )


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
        others: gives layers that can be shown; called only if there is something to refuse.

    Raises:
        LayerError: one of them is not among those found.
    """
    missing = [name for name in layers if name not in found]
    if missing:
        some = ", ".join(repr(name) for name in others() if name not in missing)
        given = f"Layer {missing[0]!r} {why(missing[0])}"
        advice = f"Layers with a map here: {some}" if some else "No layer of this network has a map here"
        raise LayerError(three_parts(given, allowed, advice))


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


def _class_to_try(logits: Float[Tensor, "1 class"], first_class: int | None) -> int:
    known = first_class is not None and 0 <= first_class < logits.shape[1]
    return first_class if first_class is not None and known else int(logits.argmax())


def _repeated(capture: LayerCapture) -> set[str]:
    """Layers that only pass on the output of the last layer inside them."""
    return {
        name
        for (inner, before), (name, after) in pairwise(capture.activations.items())
        if inner.startswith(f"{name}.") and before.shape == after.shape and torch.equal(before, after)
    }


def _refuse(
    capture: LayerCapture,
    layers: Sequence[str],
    grids: Mapping[str, Grid],
    reasons: Mapping[str, str],
    *,
    others: Callable[[], Sequence[str]],
) -> None:
    """Refuse the first layer asked for that has no map."""
    refuse_missing(
        layers,
        grids,
        why=lambda name: reasons.get(name) or _why_no_map(capture, name),
        allowed=ALLOWED,
        others=others,
    )


def _with_maps(network: nn.Module, pixels: Tensor, *, subject: Subject, sizes: Sizes) -> list[str]:
    """The layers that are shown if none is asked for; what is proposed works when it is followed."""
    general = {name: size for name, size in sizes.items() if name == EVERY}
    try:
        with open_capture(network, pixels, None, sizes=general, subject=subject) as (capture, _):
            return list(capture.activations)
    except (LayerError, ModelError):
        return []


def _no_such_size(size: tuple[int, int, int | None]) -> str:
    given = f"No layer of this choice returns {written(size)}"
    allowed = "grid holds the rows and columns of maps, so a layer must have as many places"
    return three_parts(given, allowed, "Name the layers in layers=[...], or give sizes by layer: grid={name: (7, 7)}")


def _why_no_map(capture: LayerCapture, name: str) -> str:
    """The end of a sentence."""
    if is_quantised(capture.other_outputs.get(name)):
        return "returns quantised numbers, which have no gradient"
    if name in capture.other_outputs:
        return f"returns {a_kind(capture.other_outputs[name])}, not a tensor of floating-point numbers"
    if name not in capture.layer_names:
        return "is not among the layers chosen: name it in layers too"
    if name not in capture.calls:
        return "did not run in the forward pass"
    if _is_several(capture, name):
        shape = capture.output_shapes[name]
        return (
            f"returns shape {shape} for one picture: the network has made a batch of {shape[0]} of it, perhaps by "
            "cutting it into crops or windows, so no axis holds the whole picture"
        )
    return f"returns shape {capture.output_shapes[name]}, which is not a map of this picture"


def _is_several(capture: LayerCapture, name: str) -> bool:
    """Whether a layer returned several maps, or rows of tokens, for the one picture."""
    shape = capture.output_shapes[name]
    return len(shape) in (3, 4) and shape[0] > 1 and shape[1] > 1

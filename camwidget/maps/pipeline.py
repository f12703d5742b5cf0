"""From a run to results, the same way for pictures and texts: gradients, readouts and refusals, maps by method."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import TypeAlias

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from camwidget.errors import MapError, NotFiniteError, three_parts
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.layers import Layer
from camwidget.hooks.tensors import at_least_single
from camwidget.maps.activation import SOFTMAX, Activation
from camwidget.maps.arguments import Request, targets_of
from camwidget.maps.call import Call
from camwidget.maps.methods import maps_of, reduce_gradients, why_cancelled
from camwidget.maps.readout import PICTURE_HEAD, Readout, find_readout, why_refused
from camwidget.maps.result import LayerMaps

Maps: TypeAlias = dict[str, Tensor]
"""Layer name to maps, (target_class, map_height, map_width)."""

ByRuns: TypeAlias = Callable[[Mapping[str, Tensor], Sequence[int]], tuple[Maps, dict[str, str]]]
"""A method that runs the network on changed inputs: from activations and classes to maps, or to reasons why not."""


@dataclass(frozen=True, eq=False)
class Run:
    """An open capture after its forward pass, with what it ran on."""

    capture: LayerCapture
    """Holds the layers to be shown."""
    inputs: Shaped[Tensor, "..."]
    """What the network ran on."""
    logits: Float[Tensor, "1 class"]
    """What it returned."""
    class_names: tuple[str, ...]
    """A name for every class."""
    activation: Activation = SOFTMAX
    """What the logits mean."""
    others: Shaped[Tensor, "..."] | None = None
    """Other inputs of the same shape, to try a readout on; None for those that suit pictures."""
    head: str = PICTURE_HEAD
    """How to get a head that allows CAM, for the advice of a refusal."""


def layer_maps(
    request: Request, run: Run, *, call: Callable[[Sequence[int]], Call], by_runs: Mapping[str, ByRuns]
) -> dict[str, LayerMaps]:
    """Return method to result, all from the same forward pass and the same backward passes, on the CPU.

    Where plain CAM is not valid, its result has a refusal with the reason instead of a map. That is an error only if no
    method gives any map. Its validity is tested, with a few more forward passes, only if plain CAM is asked for.

    Args:
        request: what was asked for.
        run: the run to make maps from.
        call: from the classes to the call that makes the result again; the method is filled in here.
        by_runs: how to get the maps of methods that do not follow from activations and gradients.

    Raises:
        CamwidgetError: see `explain`.
    """
    capture, methods = run.capture, request.methods
    targets = targets_of(request.target_classes, run.logits, run.class_names, run.activation)
    with request.hooks.capturing(capture, capture.model, run.inputs, run.logits) as source:
        reduced = reduce_gradients(source, targets, methods=methods)
    weights = {name: weight[0] for name, weight in reduced.channel_weights.items()}
    readouts, refusals = readouts_of(run, reduced.constant, weights, targets) if "cam" in methods else ({}, {})
    if methods == ("cam",) and not readouts:
        raise MapError(next(reversed(refusals.values())))
    activations = {name: activation.detach() for name, activation in source.activations.items()}
    if methods == ("hires_cam",) and len(reduced.cancelled) == len(activations):
        raise MapError(why_cancelled(reduced.cancelled[-1]))
    layers = []
    for depth, (name, output) in enumerate(activations.items(), 1):
        channels, map_height, map_width = output.shape[1:]
        shown, ran = capture.shown(name)
        layers.append(Layer(name, depth, channels, map_height, map_width, shown, ran))
    made = call(targets)
    results = {}
    for method in methods:
        if method in by_runs:
            cams, refused = by_runs[method](activations, targets)
        else:
            by_layer = maps_of(method, reduced, activations, valid=readouts, count=len(targets))
            cams, refused = {name: cam[0] for name, cam in by_layer.items()}, refusals
            if method == "hires_cam":
                refused = refusals | {name: why_cancelled(name) for name in reduced.cancelled}
        results[method] = LayerMaps(
            method=method,
            layers=tuple(layer for layer in layers if layer.name in cams),
            target_classes=tuple(targets),
            class_names=run.class_names,
            activation=run.activation,
            logits=at_least_single(run.logits)[0].cpu(),
            # Results go to the CPU, here and nowhere else: they are few numbers, to be read, drawn and kept.
            cams=MappingProxyType({name: finite(name, cam).cpu() for name, cam in cams.items()}),
            readouts=MappingProxyType(
                {name: Readout(read.classifier_weight.cpu(), read.bias.cpu()) for name, read in readouts.items()}
            ),
            refusals=MappingProxyType(refused),
            call=replace(made, method=method),
        )
    return results


def readouts_of(
    run: Run,
    constant: Sequence[str],
    weights: Mapping[str, Float[Tensor, "target_class channel"]],
    targets: Sequence[int],
) -> tuple[dict[str, Readout], dict[str, str]]:
    """Return the readouts of the layers from which plain CAM is valid, and why it is not valid from the others.

    Args:
        run: of one picture or text; the first, if the capture holds the activations of several.
        constant: the layers whose gradient is the same at all positions, the only ones that may have a readout.
        weights: layer name to the mean gradients of the classes' logits.
        targets: the classes.
    """
    outcomes = {
        name: find_readout(
            partial(_logits_with, run.capture, name),
            run.inputs,
            others=run.others,
            activation=run.capture.activations[name].detach()[:1],
            channel_weight=weights[name],
            logits=run.logits,
            target_classes=targets,
        )
        for name in constant
    }
    readouts = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, Readout)}
    refused = {name: run.capture.shown(name)[0] for name in run.capture.activations if name not in readouts}
    reasons = why_refused(run.capture.model, refused, lambda: run.capture.rerun(run.inputs), head=run.head)
    return readouts, {name: str(outcomes.get(name) or reason) for name, reason in reasons.items()}


def refuse_asked(result: LayerMaps, layers: Sequence[str] | None) -> None:
    """Refuse a result without a map of a layer that was asked for by name.

    Args:
        result: of one method.
        layers: the layers asked for.

    Raises:
        MapError: there is no such map; the message gives the reason.
    """
    refused = [name for name in layers or () if name not in result.cams]
    if refused:
        raise MapError(result.refusals[refused[0]])


def _logits_with(capture: LayerCapture, name: str, activation: Tensor, inputs: Tensor) -> Tensor:
    return capture.rerun(inputs, replace={name: activation})


def finite(name: str, cams: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """Return maps if every number of them is finite.

    Args:
        name: of their layer.
        cams: the maps.

    Raises:
        MapError: they hold NaN or infinity.
    """
    if bool(torch.isfinite(cams).all()):
        return cams
    given, allowed = f"The maps of layer {name!r} hold NaN or infinity", "Every value of a map must be a finite number"
    raise NotFiniteError(three_parts(given, allowed, "Numbers overflowed: try model.float() or another layer"))

"""`explain`: from a model and a picture to maps of layers and classes, by one forward pass and one backward each."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from types import MappingProxyType
from typing import SupportsIndex

import torch
from torch import Tensor

from camwidget.errors import MapError, three_parts
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.layers import Layer
from camwidget.hooks.learner_hooks import HookClass, OwnHooks
from camwidget.hooks.selection import captured
from camwidget.hooks.tensors import at_least_single
from camwidget.maps.arguments import (
    Explainable,
    finite,
    layers_of,
    listed,
    methods_of,
    names_of,
    network_of,
    targets_of,
)
from camwidget.maps.methods import DEFAULT_METHODS, maps_of, reduce_gradients
from camwidget.maps.readout import Readout, find_readout, why_refused
from camwidget.maps.result import call_of
from camwidget.maps.score_cam import Progress, score_layers
from camwidget.pictures.inputs import Picture, prepared
from camwidget.pictures.result import Explanation


def explain(
    model: Explainable,
    inputs: Picture,
    *,
    method: str = "grad_cam",
    layers: Sequence[str] | None = None,
    target_classes: Sequence[SupportsIndex | str] | None = None,
    class_names: Sequence[str] | None = None,
    hook: HookClass | None = None,
    hook_bwd: HookClass | None = None,
) -> Explanation:
    """Return what one method says about one picture, for many layers and classes.

    The model is left as found: training flags, `requires_grad`, gradients, hooks, buffers, random state.

    Args:
        model: a fastai Learner or a torch module.
        inputs: a picture, or a normalised tensor of shape (1, 3, height, width), which is used as it is.
        method: `"cam"` (only where the layer feeds pooling and one linear layer), `"grad_cam"`, `"hires_cam"`,
            `"grad_cam_plus_plus"`, `"xgrad_cam"`, `"layer_cam"`, or `"eigen_cam"`, which knows no class (the same map
            for each, its sign a convention) and needs no gradient; or `"score_cam"`, which runs the network once per
            channel, says before what that costs, and without `layers` does so for the deepest layer only.
            `camwidget.maps.formulas` has the formulas.
        layers: dotted names; None for a good choice (for plain CAM: those where it is valid). Tokens and channels last
            are brought to rows and columns.
        target_classes: indices or names; None for the ten most probable, most probable first.
        class_names: a name for every class; None for the Learner's vocabulary or `model.class_names`.
        hook: a class of your own that keeps activations, with the interface of `Hook` (module, `with`, `.stored`).
        hook_bwd: one that keeps gradients, with the interface of `HookBwd`; None for ours, as above.

    Raises:
        HookError: a class of your own does something wrong; the message names the mistake.
        ImageError: the picture cannot be read, or is not one picture.
        LayerError: there is no such layer, or it has no map.
        ClassError: there is no such class, or the names do not fit the classes.
        ModelError: the model has no layer with a map, or does not return finite logits.
        MapError: there is no such method, or plain CAM is not valid (with the reason).

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
        >>> result = explain(model, torch.rand(1, 3, 8, 10), layers=["0"])
        >>> result.cam("0", target_class=1).shape
        torch.Size([6, 8])
    """
    results = explain_methods(
        model,
        inputs,
        methods=(method,),
        layers=layers,
        target_classes=target_classes,
        class_names=class_names,
        hook=hook,
        hook_bwd=hook_bwd,
    )
    result = results[method]
    refused = [name for name in listed(layers) or () if name not in result.cams]
    if refused:
        raise MapError(result.refusals[refused[0]])
    return result


def explain_methods(
    model: Explainable,
    inputs: Picture,
    *,
    methods: Sequence[str] = DEFAULT_METHODS,
    layers: Sequence[str] | None = None,
    target_classes: Sequence[SupportsIndex | str] | None = None,
    class_names: Sequence[str] | None = None,
    hook: HookClass | None = None,
    hook_bwd: HookClass | None = None,
    progress: Progress | None = None,
) -> dict[str, Explanation]:
    """Return method name to explanation, all from the same forward pass and the same backward passes.

    Where plain CAM is not valid its explanation has no map but a refusal, with the reason. That is an error only where
    no method gives any map. Whether it is valid is looked at (by a few more forward passes) only if it is asked for.

    Args:
        model: see `explain`.
        inputs: see `explain`.
        methods: some of `METHODS`.
        layers: see `explain`.
        target_classes: see `explain`.
        class_names: see `explain`.
        hook: see `explain`.
        hook_bwd: see `explain`.
        progress: for Score-CAM, is told how far it is; None for a bar.

    Raises:
        CamwidgetError: see `explain`.
    """
    methods, own_hooks = methods_of(methods), OwnHooks(hook, hook_bwd)
    network = network_of(model)
    pixels, image = prepared(model, inputs)
    layers, target_classes = layers_of(layers), listed(target_classes)
    with ExitStack() as stack:
        # A result must not be made of inference tensors, whatever mode the caller is in.
        stack.enter_context(torch.inference_mode(False))
        capture, logits = captured(stack, network, pixels, layers)
        names = names_of(model, class_names, count=logits.shape[1])
        targets = targets_of(target_classes, logits, names)
        with own_hooks.capturing(capture, network, pixels, logits) as source:
            reduced = reduce_gradients(source, targets, methods=methods)
        readouts, refusals = {}, {}
        if "cam" in methods:
            found = _readouts(capture, pixels, reduced.constant, reduced.channel_weights, logits, targets)
            readouts = {name: each for name, each in found.items() if isinstance(each, Readout)}
            refused = [name for name in capture.activations if name not in readouts]
            reasons = why_refused(network, refused, lambda: capture.rerun(pixels))
            refusals = {name: str(found.get(name) or reason) for name, reason in reasons.items()}
        if methods == ("cam",) and not readouts:
            raise MapError(next(reversed(refusals.values())))
        activations = {name: each.detach() for name, each in source.activations.items()}
        scores, too_dear = {}, {}
        if "score_cam" in methods:
            chosen = activations if layers is not None else dict(list(activations.items())[-1:])
            too_dear = {name: _not_run(each.shape[1]) for name, each in activations.items() if name not in chosen}
            scores = score_layers(capture.rerun, pixels, chosen, target_classes=targets, progress=progress)
        # Results go to the CPU, here and nowhere else: they are few numbers, to be read, drawn and kept.
        cams = {
            method: {
                name: finite(name, each).cpu()
                for name, each in maps_of(
                    method, reduced, activations, readouts=readouts, target_classes=targets, scores=scores
                ).items()
            }
            for method in methods
        }
        readouts = {name: Readout(each.classifier_weight.cpu(), each.bias.cpu()) for name, each in readouts.items()}
        class_logits = at_least_single(logits)[0].cpu()
    all_layers = [Layer(name, depth, *each.shape[1:]) for depth, (name, each) in enumerate(activations.items(), 1)]
    return {
        method: Explanation(
            method=method,
            layers=tuple(layer for layer in all_layers if layer.name in cams[method]),
            target_classes=tuple(targets),
            class_names=names,
            logits=class_logits,
            cams=MappingProxyType(cams[method]),
            readouts=MappingProxyType(readouts),
            refusals=MappingProxyType(too_dear if method == "score_cam" else refusals),
            image=image,
            code=call_of(
                "model" if model is network else "learn",
                method,
                layers=layers,
                target_classes=None if target_classes is None else targets,
                class_names=class_names is not None,
                hooks=own_hooks.names,
            ),
        )
        for method in methods
    }


def _readouts(
    capture: LayerCapture,
    pixels: Tensor,
    constant: Sequence[str],
    weights: Mapping[str, Tensor],
    logits: Tensor,
    targets: Sequence[int],
) -> dict[str, Readout | str]:
    """The readouts, or what is said in place of one, by layer."""
    return {
        name: find_readout(
            partial(_logits_with, capture, name),
            pixels,
            activation=capture.activations[name].detach(),
            channel_weight=weights[name],
            logits=logits,
            target_classes=targets,
        )
        for name in constant
    }


def _not_run(channels: int) -> str:
    given = f"Score-CAM was not run here: this layer alone would take {channels:,} passes of the network"
    return three_parts(given, "Without layers=[...] it is run for the deepest layer only", "Name this layer in layers")


def _logits_with(capture: LayerCapture, name: str, activation: Tensor, pixels: Tensor) -> Tensor:
    return capture.rerun(pixels, replace={name: activation})

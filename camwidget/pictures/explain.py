"""`explain`: maps of one picture by layer and class, from one forward pass and one backward pass per class."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Unpack, cast

import torch
from torch import Tensor

from camwidget.errors import three_parts
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.selection import open_capture
from camwidget.hooks.subject import PICTURE
from camwidget.maps.activation import VALUES, Activation, Function, activation_of
from camwidget.maps.arguments import (
    Asked,
    Explainable,
    Request,
    names_of,
    network_of,
    own_names,
    request_of,
    sizes_of,
)
from camwidget.maps.call import Call, call_for
from camwidget.maps.formulas import score_cam
from camwidget.maps.methods import DEFAULT_METHODS
from camwidget.maps.pipeline import Maps, Run, layer_maps, refuse_asked
from camwidget.maps.score_cam import score_layers
from camwidget.pictures.inputs import Picture, prepared
from camwidget.pictures.preparation import Prepare
from camwidget.pictures.result import Explanation


class PictureAsked(Asked, Prepare, total=False):
    """What an explanation of a picture takes besides the model, the picture and the methods."""


def explain(
    model: Explainable, inputs: Picture, *, method: str = "grad_cam", **asked: Unpack[PictureAsked]
) -> Explanation:
    """Return what one method says about one picture, for many layers and classes.

    The model is left as found: training flags, `requires_grad`, gradients, hooks, buffers, random state.

    Args:
        model: a fastai Learner or a torch module.
        inputs: a picture, or a normalised tensor of shape (1, channel, height, width), which is used as it is unless
            there is a `transform`.
        method: `"cam"` (only where the layer feeds pooling and one linear layer), `"grad_cam"`, `"hires_cam"`,
            `"grad_cam_plus_plus"`, `"xgrad_cam"`, `"layer_cam"`, or `"eigen_cam"`, which ignores the class (one map
            for all, its sign a convention) and needs no gradient; or `"score_cam"`, which runs the network once per
            channel, states its cost first and, without `layers`, runs only at the deepest layer.
            `camwidget.maps.formulas` has the formulas.
        **asked: `layers`, `target_classes`, `class_names`, `activation`, `target`, `call`, `hook`, `hook_bwd` and
            `grid`, see `camwidget.maps.arguments.request_of`. Token and channels-last outputs become rows and columns;
            where their shape leaves a doubt, the network runs a few more times on changed pictures to see which places
            answer. And `transform`, `mean`, `std` and `size`, see `camwidget.pictures.preparation.preparation_of`: how
            the picture is made ready, where neither the network nor a Learner tells; the result's `notes` say what was
            assumed.

    Raises:
        HookError: one of your hook classes is wrong; the message names the mistake.
        ImageError: the picture cannot be read, or is not one picture.
        LayerError: there is no such layer, it has no map, or not of the size given, or did not run so often.
        ClassError: there is no such class, or the names do not fit the classes.
        ModelError: the model has no layer with a map, or does not return finite logits.
        MapError: there is no such method, or plain CAM is not valid (with the reason).

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
        >>> result = explain(model, torch.rand(1, 3, 8, 10), layers=["0"])
        >>> result.cam("0", target_class=1).shape
        torch.Size([6, 8])
    """
    result = explain_methods(model, inputs, methods=(method,), **asked)[method]
    refuse_asked(result, result.call.layers)
    return result


def explain_methods(
    model: Explainable, inputs: Picture, *, methods: Sequence[str] = DEFAULT_METHODS, **asked: Unpack[PictureAsked]
) -> dict[str, Explanation]:
    """Return method name to explanation, all from the same forward pass and the same backward passes.

    Where plain CAM is not valid, its explanation has a refusal with the reason instead of a map. That is an error only
    if no method gives any map. Validity is tested (by a few more forward passes) only if CAM is asked for.

    Args:
        model: see `explain`.
        inputs: see `explain`.
        methods: some of `METHODS`.
        **asked: see `explain`.

    Raises:
        CamwidgetError: see `explain`.
    """
    preparing, others = parted(asked)
    request = request_of(model, methods, **others)
    network = network_of(model)
    pixels, image, notes = prepared(model, inputs, **preparing)
    opened = open_capture(
        network,
        pixels,
        request.layers,
        call=request.shown_call,
        sizes=sizes_of(request.grid),
        subject=replace(PICTURE, scores=request.scores),
        first_class=request.first_class,
    )
    # A result must not hold inference tensors, whatever mode the caller is in.
    with torch.inference_mode(False), opened as (capture, logits):
        names, activation = meaning_of(request, model, capture, pixels, logits)
        results = layer_maps(
            request,
            Run(capture, pixels, logits, names, activation),
            call=partial(_call, model, inputs, request, preparing),
            by_runs={"score_cam": partial(_by_score, request, capture, pixels)},
        )
        notes += capture.notes
    return {method: Explanation.around(maps, image=image, notes=notes) for method, maps in results.items()}


def parted(asked: Mapping[str, Any]) -> tuple[Prepare, Asked]:
    """Return what was asked for of the preparation of pictures, and the rest.

    Args:
        asked: keyword arguments of `explain`.
    """
    preparing = {name: value for name, value in asked.items() if name in Prepare.__annotations__}
    return cast(Prepare, preparing), cast(Asked, {name: asked[name] for name in asked if name not in preparing})


def meaning_of(
    request: Request, model: Explainable, capture: LayerCapture, pixels: Tensor, logits: Tensor
) -> tuple[tuple[str, ...], Activation]:
    """Return what the outputs of a model of pictures are called, and what they mean.

    Args:
        request: what was asked for; scores of one's own are values with names of their own.
        model: a Learner or module.
        capture: an open capture of its network.
        pixels: what it ran on.
        logits: what it returned.

    Raises:
        ClassError: the number of names given is not the number of classes.
        MapError: see `activation_of`.
    """
    if request.scores is not None:
        return tuple(request.scores), VALUES
    activation = picture_activation(request.activation, model, capture, pixels, logits)
    return names_of(request.class_names, own_names(model), count=logits.shape[1], activation=activation), activation


def picture_activation(
    asked: str | Function | None, model: Explainable, capture: LayerCapture, pixels: Tensor, logits: Tensor
) -> Activation:
    """Return what the outputs of a model of pictures mean.

    Args:
        asked: what was asked for, see `request_of`.
        model: a Learner or module.
        capture: an open capture of its network.
        pixels: what it ran on.
        logits: what it returned.

    Raises:
        MapError: see `activation_of`.
    """
    others = (-pixels.flip(3), pixels.flip(2) / 2)
    return activation_of(
        asked, model, logits, run=capture.rerun, inputs=pixels, others=others, last_step=capture.traced.last_step
    )


def _call(
    model: Explainable, inputs: Picture, request: Request, preparing: Mapping[str, Any], targets: Sequence[int]
) -> Call:
    return call_for(
        model,
        inputs,
        kind="image",
        layers=request.layers,
        target_classes=None if request.target_classes is None else targets,
        class_names=request.class_names,
        activation=request.activation,
        hooks=request.hooks.names,
        call=request.call,
        grid=request.grid,
        preparing=preparing,
        target=request.target,
    )


def _by_score(
    request: Request, capture: LayerCapture, pixels: Tensor, activations: Mapping[str, Tensor], targets: Sequence[int]
) -> tuple[Maps, dict[str, str]]:
    """Score-CAM's maps, and why others are missing: unless layers are named, only the deepest is worth its cost."""
    chosen = activations if request.layers is not None else dict(list(activations.items())[-1:])
    scores = score_layers(capture.rerun, pixels, chosen, target_classes=targets, progress=request.progress)
    maps = {name: score_cam(activations[name], score)[0] for name, score in scores.items()}
    return maps, {name: _not_run(activation.shape[1]) for name, activation in activations.items() if name not in chosen}


def _not_run(channels: int) -> str:
    given = f"Score-CAM was not run here: this layer alone would take {channels:,} passes of the network"
    return three_parts(given, "Without layers=[...] it runs only at the deepest layer", "Name this layer in layers")

"""The methods, and how their maps are made while the gradients of one class are available."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.errors import three_parts
from camwidget.hooks.capture import LayerCapture, Target
from camwidget.hooks.learner_hooks import OwnCapture
from camwidget.maps.formulas import (
    cam,
    channel_weight,
    eigen_cam,
    grad_cam_plus_plus,
    hires_cam,
    layer_cam,
    xgrad_cam,
)
from camwidget.maps.readout import is_constant

FROM_GRADIENTS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {
        "hires_cam": hires_cam,
        "grad_cam_plus_plus": grad_cam_plus_plus,
        "xgrad_cam": xgrad_cam,
        "layer_cam": layer_cam,
    }
)
"""Methods whose map is worked out class by class, from an activation and one class's gradient."""

CLASS_AGNOSTIC = frozenset({"eigen_cam"})
"""Class-agnostic methods give one map for all classes. Whatever shows such a map must say so."""

EXPENSIVE = frozenset({"score_cam"})
"""Methods that run the network once per channel; only run if they are asked for by name."""

METHODS = ("cam", "grad_cam", *FROM_GRADIENTS, "score_cam", "eigen_cam")
"""The methods there are."""

DEFAULT_METHODS = ("cam", "grad_cam")
"""The methods that are shown if none are asked for."""


@dataclass(frozen=True, eq=False)
class Reduced:
    """What is kept from the gradients of all classes; the gradients themselves would not fit."""

    channel_weights: Mapping[str, Float[Tensor, "batch target_class channel"]]
    """Layer name to mean gradients; empty if neither CAM nor Grad-CAM was asked for."""
    cams: Mapping[str, Mapping[str, Float[Tensor, "batch target_class map_height map_width"]]]
    """Method to layer name to maps, for the methods of `FROM_GRADIENTS` that were asked for."""
    constant: Sequence[str]
    """Layers whose gradient is the same at all positions, for every class; determined if CAM was asked for."""
    cancelled: Sequence[str] = ()
    """Layers where gradient times activation adds up to nothing at every place, for every class: `cancels`."""


def reduce_gradients(
    capture: LayerCapture | OwnCapture, targets: Sequence[Target], *, methods: Sequence[str]
) -> Reduced:
    """Run one backward pass per class, for all methods at once, and keep what they need; no pass if they need none.

    Args:
        capture: after its forward pass, of one picture or several.
        targets: the classes wanted, or what to differentiate instead of their logits.
        methods: the methods asked for.
    """
    weighted = bool({"cam", "grad_cam"} & set(methods))
    by_gradient = [method for method in methods if method in FROM_GRADIENTS]
    names = list(capture.activations)
    constant = names if "cam" in methods else []
    cancelled = names if "hires_cam" in methods else []
    weights: dict[str, list[Tensor]] = {name: [] for name in names} if weighted else {}
    cams: dict[str, dict[str, list[Tensor]]] = {method: {name: [] for name in names} for method in by_gradient}
    for target in targets if weighted or by_gradient else ():
        gradients = capture.gradients(target)
        for name, gradient in gradients.items():
            if weighted:
                weights[name].append(channel_weight(gradient))
            for method in by_gradient:
                cams[method][name].append(FROM_GRADIENTS[method](capture.activations[name].detach(), gradient))
        constant = [name for name in constant if is_constant(gradients[name])]
        cancelled = [name for name in cancelled if cancels(capture.activations[name].detach(), gradients[name])]
    return Reduced(
        {name: torch.stack(rows, dim=1) for name, rows in weights.items()},
        {
            method: {name: torch.stack(maps, dim=1) for name, maps in by_layer.items()}
            for method, by_layer in cams.items()
        },
        constant,
        cancelled,
    )


LEFT_OVER = 1e-4
"""Of gradient times activation this much must be left at some place, or single precision has rounded it away."""


def cancels(
    activation: Float[Tensor, "batch channel map_height map_width"],
    gradient: Float[Tensor, "batch channel map_height map_width"],
) -> bool:
    """Return whether gradient times activation adds up to next to nothing at every place, although its parts do not.

    So it is where the next step normalises each place, as layer normalisation does: with all channels twice as large
    nothing changes, and by Euler's theorem for functions of degree zero the sum is zero. What is left is rounding.

    Args:
        activation: of a layer.
        gradient: of one class.
    """
    parts = activation * gradient
    left, all_of_them = parts.sum(dim=1).abs().amax(), parts.abs().sum(dim=1).amax()
    return bool(left < LEFT_OVER * all_of_them)


def why_cancelled(layer: str) -> str:
    """Return the reason why HiResCAM has no map of a layer.

    Args:
        layer: its name.
    """
    given = f"At every place of layer {layer!r} the parts of HiResCAM, gradient times activation, add up to nothing"
    allowed = "So it is where the next step normalises each place: the network does not ask how large it is"
    return three_parts(given, allowed, "Use method='grad_cam' here, or another layer")


def maps_of(
    method: str,
    reduced: Reduced,
    activations: Mapping[str, Tensor],
    *,
    valid: Collection[str],
    count: int,
) -> dict[str, Tensor]:
    """Return layer name to one method's maps, one per picture and class; plain CAM only has layers where it is valid.

    Axes are (batch, target_class, map_height, map_width); sizes differ from layer to layer.

    Args:
        method: one of those passed to `reduce_gradients`.
        reduced: what it returned.
        activations: layer name to the layer's output, (batch, channel, map_height, map_width).
        valid: the layers from which plain CAM is valid.
        count: how many classes are wanted.
    """
    if method == "hires_cam":
        return {name: cams for name, cams in reduced.cams[method].items() if name not in reduced.cancelled}
    if method in FROM_GRADIENTS:
        return dict(reduced.cams[method])
    if method in CLASS_AGNOSTIC:
        return {name: eigen_cam(output)[:, None].repeat(1, count, 1, 1) for name, output in activations.items()}
    weights = reduced.channel_weights
    if method == "cam":  # the mean over the positions has one of so many parts of the classifier's weight as gradient
        weights = {name: weights[name] * activations[name][0, 0].numel() for name in weights if name in valid}
    # One product for all classes: Grad-CAM is the CAM whose weights are the mean gradients.
    return {name: cam(activations[name], weight) for name, weight in weights.items()}


METHOD_LABELS: Mapping[str, str] = {
    "cam": "CAM",
    "grad_cam": "Grad-CAM",
    "hires_cam": "HiResCAM",
    "grad_cam_plus_plus": "Grad-CAM++",
    "xgrad_cam": "XGrad-CAM",
    "layer_cam": "LayerCAM",
    "score_cam": "Score-CAM",
    "occlusion": "Leave one out",
    "eigen_cam": "Eigen-CAM (knows no class)",
}
"""What a method is called in the panel; one that knows no class says so wherever its name appears."""

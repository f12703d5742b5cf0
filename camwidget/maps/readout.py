"""Is plain CAM valid from a layer? The linear readout of its channel means, or the reason why there is none."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from camwidget.errors import three_parts
from camwidget.hooks.layers import find_module
from camwidget.hooks.walk import modules_in

LogitsWith = Callable[[Tensor, Tensor], Tensor]
"""Gives the logits (1, class) with the first tensor as a layer's output and the second as the model's inputs."""


AS_ROUNDED = 0.01
"""A mismatch below this, relative to the sizes of the terms of the sum, is put down to rounding, not to the network:
what lies between a layer and the classes causes more with the activations that are tried, 0.2 and up."""


@dataclass(frozen=True, eq=False)
class Readout:
    """How the network reads a layer: logits = classifier_weight · (mean of the activation over positions) + bias."""

    classifier_weight: Float[Tensor, "target_class channel"]
    """A row for each target class, in their order; batch norm between pooling and classifier is folded in."""
    bias: Float[Tensor, "target_class"]  # noqa: F821
    """The logits if the activation is zero everywhere."""


def is_constant(gradient: Float[Tensor, "batch channel map_height map_width"]) -> bool:
    """Return whether gradients are the same at all positions, as they are where a layer is only averaged over them."""
    spread = gradient.amax(dim=(2, 3)) - gradient.amin(dim=(2, 3))
    return bool(spread.max() <= _tolerance(gradient.dtype) * gradient.abs().max())


def find_readout(
    logits_with: LogitsWith,
    inputs: Shaped[Tensor, "..."],
    *,
    others: Shaped[Tensor, "..."] | None = None,
    activation: Float[Tensor, "1 channel map_height map_width"],
    channel_weight: Float[Tensor, "target_class channel"],
    logits: Float[Tensor, "1 class"],
    target_classes: Sequence[int],
) -> Readout | str:
    """Return the readout of a layer, or why not: the logits are not one weighted sum of its channel means.

    The reason is empty if it lies in the network, for `why_refused` to put into words; otherwise it says what is wrong
    with the numbers: zeros, or rounded too much to tell.

    The claim is about behaviour, so it is tested by behaviour, whatever modules or functions lie between: the weights
    come from gradients already at hand (for the target classes only: all of a thousand classes would cost a thousand
    backward passes), the bias from a zero activation, and both must then predict the logits of the real activation and
    of random ones. One of these has the signs of one class's weights, another the opposite ones: so nothing cancels,
    and a ReLU, a norm or a second linear layer shows in low precision too; of a ReLU one side alone may lie in the same
    piece as the picture. The last runs on another picture: where the logits also depend on the picture through a path
    around the layer (a skip connection, a class token), the prediction fails.

    Args:
        logits_with: runs the rest of the model, see `LogitsWith`.
        inputs: what the model ran on: a picture, or another network's inputs.
        others: inputs that differ from them, of the same shape; None for the mirrored negative of the picture.
        activation: the layer's output for it.
        channel_weight: mean gradient of every target class's logit, by channel.
        logits: of all classes.
        target_classes: the classes wanted.
    """
    classifier_weight = channel_weight * activation[0, 0].numel()
    if not bool(classifier_weight.any()):
        given, allowed = (
            "The logits do not change with this layer: all its weights are zero",
            "CAM needs weights that are not all zero",
        )
        return three_parts(given, allowed, "Check the weights of the classifier: an untrained one may be all zeros")
    wanted, tolerance = list(target_classes), _tolerance(logits.dtype)
    readout = Readout(
        classifier_weight, logits_with(torch.zeros_like(activation), inputs)[0, wanted].to(activation.dtype)
    )
    # Drawn on the CPU by its own generator: the same everywhere, and no other random state moves.
    random = torch.randn(activation.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    random, largest = random.to(activation), float(activation.abs().max())
    others = -inputs.flip(3) if others is None else others
    signs = classifier_weight[0].sign()[None, :, None, None]
    # The first is never small, whatever the activation: close to zero smooth activation functions are straight.
    aligned = random.abs() * signs * max(4 * largest, 4)
    trials = ((aligned, inputs), (-aligned, inputs), (random * (largest or 1), others))
    missed = [_missed(readout, activation, logits[0, wanted])]
    for trial, picture in trials:
        missed.append(_missed(readout, trial, logits_with(trial, picture)[0, wanted]))
    # NaN fails the comparisons, as it should.
    if all(miss <= tolerance for miss in missed):
        return readout
    if not all(miss <= AS_ROUNDED for miss in missed) or max(missed[:-1]) <= tolerance:
        return ""  # rounding would also show on the picture itself
    given = f"Plain CAM from this layer adds up to the logit only up to {max(missed):.1g} of the size of its terms"
    allowed = f"That is too coarse to tell: in {logits.dtype} it must be within {tolerance:.1g}"
    advice = "Compute more precisely: torch.set_float32_matmul_precision('highest') against TF32, or model.double()"
    return three_parts(given, allowed, advice)


PICTURE_HEAD = "vision_learner(..., concat_pool=False, lin_ftrs=[])"
"""How to get a classifier of pictures with a head that allows CAM."""


def why_refused(
    model: nn.Module, names: Mapping[str, int], run: Callable[[], object], *, head: str = PICTURE_HEAD
) -> dict[str, str]:
    """Return, in words and by layer, why plain CAM is not valid: what lies between the layer and the classes.

    Args:
        model: the network.
        names: the layers, and which of their calls is meant, from 1.
        run: runs the model once, for all layers; what fires after each layer is noted.
        head: how to get a head that allows CAM, for the advice.
    """
    fired: list[nn.Module] = []
    after: dict[str, list[int]] = {}
    if names:
        with ExitStack() as stack:
            for module in modules_in(model):
                if not any(True for _ in module.children()):
                    hook = module.register_forward_hook(lambda fires, *_: fired.append(fires))
                    stack.callback(hook.remove)
            for name in names:
                hook = find_module(model, name).register_forward_hook(partial(_note, after, name, fired))
                stack.callback(hook.remove)
            run()
    return {name: _reason(name, fired[after[name][call - 1] :], head) for name, call in names.items()}


def _note(after: dict[str, list[int]], name: str, fired: list[nn.Module], *_: object) -> None:
    after.setdefault(name, []).append(len(fired))


def _reason(name: str, fired: list[nn.Module], head: str) -> str:
    given = (
        f"Plain CAM from layer {name!r} would not add up to the logit. Between it and the classes: {_obstacles(fired)}"
    )
    allowed = "CAM is valid only where a layer feeds global average pooling and one linear layer, and nothing else"
    advice = "Use method='grad_cam' here"
    if any(isinstance(module, nn.AdaptiveMaxPool2d) for module in fired) or _count(fired, nn.Linear) > 1:
        advice += f", or train with a head that allows CAM: {head}"
    return three_parts(given, allowed, advice)


def _missed(readout: Readout, activation: Tensor, logits: Tensor) -> float:
    """By how much the readout misses the logits, relative to the size of its terms."""
    predicted = readout.classifier_weight @ activation.mean(dim=(2, 3))[0] + readout.bias
    sizes = readout.classifier_weight.abs() @ activation.abs().mean(dim=(2, 3))[0] + readout.bias.abs()
    missed = float((predicted - logits.to(predicted.dtype)).abs().max())
    return missed / float(sizes.max()) if missed else 0.0


def _tolerance(dtype: torch.dtype) -> float:
    """How far rounding may separate two equal results, relatively: 6e-5 in single precision, 2e-11 in double.

    Half precision rounds every result to three digits (bfloat16: two): 4e-3 and 3e-2.
    """
    eps = torch.finfo(dtype).eps
    return float(4 * eps if dtype in (torch.bfloat16, torch.float16) else 10 * eps**0.75)


def _count(fired: list[nn.Module], kind: type[nn.Module]) -> int:
    return sum(isinstance(module, kind) for module in fired)


def _obstacles(fired: list[nn.Module]) -> str:
    """The modules in the list that break a plain weighted sum, as a phrase."""
    parts = []
    convolutions = _count(fired, nn.modules.conv._ConvNd)
    if convolutions:
        parts.append("a convolution" if convolutions == 1 else f"{convolutions} convolutions")
    recurrent = _count(fired, nn.RNNBase)
    if recurrent:
        parts.append("a recurrent layer" if recurrent == 1 else f"{recurrent} recurrent layers")
    kinds = Counter(
        type(module).__name__
        for module in fired
        if type(module).__module__ == "torch.nn.modules.activation"
        or isinstance(module, nn.GroupNorm | nn.LayerNorm | nn.modules.instancenorm._InstanceNorm)
    )
    parts += list(kinds)
    linear = _count(fired, nn.Linear)
    if linear > 1:
        parts.append("a second Linear layer" if linear == 2 else f"{linear} Linear layers")
    if any("maxpool" in type(module).__name__.lower() for module in fired):
        parts.append("max pooling")
    if not parts:
        return "operations that are not modules (such as a functional ReLU), or a way around it (a skip connection)"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"

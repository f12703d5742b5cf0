"""What keeps a network from being explained, in words: before it runs, when PyTorch stops it, and in what it returns.

An error of the network's own, which says nothing of how it was called, is left as it is.
"""

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from camwidget.errors import CamwidgetError, ImageError, ModelError, NotFiniteError, TextError, a_kind, three_parts
from camwidget.hooks.scores import a_number_of
from camwidget.hooks.tensors import plain
from camwidget.hooks.walk import buffers_in, modules_in, parameters_in

RUNS_ALONE = "A network to be explained is called with one argument, the batch, and returns logits"
"""What a network must take."""


class _Obstacle(NamedTuple):
    """What PyTorch, or the network, says where it stops; what is allowed, and what to try."""

    pattern: str
    error: type[ModelError | ImageError | TextError]
    allowed: str
    try_: str


_SIZES = "Some networks, those with tokens above all, take pictures of one size only"
_OTHER_SIZE = "Pass size=, the side of the pictures that it was trained on, or a tensor of that size"
_ONE_ARGUMENT = "Wrap it in a module that holds the other inputs and whose forward takes the batch alone"

_OBSTACLES = (
    _Obstacle(
        r"forward\(\) (missing \d+ required|takes .* positional argument|got multiple values)|You have to specify|"
        r"too many indices for tensor|only integers, slices|"
        r"cannot unpack non-iterable|indices must be",
        ModelError,
        RUNS_ALONE,
        _ONE_ARGUMENT,
    ),
    _Obstacle(
        r"to have \d+ channels, but got \d+ channels|channel dimension of the pixel values",
        ImageError,
        "A picture needs as many channels as the network's first convolution takes",
        "Pass a normalised tensor (1, channel, height, width) with these channels, or transform=, which makes one",
    ),
    _Obstacle(
        r"Input type .* should be the same|must have the same dtype|have the same dtype|expected scalar type|"
        r"not implemented for '(Half|BFloat16)'",
        ModelError,
        "Its layers must fit one another's precision; inputs get that of its first convolution",
        "Try explain(model.float(), ...), or cast inside its forward",
    ),
    _Obstacle(
        r"Tensor that doesn't have storage|Cannot access storage|functorch|vmap",
        ModelError,
        "What layers return must be tensors with numbers of their own, and torch.vmap hides these",
        "Let forward call its layers on the whole batch, without torch.vmap",
    ),
    _Obstacle(
        r"Expected all tensors to be on the same device|Input type \(.*cuda.*\) and weight type",
        ModelError,
        "Inputs go to the device of the network's first parameter",
        "Move it to one device: model.to('cpu')",
    ),
    _Obstacle(
        r"doesn't match model|Wrong image (height|width)|must match the size of tensor|shapes cannot be multiplied|"
        r"is invalid for input of size|Kernel size can't be greater|is too small|Output size is too small|"
        r"should be divisible by|Sizes of tensors must match|Expected size|normalized_shape",
        ModelError,
        _SIZES,
        _OTHER_SIZE,
    ),
)

_TEXTS = (
    _Obstacle(
        r"index out of range|must match the (existing )?size|CUDA error: device-side assert",
        TextError,
        "A network looks tokens and their places up in tables, and must have a row for each",
        "Pass a shorter text, or set model.vocabulary to the tokenizer that the network was trained with",
    ),
)

_KINDS = (TypeError, RuntimeError, ValueError, AssertionError, IndexError, AttributeError)


def refuse_unready(network: nn.Module) -> None:
    """Refuse a network that holds no numbers yet.

    Args:
        network: any.

    Raises:
        ModelError: a lazy module was never run, or weights are on the meta device.
    """
    unready = [tensor for tensor in (*parameters_in(network), *buffers_in(network)) if _is_empty(tensor)]
    if not unready:
        return
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        if is_lazy(tensor):
            given = f"{name!r} belongs to a lazy module that was never run, so it has no shape yet"
            allowed = "Every weight of the network must be there"
            raise ModelError(three_parts(given, allowed, "Run it once on a batch before: model(batch)"))
        if tensor.is_meta:
            given = f"{name!r} is on the meta device, which holds shapes and no numbers"
            advice = "Load its weights: model.load_state_dict(state, assign=True)"
            raise ModelError(three_parts(given, "Every weight of the network must be there", advice))


def _is_empty(tensor: Tensor) -> bool:
    return is_lazy(tensor) or tensor.is_meta


def why_closed(network: nn.Module) -> str:
    """Return why nothing can be listened to inside a network, or parts of it; empty if nothing speaks against it.

    Args:
        network: any.
    """
    name = type(network).__name__
    if any(isinstance(module, torch.jit.ScriptModule) for module in modules_in(network)):
        whole = isinstance(network, torch.jit.ScriptModule)
        start = f"This {name} is" if whole else f"Parts of this {name} are"
        return f"{start} compiled by TorchScript, which calls no hooks inside"
    if isinstance(network, torch.fx.GraphModule) and not _calls_layers(network):
        return f"This {name} was exported: its graph calls operations and no modules, so there is no layer to listen to"
    return ""


def _calls_layers(network: torch.fx.GraphModule) -> bool:
    """Whether the graph calls a module that has weights; exported ones keep the weights only."""
    called = (network.get_submodule(str(node.target)) for node in network.graph.nodes if node.op == "call_module")
    return any(next(module.parameters(), None) is not None for module in called)


def from_before(network: nn.Module) -> str:
    """Return what to explain instead of a network that `why_closed` has a word on.

    Args:
        network: any.
    """
    if isinstance(network, torch.fx.GraphModule):
        return "Explain the network that it was exported from, or torch.export.unflatten(program)"
    return "Explain the network that it was compiled from, with the same weights"


@contextmanager
def running(network: nn.Module, inputs: Tensor) -> Iterator[None]:
    """Say in our words why a network cannot be run, where PyTorch's words show that it was called in the wrong way.

    Args:
        network: the network.
        inputs: what it runs on.

    Raises:
        ModelError: it takes other inputs than one batch, or of another size or precision.
        ImageError: it takes other channels.
        TextError: it reads no text of that length.
    """
    try:
        yield
    except _KINDS as error:
        found = None if isinstance(error, CamwidgetError) else _known(network, inputs, str(error))
        if found is None:
            raise
        raise found.error(_told(found, network, inputs, error)) from error


def _known(network: nn.Module, inputs: Tensor, message: str) -> _Obstacle | None:
    """The obstacle that a message is about; None if it may be an error of the network's own."""
    several = "NoneType" in message and len(inspect.signature(network.forward).parameters) > 1
    if several:  # a second input that has a default, and cannot do without
        return _OBSTACLES[0]
    of_texts = [each for each in _OBSTACLES if each.error is not ImageError and each.try_ != _OTHER_SIZE]
    candidates = _OBSTACLES if inputs.is_floating_point() else [*_TEXTS, *of_texts]
    return next((each for each in candidates if re.search(each.pattern, message)), None)


def _told(obstacle: _Obstacle, network: nn.Module, inputs: Tensor, error: Exception) -> str:
    given = f"{type(network).__name__} does not run on inputs of shape {tuple(inputs.shape)}: {_first_line(error)}"
    return three_parts(given, obstacle.allowed, obstacle.try_)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0].rstrip(".")


def without_gradient(error: RuntimeError | AssertionError) -> ModelError | None:
    """Return our error where a backward pass stops: parts are run again, have no derivative, or want to be trained.

    Args:
        error: what PyTorch, or the network, raised in the backward pass.
    """
    if re.search(r"\.train\(\)|train(ing)? mode|to train", str(error)):
        given = f"The network's own backward pass stops: {_first_line(error)}"
        allowed = "A network is explained in evaluation mode, as it is used, and its maps need gradients there"
        advice = "Let that backward pass run in evaluation mode, or explain a network without it, such as one without "
        return ModelError(three_parts(given, allowed, advice + "reversible layers"))
    if re.search("no autograd formula was registered|derivative for .* is not implemented", str(error)):
        given = f"Between the layers and the logits is an operation without a derivative: {_first_line(error)}"
        allowed = "Maps need gradients, so every operation behind a layer must have one"
        advice = "Give it one with register_autograd, write it with PyTorch's own, or name layers behind it"
        return ModelError(three_parts(given, allowed, advice))
    if "use_reentrant" not in str(error) and "Checkpointing is not compatible" not in str(error):
        return None
    given = "Parts of the network are run again in the backward pass, by reentrant checkpointing"
    allowed = "Such parts know only loss.backward(), and maps need gradients of single layers"
    advice = "Use checkpoint(..., use_reentrant=False), or switch it off: model.gradient_checkpointing_disable()"
    return ModelError(three_parts(given, allowed, advice))


def is_quantised(output: Any) -> bool:
    """Return whether an output holds numbers of a few bits, which have no gradient.

    Args:
        output: what a layer returned.
    """
    return isinstance(output, Tensor) and output.is_quantized


def checked_logits(logits: Any, *, count: int) -> Float[Tensor, "batch class"]:
    """Return what a network returned, as a plain tensor, if it is logits.

    Args:
        logits: what it returned.
        count: for how many pictures or texts.

    Raises:
        ModelError: it is not one tensor (count, class) of floating-point numbers, or they are not finite.
    """
    advice = "Wrap it in a module whose forward returns only the logits"
    if number := a_number_of(logits):
        advice += f", or explain a number of your own, as in target=lambda output: {number}"
    if isinstance(logits, Tensor) and logits.ndim > 2 and logits[0, 0].numel() == 1:
        advice = "Take the axes of one place away: explain(nn.Sequential(model, nn.Flatten()), ...)"
    allowed = "A model to be explained returns one tensor of logits, of shape (1, class) for one picture or text"
    if not isinstance(logits, Tensor):
        size = f" of {len(logits)}" if isinstance(logits, tuple | list | dict) else ""
        raise ModelError(three_parts(f"The model returned {a_kind(logits)}{size}", allowed, advice))
    if logits.ndim != 2 or logits.shape[0] != count or logits.shape[1] < 1 or not logits.is_floating_point():
        given = f"The model returned a {logits.dtype} tensor of shape {tuple(logits.shape)}"
        raise ModelError(three_parts(given, allowed, advice))
    if not bool(torch.isfinite(logits).all()):
        wrong = int((~torch.isfinite(logits)).sum())
        given = f"{wrong} of {logits.shape[1]} logits are NaN or infinite"
        advice = "Look for NaN in the weights and the inputs; a model in half precision may overflow: try model.float()"
        raise NotFiniteError(three_parts(given, "Every logit must be a finite number", advice))
    return plain(logits)

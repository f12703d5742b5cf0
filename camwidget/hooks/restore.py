"""Run a model and leave it exactly as it was found, even after an error."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import repeat
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn

from camwidget.hooks.buffers import buffers_left_as_found
from camwidget.hooks.draws import source_of
from camwidget.hooks.turns import (
    alone_with,
    compiler_stands_aside,
    random_numbers_left_as_found,
    transformers_run_as_written,
)
from camwidget.hooks.walk import modules_in, parameters_in, parameters_of
from camwidget.hooks.weights import weights_left_as_found

_PYTORCHS = frozenset(vars(nn.Module()))
"""Attributes that every module has: its parameters, buffers and hooks, which are restored elsewhere."""


@contextmanager
def left_as_found(model: nn.Module) -> Iterator[None]:
    """Put the model into evaluation mode with frozen parameters for the block, then restore it.

    Restored, even after an error: every module's training flag, every parameter's `requires_grad`, the buffers,
    parameters that the network replaces or writes into (see `weights_left_as_found`), and the state of the random
    numbers: Python's, numpy's, and PyTorch's on the CPU and on the model's GPU. Nothing here touches a parameter's
    `.grad`.

    Other threads that come here with the model, or with a part of it, wait until everything is back.

    The caller's `torch.autocast` is off for the block, so that the numbers do not depend on it. One that the network
    itself enters counts.

    Code compiled by `torch.compile` runs as it was written for the block: compiled code silently skips hooks that were
    registered after its first run. The short cut that PyTorch's transformers take is off for the same reason.

    Args:
        model: the network.
    """
    with alone_with(model):
        modules = modules_in(model)
        parameters = parameters_of(modules)
        devices = {parameter.device for parameter in parameters}
        with (
            compiler_stands_aside(),
            transformers_run_as_written(modules),
            random_numbers_left_as_found(gpus=_gpus_among(devices)),
            _without_autocast(devices),
            weights_left_as_found(modules),
            buffers_left_as_found(modules),
            _only_evaluating(modules, parameters),
        ):
            yield


@contextmanager
def _only_evaluating(modules: Sequence[nn.Module], parameters: Sequence[nn.Parameter]) -> Iterator[None]:
    """Turn training and the gradients of parameters off for the block."""
    training = [module.training for module in modules]
    required = [parameter.requires_grad for parameter in parameters]
    try:
        # The flags are set one by one: train() and eval() may be overridden to do more (some merge weights).
        _set_flags(modules, repeat(False))
        for parameter in parameters:
            parameter.requires_grad_(False)
        yield
    finally:
        _set_flags(modules, training)
        for parameter, flag in zip(parameters, required, strict=True):
            parameter.requires_grad_(flag)


def _set_flags(modules: Iterable[nn.Module], flags: Iterable[bool]) -> None:
    """Set training flags where they differ: to set an attribute of a module is slow, and most are as they should be."""
    for module, flag in zip(modules, flags, strict=False):
        if module.training is not flag:
            module.training = flag


@contextmanager
def attributes_left_as_found(model: nn.Module) -> Iterator[None]:
    """Restore, when the block ends, what modules keep in plain attributes.

    A recurrent network keeps its state there, fastai's AWD-LSTM the weights made by its dropout, and a network of one's
    own counters, histories, generators of random numbers and whatever it computed once. Tensors, lists and dictionaries
    that are changed in place get their contents back. PyTorch's own modules keep nothing there, unless a hook in front
    of them does.
    """
    kept = [(module, vars(module).copy()) for module in modules_in(model) if _may_keep_something(module)]
    own = [
        value
        for _, attributes in kept
        for name, value in attributes.items()
        if not isinstance(value, _CONSTANT) and name not in _PYTORCHS
    ]
    lists = [(value, list(value)) for value in own if isinstance(value, list)]
    dicts = [(value, dict(value)) for value in own if isinstance(value, dict)]
    inside = [*own, *(member for value in own if isinstance(value, list | tuple) for member in value)]
    inside += [member for _, members in dicts for member in members.values()]
    tensors = [(tensor, tensor.detach().clone(), tensor._version) for tensor in inside if _counts_changes(tensor)]
    drawn_from = [(source, source.read()) for value in own if (source := source_of(value)) is not None]
    try:
        yield
    finally:
        for source, state in drawn_from:
            source.write(state)
        for module, attributes in kept:
            now = vars(module)
            for name in now.keys() - attributes.keys() if len(now) > len(attributes) else ():
                del now[name]
            now.update(attributes)
        for members, before in lists:
            members[:] = before
        for entries, known in dicts:
            entries.clear()
            entries.update(known)
        for tensor, values, version in tensors:
            if tensor._version != version:
                with torch.no_grad():
                    tensor.copy_(values)


def _is_compiled(module: nn.Module) -> bool:
    """Whether it is TorchScript, whose attributes and buffers are not Python's."""
    return isinstance(module, torch.jit.ScriptModule)


_CONSTANT = (int, float, str, type(None))
"""Types of attributes that nothing can change in place: most attributes of most modules."""


def _may_keep_something(module: nn.Module) -> bool:
    """Whether a module may have other attributes after it has run; a weight that is none of its parameters was made."""
    if _is_compiled(module):
        return False
    of_pytorch = type(module).__module__.startswith("torch.nn.modules.") and not module._modules
    if not of_pytorch or isinstance(module, nn.RNNBase):
        return True
    return bool(module._forward_pre_hooks or module._forward_hooks) or "weight" in vars(module)


@contextmanager
def _without_autocast(devices: Collection[torch.device]) -> Iterator[None]:
    kinds = {"cpu", *(device.type for device in devices)}
    with ExitStack() as stack:
        for kind in sorted(kinds):
            if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        yield


def gpus_of(model: nn.Module) -> tuple[int, ...]:
    """Return the numbers of the GPUs that hold parameters of a network.

    Args:
        model: the network.
    """
    return _gpus_among({parameter.device for parameter in parameters_in(model)})


def _gpus_among(devices: Collection[torch.device]) -> tuple[int, ...]:
    return tuple(sorted(device.index for device in devices if device.type == "cuda"))


def _counts_changes(value: object) -> TypeGuard[Tensor]:
    return isinstance(value, Tensor) and not value.is_inference()


_KINDS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_FLAGS = ("_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks_with_kwargs")


@contextmanager
def hooks_left_as_found(network: nn.Module) -> Iterator[None]:
    """Restore every hook of the network when the block ends, and the parameters' gradients with them.

    Hooks are those on forward and backward passes, and the pre-hooks of both.
    """
    modules = modules_in(network)
    registered = [
        (hooks, dict(hooks)) for module in modules for kind in (*_KINDS, *_FLAGS) for hooks in [getattr(module, kind)]
    ]
    # A module remembers which kind of backward hook it once had, and refuses the other forever.
    marks = [(module, module._is_full_backward_hook) for module in modules]
    gradients = [(parameter, parameter.grad) for parameter in parameters_in(network)]
    try:
        yield
    finally:
        for hooks, before in registered:
            hooks.clear()
            hooks.update(before)
        for module, mark in marks:
            module._is_full_backward_hook = mark
        for parameter, gradient in gradients:
            parameter.grad = gradient


def hooks_on(network: nn.Module) -> dict[tuple[int, str, int], Any]:
    """Return every hook of a network by the number of its module, its kind, and its number in PyTorch.

    Args:
        network: all its modules are searched.
    """
    return {
        (place, kind, key): function
        for place, module in enumerate(modules_in(network))
        for kind in _KINDS
        for key, function in getattr(module, kind).items()
    }

"""Tensors inside what modules return: tuples, lists and dicts of them, and subclasses of Tensor."""

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence


def map_tensors(function: Callable[[Tensor], Any], value: Any) -> Any:
    """Return `value` with `function` applied to every tensor in it; tuples, lists and dicts keep their kind.

    Args:
        function: what to do with one tensor.
        value: a tensor, or tuples, lists and dicts of them, nested to any depth.
    """
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(map_tensors(function, member) for member in value))
    if isinstance(value, tuple | list):
        return type(value)(map_tensors(function, member) for member in value)
    if isinstance(value, dict):
        # A copy first: subclasses such as a library's "model output" have constructors of their own.
        changed = copy.copy(value)
        for key, member in value.items():
            changed[key] = map_tensors(function, member)
        return changed
    return value


def tensors_in(value: Any) -> list[Tensor]:
    """Return all tensors inside tuples, lists and dicts, in order."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, Mapping):
        value = value.values()
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [tensor for member in value for tensor in tensors_in(member)]
    return []


def plain(tensor: Tensor) -> Tensor:
    """Return the tensor without its subclass (fastai's `TensorImage` and the like), on the same memory."""
    return tensor if type(tensor) is Tensor else tensor.as_subclass(Tensor)


def at_least_single(tensor: Tensor) -> Tensor:
    """Return a floating-point tensor in single precision if it has less, else as it is."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def with_first(output: Any, first: Any) -> Any:
    """Return an output with a new first tensor; a named tuple, such as a packed sequence, keeps its kind.

    Args:
        output: of a module: a tensor, or a tuple.
        first: the new one.
    """
    if not isinstance(output, tuple):
        return first
    if isinstance(output[0], PackedSequence):
        first = with_first(output[0], first)
    members = (first, *output[1:])
    return type(output)(*members) if hasattr(output, "_fields") else members

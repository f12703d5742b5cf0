"""Inside: what a cell may leave switched on in PyTorch and Python, and how an item is judged as if it had not.

A mode that is entered and never left changes every number that comes after it. In a notebook that is what the learner
gets, so cells run under it; but the item that forgot it is not every item. What a cell wrote over in PyTorch's modules
stays.
"""

import contextlib
import faulthandler
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import overrides
from torch.utils import _python_dispatch

_saved = torch._C._autograd


@dataclass(frozen=True)
class Switch:
    """A setting that holds for everything: how it is read and set."""

    get: Callable[[], Any]
    set: Callable[[Any], object]


_SWITCHES: Mapping[str, Switch] = {
    "the default dtype changed": Switch(torch.get_default_dtype, torch.set_default_dtype),
    "the recording of gradients off": Switch(torch.is_grad_enabled, torch.set_grad_enabled),
    "autocast on": Switch(lambda: torch.is_autocast_enabled("cpu"), lambda on: torch.set_autocast_enabled("cpu", on)),
    "autograd's search for anomalies on": Switch(
        lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        lambda both: torch.set_anomaly_enabled(*both),
    ),
    "deterministic algorithms on": Switch(
        lambda: (torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()),
        lambda both: torch.use_deterministic_algorithms(both[0], warn_only=both[1]),
    ),
    "the number of threads changed": Switch(torch.get_num_threads, torch.set_num_threads),
    "NumPy's handling of errors changed": Switch(np.geterr, lambda how: np.seterr(**how)),
    "the limit on recursion changed": Switch(sys.getrecursionlimit, sys.setrecursionlimit),
}
"""How a cell left it, in words for a teacher."""
_HARMLESS = frozenset(
    {
        "the number of threads changed",
        "the limit on recursion changed",
        "deterministic algorithms on",
        "autograd's search for anomalies on",
    }
)
"""Nobody needs to be told of these: they change no result."""


@dataclass(frozen=True)
class Stack:
    """Things that are entered one inside the other: how many there are, and how the last is taken off and put on."""

    pop: Callable[[], Any]
    """Returns None where there is none."""
    push: Callable[[Any], object]


def _pop_function() -> Any:
    return overrides._pop_mode() if torch._C._len_torch_function_stack() else None


def _pop_dispatch() -> Any:
    return _python_dispatch._pop_mode() if torch._C._len_torch_dispatch_stack() else None


def _pop_saved() -> Any:
    both = _saved._top_saved_tensors_default_hooks(True)
    if both is not None:
        _saved._pop_saved_tensors_default_hooks()
    return both


_STACKS: Mapping[str, Stack] = {
    "a TorchFunctionMode on": Stack(_pop_function, overrides._push_mode),
    "a TorchDispatchMode on": Stack(_pop_dispatch, _python_dispatch._push_mode),
    "hooks on saved tensors on": Stack(_pop_saved, lambda both: _saved._push_saved_tensors_default_hooks(*both)),
}
_DEVICE = "a default device on"
_INFERENCE = "inference mode on"


def _emptied(stack: Stack) -> list[Any]:
    """Take off everything; return it, the last first."""
    taken = []
    while (each := stack.pop()) is not None:
        taken.append(each)
    return taken


class Modes:
    """How PyTorch and Python were before the first cell."""

    def __init__(self) -> None:
        self.standard = {name: switch.get() for name, switch in _SWITCHES.items()}

    def left_on(self) -> list[str]:
        """What is other than before the first cell and changes results, in words."""
        left = [name for name, switch in _SWITCHES.items() if switch.get() != self.standard[name]]
        for name, stack in _STACKS.items():
            there = _emptied(stack)
            for each in reversed(there):
                stack.push(each)
            kinds = sorted({type(each).__name__ for each in there})
            left += [_DEVICE if kind == "DeviceContext" else name for kind in kinds]
        left += [_INFERENCE] * torch.is_inference_mode_enabled()
        return [name for name in dict.fromkeys(left) if name not in _HARMLESS]

    @contextlib.contextmanager
    def put_back(self) -> Iterator[None]:
        """For a while everything is as before the first cell; afterwards as the cells left it."""
        faulthandler.cancel_dump_traceback_later()  # one that ends Python, set by a cell, would end it here
        switched = {name: switch.get() for name, switch in _SWITCHES.items()}
        taken = {name: _emptied(stack) for name, stack in _STACKS.items()}
        try:
            with torch.inference_mode(False) if torch.is_inference_mode_enabled() else contextlib.nullcontext():
                _set(self.standard)
                yield
        finally:
            _set(switched)
            for name, stack in _STACKS.items():
                _emptied(stack)  # what the call itself left
                for each in reversed(taken[name]):
                    stack.push(each)


def _set(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if _SWITCHES[name].get() != value:
            _SWITCHES[name].set(value)

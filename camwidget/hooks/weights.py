"""Parameters that a network changes while it runs are put back: replaced, given other numbers, or written into.

Some networks normalise or clip their weights in `forward`. What is replaced costs nothing to put back. What is written
into must have been copied before, and a copy of all weights takes longer than many an explanation: 2 to 230 ms, on
two busy cores, where an explanation of one layer takes 30 to 90, and what is done here 0.3 to 2. So those are copied
for which something speaks; of the others, a change is noticed and said.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import accumulate
from types import CodeType
from typing import NamedTuple

import torch
from torch import Tensor, nn

FEW = 250_000
"""A network with at most so many numbers in all is copied as a whole."""

_LIBRARIES = frozenset({"fastai", "timm", "torch", "torchvision", "transformers"})
"""Packages whose modules write into no weights, but for tables with `max_norm`."""

_WRITING = frozenset({"copyto", "data", "detach", "inference_mode", "no_grad", "numpy", "set_grad_enabled"})
"""Names in the code of a `forward` that may write into weights, besides operations in place, such as `add_`."""


class _Held(NamedTuple):
    """A parameter as it was found."""

    module: nn.Module
    name: str
    weight: Tensor
    own: Tensor
    """The same numbers in the same memory, whatever the parameter is given meanwhile."""
    version: int
    copy: Tensor | None
    """The numbers themselves, where the network may write into them."""


@contextmanager
def weights_left_as_found(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Put back, when the block ends, what a network has made of its parameters, and warn of what cannot be put back.

    Args:
        modules: all modules of the network, it itself first.
    """
    places = [(module, list(module._parameters.items())) for module in modules if _is_open(module)]
    held = _held(modules, places)
    try:
        yield
    finally:
        for module, weights in places:
            if len(module._parameters) != len(weights) or any(
                module._parameters.get(name) is not weight for name, weight in weights
            ):
                module._parameters.clear()
                module._parameters.update(weights)
        changed = [each for each in held if not _put_back(each)]
        if changed:
            warnings.warn(_said(modules[0], changed[0].weight), stacklevel=2)


def _is_open(module: nn.Module) -> bool:
    return bool(not isinstance(module, torch.jit.ScriptModule) and module._parameters)


def _held(
    modules: Sequence[nn.Module], places: Sequence[tuple[nn.Module, list[tuple[str, nn.Parameter | None]]]]
) -> list[_Held]:
    found = {
        id(weight): (module, name, weight)
        for module, weights in places
        for name, weight in weights
        if type(weight) is nn.Parameter and weight.layout == torch.strided and not _has_no_version(weight)
    }
    numbers = accumulate(weight.numel() for _, _, weight in found.values())
    is_small = all(count <= FEW for count in numbers)  # the first that is too many is the last that is counted
    written = set(found) if is_small else _may_be_written(modules)
    return [
        _Held(module, name, weight, own := weight.detach(), own._version, own.clone() if key in written else None)
        for key, (module, name, weight) in found.items()
    ]


def _has_no_version(weight: Tensor) -> bool:
    return weight.is_inference() or weight.is_meta


def _put_back(held: _Held) -> bool:
    """Put one parameter back; False if that cannot be done."""
    weight, own = held.weight, held.own
    if not weight.is_set_to(own):
        weight.data = own
    if held.copy is None:
        return own._version == held.version
    # What is written through `.data` or numpy is not counted.
    if not torch.equal(own, held.copy):
        with torch.no_grad():
            own.copy_(held.copy)
    return True


def _may_be_written(modules: Sequence[nn.Module]) -> set[int]:
    """The numbers of the parameters that a network may write into, judging by its modules' code and hooks."""
    found: set[int] = set()
    for module in modules:
        if isinstance(module, torch.jit.ScriptModule):
            continue
        if _writes(type(module)):
            found |= {id(weight) for weight in module.parameters()}
        elif (
            module._forward_hooks
            or module._forward_pre_hooks
            or not _is_of_a_library(type(module))
            or vars(module).get("max_norm") is not None
        ):
            found |= {id(weight) for weight in module._parameters.values()}
    return found


def _is_of_a_library(kind: type[nn.Module]) -> bool:
    return kind.__module__.partition(".")[0] in _LIBRARIES


def _writes(kind: type[nn.Module]) -> bool:
    """Whether the code of a module of one's own names what may write into weights, its own or those inside."""
    code = getattr(kind.forward, "__code__", None)
    return not _is_of_a_library(kind) and (code is None or _names_writing(code))


@lru_cache(maxsize=1024)
def _names_writing(code: CodeType) -> bool:
    return any(map(_is_writing, _names_in(code)))


def _is_writing(name: str) -> bool:
    return name in _WRITING or (name.endswith("_") and not name.startswith("_"))


def _names_in(code: CodeType) -> set[str]:
    inside = [each for each in code.co_consts if isinstance(each, CodeType)]
    return {*code.co_names, *(name for each in inside for name in _names_in(each))}


def _said(network: nn.Module, weight: Tensor) -> str:
    name = next((name for name, each in network.named_parameters() if each is weight), "")
    return (
        f"{type(network).__name__} wrote into its parameter {name!r} while it ran, and it was not copied before, "
        "because nothing in the code of its modules spoke for that: its numbers are not those from before. Load them "
        "again, or let forward compute with other numbers instead of writing into the parameter."
    )

"""A second network like the first, for what must not touch the first."""

import copy
from typing import Any

from torch import Tensor, nn

from camwidget.errors import ModelError, three_parts
from camwidget.hooks.tensors import tensors_in
from camwidget.hooks.turns import alone_with
from camwidget.hooks.walk import modules_in


def copied(network: nn.Module, *, why: str, try_: str) -> nn.Module:
    """Return a network with the same weights, buffers, flags and hooks; it takes the memory of the first once more.

    Args:
        network: the network.
        why: a copy is needed, for the message if there can be none.
        try_: what to try then.

    Raises:
        ModelError: the network cannot be copied.
    """
    with alone_with(network):
        # Besides its parameters a module may keep tensors with a history, which PyTorch does not copy: fastai's
        # AWD-LSTM keeps the weights made by its dropout. A copy makes them again, or continues from their values.
        owners = [*modules_in(network), *_owners_of_hooks(network)]
        kept = [
            tensor
            for owner in owners
            for value in vars(owner).values()
            if isinstance(value, Tensor | list | tuple)
            for tensor in tensors_in(value)
        ]
        values = {id(tensor): tensor.detach().clone() for tensor in kept if not tensor.is_leaf}
        try:
            return copy.deepcopy(network, values)
        except (RuntimeError, TypeError) as error:
            given = f"This {type(network).__name__} cannot be copied: {error}"
            raise ModelError(three_parts(given, why, try_)) from error


def _owners_of_hooks(network: nn.Module) -> list[Any]:
    """The objects whose methods are hooks of the network: they are copied with it."""
    hooks = (
        hook
        for module in modules_in(network)
        for kind in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
        for hook in kind.values()
    )
    owners = [getattr(hook, "__self__", None) for hook in hooks]
    return [owner for owner in owners if hasattr(owner, "__dict__")]

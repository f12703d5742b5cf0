"""What both sides know of networks: where their hooks are, and how their tensors were.

So of tensors only those go over the line that have changed.
"""

import torch
from torch import Tensor, nn
from torch.nn.modules import module as pytorchs

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
"""Where a module keeps its hooks, by kind."""


GLOBAL_HOOKS = tuple(name for name in vars(pytorchs) if name.startswith("_global_") and name.endswith("_hooks"))
"""Where PyTorch keeps those of all modules."""


MOST_RUNS = 200
"""Runs of a network that are told of one call; the judges count up to six."""


class Kept:
    """How a tensor was: its numbers, whether it asks for gradients, and its gradient.

    Args:
        tensor: as it is now.
    """

    def __init__(self, tensor: Tensor) -> None:
        self.values = tensor.detach().clone()
        self.required = tensor.requires_grad
        self.gradient = None if tensor.grad is None else tensor.grad.detach().clone()

    def is_like(self, tensor: Tensor) -> bool:
        """Whether a tensor is still so.

        Args:
            tensor: the same, later.
        """
        return (
            tensor.requires_grad == self.required
            and (tensor.grad is None) == (self.gradient is None)
            and _same(self.values, tensor.detach())
            and (tensor.grad is None or self.gradient is None or _same(self.gradient, tensor.grad))
        )


def _same(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and torch.equal(one, other)


def own_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers of a module itself, by name.

    Args:
        module: what it contains is left out.
    """
    both = {**module._parameters, **module._buffers}
    return {name: each for name, each in both.items() if each is not None}

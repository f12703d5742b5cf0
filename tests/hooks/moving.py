"""A network that moves the picture, or what it made of it."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

Change = Callable[[Tensor], Tensor]


class Moving(nn.Module):
    """Two convolutions; the picture, or what the first one returns, is changed before it goes on."""

    def __init__(self, before: Change = Tensor.clone, between: Change = Tensor.clone) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.second = nn.Conv2d(6, 5, 3, stride=2, padding=1)
        self.head = nn.Linear(5, 3)
        self.before, self.between = before, between

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.first(self.before(inputs)).relu()
        return self.head(self.second(self.between(hidden)).relu().mean(dim=(2, 3)))


def photo(height: int = 32, width: int = 48) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(5), dtype=torch.float64)

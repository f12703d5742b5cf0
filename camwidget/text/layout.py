"""How a layer's outputs lie on a text, its chunks side by side, and how they are put back."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.hooks.layout import LAST_CALL, OneCall
from camwidget.hooks.tensors import at_least_single

FIRST = 0
"""The axis of the positions where they come first, in front of the batch or without one."""


@dataclass(frozen=True)
class Chunks(OneCall):
    """How a layer's outputs lie on a text, which is a picture one row high, its chunks side by side.

    So activations and gradients have the axes (1, channel, 1, position), and the arithmetic of maps is the same as for
    pictures.
    """

    axis: int
    """Which axis of each output holds the positions: 1 or 2, or `FIRST`."""
    lengths: tuple[int, ...]
    """The number of positions in each call that is used: all chunks, or one call over the whole text."""
    call: int = LAST_CALL
    """Which call over the whole text is used; see `OneCall`."""

    def calls(self, ran: int) -> range:
        """Return which calls are used, from 0: all chunks, or one call over the whole text."""
        return range(ran) if len(self.lengths) > 1 else super().calls(ran)

    def as_map(self, outputs: Sequence[Tensor]) -> Float[Tensor, "1 channel 1 position"]:
        """Return the parts of a text joined, channels first, in single precision if the layer has less."""
        whole = at_least_single(torch.cat(list(outputs), dim=self.axis).detach())
        if self.axis == FIRST:
            whole = whole.flatten(1)[None]
        return (whole if self.axis == 2 else whole.transpose(1, 2))[:, :, None]

    def put_back(self, activation: Tensor, own: Tensor, *, part: int) -> Tensor:
        """Return the part of an activation that belongs to one call, in the layer's own layout and dtype."""
        start = sum(self.lengths[:part])
        chunk = activation[:, :, 0, start : start + self.lengths[part]]
        chunk = chunk if self.axis == 2 else chunk.transpose(1, 2)
        return chunk.reshape(own.shape).to(own.dtype, copy=True)


@dataclass(frozen=True)
class Anywhere(OneCall):
    """A layer whose outputs lie nowhere on the text: of its map there is one place, and it means nothing."""

    call: int = LAST_CALL
    """See `OneCall`."""

    def as_map(self, outputs: Sequence[Tensor]) -> Float[Tensor, "1 channel 1 1"]:
        """Return the first row of channels of the one output."""
        return at_least_single(outputs[-1].detach().reshape(-1, outputs[-1].shape[-1])[:1, :, None, None])

    def put_back(self, activation: Tensor, own: Tensor, *, part: int) -> Tensor:
        """Return the layer's own output: nothing can take its place."""
        return own.clone()

"""Whether the rows of a batch leave each other alone: one of them is run alone, and once more among others.

A network may hand something on from row to row in one direction only, or treat the first row as no other. So the row
has others on both sides.
"""

import torch
from jaxtyping import Shaped
from torch import Tensor

AMONG = 1
"""The number of the row, from 0, in a batch that `among` has made."""

_AS_ROUNDED = {torch.float64: 1e-8, torch.float32: 1e-3}
_AS_ROUNDED_IN_HALF = 0.05


def rounding_in(kind: torch.dtype) -> float:
    """Return up to which part of the largest value a difference is put down to rounding.

    Kernels add up in another order for another number of rows.

    Args:
        kind: in which a network computes.
    """
    return _AS_ROUNDED.get(kind, _AS_ROUNDED_IN_HALF)


def among(row: Shaped[Tensor, "1 ..."], others: Shaped[Tensor, "others ..."]) -> Shaped[Tensor, "batch ..."]:
    """Return a batch with the last of some rows, then one row, as number `AMONG`, then all the others.

    Args:
        row: one picture, or one text.
        others: at least one, unlike it.
    """
    return torch.cat([others[-1:], row, others])


def of_the_others(batch: Shaped[Tensor, "batch ..."]) -> Shaped[Tensor, "others ..."]:
    """Return all other rows.

    Args:
        batch: what belongs to the rows of a batch that `among` has made.
    """
    return torch.cat([batch[:AMONG], batch[AMONG + 1 :]])


def as_alone(alone: Shaped[Tensor, "1 ..."], batch: Shaped[Tensor, "..."], *, tolerance: float) -> bool:
    """Return whether a network has computed the same of a row alone and of that row among others.

    Args:
        alone: its logits, or the output of a layer.
        batch: the same, of the batch that `among` has made.
        tolerance: the largest difference, as a part of the largest value of the row alone.
    """
    one = batch[AMONG : AMONG + 1]
    return one.shape == alone.shape and bool((alone - one).abs().max() <= tolerance * alone.abs().max())

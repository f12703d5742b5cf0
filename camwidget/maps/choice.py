"""Which classes a network finds most probable."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from camwidget.hooks.tensors import at_least_single
from camwidget.maps.activation import Activation


def most_probable(
    logits: Float[Tensor, "batch class"], activation: Activation, *, count: int = 1
) -> Int[Tensor, "batch target_class"]:
    """Return the most probable classes of each picture, most probable first; of values, the first.

    Args:
        logits: what the network returned.
        activation: what they mean.
        count: how many classes.
    """
    if not activation.is_probability:
        return torch.arange(count, device=logits.device).expand(len(logits), count)
    # A known activation keeps the order of the logits, in which no two round to one number.
    scores = logits if activation.log is not None else activation.function(at_least_single(logits).cpu())
    return scores.topk(count, dim=1).indices.to(logits.device)

"""Which classes are explained: the most probable, and one for each of several pictures or texts."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from camwidget.errors import ClassError, three_parts
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


def refuse_other_count(true_classes: Any, count: int, *, what: str) -> None:
    """Refuse true classes that are not one for each.

    Args:
        true_classes: what was given, with a length.
        count: of the pictures or texts.
        what: one of them is, in a word.

    Raises:
        ClassError: it is a single name, or there are more or fewer.
    """
    if not isinstance(true_classes, str) and len(true_classes) == count:
        return
    single = isinstance(true_classes, str)
    given = f"true_classes is one str, {true_classes!r}" if single else f"There are {len(true_classes)} true classes"
    allowed = f"There must be one for each of the {count} {what}s"
    raise ClassError(three_parts(given, allowed, f"Give an index or a name for each {what}, in their order"))

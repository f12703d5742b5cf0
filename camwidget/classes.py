"""Classes: found by index or by name, and how probable they are."""

import operator
from collections.abc import Sequence
from typing import SupportsIndex

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from camwidget.errors import ClassError, nearest, three_parts


def class_index(target_class: SupportsIndex | str, class_names: Sequence[str]) -> int:
    """Return the index of a class given by index or by name.

    Args:
        target_class: the index, or the name as in `class_names` (upper and lower case count).
        class_names: all names.

    Raises:
        ClassError: there is no such class, or several of that name.
    """
    last = len(class_names) - 1
    allowed = f"The model has {last + 1} classes, 0 to {last}"
    if isinstance(target_class, bool):
        target_class = str(target_class)  # the names of fastai's is_cat learner are False and True
    if isinstance(target_class, str):
        places = [index for index, name in enumerate(class_names) if name == target_class]
        if len(places) == 1:
            return places[0]
        if places:
            given, advice = f"{len(places)} classes are called {target_class!r}", f"Give the index: one of {places}"
            raise ClassError(three_parts(given, allowed, advice))
        close = " or ".join(repr(name) for name in nearest(target_class, class_names))
        advice = f"Did you mean {close}?" if close else f"Names are such as {class_names[0]!r}, or give an index"
        raise ClassError(three_parts(f"There is no class {target_class!r}", allowed, advice))
    try:
        index = operator.index(target_class)
    except TypeError:
        given = f"A class was given as {target_class!r}, of type {type(target_class).__name__}"
        raise ClassError(three_parts(given, allowed, "Give an index or a name")) from None
    if not 0 <= index <= last:
        raise ClassError(three_parts(f"There is no class {index}", allowed, "Give such an index, or a name"))
    return index


def log_probabilities(logits: Float[Tensor, "batch class"]) -> Float[Tensor, "batch class"]:
    """Return the logarithms of the probabilities: of softmax, or of the sigmoid where there is one logit.

    A model with one logit tells one class from all else, and is trained with the sigmoid (binary cross-entropy).

    Args:
        logits: of each picture.
    """
    return functional.logsigmoid(logits) if logits.shape[1] == 1 else logits.log_softmax(dim=1)

"""What `explain` was asked for (model, layers, classes, methods, names), checked and made uniform."""

import operator
from collections.abc import Sequence
from typing import Any, Protocol, SupportsIndex, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from camwidget.errors import ClassError, LayerError, MapError, nearest, three_parts
from camwidget.maps.methods import METHODS


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


TOP_CLASSES = 10
"""How many classes are explained where none are asked for."""


@runtime_checkable
class LearnerLike(Protocol):
    """What is used of a fastai Learner."""

    dls: Any
    model: Any


Explainable = nn.Module | LearnerLike
"""A classifier: a torch module that returns logits, or a fastai Learner."""


def network_of(model: Explainable) -> nn.Module:
    """Return the torch module that is run.

    Raises:
        TypeError: the model is neither a Learner nor a module.
    """
    network = model if isinstance(model, nn.Module) else getattr(model, "model", None)
    if isinstance(network, nn.Module):
        return network
    given = f"The model is {type(model).__name__}"
    raise TypeError(three_parts(given, "It must be a fastai Learner or a torch.nn.Module", "Pass learn"))


def names_of(model: Explainable, class_names: Sequence[str] | None, *, count: int) -> tuple[str, ...]:
    """Return a name for each of `count` classes: those given, else the Learner's or the model's own, else numbers.

    Raises:
        ClassError: the names given are not as many as the classes.
    """
    if class_names is None:
        owner = model if isinstance(model, nn.Module) else model.dls
        own: Any = getattr(owner, "class_names" if isinstance(model, nn.Module) else "vocab", ())
        names = tuple(str(name) for name in own)
        return names if len(names) == count else tuple(f"class {index}" for index in range(count))
    if isinstance(class_names, str) or len(class_names) != count:
        given = "class_names is one str" if isinstance(class_names, str) else f"There are {len(class_names)} names"
        allowed = f"The model has {count} classes, so there must be {count} names"
        raise ClassError(three_parts(given, allowed, "Give one name per class, in the order of the logits"))
    return tuple(str(name) for name in class_names)


def targets_of(
    target_classes: Sequence[SupportsIndex | str] | None, logits: Float[Tensor, "1 class"], names: Sequence[str]
) -> list[int]:
    """Return the indices of the classes to explain, without repeats; the most probable ones where none are asked for.

    Raises:
        ClassError: there is no such class, or none at all was asked for.
    """
    if target_classes is None:
        return logits[0].topk(min(TOP_CLASSES, logits.shape[1])).indices.tolist()
    if not target_classes:
        raise ClassError(
            three_parts("target_classes is empty", "It needs at least one class", "None means the top ten")
        )
    return list(dict.fromkeys(class_index(each, names) for each in target_classes))


def methods_of(methods: Sequence[str], *, known: Sequence[str] = METHODS, default: str = "grad_cam") -> tuple[str, ...]:
    """Return the methods asked for, without repeats.

    Args:
        methods: the methods asked for.
        known: those that there are.
        default: the one that a message proposes.

    Raises:
        MapError: there is no such method, or none was asked for.
    """
    methods = listed(methods) or ()
    for method in methods:
        if method not in known:
            close = nearest(str(method), known)
            advice = f"Did you mean {close[0]!r}?" if close else f"The default is {default!r}"
            allowed = f"Methods are {', '.join(map(repr, known))}"
            raise MapError(three_parts(f"There is no method {method!r}", allowed, advice))
    if not methods:
        raise MapError(three_parts("No method was asked for", f"Methods are {', '.join(known)}", "Name at least one"))
    return tuple(dict.fromkeys(methods))


def layers_of(layers: Sequence[str] | str | None) -> list[str] | None:
    """Return the names of the layers asked for, without repeats; None where none were.

    Raises:
        LayerError: the list is empty.
    """
    names = listed(layers)
    if names == []:
        advice = "layers=None chooses a good set; candidate_layers(model) lists it"
        raise LayerError(three_parts("No layer was asked for", "layers holds at least one dotted name", advice))
    return None if names is None else list(dict.fromkeys(names))


def listed(value: Any) -> list[Any] | None:
    """Return several values as a list, a single one (a layer name, a class) as a list of one, None as None."""
    if value is None:
        return None
    return list(value) if not isinstance(value, str) and hasattr(value, "__iter__") else [value]


def finite(name: str, cams: Tensor) -> Tensor:
    """Return the maps of a layer.

    Raises:
        MapError: they hold NaN or infinity.
    """
    if bool(torch.isfinite(cams).all()):
        return cams
    given, allowed = f"The maps of layer {name!r} hold NaN or infinity", "Every value of a map must be a finite number"
    raise MapError(three_parts(given, allowed, "Numbers overflowed: try model.float() or another layer"))

"""What is to be explained: the network in a model, a picture as its inputs and as seen, classes and their names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, SupportsIndex, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from camwidget.classes import class_index
from camwidget.errors import ClassError, ImageError, LayerError, MapError, nearest, three_parts
from camwidget.images import Normalisation, normalisation_of, to_image, to_inputs
from camwidget.methods import METHODS
from camwidget.pictures import open_image
from camwidget.tensors import plain

TOP_CLASSES = 10
"""How many classes are explained where none are asked for."""


@runtime_checkable
class LearnerLike(Protocol):
    """What is used of a fastai Learner."""

    dls: Any
    model: Any


Explainable = nn.Module | LearnerLike
"""A classifier: a torch module that returns logits, or a fastai Learner."""

Picture = Image.Image | str | Path | bytes | np.ndarray | Tensor
"""A picture in any form that `open_image` reads, or a normalised float tensor of shape (1, 3, height, width)."""


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


def prepared(model: Explainable, picture: Picture) -> tuple[Float[Tensor, "1 3 height width"], Image.Image]:
    """Return the inputs, on the model's device and of its dtype, and the picture that the network sees in them.

    A Learner prepares pictures with its own transforms; for other models it is the usual crop and normalisation. A
    tensor is taken to be prepared already.

    Args:
        model: a Learner or module.
        picture: see `Picture`.

    Raises:
        ImageError: the picture cannot be read, or the tensor is not one normalised picture.
    """
    network = network_of(model)
    learner = None if isinstance(model, nn.Module) else model
    mean, std, size = normalisation_of(network) if learner is None else _learner_normalisation(learner)
    if isinstance(picture, Tensor):
        inputs = _checked(plain(picture.detach()))
    elif learner is None:
        inputs = to_inputs(open_image(picture), size=size, mean=mean, std=std)
    else:
        inputs = _learner_inputs(learner, open_image(picture))
    image = to_image(inputs, mean=mean, std=std)
    like = next((each for each in network.parameters() if each.is_floating_point()), inputs)
    return inputs.to(device=like.device, dtype=like.dtype), image


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


def _checked(inputs: Tensor) -> Float[Tensor, "1 3 height width"]:
    allowed = "A tensor is one normalised picture: floating-point, shape (1, 3, height, width), every number finite"
    given = f"The inputs are a {inputs.dtype} tensor of shape {tuple(inputs.shape)}"
    if inputs.ndim == 4 and inputs.shape[0] != 1:
        advice = "One picture is explained at a time: pass inputs[:1] for the first"
    elif inputs.ndim == 3:
        advice = "Add the batch axis with inputs[None]"
    elif not inputs.is_floating_point():
        advice = "Pass the picture itself (a PIL image, a path, an array) and it is normalised for you"
    elif inputs.ndim != 4 or inputs.shape[1] != 3 or not inputs.numel():
        advice = "For a grey picture repeat the channel: inputs.expand(1, 3, -1, -1)"
    elif not bool(torch.isfinite(inputs).all()):
        given, advice = f"{given} that holds NaN or infinity", "Look at how the inputs were normalised"
    else:
        return inputs
    raise ImageError(three_parts(given, allowed, advice))


def _learner_inputs(learner: LearnerLike, image: Image.Image) -> Float[Tensor, "1 3 height width"]:
    # Only a process that holds a Learner gets here, so fastai is there already.
    from fastai.vision.core import PILImage  # noqa: PLC0415

    # A data loader draws a random seed when it starts, and would start worker processes for one picture.
    with torch.random.fork_rng(devices=[]):
        batch = next(iter(learner.dls.test_dl([PILImage.create(image)], num_workers=0)))
    return plain(batch[0].detach())


def _learner_normalisation(learner: LearnerLike) -> Normalisation:
    """The mean and deviation of the Learner's Normalize, or those that change nothing where it has none; no size."""
    for transform in getattr(learner.dls.valid.after_batch, "fs", ()):
        if type(transform).__name__ == "Normalize":
            return Normalisation(tuple(transform.mean.flatten().tolist()), tuple(transform.std.flatten().tolist()), 0)
    return Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 0)

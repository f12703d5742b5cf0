"""`explain_batch`: maps of many pictures, with one forward pass and one backward pass for a batch of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, SupportsIndex, Unpack

import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor

from camwidget.errors import CamwidgetError, ClassError, ImageError, MapError, a_kind, three_parts
from camwidget.given import whole
from camwidget.hooks.batch import BatchCapture, open_batch_capture
from camwidget.maps.activation import Activation
from camwidget.maps.arguments import (
    Asked,
    Explainable,
    Request,
    class_index,
    network_of,
    request_of,
    sizes_of,
)
from camwidget.maps.batch import BatchMaps, batch_maps
from camwidget.maps.call import Call, call_for
from camwidget.maps.choice import refuse_other_count
from camwidget.maps.methods import EXPENSIVE
from camwidget.maps.readout import Readout
from camwidget.maps.results import Explanations
from camwidget.pictures.explain import meaning_of, parted
from camwidget.pictures.inputs import Picture, Prepared, prepared
from camwidget.pictures.preparation import Prepare
from camwidget.pictures.result import Explanation

BATCH_SIZE = 16
"""How many pictures are run at once."""

TrueClasses = Sequence[SupportsIndex | str]
"""The true class of each picture, by index or name."""


Pictures = Any
"""Several `Picture`s one after the other, or a tensor (batch, 3, height, width); what else is given is refused."""


@dataclass(frozen=True, eq=False)
class BatchReader:
    """Makes maps of prepared batches of one size, for the same classes or layers again and again."""

    capture: BatchCapture
    """The layers, and how the network is run."""
    request: Request
    """What was asked for."""
    class_names: tuple[str, ...]
    """A name for every class."""
    activation: Activation
    """What the logits mean."""

    @property
    def one_by_one(self) -> str:
        """Why pictures are run one after the other, in sentences; empty if a batch is run at once."""
        return self.capture.one_by_one

    def maps(
        self, pixels: Float[Tensor, "batch channel height width"], *, true_classes: TrueClasses | Tensor | None = None
    ) -> BatchMaps:
        """Return the maps of a batch: first of the classes asked for, or of each picture's most probable one.

        Args:
            pixels: normalised pictures of the size with which this was opened, on the network's device and of its
                dtype.
            true_classes: a class for each picture, whose map comes last; None for no such map.

        Raises:
            ClassError: there is no such class, or not one for each picture.
            MapError: plain CAM is not valid from a layer, or the maps are not finite.
            ModelError: the network does not return finite logits for each picture.
        """
        asked = self.request.target_classes
        fixed = [class_index(target, self.class_names) for target in asked or ()]
        columns = [torch.tensor(fixed, dtype=torch.long).expand(len(pixels), len(fixed))]
        if true_classes is not None:
            columns.append(self._indices(true_classes, len(pixels))[:, None])
        given, method = torch.cat(columns, dim=1), self.request.methods[0]
        predicted = self.activation if asked is None else None
        if predicted is None and not given.shape[1]:
            advice = "target_classes=None means the most probable class of each picture"
            raise ClassError(three_parts("target_classes is empty", "It needs at least one class", advice))
        with torch.inference_mode(False):
            return batch_maps(self.capture, pixels, given, predicted=predicted, method=method)

    def _indices(self, classes: TrueClasses | Tensor, count: int) -> Int[Tensor, " batch"]:
        refuse_other_count(classes, count, what="picture")
        if isinstance(classes, Tensor):
            return classes.detach().to("cpu", torch.long).view(count)
        return torch.tensor([class_index(each, self.class_names) for each in classes])


@contextmanager
def open_batches(
    model: Explainable, pixels: Float[Tensor, "1 channel height width"], *, method: str, **asked: Unpack[Asked]
) -> Iterator[BatchReader]:
    """Yield what makes maps of prepared batches; the model is left as found when the block ends.

    For many batches, in a loop inside the block. Layers are found with the picture given, and so is whether pictures
    leave each other alone when they are run at once.

    Args:
        model: see `explain_batch`.
        pixels: one prepared picture, of the size of all others.
        method: see `explain_batch`.
        **asked: see `explain_batch`.

    Raises:
        CamwidgetError: see `explain_batch`.
    """
    request = _request(model, method, asked)
    network = network_of(model)
    opened = open_batch_capture(
        network,
        pixels,
        request.layers,
        call=request.shown_call,
        sizes=sizes_of(request.grid),
        scores=request.scores,
    )
    with torch.inference_mode(False), opened as (batches, logits):
        names, activation = meaning_of(request, model, batches.capture, pixels, logits)
        yield BatchReader(batches, request, names, activation)


def explain_batch(
    model: Explainable,
    pictures: Pictures,
    *,
    method: str = "grad_cam",
    true_classes: TrueClasses | None = None,
    batch_size: int = BATCH_SIZE,
    **asked: Any,
) -> Explanations[Explanation]:
    """Return what one method says about many pictures, by one forward and one backward pass per batch and class.

    The maps are those that `explain` makes of each picture. If the network mixes the pictures of a batch, which is
    found out by an experiment, they are run one by one, and `one_by_one` of the result says why. The model is left as
    found.

    Args:
        model: a fastai Learner or a torch module.
        pictures: pictures in any form that `explain` takes, or normalised tensors, (batch, 3, height, width) or one by
            one. Pictures of different sizes may be mixed; only neighbours of one size share a pass.
        method: as for `explain`, but not `"score_cam"`, which needs many passes for each picture.
        true_classes: a class for each picture, by index or name: each has a map of it, besides those of
            `target_classes`.
        batch_size: how many pictures are run at once; memory grows with it.
        **asked: `layers` (None for the deepest with a map alone, so that the backward pass is short),
            `target_classes` (the same for all pictures; None for the most probable class of each), `class_names`,
            `activation`, `call`, `grid` and `target`, see `camwidget.maps.arguments.request_of`; and `transform`,
            `mean`, `std` and `size`, see `camwidget.pictures.preparation.preparation_of`.

    Raises:
        ClassError: there is no such class, or not as many true classes as pictures.
        ImageError: a picture cannot be read, or there is none.
        MapError: there is no such method, it needs more than one pass, or plain CAM is not valid from a layer.
        CamwidgetError: see `explain`.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
        >>> results = explain_batch(model, torch.rand(5, 3, 8, 10), true_classes=[0, 1, 1, 0, 1])
        >>> results[4].cam(target_class=1).shape
        torch.Size([6, 8])
    """
    preparing, others = parted(asked)
    batch_size = whole(batch_size, "batch_size", least=1, try_=f"Leave it out for {BATCH_SIZE}")
    _request(model, method, others)  # what cannot be used is refused before a picture is read
    singles = _pictures(pictures)
    if true_classes is not None:
        refuse_other_count(true_classes, len(singles), what="picture")
    readers: dict[tuple[int, ...], BatchReader] = {}
    results: list[Explanation] = []
    with ExitStack() as stack:
        for batch in _batches(model, singles, preparing, batch_size):
            pixels = torch.cat([picture.inputs for picture in batch])
            size = tuple(pixels.shape[1:])
            if size not in readers:
                opened = open_batches(model, pixels[:1], method=method, **others)
                readers[size] = stack.enter_context(opened)
            here = slice(len(results), len(results) + len(batch))
            true = None if true_classes is None else list(true_classes)[here]
            maps = readers[size].maps(pixels, true_classes=true)
            calls = partial(_call, model, readers[size], preparing)
            results += _explanations(readers[size], maps, zip(singles[here], batch, strict=True), calls)
    reasons = [reader.one_by_one for reader in readers.values() if reader.one_by_one]
    return Explanations(tuple(results), one_by_one=reasons[0] if reasons else "")


def _request(model: Explainable, method: str, asked: Asked) -> Request:
    """The request, refused where a batch cannot do what is asked for."""
    request = request_of(model, (method,), **asked)
    advice = "Use explain for each picture: [cw.explain(model, picture, ...) for picture in pictures]"
    if request.methods[0] in EXPENSIVE:
        given = f"method={method!r} runs the network many times for each picture"
        raise MapError(three_parts(given, "explain_batch has methods that take one pass", advice))
    if request.hooks.names:
        given = f"{' and '.join(request.hooks.names)} was given to explain_batch"
        raise CamwidgetError(
            three_parts(given, "Hook classes of your own are tried with one picture at a time", advice)
        )
    return request


def _pictures(pictures: Pictures) -> list[Any]:
    """The pictures one by one; tensors with the axis for one picture."""
    single = isinstance(pictures, str | bytes | Image.Image) or not hasattr(pictures, "__iter__")
    if single or getattr(pictures, "ndim", 4) < 4:
        given = f"pictures is {a_kind(pictures)}"
        given += f" of shape {tuple(pictures.shape)}" if hasattr(pictures, "shape") else ""
        allowed = "explain_batch takes several: a list of pictures, or a tensor (batch, 3, height, width)"
        raise ImageError(three_parts(given, allowed, "For one picture use explain, or pass [picture]"))
    singles: list[Any] = [each[None] if isinstance(each, Tensor) and each.ndim == 3 else each for each in pictures]
    if not singles:
        raise ImageError(three_parts("There is no picture", "explain_batch needs at least one", "Check the list"))
    return singles


def _batches(
    model: Explainable, pictures: Sequence[Picture], preparing: Prepare, batch_size: int
) -> Iterator[list[Prepared]]:
    """Prepared pictures in batches of neighbours of one size."""
    batch: list[Prepared] = []
    for picture in pictures:
        ready = prepared(model, picture, **preparing)
        if batch and (len(batch) >= batch_size or batch[0].inputs.shape != ready.inputs.shape):
            yield batch
            batch = []
        batch.append(ready)
    yield batch


def _explanations(
    reader: BatchReader,
    maps: BatchMaps,
    pictures: Iterable[tuple[Picture, Prepared]],
    calls: Callable[[Picture, Sequence[int]], Call],
) -> Iterator[Explanation]:
    """A result for each picture, on memory of its own."""
    layers = tuple(kept.layer for kept in reader.capture.kept)
    for row, (picture, ready) in enumerate(pictures):
        targets = maps.target_classes[row].tolist()
        columns = [targets.index(target) for target in dict.fromkeys(targets)]
        yield Explanation(
            method=reader.request.methods[0],
            layers=layers,
            target_classes=tuple(dict.fromkeys(targets)),
            class_names=reader.class_names,
            logits=maps.logits[row].clone(),
            cams=MappingProxyType({name: cams[row, columns] for name, cams in maps.cams.items()}),
            readouts=MappingProxyType(
                {
                    name: Readout(weight[row, columns], bias[row, columns])
                    for name, (weight, bias) in maps.readouts.items()
                }
            ),
            refusals=MappingProxyType({}),
            call=calls(picture, list(dict.fromkeys(targets))),
            activation=reader.activation,
            image=ready.image,
            notes=ready.notes + reader.capture.capture.notes,
        )


def _call(
    model: Explainable, reader: BatchReader, preparing: Prepare, picture: Picture, targets: Sequence[int]
) -> Call:
    request = reader.request
    return call_for(
        model,
        picture,
        kind="image",
        layers=[kept.layer.name for kept in reader.capture.kept],
        target_classes=targets,
        class_names=request.class_names,
        activation=request.activation,
        hooks={},
        call=request.call,
        grid=request.grid,
        preparing=preparing,
        target=request.target,
        method=request.methods[0],
    )

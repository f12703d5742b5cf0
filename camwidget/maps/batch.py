"""Maps of a whole batch: one forward pass for all pictures, one backward pass for one class of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import torch
from jaxtyping import Float, Int
from torch import Tensor

from camwidget.errors import ClassError, MapError, three_parts
from camwidget.hooks.batch import BatchCapture
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.tensors import at_least_single
from camwidget.maps.activation import Activation
from camwidget.maps.choice import most_probable
from camwidget.maps.methods import Reduced, maps_of, reduce_gradients, why_cancelled
from camwidget.maps.pipeline import Run, finite, readouts_of
from camwidget.maps.readout import Readout


@dataclass(frozen=True, eq=False, kw_only=True)
class BatchMaps:
    """What one method says about each picture of a batch, on the CPU. Numbers are raw: signed and unscaled."""

    logits: Float[Tensor, "batch class"]
    """Every output of the network."""
    target_classes: Int[Tensor, "batch target_class"]
    """The classes of which each picture has a map."""
    cams: Mapping[str, Float[Tensor, "batch target_class map_height map_width"]]
    """Layer name to maps."""
    readouts: Mapping[str, tuple[Float[Tensor, "batch target_class channel"], Float[Tensor, "batch target_class"]]]
    """For plain CAM, layer name to the weights and the biases of each picture's classes; see `Readout`."""


def batch_maps(
    opened: BatchCapture,
    pixels: Float[Tensor, "batch channel height width"],
    given: Int[Tensor, "batch given"],
    *,
    predicted: Activation | None,
    method: str,
) -> BatchMaps:
    """Return the maps of all pictures of a batch.

    One forward pass, and one backward pass for each of a picture's classes: what is differentiated is the sum of one
    logit of each picture. The backward pass ends at the first of the layers. Plain CAM takes a few more passes of one
    picture, in which its validity is tested for all classes of the batch.

    Args:
        opened: the layers, and how to run the network.
        pixels: normalised pictures.
        given: classes of each picture; there may be none.
        predicted: what the logits mean, for a map of the most probable class, before those given; None for no such map.
        method: one that follows from activations and gradients.

    Raises:
        ClassError: there is no such class.
        MapError: plain CAM is not valid from a layer, or the maps are not finite.
        ModelError: the network does not return finite logits for each picture.
    """
    parts: list[BatchMaps] = []
    for part, logits in opened.passes(pixels):
        start = sum(len(done.logits) for done in parts)
        targets = _existing(given[start : start + len(part)], logits.shape[1]).to(logits.device)
        if predicted is not None:
            targets = torch.cat([most_probable(logits, predicted), targets], dim=1)
        parts.append(_part(opened.capture, part, logits, targets, method))
    return parts[0] if len(parts) == 1 else _joined(parts)


def _existing(classes: Int[Tensor, "batch given"], count: int) -> Int[Tensor, "batch given"]:
    if not classes.numel() or 0 <= int(classes.min()) <= int(classes.max()) < count:
        return classes
    given = f"The classes given run from {int(classes.min())} to {int(classes.max())}"
    raise ClassError(three_parts(given, f"The model has {count} classes, 0 to {count - 1}", "Count them from 0"))


def _part(
    capture: LayerCapture, pixels: Tensor, logits: Tensor, targets: Int[Tensor, "batch target_class"], method: str
) -> BatchMaps:
    rows = torch.arange(len(logits), device=logits.device)
    reduced = reduce_gradients(
        capture,
        [partial(_sum_at, rows, column) for column in targets.T],
        methods=(method,),
    )
    readouts = _readouts(capture, pixels, logits, targets, reduced) if method == "cam" else {}
    activations = {name: activation.detach() for name, activation in capture.activations.items()}
    if reduced.cancelled:
        raise MapError(why_cancelled(reduced.cancelled[-1]))
    cams = maps_of(method, reduced, activations, valid=readouts, count=targets.shape[1])
    return BatchMaps(
        logits=at_least_single(logits).cpu(),
        target_classes=targets.cpu(),
        cams=MappingProxyType({name: finite(name, cam).cpu() for name, cam in cams.items()}),
        readouts=MappingProxyType(readouts),
    )


def _sum_at(rows: Int[Tensor, " batch"], column: Int[Tensor, " batch"], outputs: Tensor) -> Tensor:
    """One logit of each picture, added up: the gradient of the sum is each one's own."""
    return outputs[rows, column].sum()


def _readouts(
    capture: LayerCapture,
    pixels: Tensor,
    logits: Tensor,
    targets: Int[Tensor, "batch target_class"],
    reduced: Reduced,
) -> dict[str, tuple[Tensor, Tensor]]:
    """Weights and biases of each picture's classes, where plain CAM is valid: tested with the first picture.

    A class has the same weights in every picture, so any picture's gradient will do.
    """
    classes, place = torch.unique(targets, return_inverse=True)
    first = [int((place.flatten() == number).nonzero()[0]) for number in range(len(classes))]
    weights = {name: weight.flatten(0, 1)[first] for name, weight in reduced.channel_weights.items()}
    names = tuple(map(str, range(logits.shape[1])))
    run = Run(capture, pixels[:1], logits[:1], names)
    readouts, refusals = readouts_of(run, reduced.constant, weights, classes.tolist())
    if refusals:
        raise MapError(next(reversed(refusals.values())))
    return {name: _of_each(readout, place.cpu()) for name, readout in readouts.items()}


def _of_each(readout: Readout, place: Int[Tensor, "batch target_class"]) -> tuple[Tensor, Tensor]:
    return readout.classifier_weight.cpu()[place], readout.bias.cpu()[place]


def _joined(parts: list[BatchMaps]) -> BatchMaps:
    return BatchMaps(
        logits=torch.cat([part.logits for part in parts]),
        target_classes=torch.cat([part.target_classes for part in parts]),
        cams=MappingProxyType({name: torch.cat([part.cams[name] for part in parts]) for name in parts[0].cams}),
        readouts=MappingProxyType(
            {
                name: (
                    torch.cat([part.readouts[name][0] for part in parts]),
                    torch.cat([part.readouts[name][1] for part in parts]),
                )
                for name in parts[0].readouts
            }
        ),
    )

"""Several pictures in one pass: the layers that one picture shows, and whether pictures leave each other alone.

Gradients of a sum of logits, one of each picture, are right for each of them only if no picture changes what the
network says of another. That is found out by an experiment: the same picture alone and among others.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn

from camwidget.errors import ModelError, clipped, three_parts
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.layers import Layer
from camwidget.hooks.layout import LAST_CALL, Layout
from camwidget.hooks.reading import Sizes
from camwidget.hooks.rows import AMONG, among, as_alone, of_the_others, rounding_in
from camwidget.hooks.scores import Scores
from camwidget.hooks.selection import open_capture
from camwidget.hooks.subject import PICTURE, PICTURES


@dataclass(frozen=True)
class Kept:
    """A layer as one picture showed it."""

    layer: Layer
    """Its name, place and size."""
    layout: Layout
    """How its output is read."""
    shape: tuple[int, ...]
    """The shape of its output for one picture, in its own form."""


@dataclass(frozen=True, eq=False)
class BatchCapture:
    """Runs batches of pictures of one size, with the layers read as they were for one of them."""

    capture: LayerCapture
    """Holds the layers; while `passes` yields a part, their activations for its pictures."""
    kept: tuple[Kept, ...]
    """The layers, in the order in which they ran."""
    one_by_one: str
    """Why pictures are run one after the other, in sentences; empty if a batch is run at once."""

    def passes(self, pixels: Float[Tensor, "batch channel height width"]) -> Iterator[tuple[Tensor, Tensor]]:
        """Run the network on a batch, and yield its pictures and their logits: at once, or one after the other.

        While a part is being yielded, `capture` has its activations and gives its gradients.

        Args:
            pixels: normalised pictures of the size with which this was opened.

        Raises:
            ModelError: the network does not return logits for every picture, or a layer none of their maps.
        """
        for part in pixels.split(1 if self.one_by_one else max(len(pixels), 1)):
            logits = self.capture.forward(part)
            wrong = _misshapen(self.capture, self.kept, len(part))
            if wrong:
                given, allowed = f"For {len(part)} pictures {wrong}", "Every layer must have a map for each picture"
                raise ModelError(three_parts(given, allowed, "Explain these pictures one by one, with explain"))
            self.capture.keep({each.layer.name: each.layout for each in self.kept})
            yield part, logits
            self.capture.forget()


@contextmanager
def open_batch_capture(
    network: nn.Module,
    pixels: Float[Tensor, "1 channel height width"],
    layers: Sequence[str] | None,
    *,
    call: int = LAST_CALL,
    sizes: Sizes = MappingProxyType({}),
    scores: Scores | None = None,
) -> Iterator[tuple[BatchCapture, Float[Tensor, "1 class"]]]:
    """Yield what runs batches, and the logits of one picture alone. The model is left as found when the block ends.

    Layers are found, and read, with that picture; if none are asked for, it is the deepest. Nothing is recorded before
    the first of them. One more pass, of three pictures, finds out whether they leave each other alone.

    Args:
        network: the model.
        pixels: one picture of the size of the others.
        layers: the layers asked for; None for the deepest.
        call: which call to show of layers that run several times, see `LayerCapture`.
        sizes: of maps, as the caller knows them.
        scores: what is explained in place of the logits.

    Raises:
        CamwidgetError: see `open_capture`.
    """
    one, several = (replace(subject, scores=scores) for subject in (PICTURE, PICTURES))
    with open_capture(network, pixels, layers, call=call, sizes=sizes, subject=one) as (found, logits):
        names = list(found.layouts) if layers is not None else list(found.layouts)[-1:]
        alone = {name: found.activations[name].detach() for name in names}
        kept = tuple(
            Kept(
                _layer(found, name, depth, alone[name]),
                found.layouts[name],
                found.output_shapes[name],
            )
            for depth, name in enumerate(names, 1)
        )
    with LayerCapture(network, names, subject=several, call=call) as capture:
        why = _why_one_by_one(capture, kept, pixels, logits, alone)
        capture.forget()
        yield BatchCapture(capture, kept, why), logits


def _layer(capture: LayerCapture, name: str, depth: int, activation: Tensor) -> Layer:
    channels, map_height, map_width = activation.shape[1:]
    call, ran = capture.shown(name)
    return Layer(name, depth, channels, map_height, map_width, call, ran)


def _why_one_by_one(
    capture: LayerCapture,
    kept: Sequence[Kept],
    pixels: Float[Tensor, "1 channel height width"],
    logits: Float[Tensor, "1 class"],
    alone: Mapping[str, Tensor],
) -> str:
    """Why pictures must be run one after the other; empty if another picture before and behind one changes nothing."""
    start, end = "Pictures were explained one by one: ", " So a batch at once would have other maps."
    try:
        together = capture.forward(among(pixels, -pixels.flip(3) / 2))
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # noqa: BLE001 (any error of somebody's network: it need not take several pictures)
        own = error.__cause__ or error  # what the network itself says: our words are for one picture
        said = f"{type(own).__name__}: {clipped(str(own), longest=200)}"
        return f"{start}the network does not run on three at once ({said})."
    wrong = _misshapen(capture, kept, len(together))
    if wrong:
        return f"{start}for three pictures at once {wrong}."
    capture.keep({each.layer.name: each.layout for each in kept})
    pairs = [("the answer for one", logits, together)]
    pairs += [(f"the output of layer {name!r} for one", alone[name], capture.activations[name]) for name in alone]
    for what, before, after in pairs:
        if not as_alone(before, after.detach(), tolerance=rounding_in(logits.dtype)):
            return f"{start}{what} depends on the other pictures of its batch.{end}"
    if capture.differentiable:
        target = int(logits.argmax())
        for name, gradient in capture.gradients(lambda outputs: outputs[AMONG, target]).items():
            # any number, however small: independent pictures have zeros
            if bool(of_the_others(gradient).any()):
                return f"{start}the answer for one depends on what layer {name!r} returns for another.{end}"
    return ""


def _misshapen(capture: LayerCapture, kept: Sequence[Kept], count: int) -> str:
    """Which layer does not return as many maps as there are pictures: the end of a sentence; empty if all do."""
    for each in kept:
        name, ran = each.layer.name, capture.calls.get(each.layer.name, 0)
        shape = capture.output_shapes.get(name)
        axis = each.layout.batch_axis
        if shape != (*each.shape[:axis], count, *each.shape[axis + 1 :]) or ran != each.layer.calls:
            times = f" when it has run {ran} times, not {each.layer.calls}" if ran != each.layer.calls else ""
            return f"layer {name!r} returns shape {shape}{times}"
    return ""

"""A text through a network, also where that reads it in chunks: how each layer's outputs lie on the words."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from camwidget.errors import ModelError, three_parts
from camwidget.hooks.capture import LayerCapture, Subject
from camwidget.hooks.layers import find_module
from camwidget.hooks.selection import refuse_missing
from camwidget.hooks.tensors import at_least_single

ALLOWED = "A layer of a text classifier returns (1, channel, position) or (1, position, channel)"
"""What a layer must be."""


def one_text(inputs: Tensor) -> None:
    """Refuse inputs that are not one text.

    Args:
        inputs: what the model would be run on.

    Raises:
        ModelError: they are not an index for every token of one text.
    """
    if inputs.ndim != 2 or inputs.shape[0] != 1 or inputs.is_floating_point():
        given = f"The inputs are a {inputs.dtype} tensor of shape {tuple(inputs.shape)}"
        allowed = "One text is explained at a time: an index for every token, of shape (1, position)"
        raise ModelError(three_parts(given, allowed, "Pass the text itself to explain()"))


TEXT = Subject(one_text, takes_first=True, stateful=True)
"""A text: of tuples the first member counts, and recurrent memory is put back."""


@dataclass(frozen=True)
class Chunks:
    """How a layer's outputs lie on a text: a text is a picture one row high, its chunks side by side.

    So activations and gradients have the axes (1, channel, 1, position), and the arithmetic of maps is that of
    pictures.
    """

    axis: int
    """Which axis of each output is that of the positions, 1 or 2."""
    lengths: tuple[int, ...]
    """How many positions each of the calls that count has: those of all chunks, or of the last call over the whole."""

    def first_call(self, ran: int) -> int:
        """Return the first of a layer's calls that counts, from 0."""
        return ran - len(self.lengths)

    def as_map(self, outputs: Sequence[Tensor]) -> Float[Tensor, "1 channel 1 position"]:
        """Return the parts of a text put together, channels first, in single precision where the layer has less."""
        whole = at_least_single(torch.cat(list(outputs), dim=self.axis).detach())
        return (whole if self.axis == 2 else whole.transpose(1, 2))[:, :, None]

    def put_back(self, activation: Tensor, own: Tensor, *, part: int) -> Tensor:
        """Return the part of an activation that belongs to one call, in the layer's own form and dtype."""
        start = sum(self.lengths[:part])
        chunk = activation[:, :, 0, start : start + self.lengths[part]]
        return (chunk if self.axis == 2 else chunk.transpose(1, 2)).to(own.dtype, copy=True)


@dataclass(frozen=True)
class Reach:
    """How far back in the text a logit's gradient reaches, in a network that reads it in chunks."""

    chunks: int
    """In how many parts the text was read; 1 where it was read at once."""
    cut: bool
    """Whether no gradient goes from one part back to the part before."""
    first: int
    """The first position that has any gradient at the deepest layer."""


@contextmanager
def open_text_capture(
    network: nn.Module, ids: Int[Tensor, "1 position"], layers: Sequence[str] | None
) -> Iterator[tuple[LayerCapture, Float[Tensor, "1 class"], Reach]]:
    """Give, for a block, a capture that holds only layers with a value for every token, the logits, and the reach.

    Args:
        network: a text classifier.
        ids: an index for every token.
        layers: the layers asked for; None for all that have such values.

    Raises:
        LayerError: there is no such layer, or it has no value for every token.
        ModelError: no layer has; or the model does not return finite logits.
    """
    readable = text_layers(network)
    for name in layers or ():
        find_module(network, name, worth=readable)
    # All layers listen, whichever are asked for: what no gradient reaches shows only between two of them.
    with LayerCapture(network, list(dict.fromkeys([*readable, *(layers or ())])), subject=TEXT) as capture:
        logits = read_text(capture, ids)
        positions = ids.shape[1]
        if layers is not None:
            refuse_missing(
                layers,
                capture.activations,
                why=lambda name: _why_no_values(capture, name, positions),
                allowed=ALLOWED,
                others=readable,
            )
        if not capture.activations:
            given = f"No layer of this {type(network).__name__} returns a value for each of the {positions} tokens"
            allowed = "Word by word one can explain embeddings, convolutions over words, and recurrent networks"
            raise ModelError(three_parts(given, allowed, "Name a layer yourself with layers=[...]"))
        reach = reach_of(capture)
        if layers is not None:
            capture.keep({name: capture.layouts[name] for name in layers})
        yield capture, logits, reach


def read_text(capture: LayerCapture, ids: Int[Tensor, "1 position"]) -> Float[Tensor, "1 class"]:
    """Run a capture's network once over a text and keep the layers that have a value for every token.

    A layer that runs once for every chunk of the text counts with all its chunks, put together; one that runs several
    times over the whole counts with its last call. The others are put among `other_outputs`.

    Args:
        capture: made with `subject=TEXT`.
        ids: an index for every token.

    Raises:
        ModelError: the model does not return finite logits of shape (1, class).
    """
    logits, positions = capture.forward(ids), ids.shape[1]
    axes = {
        name: _position_axes([tuple(each.shape) for each in outputs], positions)
        for name, outputs in capture.outputs.items()
    }
    if any(found and _may_be_channels(capture.model.get_submodule(name), positions) for name, found in axes.items()):
        # As many channels as positions: the axis that changes with the text is that of the positions. A shorter
        # text, because there may be no place for a longer one.
        other = ids[:, :-1] if positions > 1 else ids.repeat(1, 2)
        sizes = capture.shapes(other)
        axes = {
            name: [axis for axis in found if axis in _position_axes(sizes[name], other.shape[1])]
            for name, found in axes.items()
        }
    layouts = {
        name: _chunks(capture.outputs[name], found[0], positions) for name, found in axes.items() if len(found) == 1
    }
    capture.other_outputs |= {name: outputs[-1] for name, outputs in capture.outputs.items() if name not in layouts}
    capture.keep(layouts)
    return logits


def reach_of(capture: LayerCapture) -> Reach:
    """Return how far back in the text gradients reach; looked for by one more backward pass.

    Args:
        capture: after `read_text`.
    """
    names = list(capture.layouts)
    last, first = (capture.outputs[name] for name in (names[-1], names[0]))
    chunks = len(last) - capture.layouts[names[-1]].first_call(len(last))
    if 1 in (chunks, len(first) - capture.layouts[names[0]].first_call(len(first))):
        return Reach(chunks, False, 0)
    with torch.inference_mode(False), torch.enable_grad():
        (back,) = torch.autograd.grad(last[-1].sum(), first[:1], retain_graph=True, allow_unused=True)
    touched = capture.as_map(names[-1], capture.derivatives(0, last)).abs().amax(dim=(0, 1, 2)) > 0
    return Reach(chunks, back is None, int(touched.int().argmax()))


def _chunks(outputs: Sequence[Tensor], axis: int, positions: int) -> Chunks:
    lengths = tuple(output.shape[axis] for output in outputs)
    return Chunks(axis, lengths if sum(lengths) == positions else lengths[-1:])


def _may_be_channels(layer: nn.Module, positions: int) -> bool:
    """Whether an axis as long as the text may be that of a layer's channels, going by the sizes of its parameters.

    Gates halve the channels, and an LSTM that reads both ways doubles them.
    """
    # The first two axes: how many neighbours a convolution sees is no number of channels.
    sizes = {size for parameter in layer.parameters() for size in parameter.shape[:2]}
    return not sizes.isdisjoint((positions, 2 * positions)) or any(2 * size == positions for size in sizes)


def _position_axes(sizes: Sequence[tuple[int, ...]], positions: int) -> list[int]:
    """Which of the axes 1 and 2 may be that of the positions: with all chunks together, or in the last call alone."""
    if any(len(size) != 3 or size[0] != 1 for size in sizes):
        return []
    return [
        axis
        for axis in (1, 2)
        if sizes[-1][axis] == positions
        or (sum(size[axis] for size in sizes) == positions and len({size[3 - axis] for size in sizes}) == 1)
    ]


def _why_no_values(capture: LayerCapture, name: str, positions: int) -> str:
    """The end of a sentence."""
    if name not in capture.other_outputs:
        return "did not run in the forward pass"
    output = capture.other_outputs[name]
    shape = f" of shape {tuple(output.shape)}" if isinstance(output, Tensor) else ""
    return f"returns a {type(output).__name__}{shape}, not a value for each of the {positions} tokens"


_READING = (nn.Embedding, nn.RNNBase, nn.Conv1d)
_BLOCKS = (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
_CORES = (*_READING, nn.Linear, nn.modules.conv._ConvNd)


def text_layers(model: nn.Module) -> list[str]:
    """Return the names of the layers worth looking at, by the structure of the model alone; nothing is run.

    A layer is a module around one embedding, convolution or recurrent network, with activation, normalisation and
    dropout: the outermost that holds no other; or a block of PyTorch's transformer. Whether it runs, and puts out a
    value per word, shows when it is run.

    Args:
        model: a text classifier.
    """
    return list(_inside(model, ""))


def _inside(parent: nn.Module, prefix: str) -> Iterator[str]:
    for name, child in parent.named_children():
        cores = [module for module in child.modules() if isinstance(module, _CORES)]
        if isinstance(child, _BLOCKS):
            yield prefix + name
        elif len(cores) == 1 and isinstance(cores[0], _READING):
            # A list of modules is never run itself.
            yield from _inside(child, f"{prefix}{name}.") if isinstance(child, nn.ModuleList) else [prefix + name]
        else:
            yield from _inside(child, f"{prefix}{name}.")

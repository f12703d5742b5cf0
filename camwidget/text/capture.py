"""One forward pass over a whole text, also where the network reads it in chunks; one backward pass per class."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from camwidget.errors import ModelError, three_parts
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.hook import differentiable
from camwidget.hooks.restore import attributes_left_as_found
from camwidget.hooks.tensors import at_least_single, plain


@dataclass(frozen=True)
class Reach:
    """How far back in the text a logit's gradient reaches, in a network that reads it in chunks."""

    chunks: int
    """In how many parts the text was read; 1 where it was read at once."""
    cut: bool
    """Whether no gradient goes from one part back to the part before."""
    first: int
    """The first position that has any gradient at the deepest layer."""


class TextCapture(LayerCapture):
    """Runs a text classifier once and gives what its layers put out for every position, then the gradients.

    Activations and gradients have the axes (1, channel, 1, position): a text is a picture one row high, so that the
    arithmetic of maps is the same. A layer that runs once for every chunk of the text counts with all its chunks, put
    together. Of a layer that puts out a tuple (an LSTM: outputs and state), and of a model that returns one (fastai's
    text classifiers: logits and raw outputs), the first counts.

    Args:
        model: a network from token indices (batch, position) to logits.
        layer_names: dotted names of the layers to look at.

    Raises:
        LayerError: the model has no layer of that name.
    """

    def __init__(self, model: nn.Module, layer_names: Sequence[str]) -> None:
        super().__init__(model, layer_names)
        self._chunks: dict[str, list[Tensor]] = {}
        self._axis: dict[str, int] = {}
        self._sizes: dict[str, list[tuple[int, ...]]] | None = None  # not None while another length is tried

    def __enter__(self) -> Self:
        super().__enter__()
        self._stack.enter_context(attributes_left_as_found(self._model))
        return self

    def __exit__(self, *error: Any) -> None:
        self._chunks = {}
        super().__exit__(*error)

    def forward(self, inputs: Int[Tensor, "1 position"]) -> Float[Tensor, "1 class"]:
        """Run the model once over the text and return its logits.

        Args:
            inputs: an index for every token, on the model's device.

        Raises:
            ModelError: the model does not return finite logits of shape (1, class).
        """
        self._chunks, self._axis = {}, {}
        logits = super().forward(inputs)
        positions = inputs.shape[1]
        fitting = {
            name: _position_axes([tuple(each.shape) for each in made], positions) for name, made in self._chunks.items()
        }
        if any(axes and self._may_be_channels(name, positions) for name, axes in fitting.items()):
            # As many channels as positions: the axis that changes with the text is that of the positions. A shorter
            # text, because there may be no place for a longer one.
            other = inputs[:, :-1] if positions > 1 else inputs.repeat(1, 2)
            sizes = self._sizes_of(other)
            fitting = {
                name: [axis for axis in axes if axis in _position_axes(sizes[name], other.shape[1])]
                for name, axes in fitting.items()
            }
        for name, axes in fitting.items():
            if len(axes) == 1:
                self._axis[name] = axes[0]
                if sum(each.shape[axes[0]] for each in self._chunks[name]) != positions:
                    self._chunks[name] = self._chunks[name][-1:]  # run several times over the whole: the last counts
                self.activations[name] = self._arranged(name, self._chunks[name])
            else:
                self.other_outputs[name] = self._chunks[name][-1]
        return logits

    def gradients(self, class_index: int) -> dict[str, Float[Tensor, "1 channel 1 position"]]:
        """Return the derivative of one class's logit with respect to every activation, by one backward pass.

        Args:
            class_index: the class.

        Raises:
            ModelError: the logits carry no gradient.
        """
        sources = [each for name in self.activations for each in self._chunks[name]]
        found = iter(self._derivatives(class_index, tuple(sources)))
        return {
            name: self._arranged(name, [next(found) for _ in self._chunks[name]]) for name in list(self.activations)
        }

    def keep_only(self, layer_names: Sequence[str]) -> None:
        """Forget the other layers' activations, so that no gradient is computed for them."""
        self.activations = {name: each for name, each in self.activations.items() if name in layer_names}

    def reach(self) -> Reach:
        """Return how far back in the text gradients reach; looked for by one more backward pass."""
        name = next(reversed(self.activations))
        last, first = self._chunks[name], self._chunks[next(iter(self.activations))]
        if len(last) == 1 or len(first) == 1:
            return Reach(len(last), False, 0)
        with torch.inference_mode(False), torch.enable_grad():
            (back,) = torch.autograd.grad(last[-1].sum(), first[:1], retain_graph=True, allow_unused=True)
        touched = self._arranged(name, self._derivatives(0, tuple(last))).abs().amax(dim=(0, 1, 2)) > 0
        return Reach(len(last), back is None, int(touched.int().argmax()))

    def _check(self, inputs: Tensor) -> None:
        if inputs.ndim != 2 or inputs.shape[0] != 1 or inputs.is_floating_point():
            given = f"The inputs are a {inputs.dtype} tensor of shape {tuple(inputs.shape)}"
            allowed = "One text is explained at a time: an index for every token, of shape (1, position)"
            raise ModelError(three_parts(given, allowed, "Pass the text itself to explain()"))

    def _run(self, inputs: Tensor) -> Any:
        # In evaluation mode cuDNN's recurrent networks have no backward pass; PyTorch's own have.
        recurrent = inputs.is_cuda and any(isinstance(module, nn.RNNBase) for module in self._model.modules())
        with torch.backends.cudnn.flags(enabled=torch.backends.cudnn.enabled and not recurrent):
            output = self._model(inputs)
        return output[0] if isinstance(output, tuple) and output else output

    def _may_be_channels(self, name: str, positions: int) -> bool:
        """Whether an axis as long as the text may be that of a layer's channels, going by the sizes of its parameters.

        Gates halve the channels, and an LSTM that reads both ways doubles them.
        """
        # The first two axes: how many neighbours a convolution sees is no number of channels.
        sizes = {size for parameter in self._modules[name].parameters() for size in parameter.shape[:2]}
        return not sizes.isdisjoint((positions, 2 * positions)) or any(2 * size == positions for size in sizes)

    def _sizes_of(self, inputs: Tensor) -> dict[str, list[tuple[int, ...]]]:
        """What sizes the layers put out for other inputs, by layer and call."""
        self._sizes = {}
        try:
            self.rerun(inputs)
            return self._sizes
        finally:
            self._sizes = None

    def _arranged(self, name: str, parts: Sequence[Tensor]) -> Float[Tensor, "1 channel 1 position"]:
        """The parts of a text put together, with channels first, in single precision where the layer has less."""
        whole = at_least_single(torch.cat(list(parts), dim=self._axis[name]).detach())
        return (whole if self._axis[name] == 2 else whole.transpose(1, 2))[:, :, None]

    def _hook(self, name: str) -> Any:
        def fire(_: nn.Module, inputs: Any, output: Any) -> Any:
            self.calls[name] = self.calls.get(name, 0) + 1
            first = output[0] if isinstance(output, tuple) and output else output
            if self._replacing is not None:
                if self._sizes is not None and isinstance(first, Tensor):
                    self._sizes.setdefault(name, []).append(tuple(first.shape))
                part = self._part(name)
                if part is None:
                    return None
                made = part
            elif not isinstance(first, Tensor) or not first.is_floating_point():
                self.other_outputs[name] = output
                return None
            else:
                kept = differentiable(plain(first), inputs)
                self._chunks.setdefault(name, []).append(kept)
                with torch.enable_grad():
                    made = kept.clone()
            return _with_first(output, made)

        return fire

    def _part(self, name: str) -> Tensor | None:
        """The part of a replacement that belongs to this call of a layer; None where there is none."""
        calls, activation = (self._replacing or {}).get(name, (0, None))
        chunk = self.calls[name] - 1 - (calls - len(self._chunks[name])) if activation is not None else -1
        if activation is None or not 0 <= chunk < len(self._chunks[name]):
            return None
        axis = self._axis[name]
        lengths = [each.shape[axis] for each in self._chunks[name]]
        part = activation[:, :, 0, sum(lengths[:chunk]) : sum(lengths[: chunk + 1])]
        return (part if axis == 2 else part.transpose(1, 2)).to(self._chunks[name][chunk].dtype, copy=True)


def _with_first(output: Any, made: Tensor) -> Any:
    """An output with another tensor in place of its first; a named tuple, such as a packed sequence, keeps its kind."""
    if not isinstance(output, tuple):
        return made
    members = (made, *output[1:])
    return type(output)(*members) if hasattr(output, "_fields") else members


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

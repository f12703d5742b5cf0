"""What PyTorch's graph tells of the layers of one pass: which count, which have a derivative, which lie behind moves.

The graph is followed back from the logits. Nothing is run for it, forwards or backwards.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.hooks.graph import Graph, graph_behind, leading_to
from camwidget.hooks.moves import Doubt, Doubtful, doubt_behind, doubtful_moves, doubtful_moves_in_a_row

SHAPING = frozenset(
    f"{name}Backward0"
    for name in (
        "Alias", "Clone", "Expand", "Permute", "ReshapeAlias", "Select", "Slice", "Squeeze", "T", "ToCopy", "Transpose",
        "UnsafeView", "Unsqueeze", "View",
    )
) | {"SqueezeBackward1", "SqueezeBackward2"}  # fmt: skip
"""Operations that change the shape of numbers, and not the numbers, as PyTorch's graph calls them."""

NOT_DERIVABLE = "NotImplemented"
"""How PyTorch calls, in its graph, an operation that it has no derivative of."""

UNDERIVABLE = (
    "lies before an operation that PyTorch has no derivative of, as in layers that were quantised after training: its "
    "gradient would be zero or lack a part. The network from before its quantisation has one"
)
"""Why such layers are refused. The end of a sentence."""

Outputs = Mapping[str, Sequence[Tensor]]
"""Layer name to what the layer returned, one tensor for each call."""


class Traced:
    """A forward pass, followed back from its logits.

    Args:
        logits: as the network returned them, with their graph; None before a pass.
    """

    def __init__(self, logits: Tensor | None) -> None:
        self._logits = logits

    @cached_property
    def _graph(self) -> Graph:
        """The operations that the logits are computed by, from where the pass was recorded."""
        return graph_behind() if self._logits is None else graph_behind((self._logits.grad_fn, self._logits.output_nr))

    @property
    def differentiable(self) -> bool:
        """Whether the logits carry a gradient."""
        return self._logits is not None and self._logits.requires_grad

    @property
    def last_step(self) -> str:
        """The operation that made the logits, as PyTorch's graph calls it, apart from changes of shape; "" if unknown.

        Scores that are explained in place of the logits have one of their own.
        """
        node = None if self._logits is None else self._logits.grad_fn
        while node is not None and node.name() in SHAPING:
            node = node.next_functions[0][0]
        return "" if node is None else str(node.name())

    def unused(self, layers: Outputs) -> set[str]:
        """Return the layers that the logits are not computed from, by following the graph back: no backward pass.

        A layer whose gradient is zero, behind a dead ReLU or a classifier of zeros, is used. Nothing is returned while
        the logits carry no gradient at all.

        Args:
            layers: what they returned, in their own form.
        """
        if not self.differentiable:
            return set()
        nodes, reached = self._graph
        leaves = {id(node.variable) for node in nodes if hasattr(node, "variable")}
        return {
            name
            for name, outputs in layers.items()
            if not any(
                id(output) in leaves if output.grad_fn is None else (output.grad_fn, output.output_nr) in reached
                for output in outputs
            )
        }

    def underivable(self, layers: Outputs) -> set[str]:
        """Return the layers behind an operation for which PyTorch knows no derivative, on the way back from the logits.

        Their gradients would be zero, or lack a part, without an error: so it is with layers that were quantised after
        training, and with operations of one's own that have no backward pass.

        Args:
            layers: what they returned, in their own form.
        """
        if not self.differentiable:
            return set()
        opaque = [node for node in self._graph.nodes if node.name().endswith(NOT_DERIVABLE)]
        behind = set(leading_to(*(each for node in opaque for each, _ in node.next_functions)))
        leaves = {id(node.variable) for node in behind if hasattr(node, "variable")}
        return {
            name
            for name, outputs in layers.items()
            if any(id(output) in leaves or output.grad_fn in behind for output in outputs)
        }

    def behind_moves(self, layers: Outputs, sizes: Collection[tuple[int, int]]) -> dict[str, Doubt]:
        """Return the layers behind operations that may move places, of a pass of inputs that are `recorded_from`.

        Args:
            layers: what they returned in the calls that count.
            sizes: rows and columns of the maps from convolutions and pooling.
        """
        doubtful = doubtful_moves(self._graph.nodes, sizes)
        return _behind(doubtful, layers)

    def behind_moves_in_a_row(self, layers: Outputs, length: int) -> dict[str, Doubt]:
        """Return the layers behind operations that may move the places of a row, such as a text.

        Args:
            layers: what they returned in the calls that count.
            length: how many places it has.
        """
        doubtful = doubtful_moves_in_a_row(self._graph.nodes, length)
        return _behind(doubtful, layers)


def _behind(doubtful: Doubtful, layers: Outputs) -> dict[str, Doubt]:
    """The layers of which an output is behind doubtful operations."""
    if not doubtful:
        return {}
    found = {
        name: next(filter(None, (doubt_behind(output.grad_fn, doubtful) for output in outputs)), None)
        for name, outputs in layers.items()
    }
    return {name: doubt for name, doubt in found.items() if doubt is not None}


def recorded_from(inputs: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Return a copy of inputs from which all operations are recorded, and not only from the first layer on.

    Args:
        inputs: what a model runs on.
    """
    with torch.inference_mode(False), torch.enable_grad():
        return inputs.clone().detach().requires_grad_().clone()  # no leaf, so that the network may change it in place

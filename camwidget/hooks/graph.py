"""PyTorch's graph of operations: what led to one, and what it returned."""

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple


def leading_to(*operations: Any) -> Iterator[Any]:
    """Yield the operations from which others were computed, each once; these themselves first, then the nearest.

    Args:
        *operations: of the graph, as `Tensor.grad_fn` is one; None, of a tensor that was not computed, is left out.
    """
    ahead, seen = deque(operations), {None}
    while ahead:
        node = ahead.popleft()
        if node not in seen:
            seen.add(node)
            yield node
            ahead.extend(each for each, _ in node.next_functions)


class Graph(NamedTuple):
    """What some tensors were computed by."""

    nodes: frozenset[Any]
    """The operations."""
    outputs: frozenset[tuple[Any, int]]
    """All of their outputs that count, as operation and number; the operation is None where nothing was computed."""


def graph_behind(*ends: tuple[Any, int]) -> Graph:
    """Return all operations that tensors were computed by.

    Args:
        *ends: `Tensor.grad_fn` and `Tensor.output_nr` of each tensor.
    """
    nodes: set[Any] = set()
    outputs: set[tuple[Any, int]] = set()
    ahead = list(ends)
    while ahead:
        edge = ahead.pop()
        outputs.add(edge)
        if edge[0] is not None and edge[0] not in nodes:
            nodes.add(edge[0])
            ahead += edge[0].next_functions
    return Graph(frozenset(nodes), frozenset(outputs))


def shape_after(node: Any) -> tuple[int, ...]:
    """Return the shape of what an operation returned; empty where this PyTorch does not tell.

    Args:
        node: of the graph, as `Tensor.grad_fn` is one.
    """
    known = getattr(node, "_input_metadata", ())
    return tuple(known[0].shape) if known else ()


def signed(saved: int) -> int:
    """Return an axis, or a number of places, as it was given: those below zero may be saved as 2**64 more.

    Args:
        saved: by an operation of the graph.
    """
    return saved - 2**64 if saved >= 2**63 else saved

"""PyTorch's graph of operations: what led to one, and what it returned."""

from collections import deque
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

Edge = tuple[Any, int]
"""An operation, as `Tensor.grad_fn` is one, and the number of one of its outputs. None where nothing was computed."""


def edges_behind(*ends: Edge, until: Collection[Edge] = ()) -> Iterator[Edge]:
    """Yield what tensors were computed from, each once; these themselves first, then the nearest.

    Args:
        *ends: `Tensor.grad_fn` and `Tensor.output_nr` of each tensor; those that were not computed are left out.
        until: outputs that are yielded as well, and not followed further.
    """
    ahead, seen, passed = deque(ends), set[Edge](), set[Any]()
    while ahead:
        edge = ahead.popleft()
        operation = edge[0]
        if operation is None or edge in seen:
            continue
        seen.add(edge)
        yield edge
        if operation not in passed and edge not in until:
            passed.add(operation)
            ahead.extend(operation.next_functions)


def leading_to(*operations: Any) -> Iterator[Any]:
    """Yield the operations from which others were computed, each once; these themselves first, then the nearest.

    Args:
        *operations: of the graph, as `Tensor.grad_fn` is one; None, of a tensor that was not computed, is left out.
    """
    seen: set[Any] = set()
    for operation, _ in edges_behind(*((each, 0) for each in operations)):
        if operation not in seen:
            seen.add(operation)
            yield operation


class Graph(NamedTuple):
    """What some tensors were computed by."""

    nodes: frozenset[Any]
    """The operations."""
    outputs: frozenset[Edge]
    """All of their outputs that count."""


def graph_behind(*ends: Edge) -> Graph:
    """Return all operations that tensors were computed by.

    Args:
        *ends: see `edges_behind`.
    """
    outputs = frozenset(edges_behind(*ends))
    return Graph(frozenset(operation for operation, _ in outputs), outputs)


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

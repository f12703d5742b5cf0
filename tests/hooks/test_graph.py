"""PyTorch's graph is followed from the nearest operation to the farthest, each once; worked out by hand."""

import torch
from torch import Tensor

from camwidget.hooks.graph import edges_behind, graph_behind, leading_to


def end(tensor: Tensor) -> tuple[object, int]:
    return tensor.grad_fn, tensor.output_nr


def names(tensor: Tensor) -> list[str]:
    return [operation.name() for operation in leading_to(tensor.grad_fn)]


def test_the_nearest_come_first_and_what_is_used_twice_comes_once() -> None:
    leaf = torch.ones(2, 3, requires_grad=True)
    doubled = leaf * 2

    found = names(doubled.exp() + doubled.sin())

    assert found[0] == "AddBackward0"
    assert set(found[1:3]) == {"ExpBackward0", "SinBackward0"}
    assert found[3:] == ["MulBackward0", "torch::autograd::AccumulateGrad"]


def test_from_what_was_not_computed_nothing_is_followed() -> None:
    leaf = torch.ones(2, 3)

    assert list(leading_to(leaf.grad_fn, None)) == []
    assert list(edges_behind(end(leaf))) == []
    assert graph_behind(end(leaf)) == (frozenset(), frozenset())


def test_of_an_operation_with_several_outputs_only_those_count_that_lead_there() -> None:
    first, second, third = torch.ones(3, 2, requires_grad=True).unbind(0)

    whole = graph_behind(end(first + third))

    assert end(first) in whole.outputs
    assert end(third) in whole.outputs
    assert end(second) not in whole.outputs
    assert first.grad_fn in whole.nodes
    assert len(whole.nodes) == 3


def test_what_lies_behind_a_stop_is_reached_by_other_ways_only() -> None:
    one, other = (torch.ones(2, 3, requires_grad=True) for _ in range(2))
    stop = one * 2
    onward = stop.exp() + other.sin()

    leaves = [node.variable for node, _ in edges_behind(end(onward), until={end(stop)}) if hasattr(node, "variable")]
    assert end(stop) in list(edges_behind(end(onward), until={end(stop)}))
    assert [each is other for each in leaves] == [True]

    around = onward + one
    leaves = [node.variable for node, _ in edges_behind(end(around), until={end(stop)}) if hasattr(node, "variable")]
    assert {id(each) for each in leaves} == {id(one), id(other)}

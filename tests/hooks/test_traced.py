"""What the graph of a pass tells of its layers, on passes of three tensors."""

import pytest
import torch
from torch import Tensor

from camwidget.hooks.traced import Traced, recorded_from

SIZE = (4, 6)


def layers() -> dict[str, list[Tensor]]:
    """Outputs of a leaf, of what is computed from it, and of what nobody uses."""
    first = torch.arange(48.0).reshape(1, 2, *SIZE).requires_grad_()
    return {"first": [first], "second": [first * 2], "aside": [first + 1]}


def test_what_the_logits_are_not_computed_from_is_unused_a_leaf_and_zeros_are_not() -> None:
    held = layers()

    assert Traced(held["second"][0].mul(0).flatten(1)).unused(held) == {"aside"}
    assert Traced(held["first"][0].flatten(1)).unused(held) == {"second", "aside"}


def test_a_layer_is_used_if_one_of_its_calls_is() -> None:
    held = layers()
    held["second"].append(held["second"][0] + 1)

    assert Traced(held["second"][0].flatten(1)).unused(held) == {"aside"}


@pytest.mark.parametrize("logits", [None, torch.zeros(1, 3)])
def test_without_a_graph_nothing_is_said(logits: Tensor | None) -> None:
    traced = Traced(logits)

    assert not traced.differentiable
    assert traced.last_step == ""
    assert traced.unused(layers()) == set()
    assert traced.underivable(layers()) == set()
    assert traced.behind_moves(layers(), {SIZE}) == {}


def test_the_last_step_is_what_computed_the_logits_and_not_what_shaped_them() -> None:
    held = layers()

    assert Traced(held["second"][0].sigmoid().flatten(1).unsqueeze(0).squeeze(0)).last_step == "SigmoidBackward0"


def test_layers_behind_a_mirror_are_in_doubt_and_those_before_it_are_not() -> None:
    recorded = recorded_from(torch.arange(48.0).reshape(1, 2, *SIZE))
    before = recorded * 2
    after = before.flip(3) + 1
    held = {"before": [before], "after": [after]}

    found = Traced(after.flatten(1)).behind_moves(held, {SIZE})

    assert list(found) == ["after"]
    assert found["after"].is_likely
    (operation,) = found["after"].operations
    assert operation.name() == "FlipBackward0"


def test_what_is_recorded_is_a_copy_with_a_graph_that_may_be_changed_in_place() -> None:
    inputs = torch.ones(2, 3)

    with torch.no_grad():
        recorded = recorded_from(inputs)
    recorded.mul_(2)

    assert recorded.requires_grad
    assert recorded.grad_fn is not None
    assert inputs.tolist() == torch.ones(2, 3).tolist()

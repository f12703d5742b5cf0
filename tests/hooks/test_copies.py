"""A copy computes what its original computes, and nothing that is done to it reaches the original."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import ModelError
from camwidget.hooks.copies import copied
from tests.hooks.stages import facts, network
from tests.toys import PooledLinear, picture


def copy_of(model: nn.Module) -> nn.Module:
    return copied(model, why="It runs on a copy", try_="Try something else")


def test_a_copy_computes_the_same_and_is_another() -> None:
    model = network("awkward")
    before, inputs = facts(model), torch.randn(1, 3, 14, 18)

    twin = copy_of(model)
    assert torch.equal(twin.eval()(inputs), network("awkward").eval()(inputs))
    for parameter in twin.parameters():
        parameter.data.zero_()

    assert facts(model) == before


def test_what_a_hook_of_the_learners_has_kept_stays() -> None:
    class Keeps:
        def __init__(self, module: nn.Module) -> None:
            module.register_forward_hook(self.keep)

        def keep(self, _: nn.Module, __: Any, output: Tensor) -> None:
            self.stored = output * 1  # with its history

    model = PooledLinear().double()
    hook = Keeps(model.head)
    model(picture())
    kept = hook.stored

    copy_of(model)(picture())

    assert hook.stored is kept


def test_a_network_that_cannot_be_copied_is_refused_in_three_parts() -> None:
    model = PooledLinear()
    model.endless = (number for number in range(3))

    with pytest.raises(ModelError, match=r"PooledLinear cannot be copied.*It runs on a copy\. Try something else\."):
        copy_of(model)

"""Walks through a network find what PyTorch's own find, in the same order."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from camwidget.hooks.walk import buffers_of, modules_of, named_modules_of, parameters_of
from tests.toys import PooledLinear


class Tied(nn.Module):
    """One module under two names, one weight in two modules, a child and a buffer that are not there."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(4, 4)
        self.deep = nn.Sequential(nn.Sequential(nn.BatchNorm2d(4), nn.ReLU()), nn.Linear(4, 4))
        self.again = self.deep[0]
        self.deep[1].weight = self.last.weight
        self.register_module("none", None)
        self.register_buffer("empty", None)
        self.register_buffer("same", self.deep[0][0].running_mean)
        self.own = nn.Parameter(torch.zeros(2))


MODELS: dict[str, Callable[[], nn.Module]] = {
    "tied": Tied,
    "pooled": PooledLinear,
    "single": lambda: nn.Conv2d(3, 4, 1),
    "empty": nn.Sequential,
    "wrapped": lambda: nn.DataParallel(nn.Sequential(Tied(), nn.ReLU())),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_walk_finds_each_once_in_pytorchs_order(name: str) -> None:
    network = MODELS[name]()

    assert [(each, id(module)) for each, module in named_modules_of(network)] == [
        (each, id(module)) for each, module in network.named_modules()
    ]
    assert [*map(id, modules_of(network))] == [*map(id, network.modules())]
    assert [*map(id, parameters_of(network))] == [*map(id, network.parameters())]
    assert [*map(id, buffers_of(network))] == [*map(id, network.buffers())]


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_a_compiled_network_can_be_walked_through() -> None:
    compiled = torch.jit.trace(MODELS["pooled"]().float().eval(), torch.zeros(1, 3, 8, 8))

    assert [name for name, _ in named_modules_of(compiled)] == [name for name, _ in compiled.named_modules()]
    assert [each.shape for each in parameters_of(compiled)] == [each.shape for each in compiled.parameters()]

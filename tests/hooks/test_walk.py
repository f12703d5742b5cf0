"""The quick walk finds what PyTorch's own finds, each once and in the same order."""

import pytest
import torch
import torchvision
from torch import nn

from camwidget.hooks.layers import find_module
from camwidget.hooks.walk import buffers_in, modules_in, parameters_in


class Tied(nn.Module):
    """A module in two places, a weight in two, a place without a module, and one without a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
        self.again = nn.ModuleList([self.first, nn.ModuleDict({"inside": self.first[1]})])
        self.none = None
        self.register_module("no", None)
        self.register_buffer("nothing", None)
        self.register_buffer("here", torch.zeros(2))
        self.head = nn.Conv2d(3, 3, 1)
        self.head.weight = self.first[0].weight


NETWORKS = {
    "nothing inside": lambda: nn.ReLU(),
    "tied": Tied,
    "script inside": lambda: nn.Sequential(torch.jit.script(nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU())), Tied()),
    "mobilenet": torchvision.models.mobilenet_v3_small,
    "attention": lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, batch_first=True), 2),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_everything_is_found_once_and_in_the_order_of_pytorchs_own_walk(name: str) -> None:
    network = NETWORKS[name]()

    assert list(map(id, modules_in(network))) == list(map(id, network.modules()))
    for found, theirs in ((parameters_in(network), network.parameters()), (buffers_in(network), network.buffers())):
        theirs = list(theirs)
        assert len(found) == len(theirs)
        assert all(a is b or a.data_ptr() == b.data_ptr() for a, b in zip(found, theirs, strict=True))


def test_a_circle_of_modules_comes_to_an_end() -> None:
    one, other = nn.Sequential(nn.ReLU()), nn.Sequential(nn.ReLU())
    one._modules["other"], other._modules["one"] = other, one

    assert [id(module) for module in modules_in(one)] == [id(one), id(one[0]), id(other), id(other[0])]


def test_each_name_that_pytorch_gives_a_module_finds_it() -> None:
    network = Tied()
    names = {name: module for name, module in network.named_modules(remove_duplicate=False) if name}

    assert len(names) == 10
    assert all(find_module(network, name) is module for name, module in names.items())

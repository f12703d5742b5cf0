"""Buffers of every kind are as they were found, whatever a network did to them."""

import contextlib
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from camwidget.hooks.buffers import buffers_left_as_found
from camwidget.hooks.walk import modules_in


class Twisted(Tensor):
    """A tensor of a class of its own."""


def network() -> nn.Sequential:
    """A network with buffers of several kinds, some of which cannot be copied as one row of numbers."""
    model = nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm2d(2))
    model.register_buffer("whole", torch.arange(6).reshape(2, 3))
    model.register_buffer("flags", torch.tensor([True, False]))
    model.register_buffer("nan", torch.tensor([1.0, float("nan")]))
    model.register_buffer("small", torch.ones(1, 2, dtype=torch.float16))
    model.register_buffer("none", torch.zeros(0, 4))
    model.register_buffer("transposed", torch.arange(6.0).reshape(2, 3).T)
    model.register_buffer("sparse", torch.eye(3).to_sparse())
    model.register_buffer("twisted", torch.ones(2).as_subclass(Twisted))
    with torch.inference_mode():
        model.register_buffer("inference", torch.ones(2))
    return model


def add_one(buffer: Tensor) -> None:
    with torch.inference_mode(buffer.is_inference()), torch.no_grad():
        buffer.copy_(buffer.logical_not() if buffer.dtype == torch.bool else buffer + buffer + 1)


def grow(buffer: Tensor) -> None:
    buffer.data = torch.zeros(5, dtype=buffer.dtype)


CHANGES: dict[str, Callable[[nn.Sequential], object]] = {
    "written into": lambda model: [add_one(each) for each in model.buffers() if each.layout == torch.strided],
    "written into through data": lambda model: model[1].running_mean.data.fill_(4),
    "written into through numpy": lambda model: model[1].running_var.numpy().fill(4),
    "written into where a number is none": lambda model: model.nan.fill_(2),
    "sparse, written into": lambda model: model.sparse.mul_(3),
    "given another size": lambda model: grow(model[0].running_var),
    "given another precision": lambda model: setattr(model[0].running_var, "data", torch.ones(3, dtype=torch.float64)),
    "replaced": lambda model: setattr(model[0], "running_mean", torch.full((3,), 7.0)),
    "replaced by nothing": lambda model: setattr(model[0], "running_mean", None),
    "taken away": lambda model: model[1]._buffers.pop("running_var"),
    "added": lambda model: model[1].register_buffer("more", torch.ones(2)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_buffers_are_the_same_tensors_with_the_same_numbers(change: str) -> None:
    model = network()
    before = {name: (each, each.to_dense().clone()) for name, each in model.named_buffers()}

    with contextlib.suppress(KeyboardInterrupt), buffers_left_as_found(modules_in(model)):
        CHANGES[change](model)
        raise KeyboardInterrupt

    after = dict(model.named_buffers())
    assert list(after) == list(before)
    for name, (tensor, numbers) in before.items():
        assert after[name] is tensor, name
        assert (tensor.dtype, tensor.shape) == (numbers.dtype, numbers.shape), name
        assert torch.equal(tensor.to_dense().nan_to_num(99), numbers.nan_to_num(99)), name

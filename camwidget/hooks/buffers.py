"""Buffers that a network replaces, adds or writes into while it runs are put back.

Every buffer is copied, because a network that turns its training mode on writes into the statistics of its batch norm.
Those of one kind are copied and compared as one row of numbers: a small network has a hundred of a few numbers each.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn


class _Row(NamedTuple):
    """Buffers of one kind as they were found."""

    buffers: list[Tensor]
    shapes: list[torch.Size]
    numbers: Tensor
    """Of all of them, one after the other."""


class _Other(NamedTuple):
    """A buffer that cannot stand in a row: sparse, without numbers, of inference mode, or of a class of its own."""

    buffer: Tensor
    copy: Tensor
    version: int | None
    """How often it was changed in place; None where that is not counted."""


@contextmanager
def buffers_left_as_found(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Put back, when the block ends, the buffers of some modules: which there are, and their numbers.

    Args:
        modules: all modules of a network.
    """
    places = [(module, dict(module._buffers.items())) for module in modules]
    held = {id(each): each for _, own in places for each in own.values() if each is not None}
    with torch.no_grad():
        rows = _rows([each for each in held.values() if _fits_a_row(each)])
        others = [
            _Other(each, each.detach().clone(), _version(each)) for each in held.values() if not _fits_a_row(each)
        ]
    try:
        yield
    finally:
        for module, own in places:
            if not isinstance(module, torch.jit.ScriptModule) and list(module._buffers) != list(own):
                module._buffers.clear()  # some were made or taken away, and their order counts
            for name, buffer in own.items():
                module._buffers[name] = buffer
        for row in rows:
            _put_back_row(row)
        for other in others:
            if _is_changed(other):
                with torch.no_grad(), torch.inference_mode(other.buffer.is_inference()):
                    other.buffer.copy_(other.copy)


def _fits_a_row(buffer: Tensor) -> bool:
    plain = type(buffer) is Tensor and buffer.layout == torch.strided and not buffer.is_quantized
    return plain and not buffer.is_meta and not buffer.is_inference()


def _rows(buffers: Sequence[Tensor]) -> list[_Row]:
    alike: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
    for buffer in buffers:
        alike.setdefault((buffer.dtype, buffer.device), []).append(buffer)
    return [_Row(each, [buffer.shape for buffer in each], _in_a_row(each)) for each in alike.values()]


def _in_a_row(buffers: Sequence[Tensor]) -> Tensor:
    return torch.cat([buffer.detach().reshape(-1) for buffer in buffers])


def _put_back_row(row: _Row) -> None:
    with torch.no_grad():
        as_they_were = all(
            buffer.shape == shape and buffer.dtype == row.numbers.dtype and buffer.device == row.numbers.device
            for buffer, shape in zip(row.buffers, row.shapes, strict=True)
        )
        # What is written through `.data` or numpy is not counted, so the numbers themselves are compared.
        if as_they_were and torch.equal(_in_a_row(row.buffers), row.numbers):
            return
        copies = row.numbers.split([shape.numel() for shape in row.shapes])
        for buffer, shape, copy in zip(row.buffers, row.shapes, copies, strict=True):
            if buffer.shape == shape and buffer.dtype == copy.dtype and buffer.device == copy.device:
                buffer.copy_(copy.view(shape))
            else:  # it was given other memory through `.data`, or another size
                buffer.data = copy.view(shape).clone()


def _version(buffer: Tensor) -> int | None:
    return None if buffer.is_inference() else buffer._version


def _is_changed(other: _Other) -> bool:
    buffer = other.buffer
    if buffer.layout == torch.strided and not buffer.is_meta:
        return not torch.equal(buffer, other.copy)
    return other.version is None or _version(buffer) != other.version

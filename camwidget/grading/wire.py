"""What both sides of the line speak: JSON by the line, tensors as raw bytes, nothing pickled on the way out.

The learner's process may send anything. So a line has a longest length and a deadline, and `unpack` makes plain values
and tensors only, of kinds and sizes that it checks, and not too many. What has no plain value goes by a number: `refer`
gives one to an object on the sending side, `resolve` makes a stand-in for it on the other.
"""

import base64
import json
import math
import select
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

LONGEST_LINE = 64 << 20
"""Bytes of one message; the largest answer in the course needs a thousandth of it."""
MOST_VALUES = 200_000
"""Plain values in one message, and characters in one text; 100 levels deep at most."""
DEEPEST = 100
MOST_BITS = 14_000
"""Of a whole number. Python writes no more than 4300 digits of one."""

DTYPES = {
    str(kind).removeprefix("torch."): kind
    for kind in (
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128),
        *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    )
}

Refer = Callable[[Any], Mapping[str, Any]]
Resolve = Callable[[Mapping[str, Any]], Any]


class BadReplyError(Exception):
    """The other side sent something that is no message, or none that was asked for."""


class EndedError(Exception):
    """The other side is gone."""


class Line:
    """Messages over a socket, one JSON value by the line."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket, self._rest = sock, b""

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one message; wait until it is out.

        Raises:
            EndedError: nobody reads any more.
        """
        try:
            self.socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise EndedError from error

    def receive(self, keep_waiting: Callable[[], float] | None = None) -> Any:
        """Return the next message.

        Args:
            keep_waiting: called about every moment of waiting; returns how many seconds to wait before the next call,
                and raises to stop. By default it is waited for ever.

        Raises:
            EndedError: the other side closed the line.
            BadReplyError: the line is too long, or is no JSON.
        """
        parts, length = [self._rest], len(self._rest)
        while b"\n" not in parts[-1]:
            if keep_waiting is not None:
                pause = keep_waiting()
                if not select.select([self.socket], [], [], pause)[0]:
                    continue
            try:
                part = self.socket.recv(1 << 16)
            except OSError as error:
                raise EndedError from error
            if not part:
                raise EndedError
            parts.append(part)
            length += len(part)
            if length > LONGEST_LINE:
                raise BadReplyError(f"a reply of more than {LONGEST_LINE >> 20} MB")
        line, self._rest = b"".join(parts).split(b"\n", 1)
        try:
            return json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadReplyError(f"a reply that is no JSON ({type(error).__name__})") from None

    @property
    def has_more(self) -> bool:
        """Whether something came that nobody asked for."""
        return bool(self._rest) or bool(select.select([self.socket], [], [], 0)[0])


@contextmanager
def bad_replies_named() -> Iterator[None]:
    """Any way in which a reply can be unlike what was asked for is a `BadReplyError`."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError, RecursionError) as error:
        raise BadReplyError(f"a reply in another form ({type(error).__name__})") from None


def pack(value: Any, refer: Refer) -> Mapping[str, Any]:
    """Turn a value into what JSON can hold.

    Args:
        value: anything.
        refer: returns what stands for an object that is no plain value; for a tensor with a graph, what to say of it
            beside its numbers.
    """
    if value is None or type(value) in (bool, float, str):
        return {"v": value}
    if type(value) is int:
        return {"v": _writable(value)}
    if isinstance(value, Tensor):
        packed = _packed_tensor(value)
        return {**packed, **refer(value)} if value.grad_fn is not None else packed
    if isinstance(value, torch.nn.Module):
        return refer(value)
    if isinstance(value, np.ndarray | np.generic):
        if str(value.dtype) in DTYPES or value.dtype == np.bool_:
            packed = dict(_packed_tensor(torch.from_numpy(np.array(value))))
            return {**packed, "n": "scalar" if isinstance(value, np.generic) else "array"}
        return {"v": repr(value)[:MOST_VALUES]}
    if isinstance(value, range):
        return {"r": [value.start, value.stop, value.step]}
    for kind in (tuple, list, set, frozenset):
        if isinstance(value, kind):
            return {"l": [pack(each, refer) for each in value], "k": kind.__name__}
    if isinstance(value, dict):
        return {"d": [[pack(key, refer), pack(each, refer)] for key, each in value.items()]}
    if isinstance(value, int):
        return {"v": _writable(int(value))}
    for plain in (str, float):
        if isinstance(value, plain):
            return {"v": plain(value)}
    if not isinstance(value, type) and hasattr(value, "__array__"):
        return pack(np.asarray(value), refer)
    return refer(value)


def _writable(number: int) -> int:
    """A whole number, if Python writes it down."""
    if number.bit_length() > MOST_BITS:
        raise ValueError(f"a whole number of {number.bit_length()} bits is too long to be looked at")
    return number


def _packed_tensor(value: Tensor) -> Mapping[str, Any]:
    if type(value) is not Tensor:  # a subclass may have any methods of its own
        value = Tensor.as_subclass(value, Tensor)
    if value.device.type == "meta":  # by itself PyTorch raises what stands for an answer that is not written
        raise TypeError("a tensor on the device 'meta' has a shape and no numbers")
    asks = bool(value.requires_grad)
    with torch.no_grad():
        plain = value.detach().cpu()
        plain = (plain.to_dense() if plain.layout != torch.strided else plain).resolve_conj().resolve_neg()
        raw = raw_of(plain)
    kind = str(plain.dtype).removeprefix("torch.")
    return {"t": [kind, list(plain.shape), base64.b64encode(raw).decode()], "g": asks}


def raw_of(plain: Tensor) -> bytes:
    """The numbers of a tensor as bytes, in order.

    Args:
        plain: it is no subclass, has no graph, and lies in the processor's memory.
    """
    # A copy, because `contiguous` leaves a tensor of one number as it is, whatever stride it has.
    dense = plain.clone(memory_format=torch.contiguous_format).reshape(-1)
    return dense.view(torch.uint8).numpy().tobytes() if plain.numel() else b""


def unpack(message: Any, resolve: Resolve) -> Any:
    """The inverse of `pack`, for a message that nobody vouches for.

    Args:
        message: parsed JSON.
        resolve: makes a stand-in out of what `refer` returned on the other side; of a tensor with a graph there it is
            told the number, under "k", and the tensor, under "made".

    Raises:
        BadReplyError: it is nothing that `pack` returns, or too much of it.
    """
    with bad_replies_named():
        return _Unpacking(resolve).value(message, 0)


class _Unpacking:
    def __init__(self, resolve: Resolve) -> None:
        self.resolve, self.count = resolve, 0

    def value(self, message: Any, depth: int) -> Any:
        self.count += 1
        if self.count > MOST_VALUES or depth > DEEPEST:
            raise BadReplyError("a reply with too many values")
        if "v" in message:
            value = message["v"]
            if value is not None and type(value) not in (bool, int, float, str):
                raise BadReplyError("a reply in another form")
            if isinstance(value, str) and len(value) > MOST_VALUES:
                raise BadReplyError("a reply with too long a text")
            return value
        if "t" in message:
            return self._tensor(message)
        if "r" in message:
            return range(*map(int, message["r"]))
        if "l" in message:
            kinds: dict[str, Callable[[Any], Any]] = {"tuple": tuple, "set": set, "frozenset": frozenset, "list": list}
            return kinds[message["k"]](self.value(each, depth + 1) for each in message["l"])
        if "d" in message:
            return {self.value(key, depth + 1): self.value(each, depth + 1) for key, each in message["d"]}
        return self.resolve(message)

    def _tensor(self, message: Mapping[str, Any]) -> Any:
        kind, shape, text = message["t"]
        dtype, lengths = DTYPES[kind], [int(length) for length in shape]
        raw = base64.b64decode(text, validate=True)
        if len(lengths) > 25 or min(lengths, default=0) < 0 or math.prod(lengths) * dtype.itemsize != len(raw):
            raise BadReplyError("a tensor whose numbers do not fill its shape")
        if dtype == torch.bool:
            raw = bytes(map(bool, raw))  # any other byte would be a bool that is neither
        made = torch.frombuffer(bytearray(raw), dtype=dtype) if raw else torch.empty(0, dtype=dtype)
        made = made.reshape(lengths)
        if "n" in message:
            return made.numpy()[()] if message["n"] == "scalar" else made.numpy()
        made = made.requires_grad_(bool(message["g"]) and (dtype.is_floating_point or dtype.is_complex))
        if "k" in message:
            self.resolve({"k": int(message["k"]), "made": made})
        return made


def now() -> float:
    """Seconds on a clock that nobody sets back."""
    return time.monotonic()

"""What comes over the line is plain values of a bounded size, whatever was sent."""

import base64
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from camwidget.grading.callfilter import forbid
from camwidget.grading.child import unchecked
from camwidget.grading.parent import HOME
from camwidget.grading.raised import made_again
from camwidget.grading.standins import StandIn, stands_in
from camwidget.grading.wire import MOST_VALUES, BadReplyError, EndedError, Line, pack, unpack


def nothing(_: Any) -> Mapping[str, Any]:
    raise BadReplyError("no object was sent")


def there_and_back(value: Any) -> Any:
    return unpack(json.loads(json.dumps(pack(value, nothing))), nothing)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        7,
        -1.5,
        "text",
        "\ud800",
        [1, [2, (3,)]],
        {1: "a", "b": [None]},
        {1, 2},
        frozenset({"x"}),
        range(2, 9, 3),
    ],
)
def test_plain_values_come_as_they_were(value: Any) -> None:
    back = there_and_back(value)

    assert (back, type(back)) == (value, type(value))


def test_a_sparse_tensor_comes_as_its_numbers_and_one_without_numbers_is_no_unwritten_answer() -> None:
    assert there_and_back(torch.tensor([[0.0, 7.0], [0.0, 0.0]]).to_sparse()).tolist() == [[0, 7], [0, 0]]
    with pytest.raises(TypeError, match="no numbers"):
        pack(torch.zeros(2, device="meta"), nothing)


@pytest.mark.parametrize(
    "number", [10**5000, -(10**4400), [1, {2: 10**4300}]], ids=["a number", "below zero", "deep inside"]
)
def test_a_number_that_python_does_not_write_is_refused_before_it_is_sent(number: Any) -> None:
    with pytest.raises(ValueError, match="too long to be looked at"):
        pack(number, nothing)

    assert there_and_back(10**4200) == 10**4200


@pytest.mark.parametrize(
    "view",
    [
        lambda: torch.arange(4.0)[::2][:1],
        lambda: torch.arange(12.0).reshape(3, 4).T[1:2, 2:],
        lambda: torch.arange(5.0)[2:3].expand(3)[:1],
        lambda: torch.ones(1, 7) @ torch.ones(7, 1),
        lambda: (torch.ones(1, 7) @ torch.ones(1, 7).T).diagonal(),
        lambda: torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1)[::2],
    ],
)
def test_a_view_comes_as_its_own_numbers_whatever_its_strides(view: Callable[[], Tensor]) -> None:
    back = there_and_back(view())

    assert back.tolist() == view().tolist()


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int16, torch.bool, torch.complex64]
)
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3, 5)])
def test_tensors_come_with_dtype_and_shape(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    value = (10 * torch.randn(shape)).to(dtype)

    back = there_and_back(value)

    assert back.dtype == dtype
    assert torch.equal(back, value)


def test_a_tensor_that_asks_for_gradients_says_so_and_a_view_is_read_as_it_looks() -> None:
    value = torch.arange(6.0).reshape(2, 3).T.requires_grad_()

    back = there_and_back(value)

    assert back.requires_grad
    assert back.tolist() == [[0, 3], [1, 4], [2, 5]]


def test_arrays_and_their_scalars_stay_what_they_are() -> None:
    assert np.array_equal(there_and_back(np.eye(3)), np.eye(3))
    assert isinstance(there_and_back(np.float32(2.5)), np.float32)


def test_a_subclass_becomes_the_plain_kind() -> None:
    class Own(str):
        __slots__ = ()

    class OwnTensor(Tensor):
        def detach(self) -> Tensor:
            raise KeyError

    assert type(there_and_back(Own("x"))) is str
    assert type(there_and_back(torch.ones(2).as_subclass(OwnTensor))) is Tensor


def tensor(kind: Any, shape: Any, raw: bytes, *, asks: Any = False) -> dict[str, Any]:
    return {"t": [kind, shape, base64.b64encode(raw).decode()], "g": asks}


BAD: dict[str, Any] = {
    "nothing": {},
    "no mapping": 7,
    "a list in place of a value": {"v": [1]},
    "an unknown kind of list": {"l": [], "k": "deque"},
    "a list that is none": {"l": 5, "k": "list"},
    "a key that cannot be one": {"d": [[{"l": [], "k": "list"}, {"v": 1}]]},
    "a pair of three": {"d": [[{"v": 1}, {"v": 1}, {"v": 1}]]},
    "an unknown dtype": tensor("object", [1], bytes(8)),
    "too few numbers": tensor("float32", [3], bytes(8)),
    "a huge shape": tensor("float32", [10**9, 10**9], b""),
    "a negative shape": tensor("float32", [-1, -2], bytes(8)),
    "a shape of words": tensor("float32", ["a"], bytes(4)),
    "no base64": {"t": ["float32", [1], "!!!!"], "g": False},
    "a long text": {"v": "x" * (MOST_VALUES + 1)},
    "many values": {"l": [{"v": 1}] * (MOST_VALUES + 1), "k": "list"},
    "an object by a number": {"h": 3},
    "a range of words": {"r": ["a", 1, 1]},
    "a range without an end": {"r": [0, float("inf"), 1]},
}


@pytest.mark.parametrize("name", BAD)
def test_anything_else_is_a_bad_reply(name: str) -> None:
    with pytest.raises(BadReplyError):
        unpack(BAD[name], nothing)


def test_a_reply_that_is_too_deep_is_a_bad_one() -> None:
    deep: dict[str, Any] = {"v": 1}
    for _ in range(500):
        deep = {"l": [deep], "k": "list"}

    with pytest.raises(BadReplyError, match="too many values"):
        unpack(deep, nothing)


@pytest.fixture
def ends() -> Iterator[tuple[Line, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Line(ours), theirs


def test_two_messages_in_one_packet_are_two_and_the_second_is_noticed(ends: tuple[Line, socket.socket]) -> None:
    line, other = ends
    other.sendall(b'{"id": 1}\n{"id": 2}\n')

    assert not Line(other).has_more
    assert line.receive() == {"id": 1}
    assert line.has_more
    assert line.receive() == {"id": 2}


def test_half_a_message_is_waited_for_no_longer_than_allowed(ends: tuple[Line, socket.socket]) -> None:
    line, other = ends
    other.sendall(b'{"id"')
    calls = []

    def impatient() -> float:
        calls.append(1)
        if len(calls) > 3:
            raise TimeoutError
        return 0.01

    with pytest.raises(TimeoutError):
        line.receive(impatient)


@pytest.mark.parametrize("sent", [b"\xff\n", b"{\n", b"[" * 100_000 + b"\n", b"1" * 5000 + b"\n"])
def test_what_is_no_json_is_a_bad_reply(ends: tuple[Line, socket.socket], sent: bytes) -> None:
    line, other = ends
    other.sendall(sent)

    with pytest.raises(BadReplyError):
        line.receive()


def test_a_closed_line_has_ended(ends: tuple[Line, socket.socket]) -> None:
    line, other = ends
    other.close()

    with pytest.raises(EndedError):
        line.receive()


def test_an_error_is_made_again_by_its_name_and_nothing_but_an_error() -> None:
    def about(kind: str, known: list[str]) -> dict[str, Any]:
        return {"kind": kind, "known": known, "message": "m", "line": "x = 1 / 0", "cause": None}

    ordinary, line = made_again(about("ZeroDivisionError", ["builtins", "ZeroDivisionError"]))
    own, _ = made_again(about("MyError", ["builtins", "ValueError"]))
    forged, _ = made_again(about("KeyboardInterrupt", ["builtins", "KeyboardInterrupt"]))
    function, _ = made_again(about("eval", ["builtins", "eval"]))

    assert (type(ordinary), str(ordinary), line) == (ZeroDivisionError, "m", "x = 1 / 0")
    assert (type(own).__name__, isinstance(own, ValueError)) == ("MyError", True)
    assert isinstance(forged, RuntimeError)
    assert isinstance(function, RuntimeError)


def test_in_the_sandbox_a_check_says_nothing_and_costs_nothing() -> None:
    report = unchecked("hooks.q5", None)

    assert (report.points, report.right, HOME) == (0, True, "/camwidget")
    assert not stands_in(report)
    assert stands_in(StandIn())


def test_where_the_machine_is_unknown_it_is_said_that_nothing_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "abacus")

    assert not forbid(None)

"""What cells leave switched on is put aside, and put back as it was."""

from collections.abc import Iterator

import pytest
import torch
from torch.overrides import TorchFunctionMode

from camwidget.grading.modes import Modes


class Renames(TorchFunctionMode):
    """Counts what is called, and lets it happen."""

    called = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.called += 1
        return function(*args, **(kwargs or {}))


@pytest.fixture
def modes() -> Iterator[Modes]:
    made = Modes()
    yield made
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_grad_enabled(True)


def test_nothing_is_left_on_at_first(modes: Modes) -> None:
    assert modes.left_on() == []


def test_all_is_as_before_for_a_while_and_then_as_it_was_left(modes: Modes) -> None:
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_grad_enabled(False)
    with torch.inference_mode(), torch.autocast("cpu"), Renames() as outer, Renames() as inner:
        left = modes.left_on()
        with modes.put_back():
            plain = torch.ones(2, requires_grad=True) * 2
            inside = modes.left_on()
            torch.set_grad_enabled(False)  # what a call leaves goes no further
            Renames().__enter__()
        before = outer.called, inner.called
        again = torch.ones(2)
        after = modes.left_on()
        called = outer.called - before[0], inner.called - before[1]

    assert left == after
    assert set(left) == {
        "the default dtype changed",
        "the recording of gradients off",
        "autocast on",
        "a TorchFunctionMode on",
        "a default device on",
        "inference mode on",
    }
    assert (inside, str(plain.device), plain.dtype, plain.grad_fn is not None) == ([], "cpu", torch.float32, True)
    assert (str(again.device), again.dtype) == ("meta", torch.float64)
    assert min(called) > 0
    assert not torch.is_grad_enabled()


def test_hooks_on_saved_tensors_are_put_aside_too(modes: Modes) -> None:
    seen: list[torch.Tensor] = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        seen.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        given = torch.full((3,), 2.0, requires_grad=True)
        with modes.put_back():
            (given * given).sum().backward()
        put_aside = list(seen)
        left = modes.left_on()
        _ = given * given

    assert (put_aside, left, bool(seen)) == ([], ["hooks on saved tensors on"], True)

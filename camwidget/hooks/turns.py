"""One thread at a time works on a network; what all threads share is changed once and put back once."""

import pickle
import random
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from camwidget.hooks.walk import modules_in


@dataclass(frozen=True, eq=False)
class _Hold:
    """What a thread has to itself."""

    thread: int
    things: dict[int, object]
    """By their numbers; kept, so that no number is given to another thing meanwhile."""


_changed = threading.Condition()
_holds: list[_Hold] = []


@contextmanager
def alone_with(network: nn.Module) -> Iterator[None]:
    """Wait until no other thread works on the network or on a part of it, and keep the others waiting for the block.

    Networks that have a module, a parameter or a buffer in common wait for each other; others do not. The thread that
    is inside may enter again, with the same network or another. A loop that trains takes no turn: do not explain a
    network in one thread while another trains it.

    Args:
        network: the network.
    """
    things: dict[int, object] = {}
    for module in modules_in(network):
        things |= {id(thing): thing for thing in (module, *module._parameters.values(), *module._buffers.values())}
    things.pop(id(None), None)  # the place of a parameter or buffer that is not there
    hold = _Hold(threading.get_ident(), things)
    with _changed:
        _changed.wait_for(lambda: not any(_excludes(other, hold) for other in _holds))
        _holds.append(hold)
    try:
        yield
    finally:
        with _changed:
            _holds.remove(hold)
            _changed.notify_all()


def _excludes(other: _Hold, hold: _Hold) -> bool:
    return other.thread != hold.thread and not other.things.keys().isdisjoint(hold.things)


class _Shared:
    """Something of the whole process, changed for blocks: by the first thread inside, put back by the last one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._undo = ExitStack()
        self._done = False

    @contextmanager
    def changed(self, change: Callable[[], Any], *, needed: Callable[[], bool]) -> Iterator[None]:
        """Change it for the block, unless another block has: `change` makes the block that does it."""
        with self._lock:
            self._inside += 1
            if not self._done and needed():
                self._undo.enter_context(change())
                self._done = True
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    self._done = False
                    self._undo.close()


_compiler = _Shared()


def compiler_stands_aside() -> Any:
    """Return a block in which compiled code is not used. Where the compiler is not even loaded, nothing is compiled."""
    return _compiler.changed(
        lambda: torch.compiler.set_stance("force_eager"), needed=lambda: "torch._dynamo" in sys.modules
    )


_short_cut = _Shared()


def transformers_run_as_written(modules: Iterable[nn.Module]) -> Any:
    """Return a block in which PyTorch's transformers take no short cut.

    Without a gradient, a whole layer of theirs is one operation: it calls no hooks of the modules inside, and with a
    padding mask it returns a nested tensor, which has no shape.

    Args:
        modules: all that may run.
    """
    kinds = (nn.TransformerEncoder, nn.TransformerEncoderLayer, nn.MultiheadAttention)
    return _short_cut.changed(
        _without_short_cut,
        needed=lambda: (
            torch.backends.mha.get_fastpath_enabled() and any(isinstance(module, kinds) for module in modules)
        ),
    )


@contextmanager
def _without_short_cut() -> Iterator[None]:
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


_drawing = threading.Lock()
_kept: dict[str, tuple[int, Any]] = {}  # source of random numbers to how many blocks want it back, and its state
_here = threading.local()


@contextmanager
def random_numbers_left_as_found(*, gpus: tuple[int, ...] = ()) -> Iterator[None]:
    """Put the random numbers of Python, numpy and PyTorch back when the block ends.

    All threads draw from the same numbers. If blocks of several threads overlap, each puts back what the first found.

    Args:
        gpus: the numbers of the GPUs whose random numbers are put back as well.
    """
    if leaves_random_numbers():
        yield
        return
    sources = random_sources(gpus)
    with _drawing:
        for name, (read, _) in sources.items():
            inside, state = _kept.get(name, (0, None))
            _kept[name] = (inside + 1, state if inside else read())
    try:
        yield
    finally:
        with _drawing:
            for name, (_, write) in sources.items():
                inside, state = _kept.pop(name)
                write(state)
                if inside > 1:
                    _kept[name] = (inside - 1, state)


@contextmanager
def random_numbers_left_to_others() -> Iterator[None]:
    """Neither read nor put back random numbers for the block, in this thread.

    For a network that draws none, beside other threads that may: putting numbers back would make them draw the same
    ones again.
    """
    before = getattr(_here, "leave_random_numbers", False)
    _here.leave_random_numbers = True
    try:
        yield
    finally:
        _here.leave_random_numbers = before


def draw_again_from(state: torch.Tensor) -> None:
    """Let PyTorch draw from a state again, unless this thread leaves random numbers to others.

    Args:
        state: of `torch.get_rng_state()`.
    """
    if not leaves_random_numbers():
        torch.set_rng_state(state)


def leaves_random_numbers() -> bool:
    """Return whether this thread leaves random numbers to others."""
    return getattr(_here, "leave_random_numbers", False)


def random_states(*, gpus: tuple[int, ...] = ()) -> tuple[Any, ...]:
    """Return the states of all random numbers, in a form that can be compared.

    Args:
        gpus: the numbers of the GPUs whose random numbers count as well.
    """
    return tuple(comparable(read()) for read, _ in random_sources(gpus).values())


def comparable(state: Any) -> bytes:
    """Return the state of a source of random numbers in a form that can be compared.

    Args:
        state: as the source gives it, a tensor or plain values.
    """
    return state.cpu().numpy().tobytes() if isinstance(state, torch.Tensor) else pickle.dumps(state)


def random_sources(gpus: tuple[int, ...]) -> dict[str, tuple[Callable[[], Any], Callable[[Any], object]]]:
    """Return how to read and write the state of each source of random numbers that all threads share.

    Args:
        gpus: the numbers of the GPUs whose random numbers count as well.
    """
    found: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
        "python": (random.getstate, random.setstate),
        "numpy": (np.random.get_state, np.random.set_state),
        "torch": (torch.get_rng_state, torch.set_rng_state),
    }
    for gpu in gpus:
        read, write = partial(torch.cuda.get_rng_state, gpu), partial(torch.cuda.set_rng_state, device=gpu)
        found[f"gpu {gpu}"] = (read, write)
    return found

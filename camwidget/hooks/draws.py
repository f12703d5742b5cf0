"""The random numbers that a network draws: did it draw any, and can it draw the same ones again?

Besides the numbers of Python, numpy and PyTorch, which the whole process shares, a module may keep generators of its
own. Not seen is one that `forward` makes anew, with another seed each time.
"""

import random
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from camwidget.hooks.turns import comparable, leaves_random_numbers, random_sources
from camwidget.hooks.walk import modules_in

_USUAL = frozenset({bool, dict, float, int, list, OrderedDict, set, str, tuple, type(None)})
"""Types of nearly all attributes of modules, none of them a generator: looked up, which is quicker than asking each."""


class Source(NamedTuple):
    """Where random numbers come from: how its state is read and written."""

    read: Callable[[], Any]
    write: Callable[[Any], object]


class Draws:
    """What one network draws from, with the state in which it was found.

    Args:
        network: any.
        gpus: the numbers of the GPUs that it runs on.
    """

    def __init__(self, network: nn.Module, *, gpus: tuple[int, ...] = ()) -> None:
        self._own = [source for module in modules_in(network) for source in own_sources(module)]
        self._shared = [Source(*each) for each in random_sources(gpus).values()]
        self._before = [source.read() for source in (*self._own, *self._shared)]

    @property
    def any(self) -> bool:
        """Whether numbers were drawn since this was made."""
        now = [source.read() for source in (*self._own, *self._shared)]
        return list(map(comparable, now)) != list(map(comparable, self._before))

    def again(self) -> None:
        """Let the next run draw the numbers that the first one drew, unless this thread leaves them to others."""
        sources = [*self._own, *self._shared]
        mine = len(self._own) if leaves_random_numbers() else len(sources)
        for source, state in zip(sources[:mine], self._before[:mine], strict=True):
            source.write(state)


def own_sources(module: nn.Module) -> list[Source]:
    """Return the generators that a module keeps as attributes.

    Args:
        module: itself, without those inside.
    """
    if type(module).__module__.startswith("torch.nn.modules.") or isinstance(module, torch.jit.ScriptModule):
        return []
    kept = (value for value in vars(module).values() if type(value) not in _USUAL)
    return [source for value in kept if (source := source_of(value)) is not None]


def source_of(value: object) -> Source | None:
    """Return how a generator of random numbers is read and written; None for anything else.

    Args:
        value: what may be one of PyTorch's, numpy's or Python's.
    """
    if isinstance(value, torch.Generator):
        return Source(value.get_state, value.set_state)
    if isinstance(value, random.Random):
        return Source(value.getstate, value.setstate)
    if isinstance(value, np.random.RandomState):
        return Source(value.get_state, value.set_state)
    if isinstance(value, np.random.Generator):
        bits = value.bit_generator
        return Source(lambda: bits.state, lambda state: setattr(bits, "state", state))
    return None

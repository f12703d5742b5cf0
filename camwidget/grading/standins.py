"""Outside: what the judges get in place of a learner's functions, classes and objects, which are in the sandbox.

A judge is not changed for this. It draws a network, calls an answer with it and looks at what came of it, as ever. A
call of a stand-in goes over the line with its arguments, see `Session.far`.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from torch import nn


@runtime_checkable
class Far(Protocol):
    """Calls something in the sandbox, see `Session.far`."""

    def far(self, target: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Call it, and return what it returned."""


class StandIn:
    """Stands for an object of the learner's. Its class has the special methods that the object's class has."""

    _session: Far
    _number: int
    _repr: str

    def __repr__(self) -> str:
        return self._repr

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_session", "_number", "_repr"):
            raise AttributeError(name)
        return self._session.far(Attribute(self, name), (), {})


class ModuleStandIn(nn.Module):
    """Stands for a network of the learner's."""

    def __init__(self, session: Far, number: int) -> None:
        super().__init__()
        self._session, self._number = session, number

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run it over there."""
        return self._session.far(Method(self, "__call__"), args, kwargs)

    def _changed(self, name: str, *args: Any) -> "ModuleStandIn":
        self._session.far(Quietly(self, name), args, {})
        return self

    def train(self, mode: bool = True) -> "ModuleStandIn":
        """Switch its mode over there."""
        self._changed("train", mode)
        return self

    def double(self) -> "ModuleStandIn":
        """Change its numbers to float64 over there."""
        return self._changed("double")

    def float(self) -> "ModuleStandIn":
        """Change its numbers to float32 over there."""
        return self._changed("float")


class Named:
    """A method or an attribute of a stand-in, by name."""

    def __init__(self, owner: StandIn | ModuleStandIn, name: str) -> None:
        self.owner, self.name = owner, name


class Method(Named):
    """A method of a stand-in."""


class Quietly(Method):
    """A method whose result nobody needs."""


class Attribute(Named):
    """An attribute of a stand-in."""


def special_method(name: str) -> Callable[..., Any]:
    """Return a method of a stand-in's class that calls the object's own over there.

    Args:
        name: such as "__call__".
    """

    def method(self: StandIn, *args: Any, **kwargs: Any) -> Any:
        if name == "__exit__":  # a traceback holds frames, and those stay here
            args = tuple(None if isinstance(each, types.TracebackType) else each for each in args)
        return self._session.far(Method(self, name), args, kwargs)

    method.__dict__["stands_in"] = True
    return method


def stands_in(function: Any) -> bool:
    """Whether calling this goes over the line by itself."""
    function = getattr(function, "__func__", function)
    return isinstance(function, StandIn | ModuleStandIn) or getattr(function, "stands_in", False) is True

"""Inside: what the judge sends, made again here. What stays on one side of the line goes by a number.

What `sent` has written is read here.
"""

import importlib
import io
import marshal
import pickle
import types
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from camwidget.grading.wire import DTYPES, Line, pack, unpack

SPECIAL = ("__call__", "__enter__", "__exit__", "__len__", "__iter__", "__getitem__")
"""Methods that are looked up on the class, and so have to be on a stand-in's class."""


class Objects:
    """Objects of a learner's, and of the judge's, by their numbers.

    Args:
        line: to the judge.
    """

    def __init__(self, line: Line) -> None:
        self.line = line
        self.handles: list[Any] = []
        """What the learner has made: functions, classes, objects."""
        self.modules: list[nn.Module] = []
        """The judge's networks, each part by itself."""
        self.leaves: list[Tensor] = []
        """Tensors of the judge's that ask for gradients."""
        self.outside: dict[int, Any] = {}
        """Tensors that the judge computed and can trace back, by their number."""
        self.graphs: list[Tensor] = []
        """Results that can be traced back here."""

    def read(self, raw: bytes) -> Any:
        """Make what the judge sent again.

        Args:
            raw: as `sent` has written it.
        """
        return _Reader(self, raw).load()

    def refer(self, value: Any) -> Mapping[str, Any]:
        """Return the number that stands for an object, with what is told of it.

        Args:
            value: a tensor with a graph, a network, or anything else that is no plain value.
        """
        if isinstance(value, Tensor):
            self.graphs.append(value)
            return {"k": len(self.graphs) - 1}
        for number, known in enumerate(self.modules):
            if known is value:
                return {"m": number}
        self.handles.append(value)
        special = [name for name in SPECIAL if hasattr(type(value), name)]
        about = {"type": type(value).__name__, "special": special, "module": isinstance(value, nn.Module)}
        return {"h": len(self.handles) - 1, **about, "repr": repr(value)[:400], "class": isinstance(value, type)}

    def ask(self, question: dict[str, Any]) -> Any:
        """Ask the judge something in the middle of a call: a function of the judge's, or the other half of a graph."""
        self.line.send(question)
        answer = self.line.receive()
        if "raise" in answer:
            kind = getattr(importlib.import_module("builtins"), answer["raise"][0], RuntimeError)
            raise kind(answer["raise"][1])
        return unpack(answer["ok"], lambda message: None)


class _Reader(pickle.Unpickler):
    """Reads what the judge sent. What it names by number is here already, or asks the judge when it is used."""

    def __init__(self, objects: Objects, raw: bytes) -> None:
        super().__init__(io.BytesIO(raw))
        self.objects = objects

    def persistent_load(self, pid: Any) -> Any:
        objects, (kind, *rest) = self.objects, pid
        if kind == "handle":
            return objects.handles[rest[0]]
        if kind == "method":
            owner, name = objects.handles[rest[0]], rest[1]
            # As Python does it: to call a class is to make an object, also where its objects can be called.
            return getattr(type(owner), name).__get__(owner) if name in SPECIAL else getattr(owner, name)
        if kind == "attribute":
            return lambda: getattr(objects.handles[rest[0]], rest[1])
        if kind == "module":
            return objects.modules[rest[0]]
        if kind == "answers":
            return types.SimpleNamespace(answers=tuple(rest[0]), answer=rest[0][0] if rest[0] else None)
        if kind == "callback":
            return lambda *args: objects.ask(
                {"callback": rest[0], "args": [pack(each, objects.refer) for each in args]}
            )
        if kind == "dls":
            networks = importlib.import_module("camwidget.course.assignments.networks")
            return networks.another_dls(tuple(rest[0]), mean=tuple(rest[1]), std=tuple(rest[2]))
        if kind == "returned":
            return objects.graphs[rest[0]]
        if kind == "leaf":
            return self._leaf(*rest)
        return self._graph(*rest)

    def _leaf(self, number: int, values: Tensor, gradient: Tensor | None) -> Tensor:
        leaves = self.objects.leaves
        if number == len(leaves):
            leaves.append(values.detach().clone().requires_grad_())
        leaves[number].grad = gradient
        return leaves[number]

    def _graph(self, number: int, values: Tensor, sources: Sequence[Tensor]) -> Any:
        outside = self.objects.outside
        if number not in outside:
            outside[number] = _Outside.apply(values, self.objects, number, *sources)
        return outside[number]


class _Outside(torch.autograd.Function):
    """A tensor that the judge computed, with its graph: the way back through it leads to the judge."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, objects: Objects, number: int, *_: Tensor) -> Tensor:
        ctx.objects, ctx.number = objects, number
        ctx.save_for_backward(values)
        return values.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        _ = ctx.saved_tensors  # raises where the graph was used up, as any graph does
        asked = {"backward": ctx.number, "gradient": pack(gradient, ctx.objects.refer)}
        return None, None, None, *ctx.objects.ask(asked)


def made_tensor(kind: str, shape: Sequence[int], raw: bytes) -> Tensor:
    """Make a tensor of the judge's again, over here.

    Args:
        kind: of its numbers, as PyTorch names it.
        shape: its shape.
        raw: its numbers.
    """
    dtype = DTYPES[kind]
    made = torch.frombuffer(bytearray(raw), dtype=dtype) if raw else torch.empty(0, dtype=dtype)
    return made.reshape(tuple(shape))


def made_function(code: bytes, module: str, names: dict[str, Any], defaults: Any, cells: tuple[Any, ...]) -> Any:
    """Make a function of the judge's again, over here.

    Args:
        code: marshalled.
        module: where it was defined.
        names: the globals that it uses.
        defaults: of its parameters.
        cells: the values that it closes over.
    """
    scope = {"__builtins__": __builtins__, "__name__": module, **names}
    made = types.FunctionType(marshal.loads(code), scope, None, None, tuple(types.CellType(each) for each in cells))
    made.__defaults__, made.__kwdefaults__ = defaults
    return made

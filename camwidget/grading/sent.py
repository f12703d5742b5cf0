"""Outside: what goes to the sandbox. What the other side has already, or must not have, goes by its number.

What is written here is read by `received`. A function of a judge's goes as code, with what it uses and closes over.
"""

import importlib
import inspect
import io
import marshal
import pickle
import types
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from camwidget.course import assignments
from camwidget.course.attempt import Attempt
from camwidget.grading.kept import own_tensors
from camwidget.grading.received import made_function, made_tensor
from camwidget.grading.standins import Attribute, Method, ModuleStandIn, StandIn, stands_in
from camwidget.grading.wire import raw_of
from camwidget.hooks.graph import edges_behind


def walk(value: Any) -> Iterator[Any]:
    """All values in lists, tuples, dictionaries and namespaces, however deep.

    Args:
        value: such as a call's arguments.
    """
    yield value
    if isinstance(value, types.SimpleNamespace):
        value = list(vars(value).values())
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple):
        for each in value:
            yield from walk(each)


def closed_over(value: Any) -> Iterator[Any]:
    """Yield a value, and for a function of a judge's everything that it uses and that it closes over.

    Args:
        value: any.
    """
    yield value
    if isinstance(value, types.FunctionType) and not stands_in(value):
        function = inspect.unwrap(value)
        used = [cell.cell_contents for cell in function.__closure__ or ()]
        for each in walk([*used, *(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]):
            yield from closed_over(each)


class Objects:
    """What both sides mean by a number, of one item: networks, tensors with a graph."""

    def __init__(self) -> None:
        self.modules: list[nn.Module] = []
        """The judge's networks, each part by itself."""
        self.leaves: list[Tensor] = []
        """Tensors of the judge's that ask for gradients."""
        self.graphs: list[tuple[Tensor, list[Tensor]]] = []
        """Tensors that the judge computed, and what their graphs start from."""
        self.returned: list[tuple[Tensor, int]] = []
        """Tensors that came with a graph over there, and its number."""

    def write(self, payload: Any, *, callbacks: Sequence[Any], known: int, traced: Iterable[Any]) -> bytes:
        """Return what is to be sent, for `received` to read.

        Args:
            payload: stand-ins, networks, tensors, functions of a judge's and plain values.
            callbacks: functions that are called here when they are called over there.
            known: how many of the networks' parts are over there already.
            traced: values among which are tensors with a graph.
        """
        buffer = io.BytesIO()
        _Writer(self, buffer, callbacks=callbacks, known=known, traced=traced).dump(payload)
        return buffer.getvalue()


class _Writer(pickle.Pickler):
    """Writes arguments. What the other side has already, or must not have, goes by its number."""

    def __init__(
        self, objects: Objects, buffer: io.BytesIO, *, callbacks: Sequence[Any], known: int, traced: Iterable[Any]
    ) -> None:
        super().__init__(buffer, protocol=pickle.HIGHEST_PROTOCOL)
        self.objects, self.callbacks = objects, callbacks
        self.known = {id(module): number for number, module in enumerate(objects.modules[:known])}
        self.traced = [each for each in traced if isinstance(each, Tensor) and each.grad_fn is not None]
        self.inside = {id(part) for module in objects.modules for part in own_tensors(module).values()}

    def persistent_id(self, obj: Any) -> Any:
        """Return what stands for an object, or None to send it as it is."""
        if isinstance(obj, Attribute):
            return ("attribute", obj.owner._number, obj.name)
        if isinstance(obj, Method):
            return ("method", obj.owner._number, obj.name)
        if isinstance(obj, StandIn | ModuleStandIn):
            return ("handle", obj._number)
        if id(obj) in self.known:
            return ("module", self.known[id(obj)])
        if isinstance(obj, Attempt):
            return ("answers", list(obj.answers))
        if isinstance(obj, Tensor):
            return self._tensor(obj)
        if isinstance(obj, types.FunctionType) and any(obj is each for each in self.callbacks):
            return ("callback", next(place for place, each in enumerate(self.callbacks) if each is obj))
        if type(obj).__name__ == "DataLoaders" and type(obj).__module__.startswith("fastai"):
            normalise = next(step for step in obj.after_batch.fs if type(step).__name__ == "Normalize")
            return ("dls", list(obj.vocab), normalise.mean.flatten().tolist(), normalise.std.flatten().tolist())
        return None

    def _tensor(self, tensor: Tensor) -> Any:
        if not tensor.requires_grad or id(tensor) in self.inside:
            return None
        objects = self.objects
        for known, number in objects.returned:
            if known is tensor:
                return ("returned", number)
        if tensor.is_leaf:
            number = _place_in(objects.leaves, tensor)
            return ("leaf", number, tensor.detach().clone(), None if tensor.grad is None else tensor.grad.detach())
        place = next((place for place, (each, _) in enumerate(objects.graphs) if each is tensor), None)
        if place is None:
            place = len(objects.graphs)
            objects.graphs.append((tensor, _sources_of(tensor, self.traced)))
        return ("graph", place, tensor.detach().clone(), objects.graphs[place][1])

    def reducer_override(self, obj: Any) -> Any:
        """Send a judge's own function as code, a module by its name, and a tensor as its bytes."""
        if type(obj) is Tensor and obj.layout == torch.strided and obj.grad_fn is None and not obj.requires_grad:
            return made_tensor, (str(obj.dtype).removeprefix("torch."), tuple(obj.shape), raw_of(obj))
        if isinstance(obj, types.ModuleType):
            return importlib.import_module, (obj.__name__,)
        if not isinstance(obj, types.FunctionType) or not _is_judges(obj):
            return NotImplemented
        function = inspect.unwrap(obj)
        used = {
            name: function.__globals__[name] for name in _names_in(function.__code__) if name in function.__globals__
        }
        cells = tuple(cell.cell_contents for cell in function.__closure__ or ())
        code = marshal.dumps(function.__code__)
        return made_function, (code, function.__module__, used, (function.__defaults__, function.__kwdefaults__), cells)


def _is_judges(function: types.FunctionType) -> bool:
    """Whether nobody finds this function by its name over there: one made in another, or in a module of judges."""
    return "<locals>" in function.__qualname__ or function.__module__.startswith(assignments.__name__)


def _names_in(code: types.CodeType) -> set[str]:
    inner = [each for each in code.co_consts if isinstance(each, types.CodeType)]
    return set(code.co_names).union(*map(_names_in, inner))


def _place_in(tensors: list[Tensor], tensor: Tensor) -> int:
    """The place of a tensor in a list; it is put there if it is not."""
    for place, each in enumerate(tensors):
        if each is tensor:
            return place
    tensors.append(tensor)
    return len(tensors) - 1


def _sources_of(tensor: Tensor, traced: Sequence[Tensor]) -> list[Tensor]:
    """What a graph starts from, as far as it is sent: others of the traced tensors on the way, else its leaves."""
    others = {(each.grad_fn, each.output_nr): each for each in traced if each is not tensor}
    passed = edges_behind((tensor.grad_fn, tensor.output_nr), until=others)
    starts = ((others[edge] if edge in others else getattr(edge[0], "variable", None)) for edge in passed)
    return [each for each in starts if each is not None]

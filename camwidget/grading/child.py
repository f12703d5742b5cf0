"""Inside the sandbox, in a process of its own for each submission: run the learner's cells, and call what they defined.

It is the learner's process: whatever runs here may be changed by what runs here. So it is told nothing that is worth
knowing, and what it says is taken for what the learner says.
"""

import base64
import builtins
import contextlib
import importlib
import io
import marshal
import os
import pickle
import random
import signal
import socket
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules import module as pytorchs

from camwidget.course.report import Report
from camwidget.grading.modes import Modes
from camwidget.grading.threads import end_busy
from camwidget.grading.wire import DTYPES, Line, pack, unpack

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
"""Where a module keeps its hooks, by kind."""
GLOBAL_HOOKS = tuple(name for name in vars(pytorchs) if name.startswith("_global_") and name.endswith("_hooks"))
"""Where PyTorch keeps those of all modules."""
MOST_RUNS = 200
"""Runs of a network that are told of one call; the judges count up to six."""
SPECIAL = ("__call__", "__enter__", "__exit__", "__len__", "__iter__", "__getitem__")
"""Methods that are looked up on the class, and so have to be on a stand-in's class."""
_LIBRARIES = (
    str(Path(os.__file__).parent),
    *(str(Path(module.__file__ or "").parents[1]) for module in (torch, np)),
    str(Path(__file__).parents[1]),
)
"""Folders of code that a learner did not write."""


class Kept:
    """How a tensor was: its numbers, whether it asks for gradients, and its gradient.

    Args:
        tensor: as it is now.
    """

    def __init__(self, tensor: Tensor) -> None:
        self.values = tensor.detach().clone()
        self.required = tensor.requires_grad
        self.gradient = None if tensor.grad is None else tensor.grad.detach().clone()

    def is_like(self, tensor: Tensor) -> bool:
        """Whether a tensor is still so.

        Args:
            tensor: the same, later.
        """
        return (
            tensor.requires_grad == self.required
            and (tensor.grad is None) == (self.gradient is None)
            and _same(self.values, tensor.detach())
            and (tensor.grad is None or self.gradient is None or _same(self.gradient, tensor.grad))
        )


def _same(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and torch.equal(one, other)


def unchecked(name: str, *_: Any, hidden: bool = False) -> Report:
    """What `camwidget.check` is in here: an empty report. The grader checks when the cells have run, and not here."""
    del hidden
    return Report(str(name), "checked by the grader, after the cells have run", ())


def prepare(request: Mapping[str, Any], *, contained: bool) -> None:
    """Set the limits that hold for each process.

    Args:
        request: the limits.
        contained: whether this is the sandbox.
    """
    import resource  # noqa: PLC0415 (not on Windows, where judges import this file for the kinds of its messages)

    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = {
        resource.RLIMIT_AS: size + (request["memory_mb"] << 20),
        resource.RLIMIT_FSIZE: request["disk_mb"] << 20,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 256,
    }
    if contained:
        limits[resource.RLIMIT_NPROC] = (
            4 * request["processes"]
        )  # threads count too; it holds in a namespace of one's own
    for what, most in limits.items():
        resource.setrlimit(what, (most, most))
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(nothing, fd)
    sys.path.insert(0, "")  # as a notebook has it: a module beside it can be imported, but none that is there already


def _write(files: Mapping[str, str]) -> None:
    """Write what was handed in along with the notebook."""
    for name, content in files.items():
        place = Path(name)
        with contextlib.suppress(OSError):  # a name that no file can have: whoever opens it is told
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(base64.b64decode(content))


class _Bounded(io.StringIO):
    """Keeps the beginning of what is written to it."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most, self.cut = most, False

    def write(self, text: str) -> int:
        room = self.most - self.tell()
        if len(text) > room:
            self.cut = True
        if room > 0:
            super().write(text[:room])
        return len(text)


def serve(sock: socket.socket, shell: Any, *, output_kb: int) -> None:
    """Do what is asked, one thing after the other, until nobody asks any more."""
    line = Line(sock)
    session = _Session(line, shell, output_kb << 10)

    def interrupt(*_: Any) -> None:
        if session.busy:  # a late one must not get between two messages
            raise KeyboardInterrupt

    surroundings = _Surroundings(interrupt)
    while True:
        asked = line.receive()
        surroundings.restore()
        try:
            answer = session.answer(asked)
        except KeyboardInterrupt:  # the judge has given it up
            answer = {}
        except Exception as error:  # noqa: BLE001 (a cell may have changed anything that this process uses)
            about = _described(error)
            answer = {"failed": f"{about['kind']}: {about['message']}"}
        session.busy = False
        _quiet()
        line.send({**answer, "id": asked["id"]})


class _Surroundings:
    """What this process needs of Python beside a learner's code, and puts back where a cell has changed it.

    Whoever took a module away, or set an alarm, would otherwise lose the answers in all later cells as well.

    Args:
        interrupt: what an interrupt is to do.
    """

    def __init__(self, interrupt: Callable[..., None]) -> None:
        self.modules = dict(sys.modules)
        self.importing = builtins.__import__
        self.interrupt = interrupt

    def restore(self) -> None:
        """Before something is asked: modules are there, can be imported, and an interrupt comes through."""
        for name, module in self.modules.items():
            sys.modules.setdefault(name, module)
        builtins.__import__ = self.importing
        signal.signal(signal.SIGINT, self.interrupt)


def _quiet() -> None:
    """After something was done: no alarm and no trace of a learner's comes between two messages."""
    sys.settrace(None)
    sys.setprofile(None)
    for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
        signal.setitimer(timer, 0)


class _Session:
    """What lasts from one question to the next: the shell, and objects that go by a number."""

    def __init__(self, line: Line, shell: Any, most: int) -> None:
        # Only a process with a shell has it; and it is imported before a learner's cell can be in the way.
        from IPython.utils.capture import capture_output  # noqa: PLC0415 (see above)

        self.line, self.shell, self.most, self.capture = line, shell, most, capture_output
        self.busy = False
        self.modes = Modes()
        self.forget()

    def forget(self) -> None:
        self.handles: list[Any] = []
        self.modules: list[nn.Module] = []
        self.attributes: list[_Parts] = []
        """Of each network's part, those that it came with."""
        self.known: list[dict[str, Kept]] = []
        """Of each network's part its tensors, as the judge knows them."""
        self.leaves: list[Tensor] = []
        self.outside: dict[int, Any] = {}
        """Tensors that the judge computed and can trace back, by their number."""
        self.graphs: list[Tensor] = []
        """Results that can be traced back here."""
        self.fired: list[list[Any]] = []
        for name in GLOBAL_HOOKS:
            getattr(pytorchs, name).clear()

    def answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if "files" in asked:
            _write(asked["files"])
            return {}
        self.busy = True
        if "cell" in asked:
            return {**self.cell(asked["cell"]), "left_on": self.modes.left_on()}
        ended = end_busy() if "names" in asked else 0
        with self.modes.put_back():
            if "names" in asked:
                return {**self.names(asked["names"], asked["seed"]), "ended": ended}
            return self.far(asked["far"])

    def names(self, names: Sequence[str], seed: int) -> dict[str, Any]:
        """What is handed in for an item, by its names."""
        self.forget()
        _seed(seed)
        try:
            found = {name: self.shell.user_ns[name] for name in names if name in self.shell.user_ns}
            return {"ok": {name: pack(value, self.refer) for name, value in found.items()}}
        except Exception as error:  # noqa: BLE001 (an object's own methods are asked what it is)
            return {"error": _described(error)}

    # Cells

    def cell(self, source: str) -> dict[str, Any]:
        """Run one cell as a notebook does; return its outputs, in nbformat 4 form."""
        out, err = _Bounded(self.most), _Bounded(self.most)
        with self.capture() as shown:
            sys.stdout, sys.stderr = out, err
            try:
                result = self.shell.run_cell(source, store_history=True)
                error = result.error_before_exec or result.error_in_exec
            except Exception as raised:  # noqa: BLE001 (out of a handler of the learner's, or a shell that was changed)
                error = raised
            _quiet()
        outputs: list[dict[str, Any]] = [
            {"output_type": "stream", "name": name, "text": stream.getvalue()}
            for name, stream in (("stdout", out), ("stderr", err))
            if stream.getvalue()
        ]
        room = self.most
        for each in shown.outputs:
            data = {kind: value for kind, value in each.data.items() if isinstance(value, str)}
            room -= sum(map(len, data.values()))
            if room < 0:
                out.cut = True
                break
            outputs.append({"output_type": "display_data", "metadata": {}, "data": data})
        if error is not None:
            about = _described(error)
            traceback_ = [f"{about['kind']}: {about['message']}"]
            outputs.append(
                {"output_type": "error", "ename": about["kind"], "evalue": about["message"], "traceback": traceback_}
            )
        return {"outputs": outputs, "cut": out.cut or err.cut, "error": _described(error) if error else None}

    # Calls

    def far(self, text: str) -> dict[str, Any]:
        """Call something with arguments that came from the judge; say what came of it, and what became of them."""
        payload = _Given(self, base64.b64decode(text)).load()
        for root in payload["roots"]:
            new = [module for module in root.modules() if not any(module is known for known in self.modules)]
            self.modules += new
            self.attributes += [_parts_of(module) for module in new]
            self.known += [{name: Kept(each) for name, each in own_tensors(module).items()} for module in new]
        for module, known, state in zip(self.modules, self.known, payload["state"], strict=True):
            self.put(module, known, state)
        for name, count in zip(GLOBAL_HOOKS, payload["global_hooks"], strict=True):
            while len(getattr(pytorchs, name)) > count:
                getattr(pytorchs, name).popitem()
        self.stand = self.hooks()
        target, args, kwargs = payload["target"], payload["args"], payload["kwargs"]
        watched = [place for place, each in enumerate(args) if _can_be_told(each)]
        out = _Bounded(self.most)
        answer: dict[str, Any] = {}
        recording = torch.is_grad_enabled()
        self.fired = []
        torch.set_grad_enabled(payload["recording"])
        try:
            with (
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(out),
                warnings.catch_warnings(record=True) as got,
            ):
                warnings.simplefilter("always")
                value = target(*args, **kwargs)
                answer["recording"] = torch.is_grad_enabled()
                answer["ok"] = pack(value, self.refer)
        except BaseException as error:  # noqa: BLE001 (an answer may raise anything; the judge is told)
            answer.setdefault("recording", torch.is_grad_enabled())
            answer["error"] = _described(error)
        finally:
            torch.set_grad_enabled(recording)
        warned = "".join(f"{type(each.message).__name__}: {each.message}\n" for each in got)
        answer["printed"] = (out.getvalue() + warned)[: self.most]
        answer["after"] = self.after(args, watched)
        return answer

    def put(self, module: nn.Module, known: dict[str, Kept], state: Mapping[str, Any]) -> None:
        """Give a part of a network what the judge's has: mode, numbers, gradients, and as many hooks."""
        module.training = state["training"]
        own = own_tensors(module)
        for name, (value, required, gradient) in state["tensors"].items():
            ours = own.get(name)
            if ours is None or ours.shape != value.shape or ours.dtype != value.dtype:
                continue
            ours.detach().copy_(value)
            if ours.is_leaf:
                ours.requires_grad_(required)
                ours.grad = gradient
            known[name] = Kept(ours)
        runs: Any = getattr(module, "runs", None)
        if isinstance(runs, list):
            runs.clear()
        for kind, wanted in zip(HOOKS, state["hooks"], strict=True):
            hooks = getattr(module, kind)
            while len(hooks) > len(wanted):
                hooks.popitem()
            for number in wanted[len(hooks) :]:
                handle = torch.utils.hooks.RemovableHandle(hooks)
                hooks[handle.id] = self.judges_hook(number)

    def hooks(self) -> list[dict[int, Any]]:
        """All hooks of the networks, and PyTorch's own of all modules."""
        kept = [dict(getattr(module, kind)) for module in self.modules for kind in HOOKS]
        return kept + [dict(getattr(pytorchs, name)) for name in GLOBAL_HOOKS]

    def judges_hook(self, number: int | None) -> Callable[..., None]:
        if number is None:
            return lambda *_: None
        return lambda module, *_: self.fired.append([number, bool(module.training)])

    def after(self, args: Sequence[Any], watched: Sequence[int]) -> dict[str, Any]:
        """What can be seen of the arguments afterwards.

        Args:
            args: of the call.
            watched: places of those that are told.
        """
        # Of the hooks that stood there the places of those that still do, and how many are new.
        hooks = [
            [[place for place, key in enumerate(before) if key in now], len(now.keys() - before.keys())]
            for before, now in zip(self.stand, self.hooks(), strict=True)
        ]
        modules = [
            {
                "training": bool(module.training),
                "as_it_came": _parts_of(module) == attributes,
                **self.changed(module, known),
                "runs": [self.run(each) for each in list(getattr(module, "runs", ()))[:MOST_RUNS]],
            }
            for module, attributes, known in zip(self.modules, self.attributes, self.known, strict=True)
        ]
        return {
            "args": {str(place): pack(args[place], self.refer) for place in watched},
            "hooks": hooks,
            "modules": modules,
            "leaves": [self.told(leaf) for leaf in self.leaves],
            "fired": self.fired[:1000],
        }

    def run(self, run: Any) -> list[Any]:
        """A run of a network, as it noted it."""
        modes = list(map(bool, run.training))
        return [modes, bool(run.recorded), bool(run.recording), pack(run.given, self.refer)]

    def changed(self, module: nn.Module, known: dict[str, Kept]) -> dict[str, Any]:
        """The tensors that are no longer as the judge knows them, and the names of the others."""
        tensors, same = {}, []
        for name, each in own_tensors(module).items():
            if name in known and known[name].is_like(each):
                same.append(name)
            else:
                tensors[name], known[name] = self.told(each), Kept(each)
        return {"tensors": tensors, "same": same}

    def told(self, tensor: Tensor) -> list[Any]:
        """A tensor's numbers, whether it asks for gradients, and its gradient."""
        gradient = None if tensor.grad is None else pack(tensor.grad.detach(), self.refer)
        return [pack(tensor.detach(), self.refer), bool(tensor.requires_grad), gradient]

    # Objects that go by a number

    def refer(self, value: Any) -> Mapping[str, Any]:
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


_Parts = tuple[frozenset[str], tuple[tuple[str, int], ...]]


def _parts_of(module: nn.Module) -> _Parts:
    """What a module has: the names of its attributes, and its layers, each by itself."""
    return frozenset(vars(module)), tuple((name, id(layer)) for name, layer in module._modules.items())


def own_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers of a module itself, by name.

    Args:
        module: what it contains is left out.
    """
    both = {**module._parameters, **module._buffers}
    return {name: each for name, each in both.items() if each is not None}


def _can_be_told(value: Any) -> bool:
    """Whether an argument goes back as it is after the call; a leaf of a graph goes by its number."""
    if isinstance(value, Tensor):
        return not value.requires_grad
    return type(value) is list and all(_is_plain(part) for part in value)


def _is_plain(value: Any) -> bool:
    """A text or a number, or a tuple of such."""
    return type(value) in (str, int, float, bool) or (type(value) is tuple and all(map(_is_plain, value)))


class _Given(pickle.Unpickler):
    """Reads what the judge sent. What it names by number is here already, or asks the judge when it is used."""

    def __init__(self, session: _Session, raw: bytes) -> None:
        super().__init__(io.BytesIO(raw))
        self.session = session

    def persistent_load(self, pid: Any) -> Any:
        session, (kind, *rest) = self.session, pid
        if kind == "handle":
            return session.handles[rest[0]]
        if kind == "method":
            owner, name = session.handles[rest[0]], rest[1]
            # As Python does it: to call a class is to make an object, also where its objects can be called.
            return getattr(type(owner), name).__get__(owner) if name in SPECIAL else getattr(owner, name)
        if kind == "attribute":
            return lambda: getattr(session.handles[rest[0]], rest[1])
        if kind == "module":
            return session.modules[rest[0]]
        if kind == "answers":
            return types.SimpleNamespace(answers=tuple(rest[0]), answer=rest[0][0] if rest[0] else None)
        if kind == "callback":
            return lambda *args: session.ask(
                {"callback": rest[0], "args": [pack(each, session.refer) for each in args]}
            )
        if kind == "dls":
            networks = importlib.import_module("camwidget.course.assignments.networks")
            return networks.another_dls(tuple(rest[0]), mean=tuple(rest[1]), std=tuple(rest[2]))
        if kind == "returned":
            return session.graphs[rest[0]]
        if kind == "leaf":
            return self._leaf(*rest)
        return self._graph(*rest)

    def _leaf(self, number: int, values: Tensor, gradient: Tensor | None) -> Tensor:
        leaves = self.session.leaves
        if number == len(leaves):
            leaves.append(values.detach().clone().requires_grad_())
        leaves[number].grad = gradient
        return leaves[number]

    def _graph(self, number: int, values: Tensor, sources: Sequence[Tensor]) -> Any:
        outside = self.session.outside
        if number not in outside:
            outside[number] = _Outside.apply(values, self.session, number, *sources)
        return outside[number]


class _Outside(torch.autograd.Function):
    """A tensor that the judge computed, with its graph: the way back through it leads to the judge."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, session: _Session, number: int, *_: Tensor) -> Tensor:
        ctx.session, ctx.number = session, number
        ctx.save_for_backward(values)
        return values.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        _ = ctx.saved_tensors  # raises where the graph was used up, as any graph does
        asked = {"backward": ctx.number, "gradient": pack(gradient, ctx.session.refer)}
        return None, None, None, *ctx.session.ask(asked)


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


def _described(error: BaseException) -> dict[str, Any]:
    """An error as plain values: its kind, the first above it that everybody knows, its message, the learner's line."""
    known = next(kind for kind in type(error).__mro__ if kind.__module__ in ("builtins", "camwidget.errors"))
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_LIBRARIES)]
    try:
        # A KeyError shows what it was given as code; made again from what it shows it would do so twice.
        message = str(error.args[0]) if isinstance(error, KeyError) and len(error.args) == 1 else str(error)
    except Exception as raised:  # noqa: BLE001 (a learner's own class may have a __str__ that raises anything)
        message = f"its __str__ raised {type(raised).__name__}"
    cause = error.__cause__
    return {
        "kind": type(error).__name__,
        "known": [known.__module__, known.__name__],
        "message": message[:4000],
        "mistake": str(getattr(error, "mistake", "")),
        "line": (own[-1].line or "")[:400] if own else "",
        "cause": _described(cause) if isinstance(cause, Exception) and cause.__cause__ is None else None,
    }


def _seed(number: int) -> None:
    """The same random numbers at each grading, and not the judge's."""
    random.seed(number)
    np.random.seed(number % (1 << 32))
    torch.manual_seed(number)


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

"""Inside the sandbox, in a process of its own for each submission: run the learner's cells, and call what they defined.

It is the learner's process: whatever runs here may be changed by what runs here. So it is told nothing that is worth
knowing, and what it says is taken for what the learner says.
"""

import base64
import builtins
import contextlib
import io
import os
import random
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules import module as pytorchs

from camwidget.course.report import Report
from camwidget.grading.kept import GLOBAL_HOOKS, HOOKS, MOST_RUNS, Kept, own_tensors
from camwidget.grading.modes import Modes
from camwidget.grading.raised import described
from camwidget.grading.received import Objects
from camwidget.grading.threads import end_busy
from camwidget.grading.wire import Line, pack


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
            about = described(error)
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
    """What lasts from one question to the next: the shell, and what was said of networks."""

    def __init__(self, line: Line, shell: Any, most: int) -> None:
        # Only a process with a shell has it; and it is imported before a learner's cell can be in the way.
        from IPython.utils.capture import capture_output  # noqa: PLC0415 (see above)

        self.line, self.shell, self.most, self.capture = line, shell, most, capture_output
        self.busy = False
        self.modes = Modes()
        self.forget()

    def forget(self) -> None:
        self.objects = Objects(self.line)
        self.attributes: list[_Parts] = []
        """Of each network's part, those that it came with."""
        self.known: list[dict[str, Kept]] = []
        """Of each network's part its tensors, as the judge knows them."""
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
            return {"ok": {name: pack(value, self.objects.refer) for name, value in found.items()}}
        except Exception as error:  # noqa: BLE001 (an object's own methods are asked what it is)
            return {"error": described(error)}

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
            about = described(error)
            traceback_ = [f"{about['kind']}: {about['message']}"]
            outputs.append(
                {"output_type": "error", "ename": about["kind"], "evalue": about["message"], "traceback": traceback_}
            )
        return {"outputs": outputs, "cut": out.cut or err.cut, "error": described(error) if error else None}

    # Calls

    def far(self, text: str) -> dict[str, Any]:
        """Call something with arguments that came from the judge; say what came of it, and what became of them."""
        payload = self.objects.read(base64.b64decode(text))
        for root in payload["roots"]:
            new = [module for module in root.modules() if not any(module is known for known in self.objects.modules)]
            self.objects.modules += new
            self.attributes += [_parts_of(module) for module in new]
            self.known += [{name: Kept(each) for name, each in own_tensors(module).items()} for module in new]
        for module, known, state in zip(self.objects.modules, self.known, payload["state"], strict=True):
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
                answer["ok"] = pack(value, self.objects.refer)
        except BaseException as error:  # noqa: BLE001 (an answer may raise anything; the judge is told)
            answer.setdefault("recording", torch.is_grad_enabled())
            answer["error"] = described(error)
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
        kept = [dict(getattr(module, kind)) for module in self.objects.modules for kind in HOOKS]
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
            for module, attributes, known in zip(self.objects.modules, self.attributes, self.known, strict=True)
        ]
        return {
            "args": {str(place): pack(args[place], self.objects.refer) for place in watched},
            "hooks": hooks,
            "modules": modules,
            "leaves": [self.told(leaf) for leaf in self.objects.leaves],
            "fired": self.fired[:1000],
        }

    def run(self, run: Any) -> list[Any]:
        """A run of a network, as it noted it."""
        modes = list(map(bool, run.training))
        return [modes, bool(run.recorded), bool(run.recording), pack(run.given, self.objects.refer)]

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
        gradient = None if tensor.grad is None else pack(tensor.grad.detach(), self.objects.refer)
        return [pack(tensor.detach(), self.objects.refer), bool(tensor.requires_grad), gradient]


_Parts = tuple[frozenset[str], tuple[tuple[str, int], ...]]


def _parts_of(module: nn.Module) -> _Parts:
    """What a module has: the names of its attributes, and its layers, each by itself."""
    return frozenset(vars(module)), tuple((name, id(layer)) for name, layer in module._modules.items())


def _can_be_told(value: Any) -> bool:
    """Whether an argument goes back as it is after the call; a leaf of a graph goes by its number."""
    if isinstance(value, Tensor):
        return not value.requires_grad
    return type(value) is list and all(_is_plain(part) for part in value)


def _is_plain(value: Any) -> bool:
    """A text or a number, or a tuple of such."""
    return type(value) in (str, int, float, bool) or (type(value) is tuple and all(map(_is_plain, value)))


def _seed(number: int) -> None:
    """The same random numbers at each grading, and not the judge's."""
    random.seed(number)
    np.random.seed(number % (1 << 32))
    torch.manual_seed(number)

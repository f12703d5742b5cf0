"""Outside: the judge's side of one item. A call goes over the line with its arguments.

What comes back is plain values, and what became of the arguments over there happens to the judge's own.

Where a judge runs something itself in which the learner's code takes part (its own network, with a learner's hook on; a
function of its own that uses the learner's class), that has to run over there as well: `Session.far` sends the judge's
function, with what it closes over. So no judge may close such a function over a value that the learner is to find.
"""

import base64
import inspect
import types
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as pytorchs

from camwidget.course.assignments.traces import Run, Runs
from camwidget.grading.kept import GLOBAL_HOOKS, HOOKS, MOST_RUNS, Kept, own_tensors
from camwidget.grading.raised import made_again, raise_from_line
from camwidget.grading.sent import Objects, closed_over, walk
from camwidget.grading.standins import ModuleStandIn, Quietly, StandIn, special_method
from camwidget.grading.wire import BadReplyError, bad_replies_named, pack, unpack

AnswerBack = Callable[[Any], Mapping[str, Any]]
"""Answers a question that comes in the middle of a call."""


Asks = Callable[[Mapping[str, Any], AnswerBack], Any]
"""Sends a question over the line and returns the answer; in between it may be asked back."""


class Session:
    """The judge's side of one item: what was sent before, so that both sides mean the same network.

    Args:
        ask: sends and returns.
    """

    def __init__(self, ask: Asks) -> None:
        self.ask = ask
        self.objects = Objects()
        self.known: list[dict[str, Kept]] = []
        """Of each network's part its tensors, as they are over there."""
        self.hooks: list[Callable[..., Any]] = []

    def resolve(self, message: Mapping[str, Any]) -> Any:
        """Return what a number stands for: a network of ours, or a stand-in for something of the learner's."""
        if "k" in message:
            self.objects.returned.append((message["made"], message["k"]))
            return message["made"]
        if "m" in message:
            return self.objects.modules[int(message["m"])]
        number = int(message["h"])
        if message["module"] is True:
            return ModuleStandIn(self, number)
        name = str(message["type"])[:60]
        special = [each for each in map(str, message["special"]) if each.startswith("__")]
        methods = {each: special_method(each) for each in special}
        made = type(name if name.isidentifier() else "object", (StandIn,), methods)()
        made._session, made._number, made._repr = self, number, str(message["repr"])[:400]
        return made

    def far(self, target: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Call something in the sandbox.

        Args:
            target: a stand-in's method or attribute, a network of ours, or a function of a judge's.
            args: arguments. What the call does to networks, tensors and lists among them is done to them here too.
            kwargs: keyword arguments.

        Raises:
            Exception: what it raised over there, as an error of the same name.
        """
        callbacks = [each for each in args if isinstance(each, types.FunctionType)]
        known = len(self.objects.modules)
        roots = self._new_networks((target, args, kwargs))
        states = [self._state(module, known) for module, known in zip(self.objects.modules, self.known, strict=True)]
        payload = {
            "roots": roots,
            "state": states,
            "target": target,
            "args": tuple(args),
            "kwargs": dict(kwargs),
            "global_hooks": [len(getattr(pytorchs, name)) for name in GLOBAL_HOOKS],
            "recording": torch.is_grad_enabled(),
        }
        with _without_hooks(roots):
            sent = self.objects.write(payload, callbacks=callbacks, known=known, traced=walk((args, kwargs)))

        def answer_back(question: Any) -> Mapping[str, Any]:
            return self._answer_back(question, callbacks)

        answer = self.ask({"far": base64.b64encode(sent).decode()}, answer_back)
        with bad_replies_named():
            self._happen(args, answer["after"])
            torch.set_grad_enabled(bool(answer["recording"]))
            error = None if answer.get("error") is None else made_again(answer["error"])
            printed = str(answer["printed"])[:100_000]
            value = unpack(answer["ok"], self.resolve) if error is None and not isinstance(target, Quietly) else None
        if printed:
            print(printed, end="")  # noqa: T201 (whoever calls an answer keeps what it prints)
        if error is not None:
            raise_from_line(*error)
        return value

    def _new_networks(self, given: Any) -> list[nn.Module]:
        """Number the networks that were not sent before, with all their parts; return the outermost ones."""
        roots: list[nn.Module] = []
        values = [part for each in walk(given) for part in closed_over(each)]
        for each in values:
            known = isinstance(each, ModuleStandIn) or any(each is module for module in self.objects.modules)
            if isinstance(each, nn.Module) and not known:
                roots.append(each)
                new = [part for part in each.modules() if not any(part is module for module in self.objects.modules)]
                self.objects.modules += new
                self.known += [_as_sent(part) for part in new]
        return roots

    def _state(self, module: nn.Module, known: Mapping[str, Kept]) -> dict[str, Any]:
        """How a part of a network is now, as far as it is not known over there."""
        return {
            "training": module.training,
            "tensors": {
                name: (each.detach(), each.requires_grad, None if each.grad is None else each.grad.detach())
                for name, each in own_tensors(module).items()
                if name not in known or not known[name].is_like(each)
            },
            "hooks": [[self._hook_number(hook) for hook in getattr(module, kind).values()] for kind in HOOKS],
        }

    def _hook_number(self, hook: Any) -> int | None:
        """A number for a hook that keeps something; None for one that only stands there."""
        if not getattr(inspect.unwrap(hook), "__closure__", None):
            return None
        if hook not in self.hooks:
            self.hooks.append(hook)
        return self.hooks.index(hook)

    def _answer_back(self, question: Any, callbacks: Sequence[Callable[..., Any]]) -> Mapping[str, Any]:
        try:
            if "callback" in question:
                args = [unpack(each, self.resolve) for each in question["args"]]
                answer = callbacks[int(question["callback"])](*args)
            else:
                output, leaves = self.objects.graphs[int(question["backward"])]
                gradient = unpack(question["gradient"], self.resolve)
                answer = torch.autograd.grad(output, leaves, gradient, retain_graph=True, allow_unused=True)
        except BadReplyError:
            raise
        except Exception as error:  # noqa: BLE001 (a callback raises what it has to say to the learner)
            return {"raise": [type(error).__name__, str(error)[:2000]]}
        return {"ok": pack(answer, _nothing_else)}

    def _happen(self, args: Sequence[Any], after: Any) -> None:
        """Let what became of the arguments over there happen to ours."""
        for place, value in after["args"].items():
            ours, theirs = args[int(place)], unpack(value, self.resolve)
            if isinstance(ours, list) and isinstance(theirs, list):
                ours[:] = theirs
            elif isinstance(ours, Tensor):
                _overwrite(ours, theirs)
                _ask_for_gradients(ours, isinstance(theirs, Tensor) and theirs.requires_grad)
        tables = [getattr(module, kind) for module in self.objects.modules for kind in HOOKS]
        tables += [getattr(pytorchs, name) for name in GLOBAL_HOOKS]
        for hooks, (kept, added) in zip(tables, after["hooks"], strict=True):
            _have_hooks(hooks, {int(place) for place in kept}, min(int(added), 1000))
        for module, known, state in zip(self.objects.modules, self.known, after["modules"], strict=True):
            module.training = bool(state["training"])
            if state["as_it_came"] is True:
                vars(module).pop(_ADDED, None)
            else:
                vars(module)[_ADDED] = True
            same = set(map(str, state["same"]))
            for name, ours in own_tensors(module).items():
                if name not in same:
                    self._set(ours, state["tensors"].get(name))
                if name not in known or not known[name].is_like(ours):
                    known[name] = Kept(ours)
            runs: Any = getattr(module, "runs", None)
            if isinstance(runs, Runs):
                runs.extend(self._run(each) for each in state["runs"][:MOST_RUNS])
        for leaf, told in zip(self.objects.leaves, after["leaves"], strict=True):
            self._set(leaf, told)
        for number, training in after["fired"]:
            self.hooks[int(number)](_Fired(bool(training)), None, None)

    def _run(self, told: Any) -> Run:
        training, recorded, recording, given = told
        given = unpack(given, self.resolve)
        if not isinstance(given, Tensor):
            raise BadReplyError("a run on something that is no tensor")
        return Run(tuple(map(bool, training)), bool(recorded), bool(recording), given.detach())

    def _set(self, ours: Tensor, told: Any) -> None:
        value, asks, gradient = told or (None, False, None)
        _overwrite(ours, unpack(value, self.resolve) if value is not None else None)
        _ask_for_gradients(ours, asks is True)
        if ours.is_leaf and ours.is_floating_point():
            grad = unpack(gradient, self.resolve) if gradient is not None else None
            if grad is not None and (
                not isinstance(grad, Tensor) or grad.shape != ours.shape or grad.dtype != ours.dtype
            ):
                raise BadReplyError("a gradient in another shape")
            if grad is None or ours.grad is None or not torch.equal(grad, ours.grad):
                ours.grad = grad


def _as_sent(module: nn.Module) -> dict[str, Kept]:
    """How the tensors of a module arrive over there: without their gradients."""
    kept = {name: Kept(each) for name, each in own_tensors(module).items()}
    for each in kept.values():
        each.gradient = None
    return kept


_ADDED = "added over there"
"""An attribute of a module of ours, while the one over there has got others than it came with."""


def _ask_for_gradients(ours: Tensor, asks: bool) -> None:
    if ours.is_leaf and ours.is_floating_point():
        ours.requires_grad_(asks)


class _Fired:
    """What a judge's own hook may see of a module that ran over there."""

    def __init__(self, training: bool) -> None:
        self.training = training


def _overwrite(ours: Tensor, theirs: Any) -> None:
    plain = ours.detach().as_subclass(Tensor)
    if isinstance(theirs, Tensor) and theirs.shape == plain.shape and theirs.dtype == plain.dtype:
        if not torch.equal(theirs, plain):
            plain.copy_(theirs.detach())
    elif plain.is_floating_point():
        plain.fill_(float("nan"))  # it has another form now, and equals nothing it was before
    else:
        plain.zero_()


def _have_hooks(hooks: dict[int, Any], kept: Collection[int], added: int) -> None:
    """Keep the hooks at these places, and put others behind them."""
    for place, key in enumerate(list(hooks)):
        if place not in kept:
            del hooks[key]
    for _ in range(added):
        handle = torch.utils.hooks.RemovableHandle(hooks)
        hooks[handle.id] = lambda *_: None


def _nothing_else(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Tensor):
        return {}
    raise TypeError(f"a {type(value).__name__} stays with the judge")


@contextmanager
def _without_hooks(roots: Sequence[nn.Module]) -> Iterator[None]:
    """Hooks of ours cannot be sent; over there as many others are put on."""
    kept = [
        (getattr(module, kind), dict(getattr(module, kind)))
        for root in roots
        for module in root.modules()
        for kind in HOOKS
    ]
    for hooks, _ in kept:
        hooks.clear()
    try:
        yield
    finally:
        for hooks, before in kept:
            hooks.update(before)

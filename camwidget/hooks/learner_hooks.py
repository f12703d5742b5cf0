"""A learner's own hook classes do the capturing, and are checked against ours meanwhile.

The network runs once more with one of their hooks on every layer. What each hook stores is compared with the values
from `LayerCapture`; if it differs, it is compared with the usual mistakes, so that the mistake can be named. Hooks that
are left behind are always removed.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from camwidget.errors import HookError, NotStoredError
from camwidget.hooks.capture import LayerCapture, Target, scalar_of
from camwidget.hooks.layers import find_module
from camwidget.hooks.mistakes import mistaken, recognised, same, takes, translated
from camwidget.hooks.restore import hooks_left_as_found, hooks_on
from camwidget.hooks.tensors import map_tensors, plain, tensors_in
from camwidget.hooks.turns import draw_again_from
from camwidget.hooks.walk import modules_in


class Watched:
    """One layer during the pass: what went in and out, what came back, and the learner's hooks on it."""

    def __init__(self, name: str, module: nn.Module) -> None:
        self.name = name
        self.module = module
        self.forward: list[tuple[str, Any]] = []
        """Who keeps the activation: the beginning of a sentence, and the hook."""
        self.backward: list[tuple[str, Any]] = []
        """Who keeps the gradient."""
        self.own: list[tuple[str, list[tuple[int, str, int]]]] = []
        """Which hooks they registered, see `hooks_on`."""
        self.inputs: list[Tensor] = []
        """Copies of what went in at the last call."""
        self.output: Tensor | None = None
        """What came out of the last call, as it is now: a later operation may have overwritten it."""
        self.values: list[Tensor] = []
        """What came out of every call."""
        self.flows: dict[int, Tensor] = {}
        """The gradient that came back to every call, for the current class; under -1 that of the overwritten output."""
        self.heard: list[Tensor] = []
        """What PyTorch passed to the learner's backward hooks, for the current class."""
        self.fired = False
        """Whether any of them was called."""
        self.gradients: list[Tensor] = []
        """The right gradients so far: that of the first class, and the sum over all classes."""

    def before(self, _: nn.Module, inputs: Any) -> None:
        """Keep what goes in."""
        self.inputs = [tensor.detach().clone() for tensor in tensors_in(inputs)]

    def after(self, _: nn.Module, __: Any, output: Any) -> None:
        """Keep what comes out."""
        if isinstance(output, Tensor):
            self.output = output
            self.values.append(plain(output.detach()).clone())
            self.listen(len(self.values) - 1)

    def listen(self, call: int) -> None:
        """Keep the gradient that comes back to the output."""
        if self.output is not None and self.output.requires_grad:
            self.output.register_hook(lambda gradient: self.flows.__setitem__(call, gradient.detach().clone()))


class OwnCapture:
    """What the learner's hooks captured, in the form of a `LayerCapture`; without such hooks, what ours did.

    Args:
        reference: our own capture.
        network: the network it captures.
    """

    def __init__(self, reference: LayerCapture, network: nn.Module) -> None:
        self.activations = {name: activation.detach() for name, activation in reference.activations.items()}
        """The output of each layer."""
        self.layers = {name: Watched(name, find_module(network, name)) for name in self.activations}
        """What is known of each layer, in the order in which they ran."""
        self._reference = reference
        self._network = network
        self._leaf = torch.empty(0)
        self._logits = torch.empty(0)
        self._probes = ExitStack()
        for watched in self.layers.values():
            self._probes.callback(watched.module.register_forward_pre_hook(watched.before).remove)
            self._probes.callback(watched.module.register_forward_hook(watched.after).remove)

    def forward(self, inputs: Tensor, logits: Tensor) -> None:
        """Run the network, and read and check the activations.

        Args:
            inputs: what our own capture ran on.
            logits: what it returned.

        Raises:
            HookError: a hook does something wrong.
        """
        with torch.inference_mode(False), torch.enable_grad():
            self._leaf = inputs.detach().clone().requires_grad_()
            try:
                # A clone, because a network may begin with an in-place operation, which is forbidden on a leaf.
                self._logits = plain(self._reference.subject.logits_of(self._network(self._leaf.clone())))
            except (HookError, torch.OutOfMemoryError):
                raise
            except Exception as error:  # any error from a learner's function: the same pass worked without it
                mistake = translated(error, "raises an error in its hook function")
                raise mistaken(mistake, self._who_ran()) from error
        if not same(self._logits, logits):
            detail = ": with it the network returns different logits"
            raise mistaken("changes the output", self._who_ran(), detail=detail)
        for watched in self.layers.values():
            others = [other.values[-1] for other in self.layers.values() if other is not watched and other.values]
            for who, held in watched.forward:
                stored = _read(held, who, nothing="stores nothing")
                known = [
                    *(("stores the input instead of the output", tensor) for tensor in watched.inputs),
                    ("stores the output without a clone", watched.output),
                    *(("keeps an earlier call", output) for output in watched.values[:-1]),
                    *(("stores the layer's weights", weight) for weight in watched.module.parameters(recurse=False)),
                    *(("stores what belongs to another layer", output) for output in others),
                ]
                mine = recognised(stored, watched.values[-1], known, who=who)
                self.activations[watched.name] = self._reference.as_map(watched.name, [mine])
        for watched in self.layers.values():
            if watched.output is not None and not same(watched.output, watched.values[-1]):
                watched.listen(-1)  # this time to the value that overwrote it

    def gradients(self, target: Target) -> dict[str, Tensor]:
        """Return the derivative of one class's logit with respect to every activation, as the hooks stored it.

        Args:
            target: the class, or what to differentiate instead of its logit.

        Raises:
            HookError: a hook does something wrong.
            ModelError: the logits carry no gradient.
        """
        right = self._reference.gradients(target)
        if not any(watched.backward for watched in self.layers.values()):
            return right
        for watched in self.layers.values():
            watched.flows, watched.heard, watched.fired = {}, [], False
        with torch.inference_mode(False), torch.enable_grad():
            try:
                # Only the leaf's gradient is kept, so nobody's .grad is touched.
                scalar_of(target, self._logits).backward(inputs=[self._leaf], retain_graph=True)
            except (HookError, torch.OutOfMemoryError):
                raise
            except Exception as error:  # any error from a learner's function: the same pass worked without it
                mistake = translated(error, "raises an error in its hook function")
                raise mistaken(mistake, self._who_ran()) from error
        self._leaf.grad = None
        gradients = {}
        for name, watched in reversed(self.layers.items()):  # a changed gradient also shows in earlier layers
            for who, held in watched.backward:
                gradients[name] = self._gradient(watched, _read_gradient(held, who, watched), right, who)
            watched.gradients = _noted(watched.gradients, right[name])
        return {name: gradients[name] for name in self.layers}

    def close(self) -> None:
        """Release the network's tensors, and remove our own hooks."""
        self._probes.close()
        self._logits = self._leaf = torch.empty(0)
        for watched in self.layers.values():
            watched.output, watched.flows = None, {}

    def _gradient(self, watched: Watched, stored: Any, right: dict[str, Tensor], who: str) -> Tensor:
        first, total = watched.gradients or (None, None)
        sums = None if total is None else total + right[watched.name]
        calls = [gradient for call, gradient in watched.flows.items() if 0 <= call < len(watched.values) - 1]
        known = [
            ("adds up the gradients of all classes", sums),
            ("keeps the gradient of the first class", first),
            ("keeps an earlier call", calls[-1] if calls else None),
            ("stores the activation instead of the gradient", watched.values[-1]),
            ("stores the gradient of the overwritten output", watched.flows.get(-1)),
            ("changes the gradient", watched.flows.get(len(watched.values) - 1)),
            *(("stores grad_input instead of grad_output", tensor) for tensor in watched.heard),
            *(("stores what belongs to another layer", other) for name, other in right.items() if name != watched.name),
        ]
        known = [(mistake, self._as_map(watched, wrong)) for mistake, wrong in known]
        return recognised(self._as_map(watched, stored), right[watched.name], known, who=who, allowed_graph=True)

    def _as_map(self, watched: Watched, value: Any) -> Any:
        """A value from a layer; its tensors of the output's shape get the axes that our own capture gives them."""
        own, wanted = watched.values[-1].shape, self.activations[watched.name].shape
        if own == wanted:
            return value
        as_map = self._reference.as_map
        return map_tensors(lambda tensor: as_map(watched.name, [tensor]) if tensor.shape == own else tensor, value)

    def _who_ran(self) -> str:
        """Whose hook made a pass fail that works without hooks: the one on the layer that ran last."""
        ran = [watched for watched in self.layers.values() if watched.inputs] or list(self.layers.values())[:1]
        return (ran[-1].backward or ran[-1].forward)[0][0]


def _read(held: Any, who: str, *, nothing: str) -> Any:
    """What a hook stored."""
    try:
        stored = held.stored
    except AttributeError as error:
        kept = [name for name, value in getattr(held, "__dict__", {}).items() if _holds_tensors(value)]
        if kept:
            raise mistaken("has no attribute stored", who, detail=f", but {', '.join(map(repr, kept))}") from error
        raise mistaken(nothing, who) from error
    except NotStoredError as error:
        raise mistaken(nothing, who) from error
    except Exception as error:
        raise mistaken("raises an error when stored is read", who) from error
    if stored is None or (isinstance(stored, list | tuple) and not stored):
        raise mistaken(nothing, who)
    return stored


def _read_gradient(held: Any, who: str, watched: Watched) -> Any:
    return _read(held, who, nothing="stores nothing of the gradient" if watched.fired else "never hears of a gradient")


def _holds_tensors(value: Any) -> bool:
    # Not just any iterable: that may be a data loader.
    return isinstance(value, Tensor | list | tuple | dict) and bool(tensors_in(value))


def _noted(gradients: list[Tensor], right: Tensor) -> list[Tensor]:
    """The first of the right gradients and their sum, with one more."""
    return [gradients[0], gradients[1] + right] if gradients else [right, right]


HookClass = Callable[[nn.Module], Any]
"""A class with the chapter's interface: its constructor takes a module and registers; `with`; `.stored`."""


class OwnHooks:
    """The hook classes passed to `explain`, put on a network and checked.

    Args:
        hook: keeps activations; None for ours.
        hook_bwd: keeps gradients; None for ours.

    Raises:
        HookError: one of them is not a class.
    """

    def __init__(self, hook: HookClass | None, hook_bwd: HookClass | None) -> None:
        for hook_class in (hook, hook_bwd):
            if hook_class is not None and not callable(hook_class):
                raise mistaken("is an object, not a class", called(hook_class))
        self._hook, self._hook_bwd = hook, hook_bwd
        # Networks that draw random numbers must draw the same ones in both passes.
        self._random_state = torch.get_rng_state()

    @property
    def names(self) -> dict[str, str]:
        """Argument to the name of the class, for those that were passed."""
        classes = {"hook": self._hook, "hook_bwd": self._hook_bwd}
        return {argument: called(hook_class) for argument, hook_class in classes.items() if hook_class is not None}

    @contextmanager
    def capturing(
        self, reference: LayerCapture, network: nn.Module, inputs: Tensor, logits: Tensor
    ) -> Iterator[LayerCapture | OwnCapture]:
        """Run the network with the hooks on, for the block; yield `reference` where there are none.

        Args:
            reference: our own capture, after its forward pass.
            network: the network it captures.
            inputs: what it ran on.
            logits: what it returned.

        Raises:
            HookError: a hook does something wrong; checked when the block begins, at every gradient, and at its end.
        """
        if self._hook is None and self._hook_bwd is None:
            yield reference
            return
        with hooks_left_as_found(network), ExitStack() as entered:
            before = hooks_on(network)
            capture = OwnCapture(reference, network)
            entered.callback(capture.close)
            for name, watched in capture.layers.items():
                for make, keeps_gradients in ((self._hook, False), (self._hook_bwd, True)):
                    if make is not None:
                        who = f"{called(make)} on layer {name!r}"
                        held = _put_on(make, watched, network, who, entered, keeps_gradients=keeps_gradients)
                        (watched.backward if keeps_gradients else watched.forward).append((who, held))
            draw_again_from(self._random_state)
            capture.forward(inputs, logits)
            yield capture
            whose = {key: who for watched in capture.layers.values() for who, keys in watched.own for key in keys}
            entered.close()
            after = hooks_on(network)
            left = [key for key in whose if key in after]
            if left:
                raise mistaken("is never removed", whose[left[0]])
            if any(key not in after for key in before):
                raise mistaken("removes hooks of others", " and ".join(sorted(set(whose.values()))[:2]))


def called(hook: Any) -> str:
    """Return the name of a hook class where it is used."""
    name = str(getattr(hook, "__name__", type(hook).__name__))
    ours = getattr(hook, "__module__", None) == "camwidget.hooks.hook"
    return f"cw.{name}" if ours else name if name.isidentifier() else "MyHook"


def _put_on(
    make: HookClass, watched: Watched, network: nn.Module, who: str, entered: ExitStack, *, keeps_gradients: bool
) -> Any:
    """Make a hook on a layer, enter it, and step between PyTorch and the functions that it registered."""
    before = hooks_on(network)
    try:
        made = make(watched.module)
    except Exception as error:
        fits = takes(make, watched.module)
        mistake = "raises an error in its constructor" if fits else "does not take one module"
        raise mistaken(translated(error, mistake), who) from error
    if not hasattr(type(made), "__enter__") or not hasattr(type(made), "__exit__"):
        raise mistaken("is no context manager", who)
    try:
        held = made.__enter__()
    except Exception as error:
        raise mistaken("raises an error in __enter__", who) from error
    entered.push(partial(_leave, made, who))
    if held is None:
        raise mistaken("returns None from __enter__", who)
    new = {key: function for key, function in hooks_on(network).items() if key not in before}
    if not new:
        raise mistaken("registers no hook", who)
    if not keeps_gradients and all("backward" in kind for _, kind, _ in new):
        raise mistaken("listens to the backward pass", who)
    modules = modules_in(network)
    for (place, kind, key), function in new.items():
        getattr(modules[place], kind)[key] = _between(function, kind, watched, who)
    watched.own.append((who, list(new)))
    return held


def _leave(made: Any, who: str, _: Any, error: BaseException | None, *__: Any) -> None:
    """Leave the learner's block; while an error is on its way, a second one does not replace it."""
    if not takes(made.__exit__, None, None, None) and error is None:
        raise mistaken("does not take the arguments of __exit__", who)
    try:
        made.__exit__(None, None, None)
    except Exception as failed:
        if error is None:
            raise mistaken("raises an error in __exit__", who) from failed


def _between(function: Callable[..., Any], kind: str, watched: Watched, who: str) -> Callable[..., Any]:
    """The learner's function, with a check of what it does to the tensors that flow on."""

    def run(module: nn.Module, *arguments: Any) -> Any:
        flowing = arguments[-1]
        recorded = isinstance(flowing, Tensor) and flowing.requires_grad
        if "backward" in kind:
            watched.fired = True
            watched.heard += [tensor.clone() for tensor in tensors_in(arguments[0])] if len(arguments) > 1 else []
        try:
            returned = function(module, *arguments)
        except Exception as error:
            raise mistaken("raises an error in its hook function", who) from error
        if kind == "_forward_hooks" and module is watched.module and isinstance(flowing, Tensor):
            on = flowing if returned is None else returned
            if not same(on, watched.values[-1]):
                raise mistaken("changes the output", who)
            if recorded and not on.requires_grad:
                raise mistaken("cuts the graph", who)
        if "backward" in kind and returned is not None:
            replaced = tensors_in(arguments[0])
            if not all(same(new, old) for new, old in zip(tensors_in(returned), replaced, strict=False)):
                raise mistaken("changes the gradient", who)
        return returned

    return run

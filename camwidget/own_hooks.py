"""A learner's own hook classes do the capturing, and are checked against ours while they do it.

The network runs once more with one hook of theirs on every layer. What each stores is compared with what `LayerCapture`
found; what differs is compared with the usual wrong things, so that the mistake can be told by name. Whatever happens,
hooks that they leave behind are taken off.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from camwidget.capture import LayerCapture
from camwidget.mistakes import mistaken, same, takes, translated
from camwidget.own_capture import OwnCapture, Watched
from camwidget.tensors import tensors_in

HookClass = Callable[[nn.Module], Any]
"""A class with the chapter's interface: its constructor takes a module and registers; `with`; `.stored`."""

_KINDS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_FLAGS = ("_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks_with_kwargs")


class OwnHooks:
    """The classes that `explain` was given, put on a network and checked.

    Args:
        hook: keeps activations; None for ours.
        hook_bwd: keeps gradients; None for ours.

    Raises:
        HookError: one of them is no class.
    """

    def __init__(self, hook: HookClass | None, hook_bwd: HookClass | None) -> None:
        for each in (hook, hook_bwd):
            if each is not None and not callable(each):
                raise mistaken("is an object, not a class", called(each))
        self._hook, self._hook_bwd = hook, hook_bwd
        # Networks that draw random numbers must draw the same ones in both passes.
        self._random_state = torch.get_rng_state()

    @property
    def names(self) -> dict[str, str]:
        """Argument to the name of the class, for those that were given."""
        given = {"hook": self._hook, "hook_bwd": self._hook_bwd}
        return {argument: called(each) for argument, each in given.items() if each is not None}

    @contextmanager
    def capturing(
        self, reference: LayerCapture, network: nn.Module, inputs: Tensor, logits: Tensor
    ) -> Iterator[LayerCapture | OwnCapture]:
        """Run the network with the hooks on, for the block; what is given is `reference` where there are none.

        Args:
            reference: our own capture, after its forward pass.
            network: what it captures.
            inputs: what it was run on.
            logits: what it returned.

        Raises:
            HookError: a hook does something wrong; checked when the block begins, at every gradient, and at its end.
        """
        if self._hook is None and self._hook_bwd is None:
            yield reference
            return
        with hooks_left_as_found(network), ExitStack() as entered:
            before = _hooks_on(network)
            capture = OwnCapture(reference, network)
            entered.callback(capture.close)
            for name, watched in capture.layers.items():
                for make, keeps_gradients in ((self._hook, False), (self._hook_bwd, True)):
                    if make is not None:
                        who = f"{called(make)} on layer {name!r}"
                        held = _put_on(make, watched, network, who, entered, keeps_gradients=keeps_gradients)
                        (watched.backward if keeps_gradients else watched.forward).append((who, held))
            torch.set_rng_state(self._random_state)
            capture.forward(inputs, logits)
            yield capture
            whose = {key: who for watched in capture.layers.values() for who, keys in watched.own for key in keys}
            entered.close()
            after = _hooks_on(network)
            left = [key for key in whose if key in after]
            if left:
                raise mistaken("is never removed", whose[left[0]])
            if any(key not in after for key in before):
                raise mistaken("removes hooks of others", " and ".join(sorted(set(whose.values()))[:2]))


@contextmanager
def hooks_left_as_found(network: nn.Module) -> Iterator[None]:
    """Put every hook of the network back as it was when the block ends, and the parameters' gradients with them.

    Hooks are those on forward and backward passes, and what stands before either.
    """
    modules = list(network.modules())
    found = [
        (each, dict(each)) for module in modules for kind in (*_KINDS, *_FLAGS) for each in [getattr(module, kind)]
    ]
    # A module remembers which kind of backward hook it once had, and refuses the other for ever.
    marks = [(module, module._is_full_backward_hook) for module in modules]
    gradients = [(parameter, parameter.grad) for parameter in network.parameters()]
    try:
        yield
    finally:
        for now, before in found:
            now.clear()
            now.update(before)
        for module, mark in marks:
            module._is_full_backward_hook = mark
        for parameter, gradient in gradients:
            parameter.grad = gradient


def called(hook: Any) -> str:
    """Return what a hook class is called where it is used."""
    name = str(getattr(hook, "__name__", type(hook).__name__))
    ours = getattr(hook, "__module__", None) == "camwidget.hooks"
    return f"cw.{name}" if ours else name if name.isidentifier() else "MyHook"


def _hooks_on(network: nn.Module) -> dict[tuple[int, str, int], Any]:
    """Every hook, under the number of its module, its kind, and the number that PyTorch gave it."""
    return {
        (place, kind, key): function
        for place, module in enumerate(network.modules())
        for kind in _KINDS
        for key, function in getattr(module, kind).items()
    }


def _put_on(
    make: HookClass, watched: Watched, network: nn.Module, who: str, entered: ExitStack, *, keeps_gradients: bool
) -> Any:
    """Make a hook on a layer, enter it, and put ourselves between PyTorch and the functions that it registered."""
    before = _hooks_on(network)
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
    new = {key: function for key, function in _hooks_on(network).items() if key not in before}
    if not new:
        raise mistaken("registers no hook", who)
    if not keeps_gradients and all("backward" in kind for _, kind, _ in new):
        raise mistaken("listens to the backward pass", who)
    modules = list(network.modules())
    for (place, kind, key), function in new.items():
        getattr(modules[place], kind)[key] = _between(function, kind, watched, who)
    watched.own.append((who, list(new)))
    return held


def _leave(made: Any, who: str, _: Any, error: BaseException | None, *__: Any) -> None:
    """Leave the learner's block; while an error is on its way, a second one is not told in its place."""
    if not takes(made.__exit__, None, None, None) and error is None:
        raise mistaken("does not take the arguments of __exit__", who)
    try:
        made.__exit__(None, None, None)
    except Exception as failed:
        if error is None:
            raise mistaken("raises an error in __exit__", who) from failed


def _between(function: Callable[..., Any], kind: str, watched: Watched, who: str) -> Callable[..., Any]:
    """The learner's function, with a look at what it does to what flows on."""

    def run(module: nn.Module, *arguments: Any) -> Any:
        flowing = arguments[-1]
        recorded = isinstance(flowing, Tensor) and flowing.requires_grad
        if "backward" in kind:
            watched.fired = True
            watched.heard += [each.clone() for each in tensors_in(arguments[0])] if len(arguments) > 1 else []
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

"""Hooks on modules: `Hook` keeps a module's output, `HookBwd` the gradient that flows back to it.

The interface is that of the fastai book: `Hook(module)`, `.stored`, `.remove()`, and `with`. What is added is safety.
A hook that nobody holds any more removes itself from the module (a cell that is run twice leaves one hook, not two),
leaving the block clears what was stored, and reading too early says what is missing.
"""

import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from camwidget.errors import NotStoredError, three_parts
from camwidget.hooks.tensors import map_tensors, plain, tensors_in


def differentiable(output: Tensor, inputs: Any) -> Tensor:
    """Return the tensor to differentiate with respect to, for the `output` that a module has just returned.

    The rest must be computed from a *clone* of it: then an in-place ReLU after the module can change neither the
    activation nor the gradient. (`register_full_backward_hook` forbids such networks instead.)

    Args:
        output: the output of the module, of a floating dtype. A frozen one becomes a leaf that requires a gradient.
        inputs: the inputs of the module.
    """
    with torch.enable_grad():
        # A module that passes its input on (Identity, inactive Dropout, in-place ReLU): a skip connection may use the
        # same tensor, whose gradient would count the skip connection too.
        memory = output.untyped_storage().data_ptr()
        if any(tensor.untyped_storage().data_ptr() == memory for tensor in tensors_in(inputs)):
            output = output.clone()
        return output if output.requires_grad else output.detach().requires_grad_()


class Hook:
    """Keeps a module's output from the last time it ran: a detached copy, as a plain tensor.

    A later in-place operation does not change the copy. If a module runs several times, its last call counts.

    Args:
        module: the module to listen to.

    Raises:
        TypeError: `module` is not a `torch.nn.Module`.

    Example:
        >>> layer = nn.Linear(2, 3)
        >>> with Hook(layer) as hook:
        ...     _ = layer(torch.zeros(1, 2))
        ...     hook.stored.shape
        torch.Size([1, 3])
    """

    def __init__(self, module: nn.Module) -> None:
        if not isinstance(module, nn.Module):
            given = f"{type(self).__name__} was given {module!r}, of type {type(module).__name__}"
            advice = "For a dotted name use model.get_submodule(name)"
            raise TypeError(three_parts(given, "It listens to one torch.nn.Module, such as learn.model[0]", advice))
        self.calls = 0
        """How often the module has run since the hook was put on."""
        self._module_kind = type(module).__name__
        self._removed = False
        self._kept: list[Any] = []
        self._handles: list[RemovableHandle] = []
        # The module must not keep the hook alive, nor the hook the module: see the note at the top of the file.
        listener = weakref.ref(self)

        def fire(_: nn.Module, inputs: Any, output: Any) -> Any:
            hook = listener()
            if hook is None:
                return None
            hook.calls += 1
            return hook._on_forward(inputs, output)

        self._handles.append(module.register_forward_hook(fire))
        weakref.finalize(self, _remove_all, self._handles).atexit = False

    @property
    def stored(self) -> Any:
        """The module's output: a tensor, or tuples and dicts of tensors where the module returns those.

        Raises:
            NotStoredError: nothing is stored (any more); the message says why and what to do.
        """
        if not self._kept:
            raise NotStoredError(three_parts(*self._why_empty()))
        return self._kept[0]

    def remove(self) -> None:
        """Remove the hook from the module and clear what was stored. Calling it twice is harmless."""
        self._removed = True
        self._kept.clear()
        _remove_all(self._handles)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _on_forward(self, inputs: Any, output: Any) -> Any:
        self._kept[:] = [map_tensors(lambda tensor: plain(tensor.detach()).clone(), output)]
        return None  # the output is not changed

    def _why_empty(self) -> tuple[str, str, str]:
        name, kind = type(self).__name__, self._module_kind
        if self._removed:
            given = f"This {name} on {kind} was removed, and what it stored was cleared"
            return given, "`stored` can be read until remove() or the end of the with block", "Read it inside the block"
        given = f"The {kind} this {name} listens to has not run yet, so nothing is stored"
        return given, "`stored` exists after a forward pass", "Run the model first, e.g. model(inputs)"


class HookBwd(Hook):
    """Keeps the gradient of whatever is back-propagated, with respect to the module's output.

    Works where PyTorch's backward hooks do not: on modules followed by an in-place operation, and in a frozen body.
    If a module runs several times, its last call counts. The gradient of a tuple is a tuple, with None where nothing
    flows back.

    Args:
        module: the module to listen to. Put the hook on before the forward pass.

    Example:
        >>> layer = nn.Linear(2, 3)
        >>> with HookBwd(layer) as hook:
        ...     layer(torch.zeros(1, 2))[0, 1].backward()
        ...     hook.stored
        tensor([[0., 1., 0.]])
    """

    def __init__(self, module: nn.Module) -> None:
        self._recorded = True
        self._gradients: dict[int, Tensor] = {}
        self._output: Any = None
        super().__init__(module)

    @property
    def stored(self) -> Any:
        """The gradient, in the shape of the module's output.

        Raises:
            NotStoredError: no gradient is stored (any more); the message says why and what to do.
        """
        if not self._gradients:
            raise NotStoredError(three_parts(*self._why_empty()))
        positions = count()
        return map_tensors(lambda _: self._gradients.get(next(positions)), self._output)

    def remove(self) -> None:
        """Remove the hook from the module and clear what was stored. Calling it twice is harmless."""
        super().remove()
        self._gradients.clear()
        self._output = None

    def _on_forward(self, inputs: Any, output: Any) -> Any:
        self._gradients.clear()
        _remove_all(self._handles[1:])
        del self._handles[1:]
        self._recorded = torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        # Only the form of the output is kept: keeping its tensors would keep the whole graph of this forward pass.
        self._output = map_tensors(lambda _: torch.empty(0), output)
        if not self._recorded:
            return None
        positions = count()
        return map_tensors(lambda tensor: self._listen(tensor, inputs, next(positions)), output)

    def _listen(self, tensor: Tensor, inputs: Any, position: int) -> Tensor:
        if not (tensor.is_floating_point() or tensor.is_complex()):
            return tensor
        kept = differentiable(tensor, inputs)
        listener, call = weakref.ref(self), self.calls

        def store(gradient: Tensor) -> None:
            hook = listener()
            # If a module is used again, its earlier call gets its gradient later and must not overwrite the last.
            if hook is not None and hook.calls == call and not hook._removed:
                hook._gradients[position] = plain(gradient.detach()).clone()

        self._handles.append(kept.register_hook(store))
        return kept.clone()

    def _why_empty(self) -> tuple[str, str, str]:
        if self._removed or not self.calls:
            return super()._why_empty()
        if not self._recorded:
            given = f"The {self._module_kind} ran under no_grad or inference_mode, so no gradient can come back"
            return given, "`stored` needs a recorded forward pass", "Run the model without torch.no_grad() around it"
        given = f"The {self._module_kind} has run forward, but nothing was back-propagated to it since"
        advice = "Call backward() on one number computed from this output, e.g. output[0, target_class].backward()"
        return given, "`stored` exists after a backward pass", advice


class Hooks:
    """One hook for each of several modules, to be removed together.

    Args:
        modules: the modules to listen to.
        hook: the class of each hook: `Hook`, `HookBwd`, or any class with their interface.

    Example:
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
        >>> with Hooks(net) as hooks:
        ...     _ = net(torch.zeros(1, 2))
        ...     [tuple(tensor.shape) for tensor in hooks.stored]
        [(1, 3), (1, 1)]
    """

    def __init__(self, modules: Iterable[nn.Module], *, hook: Callable[[nn.Module], Any] = Hook) -> None:
        self._hooks: list[Any] = []
        with ExitStack() as undo:
            undo.callback(self.remove)
            self._hooks.extend(hook(module) for module in modules)
            undo.pop_all()

    @property
    def stored(self) -> list[Any]:
        """What each hook stored, in the order of the modules."""
        return [hook.stored for hook in self._hooks]

    def remove(self) -> None:
        """Remove every hook."""
        for hook in self._hooks:
            hook.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def __len__(self) -> int:
        return len(self._hooks)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._hooks)

    def __getitem__(self, index: int) -> Any:
        return self._hooks[index]


def _remove_all(handles: list[RemovableHandle]) -> None:
    for handle in handles:
        handle.remove()

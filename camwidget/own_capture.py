"""What a learner's hooks captured, beside what ours did: the pass that they are on for, and the comparison."""

from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from camwidget.capture import LayerCapture
from camwidget.errors import HookError, NotStoredError
from camwidget.layers import find_module
from camwidget.mistakes import mistaken, recognised, same, translated
from camwidget.tensors import map_tensors, plain, tensors_in


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
        """Which hooks they registered, see `_hooks_on`."""
        self.inputs: list[Tensor] = []
        """Copies of what went in, in the last call."""
        self.output: Tensor | None = None
        """What came out of the last call, as it is now: something behind the layer may have overwritten it."""
        self.values: list[Tensor] = []
        """What came out of every call."""
        self.flows: dict[int, Tensor] = {}
        """The gradient that came back to every call, for the class at hand; under -1 the overwritten output's."""
        self.heard: list[Tensor] = []
        """What PyTorch handed to the learner's backward hooks, for the class at hand."""
        self.fired = False
        """Whether any of these was called."""
        self.gradients: list[Tensor] = []
        """The right gradients so far: of the first class, and of all classes summed up."""

    def before(self, _: nn.Module, inputs: Any) -> None:
        """Keep what goes in."""
        self.inputs = [each.detach().clone() for each in tensors_in(inputs)]

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
    """What the learner's hooks captured, in the form of a `LayerCapture`; where there are none, what ours did.

    Args:
        reference: our own capture.
        network: what it captures.
    """

    def __init__(self, reference: LayerCapture, network: nn.Module) -> None:
        self.activations: dict[str, Tensor] = {name: each.detach() for name, each in reference.activations.items()}
        """What each layer put out."""
        self.layers = {name: Watched(name, find_module(network, name)) for name in self.activations}
        """What is known of each layer; the first that ran comes first."""
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
            inputs: what our own capture was run on.
            logits: what it got.

        Raises:
            HookError: a hook does something wrong.
        """
        with torch.inference_mode(False), torch.enable_grad():
            self._leaf = inputs.detach().clone().requires_grad_()
            try:
                with self._reference.paused():
                    # A clone, because a network may begin by working in place, which is forbidden on the leaf itself.
                    self._logits = plain(self._network(self._leaf.clone()))
            except (HookError, torch.OutOfMemoryError):
                raise
            except Exception as error:  # whatever a learner's function raises, the same pass went well without it
                mistake = translated(error, "raises an error in its hook function")
                raise mistaken(mistake, self._who_ran()) from error
        if not same(self._logits, logits):
            told = ": with it the network returns other logits"
            raise mistaken("changes the output", self._who_ran(), detail=told)
        for watched in self.layers.values():
            others = [each.values[-1] for each in self.layers.values() if each is not watched and each.values]
            for who, held in watched.forward:
                stored = _read(held, who, nothing="stores nothing")
                known = [
                    *(("stores the input instead of the output", each) for each in watched.inputs),
                    ("stores the output without a clone", watched.output),
                    *(("keeps an earlier call", each) for each in watched.values[:-1]),
                    *(("stores the layer's weights", each) for each in watched.module.parameters(recurse=False)),
                    *(("stores what belongs to another layer", each) for each in others),
                ]
                mine = recognised(stored, watched.values[-1], known, who=who)
                self.activations[watched.name] = self._reference.as_map(watched.name, mine)
        for watched in self.layers.values():
            if watched.output is not None and not same(watched.output, watched.values[-1]):
                watched.listen(-1)  # now to the value it was overwritten with

    def gradients(self, class_index: int) -> dict[str, Tensor]:
        """Return the derivative of one class's logit with respect to every activation, as the hooks stored it.

        Args:
            class_index: the class.

        Raises:
            HookError: a hook does something wrong.
            ModelError: the logits carry no gradient.
        """
        right = self._reference.gradients(class_index)
        if not any(watched.backward for watched in self.layers.values()):
            return right
        for watched in self.layers.values():
            watched.flows, watched.heard, watched.fired = {}, [], False
        with torch.inference_mode(False), torch.enable_grad():
            try:
                # Only the leaf's gradient is kept, so nobody's .grad is touched.
                self._logits[0, class_index].backward(inputs=[self._leaf], retain_graph=True)
            except (HookError, torch.OutOfMemoryError):
                raise
            except Exception as error:  # whatever a learner's function raises, the same pass went well without it
                mistake = translated(error, "raises an error in its hook function")
                raise mistaken(mistake, self._who_ran()) from error
        self._leaf.grad = None
        found = {}
        for name, watched in reversed(self.layers.items()):  # a gradient that was changed shows up before the change
            for who, held in watched.backward:
                found[name] = self._gradient(watched, _read_gradient(held, who, watched), right, who)
            watched.gradients = _noted(watched.gradients, right[name])
        return {name: found[name] for name in self.layers}

    def close(self) -> None:
        """Let go of the network's tensors, and take our own hooks off."""
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
            *(("stores grad_input instead of grad_output", each) for each in watched.heard),
            *(("stores what belongs to another layer", each) for name, each in right.items() if name != watched.name),
        ]
        known = [(mistake, self._as_map(watched, each)) for mistake, each in known]
        return recognised(self._as_map(watched, stored), right[watched.name], known, who=who, allowed_graph=True)

    def _as_map(self, watched: Watched, found: Any) -> Any:
        """What was found at a layer; its tensors of the output's shape get the axes that our own capture gives them."""
        own, wanted = watched.values[-1].shape, self.activations[watched.name].shape
        if own == wanted:
            return found
        as_map = self._reference.as_map
        return map_tensors(lambda each: as_map(watched.name, each) if each.shape == own else each, found)

    def _who_ran(self) -> str:
        """Whose hook was at work when a pass that goes well without them did not: that of the layer run last."""
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
    # Not just anything that can be iterated over: that may be a data loader.
    return isinstance(value, Tensor | list | tuple | dict) and bool(tensors_in(value))


def _noted(gradients: list[Tensor], right: Tensor) -> list[Tensor]:
    """The first and the sum of the right gradients, with one more."""
    return [gradients[0], gradients[1] + right] if gradients else [right, right]

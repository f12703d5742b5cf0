"""What an answer leaves behind: on a network, on what it was given, and in PyTorch. And how often a network ran, and how."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as pytorchs

from camwidget.course.attempt import Attempt
from camwidget.hooks.restore import hooks_on

_GLOBAL_HOOKS = tuple(name for name in vars(pytorchs) if name.startswith("_global_") and name.endswith("_hooks"))


@dataclass(frozen=True)
class Run:
    """One run of a network."""

    training: tuple[bool, ...]
    """The mode of every module."""
    recorded: bool
    """Whether anything was recorded for gradients."""
    recording: bool
    """Whether it could have been: false inside `no_grad`."""
    given: Tensor
    """A copy of the inputs."""


class Runs(list[Run]):
    """The runs of a network and of all its copies, in their order."""

    def __deepcopy__(self, _: dict[int, Any]) -> "Runs":
        return self


class Counted(nn.Sequential):
    """A network that notes its runs; a copy notes them in the same place.

    Args:
        modules: run one after the other, as in `nn.Sequential`.
    """

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__(*modules)
        self.runs = Runs()

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits."""
        given = inputs.detach().clone()
        output: Tensor = super().forward(inputs)  # type: ignore[no-untyped-call]
        note_run(self, self.runs, given, output)
        return output


def note_run(network: nn.Module, runs: Runs, given: Tensor, output: Tensor) -> None:
    """Note a run that has just ended.

    Args:
        network: what ran.
        runs: where to note it.
        given: a copy of the inputs.
        output: the logits.
    """
    modes = tuple(module.training for module in network.modules())
    runs.append(Run(modes, output.requires_grad, torch.is_grad_enabled(), given))


class Before:
    """A network, with somebody else's hook on every module, and what an answer is given, as they were before it.

    Args:
        model: the network.
        given: name to a tensor that is handed over.
    """

    def __init__(self, model: nn.Module, given: Mapping[str, Tensor]) -> None:
        for module in model.modules():
            module.register_forward_hook(lambda *_: None)
        self.model, self._given = model, dict(given)
        self._hooks = hooks_on(model)
        self._global = {name: dict(getattr(pytorchs, name)) for name in _GLOBAL_HOOKS}
        self._own = [set(vars(module)) for module in model.modules()]
        self.training = [module.training for module in model.modules()]
        self._required = [parameter.requires_grad for parameter in model.parameters()]
        self._weights = [parameter.detach().clone() for parameter in model.parameters()]
        self._buffers = [buffer.detach().clone() for buffer in model.buffers()]
        self._tensors = {name: (tensor.detach().clone(), tensor.requires_grad) for name, tensor in given.items()}

    def changes(self) -> list[tuple[str, str]]:
        """Return what is different now: each time in short, and the likely cause."""
        model = self.model
        found = [*self._changed_hooks()]
        modes = [module.training for module in model.modules()]
        if modes != self.training:
            words = "some modules were in training mode and others not: give each its own back, with module.training"
            if len(set(self.training)) == 1:
                words = f"it was in {'training' if self.training[0] else 'evaluation'} mode before: give that back"
            found.append(("another mode", words))
        if [parameter.requires_grad for parameter in model.parameters()] != self._required:
            words = "requires_grad of the parameters has changed: give it back, or leave it alone"
            found.append(("another requires_grad", words))
        if not all(torch.equal(*both) for both in zip(self._weights, model.parameters(), strict=True)):
            found.append(
                ("other weights", "the weights were changed: change the output, in a hook, and not the weights")
            )
        if not all(torch.equal(*both) for both in zip(self._buffers, model.buffers(), strict=True)):
            words = "batch norm ran in training mode, and mixed these inputs into what it remembers: call eval() first"
            found.append(("what batch norm remembers", words))
        return found + changed(self._given, self._tensors)

    def _changed_hooks(self) -> list[tuple[str, str]]:
        now = hooks_on(self.model)
        found = []
        if self._hooks.keys() - now.keys():
            words = "hooks of others were taken off as well: your handle's remove() takes off yours alone"
            found.append((_count(len(self._hooks.keys() - now.keys()), "few"), words))
        left = len(now.keys() - self._hooks.keys())
        for name, before in self._global.items():
            table = getattr(pytorchs, name)
            left += len(table.keys() - before.keys())
            table.clear()
            table.update(before)
        if left:
            found.append((_count(left, "many"), ""))
        if [set(vars(module)) for module in self.model.modules()] != self._own:
            found.append(("something added to a module", "a module has got an attribute, such as a forward of its own"))
        return found


def _count(number: int, which: str) -> str:
    return f"{number} hook{'s' if number != 1 else ''} too {which}"


def changed(now: Mapping[str, Tensor], before: Mapping[str, tuple[Tensor, bool]]) -> list[tuple[str, str]]:
    """Return which tensors have changed: in short, and the likely cause.

    Args:
        now: name to the tensor that was handed over.
        before: name to a copy from before, and whether it asked for gradients.
    """
    found = []
    for name, tensor in now.items():
        values, required = before[name]
        if tensor.shape != values.shape or not torch.equal(tensor.detach(), values):
            words = f"{name} was changed by an operation in place, such as *=, mul_() or [...] = : make a new tensor"
            found.append((f"{name} has changed", words))
        elif tensor.requires_grad != required:
            found.append((f"{name} asks for gradients", f"requires_grad_() changes {name} itself: use a detached copy"))
    return found


def judge_left(attempt: Attempt, before: Before, key: str, *, still_there: str, only_hooks: bool = False) -> bool:
    """State that a network and what was given are as they were, and that gradients are recorded again.

    Args:
        attempt: of this round.
        before: how they were.
        key: which of the promised facts.
        still_there: the likely cause if a hook is left.
        only_hooks: whether to look at hooks alone.
    """
    found = before._changed_hooks() if only_hooks else before.changes()
    return _state(attempt, key, [(got, likely or still_there) for got, likely in found])


def judge_given(attempt: Attempt, key: str, given: Mapping[str, Tensor], before: Mapping[str, Tensor]) -> bool:
    """State that tensors are as they were, and that gradients are recorded again.

    Args:
        attempt: of this round.
        key: which of the promised facts.
        given: name to the tensor that was handed over.
        before: name to a copy from before.
    """
    found = changed(given, {name: (tensor.detach(), tensor.requires_grad) for name, tensor in before.items()})
    return _state(attempt, key, found)


def _state(attempt: Attempt, key: str, found: list[tuple[str, str]]) -> bool:
    if not attempt.recording_left:
        words = "set_grad_enabled() was left switched: use `with torch.no_grad():`, which gives the mode back"
        found = [*found, ("gradients are no longer recorded as before", words)]
    got = "; ".join(got for got, _ in found)
    return attempt.fact(key, not found, expected="all as before", got=got, likely=found[0][1] if found else "")

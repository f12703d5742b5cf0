"""Hook classes as learners write them: right ones of several kinds, and one for every mistake that is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn


class Keeps:
    """Right: keeps a copy of the output."""

    def __init__(self, module: nn.Module) -> None:
        self.handle = module.register_forward_hook(self.listen)

    def listen(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        self.stored = output.detach().clone()

    def remove(self) -> None:
        self.handle.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> Any:
        self.remove()


class OldBackward(Keeps):
    """Right: the backward hook that PyTorch calls deprecated."""

    def __init__(self, module: nn.Module) -> None:
        self.handle = module.register_backward_hook(self.listen)

    def listen(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        self.stored = output[0].detach().clone()


class FullBackward(OldBackward):
    """Right, unless an in-place operation is next to it."""

    def __init__(self, module: nn.Module) -> None:
        self.handle = module.register_full_backward_hook(self.listen)


class BeforeBackward(OldBackward):
    """Right, with the same exception."""

    def __init__(self, module: nn.Module) -> None:
        self.handle = module.register_full_backward_pre_hook(self.hear)

    def hear(self, module: nn.Module, gradients: Any) -> None:
        self.stored = gradients[0].detach().clone()


class OnTensor(Keeps):
    """Right: a hook on the output tensor."""

    def listen(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        output.register_hook(self.keep)

    def keep(self, gradient: Tensor) -> Any:
        self.stored = gradient.detach().clone()


class KeepsAll(Keeps):
    """Right: a list of everything, on the CPU, for later."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__(module)
        self.stored: list[Tensor] = []

    def listen(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        self.stored.append(output.detach().cpu().clone())


class HandsOnClone(Keeps):
    """Right: what flows on is a clone that is still attached."""

    def listen(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        self.stored = output.detach()
        return output.clone()


class RegistersOnEntry(Keeps):
    """Right: nothing happens before the block."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __enter__(self) -> Self:
        super().__init__(self.module)
        return self


class InHalf(Keeps):
    """Right, up to the rounding of half precision."""

    def listen(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        self.stored = output.detach().half()


def forward(listen: Callable[..., Any], base: type = Keeps) -> type:
    """A class like another one, with its own function."""
    return type("Mine", (base,), {"listen": listen})


def after(keep: Callable[..., Any]) -> type:
    """A class with a hook on the output tensor that does this."""
    return type("Mine", (OnTensor,), {"keep": keep})


def changed(base: type = Keeps, **parts: Any) -> type:
    """A class like another one, with other parts."""
    return type("Mine", (base,), parts)


def _fails(*_: Any) -> Any:
    raise ZeroDivisionError("my own")


def _no_brackets(self: Any, module: nn.Module) -> None:
    self.handle = module.register_forward_hook(self.listen)
    self.remove()


def _twice(self: Any, module: nn.Module) -> None:
    module.register_backward_hook(self.listen)
    self.handle = module.register_full_backward_hook(self.listen)


def _with_clear(self: Any, module: nn.Module) -> None:
    self.handle = module.register_forward_hook(self.listen)
    self.module = module


class Bare:
    """No context manager."""

    def __init__(self, module: nn.Module) -> None:
        module.register_forward_hook(lambda *_: None)


class TwoArguments(Keeps):
    """Wants the function too."""

    def __init__(self, module: nn.Module, function: Any) -> None:
        super().__init__(module)


class OfTheClass(Keeps):
    """Keeps for all layers at one place."""

    box: ClassVar[list[Tensor]] = []

    def listen(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        self.box.append(output.detach().clone())

    @property
    def stored(self) -> Tensor:
        return self.box[-1]


class RetainsGrad(Keeps):
    """Reads .grad, which adds up, and follows the tensor through an in-place operation."""

    def listen(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        output.retain_grad()
        self.output = output

    @property
    def stored(self) -> Any:
        return self.output.grad

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        del self.output


class Once(OnTensor):
    """Never overwrites."""

    def keep(self, gradient: Tensor) -> None:
        if not hasattr(self, "stored"):
            self.stored = gradient.clone()


class AddsUp(OnTensor):
    """Adds every gradient to those before."""

    stored: Any = 0

    def keep(self, gradient: Tensor) -> None:
        self.stored = self.stored + gradient


class FirstCall(Keeps):
    """Keeps only the first of several calls."""

    def listen(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        if not hasattr(self, "stored"):
            self.stored = output.detach().clone()


def store(what: Callable[[nn.Module, Any, Any], Any], base: type = Keeps, name: str = "stored") -> type:
    """A class that stores what a function makes of the module, the inputs and the output."""
    return forward(lambda self, *given: setattr(self, name, what(*given)), base)


@dataclass(frozen=True)
class Wrong:
    """One wrong class, and the mistake that must be told."""

    case: str
    mistake: str
    hook: Any = None
    hook_bwd: Any = None
    layers: tuple[str, ...] = ("body.2", "body.4")
    said: str = ""
    """A part of the message."""
    caused: bool = False
    """Whether another error is chained."""
    network: str = "PooledLinear"
    classes: tuple[int, ...] = field(default=(2, 0, 1))


BEHIND = ("body.3",)  # a batch norm, with an in-place ReLU behind it
FIRST = ("body.2",)
WRONG = [
    Wrong("two arguments", "does not take one module", TwoArguments, caused=True),
    Wrong("no argument", "does not take one module", changed(__init__=lambda self: None), caused=True),
    Wrong("constructor", "raises an error in its constructor", changed(__init__=_fails), caused=True),
    Wrong("both kinds", "mixes old and full backward hooks", None, changed(OldBackward, __init__=_twice), caused=True),
    Wrong("no with", "is no context manager", Bare),
    Wrong("enter fails", "raises an error in __enter__", changed(__enter__=_fails), caused=True),
    Wrong("enter returns None", "returns None from __enter__", changed(__enter__=lambda self: None)),
    Wrong("backward enter", "returns None from __enter__", None, changed(OnTensor, __enter__=lambda self: None)),
    Wrong("not registered", "registers no hook", changed(__init__=lambda self, module: None)),
    Wrong("removed at once", "registers no hook", changed(__init__=_no_brackets)),
    Wrong("backward as hook", "listens to the backward pass", FullBackward),
    Wrong("forward fails", "raises an error in its hook function", forward(_fails), caused=True),
    Wrong("few arguments", "raises an error in its hook function", forward(lambda self, output: 0), caused=True),
    Wrong("backward fails", "raises an error in its hook function", None, forward(_fails, OldBackward), caused=True),
    Wrong("tensor hook fails", "raises an error in its hook function", None, after(_fails), caused=True),
    Wrong("returns other", "changes the output", forward(lambda self, m, i, o: o * 2)),
    Wrong("returns a tuple", "changes the output", forward(lambda self, m, i, o: (o,))),
    Wrong("returns a shape", "changes the output", forward(lambda self, m, i, o: o[0])),
    Wrong("in place", "changes the output", forward(lambda self, m, i, o: setattr(self, "stored", o.detach().zero_()))),
    Wrong(
        "changes the input",
        "changes the output",
        changed(__init__=lambda self, m: setattr(self, "handle", m.register_forward_pre_hook(lambda _, i: i[0] * 2))),
        said="different logits",
    ),
    Wrong("returns detached", "cuts the graph", forward(lambda self, m, i, o: o.detach().clone())),
    Wrong("detaches in place", "cuts the graph", forward(lambda self, m, i, o: (o.detach_(), None)[1])),
    Wrong("scales the gradient", "changes the gradient", None, forward(lambda self, m, i, o: (i[0] * 2,), OldBackward)),
    Wrong(
        "hook on tensor scales",
        "changes the gradient",
        None,
        after(lambda self, g: (self.__dict__.update(stored=g), g * 2)[1]),
    ),
    Wrong(
        "full, before in-place",
        "puts a full backward hook next to an in-place operation",
        None,
        FullBackward,
        BEHIND,
        caused=True,
    ),
    Wrong(
        "full, is in-place",
        "puts a full backward hook next to an in-place operation",
        None,
        FullBackward,
        ("body.4",),
        caused=True,
    ),
    Wrong(
        "pre, before in-place",
        "puts a full backward hook next to an in-place operation",
        None,
        BeforeBackward,
        BEHIND,
        caused=True,
    ),
    Wrong("keeps nothing", "stores nothing", forward(lambda self, m, i, o: None), caused=True),
    Wrong("keeps None", "stores nothing", store(lambda m, i, o: None)),
    Wrong("empty list", "stores nothing", store(lambda m, i, o: [])),
    Wrong(
        "other name",
        "has no attribute stored",
        store(lambda m, i, o: o.detach().clone(), name="acts"),
        said="'acts'",
        caused=True,
    ),
    Wrong(
        "reading fails",
        "raises an error when stored is read",
        changed(stored=property(_fails), listen=lambda *_: None),
        caused=True,
    ),
    Wrong("shape", "stores no tensor", store(lambda m, i, o: o.shape), said="Size"),
    Wrong("number", "stores no tensor", store(lambda m, i, o: o.sum().item()), said="float"),
    Wrong("list in a list", "stores no tensor", store(lambda m, i, o: [[o.detach().clone()]]), said="list"),
    Wrong("tuple", "stores a tuple, not its tensor", store(lambda m, i, o: (o.detach().clone(),))),
    Wrong("go", "stores a tuple, not its tensor", None, store(lambda m, gi, go: go, OldBackward)),
    Wrong("input", "stores the input instead of the output", store(lambda m, i, o: i[0].detach().clone())),
    Wrong("inputs", "stores the input instead of the output", store(lambda m, i, o: i)),
    Wrong("no clone", "stores the output without a clone", store(lambda m, i, o: o.detach()), None, BEHIND),
    Wrong("neither", "stores the output without a clone", store(lambda m, i, o: o), None, BEHIND),
    Wrong(
        "attached", "stores a tensor that still holds the graph", store(lambda m, i, o: o), None, FIRST, network="Calm"
    ),
    Wrong("attached clone", "stores a tensor that still holds the graph", store(lambda m, i, o: o.clone())),
    Wrong("no batch", "drops the batch axis", store(lambda m, i, o: o[0].detach().clone())),
    Wrong("backward, no batch", "drops the batch axis", None, store(lambda m, gi, go: go[0][0].clone(), OldBackward)),
    Wrong("mean", "stores a mean, not the map", store(lambda m, i, o: o.detach().mean(dim=[2, 3]))),
    Wrong(
        "mean of batch",
        "stores a mean, not the map",
        store(lambda m, i, o: o[0].detach().mean(dim=[1, 2], keepdim=True)),
    ),
    Wrong(
        "backward mean",
        "stores a mean, not the map",
        None,
        store(lambda m, gi, go: go[0].mean(dim=[2, 3], keepdim=True), OldBackward),
    ),
    Wrong("weights", "stores the layer's weights", store(lambda m, i, o: m.weight.detach()), None, FIRST),
    Wrong("one for all", "stores what belongs to another layer", OfTheClass),
    Wrong("first call", "keeps an earlier call", FirstCall, None, ("conv",), network="Reused", classes=(0, 1)),
    Wrong("backward of calls", "keeps an earlier call", None, OldBackward, ("conv",), network="Reused", classes=(0, 1)),
    Wrong("flat", "stores another shape", store(lambda m, i, o: o.detach().flatten()), said=r"\(100,\)"),
    Wrong("scaled", "stores other numbers", store(lambda m, i, o: o.detach() * 1.5), said="differ by up to"),
    Wrong("integers", "stores other numbers", store(lambda m, i, o: o.detach().long())),
    Wrong("zeros", "stores other numbers", None, store(lambda m, gi, go: go[0] * 0, OldBackward)),
    Wrong("not overwritten NaN", "stores other numbers", store(lambda m, i, o: o.detach() * torch.nan)),
    Wrong(
        "other function",
        "never hears of a gradient",
        None,
        changed(OnTensor, listen=lambda self, m, i, o: None),
        caused=True,
    ),
    Wrong(
        "no backward",
        "never hears of a gradient",
        None,
        changed(OnTensor, stored=None, listen=lambda self, m, i, o: None),
    ),
    Wrong(
        "hears only",
        "stores nothing of the gradient",
        None,
        forward(lambda self, m, gi, go: None, OldBackward),
        caused=True,
    ),
    Wrong("forward as backward", "stores the activation instead of the gradient", None, Keeps),
    Wrong(
        "grad_input",
        "stores grad_input instead of grad_output",
        None,
        store(lambda m, gi, go: gi[0].clone(), OldBackward),
    ),
    Wrong(
        "full grad_input",
        "stores grad_input instead of grad_output",
        None,
        store(lambda m, gi, go: gi, FullBackward),
        FIRST,
        network="Calm",
    ),
    Wrong("retained", "stores the gradient of the overwritten output", None, RetainsGrad, BEHIND),
    Wrong("never overwritten", "keeps the gradient of the first class", None, Once),
    Wrong("accumulated", "adds up the gradients of all classes", None, AddsUp),
    Wrong("retained sum", "adds up the gradients of all classes", None, RetainsGrad, FIRST),
    Wrong("exit fails", "raises an error in __exit__", changed(__exit__=_fails), caused=True),
    Wrong("exit takes none", "does not take the arguments of __exit__", changed(__exit__=lambda self: self.remove())),
    Wrong("exit does nothing", "is never removed", changed(__exit__=lambda self, *_: None)),
    Wrong("backward stays", "is never removed", None, changed(OldBackward, __exit__=lambda self, *_: None)),
    Wrong(
        "full stays",
        "is never removed",
        None,
        changed(FullBackward, __exit__=lambda self, *_: None),
        FIRST,
        network="Calm",
    ),
    Wrong(
        "clears all",
        "removes hooks of others",
        changed(__init__=_with_clear, __exit__=lambda self, *_: self.module._forward_hooks.clear()),
    ),
]
"""Every mistake at least once."""

"""Everything an explanation does, stage by stage, so that each can be made to fail; and what must stay as it was."""

import importlib
import inspect
import pkgutil
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import camwidget
from tests.toys import digest

THROUGH = ("hooks", "maps", "pictures")
"""The folders that an explanation of a picture passes through; functions are looked for in all their modules."""

NOT_THERE = {"camwidget.pictures.demo"}
"""The modules among them that it does not pass through."""

SMALL = set("three_parts listed plain tensors_in called takes same positive".split())  # noqa: SIM905 (words)
"""Helpers of a line or two: what calls them is a stage already. So it is with most private functions, see `places`."""

METHODS = {
    "camwidget.hooks.capture.LayerCapture": [],
    "camwidget.hooks.traced.Traced": [],
    "camwidget.hooks.learner_hooks.OwnCapture": [],
    "camwidget.hooks.learner_hooks.Watched": [],
    "camwidget.hooks.learner_hooks.OwnHooks": [],
    "tests.hooks.hook_classes.Keeps": [],
    "tests.hooks.hook_classes.OnTensor": [],
    "torch.nn.Module": ["__call__", "register_forward_hook", "register_forward_pre_hook", "requires_grad_"],
    "torch.nn.Parameter": ["requires_grad_"],
    "torch.Tensor": ["backward", "register_hook", "topk"],
    "torch.autograd": ["grad"],
}
"""Methods that are stages as well; of our own classes all, but for private ones and what ends a block."""

EVERY_CALL = {"torch.nn.Module.__call__", "torch.autograd.grad", "torch.nn.Module.register_forward_hook"}
"""Those of which every call is a stage (the first fifteen: one pass through the network); of others it is the last."""

FREEZING = "torch.nn.Parameter.requires_grad_"
"""Called once for each parameter to freeze it, and once more while things are put back."""


class Stopped(BaseException):
    """What is raised: like an interrupt from the keyboard, nothing that an `except Exception` would swallow."""


class Awkward(nn.Module):
    """Batch norm in training mode, in-place ReLU, dropout, a module used twice, channels last, a frozen parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
        self.again = nn.Conv2d(4, 4, 3, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.drop = nn.Dropout2d(0.5)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(4, 3)
        self.pretrained_cfg = {"input_size": (3, 14, 14)}

    def forward(self, inputs: Tensor) -> Tensor:
        inputs = self.stem(inputs)
        inputs = self.act(self.again(self.act(self.again(inputs))) + inputs)
        return self.head(self.pool(self.drop(inputs)).flatten(1))


class Drifting(nn.Sequential):
    """Two linear layers behind batch norm; counts its calls in buffers, draws random numbers; double precision."""

    def __init__(self) -> None:
        body = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5), nn.ReLU())
        head = nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
        super().__init__(body, head)
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))
        self.register_buffer("replaced", torch.zeros(2))
        self.register_buffer("absent", None)
        self.pretrained_cfg = {"input_size": (3, 16, 16)}

    def forward(self, inputs: Tensor) -> Tensor:
        self.calls += 1
        self.replaced = self.replaced + torch.rand(2) + random.random() + float(np.random.rand())
        return super().forward(inputs + 0.01 * torch.rand_like(inputs))


def network(name: str) -> nn.Module:
    """A fresh network, with something to lose: gradients, frozen parameters, mixed modes, somebody else's hooks."""
    torch.manual_seed(3)
    model = {"awkward": Awkward, "drifting": Drifting}[name]().train()
    if name == "awkward":
        model = model.to(memory_format=torch.channels_last)
        model.head.eval()
    else:
        model = model.double()
        model[0][3].eval()
        model.replaced = model.replaced.float()
    parameters = list(model.parameters())
    parameters[0].requires_grad_(False)
    parameters[-1].grad = torch.full_like(parameters[-1], 7)
    module = next(model.children())
    module.register_forward_hook(lambda *_: None)
    module.register_forward_pre_hook(lambda *_: None)
    module[0].register_full_backward_hook(lambda *_: None)
    return model


FACTS: dict[str, Callable[[nn.Module], Any]] = {
    "training flags": lambda model: [module.training for module in model.modules()],
    "requires_grad": lambda model: [each.requires_grad for each in model.parameters()],
    "grad": lambda model: [(id(each.grad), each.grad is not None and digest(each.grad)) for each in model.parameters()],
    "hooks": lambda model: [
        (name, list(hooks.items()))
        for module in model.modules()
        for name, hooks in vars(module).items()
        if "hook" in name and isinstance(hooks, dict)
    ],
    "kind of backward hooks": lambda model: [module._is_full_backward_hook for module in model.modules()],
    "buffers": lambda model: [
        (name, id(each), each is not None and digest(each))
        for module in model.modules()
        for name, each in module._buffers.items()
    ],
    "parameters": lambda model: [(id(each), digest(each), each._version) for each in model.parameters()],
    "random numbers": lambda _: (
        torch.get_rng_state().numpy().tobytes(),
        np.random.get_state()[1].tobytes(),
        np.random.get_state()[2],
        random.getstate(),
    ),
    "device and dtype": lambda model: [(each.device, each.dtype) for each in _tensors(model)],
    "memory format": lambda model: [(each.shape, each.stride(), each.data_ptr()) for each in _tensors(model)],
    "attributes": lambda model: [sorted(vars(module)) for module in model.modules()],
    "gradient mode": lambda _: (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype()),
}
"""What must be the same before and after."""


def facts(model: nn.Module) -> dict[str, Any]:
    """Every fact about a model, in a form that can be compared."""
    return {name: read(model) for name, read in FACTS.items()}


class Stage(NamedTuple):
    """One moment at which things can go wrong."""

    place: str
    """The function that fails, where it is called from."""
    call: int
    """Which of its calls, counted from 1; 0 for none: nothing fails."""
    calls: int
    """How many there are."""

    def __str__(self) -> str:
        """As in the name of a test."""
        return f"{self.place.removeprefix('camwidget.')} {self.call} of {self.calls}" if self.call else self.place


def places() -> Iterator[tuple[Any, str, str]]:
    """Every function and method that can fail: what holds it, under which name, and what to call it."""
    for owner, names in METHODS.items():  # first: below, some of these classes are replaced
        for name in names or [name for name, value in vars(_found(owner)).items() if _is_stage(name, value)]:
            yield _found(owner), name, f"{owner}.{name}"
    names = {module.name for module in pkgutil.walk_packages(camwidget.__path__, "camwidget.")} - NOT_THERE
    through = tuple(f"camwidget.{folder}." for folder in THROUGH)
    for module in (importlib.import_module(name) for name in sorted(names) if name.startswith(through)):
        for name, value in list(vars(module).items()):
            ours = getattr(value, "__module__", "").startswith("camwidget")
            inside = name.startswith("_") and module.__name__ not in (
                "camwidget.pictures.explain",
                "camwidget.hooks.learner_hooks",
            )
            if not ours or inside or name in SMALL:
                continue
            if inspect.isfunction(value):
                yield module, name, f"{module.__name__}.{name}"
            elif _makes_results(value) and value.__module__ == module.__name__:
                yield value, "__init__", f"{module.__name__}.{name}"  # not the class: isinstance() needs it


@contextmanager
def stopping_at(place: str | None = None, call: int = 0) -> Iterator[Counter[str]]:
    """Count the calls of every place for the block, and raise `Stopped` at one of them."""
    calls: Counter[str] = Counter()

    def between(called: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            calls[called] += 1
            if called == place and calls[called] == call:
                raise Stopped(called)
            return function(*arguments, **named)

        return run

    with pytest.MonkeyPatch.context() as patch:
        for owner, name, called in places():
            if place in (None, called):
                patch.setattr(owner, name, between(called, getattr(owner, name)))
        gradient_maps = importlib.import_module("camwidget.maps.methods").FROM_GRADIENTS
        wrapped = {
            name: between(f"camwidget.maps.formulas.{name}", function) for name, function in gradient_maps.items()
        }
        patch.setattr("camwidget.maps.methods.FROM_GRADIENTS", wrapped)
        yield calls


def stages(run: Callable[[], Any], *, among: Callable[[str], Any], every_call: bool) -> list[Stage]:
    """The stages of a run: of each place the last call, of some every call.

    Args:
        run: what is to be stopped.
        among: which places count.
        every_call: whether the places of `EVERY_CALL` count with each of theirs.
    """
    with stopping_at() as calls:
        run()
    found = []
    for place, count in sorted(calls.items()):
        last = count // 2 if place == FREEZING else count
        first = range(1, min(last, 16)) if every_call and place in EVERY_CALL else ()
        found += [Stage(place, call, count) for call in (*first, last)]
    return [stage for stage in found if among(stage.place)]


def _is_stage(name: str, value: Any) -> bool:
    return inspect.isfunction(value) and (not name.startswith("_") or name in ("__init__", "__enter__"))


def _tensors(model: nn.Module) -> list[Tensor]:
    return [*model.parameters(), *model.buffers()]


def _makes_results(value: Any) -> bool:
    return inspect.isclass(value) and value.__name__ in ("Explanation", "Layer", "Readout", "Reduced", "OwnHooks")


def _found(owner: str) -> Any:
    parent, _, name = owner.rpartition(".")
    held = importlib.import_module(parent)
    return getattr(held, name) if hasattr(held, name) else importlib.import_module(owner)

"""Wherever an explanation stops, the network is afterwards what it was before; also a thousand times."""

import random
import re
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from camwidget.errors import CamwidgetError
from camwidget.maps.methods import METHODS
from camwidget.pictures.explain import explain, explain_methods
from tests.hooks.hook_classes import Keeps, OnTensor
from tests.hooks.stages import FACTS, Stage, Stopped, facts, network, stages, stopping_at
from tests.house.repository import run_code

IMAGE = Image.fromarray((np.arange(20 * 30 * 3) % 251).astype(np.uint8).reshape(20, 30, 3))
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "awkward": ("awkward", {}),
    "drifting": ("drifting", {}),
    "awkward, own hooks": ("awkward", {"hook": Keeps, "hook_bwd": OnTensor, "layers": ["stem.1", "stem.2"]}),
}
"""A name for each network and what is asked of it; every method, two classes, the default layers."""

EVERYWHERE, WHERE_OWN_HOOKS_ARE = re.compile(r""), re.compile(r"learner_hooks|hook_classes|mistakes|__call__|Tensor\.")
"""Places to stop at."""


def run(name: str, model: Any) -> None:
    explain_methods(model, IMAGE, methods=METHODS, target_classes=[0, 2], **RUNS[name][1])


def outcome(name: str, stage: Stage) -> tuple[dict[str, Any], dict[str, Any]]:
    """All facts before and after a run that stops at a stage."""
    model = network(RUNS[name][0])
    torch.manual_seed(11)
    before = facts(model)
    if stage.call:
        with stopping_at(stage.place, stage.call), pytest.raises(Stopped):
            run(name, model)
    elif stage.place == "normal exit":
        run(name, model)
    else:
        with pytest.raises(CamwidgetError):
            explain(model, IMAGE, target_classes=[99], **RUNS[name][1])
    return before, facts(model)


def cases() -> list[Any]:
    found = []
    for name in RUNS:
        model = network(RUNS[name][0])
        ends = [Stage("normal exit", 0, 0), Stage("a class that is not there", 0, 0)]
        among = WHERE_OWN_HOOKS_ARE.search if "hook" in RUNS[name][1] else EVERYWHERE.search
        for stage in (*ends, *stages(partial(run, name, model), among=among, every_call=name == "awkward")):
            found.append(pytest.param(name, stage, id=f"{name}: {stage}"))
    return found


with torch.random.fork_rng(devices=[]):
    CASES = cases()


@pytest.mark.parametrize(("name", "stage"), CASES)
def test_the_network_is_left_as_found(name: str, stage: Stage) -> None:
    before, after = outcome(name, stage)

    assert list(before) == list(after) == list(FACTS)
    assert {fact: (before[fact], after[fact]) for fact in FACTS if after[fact] != before[fact]} == {}


def test_the_stages_are_many_and_of_every_kind() -> None:
    found = {case.values[1].place for case in CASES}

    assert len(CASES) * len(FACTS) > 1500
    assert {
        "camwidget.pictures.inputs.open_image",
        "camwidget.pictures.inputs.to_inputs",
        "camwidget.hooks.capture.find_module",
        "camwidget.hooks.capture.left_as_found",
        "torch.nn.Module.register_forward_hook",
        "torch.nn.Module.__call__",
        "torch.autograd.grad",
        "camwidget.maps.methods.channel_weight",
        "camwidget.hooks.capture.LayerCapture.rerun",
        "camwidget.maps.pipeline.maps_of",
        "camwidget.maps.formulas.hires_cam",
        "camwidget.pictures.result.Explanation",
        "tests.hooks.hook_classes.Keeps.__enter__",
        "tests.hooks.hook_classes.OnTensor.keep",
    } <= found


DISTURBED: dict[str, Callable[[Any], Any]] = {
    "training flags": lambda model: model.eval(),
    "requires_grad": lambda model: model.requires_grad_(False),
    "grad": lambda model: list(model.parameters())[-1].grad.add_(1),
    "hooks": lambda model: model.head.register_forward_hook(print),
    "kind of backward hooks": lambda model: setattr(model.head, "_is_full_backward_hook", False),
    "buffers": lambda model: model.stem[1].running_mean.add_(1),
    "parameters": lambda model: model.head.bias.data.add_(1),
    "random numbers": lambda _: random.random(),
    "device and dtype": lambda model: model.double(),
    "memory format": lambda model: model.to(memory_format=torch.contiguous_format),
    "attributes": lambda model: setattr(model.head, "forward", print),
    "gradient mode": lambda _: torch.set_grad_enabled(False),
}


@pytest.mark.parametrize("fact", FACTS)
def test_each_fact_sees_what_it_is_for(fact: str) -> None:
    model = network("awkward")
    before = facts(model)

    with torch.enable_grad():
        DISTURBED[fact](model)
        after = facts(model)

    assert after[fact] != before[fact]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["awkward", "drifting"])
def test_the_callers_autocast_does_not_change_the_numbers(name: str, dtype: torch.dtype) -> None:
    model = network(name)
    expected = explain_methods(model, IMAGE, methods=METHODS, target_classes=[0, 2])

    with torch.autocast("cpu", dtype=dtype):
        found = explain_methods(model, IMAGE, methods=METHODS, target_classes=[0, 2])
        assert torch.is_autocast_enabled("cpu")

    for method, result in expected.items():
        assert torch.equal(found[method].logits, result.logits)
        for layer, cam in result.cams.items():
            assert torch.equal(found[method].cams[layer], cam)
            assert cam.dtype in (torch.float32, torch.float64)


MANY = """
import ctypes, gc, tracemalloc
import torch
from torch import nn
from camwidget import Hook, HookBwd, explain
from tests.house.repository import run_code
from tests.hooks.hook_classes import Keeps, OnTensor
from tests.toys import PooledLinear, hook_count, picture

def resident():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what is free belongs to nobody, though it may not be given back by itself
    return int(open("/proc/self/statm").read().split()[1]) * 4096

torch.set_num_threads(1)
model, inputs = PooledLinear().double(), picture()
def ask(times):  # half of them with hook classes of one's own
    for _ in range(times // 2):
        for own in ({}, {"hook": Keeps, "hook_bwd": OnTensor}):
            explain(model, inputs, layers=["body.4"], target_classes=[0], **own)
ask(200)
objects, before = len(gc.get_objects()), resident()
ask(500)
print(hook_count(model), len(gc.get_objects()) - objects, resident() - before, end=" ")
tracemalloc.start()
ask(100)
gc.collect()
traced = tracemalloc.get_traced_memory()[0]
ask(100)
gc.collect()
print(tracemalloc.get_traced_memory()[0] - traced)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the memory in use is read from /proc")
def test_five_hundred_explanations_leave_no_hook_and_take_no_memory() -> None:
    # In an interpreter of its own, where annotations are not checked: the checker keeps something of every call.
    hooks, objects, resident, traced = map(int, run_code(MANY).split())

    assert hooks == 0
    assert objects < 50  # a tenth of an object for each explanation
    assert resident < 1_000_000  # 2 kB for each; the graph of one takes more
    assert traced < 8_000  # in a hundred more, 80 bytes for each; one map takes 160, and every second may leave one

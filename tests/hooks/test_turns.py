"""Threads take turns with a network, and only with a network; what all threads share is put back once."""

import copy
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from camwidget.errors import CamwidgetError
from camwidget.hooks import turns
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.restore import left_as_found
from camwidget.maps.result import LayerMaps
from camwidget.pictures.decode import open_image
from camwidget.pictures.explain import explain
from tests.hooks.hook_classes import Keeps
from tests.hooks.stages import Awkward, facts, network
from tests.toys import PooledLinear, fastai_head, picture

HANGS_S = 120
"""Nothing here takes as long; who waits longer waits forever."""


@pytest.fixture(autouse=True)
def eager_threads() -> Iterator[None]:
    """Threads change places often, as they do in longer computations."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


def together(*work: Callable[[], Any]) -> None:
    """Run each in a thread of its own; raise what any of them raises."""
    raised: list[BaseException] = []

    def run(each: Callable[[], Any]) -> None:
        try:
            each()
        except BaseException as error:  # noqa: BLE001 (it is raised below)
            raised.append(error)

    threads = [threading.Thread(target=run, args=(each,), daemon=True) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANGS_S)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    if raised:
        raise raised[0]


def same(first: LayerMaps, second: LayerMaps) -> bool:
    return (
        list(first.cams) == list(second.cams)
        and torch.equal(first.logits, second.logits)
        and all(torch.equal(first.cams[name], second.cams[name]) for name in first.cams)
    )


ASKED: list[dict[str, Any]] = [
    {},
    {"method": "score_cam", "progress": lambda *_: None},
    {"hook": Keeps, "layers": ["stem.1"]},
]


def test_three_threads_get_the_maps_that_one_gets_and_the_network_stays() -> None:
    model = network("awkward")
    pictures = [torch.randn(1, 3, 14, 18, generator=torch.Generator().manual_seed(seed)) for seed in range(15)]
    asked = [ASKED[number % len(ASKED)] for number in range(len(pictures))]
    expected = [explain(model, each, **how) for each, how in zip(pictures, asked, strict=True)]
    before, wrong = facts(model), []

    def work() -> None:
        for number, (each, how) in enumerate(zip(pictures, asked, strict=True)):
            if not same(explain(model, each, **how), expected[number]):
                wrong.append(number)

    together(work, work, work)

    assert wrong == []
    assert facts(model) == before


def test_parts_of_one_network_in_several_threads_get_the_maps_that_one_gets() -> None:
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout2d(0.5))
    model = nn.Sequential(body, fastai_head(4, 2)).train()
    around, other = nn.Sequential(model), nn.Sequential(body, fastai_head(4, 3)).train()
    inputs = picture().float()
    expected = [explain(each, inputs) for each in (model, around, other)]
    before, wrong = facts(around), []

    def work(each: nn.Module, right: LayerMaps) -> None:
        wrong.extend(1 for _ in range(10) if not same(explain(each, inputs), right))

    together(*(partial(work, *pair) for pair in zip((model, around, other), expected, strict=True)))

    assert wrong == []
    assert facts(around) == before


class Tied(nn.Module):
    """Has a parameter of another network, and no module of it."""

    def __init__(self, weight: nn.Parameter) -> None:
        super().__init__()
        self.weight = weight


OVERLAPPING: dict[str, Callable[[nn.Sequential], nn.Module]] = {
    "itself": lambda model: model,
    "its body": lambda model: model[0],
    "a module inside": lambda model: model[0][0],
    "around it": nn.Sequential,
    "another with the same body": lambda model: nn.Sequential(model[0], nn.Flatten()),
    "one with tied weights": lambda model: Tied(model[0][0].weight),
}


@pytest.mark.parametrize("which", OVERLAPPING)
def test_what_has_something_in_common_waits(which: str) -> None:
    model = nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), nn.Flatten())
    other, order = OVERLAPPING[which](model), []

    def second() -> None:
        with turns.alone_with(other):
            order.append("the second enters")

    thread = threading.Thread(target=second, daemon=True)
    with turns.alone_with(model):
        thread.start()
        until(lambda: bool(turns._changed._waiters) or bool(order))  # type: ignore[attr-defined]
        order.append("the first leaves")
    thread.join(HANGS_S)

    assert order == ["the first leaves", "the second enters"]
    assert turns._holds == []


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANGS_S
    while not condition():
        assert time.monotonic() < deadline, "it never comes"
        time.sleep(0.001)


class Meets(PooledLinear):
    """Goes on only once another thread is in its own pass as well."""

    def __init__(self, barrier: threading.Barrier) -> None:
        super().__init__()
        self.barrier = barrier

    def forward(self, inputs: Tensor) -> Tensor:
        self.barrier.wait()
        return super().forward(inputs)


def test_networks_with_nothing_in_common_do_not_wait_for_each_other() -> None:
    barrier = threading.Barrier(2, timeout=HANGS_S)
    inputs, passed = picture(), []

    def work() -> None:
        with LayerCapture(Meets(barrier).double(), ["body"]) as capture:
            passed.append(capture.forward(inputs))

    together(work, work)

    assert len(passed) == 2


def test_a_thread_inside_enters_again() -> None:
    model, inputs = PooledLinear().double().train(), picture()
    expected = explain(model, inputs)
    before = facts(model)

    with left_as_found(model), LayerCapture(model, ["body"]) as capture:
        logits = capture.forward(inputs)
        found = explain(model, inputs)
        assert torch.equal(capture.rerun(inputs), logits)

    assert same(found, expected)
    assert facts(model) == before


def test_after_an_error_nobody_waits() -> None:
    model, inputs = PooledLinear().double(), picture()
    with pytest.raises(CamwidgetError):
        explain(model, inputs, target_classes=[99])
    with pytest.raises(ArithmeticError), LayerCapture(model, ["body"]):
        raise ArithmeticError

    together(lambda: explain(model, inputs))

    assert turns._holds == []


def drawn() -> tuple[float, ...]:
    return float(torch.rand(1)), float(np.random.rand()), random.random()


def test_overlapping_blocks_give_the_random_numbers_back() -> None:
    torch.manual_seed(1)
    before = turns.random_states()
    first, second = ExitStack(), ExitStack()

    first.enter_context(turns.random_numbers_left_as_found())
    expected = drawn()
    second.enter_context(turns.random_numbers_left_as_found())
    drawn()
    first.close()
    drawn()
    second.close()

    assert turns.random_states() == before
    assert drawn() == expected
    assert turns.random_states() != before


def test_random_numbers_left_to_others_are_not_touched() -> None:
    before = torch.get_rng_state()
    with turns.random_numbers_left_to_others(), turns.random_numbers_left_as_found():
        expected = torch.rand(1), turns.random_states()
        turns.draw_again_from(before)
        assert turns.random_states() == expected[1]

    assert turns.random_states() == expected[1]
    turns.draw_again_from(before)
    assert torch.equal(torch.rand(1), expected[0])


def test_overlapping_blocks_give_the_compiler_its_stance_back() -> None:
    eval_frame = pytest.importorskip("torch._dynamo.eval_frame")
    before = eval_frame._stance.stance
    first, second = ExitStack(), ExitStack()

    first.enter_context(turns.compiler_stands_aside())
    second.enter_context(turns.compiler_stands_aside())
    first.close()
    inside = eval_frame._stance.stance
    second.close()

    assert (before, inside, eval_frame._stance.stance) == ("default", "force_eager", "default")


def test_the_flags_of_cudnn_stay() -> None:
    flags = torch.backends.cudnn
    before = flags.benchmark
    flags.benchmark = True
    try:
        with LayerCapture(PooledLinear().double(), ["body"]) as capture:
            capture.forward(picture())
        assert flags.benchmark
    finally:
        flags.benchmark = before


def test_threads_that_read_pictures_leave_the_filters_of_warnings() -> None:
    image = Image.fromarray((np.arange(40 * 60 * 3) % 251).astype(np.uint8).reshape(40, 60, 3))
    before = list(warnings.filters)

    def work() -> None:
        for _ in range(60):
            open_image(image)

    together(work, work, work)

    assert warnings.filters == before


def test_a_copy_may_be_explained_beside_its_original() -> None:
    model = Awkward().train()
    twin = copy.deepcopy(model)
    inputs = torch.randn(1, 3, 14, 18)
    expected = explain(model, inputs)
    found: list[LayerMaps] = []

    together(*(lambda each=each: found.append(explain(each, inputs)) for each in (model, twin)))

    assert all(same(each, expected) for each in found)

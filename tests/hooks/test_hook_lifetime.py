"""Hooks go when their block ends, when an error comes, when nobody holds them; and they hold no model."""

import gc
import weakref

import pytest
import torch
from torch import nn

from camwidget.errors import NotStoredError
from camwidget.hooks.hook import Hook, HookBwd, Hooks
from tests.toys import Fails, PooledLinear, hook_count, picture


@pytest.mark.parametrize("kind", [Hook, HookBwd])
def test_an_exception_inside_the_block_leaves_no_hook(kind: type[Hook]) -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 1), Fails())
    with pytest.raises(ArithmeticError), kind(model[0]) as hook:
        model(torch.zeros(1, 3, 4, 5))

    assert hook_count(model) == 0
    with pytest.raises(NotStoredError):
        _ = hook.stored


def test_a_cell_run_twice_leaves_one_hook() -> None:
    model = nn.Linear(1, 1)
    for _ in range(2):
        hook = Hook(model)
    assert hook_count(model) == 1
    del hook
    assert hook_count(model) == 0


@pytest.mark.parametrize("kind", [Hook, HookBwd])
def test_a_hook_does_not_keep_the_model_alive(kind: type[Hook]) -> None:
    model = PooledLinear().double()
    hook = kind(model.body)
    model(picture())[0, 0].backward()
    gone = weakref.ref(model)

    del model
    gc.collect()

    assert gone() is None
    assert hook.stored.shape == (1, 5, 4, 5)


def test_hooks_holds_many_and_removes_all() -> None:
    model, inputs = PooledLinear().double().eval(), picture()

    with Hooks([model.body, model.head], hook=HookBwd) as hooks:
        model(inputs)[0, 1].backward()
        assert hooks.stored[1].tolist() == [[0, 1, 0]]
        assert len(hooks) == 2
        assert hooks[0].stored.shape == (1, 5, 4, 5)
        assert list(hooks)[1] is hooks[1]

    assert hook_count(model) == 0


def test_hooks_that_fail_half_way_leave_none() -> None:
    model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))

    def fails_on_the_second(module: nn.Module) -> Hook:
        if module is model[1]:
            raise ArithmeticError
        return Hook(module)

    with pytest.raises(ArithmeticError) as raised:
        Hooks(model, hook=fails_on_the_second)
    assert hook_count(model) == 0
    assert raised.traceback  # still alive, with the half-made Hooks in its frames: the removal did not wait for it

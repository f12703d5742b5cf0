"""Hooks store what they say, whatever the network does, and leave nothing behind."""

import inspect
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import NotStoredError
from camwidget.hooks.hook import Hook, HookBwd
from tests.toys import Pair, PooledLinear, Reused, picture


class Picture(Tensor):
    """A subclass, as fastai's TensorImage is."""


def test_a_hook_stores_what_the_module_put_out() -> None:
    model, inputs = PooledLinear().double().eval(), picture(batch=2)
    expected = model.body[2](model.body[1](model.body[0](inputs)))

    with Hook(model.body[2]) as hook, torch.no_grad():
        model(inputs)
        stored = hook.stored

    assert torch.equal(stored, expected)
    assert not stored.requires_grad


def test_an_in_place_relu_behind_the_module_changes_neither_activation_nor_gradient() -> None:
    model, twin = PooledLinear(inplace=True).double().eval(), PooledLinear(inplace=False).double().eval()
    twin.load_state_dict(model.state_dict())
    inputs = picture(batch=2)

    found = []
    for each in (model, twin):
        with Hook(each.body[3]) as hook, HookBwd(each.body[3]) as hook_bwd:
            each(inputs)[1, 2].backward()
            found.append((hook.stored, hook_bwd.stored))

    assert (found[0][0] < 0).any()
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])
    assert found[0][1][0].abs().max() == 0 < found[0][1][1].abs().max()  # only the second picture's logit was asked for


def test_the_gradient_agrees_with_finite_differences() -> None:
    model, inputs, step = PooledLinear(inplace=False).double().eval(), picture(), 1e-6
    rest = nn.Sequential(*model.body[3:], model.pool, nn.Flatten(), model.head)

    with Hook(model.body[2]) as hook, HookBwd(model.body[2]) as hook_bwd:
        model(inputs)[0, 1].backward()
        activation, gradient = hook.stored, hook_bwd.stored

    for index in [(0, 0, 0, 0), (0, 2, 1, 3), (0, 4, 3, 4)]:
        moved = torch.zeros_like(activation)
        moved[index] = step
        with torch.no_grad():
            slope = (rest(activation + moved)[0, 1] - rest(activation - moved)[0, 1]) / (2 * step)
        assert gradient[index].item() == pytest.approx(slope.item(), abs=1e-8)


def test_the_chapters_nesting_of_the_two_hooks_works() -> None:
    model, inputs = PooledLinear().double(), picture()

    with HookBwd(model.body) as hook_bwd:
        with Hook(model.body) as hook:
            output = model.eval()(inputs)
            activation = hook.stored
        output[0, 1].backward()
        gradient = hook_bwd.stored
    weight = gradient[0].mean(dim=[1, 2], keepdim=True)

    assert weight.flatten() * activation[0, 0].numel() == pytest.approx(model.head.weight[1].detach())


def test_a_frozen_body_still_gives_a_gradient() -> None:
    model, inputs = PooledLinear().double().eval(), picture()
    with HookBwd(model.body) as hook:
        model(inputs)[0, 1].backward()
        expected = hook.stored
    model.requires_grad_(False)

    with HookBwd(model.body) as hook:
        model(inputs)[0, 1].backward()
        assert torch.equal(hook.stored, expected)


def test_of_a_reused_module_both_hooks_keep_the_last_call() -> None:
    model, inputs = Reused().double(), picture()
    second = model.conv(model.conv(inputs).tanh()).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(model.head(second.tanh().mean(dim=(2, 3)))[0, 1], second)

    with Hook(model.conv) as hook, HookBwd(model.conv) as hook_bwd:
        model(inputs)[0, 1].backward()

        assert hook.calls == hook_bwd.calls == 2
        torch.testing.assert_close(hook.stored, second.detach(), rtol=0, atol=1e-15)
        torch.testing.assert_close(hook_bwd.stored, gradient, rtol=0, atol=1e-15)


def test_of_an_identity_only_what_flows_through_it_is_counted() -> None:
    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.same = nn.Identity()

        def forward(self, inputs: Tensor) -> Tensor:
            return self.same(inputs) * 3 + inputs * 100

    model, inputs = Skip(), picture().requires_grad_()

    with HookBwd(model.same) as hook:
        model(inputs).sum().backward()
        assert torch.equal(hook.stored, torch.full_like(inputs, 3))


def test_a_tuple_comes_back_as_a_tuple_with_none_where_nothing_flows() -> None:
    model, inputs = Pair().double(), picture()

    with Hook(model) as hook, HookBwd(model) as hook_bwd:
        first, second = model(inputs)
        first[0, 1, 2, 3].backward()
        expected = torch.zeros_like(first)
        expected[0, 1, 2, 3] = 1

        assert torch.equal(hook.stored[0], first)
        assert torch.equal(hook.stored[1], second)
        assert torch.equal(hook_bwd.stored[0], expected)
        assert hook_bwd.stored[1] is None


def test_dicts_keep_their_kind() -> None:
    class Dict(nn.Module):
        def forward(self, inputs: Tensor) -> dict[str, Any]:
            return {"double": inputs * 2, "nested": [inputs + 1], "note": "text"}

    model, inputs = Dict(), picture()

    with Hook(model) as hook, HookBwd(model) as hook_bwd:
        model(inputs)["double"].sum().backward()
        assert torch.equal(hook.stored["nested"][0], inputs + 1)
        assert hook.stored["note"] == "text"
        assert torch.equal(hook_bwd.stored["double"], torch.ones_like(inputs))


def test_tensor_subclasses_are_stored_as_plain_tensors_and_flow_on_as_they_are() -> None:
    layer, inputs = nn.ReLU(), picture().as_subclass(Picture)

    with Hook(layer) as hook, HookBwd(layer) as hook_bwd:
        output = layer(inputs)
        output.sum().backward()

        assert type(output) is Picture
        assert type(hook.stored) is Tensor
        assert type(hook_bwd.stored) is Tensor


@pytest.mark.parametrize("kind", [Hook, HookBwd])
def test_reading_before_anything_ran_says_to_run_the_model(kind: type[Hook]) -> None:
    with (
        kind(nn.Linear(1, 1)) as hook,
        pytest.raises(NotStoredError, match=r"Linear .* not run yet.*Run the model first"),
    ):
        _ = hook.stored


@pytest.mark.parametrize("kind", [Hook, HookBwd])
def test_reading_after_the_block_says_to_read_inside_it(kind: type[Hook]) -> None:
    layer = nn.Linear(1, 1)
    with kind(layer) as hook:
        layer(torch.ones(1, 1)).sum().backward()
    with pytest.raises(NotStoredError, match=r"was removed.*inside the block"):
        _ = hook.stored


def test_reading_the_gradient_before_backward_says_to_call_it() -> None:
    layer = nn.Linear(1, 1)
    with HookBwd(layer) as hook:
        layer(torch.ones(1, 1))
        with pytest.raises(NotStoredError, match=r"has run forward.*backward\(\) on one number"):
            _ = hook.stored


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_reading_the_gradient_after_an_unrecorded_pass_says_so(mode: Any) -> None:
    layer = nn.Linear(1, 1)
    with HookBwd(layer) as hook:
        with mode():
            layer(torch.ones(1, 1))
        with pytest.raises(NotStoredError, match=r"ran under no_grad or inference_mode.*without torch.no_grad"):
            _ = hook.stored


def test_a_new_forward_pass_forgets_the_old_gradient() -> None:
    layer = nn.Linear(1, 1)
    with HookBwd(layer) as hook:
        layer(torch.ones(1, 1)).sum().backward()
        layer(torch.ones(1, 1))
        with pytest.raises(NotStoredError):
            _ = hook.stored


def test_something_that_is_no_module_is_refused() -> None:
    unchecked: Any = inspect.unwrap(Hook.__init__)  # the tests' checker of annotations would be first to refuse
    with pytest.raises(TypeError, match=r"'0.5', of type str.*get_submodule"):
        unchecked(Hook.__new__(Hook), "0.5")

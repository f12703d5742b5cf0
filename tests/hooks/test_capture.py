"""One capture gives all activations and gradients, and leaves the model as it was, whatever happens in between."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import ImageError, LayerError, ModelError
from camwidget.hooks.capture import LayerCapture
from tests.toys import AfterPair, Fails, PooledLinear, Restless, Returns, Reused, hook_count, picture, state


def test_activations_and_gradients_are_those_of_a_network_without_in_place_operations() -> None:
    model, twin = PooledLinear(inplace=True).double().eval(), PooledLinear(inplace=False).double().eval()
    twin.load_state_dict(model.state_dict())
    inputs, kept = picture(), []
    values = inputs
    for module in twin.body:
        values = module(values)
        kept.append(values)
    logits = twin.head(twin.pool(values).flatten(1))
    expected = torch.autograd.grad(logits[0, 2], kept)

    names = [f"body.{index}" for index in range(5)]
    with LayerCapture(model, names) as capture:
        found = capture.forward(inputs)
        gradients = capture.gradients(2)

        assert torch.equal(found, logits)
        assert list(capture.activations) == names
        for name, activation, gradient in zip(names, kept, expected, strict=True):
            assert torch.equal(capture.activations[name], activation)
            torch.testing.assert_close(gradients[name], gradient, rtol=0, atol=1e-15)


def test_the_gradient_agrees_with_finite_differences() -> None:
    model, inputs, step = PooledLinear().double(), picture(), 1e-6

    with LayerCapture(model, ["body.2"]) as capture:
        capture.forward(inputs)
        gradient, activation = capture.gradients(1)["body.2"], capture.activations["body.2"].detach()
        for index in [(0, 0, 0, 0), (0, 2, 1, 3), (0, 4, 3, 4)]:
            moved = torch.zeros_like(activation)
            moved[index] = step
            high, low = (capture.rerun(inputs, replace={"body.2": activation + sign * moved}) for sign in (1, -1))
            assert gradient[index].item() == pytest.approx((high - low)[0, 1].item() / (2 * step), abs=1e-8)


def test_nothing_is_recorded_before_the_first_layer() -> None:
    with LayerCapture(PooledLinear().double(), ["body.3", "body.4"]) as capture:
        capture.forward(picture())

        assert capture.activations["body.3"].is_leaf
        assert not capture.activations["body.4"].is_leaf


def test_of_a_reused_module_the_last_call_counts() -> None:
    model, inputs = Reused().double(), picture()
    second = model.conv(model.conv(inputs).tanh())
    (gradient,) = torch.autograd.grad(model.head(second.tanh().mean(dim=(2, 3)))[0, 1], second)

    with LayerCapture(model, ["conv"]) as capture:
        capture.forward(inputs)

        assert capture.calls == {"conv": 2}
        torch.testing.assert_close(capture.activations["conv"], second, rtol=0, atol=1e-15)
        torch.testing.assert_close(capture.gradients(1)["conv"], gradient, rtol=0, atol=1e-15)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("frozen", [False, True])
def test_callers_may_switch_gradients_off_and_freeze_the_model(mode: Any, frozen: bool) -> None:
    model, inputs = PooledLinear().double(), picture()
    with LayerCapture(model, ["body"]) as capture:
        capture.forward(inputs)
        expected = capture.gradients(1)["body"]
    model.requires_grad_(not frozen)
    before = state(model)

    with mode(), LayerCapture(model, ["body"]) as capture:
        capture.forward(inputs.clone())  # made under the mode, as a caller's inputs are
        assert torch.equal(capture.gradients(1)["body"], expected)

    assert state(model) == before


def test_a_layer_the_logits_do_not_depend_on_has_gradient_zero() -> None:
    class Unused(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 1)

        def forward(self, inputs: Tensor) -> Tensor:
            self.unused(inputs)
            return self.used(inputs).mean(dim=(2, 3))

    with LayerCapture(Unused().double(), ["used", "unused"]) as capture:
        capture.forward(picture())
        gradients = capture.gradients(0)

    assert gradients["unused"].abs().max() == 0 < gradients["used"].abs().max()


def test_a_tuple_is_kept_apart() -> None:
    with LayerCapture(AfterPair().double(), ["pair", "last"]) as capture:
        capture.forward(picture())

        assert list(capture.activations) == ["last"]
        assert isinstance(capture.other_outputs["pair"], tuple)


def mixed(model: nn.Module) -> nn.Module:
    """Training flags and `requires_grad` mixed, some `.grad` set."""
    for index, module in enumerate(model.modules()):
        module.training = index % 2 == 0
    for index, parameter in enumerate(model.parameters()):
        parameter.requires_grad = index % 3 != 0
        parameter.grad = torch.ones_like(parameter) if index % 2 else None
    return model


def use(model: nn.Module, *, layer: str = "body", wrong: str = "") -> None:
    with LayerCapture(model, [layer]) as capture:
        capture.forward(picture())
        capture.gradients(99 if wrong == "gradients" else 0)
        if wrong == "block":
            raise ArithmeticError


def nan(logits: Tensor) -> Tensor:
    return logits * float("nan")


BREAKS: list[tuple[str, nn.Module, dict[str, str], type[Exception] | None]] = [
    ("nothing", PooledLinear(), {}, None),
    ("the block", PooledLinear(), {"wrong": "block"}, ArithmeticError),
    ("the gradients", PooledLinear(), {"wrong": "gradients"}, IndexError),
    ("the middle", nn.Sequential(nn.Conv2d(3, 2, 1), Fails()), {"layer": "0"}, ArithmeticError),
    ("the logits", Returns(nan), {"layer": "network.body"}, ModelError),
    ("the logits' form", Returns(lambda logits: (logits,)), {"layer": "network.body"}, ModelError),
    ("no gradient", Returns(Tensor.detach), {"layer": "network.body"}, ModelError),
    ("buffers and random numbers", Restless(), {"layer": "conv"}, None),
]


@pytest.mark.parametrize(("broken", "model", "how", "error"), BREAKS, ids=[each[0] for each in BREAKS])
def test_the_model_is_left_as_found(
    broken: str, model: nn.Module, how: dict[str, str], error: type[Exception] | None
) -> None:
    model = mixed(model.double())
    torch.rand(1)
    inputs_drawn_by_use = torch.get_rng_state()
    before = state(model)

    if error is None:
        use(model, **how)
    else:
        with pytest.raises(error):
            use(model, **how)

    torch.set_rng_state(inputs_drawn_by_use)  # `use` draws its picture; see the next test for random numbers
    assert state(model) == before


def test_random_numbers_drawn_by_the_model_do_not_move_the_callers_state() -> None:
    model, inputs = Restless().double(), picture()
    before = state(model)

    with LayerCapture(model, ["conv"]) as capture:
        capture.forward(inputs)
        capture.gradients(1)

    assert state(model) == before


def test_batch_norm_is_at_rest_and_its_statistics_stay() -> None:
    model, inputs = PooledLinear().double().train(), picture()
    expected = model.eval()(inputs)
    model.train()
    before = state(model)

    with LayerCapture(model, ["body"]) as capture:
        assert torch.equal(capture.forward(inputs), expected)

    assert state(model) == before


def test_an_unknown_layer_is_refused_before_the_model_is_touched() -> None:
    model = PooledLinear()
    with pytest.raises(LayerError, match="body"):
        LayerCapture(model, ["body", "boddy"])
    assert hook_count(model) == 0


def test_the_block_ends_with_nothing_stored() -> None:
    with LayerCapture(PooledLinear().double(), ["body"]) as capture:
        capture.forward(picture())
    assert not capture.activations
    with pytest.raises(RuntimeError, match=r"call forward\(inputs\) first"):
        capture.gradients(0)


WRONG: list[tuple[Callable[[Tensor], Any], str]] = [
    (lambda logits: (logits, logits), r"returned a tuple of 2.*Wrap it in a module"),
    (lambda logits: {"logits": logits}, r"returned a dict of 1.*Wrap it in a module"),
    (lambda logits: logits[0], r"shape \(3,\).*\(1, class\)"),
    (lambda logits: logits[None], r"shape \(1, 1, 3\)"),
    (lambda logits: logits.expand(2, -1), r"shape \(2, 3\)"),
    (lambda logits: logits.long(), r"int64"),
    (
        lambda logits: logits * torch.tensor([1, float("nan"), float("inf")]),
        r"2 of 3 logits are NaN or infinite.*float",
    ),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_logits_of_the_wrong_form_are_refused(change: Callable[[Tensor], Any], message: str) -> None:
    with LayerCapture(Returns(change).double(), ["network.body"]) as capture, pytest.raises(ModelError, match=message):
        capture.forward(picture())


def test_two_pictures_are_refused() -> None:
    with LayerCapture(PooledLinear().double(), ["body"]) as capture, pytest.raises(ImageError, match=r"inputs\[:1\]"):
        capture.forward(picture(batch=2))

"""`explain` from end to end: hand-worked numbers, the theory, what it costs, and what it must leave alone."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import ClassError
from camwidget.hooks.layers import Layer
from camwidget.pictures.explain import explain, explain_methods
from tests.toys import (
    AfterPair,
    Fails,
    PooledLinear,
    Restless,
    Returns,
    Reused,
    fastai_head,
    hook_count,
    picture,
    state,
)


def hand_worked() -> tuple[nn.Module, Tensor]:
    """A layer of two channels, one row of two columns: A = [[1, 2]] and [[3, -1]]; logits are 2a - b + 5 and -b."""
    body = nn.Conv2d(3, 2, 1, bias=False)
    head = nn.Linear(2, 2)
    with torch.no_grad():
        body.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 1, 0]])[..., None, None])
        head.weight.copy_(torch.tensor([[2.0, -1], [0, -1]]))
        head.bias.copy_(torch.tensor([5.0, 0]))
    model = nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head).double()
    return model, torch.tensor([[[[1.0, 2]], [[3, -1]], [[0, 0]]]], dtype=torch.float64)


def test_maps_and_sums_of_a_network_one_can_do_in_the_head() -> None:
    model, inputs = hand_worked()

    found = explain_methods(model, inputs, methods=("cam", "grad_cam"), class_names=["cat", "dog"])

    assert found["cam"].logits.tolist() == [7, -1]  # means are 1.5 and 1
    assert found["cam"].target_classes == (0, 1)
    assert found["cam"].cams["0"].tolist() == [[[-1, 5]], [[-3, 1]]]
    assert found["grad_cam"].cams["0"].tolist() == [[[-0.5, 2.5]], [[-1.5, 0.5]]]
    for result in found.values():
        assert result.contributions("0", "cat") == (2, 5)
        assert result.contributions("0", "dog") == (-1, 0)
    assert found["cam"].layers == (Layer("0", 1, 2, 1, 2),)
    assert found["cam"].probabilities.tolist() == pytest.approx([1 / (1 + np.exp(-8)), 1 / (1 + np.exp(8))])


def test_the_mean_of_a_cam_and_the_bias_are_the_logit_and_grad_cam_is_cam_by_its_cells() -> None:
    model, inputs = PooledLinear(5).double(), picture()

    found = explain_methods(model, inputs)
    cam, grad_cam = found["cam"], found["grad_cam"]

    assert list(cam.cams) == ["body.4"]
    assert list(grad_cam.cams) == ["body.1", "body.4"]
    for index in range(5):
        total, bias = cam.contributions(target_class=index)
        assert total + bias == pytest.approx(cam.logits[index].item(), abs=1e-13)
        assert bias == pytest.approx(model.head.bias[index].item(), abs=1e-13)
        torch.testing.assert_close(
            grad_cam.cam("body.4", index), cam.cam("body.4", index) / (4 * 5), rtol=0, atol=1e-14
        )


def test_a_fastai_head_with_batch_norm_adds_up_exactly() -> None:
    model = nn.Sequential(nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU()), fastai_head(6, 2)).double().train()

    result = explain(model, picture(), method="cam")

    for index in (0, 1):
        assert sum(result.contributions("0.1", index)) == pytest.approx(result.logits[index].item(), abs=1e-12)


@pytest.mark.parametrize("given", [None, ["body.4"]])
def test_grad_cam_takes_one_forward_pass_and_one_backward_pass_per_class(
    given: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, forwards, backwards = PooledLinear().double(), [], []
    original: Callable[..., Any] = torch.autograd.grad
    model.register_forward_hook(lambda *_: forwards.append(1))
    monkeypatch.setattr(torch.autograd, "grad", lambda *args, **kept: (backwards.append(1), original(*args, **kept))[1])

    explain(model, picture(), layers=given, target_classes=[0, 2])

    assert len(forwards) == 1
    assert len(backwards) == 2


def test_layers_come_in_the_order_in_which_they_run() -> None:
    result = explain(PooledLinear().double(), picture(), layers=["body.4", "body.1", "body.4", "body.3"])

    assert [(layer.name, layer.depth) for layer in result.layers] == [("body.1", 1), ("body.3", 2), ("body.4", 3)]
    assert torch.equal(result.cam(), result.cams["body.4"][0])


def test_the_ten_most_probable_classes_are_explained_most_probable_first() -> None:
    result = explain(PooledLinear(12).double(), picture())

    assert list(result.target_classes) == result.logits.argsort(descending=True)[:10].tolist()
    assert torch.equal(result.cam(), result.cam(target_class=int(result.logits.argmax())))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_the_callers_gradient_mode_does_not_matter(mode: Any) -> None:
    model, inputs = PooledLinear().double(), picture()
    expected = explain_methods(model, inputs)
    model.requires_grad_(False)

    with mode():
        found = explain_methods(model, inputs.clone())

    for method, result in found.items():
        for name, cams in result.cams.items():
            assert torch.equal(cams, expected[method].cams[name])
            assert not cams.is_inference()
            assert not cams.requires_grad


def test_reused_modules_and_tuples_inside_do_no_harm() -> None:
    assert list(explain(Reused().double(), picture()).cams) == ["conv"]
    assert list(explain(AfterPair().double(), picture()).cams) == ["pair.conv", "last"]  # the pair is opened


def test_a_wrapped_network_is_opened_until_there_are_maps() -> None:
    wrapped = Returns(lambda logits: logits).double()

    result = explain(wrapped, picture())

    assert list(result.cams) == ["network.body.1", "network.body.4"]  # as of the network itself


@pytest.mark.parametrize("model", [PooledLinear(), Restless(), Reused()], ids=lambda model: type(model).__name__)
def test_the_model_is_left_as_found(model: nn.Module) -> None:
    model, inputs = model.double().train(), picture()
    next(model.children()).eval()
    before = state(model)

    explain_methods(model, inputs)
    assert state(model) == before

    with pytest.raises(ClassError):
        explain_methods(model, inputs, target_classes=[99])
    assert state(model) == before


def test_an_error_in_the_middle_leaves_the_model_as_found() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 1), Fails()).double()
    inputs = picture()
    before = state(model)

    with pytest.raises(ArithmeticError):
        explain(model, inputs)

    assert state(model) == before


def test_twenty_explanations_leave_no_hook_and_the_model_can_be_collected() -> None:
    model, inputs = PooledLinear().double(), picture()
    for _ in range(20):  # a thousand: test_restore
        result = explain(model, inputs, layers=["body.4"], target_classes=[0])
    assert hook_count(model) == 0

    gone = weakref.ref(model)
    del model
    gc.collect()

    assert gone() is None
    assert result.cam().shape == (4, 5)

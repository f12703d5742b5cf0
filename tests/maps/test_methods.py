"""Every method through `explain`: one forward and one backward pass per class for all, and what each may claim."""

from collections.abc import Callable
from functools import partial
from typing import Any

import captum.attr
import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import MapError
from camwidget.hooks.capture import LayerCapture
from camwidget.maps import formulas as maps
from camwidget.maps.methods import (
    CLASS_AGNOSTIC,
    DEFAULT_METHODS,
    EXPENSIVE,
    FROM_GRADIENTS,
    METHOD_LABELS,
    METHODS,
    cancels,
)
from camwidget.panel.picture import CamPanel
from camwidget.panel.still import contact_sheet
from camwidget.panel.view import pack
from camwidget.pictures.batch import explain_batch
from camwidget.pictures.explain import explain, explain_methods
from camwidget.pictures.result import Explanation
from camwidget.text.explain import TEXT_METHODS
from tests.toys import PooledLinear, picture, state

WITHOUT_CAM = [method for method in METHODS if method not in {"cam", *EXPENSIVE}]


def counted(model: nn.Module, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[int]]:
    """Lists that grow with each forward and each backward pass."""
    forwards: list[int] = []
    backwards: list[int] = []
    original: Callable[..., Any] = torch.autograd.grad
    model.register_forward_hook(lambda *_: forwards.append(1))
    monkeypatch.setattr(torch.autograd, "grad", lambda *args, **kept: (backwards.append(1), original(*args, **kept))[1])
    return forwards, backwards


def test_all_methods_together_take_one_forward_pass_and_one_backward_pass_per_class(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = PooledLinear().double()
    forwards, backwards = counted(model, monkeypatch)

    found = explain_methods(model, picture(), methods=WITHOUT_CAM, target_classes=[0, 2])

    assert list(found) == WITHOUT_CAM
    assert (len(forwards), len(backwards)) == (1, 2)


def test_eigen_cam_needs_no_gradient_and_is_the_same_for_every_class(monkeypatch: pytest.MonkeyPatch) -> None:
    model = PooledLinear().double()
    forwards, backwards = counted(model, monkeypatch)

    result = explain(model, picture(), method="eigen_cam", target_classes=[0, 2])

    assert (len(forwards), len(backwards)) == (1, 0)
    assert torch.equal(result.cam("body.1", 0), result.cam("body.1", 2))
    assert result.cams["body.1"].is_contiguous()  # no map shares its memory with another
    assert not result.knows_class


@pytest.mark.parametrize("method", WITHOUT_CAM)
def test_each_method_gives_what_its_function_does(method: str) -> None:
    model, inputs = PooledLinear().double(), picture()

    result = explain(model, inputs, method=method, target_classes=[2, 0])

    assert list(result.cams) == ["body.1", "body.4"]
    with LayerCapture(model.eval(), ["body.1", "body.4"]) as capture:
        capture.forward(inputs)
        for row, target in enumerate([2, 0]):
            gradients = capture.gradients(target)
            for name, cams in result.cams.items():
                given = [capture.activations[name].detach(), gradients[name]]
                expected = getattr(maps, method)(*given[: 1 if method in CLASS_AGNOSTIC else 2])[0]
                torch.testing.assert_close(cams[row], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_the_code_of_every_method_is_its_own(method: str) -> None:
    assert f'method="{method}"' in explain(PooledLinear().double(), picture(), method=method).code


def test_the_model_is_left_as_found_by_all_methods() -> None:
    model, inputs = PooledLinear().double().train(), picture()
    before = state(model)

    explain_methods(model, inputs, methods=METHODS)

    assert state(model) == before


def test_four_methods_are_one_where_plain_cam_is_valid() -> None:
    found = explain_methods(PooledLinear().double(), picture(), methods=METHODS)
    expected = found["cam"].cams["body.4"] / (4 * 5)

    for method in ("grad_cam", "hires_cam", "xgrad_cam"):
        torch.testing.assert_close(found[method].cams["body.4"], expected, rtol=0, atol=1e-14)
        assert sum(found[method].contributions("body.4", 1)) == pytest.approx(float(found["cam"].logits[1]), abs=1e-13)


@pytest.mark.parametrize("method", ["grad_cam_plus_plus", "layer_cam", "eigen_cam"])
def test_a_map_that_adds_up_to_nothing_says_so(method: str) -> None:
    found = explain_methods(PooledLinear().double(), picture(), methods=("cam", method))

    with pytest.raises(MapError, match=rf"'{method}' do not add up.*hires_cam"):
        found[method].contributions("body.4")


def test_a_mistyped_method_is_answered_with_the_nearest() -> None:
    with pytest.raises(MapError, match=r"'layercam'.*'eigen_cam'.*Did you mean 'layer_cam'"):
        explain(PooledLinear().double(), picture(), method="layercam")


def head(bend: nn.Module, pool: nn.Module, features: int) -> nn.Module:
    """A network with two layers behind the pooling, as fastai's default head has."""
    norm = nn.BatchNorm1d(features)
    norm.running_mean, norm.running_var = torch.randn(features), torch.rand(features) + 0.5
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), bend)
    return nn.Sequential(
        body, pool, nn.Flatten(), norm, nn.Linear(features, 6), nn.ReLU(), nn.Dropout(0.5), nn.Linear(6, 3)
    )


class ConcatPool(nn.Module):
    """Largest value beside the mean, as fastai's AdaptiveConcatPool2d."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return torch.cat([inputs.amax(dim=(2, 3)), inputs.mean(dim=(2, 3))], dim=1)


def first_order_errors(model: nn.Module, result: Explanation, inputs: torch.Tensor) -> list[float]:
    """By layer and class: how far the logit is from sum (1 + step) + bias when the activation grows by a step."""
    step, errors = 1e-4, []
    with LayerCapture(model.eval(), list(result.cams)) as capture:
        capture.forward(inputs)
        for name in result.cams:
            larger = {name: capture.activations[name].detach() * (1 + step)}
            logits = capture.rerun(inputs, replace=larger)[0]
            for index in result.target_classes:
                total, bias = result.contributions(name, index)
                errors.append(abs(float(logits[index]) - (total * (1 + step) + bias)) / step)
    return errors


@pytest.mark.parametrize(
    ("pool", "features"), [(nn.AdaptiveAvgPool2d(1), 5), (nn.AdaptiveMaxPool2d(1), 5), (ConcatPool(), 10)]
)
def test_hires_cam_and_a_constant_are_the_logit_of_a_piecewise_linear_network(pool: nn.Module, features: int) -> None:
    model, inputs = head(nn.ReLU(inplace=True), pool, features).double(), picture()

    result = explain(model, inputs, method="hires_cam", layers=["0.1", "0.2", "0.3"])

    for name in result.cams:
        for index in result.target_classes:
            total, bias = result.contributions(name, index)
            assert total == pytest.approx(float(result.cam(name, index).sum()), abs=1e-14)
            assert total + bias == pytest.approx(float(result.logits[index]), abs=1e-14)
    assert max(first_order_errors(model, result, inputs)) <= 1e-9


def test_behind_a_curve_the_effective_bias_is_no_constant() -> None:
    model, inputs = head(nn.GELU(), nn.AdaptiveAvgPool2d(1), 5).double(), picture()

    curved = explain(model, inputs, method="hires_cam", layers=["0.2"])
    straight = explain(model, inputs, method="hires_cam", layers=["0.3"])

    assert sum(curved.contributions()) == pytest.approx(float(curved.logits[curved.target_classes[0]]), abs=1e-14)
    assert max(first_order_errors(model, curved, inputs)) > 1e-7
    assert max(first_order_errors(model, straight, inputs)) <= 1e-9


def test_hires_cam_and_a_constant_are_the_logit_on_fastais_default_head() -> None:
    create_head = pytest.importorskip("fastai.vision.learner").create_head
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.ReLU())
    model, inputs = nn.Sequential(body, create_head(6, 2)).double(), picture()

    result = explain(model, inputs, method="hires_cam", layers=["0.1", "0.3"])

    assert max(first_order_errors(model, result, inputs)) <= 1e-9


def test_every_method_has_a_label_and_one_without_a_class_says_so_in_it() -> None:
    assert set(METHOD_LABELS) == {*METHODS, *TEXT_METHODS}
    assert {method for method, label in METHOD_LABELS.items() if "knows no class" in label} == CLASS_AGNOSTIC


def test_all_methods_can_be_sent_to_the_browser_and_drawn() -> None:
    found = explain_methods(PooledLinear().double(), picture(height=40, width=52), methods=METHODS)

    manifest, data = pack(found)

    assert len(data) == 2 * sum(cams.numel() for result in found.values() for cams in result.cams.values())
    row = dict(zip(METHODS, [per_class[0] for per_class in manifest["maps"]], strict=True))
    assert [entry["contributions"] is None for entry in row["hires_cam"]] == [False, False]
    assert [entry["contributions"] is None for entry in row["xgrad_cam"]] == [True, False]
    assert [entry["contributions"] is None for entry in row["layer_cam"]] == [True, True]
    for result in found.values():
        assert contact_sheet(result).width == 448


def test_the_panel_offers_any_methods() -> None:
    draw = partial(CamPanel, PooledLinear(12), torch.randn(1, 3, 40, 52))

    assert tuple(draw().results) == DEFAULT_METHODS
    panel = draw(methods=("layer_cam", "hires_cam", "eigen_cam"))
    assert panel.method == "layer_cam"
    panel.method = "eigen_cam"
    assert "knows no class" in panel.view.manifest["methods"][-1]["label"]
    assert [each["knows_class"] for each in panel.view.manifest["methods"]] == [True, True, False]
    assert set(FROM_GRADIENTS) < set(METHODS)


class Normed(nn.Module):
    """Two convolutions; what comes out of the first is normalised place by place, and goes nowhere else."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3)
        self.norm = nn.LayerNorm(6, eps=1e-12)
        self.second = nn.Conv2d(6, 5, 3)
        self.head = nn.Sequential(nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 4))

    def forward(self, inputs: Tensor) -> Tensor:
        normed = self.norm(self.first(inputs).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        logits: Tensor = self.head(self.second(normed))
        return logits


def test_hires_cam_has_no_map_where_each_place_is_normalised_next_and_says_why() -> None:
    torch.manual_seed(3)
    model, inputs = Normed().eval(), torch.randn(1, 3, 11, 14)
    first = captum.attr.LayerGradientXActivation(model, model.first).attribute(inputs, target=1).detach()
    assert first.sum(dim=1).abs().max() < 1e-4 * first.abs().sum(dim=1).max()  # Euler: a sum of zero, up to rounding

    found = explain_methods(model, inputs, methods=("cam", "grad_cam", "hires_cam"), layers=["first", "second"])

    assert set(found["hires_cam"].cams) == {"second"}
    assert set(found["grad_cam"].cams) == {"first", "second"}
    with pytest.raises(MapError, match=r"of layer 'first' the parts of HiResCAM.*add up to nothing.*grad_cam"):
        found["hires_cam"].cam("first")
    with pytest.raises(MapError, match="add up to nothing"):
        explain(model, inputs, method="hires_cam", layers=["first"])
    with pytest.raises(MapError, match="add up to nothing"):
        explain_batch(model, inputs.repeat(2, 1, 1, 1), method="hires_cam", layers=["first"])
    assert "first" not in explain(model, inputs, method="hires_cam").cams


def test_a_dead_layer_is_no_layer_that_cancels() -> None:
    nothing = torch.zeros(1, 3, 4, 5)

    assert not cancels(nothing, torch.ones(1, 3, 4, 5))
    assert cancels(torch.ones(1, 2, 4, 5), torch.tensor([1.0, -1.0])[None, :, None, None].expand(1, 2, 4, 5))
    assert not cancels(torch.ones(1, 2, 4, 5), torch.tensor([1.0, -0.9])[None, :, None, None].expand(1, 2, 4, 5))

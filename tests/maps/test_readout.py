"""Plain CAM is accepted exactly where it adds up, whatever the head, and refused with the reason elsewhere."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from camwidget.hooks.capture import LayerCapture
from camwidget.maps.formulas import channel_weight
from camwidget.maps.readout import Readout, find_readout, is_constant, why_refused
from tests.toys import Around, PooledLinear, fastai_head, picture

BODY = (nn.Conv2d(3, 5, 3), nn.ReLU())


def readout_of(model: nn.Module, name: str, target_classes: Sequence[int] = (0, 1)) -> Readout | str:
    """What `explain` does with one layer."""
    inputs = picture()
    with LayerCapture(model, [name]) as capture:
        logits = capture.forward(inputs)
        gradients = [capture.gradients(index)[name] for index in target_classes]
        activation = capture.activations[name].detach()
        found = None
        if all(map(is_constant, gradients)):
            found = find_readout(
                lambda other, seen: capture.rerun(seen, replace={name: other}),
                inputs,
                activation=activation,
                channel_weight=torch.cat([channel_weight(each) for each in gradients]),
                logits=logits,
                target_classes=target_classes,
            )
        return found or why_refused(model, {name: 1}, lambda: capture.rerun(inputs))[name]


class Headed(nn.Module):
    """A body, and a head given as a function of its output."""

    def __init__(self, *body: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*body)
        self.head = nn.Linear(5, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.body(inputs).mean(dim=(2, 3)))


def test_the_readout_of_a_pooled_linear_head_is_the_linear_layer() -> None:
    model = PooledLinear().double()

    found = readout_of(model, "body", (2, 0))

    assert isinstance(found, Readout)
    torch.testing.assert_close(found.classifier_weight, model.head.weight[[2, 0]], rtol=0, atol=1e-14)
    torch.testing.assert_close(found.bias, model.head.bias[[2, 0]], rtol=0, atol=1e-14)


def test_batch_norm_in_a_fastai_head_is_folded_in() -> None:
    head = fastai_head(5, 2)
    model = nn.Sequential(nn.Sequential(*BODY), head).double()
    norm, linear = head[2], head[4]
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()

    found = readout_of(model, "0")

    assert isinstance(found, Readout)
    torch.testing.assert_close(found.classifier_weight, linear.weight * scale, rtol=0, atol=1e-13)
    torch.testing.assert_close(found.bias, linear.weight @ (norm.bias - scale * norm.running_mean), rtol=0, atol=1e-13)


def test_pooling_by_a_function_counts_like_a_module() -> None:
    model = Headed(*BODY).double()

    found = readout_of(model, "body")

    assert isinstance(found, Readout)
    torch.testing.assert_close(found.bias, model.head.bias, rtol=0, atol=1e-14)


def test_a_convolution_that_puts_out_the_classes_is_its_own_readout() -> None:
    model = nn.Sequential(*BODY, nn.Conv2d(5, 2, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten()).double()

    found = readout_of(model, "2")

    assert isinstance(found, Readout)
    torch.testing.assert_close(found.classifier_weight, torch.eye(2).double(), rtol=0, atol=1e-14)
    torch.testing.assert_close(found.bias, torch.zeros(2).double(), rtol=0, atol=1e-14)


def head_of_two_layers(*pooling: nn.Module) -> nn.Sequential:
    wide = 5 * len(pooling)

    class Pools(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.each = nn.ModuleList(pooling)

        def forward(self, inputs: Tensor) -> Tensor:
            return torch.cat([each(inputs) for each in self.each], 1)

    layers = [nn.Flatten(), nn.BatchNorm1d(wide), nn.Dropout(), nn.Linear(wide, 8), nn.ReLU(), nn.Linear(8, 2)]
    return nn.Sequential(nn.Sequential(*BODY), nn.Sequential(Pools(), *layers)).double()


def test_fastais_default_head_is_refused_and_the_reason_names_what_stands_between() -> None:
    reason = readout_of(head_of_two_layers(nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1)), "0")

    assert isinstance(reason, str)
    assert "ReLU, a second Linear layer and max pooling" in reason
    assert "grad_cam" in reason
    assert "concat_pool=False, lin_ftrs=[]" in reason


def test_two_linear_layers_are_refused_although_their_gradient_is_constant() -> None:
    reason = readout_of(head_of_two_layers(nn.AdaptiveAvgPool2d(1)), "0")

    assert isinstance(reason, str)
    assert "ReLU and a second Linear layer." in reason
    assert "max pooling" not in reason


def test_an_inner_layer_is_refused_with_the_convolutions_after_it() -> None:
    reason = readout_of(PooledLinear().double(), "body.1")

    assert isinstance(reason, str)
    assert "'body.1'" in reason
    assert "a convolution and ReLU." in reason


def test_a_functional_relu_is_noticed_though_it_is_no_module() -> None:
    class Functional(Headed):
        def forward(self, inputs: Tensor) -> Tensor:
            return self.head(functional.relu(self.body(inputs)).mean(dim=(2, 3)))

    # The same network twice: every value of the second one's layer is positive, so its gradient is constant.
    for body in ([BODY[0]], [BODY[0], nn.Sigmoid()]):
        reason = readout_of(Functional(*body).double(), "body")
        assert isinstance(reason, str)
        assert "not modules (such as a functional ReLU)" in reason


def test_a_skip_connection_around_the_layer_is_noticed() -> None:
    reason = readout_of(Around().double(), "branch")

    assert isinstance(reason, str)
    assert "skip connection" in reason


def test_an_activation_function_that_is_straight_near_zero_is_noticed() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 5, 3), nn.Conv2d(5, 5, 1), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 2)
    ).double()
    for parameter in model[0].parameters():
        parameter.data *= 1e-9
    model[1].bias.data.zero_()

    reason = readout_of(model, "0")

    assert isinstance(reason, str)
    assert "a convolution and SiLU" in reason


@pytest.mark.parametrize(("spread", "expected"), [(0.0, True), (1e-14, True), (1e-9, False)])
def test_a_gradient_is_constant_up_to_rounding(spread: float, expected: bool) -> None:
    gradient = torch.ones(1, 2, 3, 4, dtype=torch.float64)
    gradient[0, 1, 2, 3] += spread

    assert is_constant(gradient) is expected


@pytest.mark.parametrize("width", [1, 2, 3, 8])
def test_a_relu_in_the_head_is_seen_on_whichever_side_of_it_the_picture_lies(width: int) -> None:
    accepted = []
    for seed in range(60):
        torch.manual_seed(seed)
        head = nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, 2))
        model = nn.Sequential(nn.Conv2d(3, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head).double()
        if isinstance(readout_of(model, "0"), Readout):
            accepted.append(seed)

    assert accepted == []

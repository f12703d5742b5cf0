"""What must be true of every convolutional network, on networks that Hypothesis makes up."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from camwidget.errors import MapError
from camwidget.pictures.explain import explain, explain_methods
from tests.toys import state

pytestmark = pytest.mark.slow
SETTINGS = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@dataclass(frozen=True)
class Plan:
    """What a network is made of."""

    channels: tuple[int, ...]
    strides: tuple[int, ...]
    batch_norm: bool
    residual: bool
    reused: bool
    pooling: str
    hidden: int
    dropout: bool
    backwards: bool
    height: int
    width: int
    seed: int


PLANS = st.builds(
    Plan,
    channels=st.lists(st.integers(2, 5), min_size=1, max_size=3).map(tuple),
    strides=st.lists(st.sampled_from([1, 2]), min_size=3, max_size=3).map(tuple),
    batch_norm=st.booleans(),
    residual=st.booleans(),
    reused=st.booleans(),
    pooling=st.sampled_from(["average", "functional", "max", "both"]),
    hidden=st.sampled_from([0, 0, 6]),
    dropout=st.booleans(),
    backwards=st.booleans(),
    height=st.integers(7, 12),
    width=st.integers(13, 17),
    seed=st.integers(0, 2**16),
)


class Block(nn.Module):
    """Convolution, batch norm, ReLU; added to its input, or run twice, if the plan says so."""

    def __init__(self, wide: int, narrow: int, stride: int, plan: Plan, *, inplace: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(wide, narrow, 3, stride=stride, padding=1)
        self.norm = nn.BatchNorm2d(narrow) if plan.batch_norm else nn.Identity()
        self.relu = nn.ReLU(inplace=inplace)
        self.same = nn.Conv2d(narrow, narrow, 1) if plan.residual or plan.reused else None
        self.plan, self.inplace = plan, inplace

    def forward(self, inputs: Tensor) -> Tensor:
        found = self.relu(self.norm(self.conv(inputs)))
        if self.same is not None and self.plan.reused:
            found = self.relu(self.same(self.relu(self.same(found))))
        if self.same is not None and self.plan.residual:
            other = self.same(found)
            found = self.relu(other.add_(found) if self.inplace else other + found)
        return found


class Stack(nn.Sequential):
    """Blocks that run in the order of their numbers, whichever was registered first."""

    def forward(self, inputs: Tensor) -> Tensor:
        for name in sorted(self._modules):
            inputs = self.get_submodule(name)(inputs)
        return inputs


class Drawn(nn.Module):
    """A network by plan, in double precision."""

    def __init__(self, plan: Plan, *, inplace: bool = True) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(plan.seed)
            widths = [3, *plan.channels]
            blocks = [
                (str(number), Block(wide, narrow, stride, plan, inplace=inplace))
                for number, (wide, narrow, stride) in enumerate(zip(widths, widths[1:], plan.strides, strict=False))
            ]
            self.blocks = Stack(OrderedDict(reversed(blocks) if plan.backwards else blocks))
            features = widths[-1] * (2 if plan.pooling == "both" else 1)
            self.average, self.largest = nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1)
            middle = [nn.Linear(features, plan.hidden), nn.ReLU(inplace=inplace)] if plan.hidden else []
            drop = [nn.Dropout(0.4)] if plan.dropout else []
            self.head = nn.Sequential(*middle, *drop, nn.Linear(plan.hidden or features, 3))
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.running_mean = torch.randn(module.num_features)
                    module.running_var = torch.rand(module.num_features) + 0.5
        self.plan = plan
        self.double()

    def forward(self, inputs: Tensor) -> Tensor:
        found = self.blocks(inputs)
        pooled = {
            "average": lambda: self.average(found).flatten(1),
            "functional": lambda: found.mean(dim=(2, 3)),
            "max": lambda: self.largest(found).flatten(1),
            "both": lambda: torch.cat([self.average(found), self.largest(found)], dim=1).flatten(1),
        }
        return self.head(pooled[self.plan.pooling]())

    @property
    def last(self) -> str:
        return f"blocks.{len(self.plan.channels) - 1}"


def picture_of(plan: Plan) -> Tensor:
    generator = torch.Generator().manual_seed(plan.seed + 1)
    return torch.randn(1, 3, plan.height, plan.width, generator=generator, dtype=torch.float64)


def close(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)


@SETTINGS
@given(PLANS)
def test_grad_cam_is_what_autograd_finds_without_any_hook(plan: Plan) -> None:
    model, inputs = Drawn(plan, inplace=False).eval(), picture_of(plan)

    result = explain(model, inputs, layers=[model.last], target_classes=[2, 0])

    kept = []
    for target in (2, 0):
        activation = model.blocks(inputs).detach().requires_grad_()
        rest = Drawn(plan, inplace=False).eval()
        rest.blocks = nn.Identity()
        (gradient,) = torch.autograd.grad(rest(activation)[0, target], activation)
        kept.append((gradient.mean(dim=(2, 3), keepdim=True) * activation).sum(dim=1)[0].detach())
    close(result.cams[model.last], torch.stack(kept))


@SETTINGS
@given(PLANS)
def test_a_network_with_in_place_operations_has_the_maps_of_its_twin_without(plan: Plan) -> None:
    methods = ("grad_cam", "hires_cam", "xgrad_cam", "layer_cam", "eigen_cam")
    names = [f"blocks.{index}.{part}" for index in range(len(plan.channels)) for part in ("conv", "norm", "relu")]
    names += [f"blocks.{index}.same" for index in range(len(plan.channels)) if plan.residual or plan.reused]
    inputs = picture_of(plan)

    one, other = (
        explain_methods(Drawn(plan, inplace=inplace), inputs, methods=methods, layers=names)
        for inplace in (True, False)
    )

    for method in methods:
        for name in names:
            close(one[method].cams[name], other[method].cams[name])


@SETTINGS
@given(PLANS, st.booleans())
def test_the_model_is_left_as_found(plan: Plan, training: bool) -> None:
    model = Drawn(plan).train(training)
    before = state(model)

    explain_methods(model, picture_of(plan), methods=("grad_cam", "hires_cam", "eigen_cam"))

    assert state(model) == before


@SETTINGS
@given(PLANS)
def test_layers_come_in_the_order_in_which_they_run_and_maps_have_their_size(plan: Plan) -> None:
    model, inputs = Drawn(plan), picture_of(plan)
    shapes: dict[str, Any] = {}

    def note(name: str, output: Tensor) -> None:
        shapes.pop(name, None)  # of several calls the last counts
        shapes[name] = output.shape[2:]

    handles = [
        module.register_forward_hook(lambda _, __, output, name=name: note(name, output))
        for name, module in model.named_modules()
    ]
    with torch.no_grad():
        model.eval()(inputs)
    for handle in handles:
        handle.remove()

    result = explain(model, inputs)

    order = [list(shapes).index(layer.name) for layer in result.layers]
    assert order == sorted(order)
    for layer in result.layers:
        assert result.cams[layer.name].shape[1:] == shapes[layer.name]
        assert torch.isfinite(result.cams[layer.name]).all()


@SETTINGS
@given(PLANS)
def test_cam_is_accepted_where_it_adds_up_and_refused_with_a_reason_elsewhere(plan: Plan) -> None:
    model, inputs = Drawn(plan), picture_of(plan)
    linear = plan.pooling in {"average", "functional"} and not plan.hidden

    found = explain_methods(model, inputs, methods=("cam", "grad_cam", "hires_cam", "xgrad_cam"), layers=[model.last])

    logits = model.eval()(inputs)[0].detach()
    close(found["cam"].logits, logits)
    for index in range(3):
        total, rest = found["hires_cam"].contributions(model.last, index)
        assert total + rest == pytest.approx(float(logits[index]), abs=1e-10)
    if linear:
        cam = found["cam"].cams[model.last]
        places = cam[0].numel()
        close(cam.mean(dim=(1, 2)) + found["cam"].readouts[model.last].bias, logits[list(found["cam"].target_classes)])
        for method in ("grad_cam", "hires_cam"):
            close(found[method].cams[model.last], cam / places)
    else:
        assert model.last in found["cam"].refusals
        with pytest.raises(MapError, match="Plain CAM"):
            explain(model, inputs, method="cam", layers=[model.last])
        assert not is_linear(model, inputs)


def is_linear(model: Drawn, inputs: Tensor) -> bool:
    """Whether the logits are a weighted sum of the channels' means: then doubling doubles, and places do not matter."""
    head = Drawn(model.plan).eval()
    head.load_state_dict(model.state_dict())
    activation = model.blocks(inputs).detach()
    head.blocks = nn.Identity()
    zero = head(torch.zeros_like(activation))
    # Large means of either sign, so that every ReLU behind the layer is met on both of its sides.
    generator = torch.Generator().manual_seed(5)
    size = (20, activation.shape[1], 1, 1)
    means = 100 * torch.randn(size, generator=generator, dtype=torch.float64)
    places = torch.randn((20, *activation.shape[1:]), generator=generator, dtype=torch.float64)
    trial = means + 10 * (places - places.mean(dim=(2, 3), keepdim=True))
    doubled = torch.allclose(head(-2 * trial) - zero, -2 * (head(trial) - zero), rtol=1e-9, atol=1e-9)
    return doubled and torch.allclose(head(trial), head(means.expand_as(trial).contiguous()), rtol=1e-9, atol=1e-9)

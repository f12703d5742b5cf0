"""Networks as people have them: in other dtypes and memory formats, wrapped, compiled, with one logit, rounded."""

from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import Tensor, nn

from camwidget.errors import LayerError, MapError
from camwidget.hooks.restore import left_as_found
from camwidget.maps.methods import EXPENSIVE, METHODS
from camwidget.pictures.explain import explain, explain_methods
from camwidget.pictures.result import Explanation
from tests.toys import PooledLinear, fastai_head, picture, state


def network() -> nn.Module:
    """The same small network every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return torchvision.models.shufflenet_v2_x0_5(num_classes=4).eval()


CHEAP = tuple(method for method in METHODS if method not in EXPENSIVE)
INPUTS = torch.linspace(-2, 2, 3 * 64 * 96).view(1, 3, 64, 96).sin()
"""A picture, not square."""


def same_maps(first: nn.Module, second: nn.Module, *, prefix: str = "", within: float = 0.0) -> None:
    """Both give the same maps, by the same names behind a prefix, and plain CAM in the same places."""
    asked = {"methods": ("cam", "grad_cam"), "target_classes": [0, 2]}
    mine, theirs = (explain_methods(model, INPUTS.clone(), **asked) for model in (first, second))
    for method, result in mine.items():
        assert [f"{prefix}{name}" for name in result.cams] == list(theirs[method].cams)
        for name, cams in result.cams.items():
            largest = float(cams.abs().max())
            torch.testing.assert_close(theirs[method].cams[f"{prefix}{name}"], cams, rtol=0, atol=within * largest)


def test_channels_last_memory_changes_nothing_but_rounding() -> None:
    model = network()

    same_maps(model, network().to(memory_format=torch.channels_last), within=1e-4)


def test_data_parallel_has_the_layers_of_the_network_in_it() -> None:
    same_maps(network(), nn.DataParallel(network()), prefix="module.")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_model_on_another_device_gives_results_on_the_cpu() -> None:
    same_maps(network(), network().to("cuda"), within=1e-2)


def maps_of_every_method(model: nn.Module, *, layers: list[str] | None = None) -> dict[str, Explanation]:
    """The costly ones at a layer of few channels, for each of which the network runs once more."""
    found = explain_methods(model, INPUTS, methods=CHEAP, layers=layers, target_classes=[0, 1])
    costly = explain_methods(model, INPUTS, methods=tuple(EXPENSIVE), layers=["stage2"], target_classes=[0, 1])
    assert {*found, *costly} == set(METHODS)
    return {**found, **costly}


def test_double_precision_gives_maps_in_double() -> None:
    found = maps_of_every_method(network().double(), layers=["conv5"])

    assert {result.cam().dtype for result in found.values()} == {torch.float64}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_gives_maps_in_single_near_the_right_ones(dtype: torch.dtype) -> None:
    right = maps_of_every_method(network())

    found = maps_of_every_method(network().to(dtype))

    digits = 40 * torch.finfo(dtype).eps
    for method, result in found.items():
        assert list(result.cams) == list(right[method].cams), method
        assert result.logits.dtype == torch.float32
        for name, cams in result.cams.items():
            assert cams.dtype == torch.float32
            if method in ("cam", "grad_cam", "hires_cam") and name == "conv5":
                off = (cams - right[method].cams[name]).norm() / right[method].cams[name].norm()
                assert off < digits, (method, name)
    assert list(found["cam"].cams) == ["conv5"]
    total = sum(found["cam"].contributions(target_class=1))
    assert total == pytest.approx(found["cam"].logits[1].item(), abs=4 * torch.finfo(dtype).eps)


class Pooled(nn.Module):
    """A linear head, or one with something behind the pooling."""

    def __init__(self, *behind: nn.Module, channels: int = 256) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, channels, 3, stride=2), nn.ReLU())
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), *behind, nn.Linear(channels, 10))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.body(inputs))


BEHIND: list[Callable[[], tuple[nn.Module, ...]]] = [
    lambda: (nn.Linear(256, 256), nn.ReLU()),
    lambda: (nn.LayerNorm(256),),
    lambda: (nn.Linear(256, 256), nn.GELU()),
    lambda: (nn.Tanh(),),
]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("behind", BEHIND)
def test_low_precision_does_not_hide_what_stands_behind_the_pooling(
    behind: Callable[[], tuple[nn.Module, ...]], dtype: torch.dtype
) -> None:
    assert list(explain(Pooled().to(dtype), INPUTS, method="cam").cams) == ["body.1"]

    with pytest.raises(MapError, match="would not add up to the logit"):
        explain(Pooled(*behind()).to(dtype), INPUTS, method="cam")


class Coarse(nn.Linear):
    """Rounds what it multiplies to ten bits, as tensor cores do with TF32."""

    def forward(self, inputs: Tensor) -> Tensor:
        rounded = [(each.detach().view(torch.int32) + 4096) & ~8191 for each in (inputs, self.weight)]
        coarse, weight = (each.view(torch.float32) for each in rounded)
        return nn.functional.linear(inputs - inputs.detach() + coarse, weight, self.bias)


def test_a_sum_that_only_rounding_spoils_is_told_apart_from_one_that_does_not_come_out() -> None:
    model = Pooled(channels=4)
    model.head[2] = Coarse(4, 10)

    with pytest.raises(MapError, match=r"only up to .*float32 it must be within 6e-05.*set_float32_matmul_precision"):
        explain(model, INPUTS, method="cam")


def test_one_logit_has_the_probability_of_its_sigmoid() -> None:
    body = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU())
    model = nn.Sequential(body, fastai_head(5, 1)).double()

    result = explain(model, picture(), method="cam")

    assert result.probabilities.shape == (1,)
    assert result.probabilities.item() == pytest.approx(1 / (1 + torch.exp(-result.logits).item()), abs=1e-15)
    assert sum(result.contributions()) == pytest.approx(result.logits.item(), abs=1e-12)


def compiled(model: nn.Module) -> tuple[nn.Module, list[int]]:
    """The compiled model after its first run, and how often the compiler was at work."""
    calls: list[int] = []

    def backend(graph: torch.fx.GraphModule, _: list[Tensor]) -> Callable[..., object]:
        calls.append(len(calls))
        return graph.forward

    ready = torch.compile(model, backend=backend)
    with torch.no_grad():
        ready(INPUTS)
    return ready, calls


def test_a_compiled_model_is_explained_as_it_was_written_and_stays_compiled() -> None:
    model = nn.Sequential(*Pooled().children()).eval()
    ready, calls = compiled(model)
    before, at_work = state(ready), len(calls)

    same_maps(model, ready, prefix="_orig_mod.")

    assert state(ready) == before
    with torch.no_grad():
        ready(INPUTS)
    assert len(calls) == at_work >= 1


def test_compiled_code_would_not_have_called_hooks_that_came_later() -> None:
    model = Pooled().eval()
    ready, _ = compiled(model)
    fired: list[int] = []
    hook = model.body.register_forward_hook(lambda *_: fired.append(1))

    with torch.no_grad():
        ready(INPUTS)
        assert not fired
        with left_as_found(ready):
            ready(INPUTS)
    hook.remove()

    assert fired == [1]


def test_a_model_compiled_in_place_and_one_with_a_compiled_part_are_explained_as_well() -> None:
    inside = Pooled().eval()
    expected = explain(inside, INPUTS, layers=["body"]).cam("body")

    inside.compile(backend="eager")
    with torch.no_grad():
        inside(INPUTS)
    assert torch.equal(explain(inside, INPUTS, layers=["body"]).cam("body"), expected)

    part = Pooled().eval()
    expected = explain(part, INPUTS, layers=["body"]).cam("body")
    part.body = torch.compile(part.body, backend="aot_eager")
    with torch.no_grad():
        part(INPUTS)
    assert torch.equal(explain(part, INPUTS, layers=["body._orig_mod.1"]).cam(), expected)


def test_a_layer_without_the_wrappers_prefix_is_answered_with_it() -> None:
    with pytest.raises(LayerError, match=r"Did you mean .*'module\.body\.1'"):
        explain(nn.DataParallel(PooledLinear()), picture(), layers=["body.1"])

"""From a run to results: what a picture and a text share, tried on networks whose maps can be worked out by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import ClassError, MapError
from camwidget.hooks.selection import open_capture
from camwidget.maps.arguments import request_of
from camwidget.maps.call import Call
from camwidget.maps.methods import METHODS
from camwidget.maps.pipeline import Maps, Run, layer_maps, refuse_asked
from camwidget.maps.result import LayerMaps
from tests.toys import picture

WEIGHT = torch.tensor([[1.0, -2.0], [0.0, 4.0]], dtype=torch.float64)
BIAS = torch.tensor([0.5, -1.0], dtype=torch.float64)


def by_hand(*, double_head: bool = False) -> nn.Sequential:
    """Two channels, the red one and the blue one, their means, and a linear layer with known weights."""
    head = nn.Linear(2, 2).double()
    head.weight.data, head.bias.data = WEIGHT.clone(), BIAS.clone()
    body = nn.Conv2d(3, 2, 1, bias=False).double()
    body.weight.data = torch.tensor([[1.0, 0, 0], [0, 0, 1.0]], dtype=torch.float64)[:, :, None, None]
    after = [nn.ReLU(), nn.Linear(2, 2).double()] if double_head else []
    return nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head, *after)


def run(network: nn.Module, inputs: Tensor, *, by_runs: Mapping[str, Any] | None = None, **asked: Any) -> Any:
    methods = asked.pop("methods", ("cam", "grad_cam", "hires_cam"))
    request = request_of(network, methods, known=(*METHODS, "brightness"), **asked)
    with open_capture(network, inputs, request.layers) as (capture, logits):
        about = Run(capture, inputs, logits, ("first", "second"))
        return layer_maps(request, about, call=lambda _: Call(method=""), by_runs=by_runs or {})


def test_maps_readouts_and_logits_are_those_worked_out_by_hand() -> None:
    inputs = picture()
    red, blue = inputs[0, 0], inputs[0, 2]
    cells = red.numel()

    results = run(by_hand(), inputs, target_classes=["second", 0])

    assert list(results) == ["cam", "grad_cam", "hires_cam"]
    for result in results.values():
        assert result.target_classes == (1, 0)
        assert [(each.name, each.channels, each.map_height, each.map_width) for each in result.layers] == [
            ("0", 2, *red.shape)
        ]
        torch.testing.assert_close(result.logits, WEIGHT @ inputs[0, [0, 2]].mean(dim=(1, 2)) + BIAS)
    torch.testing.assert_close(results["cam"].cams["0"], torch.stack([4 * blue, red - 2 * blue]))
    for method in ("grad_cam", "hires_cam"):  # the gradient of a mean is the weight over the number of cells
        torch.testing.assert_close(results[method].cams["0"], torch.stack([4 * blue, red - 2 * blue]) / cells)
    torch.testing.assert_close(results["cam"].readouts["0"].classifier_weight, WEIGHT[[1, 0]])
    torch.testing.assert_close(results["cam"].readouts["0"].bias, BIAS[[1, 0]])


def test_the_call_of_each_result_names_its_method() -> None:
    assert {method: result.call.method for method, result in run(by_hand(), picture()).items()} == {
        method: method for method in ("cam", "grad_cam", "hires_cam")
    }


def test_where_plain_cam_is_not_valid_the_others_say_so_and_alone_it_is_an_error() -> None:
    network, inputs = by_hand(double_head=True), picture()

    results = run(network, inputs, methods=("cam", "grad_cam"))

    assert not results["cam"].cams
    assert list(results["grad_cam"].cams) == ["0"]
    assert "a second Linear layer" in results["cam"].refusals["0"]
    with pytest.raises(MapError, match="a second Linear layer"):
        refuse_asked(results["cam"], ["0"])
    refuse_asked(results["grad_cam"], ["0"])
    with pytest.raises(MapError, match="a second Linear layer"):
        run(network, inputs, methods=("cam",))


def test_a_method_that_runs_the_network_is_given_activations_and_classes_and_may_refuse() -> None:
    inputs = picture()

    def brightness(activations: Mapping[str, Tensor], targets: Sequence[int]) -> tuple[Maps, dict[str, str]]:
        assert list(activations) == ["0"]
        assert not activations["0"].requires_grad
        return {}, {"0": f"not for classes {list(targets)}"}

    results = run(
        by_hand(), inputs, methods=("brightness", "grad_cam"), by_runs={"brightness": brightness}, target_classes=[0, 1]
    )

    assert results["brightness"].refusals == {"0": "not for classes [0, 1]"}
    assert results["brightness"].layers == ()
    assert results["grad_cam"].refusals == {}


def test_a_map_that_is_not_finite_is_refused() -> None:
    def infinite(activations: Mapping[str, Tensor], targets: Sequence[int]) -> tuple[Maps, dict[str, str]]:
        return {name: torch.full((len(targets), 2, 2), float("inf")) for name in activations}, {}

    with pytest.raises(MapError, match=r"'0' hold NaN or infinity.*model\.float\(\)"):
        run(by_hand(), picture(), methods=("brightness",), by_runs={"brightness": infinite})


def test_a_class_that_is_not_there_is_refused_before_any_backward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.autograd.grad", lambda *_, **__: pytest.fail("a gradient was computed"))

    with pytest.raises(ClassError, match="no class 'third'"):
        run(by_hand(), picture(), target_classes=["third"])


def test_a_result_of_a_more_special_kind_has_the_same_maps() -> None:
    result = run(by_hand(), picture())["cam"]

    again = LayerMaps.around(result)

    assert again is not result
    assert again.cams is result.cams
    assert again.call is result.call

"""A layer is named, is taken from a result, or is the module itself: everywhere the same."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import camwidget as cw
from camwidget.errors import LayerError
from tests.text.toys import Reviews

PICTURE = torch.randn(1, 3, 20, 28, generator=torch.Generator().manual_seed(1))


def network() -> nn.Sequential:
    torch.manual_seed(0)
    block = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 3), nn.ReLU())
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    return nn.Sequential(block, nn.Conv2d(4, 4, 3), *head).eval()


FORMS: dict[str, Callable[[nn.Sequential], Any]] = {
    "a name": lambda net: "0",
    "names": lambda net: ["0"],
    "a module": lambda net: net[0],
    "modules": lambda net: [net[0]],
    "a module and its name": lambda net: [net[0], "0"],
    "a layer of a result": lambda net: cw.explain(net, PICTURE, layers="0").layers[0],
    "layers of a result": lambda net: cw.explain(net, PICTURE, layers="0").layers,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_map_of_that_layer(form: str) -> None:
    net = network()
    expected = cw.explain(net, PICTURE, layers=["0"])
    give = FORMS[form]

    result = cw.explain(net, PICTURE, layers=give(net))
    (of_batch,) = cw.explain_batch(net, [PICTURE], layers=give(net))
    panel = cw.CamPanel(net, PICTURE, layers=give(net), methods=("grad_cam",))

    assert list(result.cams) == list(panel.result.cams) == ["0"]
    assert list(of_batch.cams) == ["0"]
    torch.testing.assert_close(result.cam("0"), expected.cam("0"))
    torch.testing.assert_close(of_batch.cam(result.layers[0]), expected.cam("0"), rtol=1e-4, atol=1e-6)


def test_the_layers_of_a_module_list_are_meant_one_by_one() -> None:
    class Blocks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3)])
            self.head = nn.Linear(5, 2)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            for block in self.blocks:
                pixels = block(pixels)
            return self.head(pixels.mean(dim=(2, 3)))

    net = Blocks().eval()

    assert list(cw.explain(net, PICTURE, layers=net.blocks).cams) == ["blocks.0", "blocks.1"]


def test_a_layer_of_a_result_is_read_by_all_that_it_answers() -> None:
    result = cw.explain(network(), PICTURE, method="cam", layers=["1"])
    (layer,) = result.layers

    assert result.contributions(layer, 2) == result.contributions("1", 2)
    assert result.code_for(layer) == result.code_for("1")
    with pytest.raises(LayerError, match=r"given as an int\. It has maps of '1'\. Give one of these names"):
        inspect.unwrap(type(result)._map_layer)(result, -1)  # the tests' checker of annotations would be first


def test_a_data_set_and_a_text_take_the_module_too() -> None:
    net, text = network(), Reviews().eval()
    data = DataLoader(TensorDataset(torch.randn(3, 3, 20, 28), torch.tensor([0, 1, 2])), batch_size=2)
    words = next(name for name, module in text.named_modules() if isinstance(module, nn.Embedding))

    found = cw.find_mistakes(net, data, layer=net[0], progress=False)
    said = cw.explain(text, "good film", layers=text.get_submodule(words), method="hires_cam")

    assert found.layer == "0"
    torch.testing.assert_close(said.word_values(said.layers[0]), said.word_values(words))


@pytest.mark.parametrize(
    ("given", "reason"), [(lambda net: nn.ReLU(), "not in this network"), (lambda net: net, "whole")]
)
def test_a_module_that_is_no_layer_of_the_network_is_refused(given: Callable[..., Any], reason: str) -> None:
    net = network()

    with pytest.raises(LayerError, match=rf"{reason}.*dotted names, as the Layer of a result, or as modules"):
        cw.explain(net, PICTURE, layers=[given(net)])


def test_a_panel_is_set_to_a_layer_in_every_form() -> None:
    net = network()
    panel = cw.CamPanel(net, PICTURE, layers=["0", "1"], methods=("grad_cam",))
    _, second = panel.result.layers

    panel.layer, panel.other_layer = net[0], second
    assert (panel.layer, panel.other_layer) == ("0", "1")
    panel.layer, panel.other_layer = second, net[0]
    assert (panel.layer, panel.other_layer) == ("1", "0")

    for stranger in (nn.ReLU(), net, net[2]):
        with pytest.raises(LayerError):
            panel.layer = stranger
        with pytest.raises(LayerError):
            panel.other_layer = stranger
    assert (panel.layer, panel.other_layer) == ("1", "0")

"""What is sent to the browser: small, whole, and with every number where the description says it is."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from camwidget.panel.picture import CamPanel
from camwidget.panel.view import HeatmapView, pack
from camwidget.pictures.explain import explain, explain_methods
from camwidget.pictures.result import Explanation
from tests.toys import Reused, strided


@pytest.fixture
def results() -> dict[str, Explanation]:
    net = strided(3)
    return explain_methods(net, torch.randn(1, 3, 90, 130))


def test_every_map_can_be_read_back_from_the_bytes(results: dict[str, Explanation]) -> None:
    manifest, data = pack(results)
    numbers = np.frombuffer(data, "<i2")
    seen = 0

    for method, per_class in zip(manifest["methods"], manifest["maps"], strict=True):
        result = results[method["key"]]
        for target, per_layer in zip(manifest["classes"], per_class, strict=True):
            for layer, entry in zip(manifest["layers"], per_layer, strict=True):
                if entry["reason"]:
                    assert layer["name"] in result.refusals
                    continue
                cam = result.cam(layer["name"], target["index"]).numpy()
                assert cam.shape == (layer["map_height"], layer["map_width"])
                back = numbers[entry["offset"] : entry["offset"] + cam.size].reshape(cam.shape) * entry["unit"]
                assert np.abs(back - cam).max() <= np.abs(cam).max() / 65534 * 1.01
                seen += 1

    assert seen == 3 * (2 + 1)  # three classes: Grad-CAM at two layers, plain CAM at the last
    assert len(data) == 2 * sum(result.cams[name].numel() for result in results.values() for name in result.cams)


def test_contributions_are_sent_only_where_they_add_up(results: dict[str, Explanation]) -> None:
    manifest, _ = pack(results)
    result = results["grad_cam"]

    inner, last = manifest["maps"][1][0]

    assert inner["contributions"] is None
    index = manifest["classes"][0]["index"]
    assert last["contributions"] + last["bias"] == pytest.approx(float(result.logits[index]), rel=1e-5)


def test_the_picture_is_sent_without_loss(results: dict[str, Explanation]) -> None:
    view = HeatmapView()

    view.show(results)

    sent = Image.open(io.BytesIO(view.picture))
    assert sent.size == (130, 90)
    assert np.array_equal(np.asarray(sent), np.asarray(results["cam"].image))


def test_a_map_of_zeros_is_sent_as_zeros() -> None:
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2))
    with torch.no_grad():
        net[4].weight.zero_()
    results = explain_methods(net, torch.randn(1, 3, 12, 17), methods=("grad_cam",))

    manifest, data = pack(results)

    assert manifest["maps"][0][0][0]["unit"] == 0.0
    assert not np.frombuffer(data, "<i2").any()


def test_the_module_loads_nothing_from_elsewhere() -> None:
    source = str(HeatmapView()._esm) + str(HeatmapView()._css)

    for word in ("http:", "https:", "import ", "@import", "url(", "innerHTML", "eval("):
        assert word not in source


def test_a_panel_shows_the_call_it_was_asked_for_and_tells_the_browser_which_it_is() -> None:
    model, image = Reused(), torch.randn(1, 3, 8, 10)
    panel = CamPanel(model, image, layers=["conv"], methods=("grad_cam",), call=1)

    (layer,) = panel.view.manifest["layers"]

    assert (layer["call"], layer["calls"]) == (1, 2)
    assert torch.equal(panel.result.cam(), explain(model, image, layers=["conv"], call=1).cam())
    assert "call=1" in "".join(panel.view.manifest["methods"][0]["code"]["shown"])

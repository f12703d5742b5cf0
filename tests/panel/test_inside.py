"""The place that is looked into: the trait, what is sent, and when."""

import numpy as np
import pytest
import torch

from camwidget.errors import MapError
from camwidget.panel.inside import numbers_of
from camwidget.panel.picture import CamPanel
from tests.toys import strided


@pytest.fixture
def panel() -> CamPanel:
    net = strided(4, channels=7)
    return CamPanel(net, torch.randn(1, 3, 90, 130), methods=("grad_cam", "cam", "eigen_cam"))


def test_a_place_that_is_looked_into_is_told_to_the_browser(panel: CamPanel) -> None:
    cam = panel.result.cam()
    height, width = cam.shape

    panel.view.place = [1.0, 0.5]  # as a click does; the last row

    assert panel.place == (1.0, 0.5)
    sent = panel.view.inside
    assert sent["cell"] == [height - 1, width // 2]
    assert (sent["layer"], sent["method"], sent["class"]) == (panel.layer, "grad_cam", panel.target_class)
    whole = sent["rest"] + sum(each["adds"] for each in sent["channels"])
    assert whole == pytest.approx(float(cam[height - 1, width // 2]), rel=1e-4, abs=1e-7)
    maps = np.frombuffer(panel.view.inside_maps, "<f4").reshape(5, height, width)
    assert maps[0, height - 1, width // 2] == pytest.approx(sent["channels"][0]["activation"])
    assert numbers_of(panel.inside)[1] == panel.view.inside_maps
    assert panel.inside.channels[0].index == sent["channels"][0]["index"]


def test_it_follows_the_layer_the_class_and_the_method(panel: CamPanel) -> None:
    panel.place = (0.5, 0.5)

    panel.layer = panel.result.layers[0].name
    assert panel.view.inside["layer"] == panel.layer
    panel.target_class = panel.target_classes[2]
    assert panel.view.inside["class"] == panel.target_class
    panel.method = "eigen_cam"
    assert "Choose Grad-CAM" in panel.view.inside["reason"]
    with pytest.raises(MapError):
        _ = panel.inside
    panel.place = None
    assert panel.inside is None
    assert panel.view.place == []


def test_a_layer_is_opened_once_for_all_of_its_cells(panel: CamPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    once = panel._open_layer
    monkeypatch.setattr(panel, "_open_layer", lambda: (opened.append(panel.layer), once())[1])

    for column in (0.1, 0.4, 0.9):
        panel.place = (0.5, column)
    assert len(opened) == 1
    panel.image = torch.randn(1, 3, 90, 130)
    assert len(opened) == 2

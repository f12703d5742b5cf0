"""Figures and picture files of a panel."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from camwidget.errors import ExportError
from camwidget.panel.colours import overlay
from camwidget.panel.figures import grid_figure
from camwidget.panel.picture import CamPanel
from camwidget.panel.still import shared_scale
from tests.toys import strided


@pytest.fixture
def panel() -> CamPanel:
    net = strided(3)
    return CamPanel(net, torch.randn(1, 3, 90, 130), class_names=["cat", "dog", "cup"])


def test_a_figure_has_a_row_for_each_class_and_a_column_for_each_layer(panel: CamPanel) -> None:
    axes = panel.figure().axes
    result = panel.result

    assert len(axes) == 3 * len(result.layers)
    assert [each.get_title() for each in axes[: len(result.layers)]] == [layer.name for layer in result.layers]
    assert axes[0].get_ylabel().split("\n") == [
        result.class_names[panel.target_class],
        result.answer(panel.target_class),
    ]
    assert len(grid_figure(panel.results["cam"], smooth=False).axes) == 3  # of one layer
    second = result.target_classes[1]
    drawn = np.asarray(axes[len(result.layers) + 1].images[0].get_array())
    name = result.layers[1].name
    scale = shared_scale([result.cams[name]], signed=True)
    assert np.array_equal(drawn[..., :3], np.asarray(overlay(result.image, result.cam(name, second), scale=scale)))


def test_a_picture_file_is_as_wide_as_asked_for(panel: CamPanel, tmp_path: Path) -> None:
    path = panel.save_png(tmp_path / "panel.png", size=600)

    with Image.open(path) as made:
        assert made.width == 600
    with pytest.raises(ExportError, match=r"panel\.png"):
        panel.save_png(tmp_path / "panel.jpg")
    with pytest.raises(ExportError, match="Make the folder first"):
        panel.save_png(tmp_path / "missing" / "panel.png")

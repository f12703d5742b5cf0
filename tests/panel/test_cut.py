"""Parts of pictures, worked out by hand."""

import io

import numpy as np
import pytest
from PIL import Image
from torch import nn

from camwidget.panel.cut import PictureCut
from camwidget.panel.picture import CamPanel
from tests.panel.choices import ask

RAMP = Image.fromarray(np.tile(np.arange(60, dtype=np.uint8)[:, None, None], (1, 30, 3)))  # 30 wide, 60 high


@pytest.mark.parametrize(("position", "first"), [(0.0, 0), (0.5, 15), (1.0, 30)])
def test_a_part_lies_where_it_was_put(position: float, first: int) -> None:
    cut = PictureCut(RAMP, (8, 8), position)

    assert cut.picture().size == (30, 30)
    assert cut.picture().getpixel((0, 0)) == (first,) * 3
    assert cut.shown()["part_height"] == 30


def test_between_bars_all_of_it_is_there() -> None:
    sheet = PictureCut(RAMP, (8, 8), bars=True).picture()

    assert sheet.size == (60, 60)
    assert [sheet.getpixel((15, row))[0] for row in (0, 59)] == [0, 59]
    assert sheet.getpixel((14, 30)) == (124, 116, 104)


@pytest.mark.parametrize(("size", "needed"), [((30, 30), False), ((300, 302), False), ((300, 310), True)])
def test_only_another_shape_is_cut(size: tuple[int, int], needed: bool) -> None:
    assert PictureCut(Image.new("RGB", size), (224, 224)).needed == needed


def test_a_file_of_another_shape_is_cut_where_the_panel_says_and_told_and_the_next_one_is_not() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 5, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    panel = CamPanel(net, Image.new("RGB", (224, 224)))
    file = io.BytesIO()
    RAMP.save(file, format="PNG")

    panel.crop = 0.0
    ask(panel, "picture", file.getvalue(), name="ramp.png", at="picture")
    assert panel.image.getpixel((0, 0)) == (0, 0, 0)
    assert panel.view.cut == PictureCut(RAMP, (224, 224), 0.0).shown()
    panel.crop = 1.0
    assert panel.image.getpixel((0, 0)) == (30, 30, 30)
    ask(panel, "letterbox", on=True, at="picture")
    assert (panel.letterbox, panel.image.size) == (True, (60, 60))
    panel.image = Image.new("RGB", (30, 60))
    assert panel.view.cut == {}

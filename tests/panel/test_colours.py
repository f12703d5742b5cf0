"""The colour table, the overlay against values worked out by hand, and the still picture."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab
from torch import nn

from camwidget.errors import MapError
from camwidget.panel.colours import colormap, overlay
from camwidget.panel.still import contact_sheet, shared_scale
from camwidget.pictures.explain import explain

GREY = Image.new("RGB", (6, 4), (100, 100, 100))


def luminance(colour: np.ndarray) -> float:
    """Relative luminance as the accessibility guidelines define it, from sRGB 0..255."""
    linear = np.where(colour / 255 <= 0.04045, colour / 255 / 12.92, ((colour / 255 + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_zero_is_transparent_and_both_ends_are_opaque() -> None:
    table = colormap()

    assert table[128, 3] == 0
    assert table[0, 3] == table[256, 3] == 255
    assert (np.diff(table[128:, 3].astype(int)) >= 0).all()
    assert (np.diff(table[:129, 3].astype(int)) <= 0).all()


def seen(table: np.ndarray, share: float, page: tuple[int, int, int]) -> np.ndarray:
    """The colour for a share of the scale, laid over a page, in CIE L*a*b*."""
    red_green_blue, opacity = np.split(table[128 + round(128 * share)].astype(float), [3])
    return rgb2lab((red_green_blue * opacity / 255 + np.array(page) * (1 - opacity / 255)) / 255)


@pytest.mark.parametrize("page", [(17, 17, 17), (33, 33, 33), (20, 24, 28)])  # JupyterLab's two, and a saved page's
def test_on_a_dark_page_weak_evidence_for_and_against_look_apart(page: tuple[int, int, int]) -> None:
    table, wanted = colormap(on_dark=True), {0.1: 15, 0.2: 25, 0.3: 30, 0.4: 35}

    for share, difference in wanted.items():  # in CIEDE2000; about 2 is the least one notices
        assert deltaE_ciede2000(seen(table, share, page), seen(table, -share, page)) > difference


def test_on_a_dark_page_stronger_is_lighter_and_neither_side_looks_stronger() -> None:
    page = (17, 17, 17)
    for_it, against = (
        np.array([seen(colormap(on_dark=True), sign * part / 16, page)[0] for part in range(1, 17)]) for sign in (1, -1)
    )

    assert (np.diff(for_it) > 0).all()
    assert (np.diff(against) > 0).all()
    assert np.abs(for_it - against).max() < 3
    assert colormap(on_dark=True)[128, 3] == 0


def test_blue_is_against_and_red_is_for_and_neither_looks_stronger() -> None:
    table = colormap().astype(float)

    assert table[0, 2] > table[0, 0]
    assert table[256, 0] > table[256, 2]
    for step in range(16, 129, 16):
        against, evidence_for = luminance(table[128 - step, :3]), luminance(table[128 + step, :3])
        # a contrast ratio under 1.5 between the two sides, everywhere
        assert max(against, evidence_for) + 0.05 < 1.5 * (min(against, evidence_for) + 0.05)


def test_a_map_of_zeros_leaves_the_grey_picture_as_it_is() -> None:
    painted = overlay(GREY, torch.zeros(2, 3), scale=1.0)

    assert np.array_equal(np.asarray(painted), np.asarray(GREY))


def test_cells_are_painted_where_they_belong_on_a_picture_that_is_not_square() -> None:
    cam = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])

    painted = np.asarray(overlay(GREY, cam, scale=1.0, heatmap_opacity=1.0, smooth=False))

    assert (painted[:2, :2] == colormap()[256, :3]).all()
    assert (painted[2:, 4:] == colormap()[0, :3]).all()
    assert (painted[:2, 2:] == 100).all()


def test_half_opacity_is_the_mean_of_picture_and_colour() -> None:
    painted = np.asarray(overlay(GREY, torch.ones(1, 1), scale=1.0, heatmap_opacity=0.5))

    assert np.abs(painted[0, 0] - (100 + colormap()[256, :3].astype(float)) / 2).max() <= 0.5


def test_smooth_interpolates_values_before_it_colours() -> None:
    """Between +1 and -1 lies 0, which is transparent; mixing the two colours instead would give purple."""
    wide = Image.new("RGB", (40, 2), (100, 100, 100))

    painted = np.asarray(overlay(wide, torch.tensor([[1.0, -1.0]]), scale=1.0, heatmap_opacity=1.0)).astype(int)

    assert np.abs(painted[0, 19:21] - 100).max() < 25


def test_only_for_shows_no_blue() -> None:
    painted = overlay(GREY, torch.full((1, 1), -1.0), scale=1.0, signed=False)

    assert np.array_equal(np.asarray(painted), np.asarray(GREY))


def test_a_map_with_nan_is_refused() -> None:
    with pytest.raises(MapError, match=r"not finite numbers.*Look at the model's logits"):
        overlay(GREY, torch.tensor([[float("nan")]]), scale=1.0)


def test_the_shared_scale_is_the_largest_over_all_classes() -> None:
    cams = torch.tensor([[[0.1, -0.9]], [[0.4, 0.2]]])

    assert shared_scale([cams], signed=True) == pytest.approx(0.9)
    assert shared_scale([cams], signed=False) == pytest.approx(0.4)


def test_the_still_picture_shows_the_chosen_layer_large() -> None:
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 2),
    )
    result = explain(net, torch.randn(1, 3, 20, 30))
    first, last = result.layers[0].name, result.layers[-1].name

    sheets = [np.asarray(contact_sheet(result, layer=name, size=300)) for name in (first, last)]

    assert sheets[0].shape == sheets[1].shape
    assert (sheets[0][30:200] != sheets[1][30:200]).any()

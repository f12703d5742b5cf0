"""Boxes from maps and maps against boxes, with values counted by hand on pictures that are not square."""

import pytest
import torch

from camwidget.errors import BoxError, MapError
from camwidget.trust.localisation import Box, box_from_map, energy_in_box, pointing_game

NAN = float("nan")


def blobs() -> torch.Tensor:
    """Six rows, eight columns: two regions, the smaller one higher; a diagonal step; one negative cell."""
    cam = torch.zeros(6, 8, dtype=torch.float64)
    cam[0, 0] = 10.0
    cam[2:4, 3:6] = 4.0
    cam[4, 6] = 3.0  # touches the large region at a corner only
    cam[5, 0] = -50.0
    return cam


def test_the_box_is_around_the_largest_region_above_a_fifth_of_the_maximum() -> None:
    assert box_from_map(blobs(), height=6, width=8) == Box(left=3, top=2, right=7, bottom=5)


def test_the_threshold_can_be_moved() -> None:
    assert box_from_map(blobs(), height=6, width=8, threshold=0.35) == Box(3, 2, 6, 4)
    assert box_from_map(blobs(), height=6, width=8, threshold=0.4) == Box(0, 0, 1, 1)  # 4 is not above 4


def test_the_box_is_at_the_size_of_the_picture() -> None:
    """Between cells of 4 pixels, values fall in a straight line from the centre at 5.5 to 0 at 1.5 and at 9.5."""
    cam = torch.tensor([[0.0, 1.0, 0.0]])

    assert box_from_map(cam, height=5, width=12, threshold=0.0) == Box(2, 0, 10, 5)
    assert box_from_map(cam, height=5, width=12, threshold=0.5) == Box(4, 0, 8, 5)


def test_a_constant_map_gives_the_whole_picture_and_the_share_of_the_area() -> None:
    cam = torch.full((2, 3), 0.7)

    assert box_from_map(cam, height=6, width=8) == Box(0, 0, 8, 6)
    assert energy_in_box(cam, Box(1, 2, 5, 5), height=6, width=8) == pytest.approx(12 / 48, abs=1e-12)


def test_energy_counts_positive_values_only() -> None:
    # inside: three cells of the upper row of the region, one of the lower; all: 10 + 6 * 4 + 3
    assert energy_in_box(blobs(), Box(3, 0, 8, 3), height=6, width=8) == pytest.approx(12 / 37, abs=1e-12)
    assert energy_in_box(blobs(), Box(0, 0, 8, 6), height=6, width=8) == pytest.approx(1.0, abs=1e-12)
    assert energy_in_box(blobs(), Box(0, 5, 1, 6), height=6, width=8) == 0.0


def test_the_pointing_game_measures_the_distance_in_a_straight_line() -> None:
    box = Box(3, 4, 8, 6)  # the highest point (0, 0) lies 3 columns and 4 rows from it

    assert not pointing_game(blobs(), box, height=6, width=8, tolerance=0)
    assert not pointing_game(blobs(), box, height=6, width=8, tolerance=4.99)
    assert pointing_game(blobs(), box, height=6, width=8, tolerance=5)
    assert pointing_game(blobs(), Box(0, 0, 1, 1), height=6, width=8, tolerance=0)


def test_the_last_row_and_column_of_a_box_are_inside_and_the_next_ones_are_not() -> None:
    cam = torch.zeros(6, 8)
    cam[3, 4] = 1.0

    assert pointing_game(cam, Box(0, 0, 5, 4), height=6, width=8, tolerance=0)
    assert not pointing_game(cam, Box(0, 0, 4, 4), height=6, width=8, tolerance=0)
    assert not pointing_game(cam, Box(0, 0, 5, 3), height=6, width=8, tolerance=0)


def test_of_several_highest_pixels_the_one_in_their_middle_counts() -> None:
    cam = torch.zeros(6, 8)
    cam[1, 1:6] = 1.0

    assert pointing_game(cam, Box(3, 1, 4, 2), height=6, width=8, tolerance=0)


@pytest.mark.parametrize("cam", [torch.zeros(2, 3), -torch.ones(2, 3)])
def test_a_map_without_evidence_points_nowhere(cam: torch.Tensor) -> None:
    box = Box(0, 0, 2, 2)

    for measure in (
        lambda: box_from_map(cam, height=6, width=8),
        lambda: energy_in_box(cam, box, height=6, width=8),
        lambda: pointing_game(cam, box, height=6, width=8),
    ):
        with pytest.raises(MapError, match=r"no positive value.*Only evidence.*another layer"):
            measure()


def test_a_constant_map_has_no_highest_point() -> None:
    with pytest.raises(MapError, match=r"same everywhere.*highest point.*energy_in_box"):
        pointing_game(torch.full((2, 3), 0.3), Box(0, 0, 2, 2), height=6, width=8)


@pytest.mark.parametrize("value", [NAN, float("inf"), -float("inf")])
def test_a_map_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(MapError, match=r"NaN or infinity.*finite.*logits"):
        box_from_map(torch.tensor([[1.0, value]]), height=6, width=8)


@pytest.mark.parametrize("sides", [(3, 0, 3, 2), (0, 4, 3, 2), (-1, 0, 3, 2), (0, -1, 3, 2)])
def test_a_box_without_an_inside_is_refused(sides: tuple[int, int, int, int]) -> None:
    with pytest.raises(BoxError, match=rf"left {sides[0]}, top {sides[1]}.*left < right.*left \+ width"):
        Box(*sides)


@pytest.mark.parametrize("side", [2.0, "2", True])
def test_sides_of_a_box_are_whole_numbers(side: object) -> None:
    box = object.__new__(Box)  # the check of annotations in tests would come first otherwise
    for name, value in {"left": 0, "top": 0, "right": side, "bottom": 3}.items():
        object.__setattr__(box, name, value)

    with pytest.raises(TypeError, match=r"right .*whole numbers of pixels.*round"):
        box.__post_init__()


@pytest.mark.parametrize("box", [Box(0, 0, 9, 6), Box(0, 0, 8, 7)])
def test_a_box_outside_the_picture_is_refused(box: Box) -> None:
    with pytest.raises(BoxError, match=r"reaches to column .*8 pixels wide and 6 high.*result\.image"):
        energy_in_box(blobs(), box, height=6, width=8)
    with pytest.raises(BoxError, match=r"8 pixels wide and 6 high"):
        pointing_game(blobs(), box, height=6, width=8)


@pytest.mark.parametrize("threshold", [-0.1, 1.0, 20, NAN])
def test_a_threshold_that_is_no_share_is_refused(threshold: float) -> None:
    with pytest.raises(BoxError, match=r"threshold is .*below 1.*0\.2"):
        box_from_map(blobs(), height=6, width=8, threshold=threshold)


@pytest.mark.parametrize("tolerance", [-1, NAN])
def test_a_negative_tolerance_is_refused(tolerance: float) -> None:
    with pytest.raises(BoxError, match=r"tolerance is .*0 or more.*15"):
        pointing_game(blobs(), Box(0, 0, 2, 2), height=6, width=8, tolerance=tolerance)


def test_the_given_map_is_not_changed() -> None:
    cam = blobs()

    box_from_map(cam, height=12, width=16)
    energy_in_box(cam, Box(0, 0, 2, 2), height=12, width=16)

    assert torch.equal(cam, blobs())

"""Maps of a saved page: what is rounded, what is not, and that all of it comes back."""

import numpy as np

from camwidget.panel.packing import COARSER, packed, unpacked


def manifest(large: bool, **more: object) -> dict[str, object]:
    layers = [{"map_height": 60, "map_width": 70 if large else 7}, {"map_height": 2, "map_width": 3}]
    first = {"offset": 0, "unit": 0.5, "reason": ""}
    second = {"offset": 60 * layers[0]["map_width"], "unit": 0.25, "reason": ""}
    return {"layers": layers, "maps": [[[first, second]]], **more}


def test_small_maps_come_back_as_they_were() -> None:
    numbers = np.random.default_rng(1).integers(-32767, 32767, 60 * 7 + 6).astype("<i2")
    given = manifest(False)

    described, data = packed(given, numbers.tobytes())

    assert unpacked(data) == numbers.tobytes()
    assert described == given


def test_large_maps_keep_their_values_to_one_part_in_five_hundred_and_small_ones_beside_them_all() -> None:
    numbers = np.random.default_rng(1).integers(-32767, 32767, 60 * 70 + 6).astype("<i2")
    given = manifest(True, other=None)

    described, data = packed(given, numbers.tobytes())

    back = np.frombuffer(unpacked(data), "<i2").astype(float)
    large, small = described["maps"][0][0]
    assert (large["unit"], small["unit"]) == (0.5 * COARSER, 0.25)
    assert np.abs(back[:4200] * large["unit"] - numbers[:4200] * 0.5).max() <= 0.5 * 32767 / 500
    assert np.array_equal(back[4200:], numbers[4200:])
    assert given["maps"][0][0][0]["unit"] == 0.5


def test_before_anything_is_shown_there_is_nothing_to_pack() -> None:
    described, data = packed({}, b"")

    assert (described, unpacked(data)) == ({}, b"")

"""Rows are filled in any order, with room that grows, and are told in the order of the data."""

import numpy as np
import pytest
import torch

from camwidget.mistakes.rows import NUMBERS, Rows, Seen


def seen(count: int, *, first: int = 0, map_width: int = 3) -> Seen:
    """Pictures whose numbers tell which they are."""
    number = torch.arange(first, first + count, dtype=torch.float32)
    numbers = {"p_true": number / 1000, "p_said": number / 500, "margin": number / 250, "loss": number}
    cams = number[:, None, None, None].expand(count, 2, 2, map_width)
    return Seen(true=number.long(), said=number.long() + 1, cams=cams, **numbers)


@pytest.mark.parametrize("count", [2500, None])
def test_batches_in_another_order_come_back_in_the_order_of_the_data_whether_the_count_is_known_or_not(
    count: int | None,
) -> None:
    rows = Rows(count)
    rows.add([*range(1250, 2500)], seen(1250, first=1250))
    rows.add([*range(1250)], seen(1250))

    columns, maps = rows.columns(), rows.maps()

    assert columns["index"].tolist() == columns["true"].tolist() == columns["loss"].tolist() == [*range(2500)]
    assert maps.shape == (2500, 2, 2, 3)
    assert maps[:, 1, 1, 2].tolist() == [*range(2500)]
    assert sum(np.dtype(kind).itemsize for kind in NUMBERS.values()) == 32  # as the README of the folder says


def test_a_picture_that_was_not_read_has_no_numbers_and_no_map_and_a_reason() -> None:
    rows = Rows(3)
    rows.refuse({1: "damaged"})
    rows.add([0, 2], seen(2))

    assert rows.reasons() == ["", "damaged", ""]
    assert rows.columns()["said"].tolist() == [1, -1, 2]
    assert np.isnan(rows.columns()["loss"]).tolist() == [False, True, False]
    assert np.isnan(rows.maps()).all(axis=(1, 2, 3)).tolist() == [False, True, False]


def test_a_map_of_another_size_is_left_out_and_the_row_stays() -> None:
    rows = Rows(2)
    rows.add([0], seen(1, first=5))
    rows.add([1], seen(1, first=6, map_width=4))

    assert rows.columns()["loss"].tolist() == [5, 6]
    assert rows.reasons()[1].startswith("its map has 2×4 cells, those of the first picture 2×3")
    assert np.isnan(rows.maps()[1]).all()

"""One row of a batch alone and among others, on numbers that one can do in the head."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from camwidget.hooks.rows import AMONG, among, as_alone, of_the_others, rounding_in

ROW = torch.tensor([[1.0, -2.0, 4.0]])
OTHERS = torch.tensor([[3.0, 0.0, 1.0], [5.0, 1.0, 0.0]])


@pytest.mark.parametrize("others", [OTHERS[:1], OTHERS])
def test_a_row_has_others_on_both_sides(others: Tensor) -> None:
    batch = among(ROW, others)

    assert batch.tolist() == [others[-1].tolist(), ROW[0].tolist(), *others.tolist()]
    assert batch[AMONG].tolist() == ROW[0].tolist()
    assert of_the_others(batch).tolist() == [others[-1].tolist(), *others.tolist()]


@pytest.mark.parametrize("others", [OTHERS[:1], OTHERS])
@pytest.mark.parametrize(
    ("network", "alone"),
    [
        (lambda rows: rows * 2, True),
        (lambda rows: rows.cumsum(0), False),
        (lambda rows: rows.flip(0).cumsum(0).flip(0), False),
        (lambda rows: rows[:1].expand_as(rows), False),
        (lambda rows: rows - rows.mean(dim=0), False),
        (lambda rows: rows.sum(dim=0, keepdim=True), False),
        (lambda rows: rows[:, : 4 - len(rows)], False),
    ],
)
def test_whoever_looks_at_other_rows_is_found_out(
    others: Tensor, network: Callable[[Tensor], Tensor], alone: bool
) -> None:
    assert as_alone(network(ROW), network(among(ROW, others)), tolerance=1e-3) is alone


@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_rounding_is_a_part_of_the_largest_value_that_the_type_of_numbers_can_tell(kind: torch.dtype) -> None:
    row, tolerance = ROW.to(kind), rounding_in(kind)
    step = torch.tensor([[0.0, 4.0, 0.0]], dtype=torch.float64)

    assert tolerance > torch.finfo(kind).eps
    assert as_alone(row.double(), among(row.double() + 0.9 * tolerance * step, row.double()), tolerance=tolerance)
    assert not as_alone(row.double(), among(row.double() + 1.1 * tolerance * step, row.double()), tolerance=tolerance)


def test_what_is_no_number_is_not_as_it_was_alone() -> None:
    assert not as_alone(ROW, among(ROW * torch.nan, OTHERS), tolerance=1e-3)

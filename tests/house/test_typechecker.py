"""In tests the annotations of the package are checked while it runs, the axes of tensors included."""

from collections.abc import Callable
from typing import Self

import pytest
import torch
from jaxtyping import TypeCheckError

from camwidget.errors import nearest
from camwidget.maps.formulas import grad_cam
from tests.typechecker import checked


def test_a_value_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(TypeCheckError):
        nearest(5, ["five"])  # type: ignore[arg-type]
    with pytest.raises(TypeCheckError):
        grad_cam("map", torch.zeros(2, 3, 5, 4))  # type: ignore[arg-type]


def test_tensors_whose_axes_do_not_fit_are_refused() -> None:
    with pytest.raises(TypeCheckError):
        grad_cam(torch.zeros(2, 3, 4, 5), torch.zeros(2, 3, 5, 4))


def test_a_method_that_returns_itself_keeps_its_other_checks() -> None:
    class Counter:
        @checked
        def add(self, amount: int) -> Self:
            return self

    counter = Counter()

    assert counter.add(1) is counter
    with pytest.raises(Exception, match="amount"):
        counter.add("one")


def test_a_function_that_is_defined_anew_is_checked_each_time_and_is_its_own() -> None:
    def adding(amount: int) -> Callable[[int], int]:
        @checked
        def add(number: int) -> int:
            """Add it."""
            return number + amount

        return add

    for amount in (1, 2, 3):
        add = adding(amount)

        assert (add(1), add.__doc__) == (1 + amount, "Add it.")
        with pytest.raises(Exception, match="number"):
            add("one")  # type: ignore[arg-type]

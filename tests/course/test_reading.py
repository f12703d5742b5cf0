"""What a learner's code tells without being run."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from camwidget.course.reading import forgotten_nonlocal, notebook_data, return_lines, unused_parameters, why_none

activation = torch.ones(2)
LIMIT = 0.05


def lost(x: Tensor) -> object:
    kept = None

    def keep() -> None:
        kept = x  # noqa: F841 (the mistake)

    keep()
    return kept


def found(x: Tensor) -> object:
    kept = None

    def keep() -> None:
        nonlocal kept
        kept = x

    keep()
    return kept


def temporary(x: Tensor) -> object:
    half = x / 2

    def keep() -> Tensor:
        half = x / 4
        return half + 1

    return half + keep()


def shows(x: Tensor) -> None:
    def keep() -> Tensor:
        return x

    print(keep())  # noqa: T201 (what a learner may write)


@pytest.mark.parametrize(("function", "name"), [(lost, "kept"), (found, ""), (temporary, ""), (shows, "")])
def test_a_name_that_an_inner_function_only_sets_needs_nonlocal(
    function: Callable[[Tensor], object], name: str
) -> None:
    assert forgotten_nonlocal(function) == name  # type: ignore[arg-type]


def test_only_a_functions_own_returns_count() -> None:
    first = found.__code__.co_firstlineno

    assert return_lines(found) == [first + 8]
    assert return_lines(shows) == []


def test_the_reason_for_none_is_the_one_that_the_code_shows() -> None:
    assert "write `nonlocal kept`" in why_none(lost)
    assert why_none(shows) == "is there a return at the end?"
    assert f"return in line {found.__code__.co_firstlineno + 8} is None" in why_none(found)


def test_the_notebooks_data_is_found_and_functions_modules_and_limits_are_not() -> None:
    def uses(x: Tensor) -> Tensor:
        return torch.relu(activation) * LIMIT + helper(x)

    def clean(x: Tensor) -> Tensor:
        return torch.relu(x) * LIMIT

    assert notebook_data(uses) == ["activation"]
    assert notebook_data(clean) == []
    assert notebook_data(through_a_helper) == ["activation"]


def helper(x: Tensor) -> Tensor:
    return x + activation


def through_a_helper(x: Tensor) -> Tensor:
    return helper(x)


def test_a_parameter_that_only_an_inner_function_reads_is_used() -> None:
    def outer(one: int, other: int) -> Callable[[], int]:
        return lambda: one

    assert unused_parameters(outer) == ["other"]

"""What was given is made plain, or refused with what it was, what is allowed and what to try."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from camwidget import given
from camwidget.errors import BoxError, CamwidgetError


@pytest.mark.parametrize("value", [3, np.int64(3), np.array(3), torch.tensor(3), np.uint8(3)])
def test_a_whole_number_is_one_whoever_made_it(value: Any) -> None:
    found = given.whole(value, "k", least=3, most=3, try_="Leave it out")

    assert found == 3
    assert type(found) is int


@pytest.mark.parametrize(
    "value", [2, 4, 3.0, True, np.True_, torch.tensor(True), "3", b"3", None, [3], np.array([3, 3]), float("nan"), 3j]
)
def test_what_is_no_whole_number_in_range_is_refused_in_three_parts(value: Any) -> None:
    with pytest.raises(BoxError, match=r"^k is .*\. It is a whole number from 3 to 3\. Leave it out\.$"):
        given.whole(value, "k", least=3, most=3, try_="Leave it out", error=BoxError)


@pytest.mark.parametrize("values", [[1, 2], (1, 2), pd.Index([1, 2]), pd.Series([1, 2]), np.array([1, 2]), range(1, 3)])
def test_several_whole_numbers_are_a_list_whatever_they_were_in(values: Any) -> None:
    assert given.several(values, "rows", try_="Take some") == [1, 2]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (1, r"rows is 1\..*For a single one pass \[1\]"),
        (np.array(1), r"For a single one pass \[1\]"),
        ("12", r"rows is '12'\. It holds whole numbers\. Take some"),
        (None, "rows is None"),
        ([1, 2.5], r"rows holds 2\.5"),
        ([True, False], "rows holds True"),  # a mask is no list of rows
        (np.array([[1, 2]]), "rows holds array"),
    ],
)
def test_what_is_no_list_of_whole_numbers_is_refused(values: Any, says: str) -> None:
    with pytest.raises(CamwidgetError, match=says):
        given.several(values, "rows", try_="Take some")


def test_numbers_keep_to_their_ends() -> None:
    assert given.between(torch.tensor(0.5), "share", low=0, high=1, try_="0.5") == 0.5
    assert given.between(1, "share", low=0, high=1, try_="0.5") == 1.0
    for value in (1, 0, -0.1, float("nan"), float("inf"), True, "0.5", None, 10**400, np.ones(2)):
        with pytest.raises(CamwidgetError, match=r"share is .*It is a number between 0 and 1\. Try 0\.5\."):
            given.between(value, "share", low=0, high=1, ends=False, try_="Try 0.5")


def test_yes_and_no_are_no_words() -> None:
    assert [given.yes_or_no(each, "x", try_="True") for each in (True, np.False_, 1, 0)] == [True, False, True, False]
    for value in ("no", None, 2, 0.5, np.array([True])):
        with pytest.raises(CamwidgetError, match=r"x is .*It is True or False\. Try True\."):
            given.yes_or_no(value, "x", try_="Try True")


def test_a_path_is_one_that_this_system_can_have(tmp_path: Path) -> None:
    assert given.path(str(tmp_path), "folder", try_="Try it") == tmp_path
    for value in (None, 1, "", b"x", "a\0b", "x" * 5000, "~no such user/x", [tmp_path]):
        with pytest.raises(CamwidgetError, match=r"folder is .*path of a file or folder\. Try it\."):
            given.path(value, "folder", try_="Try it")

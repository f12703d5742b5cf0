"""Which mistake is named, and where two results are said to differ."""

import pytest
import torch
from torch import Tensor

from camwidget.course.mistakes import likely_mistake, usual_mistakes, where_they_differ

RIGHT = torch.tensor([[1.5, -2.25, 0.7], [3.1, 0.4, -1.2]])
THREE = torch.arange(24.0).reshape(4, 2, 3).sin()


def test_a_mistake_is_named_only_if_no_other_known_one_gives_the_same() -> None:
    got = torch.tensor([2.0, 4.0])

    assert likely_mistake(got, {"one": got, "other": got + 1}) == "one"
    assert likely_mistake(got, {"one": got, "other": got.clone()}) == "one of two: one; or other"
    assert likely_mistake(got, {"one": got, "other": got, "third": got}) == ""


@pytest.mark.parametrize(
    ("got", "says"),
    [
        (-RIGHT, "sign is turned"),
        (RIGHT.relu(), "you applied ReLU"),
        (RIGHT.relu() / 3.1, "ReLU and divided by the largest"),
        (RIGHT.abs(), "absolute value"),
        (RIGHT**2, "squared"),
        (RIGHT / 3.1, "divided by the largest value"),
        (RIGHT.softmax(1), "softmax along axis 1"),
        (RIGHT.flip(1), "reverse order along axis 1"),
        (RIGHT.roll(1, 1), "moved by one place along axis 1"),
        (RIGHT.trunc(), "whole numbers"),
        (RIGHT.sigmoid(), "sigmoid"),
        (RIGHT[:1].expand(2, 3), "first one's row"),
    ],
)
def test_what_learners_make_of_a_right_result_is_known_in_every_exercise(got: Tensor, says: str) -> None:
    assert says in likely_mistake(got, usual_mistakes(RIGHT))


def changed_at(*place: int) -> Tensor:
    changed = THREE.clone()
    changed[place] += 0.5
    return changed


@pytest.mark.parametrize(
    ("got", "says", "named"),
    [
        (2 * THREE, "2 times the expected", True),
        (THREE + 0.25, "0.25 too large", True),
        (torch.cat([THREE[:1], THREE[1:] * 2 + 1]), "only the first picture is right", True),
        (torch.cat([THREE[:3], THREE[3:] * 2 + 1]), "only the last picture is wrong", True),
        (THREE * torch.tensor([1.0, 2.0, 3.0, 4.0])[:, None, None], "each picture is right up to a factor", True),
        (THREE.half(), "half precision", True),
        (THREE / 0, "NaN or infinite", True),
        (
            THREE.flatten()[torch.randperm(24, generator=torch.Generator().manual_seed(1))].view(4, 2, 3),
            "in other places",
            True,
        ),
        (THREE.cos(), "compare by hand: at [0, 0, 0] it should be 0 and is 1", False),
        (THREE[0], "the shapes differ", True),
    ],
)
def test_where_no_mistake_is_known_it_is_told_where_to_look(got: Tensor, says: str, named: bool) -> None:
    told, is_named = where_they_differ(got, THREE, axes=("picture", "row", "column"))

    assert says in told
    assert is_named == named

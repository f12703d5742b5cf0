"""The judges of `mistakes` draw what shows mistakes: the right result by hand, and no known mistake that gives it."""

from typing import Any

import pytest
import torch

from camwidget.course.assignments.awkward import Apart
from camwidget.course.assignments.mistakes.counting import _Counts
from camwidget.course.assignments.mistakes.hiding import _Case, hidden
from camwidget.course.assignments.mistakes.maps import _cell, _difference
from camwidget.course.assignments.mistakes.turns import in_turns
from camwidget.course.attempt import Attempt
from camwidget.course.calling import Budget
from camwidget.course.check import judged
from camwidget.course.items import items_of
from tests.course.source import handed_in, questions

DRAWN = [f"mistakes.{name}" for name in ("top_losses", "sure_and_wrong", "place", "occlusion", "missing", "panel")]
"""Items whose answer is one place, one order, or some numbers: a wrong one may be right by chance."""


def attempt(seed: int = 3) -> Attempt:
    return Attempt((), promised={}, seed=seed, budget=Budget(1.0))


def wrong(case: str) -> dict[str, str | None]:
    """Of a case such as "a1 b2": mistake a gives 1, b gives 2, and c is right by chance."""
    results = dict(each for each in case.split())
    return {name: results.get(name) for name in "abc"}


def test_the_case_is_taken_on_which_most_mistakes_show_that_none_before_has_shown() -> None:
    apart = Apart(wrong, tries=3)

    assert apart.draw(iter(["a1", "a1 b2", ""]).__next__) == "a1 b2"
    assert apart.hidden == {"c"}
    assert apart.draw(iter(["a1 b2", "c3", "a1"]).__next__) == "c3"
    assert list(apart.until_all_show(str)) == []


def test_of_two_cases_the_one_is_taken_on_which_mistakes_differ_from_one_another() -> None:
    assert Apart(wrong, tries=2).draw(iter(["a1 b1", "a1 b2"]).__next__) == "a1 b2"


def test_cases_are_drawn_until_every_mistake_has_shown_or_none_helps() -> None:
    cases = iter(["a1", "b1", "c1", "a1"])
    apart, never = Apart(wrong, tries=1), Apart(wrong, tries=1)
    apart.draw(cases.__next__)
    never.draw(str)

    assert list(apart.until_all_show(cases.__next__)) == ["b1", "c1"]
    assert list(never.until_all_show(str, most=3)) == ["", "", ""]


def test_the_place_of_two_maps_worked_out_by_hand() -> None:
    # Lengths are 5 and 50, so the units are (0, 0.6, 0.8) and (0.6, 0.8, 0): their mean is largest in the middle.
    maps = torch.tensor([[[0.0, 3.0, 4.0]], [[30.0, 40.0, 0.0]]])

    assert _cell(maps)[0] == (0, 1)
    assert _cell(torch.cat([maps, torch.zeros(1, 1, 3)]))[0] == (0, 1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("item", DRAWN)
def test_whatever_is_drawn_every_known_mistake_shows_once(
    item: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Apart[Any]] = []
    real = Apart.__init__

    def noted(self: Apart[Any], *args: Any, **kwargs: Any) -> None:
        made.append(self)
        real(self, *args, **kwargs)

    monkeypatch.setattr(Apart, "__init__", noted)
    solution = questions("mistakes")[item].solution
    report = judged(items_of("mistakes")[item], handed_in(item, solution), seed=100 + seed)

    assert report.right, report
    assert made[0].hidden == set()


def test_the_difference_of_two_maps_worked_out_by_hand() -> None:
    activation = torch.tensor([[[[1.0, 3.0]], [[2.0, 0.0]]]])  # one picture, two channels, one row of two cells
    weight, bias = torch.tensor([[1.0, 1.0], [2.0, 0.0]]), torch.tensor([0.0, 4.0])

    maps = _difference(activation, weight, bias, torch.tensor([1]), torch.tensor([0]))

    # weights (1, -1): 1 - 2 and 3 - 0; plus a bias of 4; each one half of it
    assert maps.tolist() == [[[1.5, 3.5]]]
    logits = activation.mean((2, 3)) @ weight.T + bias
    assert float(maps.sum()) == float(logits[0, 1] - logits[0, 0])


def test_a_place_is_hidden_with_each_colours_own_mean() -> None:
    inputs = torch.arange(24.0).view(1, 3, 2, 4)

    changed = hidden(inputs, (0, 1, 1, 3))

    assert changed[0, 1].tolist() == [[8.0, 11.5, 11.5, 11.0], [12.0, 13.0, 14.0, 15.0]]


@pytest.mark.parametrize("pictures", [1, 2, 4])
def test_hiding_costs_something_in_both_spots_and_they_do_not_overlap(pictures: int) -> None:
    case = _Case(attempt(), pictures=pictures, longest=20)
    (top, left, bottom, right), (above, beside, below, end) = sorted((case.place, case.elsewhere))

    assert bottom <= above
    assert right <= beside
    assert (bottom - top, right - left) == (below - above, end - beside)
    assert below <= case.inputs.shape[2]
    assert end <= case.inputs.shape[3]
    assert all(value != 0 for value in case.right.values())


def test_shares_and_rates_worked_out_by_hand() -> None:
    train = [("cat", "day"), ("cat", "day"), ("cat", "snow"), ("cup", "day")]
    test = [("cat", "snow", True), ("cat", "snow", False), ("cup", "dusk", False), ("bus", "day", True)]

    counts = _Counts(train, test)

    assert counts.pairs == [("bus", "day"), ("cat", "snow"), ("cup", "dusk")]
    assert counts.share.tolist() == pytest.approx([0, 1 / 3, 0])
    assert counts.rate.tolist() == [0, 0.5, 1]


def test_the_kinds_take_turns_worked_out_by_hand() -> None:
    true, said = torch.tensor([0, 0, 0, 1, 1, 0]), torch.tensor([1, 1, 1, 0, 1, 0])
    loss = torch.tensor([5.0, 4.0, 6.0, 1.0, 9.0, 8.0])

    assert in_turns(true, said, loss) == [2, 3, 0, 1]

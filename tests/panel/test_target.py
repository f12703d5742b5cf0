"""Panels on numbers of one's own: they stand where the classes do, and their maps are those of the same arithmetic."""

from typing import Any

import pytest
import torch
from torch import Tensor

from camwidget.errors import ClassError
from camwidget.panel.base import SlidingPanel
from camwidget.panel.picture import CamPanel
from camwidget.panel.text import TextCamPanel
from tests.text.toys import Reviews
from tests.toys import strided

OWN = {"why 1 and not 0": lambda output: output[0, 1] - output[0, 0], "twice 1": lambda output: 2 * output[0, 1]}


def panel(kind: str, **more: Any) -> SlidingPanel:
    torch.manual_seed(1)
    if kind == "picture":
        return CamPanel(strided(3), torch.randn(1, 3, 90, 130), methods=("grad_cam", "hires_cam"), **more)
    return TextCamPanel(Reviews().double(), "very good film", methods=("grad_cam", "hires_cam"), **more)


def logits(result: Any) -> Tensor:
    return torch.as_tensor(result.logits, dtype=torch.float64).flatten()


@pytest.mark.parametrize("kind", ["picture", "text"])
def test_the_maps_of_ones_own_numbers_are_made_of_those_of_the_classes(kind: str) -> None:
    plain, own = panel(kind), panel(kind, target=OWN)

    for method in ("grad_cam", "hires_cam"):
        classes, numbers = plain.results[method], own.results[method]
        for layer in (each.name for each in classes.layers):
            zero, one = (classes.cam(layer, target).double() for target in (0, 1))
            difference, twice = (numbers.cam(layer, target).double() for target in (0, 1))
            torch.testing.assert_close(difference, one - zero, rtol=1e-4, atol=1e-7)
            torch.testing.assert_close(twice, 2 * one, rtol=1e-4, atol=1e-7)
    said = logits(plain.result)
    torch.testing.assert_close(logits(own.result), torch.stack([said[1] - said[0], 2 * said[1]]), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", ["picture", "text"])
def test_ones_own_numbers_are_called_by_name_and_have_no_probability(kind: str) -> None:
    own = panel(kind, target=OWN)

    assert own.view.names == list(OWN)
    assert [each["name"] for each in own.view.manifest["classes"]] == list(OWN)
    assert {each["probability"] for each in own.view.manifest["classes"]} == {None}
    own.target_class = "twice 1"
    assert own.target_class == 1
    assert own.view.class_index == 1
    with pytest.raises(ClassError, match="There is no class 2"):
        own.target_class = 2
    assert own.target_class == 1
    assert "%" not in own._title()


def test_a_single_function_is_one_number_and_follows_to_another_text_or_picture() -> None:
    first, second = panel("picture", target=lambda output: output[0, 2]), panel("text", target=OWN["twice 1"])
    assert isinstance(first, CamPanel)
    assert isinstance(second, TextCamPanel)

    first.image = torch.randn(1, 3, 90, 130)
    second.text = "not bad"
    second.compare = "very bad"

    assert first.target_classes == second.target_classes == (0,)
    assert first.view.names == ["target"]
    assert logits(second.result).shape == (1,)
    assert logits(second.compared["grad_cam"]).shape == (1,)


def test_a_cell_and_a_hidden_part_are_told_of_ones_own_numbers() -> None:
    own = panel("picture", target=OWN)
    assert isinstance(own, CamPanel)

    own.place, own.regions = (0.5, 0.5), [(0.0, 0.0, 0.5, 0.5)]
    inside, without = own.inside, own.without()

    assert inside is not None
    assert without is not None
    height, width = own.result.cam(own.layer, 0).shape
    value = float(own.result.cam(own.layer, 0)[int(height / 2), int(width / 2)])
    assert sum(each.adds for each in inside.channels) + inside.rest == pytest.approx(value, rel=1e-4, abs=1e-7)
    assert without.logits.shape == (2,)

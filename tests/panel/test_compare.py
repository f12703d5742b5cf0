"""Which two maps a panel compares: traits, their controls, and the maps of a second picture."""

from typing import Any

import pytest
import torch
import traitlets
from PIL import Image
from torch import nn

from camwidget.errors import ClassError, ImageError, LayerError, MapError
from camwidget.panel.compare import KINDS
from camwidget.panel.picture import CamPanel
from camwidget.pictures.explain import explain_methods
from tests.panel.choices import ask
from tests.toys import strided

NAMES = [f"class {letter}" for letter in "abcdefghijklmn"]


@pytest.fixture
def net() -> nn.Module:
    return strided(14)


@pytest.fixture
def panel(net: nn.Module) -> CamPanel:
    return CamPanel(net, torch.randn(1, 3, 90, 130), class_names=NAMES)


def test_what_is_compared_is_a_trait_and_a_position_of_the_view(panel: CamPanel) -> None:
    view, classes = panel.view, panel.result.target_classes

    panel.mode, panel.compare_by, panel.compare_as, panel.turned, panel.swipe = "compare", "method", "swipe", True, 0.25
    panel.other_class, panel.other_method, panel.other_layer = classes[3], "cam", panel.result.layers[0].name

    assert (view.mode_index, view.compare_index, view.as_swipe, view.turned, view.swipe) == (1, 1, 1, 1, 0.25)
    # one more than the position: 0 is where the browser chooses
    assert (view.other_class_index, view.other_method_index, view.other_layer_index) == (4, 1, 1)
    view.mode_index, view.other_class_index, view.turned, view.compare_index = 0, 0, 0, 2
    assert (panel.mode, panel.other_class, panel.turned, panel.compare_by) == ("slide", None, False, "layer")
    assert panel.other_method == "cam"
    for place, kind in enumerate(KINDS):
        panel.compare_by = kind
        assert view.compare_index == place


@pytest.mark.parametrize(
    ("trait", "value", "error"),
    [
        ("mode", "dance", traitlets.TraitError),
        ("compare_by", "colour", traitlets.TraitError),
        ("swipe", 1.5, traitlets.TraitError),
        ("other_class", "class z", ClassError),
        ("other_method", "hires_cam", MapError),
        ("other_layer", "0.7", LayerError),
        ("compare", b"no picture", ImageError),
    ],
)
def test_a_second_that_cannot_be_used_is_refused_and_changes_nothing(
    panel: CamPanel, trait: str, value: Any, error: type[Exception]
) -> None:
    before = getattr(panel, trait)

    with pytest.raises(error):
        setattr(panel, trait, value)

    assert getattr(panel, trait) == before
    assert panel.view.message


def test_a_second_class_beyond_the_offered_ones_is_computed_and_forgotten_with_it(panel: CamPanel) -> None:
    missing = next(index for index in range(14) if index not in panel.result.target_classes)
    shown = panel.target_class

    ask(panel, "add other", index=missing)

    assert (panel.other_class, panel.target_class) == (missing, shown)
    assert panel.target_classes[-1] == missing
    panel.target_classes = panel.target_classes[:-1]
    assert panel.other_class is None


def test_a_second_picture_has_maps_of_its_own_for_the_same_layers_and_classes(net: nn.Module, panel: CamPanel) -> None:
    second = torch.randn(1, 3, 70, 110)

    panel.compare = second

    assert (panel.mode, panel.compare_by) == ("compare", "picture")
    wanted = explain_methods(net, second, target_classes=panel.target_classes, class_names=NAMES)["grad_cam"]
    assert torch.equal(panel.compared["grad_cam"].cam(), wanted.cam())
    other = panel.view.manifest["other"]
    assert (other["layers"][0]["map_height"], other["layers"][0]["map_width"]) == tuple(
        wanted.cams[wanted.layers[0].name].shape[1:]
    )
    assert [each["index"] for each in other["classes"]] == list(panel.target_classes)
    assert panel.view.other_picture[:4] == b"\x89PNG"
    assert len(panel.view.maps) == 2 * (
        other["maps"][-1][-1][-1]["offset"] + wanted.cams[wanted.layers[-1].name][0].numel()
    )


def test_the_second_picture_follows_a_new_class_and_a_new_picture(net: nn.Module, panel: CamPanel) -> None:
    panel.compare = torch.randn(1, 3, 90, 130)
    missing = next(index for index in range(14) if index not in panel.result.target_classes)

    panel.target_class = missing
    assert panel.compared["cam"].target_classes == panel.target_classes
    panel.image = Image.linear_gradient("L").resize((300, 260))
    assert panel.compared["cam"].target_classes == panel.target_classes
    panel.compare = None
    assert (panel.compared, panel.compare_by, panel.view.other_picture) == ({}, "class", b"")
    assert panel.view.manifest["other"] is None


def test_a_demo_picture_can_be_the_second_one(panel: CamPanel) -> None:
    ask(panel, "second", name="coffee", at="")

    assert panel.compare_by == "picture"
    assert list(panel.compared) == ["cam", "grad_cam"]


def test_score_cam_is_refused_for_a_second_picture(net: nn.Module) -> None:
    panel = CamPanel(
        net, torch.randn(1, 3, 90, 130), methods=("grad_cam", "score_cam"), compare=torch.randn(1, 3, 90, 130)
    )

    entry = panel.view.manifest["other"]["maps"][1][0][0]

    assert "first picture only" in entry["reason"]

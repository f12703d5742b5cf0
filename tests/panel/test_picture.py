"""The panel's traits, controls and messages, without a browser."""

import base64
import io
from pathlib import Path
from typing import Any

import ipywidgets
import jaxtyping
import pytest
import torch
import traitlets
from PIL import Image
from torch import nn

from camwidget.errors import ClassError, ImageError, LayerError, MapError
from camwidget.panel.picture import CamPanel
from camwidget.pictures.explain import explain_methods
from tests.panel.choices import ask, control
from tests.toys import Counted, strided

NAMES = [f"class {letter}" for letter in "abcdefghijklmn"]


class Counting(Counted, nn.Sequential):
    """A network that counts how often it runs."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        self.tally.count += 1
        return super().forward(inputs)


@pytest.fixture
def net() -> Counting:
    return strided(14, kind=Counting)


@pytest.fixture
def panel(net: Counting) -> CamPanel:
    return CamPanel(net, torch.randn(1, 3, 90, 130), class_names=NAMES)


def test_one_method_may_be_given_without_a_list(net: Counting) -> None:
    panel = CamPanel(net, torch.randn(1, 3, 90, 130), methods="grad_cam")

    assert list(panel.results) == ["grad_cam"]


def test_it_starts_at_the_deepest_layer_and_the_most_probable_class(panel: CamPanel) -> None:
    result = panel.result

    assert panel.layer == result.layers[-1].name
    assert panel.target_class == int(result.logits.argmax())
    assert control(panel, "Layer").index == len(result.layers) - 1
    assert control(panel, "Class").index == 0
    assert panel.method == "grad_cam"


def test_a_trait_moves_its_control_and_a_control_its_trait(panel: CamPanel) -> None:
    first = panel.result.layers[0].name

    panel.layer = first
    assert control(panel, "Layer").index == 0
    control(panel, "Layer").index = 1
    assert panel.layer == panel.result.layers[1].name
    panel.smooth, panel.signed, panel.shared_scale, panel.heatmap_opacity = False, False, False, 0.25
    assert [control(panel, each).index for each in ("Cells", "Evidence", "Scale")] == [1, 1, 1]
    control(panel, "Evidence").index = 0
    control(panel, "Heatmap").value = 0.5
    control(panel, "Method").index = 0
    assert (panel.signed, panel.heatmap_opacity, panel.method) == (True, 0.5, "cam")


def test_moving_any_control_never_runs_the_model(panel: CamPanel, net: Counting) -> None:
    before = net.runs

    for description in ("Layer", "Class", "Method", "Cells", "Evidence", "Scale"):
        control(panel, description).index = 1
        control(panel, description).index = 0
    panel.heatmap_opacity = 0.1

    assert net.runs == before


def test_the_kernel_answers_a_moved_slider_with_nothing_that_moves_the_picture(panel: CamPanel) -> None:
    sent: list[str] = []
    panel.view.observe(lambda change: sent.append(change["name"]), names=["manifest", "maps"])

    control(panel, "Layer").index = 0
    control(panel, "Class").index = 2

    assert sent == []
    assert (control(panel, "Layer").index, control(panel, "Class").index) == (0, 2)


def test_a_class_beyond_the_offered_ones_is_computed_once_and_stays(panel: CamPanel, net: Counting) -> None:
    missing = next(index for index in range(14) if index not in panel.result.target_classes)
    manifest = panel.view.manifest
    before = net.runs

    panel.target_class = NAMES[missing]

    assert panel.target_class == missing
    assert panel.result.target_classes[-1] == missing
    assert len(panel.view.manifest["classes"]) == 11
    assert panel.view.manifest != manifest
    computed = net.runs
    assert computed > before
    panel.target_class = panel.result.target_classes[0]
    panel.target_class = missing
    assert net.runs == computed


@pytest.mark.parametrize(
    ("trait", "value", "error", "words"),
    [
        ("layer", "0.33", LayerError, "0.3"),
        ("target_class", 14, ClassError, "14"),
        ("target_class", "class z", ClassError, "class"),
        ("method", "magic", MapError, "grad_cam"),
        ("image", b"no picture", ImageError, "picture"),
        ("image", "missing.png", ImageError, "missing.png"),
        ("image", None, ImageError, "NoneType"),
        ("target_class", None, ClassError, "NoneType"),
    ],
)
def test_bad_input_raises_is_explained_in_the_panel_and_changes_nothing(
    panel: CamPanel, trait: str, value: Any, error: type[Exception], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # outside of tests no annotation is checked: the panel itself must say it
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    names = ("layer", "target_class", "method", "image")
    before = {name: getattr(panel, name) for name in names}
    shown = (panel.view.picture, panel.view.maps, panel.view.manifest)

    with pytest.raises(error, match=words):
        setattr(panel, trait, value)

    assert all(
        getattr(panel, name) is before[name] or getattr(panel, name) == before[name]
        for name in names
        if name != "image"
    )
    assert panel.image is before["image"]
    assert (panel.view.picture, panel.view.maps, panel.view.manifest) == shown
    assert words in panel.view.message


def test_a_message_goes_away_with_the_next_good_choice(panel: CamPanel) -> None:
    with pytest.raises(LayerError):
        panel.layer = "nowhere"

    panel.layer = panel.result.layers[0].name

    assert panel.view.message == ""


def test_a_new_picture_is_explained_and_a_broken_upload_is_not(panel: CamPanel, tmp_path: Path) -> None:
    path = tmp_path / "new.png"
    Image.linear_gradient("L").resize((300, 260)).save(path)
    before = panel.view.picture
    panel.layer = panel.result.layers[0].name

    panel.image = path

    assert panel.view.picture != before
    assert panel.layer == panel.result.layers[0].name
    shown = panel.view.picture
    ask(panel, "picture", b"abc", name="a.png", at="picture")
    assert panel.view.picture == shown
    assert "The file 'a.png' cannot be read as a picture" in panel.view.message
    assert panel.view.message_at == "picture"


def test_a_bad_picture_at_the_start_raises_its_own_error(net: Counting) -> None:
    with pytest.raises(ImageError):
        CamPanel(net, b"")


def test_it_is_busy_while_it_explains_and_no_longer(panel: CamPanel) -> None:
    told: list[str] = []
    panel.view.observe(lambda change: told.append(change["new"]), names=["busy"])
    work = ["Explaining the picture", ""]

    panel.image = torch.randn(1, 3, 70, 80)
    assert told == work
    panel.target_class = next(index for index in range(14) if index not in panel.result.target_classes)
    assert told == work * 2
    with pytest.raises(ImageError):
        panel.image = b"no picture"
    assert told == work * 3


def test_no_picture_at_the_start_raises_the_same_error(net: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)

    with pytest.raises(ImageError, match="NoneType"):
        CamPanel(net, None)  # type: ignore[arg-type]


def test_an_unknown_keyword_is_an_error(net: Counting) -> None:
    with pytest.raises(TypeError, match="layer_name"):
        CamPanel(net, torch.randn(1, 3, 90, 130), layer_name="0")  # type: ignore[call-arg]


def test_opacity_outside_its_range_is_refused(panel: CamPanel) -> None:
    with pytest.raises(traitlets.TraitError, match="heatmap_opacity"):
        panel.heatmap_opacity = 1.5

    assert panel.heatmap_opacity == 0.7


def test_the_saved_output_has_a_picture_beside_the_live_panel(panel: CamPanel) -> None:
    bundle = panel._repr_mimebundle_()

    assert Image.open(io.BytesIO(base64.b64decode(bundle["image/jpeg"]))).width == 448
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_two_classes_of_one_name_can_both_be_chosen(net: Counting) -> None:
    panel = CamPanel(net, torch.randn(1, 3, 90, 130), class_names=["crane"] * 14, target_classes=[0])

    for index in (5, 7):
        ask(panel, "add", index=index, at="class")
        assert panel.target_class == index
    assert panel.target_classes == (0, 5, 7)
    assert [each["name"] for each in panel.view.manifest["classes"]] == ["crane · 0", "crane · 5", "crane · 7"]
    assert panel.view.names[3] == "crane · 3"
    assert "for crane · 7, at layer" in panel._title()
    assert panel.result.class_names == ("crane",) * 14


def test_no_method_at_all_is_told() -> None:
    with pytest.raises(MapError, match="No method was asked for"):
        CamPanel(nn.Sequential(nn.Conv2d(3, 2, 3)), torch.randn(1, 3, 9, 13), methods=[])


def test_pictures_are_made_ready_as_asked_for_also_those_that_come_later(net: Counting) -> None:
    photo = Image.effect_noise((120, 90), 90).convert("RGB")

    panel = CamPanel(net, photo, mean=0.5, std=0.25, size=(64, 96), methods=("grad_cam",))

    expected = explain_methods(net, photo, methods=("grad_cam",), mean=0.5, std=0.25, size=(64, 96))["grad_cam"]
    assert torch.equal(panel.results["grad_cam"].logits, expected.logits)
    (line,) = [child for child in panel.children if isinstance(child, ipywidgets.HTML)]
    assert (line.value, line.layout.display) == ("", "none")
    panel.image = photo.rotate(180)
    assert panel.result.image.size == (96, 64)
    assert panel.result.notes == ()


def test_the_size_of_maps_may_be_given() -> None:
    flat = nn.Sequential(nn.Conv2d(3, 6, 4, 4), nn.Flatten(2), nn.Conv1d(6, 5, 1), nn.AdaptiveAvgPool1d(1))
    panel = CamPanel(nn.Sequential(*flat, nn.Flatten(), nn.Linear(5, 3)), torch.randn(1, 3, 24, 32), grid={"2": (6, 8)})

    assert next((each.map_height, each.map_width) for each in panel.result.layers if each.name == "2") == (6, 8)


def test_what_was_assumed_is_said_below_the_picture(net: Counting) -> None:
    panel = CamPanel(net, Image.effect_noise((120, 90), 90).convert("RGB"))

    (line,) = [child for child in panel.children if isinstance(child, ipywidgets.HTML)]

    assert line.value.startswith("Not all is known of how this network&#x27;s pictures were prepared.")
    assert line.layout.display is None
    panel.image = torch.randn(1, 3, 90, 130)
    assert (line.value, line.layout.display) == ("", "none")

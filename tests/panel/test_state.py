"""Setting a trait of a panel: check, compute, commit, show, notify, in this order; and nothing where a step fails."""

from pathlib import Path
from typing import Any

import pytest
import torch
import traitlets
from PIL import Image
from torch import nn

from camwidget.errors import CamwidgetError, ImageError, LayerError
from camwidget.panel.base import SlidingPanel
from camwidget.panel.picture import CamPanel
from camwidget.panel.text import TextCamPanel
from tests.panel.choices import ask, control
from tests.text.toys import Reviews
from tests.toys import Counted, strided

COMMON = ("layer", "target_class", "method", "signed", "shared_scale", "target_classes")
PICTURE_TRAITS = ("image", *COMMON, "smooth", "heatmap_opacity", "crop", "letterbox")
TEXT_TRAITS = ("text", "compare", *COMMON)


class Failing(Counted, nn.Sequential):
    """A network that counts how often it runs, and raises where it is told to."""

    fails_at = 0

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        self.tally.count += 1
        if self.runs == self.fails_at:
            raise RuntimeError("out of memory")
        return super().forward(inputs)


class CountingReviews(Counted, Reviews):
    """A network of texts that counts how often it runs."""

    def head(self, *inputs: Any) -> Any:
        self.tally.count += 1
        return super().head(*inputs)


@pytest.fixture
def net() -> Failing:
    return strided(14, kind=Failing)


def gradient(*, mirrored: bool = False) -> Image.Image:
    picture = Image.linear_gradient("L").resize((130, 90)).convert("RGB")
    return picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if mirrored else picture


def panel_of(net: Failing, **given: Any) -> CamPanel:
    return CamPanel(net, gradient(), **given)


def other_values(panel: SlidingPanel) -> dict[str, Any]:
    """For every trait a value that it does not have and that can be used; no class that is not offered."""
    values: dict[str, Any] = {
        "layer": panel.result.layers[0].name,
        "target_class": panel.result.target_classes[1],
        "method": next(method for method in panel.results if method != panel.method),
        "signed": False,
        "shared_scale": False,
        "target_classes": tuple(reversed(panel.target_classes)),
    }
    if isinstance(panel, CamPanel):
        return {
            "image": gradient(mirrored=True),
            **values,
            "smooth": False,
            "heatmap_opacity": 0.25,
            "crop": 1.0,
            "letterbox": True,
        }
    return {"text": "a very bad movie", "compare": "not good", **values}


def all_of(panel: SlidingPanel) -> dict[str, Any]:
    """Everything there is to see: traits, what the view has, where the controls stand, and the results themselves."""
    names = PICTURE_TRAITS if isinstance(panel, CamPanel) else TEXT_TRAITS
    view = {name: getattr(panel.view, name) for name in panel.view.keys if name != "message"}
    controls = {
        each.model_id: each.get_state() for box in panel.children for each in (box, *getattr(box, "children", ()))
    }
    del controls[panel.view.model_id]
    return {"traits": {name: getattr(panel, name) for name in names}, "view": view, "controls": controls} | {
        "results": {name: id(result) for name, result in panel.results.items()}
    }


@pytest.fixture(params=["picture", "text"])
def panel(request: pytest.FixtureRequest, net: Failing) -> SlidingPanel:
    return panel_of(net) if request.param == "picture" else TextCamPanel(Reviews().double(), "I liked the film")


def test_every_control_is_a_trait_that_no_validator_and_no_observer_of_the_panel_hangs_on(panel: SlidingPanel) -> None:
    names = PICTURE_TRAITS if isinstance(panel, CamPanel) else TEXT_TRAITS

    assert set(names) <= type(panel).class_traits().keys() & panel.traits().keys() & set(panel.trait_names())
    assert panel._trait_validators.keys().isdisjoint(names)
    assert panel._trait_notifiers.keys().isdisjoint(names)


def test_a_picture_is_explained_once_per_assignment_and_nothing_else_runs_the_network(net: Failing) -> None:
    panel = panel_of(net)
    once, values = net.runs, other_values(panel)
    runs = {}

    for name in (*PICTURE_TRAITS, *PICTURE_TRAITS):  # the second time it is the value that the trait has already
        before = net.runs
        setattr(panel, name, values[name])
        runs.setdefault(name, []).append(net.runs - before)
        assert (getattr(panel, name), panel.view.message) == (values[name], "")
    before = net.runs
    panel.target_class = next(index for index in range(14) if index not in panel.result.target_classes)

    assert runs == {name: [once, once] if name == "image" else [0, 0] for name in PICTURE_TRAITS}
    assert net.runs - before == once


def test_a_text_is_explained_once_per_assignment_and_the_other_text_is_left_alone() -> None:
    model = CountingReviews().double()
    panel = TextCamPanel(model, "I liked the film", methods=("grad_cam", "hires_cam"))
    once, second = model.runs, None

    for name, value in (("text", "not bad"), ("text", "not bad"), ("compare", "not good"), ("compare", "not good")):
        before, second = model.runs, panel.compared
        setattr(panel, name, value)
        assert model.runs - before == once
        if name == "text":
            assert panel.compared == second
    before, first = model.runs, panel.results
    panel.compare = None
    assert (model.runs, panel.results) == (before, first)


def test_the_same_path_set_twice_shows_what_the_file_holds_by_then(net: Failing, tmp_path: Path) -> None:
    path, told = tmp_path / "picture.png", []
    gradient().save(path)
    panel = CamPanel(net, path)
    panel.observe(told.append, names=["image"])
    shown = panel.view.picture

    gradient(mirrored=True).save(path)
    panel.image = path

    assert panel.view.picture != shown
    assert told == []  # the value is the same


def test_every_trait_can_be_observed_linked_and_set(panel: SlidingPanel) -> None:
    for name, value in other_values(panel).items():
        told: list[Any] = []
        before = getattr(panel, name)
        source = traitlets.HasTraits()
        source.add_traits(value=traitlets.Any(before))
        panel.observe(told.append, names=name)

        link = traitlets.link((source, "value"), (panel, name))
        source.value = value
        assert getattr(panel, name) == value
        setattr(panel, name, before)
        assert source.value == before
        link.unlink()
        traitlets.dlink((source, "value"), (panel, name)).source[0].value = value
        assert getattr(panel, name) == value
        panel.set_trait(name, before)
        assert getattr(panel, name) == before
        panel.unobserve_all(name)

        assert [(each["old"], each["new"]) for each in told] == [(before, value), (value, before)] * 2
        assert {(each["name"], each["owner"], each["type"]) for each in told} == {(name, panel, "change")}


def test_a_picture_is_linked_one_way_and_shown_in_both_panels(net: Failing) -> None:
    one, two = panel_of(net), panel_of(net)
    traitlets.dlink((one, "image"), (two, "image"))
    tensor = torch.randn(1, 3, 70, 80)

    one.image = tensor

    assert two.image is tensor
    assert two.view.picture == one.view.picture


def test_two_panels_linked_to_each_other_move_together_by_slider_and_by_trait(net: Failing) -> None:
    one, two = panel_of(net), panel_of(net)
    for name in PICTURE_TRAITS:
        traitlets.link((one, name), (two, name))
    first, last = (layer.name for layer in one.result.layers)

    two.layer = first
    assert (one.layer, control(one, "Layer").index) == (first, 0)
    control(one, "Layer").index = 1
    assert (two.layer, control(two, "Layer").index) == (last, 1)
    two.target_class = next(index for index in range(14) if index not in two.result.target_classes)
    assert one.target_class == two.target_class == one.result.target_classes[-1]
    one.layer = first
    one.image = gradient(mirrored=True)
    assert two.view.picture == one.view.picture
    assert (two.layer, two.target_class, two.image) == (one.layer, one.target_class, one.image)


def test_a_layer_that_a_linked_panel_lacks_is_told_there(net: Failing) -> None:
    one, two = panel_of(net), panel_of(net, layers=["0.3"])
    one.layer = "0.3"
    traitlets.link((one, "layer"), (two, "layer"))

    with pytest.raises(LayerError):
        one.layer = one.result.layers[0].name

    assert two.layer == "0.3"
    assert "no layer" in two.view.message


def test_whoever_is_told_of_one_change_sees_all_of_them(net: Failing) -> None:
    panel = panel_of(net)
    panel.target_class = panel.result.target_classes[2]
    panel.image = gradient(mirrored=True)
    old_class, old_classes = panel.target_classes[-1], panel.target_classes
    panel.target_class = old_class
    told: list[tuple[Any, ...]] = []
    seen: list[tuple[Any, ...]] = []

    def note(change: Any) -> None:
        told.append((change["name"], change["old"], change["new"]))
        seen.append((panel.image, panel.target_class, id(panel.result), control(panel, "Class").index))

    panel.observe(note, names=list(PICTURE_TRAITS))
    before, picture = panel.image, gradient()
    panel.image = picture

    best = int(panel.result.logits.argmax())
    assert told == [
        ("image", before, picture),
        ("target_class", old_class, best),
        ("target_classes", old_classes, panel.target_classes),
    ]
    assert seen == [(picture, best, id(panel.result), 0)] * 3


def test_what_an_observer_sets_is_told_once_and_not_followed_by_what_it_replaced(net: Failing) -> None:
    panel = panel_of(net)
    panel.target_class = panel.result.target_classes[1]
    panel.observe(lambda _: setattr(panel, "target_class", 5), names=["image"])
    told: list[int] = []
    panel.observe(lambda change: told.append(change["new"]), names=["target_class"])

    panel.image = gradient(mirrored=True)

    assert told == [5]
    assert panel.target_class == 5


@pytest.mark.parametrize("pass_of_it", [1, 2, -1])
def test_a_network_that_raises_on_the_second_picture_changes_nothing_and_is_told(net: Failing, pass_of_it: int) -> None:
    panel = panel_of(net)
    once = net.runs
    panel.layer, panel.smooth = panel.result.layers[0].name, False
    panel.target_class = panel.result.target_classes[1]
    missing = next(index for index in range(14) if index not in panel.result.target_classes)
    before, told = all_of(panel), []
    panel.observe(told.append)

    for name, value in (("image", gradient(mirrored=True)), ("target_class", missing)):
        panel.view.message = ""
        net.fails_at = net.runs + (pass_of_it if pass_of_it > 0 else once)
        with pytest.raises(RuntimeError, match="out of memory"):
            setattr(panel, name, value)
        assert "The model raised RuntimeError on this picture: out of memory" in panel.view.message
        assert all_of(panel) == before
        assert panel.view.busy == ""
    assert told == []
    panel.image = gradient(mirrored=True)
    assert panel.view.message == ""


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("heatmap_opacity", 1.5),
        ("smooth", "perhaps"),
        ("layer", 3),
        ("method", None),
        ("signed", "no"),
        ("layer", "0.9"),
    ],
)
def test_a_value_of_another_type_changes_nothing_and_is_told_too(net: Failing, trait: str, value: Any) -> None:
    panel = panel_of(net)
    before = all_of(panel)

    with pytest.raises((traitlets.TraitError, CamwidgetError)) as caught:
        setattr(panel, trait, value)

    assert panel.view.message == str(caught.value)
    assert all_of(panel) == before


def test_an_upload_is_explained_and_one_that_the_network_raises_on_leaves_all_as_it_was(
    net: Failing, tmp_path: Path
) -> None:
    panel, path = panel_of(net), tmp_path / "picture.png"
    gradient(mirrored=True).resize((224, 224)).save(path)
    shown, runs, once = panel.view.picture, net.runs, net.runs

    ask(panel, "picture", path.read_bytes(), name="picture.png", at="picture")
    assert net.runs - runs == once
    assert panel.image == path.read_bytes()
    assert panel.view.picture != shown
    shown, net.fails_at = panel.view.picture, net.runs + 1
    with pytest.raises(RuntimeError):
        panel._do({"do": "picture", "name": "picture.png"}, [path.read_bytes()])
    assert panel.view.picture == shown
    assert "out of memory" in panel.view.message


def test_several_traits_set_under_hold_are_checked_at_once_and_told_at_the_end(net: Failing) -> None:
    panel = panel_of(net)
    once, told = net.runs, []
    panel.observe(
        lambda change: told.append((change["name"], change["old"], change["new"])), names=list(PICTURE_TRAITS)
    )
    before, picture, first = panel.image, gradient(mirrored=True), panel.result.layers[0].name
    last = panel.layer

    with panel.hold_trait_notifications():
        panel.layer, panel.image, panel.smooth = first, picture, False
        with panel.hold_trait_notifications():
            panel.heatmap_opacity = 0.5
            panel.heatmap_opacity = 0.25
        assert told == []
        assert (control(panel, "Layer").index, control(panel, "Heatmap").value) == (0, 0.25)
        with pytest.raises(LayerError):
            panel.layer = "0.9"
        with pytest.raises(ImageError):
            panel.image = b"none"

    assert net.runs == 2 * once
    told = [each for each in told if not each[0].startswith("target_class")]
    assert told == [
        ("layer", last, first),
        ("image", before, picture),
        ("smooth", True, False),
        ("heatmap_opacity", 0.7, 0.25),
    ]
    assert (panel.layer, panel.image) == (first, picture)
    assert "picture" in panel.view.message


def test_an_error_under_hold_leaves_what_was_set_before_it(net: Failing) -> None:
    panel = panel_of(net)
    told: list[str] = []
    panel.observe(lambda change: told.append(change["name"]), names=list(PICTURE_TRAITS))

    def set_two() -> None:
        with panel.hold_trait_notifications():
            panel.signed = False
            panel.heatmap_opacity = 2

    with pytest.raises(traitlets.TraitError):
        set_two()

    assert (panel.signed, panel.heatmap_opacity, told) == (False, 0.7, ["signed"])
    panel.signed = True
    assert told == ["signed", "signed"]


def test_a_text_typed_and_not_explained_yet_outlives_a_moved_slider_and_is_forgotten_when_taken_back() -> None:
    panel = TextCamPanel(Reviews().double(), "not bad")
    box = control(panel, "Text")
    box.value = "   "
    assert "empty" in panel.view.message

    control(panel, "Layer").index = 0

    assert (box.value, panel.text) == ("   ", "not bad")
    box.value = "  "
    assert "empty" in panel.view.message
    box.value = "not bad"
    assert panel.view.message == ""


def test_score_cam_alone_has_all_layers_before_and_after_a_run(net: Failing) -> None:
    panel = panel_of(net, methods=["score_cam"])
    layers = [layer["name"] for layer in panel.view.manifest["layers"]]
    assert len(layers) == len(control(panel, "Layer").options) == 2

    panel.run_button.run.click()
    panel.run_button._thread.join(20)

    assert [layer["name"] for layer in panel.view.manifest["layers"]] == layers
    control(panel, "Layer").index = 0
    assert panel.layer == layers[0]
    assert list(panel.result.cams) == [layers[1]]


def test_a_layer_chosen_while_score_cam_runs_stays_and_what_is_no_picture_does_not_stop_it(
    net: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = panel_of(net, methods=["grad_cam", "score_cam"])
    panel.method = "score_cam"
    first, last = (layer.name for layer in panel.results["grad_cam"].layers)
    commit = panel._commit
    meanwhile: list[str] = []

    def slow(changes: Any) -> Any:
        if "results" in changes and not meanwhile:
            meanwhile.append("")  # the run has ended and is about to say so: somebody slides, and drops a file
            panel.layer = first
            with pytest.raises(ImageError):
                panel.image = b"none"
            meanwhile[0] = panel.view.message
        return commit(changes)

    monkeypatch.setattr(panel, "_commit", slow)
    panel.run_button.run.click()
    panel.run_button._thread.join(20)

    assert "picture" in meanwhile[0]
    assert panel.layer == first
    assert list(panel.result.cams) == [last]
    assert control(panel, "Layer").index == 0


def test_only_the_choices_that_differ_are_moved(panel: SlidingPanel) -> None:
    moved: list[str] = []
    panel.view.observe(lambda change: moved.append(change["name"]))

    panel.layer = panel.result.layers[0].name

    assert set(moved) == {"layer_index"}

"""What the kernel can go back to: pictures, texts and lists of classes."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from camwidget.panel.past import MOST, Past
from camwidget.panel.picture import CamPanel
from camwidget.panel.state import PanelState
from camwidget.panel.text import TextCamPanel
from tests.panel.choices import ask
from tests.panel.running import panel_of, run_and_wait
from tests.text.toys import Reviews
from tests.toys import PooledLinear, picture, strided


@pytest.fixture
def net() -> nn.Module:
    return strided(4)


@pytest.fixture
def panel(net: nn.Module) -> CamPanel:
    return CamPanel(net, torch.randn(1, 3, 90, 130), target_classes=[2, 0], methods=("grad_cam",))


def back(panel: CamPanel | TextCamPanel) -> None:
    """Ask for the last change to be taken back, as the view does."""
    ask(panel, "back", to=panel.view.past[-1])


def test_the_last_states_are_kept_and_each_is_given_back_once() -> None:
    past, state = Past(), PanelState()
    for layer in range(MOST + 2):
        past.keep(replace(state, layer=str(layer)))

    assert past.numbers == [3, 4, 5, 6, 7]
    assert past.take(6) is None
    assert past.take(7).layer == str(MOST + 1)
    assert past.take(7) is None
    past.keep(state)
    assert past.numbers == [3, 4, 5, 6, 8]  # a number is never used again


def test_a_class_that_was_added_goes_again_and_nothing_is_computed_for_that(net: nn.Module, panel: CamPanel) -> None:
    runs: list[object] = []
    first = panel.results
    ask(panel, "add", index=3, at="class")
    assert (panel.target_classes, panel.target_class) == ((2, 0, 3), 3)
    seen: list[str] = []
    panel.observe(lambda change: seen.append(change.name))
    net.register_forward_pre_hook(lambda *_: runs.append(None))

    back(panel)

    assert (panel.target_classes, panel.target_class) == ((2, 0), 2)
    assert panel.results == first
    assert [each["index"] for each in panel.view.manifest["classes"]] == [2, 0]
    assert (panel.view.class_index, panel.view.past, runs) == (0, [], [])
    assert {"target_class", "target_classes"} <= set(seen)


def test_the_picture_before_comes_back_with_all_that_belonged_to_it(panel: CamPanel) -> None:
    image, sent = panel.image, panel.view.picture
    panel.layer, panel.regions = panel.result.layers[0].name, [(0.0, 0.0, 0.5, 0.5)]
    hidden = panel.view.hidden

    panel.image = torch.randn(1, 3, 60, 40)
    panel.compare = torch.randn(1, 3, 60, 40)
    assert panel.regions == ()
    back(panel)
    assert (panel.compare, panel.mode, panel.view.other_picture) == (None, "slide", b"")
    back(panel)

    assert panel.image is image
    assert panel.view.picture == sent
    assert (panel.layer, panel.regions) == (panel.result.layers[0].name, ((0.0, 0.0, 0.5, 0.5),))
    assert panel.view.hidden == hidden
    ask(panel, "back", to=1)  # pressed once more before the answer came
    assert panel.image is image


def test_what_is_chosen_without_the_kernel_and_what_is_refused_is_not_kept(panel: CamPanel) -> None:
    panel.layer, panel.heatmap_opacity, panel.mode = panel.result.layers[0].name, 0.2, "compare"
    ask(panel, "add", index=99, at="class")

    assert panel.view.message
    assert panel.view.past == []


def test_a_run_of_score_cam_is_never_taken_back() -> None:
    panel = panel_of(PooledLinear().double())
    panel.image = picture()
    panel.method = "score_cam"
    assert panel.view.past == [1]

    run_and_wait(panel)

    assert panel.view.past == []
    assert panel.result.cams


def test_a_text_comes_back_and_clicks_on_the_words_of_the_one_between_do_nothing() -> None:
    panel = TextCamPanel(Reviews().double(), "not bad at all")
    word = {"text": 0, "word": 0}
    ask(panel, "delete", **word, version=panel.view.manifest["version"])
    shorter = panel.view.manifest["version"]

    back(panel)

    assert (panel.text, panel.children[1].value, panel.view.manifest["change"]) == (
        "not bad at all",
        "not bad at all",
        None,
    )
    ask(panel, "delete", **word, version=shorter)
    assert panel.text == "not bad at all"
    ask(panel, "delete", **word, version=panel.view.manifest["version"])
    assert panel.text == "bad at all"

"""A whole panel for hosts without stock widgets: what it consists of, and what is typed and pressed there."""

from typing import Any

import ipywidgets
import pytest
import torch

from camwidget.errors import CamwidgetError
from camwidget.mistakes.find import find_mistakes
from camwidget.panel.mistakes import MistakesPanel
from camwidget.panel.picture import CamPanel
from camwidget.panel.text import TextCamPanel
from camwidget.panel.whole import WholePanel
from tests.mistakes.small import loader, network
from tests.text.toys import Reviews
from tests.toys import strided


def inner(whole: WholePanel) -> list[dict[str, Any]]:
    return list(whole.parts[0]["parts"])


def heard(whole: WholePanel, **content: Any) -> None:
    whole._handle_custom_msg({"number": 1, **content}, [])


def test_a_picture_s_panel_is_its_view_its_notes_and_the_button_once_there_is_something_to_run() -> None:
    panel = CamPanel(strided(3), torch.randn(1, 3, 90, 130), methods=("grad_cam", "score_cam"))
    whole = panel._display_()

    assert [part["kind"] for part in inner(whole)] == ["view", "words", "box"]
    assert inner(whole)[0]["widget"] == f"anywidget:{panel.view.model_id}"
    assert not inner(whole)[2]["shown"]
    panel.method = "score_cam"
    assert inner(whole)[2]["shown"]
    assert inner(whole)[2]["parts"][0]["label"].startswith("Run Score-CAM at layer")


def test_a_button_that_is_pressed_there_is_pressed_here_unless_it_is_disabled() -> None:
    pressed: list[object] = []
    button = ipywidgets.Button(description="Go")
    button.on_click(pressed.append)
    whole = WholePanel(ipywidgets.VBox([button]))

    heard(whole, do="press", key=button.model_id)
    button.disabled = True
    heard(whole, do="press", key=button.model_id)

    assert pressed == [button]
    assert inner(whole)[0]["disabled"]


def test_what_is_typed_there_is_explained_and_the_number_says_which_key_was_heard() -> None:
    panel = TextCamPanel(Reviews().double(), "a good film")
    whole = panel._display_()
    box = inner(whole)[1]

    heard(whole, do="type", key=box["key"], value="a bad film", number=7)

    assert panel.text == "a bad film"
    assert (inner(whole)[1]["value"], inner(whole)[1]["heard"]) == ("a bad film", 7)
    assert not inner(whole)[2]["shown"]  # there is no second text


def test_what_comes_into_a_box_later_is_shown_and_followed_too() -> None:
    box, text = ipywidgets.VBox(), ipywidgets.HTML("a &lt; b")
    whole = WholePanel(ipywidgets.VBox([box]))
    assert inner(whole)[0]["parts"] == []

    box.children = (text,)
    assert inner(whole)[0]["parts"][0]["value"] == "a < b"
    text.value = "c"

    assert inner(whole)[0]["parts"][0]["value"] == "c"


def test_a_stock_widget_that_cannot_be_drawn_is_named() -> None:
    with pytest.raises(CamwidgetError, match="A Dropdown stands in this panel"):
        WholePanel(ipywidgets.VBox([ipywidgets.Dropdown()]))


def test_where_no_picture_can_open_below_the_gallery_it_says_what_to_type() -> None:
    panel = MistakesPanel(find_mistakes(network(), loader(12), progress=False))
    panel._display_()
    row = int(panel.found.wrong.index[0])

    panel.view.opened = row

    assert panel.picture is None
    assert f"cw.CamPanel(found.model, found.picture({row}))" in panel.view.message
    panel.view.opened = -1
    assert panel.view.message == ""

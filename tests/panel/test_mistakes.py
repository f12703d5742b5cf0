import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch
import traitlets
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

from camwidget.errors import CamwidgetError, ExportError
from camwidget.mistakes.find import find_mistakes
from camwidget.mistakes.found import Found
from camwidget.mistakes.groups import group_maps
from camwidget.panel.mistakes import MistakesPanel
from tests.mistakes.small import Files, loader, network, picture_folder

NASTY = '<img src=x onerror="alert(1)"></script>'


@pytest.fixture
def found() -> Found:
    return find_mistakes(network(), loader(9), progress=False)


def asked(panel: MistakesPanel, rows: list[Any]) -> tuple[list[dict[str, Any]], list[bytes]]:
    """What the panel answers to the browser that asks for tiles."""
    answers: list[tuple[Any, Any]] = []
    panel.view.send = lambda content, buffers=None: answers.append((content, buffers))
    panel.view._handle_custom_msg({"do": "tiles", "rows": rows, "number": 7}, [])
    (heard, _), (content, buffers) = answers
    assert heard == {"heard": 7}
    return content["tiles"], buffers


def test_the_numbers_of_each_row_can_be_read_back(found: Found) -> None:
    panel = MistakesPanel(found)

    numbers = np.frombuffer(panel.view.rows, "<f4").reshape(9, 10)

    assert numbers[:, 0].tolist() == list(range(9))
    assert numbers[:, 1:3].tolist() == found.codes.tolist()
    assert np.array_equal(numbers[:, 3:7], found.table[["p_true", "p_said", "margin", "loss"]].to_numpy(np.float32))
    assert numbers[4, 7] == np.abs(found.maps[4, 0]).max()
    assert numbers[4, 9] == np.abs(found.maps[4, 0] - found.maps[4, 1]).max()


def test_a_picture_and_its_maps_are_sent_when_they_are_asked_for(found: Found) -> None:
    tiles, buffers = asked(MistakesPanel(found), [4, 7])

    assert [tile["row"] for tile in tiles] == [4, 7]
    assert len(buffers) == 4
    assert Image.open(io.BytesIO(buffers[0])).size == (36, 24)
    sent = np.frombuffer(buffers[3], "<f4").reshape(2, tiles[1]["map_height"], tiles[1]["map_width"])
    assert np.array_equal(sent, found.maps[7])


def test_what_is_no_row_is_not_answered(found: Found) -> None:
    tiles, _ = asked(MistakesPanel(found), [4, 99, "7", None, -1])

    assert [tile["row"] for tile in tiles] == [4]


def test_a_file_that_vanished_costs_its_tile_and_says_why(tmp_path: Path) -> None:
    found = find_mistakes(network(), DataLoader(Files(picture_folder(tmp_path)), batch_size=4), progress=False)
    panel = MistakesPanel(found)
    found.file(2).unlink()

    tiles, buffers = asked(panel, [1, 2])

    assert tiles[0]["problem"] == ""
    assert "ant_2.png" in tiles[1]["problem"]
    assert buffers[2] == b""
    panel.view.opened = 2
    assert panel.picture is None
    assert "ant_2.png" in panel.view.message


def test_a_click_opens_the_picture_in_a_full_panel_with_the_same_map(found: Found) -> None:
    panel = MistakesPanel(found)

    panel.view.opened = 5

    assert panel.picture is not None
    true, said = found.codes[5]
    assert (panel.picture.layer, panel.picture.target_class) == (found.layer, said)
    cam = panel.picture.results["grad_cam"].cam(found.layer, int(true)).numpy()
    assert cam == pytest.approx(found.maps[5, 1], rel=1e-4, abs=1e-6)
    assert panel.children[1].children == (panel.picture,)
    panel.view.opened = -1
    assert panel.picture is None
    assert panel.children[1].children == ()


def test_without_the_model_the_panel_says_how_to_open_a_picture(found: Found, tmp_path: Path) -> None:
    panel = MistakesPanel(Found.load(found.save(tmp_path / "kept")))

    panel.view.opened = 5

    assert "Found.load(folder, model=learn)" in panel.view.message


def test_tags_of_the_browser_are_tags_of_what_was_found(found: Found) -> None:
    found.tags.add("a shortcut", [1])
    panel = MistakesPanel(found)
    assert panel.view.tags == {"a shortcut": [1]}

    panel.view.tags = {"a shortcut": [], "my own": [3, 2]}

    assert found.tags.as_lists() == {"my own": [2, 3]}
    panel.view.tags = {"a; b": [1]}
    assert "without a semicolon" in panel.view.message
    assert found.tags.as_lists() == panel.view.tags == {"my own": [2, 3]}


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ({"a": [10**9]}, "There is no row 1000000000"),
        ({"a": ["x"]}, "The tags are {'a': ['x']}"),
        ({"a": 5}, "The tags are {'a': 5}"),
        ({"a": [float("inf")]}, "The tags are {'a': [inf]}"),
    ],
)
def test_tags_that_are_no_rows_go_back_with_a_reason(found: Found, tags: dict[str, Any], told: str) -> None:
    found.tags.add("seen", [1])
    panel = MistakesPanel(found)

    panel.view.tags = tags

    assert found.tags.as_lists() == panel.view.tags == {"seen": [1]}
    assert panel.view.message.startswith(told)
    assert "found.table" in panel.view.message


def test_an_order_of_ones_own_is_kept(found: Found) -> None:
    panel = MistakesPanel(found, order=[7, 2, 5])

    assert np.frombuffer(panel.view.rows, "<f4").reshape(3, 10)[:, 0].tolist() == [7, 2, 5]
    assert (panel.view.order, panel.view.shown) == ("given", "all")
    for wrong, told in (([1, 99], "holds 99, which is no row"), ([3, 3], "holds 3, which is there twice")):
        with pytest.raises(CamwidgetError, match=told):
            MistakesPanel(found, order=wrong)


def test_choices_are_made_in_code_as_in_the_panel(found: Found) -> None:
    panel = MistakesPanel(found)

    panel.choose(order="doubt", cell=("class 0", "class 2"), maps="difference")

    assert (panel.view.order, panel.view.cell, panel.view.maps) == ("doubt", [0, 2], "difference")
    with pytest.raises(CamwidgetError, match=r"'lose'.*Try 'loss'"):
        panel.choose(order="lose")
    with pytest.raises(CamwidgetError, match="no choice 'colour'"):
        panel.choose(colour="red")


def test_groups_are_shown_with_their_place(found: Found) -> None:
    groups = group_maps(found)

    (*_, last) = MistakesPanel(found, groups=groups).view.manifest["groups"]

    assert last["rows"] == list(groups[-1].rows)
    assert last["test"] is None
    assert np.array(last["mean"]).shape == found.maps.shape[2:]


def test_a_page_holds_pictures_and_nothing_in_a_name_can_run(tmp_path: Path) -> None:
    data = TensorDataset(torch.randn(6, 3, 24, 36), torch.arange(6) % 3)
    found = find_mistakes(network(), DataLoader(data), class_names=[NASTY, "b", "c"], progress=False)
    panel = MistakesPanel(found)

    page = panel.save_html(tmp_path / "panel.html", pictures=4).read_text()

    assert NASTY not in page
    told = re.search(r'id="camw-data">(.*?)</script>', page, re.DOTALL)
    assert told is not None
    tiles = json.loads(told[1])["tiles"]
    wrong_first = [*found.wrong.index, *found.table.index[found.table["right"]]]
    assert [tile["row"] for tile in tiles] == wrong_first[:4] or len(found.wrong) < 4
    assert page.count("<script") == 2
    with pytest.raises(ExportError, match=r"Try 'panel.html'"):
        panel.save_html(tmp_path / "panel.txt")


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ({"cell": 1.5}, r"cell is 1\.5\. It is \(true, said\)"),
        ({"opened": "x"}, "opened is 'x'"),
        ({"opened": 99}, "no row 99"),
        ({"group": 0}, "group is 0.*There is none: pass MistakesPanel"),
        ({"own_scale": "yes"}, "own_scale is 'yes'"),
        ({"tag": "x"}, r"No picture has a tag.*found.tags.add"),
        ({"maps": ["both"]}, r"maps is \['both'\]"),
    ],
)
def test_a_choice_that_there_is_not_is_refused_in_words(found: Found, choice: dict[str, Any], says: str) -> None:
    with pytest.raises(CamwidgetError, match=says):
        MistakesPanel(found).choose(**choice)


def test_what_is_no_found_and_no_order_is_refused_in_words(found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(CamwidgetError, match=r"found is a DataFrame.*cw.find_mistakes"):
        MistakesPanel(found.table)
    with pytest.raises(CamwidgetError, match=r"order holds 1\.5"):
        MistakesPanel(found, order=[1.5])
    with pytest.raises(CamwidgetError, match=r"order is a set\. .* Pass a list"):
        MistakesPanel(found, order={1, 0})
    with pytest.raises(CamwidgetError, match=r"groups holds an int.*group_maps"):
        MistakesPanel(found, groups=[1])
    with pytest.raises(CamwidgetError, match=r"count is 1\.5"):
        MistakesPanel(found).first(1.5)
    with pytest.raises(CamwidgetError, match="pictures is -1"):
        MistakesPanel(found).as_html(pictures=-1)


@pytest.mark.parametrize("choice", ["shown", "order", "maps"])
def test_the_view_takes_only_choices_that_it_has(found: Found, choice: str) -> None:
    panel = MistakesPanel(found)

    with pytest.raises(traitlets.TraitError):
        setattr(panel.view, choice, "nonsense")
    assert panel.first(1) == [int(found.wrong.index[0])]


def test_large_maps_are_coarser_in_a_saved_page_which_says_so() -> None:
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()).eval()
    data = TensorDataset(torch.randn(4, 3, 112, 150), torch.tensor([0, 1, 0, 1]))
    found = find_mistakes(model, DataLoader(data), layer="0", progress=False)
    assert found.maps.shape == (4, 2, 112, 150)

    page = MistakesPanel(found).as_html()

    told = json.loads(re.search(r'id="camw-data">(.*?)</script>', page, re.DOTALL)[1])
    tile = told["tiles"][0]
    maps = np.frombuffer(base64.b64decode(tile["maps"]), "<f4").reshape(2, tile["map_height"], tile["map_width"])
    assert maps.shape == (2, 56, 56)
    whole = found.maps[found.place(tile["row"])]
    assert (
        maps[:, 3, :]
        == pytest.approx(  # rows of 112 go in pairs into 56; columns of 150 do not
            np.stack(
                [whole[:, 6:8, 150 * k // 56 : -(-150 * (k + 1) // 56)].mean(axis=(1, 2)) for k in range(56)], axis=1
            ),
            abs=1e-5,
        )
    )
    assert told["state"]["manifest"]["coarser"] == "This page has 56×56 of the 112×150 cells of a map"
    assert MistakesPanel(found).view.manifest["coarser"] == ""

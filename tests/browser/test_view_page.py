"""The view without a kernel: what it paints is compared pixel by pixel with the Python reference."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from torch import nn

from camwidget.panel.colours import colormap, overlay
from camwidget.panel.modes import MODES
from camwidget.panel.still import shared_scale
from camwidget.panel.view import HeatmapView
from camwidget.pictures.explain import explain_methods
from camwidget.pictures.result import Explanation
from tests.browser.lab import new_page
from tests.browser.standin import mount, painted
from tests.toys import strided


@pytest.fixture(scope="module")
def results() -> dict[str, Explanation]:
    """A small network and a picture that is not square, so that a swapped axis fails."""
    torch.manual_seed(1)
    net = strided(3)
    names = ["<b>bold</b>", "cat & dog", "third"]
    return explain_methods(net, torch.randn(1, 3, 90, 130), class_names=names)


@pytest.fixture
def view(results: dict[str, Explanation]) -> HeatmapView:
    made = HeatmapView()
    made.show(results)
    return made


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize(
    "look",
    [{}, {"cells": 1}, {"only_for": 1}, {"own_scale": 1, "heatmap_opacity": 1.0}, {"heatmap_opacity": 0.0}],
    ids=["smooth", "cells", "only for", "own scale", "bare"],
)
def test_the_browser_paints_the_pixels_of_the_python_reference(
    page: Page, view: HeatmapView, results: dict[str, Explanation], layer: int, look: dict[str, Any]
) -> None:
    result = results["grad_cam"]
    name, target = result.layers[layer].name, result.target_classes[1]
    signed = not look.get("only_for")
    cams = result.cam(name, target)[None] if look.get("own_scale") else result.cams[name]
    reference = overlay(
        result.image,
        result.cam(name, target),
        scale=shared_scale([cams], signed=signed),
        heatmap_opacity=look.get("heatmap_opacity", 0.7),
        smooth=not look.get("cells"),
        signed=signed,
    )

    mount(page, view, method_index=1, layer_index=layer, class_index=1, **look)

    found = painted(page)
    difference = np.abs(found.astype(int) - np.asarray(reference).astype(int))
    assert found.shape == (90, 130, 3)
    # one step of the colour table where a value falls between two steps, else equal but for the browser's own blending,
    # which rounds the picture, the colour and the result to whole levels, each by half of one
    assert difference.max() <= 6
    assert (difference > 2).mean() < 0.002
    assert difference.mean() < 0.5
    assert look.get("heatmap_opacity") == 0.0 or np.ptp(found) > 0


def test_every_move_repaints_without_save_or_kernel(page: Page, view: HeatmapView) -> None:
    mount(page, view, method_index=1)
    before = painted(page)

    page.evaluate("() => model.set('layer_index', 1)")

    assert (painted(page) != before).any()
    assert page.locator(".camw-view").get_attribute("data-painted").startswith("grad_cam/")


def test_class_names_with_html_in_them_stay_text(page: Page, view: HeatmapView) -> None:
    mount(page, view)

    assert page.locator(".camw-view b").count() == 0
    assert "<b>bold</b>" in page.locator(".camw-classes").inner_text()


def test_where_a_method_gives_no_map_the_reason_stands_in_its_place(page: Page, view: HeatmapView) -> None:
    mount(page, view, method_index=0, layer_index=0)

    assert "ReLU" in page.locator(".camw-reason").inner_text()
    assert page.locator(".camw-legend").is_hidden()


def test_the_sum_lands_on_the_logit(page: Page, view: HeatmapView, results: dict[str, Explanation]) -> None:
    mount(page, view, method_index=1, layer_index=1)
    text = page.locator(".camw-number").first.inner_text().replace("\u2212", "-")

    result = results["grad_cam"]
    logit = float(result.logits[result.target_classes[0]])
    assert text.startswith("contributions ")
    assert float(text.rsplit("= logit ", 1)[1]) == pytest.approx(logit, rel=5e-3)


def test_the_keyboard_reads_single_cells(page: Page, view: HeatmapView, results: dict[str, Explanation]) -> None:
    mount(page, view, method_index=1, layer_index=1)
    result = results["grad_cam"]
    cam = result.cam(result.layers[1].name, result.target_classes[0])
    row, column = cam.shape[0] // 2, cam.shape[1] // 2

    page.locator(".camw-frame").press("ArrowRight")
    page.locator(".camw-frame").press("ArrowRight")

    title = page.locator(".camw-probe .camw-title").inner_text()
    assert f"Row {row + 1} of {cam.shape[0]}, column {column + 2} of {cam.shape[1]}" in title
    shown = page.locator(".camw-probe .camw-number").inner_text().split(" of ")[0].replace("\u2212", "-")
    assert float(shown) == pytest.approx(float(cam[row, column + 1]), rel=5e-3)


def test_the_pointer_and_its_marker_agree_on_the_cell(page: Page, view: HeatmapView) -> None:
    mount(page, view, method_index=1, layer_index=1, cells=1)
    box = page.locator(".camw-canvas").bounding_box()
    assert box is not None

    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.15)

    marker = page.locator(".camw-marker").bounding_box()
    assert marker is not None
    assert marker["x"] <= box["x"] + box["width"] * 0.9 <= marker["x"] + marker["width"]
    assert marker["y"] <= box["y"] + box["height"] * 0.15 <= marker["y"] + marker["height"]


def test_a_click_on_a_layer_or_a_class_chooses_it(page: Page, view: HeatmapView) -> None:
    mount(page, view, method_index=1)

    page.locator(".camw-film button").nth(1).click()
    page.locator(".camw-class").nth(2).click()

    assert page.evaluate("() => [model.get('layer_index'), model.get('class_index')]") == [1, 2]
    assert page.locator(".camw-class").nth(2).get_attribute("aria-pressed") == "true"


def test_long_work_is_told_beside_what_is_about_to_change(page: Page, view: HeatmapView) -> None:
    mount(page, view, busy="Explaining the picture")

    expect(page.get_by_role("status")).to_have_text("Explaining the picture …")
    assert page.locator("[aria-busy=true]").count() == 2
    page.evaluate("() => model.set('busy', '')")
    expect(page.get_by_role("status")).to_have_text("")
    assert page.locator("[aria-busy=true]").count() == 0


def test_a_closed_view_leaves_no_listener(page: Page, view: HeatmapView) -> None:
    mount(page, view)
    assert page.evaluate("() => listening()") > 0

    page.evaluate("() => unmount()")

    assert page.evaluate("() => listening()") == 0


def test_two_views_of_one_model_show_the_same(page: Page, view: HeatmapView) -> None:
    mount(page, view, method_index=1)
    page.evaluate("() => { module.default.render({model, el: document.body}); }")
    page.wait_for_function("() => document.querySelectorAll('.camw-view[data-painted]').length === 2")

    page.evaluate("() => model.set('layer_index', 1)")

    stamps = page.locator(".camw-view").evaluate_all("(all) => all.map((each) => each.dataset.painted)")
    assert len(set(stamps)) == 1


def test_it_fits_a_phone_and_asks_nothing_of_the_network(browser: Browser, view: HeatmapView) -> None:
    page = new_page(browser, width=320, height=700)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    mount(page, view)

    assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
    assert [url for url in asked if url.startswith("http")] == []
    page.close()


def test_a_regression_shows_its_values_and_no_percent_sign(page: Page) -> None:
    torch.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(3, 6, 5, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 2))
    results = explain_methods(net, torch.randn(1, 3, 90, 130), activation="none", class_names=["age", "height"])
    view = HeatmapView()
    view.show(results)

    mount(page, view)

    values = [f"{float(value):.3g}".replace("-", "\u2212") for value in next(iter(results.values())).answers]
    rows = page.locator(".camw-class")
    assert [text.split("\n") for text in rows.all_inner_texts()] == [["age", values[0]], ["height", values[1]]]
    assert page.locator(".camw-bar").count() == 0
    assert re.search(rf"for age, {values[0]}, at layer", page.locator(".camw-heading").inner_text())
    assert f"= output {values[0]}" in page.locator(".camw-number").first.inner_text()
    assert "%" not in page.locator(".camw-view").inner_text()


def test_labels_that_do_not_exclude_each_other_are_said_to_stand_by_themselves(page: Page) -> None:
    torch.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(3, 6, 5, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 2))
    titles = {}
    for activation in ("sigmoid", "softmax"):
        view = HeatmapView()
        view.show(explain_methods(net, torch.randn(1, 3, 90, 130), activation=activation))
        mount(page, view)
        titles[activation] = page.locator(".camw-side .camw-title").first.text_content()

    assert titles == {
        "sigmoid": "What the network says, of each class by itself",
        "softmax": "What the network says",
    }


INK = """() => {
  const seen = (each) => getComputedStyle(each).opacity > 0;
  const small = [...document.querySelectorAll(".camw-film canvas")].filter(seen);
  const large = document.querySelector(".camw-frame .camw-canvas");
  const data = large.getContext("2d").getImageData(0, 0, large.width, large.height).data;
  return small.length + data.filter((_, i) => i % 4 === 3).reduce((sum, each) => sum + each, 0);
}"""
"""How much of the maps is seen, large or small."""


def difference(page: Page) -> np.ndarray:
    """The colours of the third picture: red, green, blue, opacity."""
    width, height, data = page.evaluate(
        """() => {
          const canvas = document.querySelectorAll(".camw-equation .camw-canvas")[2];
          const {width, height} = canvas;
          return [width, height, [...canvas.getContext("2d").getImageData(0, 0, width, height).data]];
        }"""
    )
    return np.array(data, dtype=np.uint8).reshape(height, width, 4)


def test_compared_classes_subtract_as_python_does_and_add_up_to_the_logits(
    page: Page, view: HeatmapView, results: dict[str, Explanation]
) -> None:
    mount(page, view, method_index=1, layer_index=1, mode_index=1, other_class_index=3, cells=1, heatmap_opacity=1.0)
    result = results["grad_cam"]
    maps = [result.cam(None, result.target_classes[place]).numpy() for place in (0, 2)]
    left = maps[0] - maps[1]
    scale = max(np.abs(each).max() for each in (*maps, left))
    logits = [float(result.logits[result.target_classes[place]]) for place in (0, 2)]

    assert page.locator(".camw-top").is_hidden()
    found = difference(page)
    heights, widths = (
        ((np.arange(n) + 0.5) / n * size).astype(int) for n, size in zip(left.shape, found.shape, strict=False)
    )
    middles = found[heights[:, None], widths[None, :]]
    steps = np.floor(np.clip(left / scale, -1, 1) * 128 + 0.5).astype(int) + 128
    assert np.abs(middles[..., 3].astype(int) - colormap()[steps][..., 3]).max() <= 2
    said = page.locator(".camw-pair-sum").inner_text().replace("\u2212", "-")
    assert float(re.search(r"that is (-?[\d.]+), the difference", said)[1]) == pytest.approx(
        logits[0] - logits[1], abs=0.01
    )
    page.get_by_role("switch", name="turn it round").click()
    turned = page.locator(".camw-pair-sum").inner_text().replace("\u2212", "-")
    assert float(re.search(r"that is (-?[\d.]+), the difference", turned)[1]) == pytest.approx(
        logits[1] - logits[0], abs=0.01
    )
    assert page.locator(".camw-view b").count() == 0


def test_what_is_compared_is_chosen_without_a_kernel(page: Page, view: HeatmapView) -> None:
    mount(page, view, live=0, method_index=1, layer_index=1)
    kinds = page.get_by_role("combobox", name="Compare")

    page.get_by_role("tab", name="Compare").click()
    assert kinds.locator("option").all_inner_texts() == ["two classes", "two methods", "two layers"]
    kinds.select_option("two layers")
    page.get_by_role("combobox", name="The second layer").select_option(index=1)
    expect(page.locator(".camw-pair-sum")).to_have_text("The two are the same map.")
    page.get_by_role("combobox", name="Shown").select_option("by a swipe")
    page.get_by_role("slider", name="Edge").press("Home")

    assert page.evaluate("() => ['as_swipe', 'swipe', 'other_layer_index'].map((name) => model.get(name))") == [1, 0, 2]
    box = page.locator(".camw-figure-frame").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 10)
    page.mouse.up()
    assert page.evaluate("() => model.get('swipe')") == pytest.approx(0.25, abs=0.02)


def test_a_guess_comes_before_the_answer_and_is_measured_by_it(
    page: Page, view: HeatmapView, results: dict[str, Explanation]
) -> None:
    mount(page, view, live=0, method_index=1, layer_index=1, mode_index=MODES.index("guess"))
    result = results["grad_cam"]
    cam = result.cam(None, result.target_classes[0])
    show = page.get_by_role("button", name="Show where it looks")

    assert page.evaluate(INK) == 0
    assert show.is_disabled()
    assert "Strongest" not in page.locator(".camw-picture").get_attribute("aria-label")
    box = page.locator(".camw-frame .camw-picture").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.2)
    assert page.evaluate("() => model.get('guess')") == pytest.approx([0.2, 0.9], abs=0.01)
    assert page.evaluate(INK) == 0
    page.locator(".camw-frame").press("Enter")

    assert page.evaluate(INK) > 0
    row, column = divmod(int(cam.argmax()), cam.shape[1])
    down, across = 0.2 * cam.shape[0] - (row + 0.5), 0.9 * cam.shape[1] - (column + 0.5)
    told = float(page.locator(".camw-guess .camw-big").inner_text().split(" ")[0])
    assert told == pytest.approx((down**2 + across**2) ** 0.5, abs=0.1)
    page.get_by_role("button", name="Guess again").click()
    assert page.evaluate(INK) == 0
    assert show.is_disabled()


def test_a_click_looks_into_a_cell_and_a_channel_shows_its_map(page: Page, view: HeatmapView) -> None:
    mount(page, view, method_index=1, layer_index=1, cells=1)
    layer, target = view.manifest["layers"][1], view.manifest["classes"][0]["index"]
    size = layer["map_height"] * layer["map_width"]
    box = page.locator(".camw-frame .camw-picture").bounding_box()
    assert box is not None

    page.mouse.click(box["x"] + box["width"] * 0.01, box["y"] + box["height"] * 0.01)
    expect(page.locator(".camw-cell")).to_contain_text("Looking inside")
    assert page.locator(".camw-says").is_hidden()
    row, column = page.evaluate("() => model.get('place')")
    assert (int(row * layer["map_height"]), int(column * layer["map_width"])) == (0, 0)
    channel = {"index": 412, "activation": 3.1, "weight": 0.08, "adds": 0.248}
    pixels = {"top": 0, "left": 0, "bottom": 40, "right": 30}
    inside = {"layer": layer["name"], "method": "grad_cam", "class": target, "cell": [0, 0], "reason": ""}
    inside |= {"channels": [channel], "count": 5, "rest": 0.1, "seen": pixels, "most": pixels}
    page.evaluate(
        """([inside, size]) => {
          model.set('inside_maps', new DataView(new Float32Array(size).fill(3.1).buffer));
          model.set('inside', inside);
        }""",
        [inside, size],
    )
    row_of = page.locator(".camw-channel")
    expect(row_of).to_contain_text("3.10 \u00d7 0.0800 = +0.248")
    expect(page.locator(".camw-cell")).to_contain_text("It sees 30 \u00d7 40 pixels")
    before = painted(page)
    row_of.click()
    expect(page.locator(".camw-heading")).to_contain_text("Channel 412")
    assert (painted(page) != before).any()
    page.locator(".camw-frame").press("Escape")
    expect(page.locator(".camw-says")).to_be_visible()
    assert (painted(page) == before).all()
    assert page.evaluate("() => model.get('place')") == []


def test_a_rectangle_on_the_picture_hides_a_part_and_can_be_undone(page: Page, view: HeatmapView) -> None:
    mount(page, view, method_index=1, layer_index=1, mode_index=MODES.index("hide"))
    box = page.locator(".camw-frame .camw-picture").bounding_box()
    assert box is not None

    def draw(top: float, left: float, bottom: float, right: float) -> None:
        page.mouse.move(box["x"] + left * box["width"], box["y"] + top * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + right * box["width"], box["y"] + bottom * box["height"])
        page.mouse.up()

    draw(0.0, 0.0, 0.5, 0.5)
    draw(0.9, 0.9, 0.6, 0.6)
    regions = np.array(page.evaluate("() => model.get('regions')"))
    assert np.abs(regions - [[0, 0, 0.5, 0.5], [0.6, 0.6, 0.9, 0.9]]).max() < 0.01
    expect(page.locator(".camw-hide-big")).to_contain_text("34 % of the picture holds")
    said = {"logit": -1.0, "value": 0.25, "other_logit": 2.0, "other_value": 0.5}
    classes = {str(each["index"]): said for each in view.manifest["classes"]}
    page.evaluate(
        """(classes) => {
          model.set('hidden', {regions: model.get('regions'), way: 0, classes, places: 3, example: []});
        }""",
        classes,
    )
    first = view.manifest["classes"][0]
    row = page.locator("button.camw-hide-row").first
    expect(row).to_contain_text(f"{100 * first['probability']:.1f} % \u2192 25.0 %")
    expect(row).to_contain_text("50.0 %")
    expect(page.locator(".camw-hide")).to_contain_text("mean of 3 places")
    page.get_by_role("button", name="Undo").click()
    assert len(page.evaluate("() => model.get('regions')")) == 1
    page.locator(".camw-frame").press("Delete")
    assert page.evaluate("() => model.get('regions')") == []

"""The view without a kernel: what it paints is compared pixel by pixel with the Python reference."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from torch import nn

from camwidget.panel.colours import overlay
from camwidget.panel.still import shared_scale
from camwidget.panel.view import HeatmapView
from camwidget.pictures.explain import explain_methods
from camwidget.pictures.result import Explanation
from tests.browser.lab import new_page
from tests.browser.standin import PIXELS, mount


@pytest.fixture(scope="module")
def results() -> dict[str, Explanation]:
    """A small network and a picture that is not square, so that a swapped axis fails."""
    torch.manual_seed(1)
    net = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 6, 5, stride=4), nn.ReLU(), nn.Conv2d(6, 5, 3, stride=2), nn.ReLU()),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3)),
    )
    names = ["<b>bold</b>", "cat & dog", "third"]
    return explain_methods(net, torch.randn(1, 3, 90, 130), class_names=names)


@pytest.fixture
def view(results: dict[str, Explanation]) -> HeatmapView:
    made = HeatmapView()
    made.show(results)
    return made


def painted(page: Page) -> np.ndarray:
    width, height, data = page.evaluate(PIXELS)
    return np.array(data, dtype=np.uint8).reshape(height, width, 4)[..., :3]


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

"""Panels saved as one file: what is in it, where it may be saved, and that it slides in a browser from the disk."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page, expect

from camwidget.errors import ExportError
from camwidget.panel.base import SlidingPanel
from camwidget.panel.colours import overlay
from camwidget.panel.export import save_page
from camwidget.panel.packing import unpacked
from camwidget.panel.picture import CamPanel
from camwidget.panel.still import shared_scale
from camwidget.panel.text import TextCamPanel
from tests.browser.barriers import barriers
from tests.browser.lab import chromium_browser
from tests.browser.standin import PIXELS
from tests.browser.words import close, expected, painted
from tests.patience import STUCK_S
from tests.text.toys import Reviews
from tests.toys import strided

HOSTILE = "</script><script>window.hacked=1</script><!-- good film"


def picture_panel() -> CamPanel:
    net = strided(3)
    return CamPanel(net, torch.randn(1, 3, 90, 130), class_names=[HOSTILE, "cat & dog", "third"])


def text_panel() -> TextCamPanel:
    return TextCamPanel(Reviews().double(), HOSTILE, class_names=["bad", HOSTILE])


@pytest.fixture(params=[picture_panel, text_panel], ids=["picture", "text"])
def panel(request: pytest.FixtureRequest) -> SlidingPanel:
    return request.param()


def test_the_page_carries_its_rules_and_its_data_cannot_end_its_script(panel: SlidingPanel, tmp_path: Path) -> None:
    source = panel.save_html(tmp_path / "panel.html").read_text("utf-8")

    assert source.count("<script") == 2
    assert source.count("</script") == 2
    data = json.loads(re.search(r'id="camw-data">(.*?)</script>', source, re.DOTALL)[1])
    assert unpacked(base64.b64decode(data["packed"])) == panel.view.maps
    assert data["state"]["manifest"] == json.loads(json.dumps(panel.view.manifest))
    assert HOSTILE in [each["name"] for each in data["state"]["manifest"]["classes"]]
    script = re.search(r'<script type="module">(.*?)</script>', source, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'sha256-" in source
    assert re.findall(r"(?:src|href)\s*=|url\(|https?://|@import|unsafe", source.replace(data_of(source), "")) == []


def data_of(source: str) -> str:
    return re.search(r'id="camw-data">(.*?)</script>', source, re.DOTALL)[1]


def test_the_page_starts_where_the_panel_stands(panel: SlidingPanel, tmp_path: Path) -> None:
    panel.layer, panel.signed, panel.method = panel.result.layers[0].name, False, "grad_cam"

    state = json.loads(data_of(panel.save_html(str(tmp_path / "panel.htm")).read_text("utf-8")))["state"]

    assert (state["layer_index"], state["only_for"], state["method_index"]) == (0, 1, 1)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("panel.txt", "'panel.html'"),
        ("missing/panel.html", "No such file"),
        ("", "'panel.html'|html"),
        ("folder.html", "directory"),
    ],
)
def test_a_bad_path_is_told_in_three_parts(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "folder.html").mkdir()

    with pytest.raises(ExportError, match=words) as caught:
        text_panel().save_html(tmp_path / name)

    assert "ends in .html" in str(caught.value)


@pytest.mark.parametrize("path", [None, 3, b"panel.html"])
def test_what_is_no_path_is_refused(path: Any) -> None:
    with pytest.raises(ExportError, match=type(path).__name__):
        save_page("", path)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with chromium_browser(chromium) as running:
        yield running


@pytest.fixture
def opened(browser: Browser, panel: SlidingPanel, tmp_path: Path) -> Iterator[Page]:
    """The saved page, opened from the disk; afterwards: nothing was asked of a network, and no error was told."""
    context = browser.new_context(offline=True, color_scheme="dark", viewport={"width": 900, "height": 1200})
    context.set_default_timeout(1000 * STUCK_S)
    page = context.new_page()
    asked: list[str] = []
    told: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: told.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(panel.save_html(tmp_path / "panel.html").as_uri())
    page.wait_for_selector(".camw-view[data-painted]")
    yield page
    hacked = page.evaluate("() => window.hacked")
    context.close()
    assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []
    assert len([url for url in asked if url.startswith("file:")]) == 1
    assert told == []
    assert hacked is None


def test_the_saved_page_slides(opened: Page, panel: SlidingPanel) -> None:
    view = opened.locator(".camw-view")
    layer, target = panel.result.layers[-2].name, panel.result.target_classes[1]

    opened.get_by_role("slider", name="Layer").press("ArrowLeft")
    opened.get_by_role("slider", name="Class").press("ArrowRight")
    expect(view).to_have_attribute("data-painted", f"{panel.method}/{layer}/{target}")
    opened.get_by_role("combobox", name="Method").select_option("CAM")
    expect(view).to_have_attribute("data-painted", f"cam/{layer}/{target}")
    expect(opened.locator(".camw-reason").first).to_contain_text("would not add up")
    opened.locator(".camw-class").first.click()
    assert opened.get_by_role("slider", name="Class").input_value() == "0"


@pytest.mark.parametrize("panel", [picture_panel], indirect=True, ids=["picture"])
def test_the_saved_page_paints_the_pixels_of_the_python_reference(opened: Page, panel: CamPanel) -> None:
    result, layer = panel.result, panel.result.layers[0].name
    scale = shared_scale([result.cams[layer]], signed=True)
    reference = np.asarray(overlay(result.image, result.cam(layer, panel.target_class), scale=scale)).astype(int)

    opened.get_by_role("slider", name="Layer").press("Home")
    width, height, data = opened.evaluate(PIXELS)

    painted = np.array(data).reshape(height, width, 4)[..., :3]
    assert painted.shape == (90, 130, 3)
    assert np.abs(painted - reference).max() <= 6  # one step of the colour table
    assert (np.abs(painted - reference) > 2).mean() < 0.002  # the browser blends in whole levels


@pytest.mark.parametrize("panel", [text_panel], indirect=True, ids=["text"])
def test_the_saved_page_gives_every_word_its_colour(opened: Page, panel: TextCamPanel) -> None:
    for key, layer in (("End", "conv3"), ("Home", "embedding")):
        opened.get_by_role("slider", name="Layer").press(key)

        wanted = expected(panel.result, layer, panel.target_class, on_dark=True)
        assert np.ptp(wanted[:, :3]) > 0
        assert close(painted(opened), wanted)


def test_the_saved_page_is_dark_where_the_system_is(opened: Page) -> None:
    assert opened.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 28)"
    assert (
        opened.locator(".camw-heading").evaluate("(e) => getComputedStyle(e.firstChild).color") == "rgb(232, 235, 239)"
    )


def test_nothing_in_the_saved_page_keeps_people_out(opened: Page) -> None:
    assert barriers(opened) == []

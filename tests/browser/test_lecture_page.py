"""What a lecture needs, on a bare page and a saved one: playing, taking back, the whole screen, the sheet of keys."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from torch import nn

from camwidget.panel.modes import MODES
from camwidget.panel.picture import CamPanel
from camwidget.panel.text import TextCamPanel
from tests.browser.barriers import barriers
from tests.browser.lab import new_page
from tests.browser.standin import mount
from tests.text.toys import Reviews

LAYERS = 4
PLAY, STOP, NEXT = "Play through the layers", "Stop", "Show the next layer"
LAYER = "() => model.get('layer_index')"


@pytest.fixture(scope="module")
def panel() -> CamPanel:
    torch.manual_seed(1)
    blocks = [nn.Sequential(nn.Conv2d(3 if not k else 6, 6, 3, stride=2), nn.ReLU()) for k in range(LAYERS)]
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 12))
    net = nn.Sequential(*blocks, head).eval()
    names = [f"kind {letter}" for letter in "abcdefghijkl"]
    shown = CamPanel(net, torch.randn(1, 3, 90, 130), layers=[str(k) for k in range(LAYERS)], class_names=names)
    assert len(shown.result.layers) == LAYERS
    return shown


@pytest.fixture
def ticking(page: Page, panel: CamPanel) -> Page:
    """The view at its last layer, on a page whose clock is moved by hand."""
    page.clock.install()
    mount(page, panel.view, layer_index=LAYERS - 1)
    return page


@pytest.fixture
def saved(browser: Browser, panel: CamPanel, tmp_path: Path) -> Iterator[Page]:
    """The saved page, on a screen of twice 960 by 540."""
    page = new_page(browser, width=1920, height=1080)
    page.goto(panel.save_html(tmp_path / "panel.html").as_uri())
    page.wait_for_selector(".camw-view[data-painted]")
    yield page
    page.close()


def test_it_plays_from_the_first_layer_to_the_last_and_that_is_one_step_to_take_back(ticking: Page) -> None:
    slider = ticking.get_by_role("slider", name="Layer")
    slider.focus()

    ticking.get_by_role("button", name=PLAY).click()
    assert ticking.evaluate(LAYER) == 0
    seen = []
    for _ in range(LAYERS + 1):
        ticking.clock.run_for(1000)
        seen.append(ticking.evaluate(LAYER))

    assert seen == [1, 2, 3, 3, 3]
    expect(ticking.get_by_role("button", name=PLAY)).to_be_visible()
    slider.press("u")
    assert ticking.evaluate(LAYER) == LAYERS - 1
    slider.press("p")
    assert ticking.evaluate(LAYER) == 0
    slider.press("p")
    ticking.clock.run_for(5000)
    assert ticking.evaluate(LAYER) == 0


HIDDEN = """(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
INPUTS = {
    "a key": """() => {
      document.querySelector(".camw-heat").dispatchEvent(new KeyboardEvent("keydown", { key: "x", bubbles: true }));
    }""",
    "a press beside the panel": "() => document.body.dispatchEvent(new PointerEvent('pointerdown', {bubbles: true}))",
    "a hidden page": f"() => ({HIDDEN})(true)",
    "a slider that somebody else moves": "() => model.set('layer_index', 3)",
    "a panel that is not seen": "() => { document.querySelector('.camw-view').style.display = 'none'; }",
}


def test_any_other_input_ends_it_and_so_does_whoever_looks_elsewhere(ticking: Page) -> None:
    button = ticking.locator(".camw-tool").first
    ended = {}
    for what, script in INPUTS.items():
        ticking.evaluate("() => model.set('layer_index', 3)")
        button.click()
        ticking.clock.run_for(1000)
        assert (ticking.evaluate(LAYER), button.get_attribute("aria-label")) == (1, STOP)

        ticking.evaluate(script)
        before = ticking.evaluate(LAYER)
        ticking.clock.run_for(5000)
        ended[what] = (ticking.evaluate(LAYER) == before, button.get_attribute("aria-label"))
        ticking.evaluate(HIDDEN, False)

    assert ended == dict.fromkeys(INPUTS, (True, PLAY))


def test_a_view_that_is_removed_plays_no_more(ticking: Page) -> None:
    ticking.get_by_role("button", name=PLAY).click()

    ticking.evaluate("() => unmount()")
    ticking.clock.run_for(5000)

    assert ticking.evaluate(LAYER) == 0


def test_where_motion_is_not_wanted_each_press_shows_one_layer(ticking: Page) -> None:
    ticking.emulate_media(reduced_motion="reduce")
    button = ticking.get_by_role("button", name=NEXT)

    button.click()
    ticking.clock.run_for(5000)
    assert ticking.evaluate(LAYER) == 0
    button.click()
    assert ticking.evaluate(LAYER) == 1


HEARD = """() => {
  window.heard = [];
  document.addEventListener("keydown", (event) => heard.push(event.key));
}"""


@pytest.mark.parametrize("live", [0, 1])
def test_the_sheet_lists_every_key_and_gives_the_focus_back(page: Page, panel: CamPanel, live: int) -> None:
    mount(page, panel.view, live=live)
    slider, sheet = page.get_by_role("slider", name="Layer"), page.get_by_role("dialog", name="Keys")
    slider.focus()
    page.evaluate(HEARD)

    page.keyboard.press("?")
    table = page.evaluate("() => module.KEY_TABLE")
    left_out = {"words", "deletion"} | (set() if live else {"list", "search", "hide"})
    words = sheet.locator("td").all_inner_texts()
    assert words == [
        row["words"] for name, group in table.items() if name not in left_out for row in group["rows"].values()
    ]
    assert page.evaluate("() => document.activeElement.textContent") == "Close"
    page.keyboard.press("p")
    assert page.evaluate(LAYER) == panel.view.layer_index
    assert barriers(page) == []
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(slider).to_be_focused()
    for _ in range(2):
        page.keyboard.press("?")
    expect(sheet).to_be_hidden()
    expect(slider).to_be_focused()
    page.keyboard.press("Control+s")

    assert [key for key in page.evaluate("() => heard") if key not in ("Control", "Escape")] == ["s"]


def test_letters_are_left_to_what_is_typed_and_to_lists(page: Page, panel: CamPanel) -> None:
    mount(page, panel.view)
    find = page.get_by_role("combobox", name="Find another class")

    find.press_sequentially("pu?f")
    page.get_by_role("combobox", name="Method").press("u")
    page.get_by_role("slider", name="Layer").press("Alt+u")

    expect(find).to_have_value("pu?f")
    assert page.get_by_role("dialog").count() == 0
    assert page.evaluate("() => [model.get('layer_index'), model.get('method_index')]") == [
        panel.view.layer_index,
        panel.view.method_index,
    ]


def test_on_a_saved_page_choices_are_taken_back_one_by_one_and_keys_need_no_focus(saved: Page) -> None:
    view = saved.locator(".camw-view")
    undo = saved.get_by_role("button", name="Undo the last choice")
    start = view.get_attribute("data-painted")
    assert start
    expect(undo).to_have_attribute("aria-disabled", "true")

    saved.get_by_role("combobox", name="Method").select_option("CAM")
    saved.get_by_role("slider", name="Layer").press("ArrowLeft")
    saved.get_by_role("slider", name="Layer").press("ArrowLeft")  # one slide
    saved.get_by_role("tab", name="Compare").click()
    between = view.get_attribute("data-painted")
    undo.click()
    expect(view).to_have_attribute("data-mode", "slide")
    expect(view).to_have_attribute("data-painted", between)
    undo.focus()
    saved.evaluate("() => document.activeElement.blur()")
    saved.keyboard.press("u")
    expect(view).to_have_attribute("data-painted", re.sub("^grad_cam", "cam", start))
    saved.keyboard.press("u")

    expect(view).to_have_attribute("data-painted", start)
    expect(undo).to_have_attribute("aria-disabled", "true")
    name = saved.locator(".camw-class[aria-pressed=true] .camw-name").inner_text().replace(" ", "+")
    assert saved.url.endswith(f"#layer={LAYERS - 1}&class={name}&method=grad_cam")


def test_a_link_to_what_needs_a_kernel_opens_the_saved_page_at_the_map(saved: Page) -> None:
    saved.goto(saved.url.split("#")[0] + "#mode=hide&layer=nowhere")
    saved.reload()

    expect(saved.locator(".camw-view")).to_have_attribute("data-mode", "slide")
    expect(saved.get_by_role("tab", name="Slide")).to_have_attribute("aria-selected", "true")


def test_the_whole_screen_enlarges_the_panel_and_the_pointer_still_meets_its_cell(saved: Page, panel: CamPanel) -> None:
    box = saved.locator(".camw-frame .camw-picture")
    small = box.bounding_box()
    full = saved.get_by_role("button", name="Full screen", exact=True)

    full.click()
    expect(saved.get_by_role("button", name="Leave full screen")).to_be_visible()
    assert saved.evaluate("() => document.fullscreenElement.tagName") == "MAIN"
    large = box.bounding_box()
    assert small
    assert large
    assert large["width"] > 1.5 * small["width"]
    assert saved.evaluate("() => document.fullscreenElement.scrollHeight <= document.fullscreenElement.clientHeight")
    saved.mouse.move(large["x"] + 0.99 * large["width"], large["y"] + 0.99 * large["height"])
    rows, columns = panel.result.cams[panel.layer].shape[1:]
    expect(saved.locator(".camw-probe")).to_contain_text(f"Row {rows} of {rows}, column {columns} of {columns}")
    saved.mouse.click(large["x"] + large["width"] + 5, large["y"] + large["height"])  # beside all controls
    saved.keyboard.press("?")
    expect(saved.get_by_role("dialog", name="Keys")).to_be_visible()
    assert barriers(saved) == []
    saved.keyboard.press("?")
    saved.keyboard.press("f")

    expect(full).to_be_visible()
    assert saved.evaluate("() => document.fullscreenElement") is None
    assert box.bounding_box() == small


def test_where_the_page_may_not_fill_the_screen_nothing_offers_it(page: Page, panel: CamPanel) -> None:
    page.add_init_script("Object.defineProperty(Document.prototype, 'fullscreenEnabled', { get: () => false });")

    mount(page, panel.view)

    expect(page.locator(".camw-tool:visible")).to_have_count(3)
    page.get_by_role("slider", name="Layer").press("f")
    assert page.evaluate("() => document.fullscreenElement") is None


def test_a_text_is_played_and_taken_back_too(page: Page) -> None:
    text = TextCamPanel(Reviews().double(), "not bad at all")
    page.clock.install()
    mount(page, text.view)
    count = len(text.result.layers)

    page.get_by_role("button", name=PLAY).click()
    page.clock.run_for(1000 * count)
    assert page.evaluate(LAYER) == count - 1
    page.get_by_role("slider", name="Class").press("ArrowDown")
    page.locator(".camw-word").first.press("u")
    assert page.evaluate("() => model.get('class_index')") == text.view.class_index
    page.locator(".camw-word").first.press("?")

    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("the word on the right")
    assert barriers(page) == []


def barriers_in_both_themes(page: Page, inside: str = "html") -> list[str]:
    """What axe finds on a light page, and what it finds of colours on a dark one."""
    found = barriers(page, inside)
    page.emulate_media(color_scheme="dark")
    expect(page.locator(".camw-view")).to_have_attribute("data-camw-dark", "")
    found += barriers(page, inside, rules=["color-contrast"])
    page.emulate_media(color_scheme="light")
    expect(page.locator(".camw-view:not([data-camw-dark])")).to_be_visible()
    return found


def test_nothing_keeps_people_out_of_any_tab(saved: Page) -> None:
    found: dict[str, list[str]] = {}

    saved.get_by_role("tab", name="Compare").click()
    found["compare"] = barriers_in_both_themes(saved)
    saved.get_by_role("combobox", name="Shown").select_option("by a swipe")
    found["swipe"] = barriers_in_both_themes(saved)
    saved.get_by_role("tab", name="Guess").click()
    found["guess"] = barriers_in_both_themes(saved)
    saved.locator(".camw-frame").press("ArrowUp")
    saved.locator(".camw-frame").press("Enter")
    expect(saved.locator(".camw-guess .camw-big")).to_contain_text(re.compile("cell"))
    found["revealed"] = barriers_in_both_themes(saved)

    assert found == {"compare": [], "swipe": [], "guess": [], "revealed": []}


KERNEL = """([index, hidden, inside, cells]) => {
  model.set("mode_index", index);
  model.set("regions", hidden.regions);
  model.set("hidden", hidden);
  model.set("inside_maps", new DataView(new Float32Array(cells).fill(3.1).buffer));
  model.set("inside", inside);
  model.set("place", [0.01, 0.01]);
}"""
"""What a kernel says of hidden parts and of a cell."""


def test_nothing_keeps_people_out_of_what_a_kernel_says(page: Page, panel: CamPanel) -> None:
    mount(page, panel.view)
    dark = "@media (prefers-color-scheme: dark) { body { background: #14181c } }"
    page.add_style_tag(content=f":root {{ color-scheme: light dark; }} {dark}")
    layer, classes = panel.view.manifest["layers"][panel.view.layer_index], panel.view.manifest["classes"]
    said = {"logit": 0.1, "value": 0.2, "other_logit": 0.3, "other_value": 0.1}
    hidden = {"regions": [[0.1, 0.1, 0.5, 0.5]], "way": 0, "places": 3, "example": [[0.5, 0.5, 0.9, 0.9]]}
    hidden["classes"] = {str(each["index"]): said for each in classes}
    channel = {"index": 2, "activation": 3.1, "weight": -0.08, "adds": -0.248}
    pixels = {"top": 0, "left": 0, "bottom": 40, "right": 30}
    inside = {
        "layer": layer["name"],
        "method": panel.method,
        "class": classes[0]["index"],
        "cell": [0, 0],
        "reason": "",
    }
    inside |= {"channels": [channel], "count": 5, "rest": 0.1, "seen": pixels, "most": pixels}
    told = [hidden, inside, layer["map_height"] * layer["map_width"]]
    found: dict[str, list[str]] = {}

    page.evaluate(KERNEL, [MODES.index("hide"), *told])
    expect(page.locator(".camw-hide")).to_contain_text("mean of 3 places")
    found["hide"] = barriers_in_both_themes(page, ".camw-view")
    page.evaluate(KERNEL, [MODES.index("slide"), *told])
    expect(page.locator(".camw-channel")).to_be_visible()
    found["inside"] = barriers_in_both_themes(page, ".camw-view")

    assert found == {"hide": [], "inside": []}


def test_in_hide_the_list_is_one_stop_and_keeps_the_focus(page: Page, panel: CamPanel) -> None:
    mount(page, panel.view, mode_index=MODES.index("hide"))
    rows = page.locator("button.camw-hide-row")

    assert rows.evaluate_all("(all) => all.filter((each) => each.tabIndex === 0).length") == 1
    rows.first.press("ArrowDown")
    rows.nth(1).press("ArrowDown")

    expect(rows.nth(2)).to_be_focused()
    assert page.evaluate("() => model.get('class_index')") == 2
    rows.nth(2).press("End")
    expect(rows.last).to_be_focused()

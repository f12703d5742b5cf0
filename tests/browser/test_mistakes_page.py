"""The gallery of mistakes on a bare page, its pictures sent by the panel's own code; and as a saved page."""

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from camwidget.mistakes.find import find_mistakes
from camwidget.mistakes.found import Found
from camwidget.mistakes.groups import group_maps
from camwidget.panel.colours import overlay
from camwidget.panel.gallery import TILE_PIXELS, tile_of
from camwidget.panel.mistakes import MistakesPanel
from tests.browser.barriers import barriers
from tests.browser.gallery import many, rows_shown, tiles
from tests.browser.lab import new_page
from tests.browser.standin import mount
from tests.mistakes.small import loader, network

NAMES = ["<b>bold</b>", "cat & dog", "third"]
PIXELS_OF = """\
(canvas) => {
  const {data, width, height} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [width, height, Array.from(data)];
}"""
PLAIN_PAGE = """\
(dark) => {
  document.body.style.background = dark ? "#14181c" : "#fff";
  document.documentElement.lang = "en";
  document.title = "mistakes";
}"""


@pytest.fixture(scope="module")
def found() -> Found:
    torch.manual_seed(1)
    return find_mistakes(network(), loader(40), class_names=NAMES, progress=False)


@pytest.fixture
def panel(found: Found) -> MistakesPanel:
    found.tags.replace(type(found.tags)())
    return MistakesPanel(found)


def answer(page: Page, found: Found) -> list[int]:
    """Send every picture that was asked for, as the panel does; the rows."""
    page.wait_for_function("() => (window.sent ?? []).some((each) => each.do === 'tiles')")
    asked = page.evaluate("() => window.sent.splice(0)")
    rows = [row for each in asked if each["do"] == "tiles" for row in each["rows"]]
    for row in rows:
        entry, picture, maps = tile_of(found, row)
        buffers = [base64.b64encode(each).decode() for each in (picture, maps)]
        page.evaluate("([content, buffers]) => tell(content, buffers)", [{"tiles": [entry]}, buffers])
    return rows


def test_the_mistakes_come_first_by_loss_and_in_the_order_that_is_chosen(page: Page, panel: MistakesPanel) -> None:
    mount(page, panel.view)
    wrong = panel.found.wrong

    assert rows_shown(page) == list(wrong.index)[:24]
    page.get_by_role("button", name="most in doubt").click()
    assert rows_shown(page) == list(wrong.sort_values("margin", kind="stable").index)[:24]
    page.get_by_role("button", name="surest").click()
    assert rows_shown(page) == list(wrong.sort_values("p_said", ascending=False, kind="stable").index)[:24]
    page.get_by_role("button", name="right", exact=True).click()
    right = panel.found.table[panel.found.table["right"]]
    assert sorted(rows_shown(page)) == sorted(right.index)
    expect(page.locator(".camw-what").first).to_have_text(f"{len(right)} right answers")


def test_a_cell_of_the_matrix_shows_its_pictures_and_once_more_all(page: Page, panel: MistakesPanel) -> None:
    mount(page, panel.view)
    counts = panel.found.confusion().to_numpy()
    i, k = next((i, k) for i in range(3) for k in range(3) if i != k and counts[i, k])

    cell = page.get_by_role("button", name=f"{counts[i, k]} picture", exact=False).and_(
        page.locator(f'[data-cell="{i} {k}"]')
    )
    cell.click()

    assert sorted(rows_shown(page)) == panel.found.rows_of(NAMES[i], NAMES[k])
    expect(cell).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".camw-what").first).to_have_text(f"{counts[i, k]} × {NAMES[i]}, called {NAMES[k]}")
    cell.click()
    assert page.evaluate("() => model.get('cell')") == []
    expect(page.locator(".camw-what").first).to_have_text(f"{len(panel.found.wrong)} mistakes")


@pytest.mark.parametrize("kind", ["said", "true", "difference"])
def test_a_tile_has_the_colours_of_the_python_reference(page: Page, found: Found, kind: str) -> None:
    found = replace(found, maps=np.random.default_rng(2).uniform(-1, 1, found.maps.shape).astype(np.float32))
    choice = "difference" if kind == "difference" else "both"
    mount(page, MistakesPanel(found).view, maps=choice)
    shown = [found.place(row) for row in found.wrong.index]
    answer(page, found)
    expect(tiles(page).first).to_have_attribute("data-painted", choice)
    said, true = found.maps[shown[0]]
    cams = {"said": said, "true": true, "difference": said - true}
    scale = np.abs(found.differences()[shown] if kind == "difference" else found.maps[shown]).max()

    width, height, data = tiles(page).first.locator(f'canvas[data-kind="{kind}"]').evaluate(PIXELS_OF)

    assert (width, height) == (160, 107)
    painted = np.array(data).reshape(height, width, 4)[..., :3]
    picture = Image.open(io.BytesIO(tile_of(found, int(found.wrong.index[0]))[1])).convert("RGB")
    ground = picture.resize((width, height), Image.Resampling.BICUBIC)
    off = {
        (name, sign): np.abs(
            painted
            - np.asarray(overlay(ground, torch.from_numpy(sign * cam), scale=float(scale), heatmap_opacity=0.72), int)
        ).mean()
        for name, cam in cams.items()
        for sign in (1, -1)
    }
    # not zero: the browser enlarges such small pictures in a way of its own
    assert min(off, key=lambda each: off[each]) == (kind, 1)
    assert off.pop((kind, 1)) < 6
    assert min(off.values()) > 12


def test_the_keyboard_walks_and_opens(page: Page, panel: MistakesPanel) -> None:
    mount(page, panel.view)
    order = list(panel.found.wrong.index)

    tiles(page).first.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_attribute("data-number", "4")
    page.keyboard.press("Enter")

    assert page.evaluate("() => model.get('opened')") == order[4]
    expect(tiles(page).nth(4)).to_have_attribute("aria-selected", "true")
    opened = page.locator(".camw-opened")
    expect(opened).to_contain_text(f"number 5 of {len(order)}")
    page.get_by_role("button", name="next").click()
    assert page.evaluate("() => model.get('opened')") == order[5]
    tiles(page).nth(4).press("End")
    expect(page.locator(":focus")).to_have_attribute("data-row", str(order[-1]))
    page.keyboard.press("Home")
    expect(page.locator(":focus")).to_have_attribute("data-row", str(order[0]))
    page.get_by_role("button", name="close").click()
    expect(opened).to_be_hidden()
    assert tiles(page).first.get_attribute("data-lm-suppress-shortcuts") == "true"


def test_a_picture_gets_tags_and_pictures_are_found_by_them(page: Page, panel: MistakesPanel) -> None:
    mount(page, panel.view)
    row = int(panel.found.wrong.index[2])
    tiles(page).nth(2).click()

    page.get_by_role("group", name="Tags of this picture").get_by_role("button", name="a shortcut").click()
    own = page.get_by_role("textbox", name="A tag in your own words")
    own.fill("  seen; before ")
    own.press("Enter")

    assert page.evaluate("() => model.get('tags')") == {"a shortcut": [row], "seen before": [row]}
    panel.view.tags = page.evaluate("() => model.get('tags')")
    assert panel.found.tags.of(row) == ["a shortcut", "seen before"]
    page.get_by_role("group", name="Show pictures with a tag").get_by_role("button", name="a shortcut 1").click()
    assert rows_shown(page) == [row]
    page.get_by_role("button", name="show all mistakes").click()
    assert len(rows_shown(page)) > 1


def test_a_group_shows_its_pictures_right_ones_too(page: Page, found: Found) -> None:
    groups = group_maps(found)
    mount(page, MistakesPanel(found, groups=groups).view)

    page.locator(".camw-group").first.click()

    shown = rows_shown(page)
    assert len(shown) == min(24, len(groups[0]))  # further ones are far below
    assert set(shown) <= set(groups[0].rows)
    assert page.evaluate("() => [model.get('group'), model.get('shown')]") == [0, "all"]
    expect(page.locator(".camw-group").first).to_have_attribute("aria-pressed", "true")


def test_a_picture_that_is_gone_says_so_in_its_tile(page: Page, panel: MistakesPanel) -> None:
    mount(page, panel.view)
    row = rows_shown(page)[0]

    entry = {"row": row, "map_height": 5, "map_width": 8, "problem": "The file <i>vanished</i>"}
    page.evaluate("([entry]) => tell({tiles: [entry]}, ['', ''])", [entry])

    expect(tiles(page).first.locator(".camw-lost").first).to_have_text("The file <i>vanished</i>")


def test_names_stay_text_and_a_closed_view_leaves_no_listener(page: Page, panel: MistakesPanel) -> None:
    mount(page, panel.view)

    assert page.locator(".camw-view b", has_text="bold").count() > 0
    assert NAMES[0] in page.locator(".camw-confusion").inner_text()
    assert page.locator(".camw-confusion b").count() == 0
    page.evaluate("() => unmount()")
    assert page.evaluate("() => listening()") == 0


def test_of_many_classes_the_pairs_that_are_confused_most_are_listed(page: Page) -> None:
    found = many(3000, classes=1000)
    mount(page, MistakesPanel(found).view)
    pairs = found.most_confused(12)

    assert page.locator(".camw-pair").count() == 12
    assert page.locator(".camw-pair .camw-percent").all_inner_texts() == [str(each) for each in pairs["count"]]
    page.locator(".camw-pair").first.click()
    true, said = page.evaluate("() => model.get('cell')")
    assert sorted(rows_shown(page)) == found.rows_of(true, said)


def test_a_kernel_that_does_not_answer_is_told(page: Page, panel: MistakesPanel) -> None:
    mount(page, panel.view)
    answer(page, panel.found)
    page.evaluate("() => { model.send = () => {}; }")

    page.get_by_role("button", name="all", exact=True).click()
    tiles(page).nth(1).click()

    expect(page.get_by_role("status")).to_contain_text("The kernel is busy. Pictures that are not here yet wait")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_keeps_people_out_and_it_fits_a_phone(browser: Browser, found: Found, dark: bool) -> None:
    page = new_page(browser, width=320, height=700)
    page.emulate_media(color_scheme="dark" if dark else "light")
    mount(page, MistakesPanel(found, groups=group_maps(found)).view, opened=int(found.wrong.index[0]))
    page.evaluate(PLAIN_PAGE, dark)
    answer(page, found)
    expect(tiles(page).first).to_have_attribute("data-painted", "both")
    expect(page.locator(".camw-opened")).to_be_visible()

    assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
    assert page.locator(".camw-view").get_attribute("data-camw-dark") == ("" if dark else None)
    assert barriers(page, ".camw-view") == []
    page.close()


_LAST = ("spaniel", "terrier", "crab", "lion", "ant", "bee", "cow", "dog", "elk", "fox", "gnu", "hen")
ALIKE = [f"King Charles {each}" for each in _LAST]
# Names of the confusion table that are cut, or that other cells lie over.
CUT = """\
() => [...document.querySelectorAll(".camw-heading-name")].filter((each) => {
  const [own, cell] = [each, each.parentElement].map((one) => one.getBoundingClientRect());
  const cut = each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1;
  return cut || own.left < cell.left - 1 || own.right > cell.right + 1 || own.top < cell.top - 1 || !own.width;
}).map((each) => each.textContent)"""


@pytest.mark.parametrize("count", [2, 4, 5, 12])
def test_names_that_begin_alike_are_read_to_their_end_in_every_width(page: Page, count: int) -> None:
    found = many(40, classes=count)
    mount(page, MistakesPanel(replace(found, class_names=tuple(ALIKE[:count]))).view)

    for width in (1280, 760, 560, 460, 380):
        page.set_viewport_size({"width": width, "height": 720})
        assert page.locator(".camw-heading-name").count() == 2 * count
        assert page.evaluate(CUT) == [], width
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_no_name_makes_the_page_wider_or_turns_its_sentences_around(page: Page) -> None:
    torch.manual_seed(1)
    names = ["x" * 300, "\u05e9\u05dc\u05d5\u05dd (\u05e2\u05d5\u05dc\u05dd)", "y" * 300]
    found = find_mistakes(network(), loader(12), class_names=names, progress=False)
    mount(page, MistakesPanel(found, groups=group_maps(found)).view)

    for width in (1280, 560, 380):
        page.set_viewport_size({"width": width, "height": 720})
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        shares = page.locator(".camw-word-line").evaluate_all(
            "(all) => all.map((each) => { const range = document.createRange(); range.selectNode(each.lastChild);"
            " return range.getBoundingClientRect().right <= each.getBoundingClientRect().right + 1; })"
        )
        assert shares
        assert all(shares)
    text = page.locator(".camw-group-text").first.inner_text()
    assert f"4 \u2068{names[1]}\u2069" in text


def test_a_saved_page_works_without_a_kernel(browser: Browser, panel: MistakesPanel, tmp_path: Path) -> None:
    context = browser.new_context(offline=True)
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: told.append(str(error)))

    page.goto(panel.save_html(tmp_path / "mistakes.html", pictures=8).as_uri())
    page.wait_for_selector(".camw-view[data-painted]")

    expect(tiles(page).nth(7)).to_have_attribute("data-painted", "both")
    expect(tiles(page).nth(8).locator(".camw-lost").first).to_have_text("not saved with this page")
    tiles(page).nth(1).click()
    large = page.locator(".camw-large canvas")
    expect(large).to_have_count(3)
    expect(large.nth(1)).to_have_js_property("width", 320)  # pictures come one by one
    page.get_by_role("button", name="difference").click()
    expect(tiles(page).first).to_have_attribute("data-painted", "difference")
    assert barriers(page) == []
    context.close()
    assert told == []


def test_the_panel_says_what_it_sends_in_json(found: Found) -> None:
    manifest = MistakesPanel(found, groups=group_maps(found)).view.manifest

    assert json.loads(json.dumps(manifest, allow_nan=False)) == manifest
    assert TILE_PIXELS >= 160

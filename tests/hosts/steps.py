"""What one does with the panels in any host, step by step; each is handed the page and whether the host is dark."""

import re
from collections.abc import Callable

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.lab import new_page
from tests.hosts.apps import PICTURE
from tests.patience import HANGING_S

PANELS = 3

# The letters' own contrast with the first background behind them that is not transparent, through shadow trees.
CONTRAST = """\
(at) => {
  const sheet = document.createElement("canvas").getContext("2d");
  const numbers = (colour) => {
    sheet.clearRect(0, 0, 1, 1);
    sheet.fillStyle = colour;
    sheet.fillRect(0, 0, 1, 1);
    return [...sheet.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => {
    const shares = colour.slice(0, 3).map((each) => each / 255);
    const [r, g, b] = shares.map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const letters = light(numbers(getComputedStyle(at).color));
  for (let box = at; box; box = box.assignedSlot ?? box.parentElement ?? box.getRootNode().host) {
    const found = numbers(getComputedStyle(box).backgroundColor);
    if (found[3] > 127) {
      const [low, high] = [letters, light(found)].sort((a, b) => a - b);
      return (high + 0.05) / (low + 0.05);
    }
  }
  return 0;
}"""
READABLE = 4.5
# What reaches beyond a view that is wider than its room, seen from its right end.
CUT_OFF = """\
(view) => {
  if (view.scrollWidth <= view.clientWidth) return [];
  const end = view.getBoundingClientRect().right;
  const beyond = [...view.querySelectorAll("*")].filter((each) => each.getBoundingClientRect().right > end + 1);
  return [`${view.scrollWidth} > ${view.clientWidth}`, ...beyond.map((each) => `${each.tagName}.${each.className}`)];
}"""
PIXELS = "(canvas) => canvas.toDataURL()"


def opened(browser: Browser, address: str, *, dark: bool) -> tuple[Page, list[str]]:
    """The page of a host, and the errors that its console will list; the browser prefers the other theme."""
    page = new_page(browser, width=1280, height=720)
    page.emulate_media(color_scheme="light" if dark else "dark")
    errors: list[str] = []
    page.on("console", lambda said: errors.append(f"{said.text} {said.location}") if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address, timeout=1000 * HANGING_S)  # a host may run the whole notebook first
    return page, errors


def picture(page: Page) -> Locator:
    return page.get_by_role("group", name="Heatmap of what the network looks at").first


def starts_where_the_kernel_is(page: Page, dark: bool) -> None:
    """All panels are there; the picture starts with the most probable class at the last layer."""
    expect(page.locator(".camw-view[data-painted]")).to_have_count(
        PANELS, timeout=1000 * HANGING_S
    )  # a host may run all only now
    made: dict[str, object] = {}
    exec(f"{PICTURE}said = cw.explain(net, cw.demo_image('coffee'), class_names=kinds)", made)
    said = made["said"]
    best = int(said.probabilities.argmax())  # type: ignore[attr-defined]
    heading = picture(page).locator(".camw-heading")
    expect(heading).to_have_text(re.compile(rf"^Grad-CAM for class kind {'abcdefghijkl'[best]}, .* at layer 0\.3$"))


def follows_the_theme(page: Page, dark: bool) -> None:
    """The panels are as dark as the host, their letters can be read, and a list has the arrow of a list."""
    views = page.locator(".camw-view")
    for view in views.all():
        expect(view).to_have_attribute("data-camw-dark", "") if dark else expect(view).not_to_have_attribute(
            "data-camw-dark", ""
        )
    for name in (
        ".camw-heading",
        ".camw-class .camw-name >> nth=1",
        ".camw-percent >> nth=1",
        ".camw-look .camw-choice",
    ):
        each = picture(page).locator(name).first
        assert each.evaluate(CONTRAST) >= READABLE, name
    assert page.locator(".camw-textbox textarea").first.evaluate(CONTRAST) >= READABLE
    styles = "(select) => getComputedStyle(select).appearance"
    assert picture(page).locator("select").first.evaluate(styles) == "auto"  # some hosts take it away


def slides(page: Page, dark: bool) -> None:
    """The layer slider moves the map, and the keys stay in the panel."""
    view, slider = picture(page), picture(page).get_by_role("slider", name="Layer")
    before, cells = view.locator(".camw-canvas").evaluate(PIXELS), page.locator(".camw-view").count()
    slider.press("Home")
    expect(view).to_have_attribute("data-painted", re.compile(r"^grad_cam/0\.1/"))
    assert view.locator(".camw-canvas").evaluate(PIXELS) != before
    scrolled = page.evaluate("() => [scrollX, scrollY]")
    for key in ("ArrowDown", "ArrowUp", "PageDown", "PageUp", "d", "a", "b", "x", "Delete", "End"):
        slider.press(key)
    assert page.evaluate("() => [scrollX, scrollY]") == scrolled
    expect(slider).to_be_focused()
    expect(view).to_have_attribute("data-painted", re.compile(r"^grad_cam/0\.3/"))
    assert page.locator(".camw-view").count() == cells
    slider.press("?")
    expect(view.locator(".camw-keys")).to_be_visible()
    slider.page.keyboard.press("Escape")
    expect(view.locator(".camw-keys")).to_be_hidden()


def finds_a_class(page: Page, dark: bool) -> None:
    """A class that is not listed is found by its name, and the kernel explains it."""
    view = picture(page)
    listed = view.locator(".camw-class .camw-name").all_inner_texts()
    missing = next(name for name in (f"kind {letter}" for letter in "abcdefghijkl") if name not in listed)
    find = view.get_by_role("combobox", name="Find another class").first
    find.press_sequentially(missing)
    find.press("Enter")
    expect(view.locator(".camw-heading")).to_contain_text(missing)
    assert len(view.locator(".camw-class").all()) == len(listed) + 1
    expect(view.locator(".camw-numbers .camw-ticks")).to_have_text(re.compile(r"\d.* against.*\d"))  # numbers of a map


def compares(page: Page, dark: bool) -> None:
    """Two classes are compared, with their difference."""
    view = picture(page)
    view.get_by_role("tab", name="Compare").click()
    expect(view.locator(".camw-figure")).to_have_count(3)
    expect(view.locator(".camw-difference .camw-figure-title")).to_have_text(re.compile("^why kind . and not kind .$"))


def hides(page: Page, dark: bool) -> None:
    """A part that is drawn over is hidden, and the kernel answers what that costs."""
    view = picture(page)
    view.get_by_role("tab", name="Hide").click()
    view.locator(".camw-frame").press("ArrowRight")
    expect(view.locator(".camw-hide-big")).to_contain_text(re.compile(r"\d"))
    view.locator(".camw-frame").press("Escape")


def looks_inside(page: Page, dark: bool) -> None:
    """The kernel says which channels a cell is made of."""
    view = picture(page)
    view.get_by_role("tab", name="Slide").click()
    view.locator(".camw-frame").press("ArrowRight")
    view.locator(".camw-frame").press("Enter")
    expect(view.locator(".camw-channel")).not_to_have_count(0)
    view.locator(".camw-frame").press("Enter")


def runs_score_cam(page: Page, dark: bool) -> None:
    """The button under the picture runs Score-CAM."""
    view = picture(page)
    view.get_by_role("combobox", name="Method").select_option("Score-CAM")
    page.get_by_role("button", name=re.compile("^Run Score-CAM at layer 0.3")).click()
    expect(view.locator(".camw-heading")).to_contain_text("Score-CAM for class")
    expect(view.locator(".camw-reason")).to_have_text("")
    expect(page.get_by_role("button", name=re.compile("^Run Score-CAM"))).to_be_hidden()


def words_are_typed_and_deleted(page: Page, dark: bool) -> None:
    """Another text is explained once it is typed, and a click on a word takes it out of the text box too."""
    text, area = page.locator(".camw-text").first, page.locator(".camw-textbox textarea").first
    area.fill("Quite a dull film")
    expect(text).to_have_text(re.compile(r"^\s*Quite\s+a\s+dull\s+film\s*$"))
    text.get_by_text("dull").click()
    expect(area).to_have_value("Quite a film")


def opens_a_mistake(page: Page, dark: bool) -> None:
    """A click on a picture of the gallery opens it in a panel below, which slides."""
    tile = page.locator(".camw-gallery").get_by_role("option").nth(1)
    expect(tile).to_have_attribute("data-painted", "both")
    tile.click()
    below = page.get_by_role("group", name="Heatmap of what the network looks at").nth(1)
    expect(below.locator(".camw-heading")).to_contain_text("Grad-CAM for class")
    below.get_by_role("slider", name="Layer").press("Home")
    expect(below).to_have_attribute("data-painted", re.compile(r"^grad_cam/0\.1/"))
    page.get_by_role("button", name="close").click()
    expect(below).to_have_count(0)


def says_how_to_open_a_mistake(page: Page, dark: bool) -> None:
    """A click on a picture of the gallery says how to open it."""
    tile = page.locator(".camw-gallery").get_by_role("option").nth(1)
    expect(tile).to_have_attribute("data-painted", "both")
    tile.click()
    message = page.locator(".camw-message", has_text="Show it in a cell: cw.CamPanel(found.model, found.picture(")
    expect(message).to_be_visible()
    page.get_by_role("button", name="close").click()
    expect(message).to_be_hidden()


def fits(page: Page, dark: bool) -> None:
    """At 1280 by 720 picture, strip and sliders are visible together; at 560 nothing is cut off."""
    view = picture(page)
    view.evaluate("(each) => each.scrollIntoView({block: 'start'})")
    top, strip = view.locator(".camw-frame").bounding_box(), view.locator(".camw-strip").bounding_box()
    assert top
    assert strip
    assert strip["y"] + strip["height"] - top["y"] <= 720
    page.set_viewport_size({"width": 560, "height": 900})
    for each in page.locator(".camw-view").all():
        assert each.evaluate(CUT_OFF) == []
        box = each.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 560
    view.evaluate("(each) => each.scrollIntoView({block: 'start'})")


def steps_of(*, opens: bool) -> list[Callable[[Page, bool], None]]:
    """All steps in a host where a picture of the gallery opens below it, or does not."""
    first = [starts_where_the_kernel_is, follows_the_theme, slides, finds_a_class, compares, hides, looks_inside]
    mistake = opens_a_mistake if opens else says_how_to_open_a_mistake
    return [*first, runs_score_cam, words_are_typed_and_deleted, mistake, fits]

"""What a learner does with the text panel, in a real JupyterLab with a real kernel."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.lab import jupyterlab, new_page, open_notebook, run_all, write_notebook
from tests.patience import HANGING_S

CELL = """\
import pathlib, time
import camwidget as cw
def wait(*_):
    while pathlib.Path("hold").exists():
        time.sleep(0.05)
learner = cw.text_learner()
_ = learner.model.register_forward_pre_hook(wait)
words = cw.TextCamPanel(learner, "A dull film <b>with</b> a terrible ending.")
runs = []
words.view.observe(lambda change: runs.append(words.text), names=["manifest"])
words"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the notebook lies; as long as a file `hold` is there, the network waits."""
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def lab(browser: Browser, folder: Path) -> Iterator[Page]:
    write_notebook(folder / "words.ipynb", [CELL])
    with jupyterlab(folder) as address:
        page = new_page(browser, width=1300, height=1400)
        open_notebook(page, address, "words.ipynb")
        run_all(page)
        page.wait_for_selector(".camw-view[data-painted]", timeout=1000 * HANGING_S)
        yield page
        page.close()


def parts(lab: Page) -> tuple[Locator, Locator, Locator]:
    """The box, the words and the view of the panel."""
    return lab.locator(".camw-textbox textarea").first, lab.locator(".camw-text").first, lab.locator(".camw-view")


def test_sliding_deleting_and_undoing(lab: Page) -> None:
    box, text, view = parts(lab)

    lab.locator(".camw-strip .camw-range").press("ArrowLeft")
    expect(view).to_have_attribute("data-painted", "hires_cam/conv2/0")
    expect(text).to_have_text("A dull film <b>with</b> a terrible ending.")
    lab.locator(".camw-word", has_text="terrible").click()
    expect(text).to_have_text("A dull film <b>with</b> a ending.")
    expect(lab.locator(".camw-moved")).to_have_text(re.compile(r"^[01]\.\d\d → [01]\.\d\d$"))
    expect(box).to_have_value("A dull film <b>with</b> a ending.")
    lab.get_by_role("button", name="Undo", exact=True).click()
    expect(text).to_have_text("A dull film <b>with</b> a terrible ending.")
    expect(lab.locator(".camw-change")).to_have_text("A click on a word deletes it.")
    expect(box).to_have_value("A dull film <b>with</b> a terrible ending.")  # it follows the words a moment later


def test_typing_says_that_it_is_at_work_and_what_cannot_be_read(lab: Page, folder: Path) -> None:
    box, text, view = parts(lab)

    (folder / "hold").touch()
    box.fill("Not bad at all, and never boring. " * 150)
    try:
        expect(lab.get_by_role("status").filter(has_text="Explaining the text")).to_be_visible()
        expect(lab.locator(".camw-texts")).to_have_attribute("aria-busy", "true")
    finally:
        (folder / "hold").unlink()
    expect(lab.locator(".camw-texts")).to_have_attribute("aria-busy", "false")
    expect(lab.locator(".camw-busy")).to_have_text("")
    expect(text).to_contain_text("Not bad at all")
    box.fill("A dull film <b>with</b> a terrible ending.")
    expect(text).to_have_text("A dull film <b>with</b> a terrible ending.")

    box.fill("")
    expect(lab.locator(".camw-message").first).to_contain_text("The text is empty")
    expect(text).to_have_text("A dull film <b>with</b> a terrible ending.")
    box.press_sequentially("Not bad at all", delay=30)
    expect(text).to_have_text("Not bad at all")
    expect(lab.locator(".camw-message").first).to_be_hidden()
    expect(box).to_have_value("Not bad at all")
    expect(view).to_have_attribute("data-painted", "hires_cam/conv2/0")


def test_a_double_click_deletes_one_word_and_nothing_moves(lab: Page) -> None:
    box, text, _ = parts(lab)

    # the first click is answered before the second is made, so that the next word lies under the pointer by then
    box.fill("A very very very good film.")
    expect(text).to_have_text("A very very very good film.")
    place = lab.locator(".camw-word", has_text="very").first.bounding_box()
    assert place
    lab.mouse.move(place["x"] + 9, place["y"] + 9)
    for count in (1, 2):
        lab.mouse.down(click_count=count)
        lab.mouse.up(click_count=count)
        expect(text).to_have_text("A very very good film.")
    moved = lab.locator(".camw-word", has_text="very").first.bounding_box()
    assert moved == place  # the line that tells what was deleted moved nothing
    lab.get_by_role("button", name="Undo", exact=True).click()
    expect(text).to_have_text("A very very very good film.")


def test_on_a_narrow_screen_nothing_that_the_slider_says_is_cut(lab: Page) -> None:
    lab.set_viewport_size({"width": 560, "height": 1200})
    files = lab.locator("#filebrowser")
    if files.is_visible():
        lab.get_by_role("tab", name=re.compile("^File Browser")).click()
    expect(files).to_be_hidden()

    stops = lab.locator(".camw-stop")
    expect(stops).to_have_text(["embedding", "conv1", "conv2", "conv3"])
    for stop in stops.all():
        lab.wait_for_function("(each) => each.scrollWidth <= each.clientWidth", arg=stop.element_handle())

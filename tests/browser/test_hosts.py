"""A notebook with headings in JupyterLab and Notebook: its keys, what is left when it is opened again, a kernel that is
busy, and what keeps people out."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.barriers import barriers
from tests.browser.lab import jupyterlab, new_page, open_notebook, run_all, run_cell, wait_for_kernel
from tests.patience import HANGING_S

PANEL = """\
import torch, camwidget as cw
from torch import nn
_ = torch.manual_seed(1)
net = nn.Sequential(nn.Sequential(nn.Conv2d(3, 6, 5, stride=4), nn.ReLU(), nn.Conv2d(6, 5, 3, stride=2), nn.ReLU()),
    nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 12)))
panel = cw.CamPanel(net.eval(), cw.demo_image("coffee"), class_names=[f"kind {letter}" for letter in "abcdefghijkl"])
panel"""
WAIT = "import pathlib, time\nwhile not pathlib.Path('end').exists(): time.sleep(0.1)"
SHOWN = ".jp-Cell:visible"


class Host(NamedTuple):
    """A server, a browser, and the folder that it serves."""

    address: str
    browser: Browser
    folder: Path

    def open(self, *, notebook: bool = False) -> Page:
        """The notebook in a new page, with a kernel."""
        page = new_page(self.browser, width=1280, height=900)
        if notebook:
            # A notebook of its own: run again by the same kernel, a cell lets the panel go that it showed before.
            page.goto(f"{self.address}/notebooks/other.ipynb")
            page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=1000 * HANGING_S)
            page.wait_for_selector('[data-status="idle"]', state="attached", timeout=1000 * HANGING_S)
            wait_for_kernel(page, self.address, "other.ipynb")
        else:
            open_notebook(page, self.address, "panel.ipynb")
        return page

    def end(self, page: Page) -> None:
        """Shut down every kernel and close the page: who opens the notebook then finds a server as if it were new."""
        token = next(each["value"] for each in page.context.cookies() if each["name"] == "_xsrf")
        for each in page.request.get(f"{self.address}/api/sessions").json():
            url = f"{self.address}/api/sessions/{each['id']}"
            assert page.request.delete(url, headers={"X-XSRFToken": token}).ok
        page.close()


@pytest.fixture(scope="module")
def host(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("hosts")
    new = nbformat.v4
    cells = [new.new_markdown_cell("# First"), new.new_markdown_cell("## Second"), new.new_code_cell(PANEL)]
    notebook = new.new_notebook(cells=[*cells, new.new_markdown_cell("# Third"), new.new_code_cell(WAIT)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for name in ("panel", "other"):
        nbformat.write(notebook, folder / f"{name}.ipynb")
    (folder / "end").touch()
    with jupyterlab(folder) as address:
        yield Host(address, browser, folder)


@pytest.fixture(scope="module")
def lab(host: Host) -> Page:
    """The notebook in JupyterLab, run once."""
    page = host.open()
    run_all(page)
    page.wait_for_selector(".camw-view[data-painted]", timeout=1000 * HANGING_S)
    expect(page.locator(".jp-CodeCell .jp-InputPrompt").last).to_have_text(re.compile(r"\[\d+\]:"))
    return page


def stops(page: Page) -> list[Locator]:
    """What takes the focus in a panel, one after the other as Tab goes."""
    names = [".camw-look select >> nth=0", ".camw-heat", ".camw-frame", ".camw-standing", ".camw-strip .camw-range"]
    return [page.locator(f".camw-panel {name}") for name in names]


def press_arrows(page: Page, stop: Locator) -> tuple[int, int]:
    """Press what a notebook takes for commands; return how many cells are seen then, and which one is active."""
    stop.focus()
    for key in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    cells = page.locator(".jp-Notebook .jp-Cell")
    active = cells.evaluate_all("(all) => all.findIndex((each) => each.matches('.jp-mod-active'))")
    return page.locator(SHOWN).count(), active


@pytest.mark.parametrize("notebook", [False, True], ids=["JupyterLab", "Notebook"])
def test_keys_that_are_pressed_in_the_panel_are_no_commands_of_the_notebook(
    host: Host, lab: Page, *, notebook: bool
) -> None:
    page = lab
    if notebook:
        page = host.open(notebook=True)
        run_cell(page, 0)
        page.wait_for_selector(".camw-view[data-painted]", timeout=1000 * HANGING_S)
    page.locator(".jp-CodeCell .jp-InputPrompt").first.click()
    before = page.locator(SHOWN).count()

    for stop in stops(page):
        assert press_arrows(page, stop) == (before, 2)
    slider, sheet = stops(page)[-1], page.locator(".camw-keys")
    slider.press("?")
    expect(sheet).to_be_visible()
    for key in ("d", "d", "a", "ArrowUp", "Escape"):  # with the focus in the sheet
        page.keyboard.press(key)
    expect(sheet).to_be_hidden()
    expect(slider).to_be_focused()
    slider.press("p")
    slider.press("u")  # ends what plays, and takes it back
    assert press_arrows(page, slider) == (before, 2)
    method = stops(page)[0]
    method.evaluate("(each) => { delete each.dataset.lmSuppressShortcuts; }")
    method.press("ArrowLeft")  # is what the notebook would take
    expect(page.locator(".jp-Notebook .jp-Cell").nth(1)).to_have_class(re.compile("jp-mod-active"))
    method.evaluate("(each) => { each.dataset.lmSuppressShortcuts = 'true'; }")
    if notebook:
        page.close()


def test_where_the_kernel_answers_beside_a_running_cell_nothing_waits_for_that(host: Host, lab: Page) -> None:
    (host.folder / "end").unlink()
    run_cell(lab, 1, wait=False)
    prompt = lab.locator(".jp-CodeCell .jp-InputPrompt").nth(1)
    try:
        expect(prompt).to_have_text("[*]:")
        find = lab.get_by_role("combobox", name="Find another class")
        listed = lab.locator(".camw-class .camw-name").all_inner_texts()
        missing = next(name for name in (f"kind {letter}" for letter in "abcdefghijkl") if name not in listed)
        find.fill(missing)
        find.press("Enter")
        expect(lab.locator(".camw-heading")).to_contain_text(missing)
        slider = lab.locator(".camw-strip .camw-range")
        slider.press("Home")
        expect(lab.locator(".camw-view")).to_have_attribute("data-painted", re.compile(r"^grad_cam/0\.1/"))
        slider.press("End")
        assert prompt.inner_text() == "[*]:"
    finally:
        (host.folder / "end").touch()
    expect(prompt).to_have_text(re.compile(r"\[\d+\]:"))


def test_a_picture_of_another_shape_says_what_is_seen_of_it_and_the_part_can_be_moved(lab: Page) -> None:
    lab.get_by_role("combobox", name="Pick a picture that comes along").select_option("coffee")

    cut = lab.locator(".camw-cut")
    expect(cut).to_contain_text("The network sees 400 × 400 of them.")
    lab.get_by_role("slider", name="Which part of the picture the network sees").press("Home")
    expect(lab.locator(".camw-busy")).to_have_text("")
    lab.get_by_role("checkbox", name="all of it, between bars").click()  # is checked once the kernel has answered
    expect(cut).to_contain_text("The network sees all of it, between bars.")


def test_nothing_in_the_panel_keeps_people_out(lab: Page) -> None:
    lab.get_by_role("combobox", name="Find another class").fill("kind")
    expect(lab.get_by_role("listbox")).to_be_visible()

    assert barriers(lab, ".camw-panel") == []
    lab.get_by_role("combobox", name="Find another class").press("Escape")
    unnamed = lab.locator(".camw-panel canvas:not([role=img] canvas)")
    assert unnamed.evaluate_all("(all) => all.filter((each) => each.tabIndex >= 0 || each.role).length") == 0


def save(page: Page) -> None:
    """Save the notebook through the menu, and wait until it is."""
    page.locator(".jp-CodeCell .jp-InputPrompt").first.click()
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Save Notebook(?! As)")).click()
    expect(page.locator(".jp-mod-dirty")).to_have_count(0)


def test_a_notebook_that_is_opened_again_shows_the_still_and_with_saved_widgets_it_slides(
    host: Host, lab: Page
) -> None:
    save(lab)
    host.end(lab)

    page = host.open()
    error, still = page.get_by_text("Error displaying widget"), page.locator(".jp-OutputArea-child >> nth=1")
    expect(error).to_have_count(1)
    expect(error).to_be_hidden()
    expect(still.locator(".jp-RenderedHTMLCommon > div")).to_be_visible()
    seen = still.locator(".jp-RenderedHTMLCommon > div").bounding_box()
    assert seen
    assert seen["height"] > 448

    run_cell(page, 0)
    page.wait_for_selector(".camw-view[data-painted]", timeout=1000 * HANGING_S)
    expect(still.locator(".jp-RenderedHTMLCommon > div")).to_be_hidden()
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.get_by_role("menuitem", name="Save Widget State Automatically").click()
    page.keyboard.press("Escape")
    save(page)
    host.end(page)

    page = host.open()
    page.wait_for_selector(".camw-view[data-painted]", timeout=1000 * HANGING_S)
    expect(page.locator(".camw-busy")).to_contain_text("No kernel listens")
    page.locator(".camw-strip .camw-range").press("Home")
    expect(page.locator(".camw-view")).to_have_attribute("data-painted", re.compile(r"^grad_cam/0\.1/"))
    page.close()

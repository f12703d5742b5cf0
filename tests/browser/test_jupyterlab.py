"""What a learner does with the panel, in a real JupyterLab with a real kernel."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.lab import jupyterlab, new_page, open_notebook, run_all, write_notebook
from tests.patience import HANGING_S, STUCK_S

CELLS = [
    'import camwidget as cw\npanel = cw.CamPanel(cw.demo_learner(), cw.demo_image("cat"))\npanel',
    'wide = cw.CamPanel(cw.demo_learner("imagenet"), cw.demo_image("cat and coffee"))\nwide',
    'scored = cw.CamPanel(cw.demo_learner(), cw.demo_image("cat"), methods=("grad_cam", "score_cam"))\nscored',
]
LAYER = ".camw-strip .camw-range"
CLASS = ".camw-standing"


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One JupyterLab for the module, with all panels shown."""
    folder = tmp_path_factory.mktemp("lab")
    write_notebook(folder / "panel.ipynb", CELLS)
    with jupyterlab(folder) as address:
        page = new_page(browser, width=1300, height=3400)
        page.camw_requests = []  # type: ignore[attr-defined]
        page.on("request", lambda request: page.camw_requests.append(request.url))  # type: ignore[attr-defined]
        open_notebook(page, address, "panel.ipynb")
        run_all(page)
        page.wait_for_selector(".jp-CodeCell >> nth=2 >> .camw-view[data-painted]", timeout=1000 * HANGING_S)
        yield page
        page.close()


@pytest.fixture
def cats(lab: Page) -> Page:
    """The page, with the first panel back at its last layer and its first class."""
    painted = "() => document.querySelector('.jp-CodeCell .camw-view').dataset.painted"
    run_until(
        lab,
        'panel.layer, panel.target_class, panel.method, panel.mode = "0.8", 1, "grad_cam", "slide"',
        lambda _: lab.evaluate(painted) == "grad_cam/0.8/1",
    )
    return lab


def panel(page: Page, number: int = 0) -> Locator:
    return page.locator(".jp-CodeCell").nth(number).locator(".camw-panel")


def run_line(page: Page, line: str) -> str:
    """Run one line in the notebook's own kernel and return what its cell shows."""
    page.evaluate("() => document.querySelector('.jp-NotebookPanel').focus()")
    last = page.locator(".jp-Notebook .jp-CodeCell").last
    if page.locator(".jp-Notebook .jp-CodeCell").count() == len(CELLS):
        last.locator(".jp-InputPrompt").click()
        page.keyboard.press("Escape")
        page.keyboard.press("b")
        expect(page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(len(CELLS) + 1)
        last = page.locator(".jp-Notebook .jp-CodeCell").last
    last.locator(".cm-content").fill(line)
    before = last.locator(".jp-InputPrompt").inner_text()
    page.keyboard.press("Control+Enter")
    expect(last.locator(".jp-InputPrompt")).not_to_have_text(before)
    expect(last.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"))
    return last.locator(".jp-OutputArea").inner_text()


def run_until(page: Page, line: str, holds: Callable[[str], bool]) -> None:
    """Run a line again until what its cell shows is right.

    ipywidgets sends a move only when the kernel has answered the one before. What was moved last may so arrive after a
    cell that was run later.
    """
    deadline = time.monotonic() + STUCK_S
    while not holds(text := run_line(page, line)):
        assert time.monotonic() < deadline, f"{line} still shows {text!r}"
        page.wait_for_timeout(200)


@contextmanager
def busy_kernel(page: Page, folder: Path) -> Iterator[None]:
    """A cell that runs while the block does; whatever the page shows meanwhile, it shows without the kernel."""
    end = folder / "end"
    last = page.locator(".jp-Notebook .jp-CodeCell").last
    waiting = f"any(time.sleep(0.1) for _ in iter(pathlib.Path({str(end)!r}).exists, True))"
    last.locator(".cm-content").fill(f"import pathlib, time; {waiting}")
    page.keyboard.press("Control+Enter")
    expect(last.locator(".jp-InputPrompt")).to_have_text("[*]:")
    try:
        yield
        assert last.locator(".jp-InputPrompt").inner_text() == "[*]:"
    finally:
        end.touch()
    expect(last.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"))


def test_the_layer_slider_moves_the_map_with_the_keyboard(cats: Page) -> None:
    cats.locator(LAYER).first.press("ArrowLeft")

    expect(panel(cats).locator(".camw-view")).to_have_attribute("data-painted", "grad_cam/0.7/1")
    expect(panel(cats).locator(".camw-heading")).to_contain_text("at layer 0.7")
    run_until(cats, "print(repr(panel.layer))", lambda text: "'0.7'" in text)


def test_the_class_slider_moves_the_map_and_the_trait(cats: Page) -> None:
    panel(cats).locator(CLASS).press("ArrowDown")

    expect(panel(cats).locator(".camw-view")).to_have_attribute("data-painted", "grad_cam/0.8/0")
    run_until(cats, "print('target', panel.target_class)", lambda text: "target 0" in text)


def test_sliding_needs_no_kernel(cats: Page, tmp_path: Path) -> None:
    with busy_kernel(cats, tmp_path):
        for layer in ("0.7", "0.6", "0.5"):
            cats.locator(LAYER).first.press("ArrowLeft")
            expect(panel(cats).locator(".camw-view")).to_have_attribute("data-painted", f"grad_cam/{layer}/1")
    run_until(cats, "print(repr(panel.layer))", lambda text: "'0.5'" in text)  # and afterwards the kernel knows


def test_a_click_in_the_filmstrip_moves_the_slider_and_the_trait(cats: Page) -> None:
    panel(cats).locator(".camw-film button").nth(2).click()

    expect(panel(cats).locator(".camw-view")).to_have_attribute("data-painted", "grad_cam/0.2/1")
    expect(panel(cats).locator(LAYER)).to_have_attribute("aria-valuetext", re.compile(r"^0\.2,"))
    run_until(cats, "print(repr(panel.layer))", lambda text: "'0.2'" in text)


def test_a_trait_set_in_python_moves_slider_and_map(cats: Page) -> None:
    run_line(cats, 'panel.layer = "0.5"; panel.heatmap_opacity = 0.4; panel.smooth = False; panel.signed = False')

    expect(panel(cats).locator(".camw-view")).to_have_attribute("data-painted", "grad_cam/0.5/1")
    expect(panel(cats).locator(LAYER)).to_have_attribute("aria-valuetext", re.compile(r"^0\.5,"))
    expect(panel(cats).get_by_role("combobox", name="Cells")).to_have_value("1")
    expect(panel(cats).get_by_role("combobox", name="Evidence")).to_have_value("1")
    run_line(cats, "panel.heatmap_opacity, panel.smooth, panel.signed = 0.7, True, True")


def test_plain_cam_inside_the_network_is_refused_with_its_reason(cats: Page) -> None:
    panel(cats).get_by_role("combobox", name="Method").select_option("CAM")
    panel(cats).locator(".camw-film button").nth(5).click()

    expect(panel(cats).locator(".camw-reason")).to_contain_text("would not add up to the logit")
    assert panel(cats).locator(".camw-legend").is_hidden()


def test_an_unknown_layer_is_explained_in_the_cell_and_in_the_panel(cats: Page) -> None:
    text = run_line(cats, 'panel.layer = "0.55"')

    assert "0.5" in text
    assert "LayerError" in text
    expect(panel(cats).locator(".camw-message:visible")).to_contain_text("'0.55'")
    expect(panel(cats).locator(".camw-view")).to_have_attribute("data-painted", "grad_cam/0.8/1")


def test_a_broken_upload_gets_a_message_and_the_picture_stays(cats: Page, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnothing")

    with cats.expect_file_chooser() as chooser:
        panel(cats).get_by_role("button", name="Your own picture").click()
    chooser.value.set_files(broken)

    message = panel(cats).locator(".camw-upload .camw-message")
    expect(message).to_contain_text("The file 'broken.png' cannot be read as a picture")
    expect(panel(cats).locator(".camw-message:visible")).to_have_count(1)
    expect(panel(cats).locator(".camw-view")).to_have_attribute("data-painted", "grad_cam/0.8/1")
    cats.locator(LAYER).first.press("ArrowLeft")
    expect(message).to_be_hidden()


def test_a_class_is_found_by_a_part_of_its_name_its_number_or_another_word_and_enter_takes_it(lab: Page) -> None:
    box = panel(lab, 1)
    find, rows = box.get_by_role("combobox", name="Find another class"), box.locator(".camw-class")
    box.locator(CLASS).press("Home")
    before = rows.count()

    find.press_sequentially("iger beet", delay=60)
    expect(box.locator(".camw-options").get_by_role("option", selected=True)).to_contain_text("tiger beetle")
    expect(rows).to_have_count(before)  # no key press has added anything
    find.press("Enter")
    expect(box.locator(".camw-heading")).to_contain_text("for class tiger beetle")
    # "tabby" is on the list already
    for typed, name, more in (("417", "balloon", 2), ("TABBY CAT", "tabby", 2), ("517", "crane", 3)):
        find.fill(typed)
        expect(box.locator(".camw-options").get_by_role("option", selected=True)).to_contain_text(name)
        find.press("Enter")
        expect(box.locator(".camw-heading")).to_contain_text(f"for class {name}")
        expect(rows).to_have_count(before + more)
    expect(box.locator(".camw-list")).to_have_js_property("clientHeight", 210)  # ten rows; the others are scrolled to
    find.fill("no such thing")
    expect(box.get_by_text("No class has that name or number.")).to_be_visible()
    find.press("Escape")
    box.locator(CLASS).press("Delete")
    expect(box.locator(".camw-heading")).not_to_contain_text("crane")
    expect(rows.get_by_text("crane", exact=True)).to_have_count(0)


def test_a_rectangle_that_is_drawn_is_hidden_from_the_network_and_the_list_says_what_it_answers(cats: Page) -> None:
    box = panel(cats)
    box.get_by_role("tab", name="Hide").click()
    row = box.locator(".camw-hide-row[aria-pressed=true]")
    expect(row).not_to_contain_text("\u2192")

    box.locator(".camw-frame").scroll_into_view_if_needed()
    frame = box.locator(".camw-frame .camw-picture").bounding_box()
    assert frame is not None
    cats.mouse.move(frame["x"] + 0.2 * frame["width"], frame["y"] + 0.2 * frame["height"])
    cats.mouse.down()
    cats.mouse.move(frame["x"] + 0.8 * frame["width"], frame["y"] + 0.7 * frame["height"], steps=4)
    cats.mouse.up()

    expect(row).to_contain_text("\u2192")
    told = re.search(r"moves the logit by ([+\u2212][\d.]+)\.", box.locator(".camw-hide").inner_text())
    whole = "next(each['logit'] for each in panel.view.manifest['classes'] if each['index'] == 1)"
    answer = re.search(
        r"moved (\S+) 1",
        run_line(cats, f"print('moved', float(panel.without().logits[1]) - {whole}, len(panel.regions))"),
    )
    assert told is not None
    assert answer is not None
    assert float(told[1].replace("\u2212", "-")) == pytest.approx(float(answer[1]), rel=0.006)  # three digits are told
    box.get_by_role("button", name="Clear").click()
    expect(row).not_to_contain_text("\u2192")


def test_a_click_on_a_cell_shows_its_five_strongest_channels_and_all_of_them_add_up_to_it(cats: Page) -> None:
    box = panel(cats)
    box.locator(".camw-frame .camw-picture").click()

    expect(box.locator(".camw-cell .camw-channel")).to_have_count(5)
    value = box.locator(".camw-cell .camw-big").inner_text()
    expect(box.locator(".camw-channels-rest")).to_contain_text(f"all together {value}.")
    box.get_by_role("button", name="Back to the classes").click()
    expect(box.locator(".camw-cell")).to_be_hidden()
    expect(box.locator(".camw-class").first).to_be_visible()


def test_the_notebook_is_saved_from_within_the_panel(cats: Page) -> None:
    slider = panel(cats).locator(LAYER)
    saves = lambda response: response.request.method == "PUT" and "panel.ipynb" in response.url  # noqa: E731

    with cats.expect_response(saves):
        slider.press("Control+s")
    for seen in (False, True):  # the file browser goes and comes back
        slider.press("Control+b")
        expect(cats.locator("#jp-left-stack")).to_be_visible(visible=seen)
    slider.press("d")
    slider.press("d")  # without Ctrl, a letter is no command

    expect(cats.locator(".jp-Notebook .jp-CodeCell").first).to_be_visible()
    expect(slider).to_be_focused()
    expect(panel(cats)).to_be_visible()


def test_a_letter_right_after_a_command_is_no_command_on_a_page_too_slow_for_its_timers(cats: Page) -> None:
    slider, cells = panel(cats).locator(LAYER), cats.locator(".jp-Notebook .jp-CodeCell")
    before = cells.count()
    slider.focus()

    slider.evaluate(
        """(slider) => {  // all before any timer
          const all = { bubbles: true, cancelable: true, composed: true };
          const press = (key, keyCode, ctrlKey) => slider.dispatchEvent(
            new KeyboardEvent("keydown", { ...all, key, keyCode, ctrlKey }));
          press("Control", 17, true); press("d", 68, false); press("d", 68, false);
        }"""
    )

    cats.wait_for_timeout(200)  # two letters "d" would delete the cell, and the panel with it
    assert cells.count() == before


def test_score_cam_says_its_cost_runs_and_stops_when_told_and_then_slides_without_the_kernel(
    lab: Page, tmp_path: Path
) -> None:
    run_line(lab, 'scored.layer, scored.target_class, before = "0.8", 1, scored._model.model.training')
    box = panel(lab, 2)
    view, start = box.locator(".camw-view"), box.locator(".camw-run button").first
    stop, progress = box.get_by_role("button", name="Stop", exact=True), box.locator(".camw-run .widget-hprogress")
    expect(start).to_be_hidden()
    box.get_by_role("combobox", name="Method").select_option("Score-CAM")

    expect(start).to_have_text(re.compile(r"Run Score-CAM at layer 0\.8: 1,280 passes of the network, about \d+ s"))
    expect(stop).to_be_hidden()
    start.click()
    expect(progress).to_contain_text(re.compile(r"Score-CAM at layer 0\.8: [1-9]\d?%"))
    stop.click()  # it is heard although the run has not ended
    expect(box.locator(".camw-message:visible")).to_contain_text("of 1,280 passes. What was shown stays.")
    expect(progress).to_be_hidden()
    assert "as found" in run_line(lab, "print('as found' if scored._model.model.training == before else 'changed')")

    for index, layer in ((1, "0.1"), (2, "0.2")):
        box.locator(".camw-film button").nth(index).click()
        expect(start).to_contain_text(f"Run Score-CAM at layer {layer}: ")
        start.click()
        expect(box.locator(".camw-legend")).to_be_visible()
        expect(start).to_be_hidden()  # there is nothing left to run here
    expect(box.locator(".camw-film button:not(.camw-refused)")).to_have_count(2)

    with busy_kernel(lab, tmp_path):
        for key, layer, legend in (("ArrowLeft", "0.1", 1), ("ArrowLeft", "0.0", 0), ("ArrowRight", "0.1", 1)):
            box.locator(LAYER).first.press(key)
            expect(view).to_have_attribute("data-painted", f"score_cam/{layer}/1")
            assert box.locator(".camw-legend").is_visible() == legend


@pytest.mark.parametrize("number", [0, 2])
def test_every_control_has_a_name(lab: Page, number: int) -> None:
    controls = panel(lab, number).locator("input, button, select, [role=slider], [tabindex]")
    nameless = controls.evaluate_all(
        """(all) => all.filter((each) => !(each.getAttribute("aria-label") || each.getAttribute("aria-labelledby")
        || each.labels?.length || each.textContent.trim() || each.type === "file")).map((each) => each.outerHTML)"""
    )

    assert controls.count() > 10
    assert nameless == []


def test_the_page_asks_only_the_local_server(lab: Page) -> None:
    hosts = {url.split("/")[2].split(":")[0] for url in lab.camw_requests if "://" in url}  # type: ignore[attr-defined]

    assert hosts <= {"127.0.0.1"}

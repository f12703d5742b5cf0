"""The text view without a kernel: the colours of its words are compared with the Python reference."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from camwidget.panel.still import word_scale
from camwidget.panel.text import TextCamPanel
from camwidget.panel.view import TextView
from camwidget.text.explain import explain_text_methods
from camwidget.text.result import TextExplanation
from tests.browser.standin import mount
from tests.browser.words import COLOURS, close, expected, painted
from tests.text.toys import KNOWN, Reviews

TEXT = 'I liked the film <img src=x onerror="window.hacked=1"> not very bad 😀 good'
# The contrast of letters, and of the line of the sign, with what lies behind them on a white or black page, by the
# formula of the accessibility rules.
CONTRASTS = """(all, [page, line]) => all.map((each) => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (v) => v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;
  const light = (c) => { const [r, g, b] = c.map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const style = getComputedStyle(each), [r, g, b, a = 1] = numbers(style.backgroundColor);
  const back = light([r, g, b].map((v) => v * a + page * (1 - a)));
  const letters = light(numbers(line ? style.getPropertyValue("--camw-sign") : style.color).slice(0, 3));
  return (Math.max(back, letters) + 0.05) / (Math.min(back, letters) + 0.05);
})"""

# Whether the line of a word lies above it, and its opacity.
LINES = """(all) => all.map((each) => {
  const style = getComputedStyle(each), opacity = style.getPropertyValue("--camw-sign").match(/[\\d.]+/g)?.[3] ?? 1;
  return [style.backgroundPositionY === "1px", Number(opacity)];
})"""

# How many words the page recolours between a key and the frame that shows what it did.
WATCH_KEYS = """() => {
  window.moved = {repainted: false, recoloured: 0};
  document.addEventListener("keydown", () => {
    moved.repainted = false;
    const words = new Set();
    const changes = new MutationObserver((all) => all.forEach((each) => words.add(each.target)));
    changes.observe(document.querySelector(".camw-text"), {attributes: true, subtree: true});
    requestAnimationFrame(() => {
      moved.recoloured = words.size;
      changes.disconnect();
      moved.repainted = true;
    });
  }, true);
}"""


@pytest.fixture(scope="module")
def results() -> dict[str, TextExplanation]:
    torch.manual_seed(1)
    return explain_text_methods(Reviews().double(), TEXT)


@pytest.fixture
def view(results: dict[str, TextExplanation]) -> TextView:
    made = TextView()
    made.show(results, versions=(7, 8))
    return made


def test_sliding_gives_every_word_the_colour_of_the_python_reference(
    page: Page, view: TextView, results: dict[str, TextExplanation]
) -> None:
    mount(page, view)

    for method, name in ((1, "grad_cam"), (2, "hires_cam"), (3, "occlusion")):
        result = results[name]
        for layer in (0, 3):
            for target in (0, 1):
                page.evaluate(
                    "(to) => { for (const [name, value] of Object.entries(to)) model.set(name, value); }",
                    {"method_index": method, "layer_index": layer, "class_index": target},
                )
                index = result.target_classes[target]
                assert close(painted(page), expected(result, result.layers[layer].name, index))
    index = results["hires_cam"].target_classes[1]
    values = results["hires_cam"].word_values("conv1", index)
    assert values.min() < 0 < values.max()
    page.evaluate("() => { model.set('method_index', 2); model.set('layer_index', 1); }")
    for only_for, own_scale in ((1, 0), (0, 1), (1, 1)):
        page.evaluate("([a, b]) => { model.set('only_for', a); model.set('own_scale', b); }", [only_for, own_scale])
        wanted = expected(results["hires_cam"], "conv1", index, signed=not only_for, shared=not own_scale)
        assert close(painted(page), wanted)


@pytest.mark.parametrize(("theme", "behind"), [("light", 255), ("dark", 18)])
def test_letters_and_lines_can_be_seen_on_every_colour(page: Page, view: TextView, theme: Any, behind: int) -> None:
    page.emulate_media(color_scheme=theme)
    for layer in range(4):
        mount(page, view, method_index=2, layer_index=layer)

        assert min(page.locator(".camw-word").evaluate_all(CONTRASTS, [behind, False])) >= 4.5
        assert min(page.locator(".camw-word").evaluate_all(CONTRASTS, [behind, True])) >= 3


def test_on_a_dark_page_words_have_the_colours_made_for_it(
    page: Page, view: TextView, results: dict[str, TextExplanation]
) -> None:
    result, target = results["hires_cam"], results["hires_cam"].target_classes[0]
    mount(page, view, method_index=2, layer_index=1)
    assert close(painted(page), expected(result, "conv1", target))
    was = page.locator(".camw-word").evaluate_all(COLOURS)

    page.emulate_media(color_scheme="dark")

    page.wait_for_function(
        f"(was) => ({COLOURS})([...document.querySelectorAll('.camw-word')]).join() !== was.join()", arg=was
    )
    assert close(painted(page), expected(result, "conv1", target, on_dark=True))


def test_the_sign_of_a_word_shows_without_its_colour(
    page: Page, view: TextView, results: dict[str, TextExplanation]
) -> None:
    mount(page, view, method_index=2, layer_index=1)
    values = results["hires_cam"].word_values("conv1", results["hires_cam"].target_classes[0]).numpy()
    share = np.abs(values) / word_scale(results["hires_cam"], "conv1", None, signed=True, shared_scale=True)

    lines = page.locator(".camw-word").evaluate_all(LINES)

    assert values.min() < 0 < values.max()
    assert [above for above, _ in lines] == [
        value < 0 and part >= 1 / 256 for value, part in zip(values, share, strict=True)
    ]
    assert [opacity for _, opacity in lines] == pytest.approx(np.minimum(1, share / 0.2), abs=0.03)
    ticks = page.locator(".camw-ticks").first.locator("span").evaluate_all(LINES)
    assert [above for above, _ in ticks] == [True, False, False]


def test_tags_in_a_text_are_shown_as_text(page: Page, view: TextView) -> None:
    mount(page, view)

    assert page.locator(".camw-text").first.inner_text() == TEXT
    assert page.locator(".camw-view img").count() == 0
    assert page.evaluate("() => window.hacked") is None


def test_a_word_tells_its_value_to_pointer_and_keyboard(
    page: Page, view: TextView, results: dict[str, TextExplanation]
) -> None:
    mount(page, view, method_index=1, layer_index=3)
    value = float(results["grad_cam"].word_values("conv3")[1])

    page.locator(".camw-word", has_text="liked").hover()
    told = page.locator(".camw-probe").first.inner_text().replace("\u2212", "-")
    page.mouse.move(0, 0)
    page.locator(".camw-word").first.focus()
    page.keyboard.press("ArrowRight")

    assert "liked" in told
    assert f"{abs(value):.3g}" in told
    assert page.locator(".camw-probe").first.inner_text().replace("\u2212", "-") == told
    expect(page.locator(".camw-word:focus")).to_have_text("liked")


def test_a_click_or_enter_asks_to_delete_the_word(page: Page, view: TextView) -> None:
    mount(page, view)

    page.locator(".camw-word", has_text="liked").click()
    page.keyboard.press("End")
    page.locator(".camw-word").first.focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")

    last = len(view.manifest["words"]) - 1
    assert page.evaluate("() => sent") == [
        {"do": "delete", "text": 0, "word": 1, "version": 7},
        {"do": "delete", "text": 0, "word": last, "version": 7},
    ]


def test_long_work_is_told_to_the_eye_and_to_screen_readers_until_it_ends(page: Page, view: TextView) -> None:
    mount(page, view)
    status, texts = page.locator(".camw-busy"), page.locator(".camw-texts")
    before = texts.bounding_box()
    expect(texts).to_have_attribute("aria-busy", "false")

    page.evaluate("() => model.set('busy', 'Explaining the text')")
    expect(texts).to_have_attribute("aria-busy", "true")
    expect(page.get_by_role("status").filter(has_text="Explaining")).to_be_visible()
    assert texts.bounding_box() == before
    assert texts.locator("[role=status]").count() == 0  # inside it would not be read out
    page.evaluate("() => model.set('busy', '')")
    expect(status).to_have_text("")
    expect(texts).to_have_attribute("aria-busy", "false")

    page.evaluate("() => { model.set('busy', 'Explaining the text'); model.set('busy', ''); }")
    page.evaluate(
        "() => new Promise((done) => setTimeout(done, 400))"
    )  # of the page's own time, in which it would be told
    expect(status).to_have_text("")  # what is over at once is not told


def test_one_gesture_asks_to_delete_one_word_only(page: Page, view: TextView) -> None:
    mount(page, view)
    word, other = (page.locator(".camw-word", has_text=text) for text in ("liked", "film"))

    word.dblclick()
    word.focus()
    page.keyboard.down("Delete")
    page.keyboard.down("Delete")  # as the system repeats a key that is held
    other.click()

    assert page.evaluate("() => sent.map((each) => each.word)") == [1, 1, 3]


def test_one_gesture_asks_to_undo_one_deletion_only_and_the_keyboard_keeps_its_place(
    page: Page, results: dict[str, TextExplanation]
) -> None:
    target = results["cam"].target_classes[0]
    view = TextView()
    view.show(results, change={"text": 0, "word": "bad", "before": {str(target): 0.4}})
    mount(page, view)
    undo = page.get_by_role("button", name="Undo", exact=True)

    undo.dblclick()
    undo.press("Enter")
    page.evaluate("() => model.set('manifest', model.get('manifest'))")  # the answer; there is one more deletion
    expect(undo).to_be_focused()
    page.evaluate("() => model.set('manifest', { ...model.get('manifest'), change: null })")

    assert page.evaluate("() => sent") == [{"do": "undo"}, {"do": "undo"}]
    expect(undo).to_have_count(0)
    expect(page.locator(".camw-change")).to_have_text("A click on a word deletes it.")
    expect(page.locator(".camw-word").first).to_be_focused()


def test_two_texts_share_one_scale(page: Page, results: dict[str, TextExplanation]) -> None:
    model = Reviews().double()
    first, second = (
        explain_text_methods(model, text, methods=("grad_cam",), target_classes=[0, 1])
        for text in ("the film", "a very very bad movie, not good")
    )
    view = TextView()
    view.show(first, second)
    scale = max(word_scale(each["grad_cam"], "conv3", 0, signed=True, shared_scale=True) for each in (first, second))

    mount(page, view, layer_index=3)

    for column, each in enumerate((first, second)):
        assert close(painted(page, column), expected(each["grad_cam"], "conv3", 0, scale=scale))


def test_what_the_network_says_has_its_heading_where_there_is_room(
    page: Page, results: dict[str, TextExplanation]
) -> None:
    view = TextView()
    view.show(results, results)
    mount(page, view)

    for width in (1000, 700, 560, 380):
        page.set_viewport_size({"width": width, "height": 900})
        headings = page.get_by_text("What the network says", exact=True)
        expect(headings).to_have_count(2)
        for number in range(2):
            expect(headings.nth(number)).to_be_visible()


def test_the_chart_is_sorted_and_the_sum_is_told(page: Page, view: TextView) -> None:
    mount(page, view, method_index=1, layer_index=3)

    values = [float(each.replace("\u2212", "-")) for each in page.locator(".camw-row .camw-percent").all_inner_texts()]
    assert len(values) == 12
    assert values == sorted(values, reverse=True)
    assert "= logit" in page.locator(".camw-sum").first.inner_text()
    page.evaluate("() => model.set('method_index', 3)")
    assert "loses without that word" in page.locator(".camw-sum").first.inner_text()


def test_of_ten_thousand_words_only_those_in_sight_are_coloured_when_the_slider_moves(
    page: Page, tmp_path: Path
) -> None:
    words = [*KNOWN, "zzqx", "film,"]
    text = " ".join(random.Random(3).choices(words, k=10_000))
    panel = TextCamPanel(Reviews().double(), text, methods=("cam", "grad_cam"), target_classes=[0, 1])
    page.goto(panel.save_html(tmp_path / "long.html").as_uri())
    page.wait_for_selector(".camw-view[data-painted]")
    page.evaluate(WATCH_KEYS)
    slider, written = page.get_by_role("slider", name="Layer"), page.locator(".camw-text").first

    for key in ("ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowRight", "ArrowRight"):
        slider.press(key)
        page.wait_for_function("() => moved.repainted")
    assert 100 < page.evaluate("() => moved.recoloured") < 2_000  # words, by one move
    assert page.evaluate("() => document.querySelectorAll('*').length") < 10_500
    assert page.evaluate("() => document.documentElement.scrollHeight") < 1_500  # pixels: the text scrolls by itself
    slider.press("Home")
    written.evaluate("(box) => { box.scrollTop = box.scrollHeight; }")
    expect(written).to_contain_text(text[-200:])
    page.wait_for_function("() => new Promise((done) => requestAnimationFrame(() => done(true)))")
    assert close(painted(page)[-300:], expected(panel.result, "embedding", panel.target_class)[-300:])


def test_a_closed_text_view_leaves_no_listener(page: Page, view: TextView) -> None:
    mount(page, view)

    page.evaluate("() => unmount()")

    assert page.evaluate("() => listening()") == 0

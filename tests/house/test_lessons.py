"""The gallery's pages ask nobody for anything, show texts as texts, and say of the packaged networks what is so."""

import re
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Page
from torch import nn

import camwidget as cw
from docs.gallery import STYLE, hash_of, lesson_html, list_html, write_gallery
from docs.lessons import LESSONS, Lesson, about_mistakes, mistakes
from tests.browser.lab import chromium_browser, new_page
from tests.mistakes.small import loader, network

HOSTILE = '</title><script>alert("x")</script> & more'


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    panel = cw.CamPanel(net, torch.randn(1, 3, 20, 30), class_names=["<b>one</b>", "two"])
    return Lesson("toy", HOSTILE, [HOSTILE], HOSTILE, HOSTILE, HOSTILE, panel)


def test_texts_of_a_lesson_are_shown_and_never_run(lesson: Lesson) -> None:
    page, listed = lesson_html(lesson, number=0, lessons=[lesson]), list_html([lesson])

    saved = lesson.panel.as_html(title=HOSTILE)
    assert page.count("<script") == saved.count("<script") == 2  # the panel's data, and its one script
    assert "<script" not in listed
    assert 'alert("x")' not in listed
    assert page.count("&lt;script&gt;") == 6  # both titles, text, question, answer, and the link on


def test_the_pages_rules_name_both_styles_and_let_nothing_be_fetched(lesson: Lesson) -> None:
    page = lesson_html(lesson, number=0, lessons=[lesson])
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)

    assert policy
    assert policy[1].startswith("default-src 'none'")
    assert f"'{hash_of(STYLE)}'" in policy[1]
    assert policy[1].count("sha256-") == 3  # one script, two styles
    assert not re.findall(r'(?:src|href)="(?!toy\.html|index\.html)', page)


def test_the_last_lesson_leads_to_the_first_and_each_to_the_list(lesson: Lesson) -> None:
    other = Lesson("other", "Other", ["Text."], "Why?", "So.", "A picture.", lesson.panel)
    last = lesson_html(other, number=1, lessons=[lesson, other])

    assert re.findall(r'href="([^"]*)"', last) == ["index.html", "toy.html"]
    assert "Lesson 2 of 2" in last


def test_a_saved_page_of_another_form_is_refused(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson.panel, "as_html", lambda **_: "<html></html>")

    with pytest.raises(ValueError, match="0 times, not once"):
        lesson_html(lesson, number=0, lessons=[lesson])


def test_from_the_disk_a_lesson_paints_styles_and_asks_for_nothing(
    lesson: Lesson, tmp_path: Path, chromium: str
) -> None:
    index, page = write_gallery(tmp_path, [lesson])
    with chromium_browser(chromium) as browser:
        look_at(new_page(browser, width=380, height=800), page, index)


def look_at(opened: Page, page: Path, index: Path) -> None:
    asked: list[str] = []
    wrong: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)

    opened.goto(page.as_uri())
    opened.locator(".camw-view[data-painted]").wait_for()
    opened.get_by_text("What the numbers say").click()

    assert opened.locator(".lesson details p").is_visible()
    assert opened.locator(".question").evaluate("node => getComputedStyle(node).fontWeight") == "600"
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
    opened.goto(index.as_uri())
    assert opened.locator("li img").evaluate("node => node.naturalWidth") > 0
    assert wrong == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


@pytest.mark.slow
def test_what_the_lessons_say_of_the_packaged_networks_is_so() -> None:
    guess, cat, pair, inner, words = (make() for make in LESSONS if make is not mistakes)  # that one trains a network

    assert guess.panel.mode == "guess"
    assert not re.search("in row [0-9]", "".join(guess.paragraphs))  # the answer is not given away

    cells = cat.panel.result.cam("0.8", "cat")
    assert divmod(int(cells.argmax()), 7) == (5, 3)  # on the nose, as one sees
    assert cells.min() > 0
    assert "0.3" not in inner.panel.results["cam"].cams
    espresso = pair.panel.results["cam"].cam("0.8", "espresso")
    assert espresso[:3].sum() > 0 > pair.panel.results["cam"].cam("0.8", "Egyptian cat")[4:].sum()
    assert words.panel.results["cam"].word_values("conv3", "negative").min() > 0
    assert "changes by +" in words.answer  # without "never" it is more negative


def test_the_lesson_on_mistakes_counts_what_was_found(chromium: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    found = cw.find_mistakes(network(), loader(60), class_names=["ant", "bee", "cow"], progress=False)
    group = max(cw.group_maps(found), key=len)
    lesson = about_mistakes(found, group, cw.hide_place(found, group))
    wrong = found.table[~found.table["right"]]

    assert f"is wrong on {len(wrong)} of 60 test pictures" in lesson.paragraphs[0]
    assert (
        f"{(wrong['said'] == group.said).sum()} of the {len(wrong)} mistakes are called {group.said}" in lesson.answer
    )
    index, page = write_gallery(tmp_path, [lesson])
    with chromium_browser(chromium) as browser:
        look_at(new_page(browser, width=380, height=800), page, index)

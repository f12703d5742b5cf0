"""Texts nobody expected: refused with a reason, or explained as what they are."""

import time
from typing import Any

import pytest

from camwidget.dispatch import explain
from camwidget.errors import TextError
from camwidget.text.explain import TEXT_METHODS, explain_text_methods
from camwidget.text.occlusion import MOST_READ
from tests.text.toys import Reviews


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("  \n\t ", "empty"),
        ("\u200b", "invisible characters"),
        ("?!", "no word"),
        ("good \ud83d film", "half a character"),
        (None, "None"),
        (b"good film", "bytes"),
        (["good", "film"], "list"),
        (3, "int"),
    ],
)
def test_what_is_no_text_is_refused_with_what_to_try(text: Any, told: str) -> None:
    with pytest.raises(TextError, match=told):
        explain(Reviews().double(), text)


@pytest.mark.parametrize(
    "text",
    [
        "Qué película tan mala",  # a language the model never saw
        "zombies zombies zombies",
        "😀 🎬👩‍👩‍👧 👍🏽",
        "פילם רע מאוד",  # right to left
        "<script>alert('x')</script>",
    ],
)
def test_texts_without_a_known_word_are_explained_and_the_notes_say_so(text: str) -> None:
    found = explain_text_methods(Reviews().double(), text)

    for result in found.values():
        assert result.unknown_share == 1
        assert "None of the words is in the vocabulary" in result.notes[0]
        assert result.text == text
        assert [text[word.start : word.end] for word in result.words] == [word.text for word in result.words]
        assert len(result.word_values()) == len(result.words)


def test_tags_and_scripts_stay_text() -> None:
    text = "The <b>film</b> was <script>alert(1)</script> good &amp; bad"

    result = explain(Reviews().double(), text)

    assert result.text == text
    assert "<script>alert(1)</script>" in [word.text for word in result.words]
    assert 0 < result.unknown_share < 1


def test_ten_thousand_words_are_read_a_bounded_number_of_times(capsys: pytest.CaptureFixture[str]) -> None:
    model, read, told = Reviews().double(), [], []
    text = "the film was not good " * 2000
    model.embedding.register_forward_hook(
        lambda _, inputs, output: (read.append(inputs[0].numel()), told.append(capsys.readouterr().err))[0]
    )
    start = time.process_time()

    found = explain_text_methods(model, text)

    assert time.process_time() - start < 30  # of computing, on a machine that may be busy; alone it is 2
    assert all(result.cam().shape == (10_000,) for result in found.values())
    # The text itself a few times, for the maps and for the question whether CAM is exact.
    assert sum(read) < MOST_READ + 20 * 10_000
    assert any("Leaving out 10000 words:   0%" in line for line in told[:20])
    assert "its 10000 words were left out in 100 groups of up to 100 neighbours" in found["occlusion"].notes[0]
    assert found["cam"].notes == ()
    assert tuple(found) == TEXT_METHODS


def test_a_text_of_some_sentences_shows_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    explain_text_methods(Reviews().double(), "the film was not good " * 10)

    assert capsys.readouterr().err == ""

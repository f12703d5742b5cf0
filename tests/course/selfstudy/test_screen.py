"""What goes to a file is one line per thing, whatever its length; what cannot be written does not stop the command."""

from pathlib import Path

import pytest

from camwidget.course.selfstudy.progress import DONE, WRONG, ItemProgress, NotebookProgress
from camwidget.course.selfstudy.screen import Screen

ITEMS = (ItemProgress("toy.q1", DONE, 2.0, 2.0), ItemProgress("toy.q2", WRONG, 0.0, 2.0, "because " * 40))


def test_into_a_pipe_every_item_is_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().progress(NotebookProgress(Path("one.ipynb"), ITEMS, ("cell [3]: broken",), 1.2))

    assert capsys.readouterr().out.splitlines() == [
        "one.ipynb",
        "  done         toy.q1    2 of 2",
        f"  wrong        toy.q2    0 of 2  {'because ' * 40}".rstrip(),
        "  cell [3]: broken",
        "  1 of 2 items done, 2 of 4 points; 1.2 s",
    ]


def test_only_some_items_are_shown_if_only_some_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().progress(NotebookProgress(Path("one.ipynb"), ITEMS, (), 1.2), items=ITEMS[:1])

    told = capsys.readouterr().out
    assert "toy.q1" in told
    assert "toy.q2" not in told
    assert "1 of 2 items done" in told


@pytest.mark.parametrize("text", ["[bold]not markup[/bold]", ":smile:", "a `b` [0]"])
def test_nothing_in_a_text_is_taken_for_markup(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Screen().say(text)

    assert capsys.readouterr().out == f"{text}\n"

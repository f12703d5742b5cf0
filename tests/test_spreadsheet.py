"""What a learner or a file is called is never run by a spreadsheet."""

import pytest

from camwidget.spreadsheet import as_text


@pytest.mark.parametrize("value", ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", '=HYPERLINK("http://example.org")'])
def test_what_begins_like_a_formula_is_shown_as_text(value: str) -> None:
    assert as_text(value) == f"'{value}"


@pytest.mark.parametrize("value", ["cat/1.jpg", "", "    Points Possible", "a=b", 3.5, "0.5"])
def test_everything_else_stays(value: object) -> None:
    assert as_text(value) == str(value)


def test_no_line_and_no_end_of_text_is_slipped_in() -> None:
    assert as_text("a\rb\0c") == "a bc"

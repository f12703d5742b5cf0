"""A day and a time in a file's name, in several languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camwidget.grading.dates import read_when

READ = {
    "Oct 10, 2026 234 PM": "2026-10-10T14:34:00",
    "October 10, 2026 12:34 am": "2026-10-10T00:34:00",
    "10 okt. 2026 14:34": "2026-10-10T14:34:00",
    "1 févr. 2027, 0:05": "2027-02-01T00:05:00",
    "1 FÉVRIER 2027 23h59": "2027-02-01T23:59:00",
    "3 de março de 2027 09:30": "2027-03-03T09:30:00",
    "3. März 2027 09.30": "2027-03-03T09:30:00",
    "7 lipca 2027 1405": "2027-07-07T14:05:00",
    "7 Ağustos 2027 14:05": "2027-08-07T14:05:00",
    "29 feb 2027 10:00": "",
    "29 feb 2028 10:00": "2028-02-29T10:00:00",
    "Oct 40, 2026 1334 PM": "",
    "Oct 10, 2026 0:34 PM": "",
    "10 okt 2026": "",
    "10 nonsense 2026 14:34": "",
    "10 listopad 2026 14:34": "2026-11-10T14:34:00",
}


@pytest.mark.parametrize(("text", "when"), READ.items())
def test_a_day_is_read_or_known_to_be_one(text: str, when: str) -> None:
    assert read_when(text) == when


@pytest.mark.parametrize("text", ["", "notes", "my 2026", "10-10-2026 14:34", "version 3 of 2026", "Oct 10 1999 10:00"])
def test_what_is_no_day_is_none(text: str) -> None:
    assert read_when(text) is None


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert isinstance(read_when(text), str | None)

"""Without the grammars of web addresses a notebook is read as ever."""

import sys
from types import ModuleType

import pytest

from camwidget.command.grammars import without_grammars
from tests.house.repository import run_code


def test_a_notebook_is_read_without_the_grammars_of_addresses_and_they_are_there_afterwards() -> None:
    code = """
import sys
from camwidget.command.grammars import without_grammars
with without_grammars():
    import nbformat
built = "lark" in sys.modules
try:
    nbformat.v4.new_notebook(cells=[{"cell_type": "no such kind", "id": "one"}])
except nbformat.ValidationError as error:
    print("refused")
import importlib.util
print(built, importlib.util.find_spec("rfc3987_syntax") is not None)
"""

    assert run_code(code).splitlines() == ["refused", "False True"]


def test_grammars_that_are_there_already_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    there = ModuleType("rfc3987_syntax")
    monkeypatch.setitem(sys.modules, "rfc3987_syntax", there)

    with without_grammars():
        assert sys.modules["rfc3987_syntax"] is there

    assert sys.modules["rfc3987_syntax"] is there

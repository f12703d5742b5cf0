"""The report as one reads it, and what the command makes of it."""

from collections.abc import Callable, Iterator
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement

from camwidget.command import cli
from camwidget.command.doctor import report
from camwidget.command.doctor.finding import MISSING, NOTE, Finding
from camwidget.command.doctor.report import lines_of, verdict

FINE, KNOW = Finding("memory", "4 GiB free"), Finding("disk", "full", NOTE, "make room")
GONE = Finding("torch", "not installed", MISSING, "pip install torch")


def test_a_line_has_the_state_first_and_what_to_type_below() -> None:
    assert lines_of(FINE) == ["ok       memory             4 GiB free"]
    assert lines_of(GONE)[1].split("-> ")[1] == "pip install torch"


def test_the_last_sentence_names_what_is_missing_or_only_to_be_known() -> None:
    assert verdict([FINE]) == "Nothing is missing."
    assert verdict([FINE, KNOW]) == "Nothing is missing. To know: disk."
    assert verdict([KNOW, GONE]).startswith("Missing: torch. Begin with torch")


@pytest.mark.parametrize(("found", "code"), [([FINE], 0), ([FINE, KNOW], 0), ([KNOW, GONE], 1)])
def test_the_exit_code_of_the_command_says_whether_something_is_missing(
    found: list[Finding], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def examine(before_trial: Callable[[], None]) -> Iterator[Finding]:
        before_trial()
        yield from found

    monkeypatch.setattr(report, "examine", examine)

    assert cli.main(["doctor"]) == code
    told = capsys.readouterr()
    printed = told.out.splitlines()
    assert "Now a panel is made" in told.err
    assert printed == [*(line for each in found for line in lines_of(each)), verdict(found)]


def test_what_the_report_itself_needs_comes_with_the_kernel() -> None:
    brought = {Requirement(line).name for line in requires("ipykernel") or []}

    assert {"packaging", "jupyter-client", "jupyter-core"} <= {each.replace("_", "-") for each in brought}

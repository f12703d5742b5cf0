"""All reports as files."""

import stat
from dataclasses import replace
from pathlib import Path

from camwidget.grading.reports.write import file_name, write_reports
from tests.grading.reports.small_class import ada, broken, cem, hostile, small_class


def test_everything_is_written_and_for_nobody_else_to_read(tmp_path: Path) -> None:
    written = write_reports(small_class(hostile(), broken()), tmp_path / "out", stubs={}, systems=["moodle", "canvas"])

    names = {str(path.relative_to(tmp_path / "out")) for path in written}
    assert {"class.html", "grades.csv", "sums.csv", "moodle.csv", "canvas.csv"} <= names
    assert {f"feedback/{learner}/hooks.html" for learner in ("ada", "ben", "cem", "dora")} <= names
    assert len([name for name in names if name.startswith("feedback/")]) == 5
    assert written[0].name == "class.html"
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in written} == {0}


def test_half_a_letter_in_an_answer_stops_no_report(tmp_path: Path) -> None:
    odd = replace(cem(), learner="x\ud800", answers={"hooks.q2": "y = '\udfff'"})

    assert len(write_reports(small_class(odd), tmp_path, stubs={})) == 7


def test_names_of_files_are_plain_and_stay_apart() -> None:
    names = ["ada", "Ada L", "../x", "a/b", "a\\b", "", ".", "..", "x" * 300, "ü", "<b>", "<i>", "a.", "-rf", "\ud800"]
    made = [file_name(name) for name in names]

    assert made[:2] == ["ada", "Ada L"]
    assert len(set(made)) == len(names)
    assert not [name for name in made if "/" in name or "\\" in name or name.startswith(".") or len(name) > 80]
    assert file_name(ada().learner) == "ada"

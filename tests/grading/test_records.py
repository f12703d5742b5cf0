"""Records of a graded class, to JSON and back."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from camwidget.errors import CourseError
from camwidget.grading.records import (
    UNGRADED,
    ClassRecord,
    FactRow,
    Graded,
    Row,
    graded_from_dict,
    graded_to_dict,
    load_class,
    save_class,
)

ROW = Row(
    "<b>Ann</b>",
    "hooks",
    "hooks.q5",
    "Store",
    3.0,
    4.0,
    "partly",
    reason="a hook is left",
    cause="hook left",
    reported_points=1.0,
    events=("one", "two"),
    facts=(
        FactRow("shape", "it has a shape", 1.0, True),
        FactRow("removed", "none is left", 1.0, False, reported=True),
    ),
)
GRADED = Graded(
    "<b>Ann</b>",
    "hooks",
    "d1",
    "g1",
    (ROW, replace(ROW, item="hooks.q6a", points=2.0)),
    events=("a cell was stopped",),
    answers={"hooks.q5": "def f(): pass"},
    outputs={"cell-3": ({"output_type": "stream", "name": "stdout", "text": "x"},)},
)


def test_a_class_survives_the_way_to_a_file_and_back(tmp_path: Path) -> None:
    record = ClassRecord((GRADED,), "seed-1", finished=False)

    save_class(record, tmp_path / "results.json")

    assert load_class(tmp_path / "results.json") == record
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]
    assert (tmp_path / "results.json").stat().st_mode & 0o077 == 0


def test_points_add_up_and_one_row_without_points_leaves_the_whole_without() -> None:
    broken = replace(GRADED, rows=(ROW, replace(ROW, points=None, status=UNGRADED)))

    assert (GRADED.points, GRADED.max_points) == (5.0, 8.0)
    assert (broken.points, broken.max_points) == (None, 8.0)


def test_fields_that_a_later_version_left_out_are_filled_in() -> None:
    values = json.loads(json.dumps(graded_to_dict(GRADED)))
    del values["notes"], values["rows"][0]["note"]

    assert graded_from_dict(values) == GRADED


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 1}', '{"format": 9, "graded": [], "seed_name": "", "finished": true}']
)
def test_another_file_is_refused_with_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text)

    with pytest.raises(CourseError, match="Grade again"):
        load_class(tmp_path / "results.json")


def test_a_submission_with_a_missing_field_is_refused() -> None:
    values = graded_to_dict(GRADED)
    del values["digest"]

    with pytest.raises(CourseError, match="no graded submission"):
        graded_from_dict(values)

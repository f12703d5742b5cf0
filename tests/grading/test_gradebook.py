"""What was judged outside goes into nbgrader's gradebook, and nbgrader goes on from there."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import PyFileConfigLoader

from camwidget.course.items import items_of
from camwidget.errors import CourseError
from camwidget.grading.gradebook import write_gradebook
from camwidget.grading.intake import Handed
from camwidget.grading.records import PARTLY, RIGHT, UNGRADED, WRONG, ClassRecord, FactRow, Graded, Row
from camwidget.grading.reports.write import file_name
from tests.grading.handed_in import exercise
from tests.house.repository import ROOT

pytestmark = pytest.mark.slow
GRADED = "keepdim"
HOSTILE = "<b>ann</b>"
OUTPUT = {"output_type": "stream", "name": "stdout", "text": "from the sandbox"}


def graded(learner: str, **points: float | None) -> Graded:
    """Full points for each item but these; None for no points."""
    rows = []
    for name, item in items_of(GRADED).items():
        earned = points.get(name.partition(".")[2], item.points)
        status = UNGRADED if earned is None else RIGHT if earned == item.points else PARTLY if earned else WRONG
        facts = tuple(
            FactRow(key, says, float(most), status == RIGHT, likely="look again")
            for key, (says, most) in item.facts.items()
        )
        reason = "" if status == RIGHT else "Not yet: something"
        rows.append(Row(learner, GRADED, name, item.title, earned, item.points, status, reason=reason, facts=facts))
    outputs = {"setup-1": (OUTPUT,), "cell-8": (OUTPUT | {"text": "from a cell without a name"},)}
    return Graded(learner, GRADED, "d", "g", tuple(rows), outputs=outputs, handed_in="2026-03-01T10:00:00+01:00")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course into which four were written: one lacks an item's points, one cannot be read, one has half letters."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    shutil.copytree(ROOT / "solutions" / GRADED, folder / "solutions" / GRADED)
    given = tmp_path_factory.mktemp("given")
    (given / f"{GRADED}.ipynb").write_bytes(exercise(GRADED))
    bad = Graded(
        "bad", GRADED, "d", "g", graded("bad", **dict.fromkeys(map(short, items_of(GRADED)))).rows, "No notebook"
    )
    halves = tmp_path_factory.mktemp("halves")
    content = exercise(GRADED, wild="picture_width = 320  # HALF").replace(b"HALF", rb"\ud800")
    (halves / f"{GRADED}.ipynb").write_bytes(content)
    half = graded("half")
    half = replace(half, outputs={**half.outputs, "setup-1": (OUTPUT | {"text": "a half: \udfff"},)})
    record = ClassRecord((graded(HOSTILE, silent=1.0, wild=0.0), graded("part", einsum=None), bad, half), "12ab")
    handed = [Handed(HOSTILE, GRADED, given), Handed("part", GRADED, given), Handed("bad", GRADED, None, problem="No")]
    handed.append(Handed("half", GRADED, halves))

    assert write_gradebook(record, handed, folder) == []
    return folder


def short(item: str) -> str:
    return item.partition(".")[2]


@pytest.fixture
def book(course: Path) -> Iterator[Gradebook]:
    with Gradebook(f"sqlite:///{course / 'grading' / 'gradebook.db'}", "camwidget") as opened:
        yield opened


def scores(book: Gradebook, learner: str) -> dict[str, tuple[float | None, bool]]:
    """Check to its points and whether a person has to look."""
    submission = book.find_submission_notebook(GRADED, GRADED, learner)
    return {
        grade.name: (grade.auto_score, grade.needs_manual_grade)
        for grade in submission.grades
        if "why" not in grade.name
    }


def test_points_arrive_as_they_were_judged(book: Gradebook) -> None:
    found = scores(book, file_name(HOSTILE))
    full = {f"keepdim-{short(name)}-check": (item.points, False) for name, item in items_of(GRADED).items()}

    assert found == full | {"keepdim-silent-check": (1.0, False), "keepdim-wild-check": (0.0, False)}
    assert book.find_submission(GRADED, file_name(HOSTILE)).timestamp.isoformat() == "2026-03-01T09:00:00"


def test_without_points_there_is_no_score_and_a_person_has_to_look(book: Gradebook) -> None:
    part, bad = scores(book, "part"), scores(book, "bad")

    assert part["keepdim-einsum-check"] == (None, True)
    assert [name for name, (_, look) in part.items() if look] == ["keepdim-einsum-check"]
    assert set(bad.values()) == {(None, True)}


def test_half_of_a_letter_in_a_cell_or_an_output_keeps_nobody_out(book: Gradebook, course: Path) -> None:
    kept = (course / "grading" / "autograded" / "half" / GRADED / f"{GRADED}.ipynb").read_text(encoding="utf-8")

    assert {score for score, _ in scores(book, "half").values()} == {item.points for item in items_of(GRADED).values()}
    assert "a half: ?" in kept
    assert "picture_width = 320  # ?" in kept


def test_the_autograded_notebook_has_the_outputs_of_the_sandbox(course: Path) -> None:
    path = course / "grading" / "autograded" / file_name(HOSTILE) / GRADED / f"{GRADED}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    texts = {
        cell.metadata.get("nbgrader", {}).get("grade_id", cell.id): str(cell.get("outputs")) for cell in notebook.cells
    }

    assert "from the sandbox" in texts["setup-1"]
    assert sum("from a cell without a name" in text for text in texts.values()) == 1
    assert "1 of 4 points" not in texts["keepdim-silent-check"]  # nothing was right in the facts of this one
    assert "look again" in texts["keepdim-silent-check"]


def test_feedback_goes_on_from_there(course: Path) -> None:
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    coursedir = CourseDirectory(config=config, assignment_id=GRADED)

    GenerateFeedback(coursedir=coursedir, config=config).start()

    page = (course / "grading" / "feedback" / "part" / GRADED / f"{GRADED}.html").read_text(encoding="utf-8")
    assert "(Score: 20.0 / 24.0)" in page
    assert "hidden" + "=True" not in page


def test_a_folder_without_a_course_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"nbgrader_config\.py"):
        write_gradebook(ClassRecord((), "x"), [], tmp_path)

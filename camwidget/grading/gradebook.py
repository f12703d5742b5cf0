"""nbgrader's gradebook, written from what was judged outside, so that Formgrader, feedback and export go on from there.

There is one way into it: nbgrader's own Autograde, in which `Judged` stands for the kernel. Formgrader's button and
`nbgrader autograde` take it too, and then `Judged` grades first, where there is a sandbox.
"""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakSet

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_output
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import SaveAutoGrades
from traitlets import Bool, Dict
from traitlets.config.loader import PyFileConfigLoader

from camwidget.course.report import Fact, Report
from camwidget.errors import CourseError, three_parts
from camwidget.grading.course import release_of
from camwidget.grading.intake import Handed
from camwidget.grading.notebook import UnreadableError, cells_of
from camwidget.grading.records import MISSING, NOT_STARTED, UNGRADED, ClassRecord, Graded, Row
from camwidget.grading.reports.write import file_name
from camwidget.grading.runner import Settings, grade_handed
from camwidget.grading.sandbox import missing
from camwidget.grading.stock import ExecuteOutOfReach, encodable, remember

JUDGED = "judged"
"""In the folder of the gradebook: what was graded for Formgrader, and its secret seed."""

_asked: WeakSet[Any] = WeakSet()
"""Commands of nbgrader, and presses of its button, for which a whole class was graded already."""


class Judged(ExecuteOutOfReach):
    """Gives cells the outputs that they had in the sandbox, and checks the report of a judge outside of it.

    Where there is no bubblewrap, the notebook runs in a kernel of nbgrader's, as without this.
    """

    judge_outside = Bool(True, help="Whether to judge outside of the learner's process where that is possible").tag(
        config=True
    )
    records: Any = Dict(help='"learner/assignment" to what it earned, if it is graded already').tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any, km: Any = None) -> tuple[NotebookNode, Any]:
        """Fill in the outputs of a notebook.

        Args:
            nb: as it was sanitised.
            resources: nbgrader's notes about it.
            km: a kernel that runs already; there is none.
        """
        about = resources["nbgrader"]
        learner, assignment = about["student"], about["assignment"]
        graded = self.records.get(f"{learner}/{assignment}")
        if graded is None and self.judge_outside and not missing():
            graded = _graded_now(self.parent.parent, learner, assignment)
        if graded is None:
            nb, resources = super().preprocess(nb, resources, km)
            return nb, resources
        submitted = _submitted(self.parent.parent.coursedir, learner, assignment) / f"{assignment}.ipynb"
        by_item = {row.item: row for row in graded.rows}
        rows = {task.check_cell: by_item[task.item] for task in release_of(assignment).tasks}
        unnamed = _by_source(graded, submitted.read_bytes())
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            cell.execution_count = None
            if name in rows:
                found: Sequence[Mapping[str, Any]] = _of_check(rows[name])
            else:
                waiting = unnamed.get(cell.source, [])
                found = graded.outputs.get(name, ()) if name else waiting.pop(0) if waiting else ()
            cell.outputs = [from_dict(encodable(output)) for output in found]
        resources["ungraded"] = [name for name, row in rows.items() if row.points is None]
        return nb, resources


class SaveJudged(SaveAutoGrades):
    """Saves points, and none, not even zero, where there are none: a person has to look."""

    def _add_score(self, cell: NotebookNode, resources: Any) -> None:
        super()._add_score(cell, resources)
        name = cell.metadata.nbgrader.grade_id
        if name in resources.get("ungraded", ()):
            grade = self.gradebook.find_grade(name, self.notebook_id, self.assignment_id, self.student_id)
            grade.auto_score, grade.needs_manual_grade = None, True
            self.gradebook.db.commit()


def write_gradebook(record: ClassRecord, handed: Sequence[Handed], course: Path) -> list[str]:
    """Write what was graded into nbgrader's gradebook, its submitted notebooks and its autograded ones.

    Args:
        record: the run.
        handed: what was taken in for it.
        course: the folder with `nbgrader_config.py`.

    Returns:
        A sentence for each submission that nbgrader could not take.

    Raises:
        CourseError: there is no course in the folder.
    """
    if not (course / "nbgrader_config.py").is_file():
        given = f"There is no nbgrader_config.py in {str(course)!r}"
        raise CourseError(three_parts(given, "It is the folder that nbgrader runs in", "Name camwidget's repository"))
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    folders = {(each.learner, each.assignment): each.folder for each in handed}
    complaints = []
    for graded in record.graded:
        folder = folders.get((graded.learner, graded.assignment))
        if not graded.assignment:
            continue
        if folder is None or graded.problem:
            _note_problem(config, graded)
            continue
        try:
            _write(config, graded, folder)
        except NbGraderException as error:
            complaints.append(f"{graded.learner}/{graded.assignment} is not in the gradebook: {error}")
    return complaints


def _write(config: Any, graded: Graded, folder: Path) -> None:
    """Put a submission where nbgrader expects it, and have nbgrader take it."""
    learner, assignment = file_name(graded.learner), graded.assignment
    own = config.copy()
    own.Judged.records = {f"{learner}/{assignment}": graded}
    course = CourseDirectory(config=own, assignment_id=assignment, student_id=learner)
    place = _submitted(course, learner, assignment)
    if place.resolve() != folder.resolve():
        place.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            shutil.copyfile(path, place / path.name)
        with suppress(ValueError):  # nobody knows when
            when = datetime.fromisoformat(graded.handed_in).astimezone(UTC)
            (place / "timestamp.txt").write_text(f"{when:%Y-%m-%d %H:%M:%S} UTC\n", encoding="utf-8")
    command = Autograde(coursedir=course, config=own)
    command.force = True
    command.start()


def _note_problem(config: Any, graded: Graded) -> None:
    """Someone whose notebook cannot be read is in the gradebook all the same, and a person has to look."""
    remember(graded.assignment, "", [], folder=Path(config.CourseDirectory.root))
    course = CourseDirectory(config=config)
    with Gradebook(course.db_url, course.course_id) as book:
        book.update_or_create_student(file_name(graded.learner))
        submission = book.update_or_create_submission(graded.assignment, file_name(graded.learner))
        for grade in (grade for notebook in submission.notebooks for grade in notebook.grades):
            grade.auto_score, grade.needs_manual_grade = None, True
        book.db.commit()


def _submitted(course: Any, learner: str, assignment: str) -> Path:
    return Path(course.format_path(course.submitted_directory, learner, assignment))


def _graded_now(command: Any, learner: str, assignment: str) -> Graded | None:
    """Grade for nbgrader: the whole class at once if it was asked for, since starting the sandbox takes seconds."""
    course = command.coursedir
    whole = course.student_id == "*" and command not in _asked
    _asked.add(command)
    found = [path for path in Path(course.root, course.submitted_directory).iterdir() if whole or path.name == learner]
    handed = [
        Handed(path.name, assignment, path / assignment)
        for path in sorted(found)
        if (path / assignment / f"{assignment}.ipynb").is_file()
    ]
    out = Path(course.root, course.submitted_directory).parent / JUDGED
    settings = Settings(checks=Path(course.root, course.source_directory), progress=False)
    keep_out = (Path(course.root, course.submitted_directory), Path(course.root))
    record = grade_handed(handed, out, settings=settings, keep_out=keep_out)
    return next((each for each in record.graded if each.learner == learner and not each.problem), None)


def _by_source(graded: Graded, content: bytes) -> dict[str, list[Sequence[Mapping[str, Any]]]]:
    """The outputs of cells without a name, by what stands in the cell: their places change when others are put back."""
    try:
        cells = cells_of(content, frozenset())
    except UnreadableError:
        return {}
    found: dict[str, list[Sequence[Mapping[str, Any]]]] = {}
    for cell in cells:
        if cell.key in graded.outputs:
            found.setdefault(encodable(cell.source), []).append(graded.outputs[cell.key])
    return found


def _of_check(row: Row) -> list[NotebookNode]:
    """The outputs of a check: the report, and the points as nbgrader reads them. Without points there is an error."""
    if row.status == UNGRADED or row.points is None:
        return [new_output("error", ename="Ungraded", evalue=row.reason, traceback=[row.reason])]
    facts = tuple(Fact(fact.says, int(fact.points), fact.passed, fact.tried, likely=fact.likely) for fact in row.facts)
    told = any(fact.tried and not fact.passed for fact in facts)
    report = Report(
        row.item,
        row.title,
        facts,
        started=row.status not in (NOT_STARTED, MISSING),
        stopped="" if told else row.reason * (row.status not in (NOT_STARTED, MISSING)),
        note=row.note,
        hidden=True,
    )
    shown = report._repr_mimebundle_()
    points = new_output("execute_result", {"text/plain": repr(float(row.points))}, execution_count=1)
    return [new_output("display_data", shown), points]

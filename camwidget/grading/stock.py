"""What stock nbgrader lacks for this course, as parts that `nbgrader_config.py` puts into it.

A notebook that was handed in may hold cells twice, cells with other metadata, and active HTML. Cells are put right
before nbgrader's own parts see them. HTML is cleaned where a page is shown, so what was graded before is safe as well.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nh3
from nbconvert.filters import strip_files_prefix
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, Execute, OverwriteCells
from traitlets import List
from traitlets.config.loader import PyFileConfigLoader

_FLAGS = ("grade", "solution", "task", "locked")
_TAGS = nh3.ALLOWED_TAGS | {"section"}
_ATTRIBUTES = {**nh3.ALLOWED_ATTRIBUTES, "*": {"class", "title", "aria-label", "aria-hidden"}}
_SCHEMES = {"http", "https", "mailto", "data"}


class AsReleased(OverwriteCells):
    """Cells that the release had are as they were released, whatever was handed in; and each is there once.

    nbgrader alone trusts the metadata that it gets, does not grade a notebook that has a cell twice or lacks an answer
    and its check, and warns of every check, since it compares with the source, which has hidden tests. A check as it
    was released is no cause for a warning here, so the warnings that are left mean something.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Give cells their own metadata and put back what is missing, before anything else reads it.

        Args:
            nb: what was handed in.
            resources: nbgrader's notes about it.
        """
        nb = from_dict(encodable(nb))
        about = resources["nbgrader"]
        with Gradebook(about["db_url"]) as book:
            notebook = book.find_notebook(about["notebook"], about["assignment"])
            released = {cell.name: _cell(notebook, cell) for cell in notebook.source_cells}
        _name_cells(nb.cells, released)
        for name in _put_back(nb.cells, released):
            self.log.warning("Cell %s of %s was missing, and was put back", name, about["student"])
        nb, resources = super().preprocess(nb, resources)
        return nb, resources

    def preprocess_cell(self, cell: NotebookNode, resources: Any, cell_index: int) -> tuple[NotebookNode, Any]:
        """Put the hidden tests back into a check that nobody changed; nbgrader does the rest.

        Args:
            cell: any cell.
            resources: nbgrader's notes.
            cell_index: the place of the cell.
        """
        about = cell.metadata.get("nbgrader", {})
        if about.get("locked"):
            source = self.gradebook.find_source_cell(about["grade_id"], self.notebook_id, self.assignment_id)
            if cell.source.strip() == _without_hidden(source.source).strip():
                cell.source = source.source
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        return cell, resources


def encodable(value: Any) -> Any:
    """The same with a question mark for each half of a letter: nbgrader could write no file with one.

    Args:
        value: as JSON has it.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {encodable(key): encodable(each) for key, each in value.items()}
    return [encodable(each) for each in value] if isinstance(value, list | tuple) else value


def _name_cells(cells: list[NotebookNode], released: Mapping[str, NotebookNode]) -> None:
    """Give each released cell its metadata, and no other; of several with one id the last is meant, as in nbgrader."""
    met: set[str] = set()
    for cell in reversed(cells):
        given = cell.metadata.pop("nbgrader", {})
        given = given.get("grade_id") if isinstance(given, Mapping) else None
        # A cell's own id is its grade_id in the sources of this course, and stays where the metadata is lost.
        name = next((each for each in (given, cell.get("id")) if isinstance(each, str) and each in released), "")
        if name and name not in met:
            met.add(name)
            cell.metadata["nbgrader"] = NotebookNode(released[name].metadata.nbgrader)


def _put_back(cells: list[NotebookNode], released: Mapping[str, NotebookNode]) -> list[str]:
    """Put back what is locked and missing, before the next cell that is there; return the ids.

    An answer is not put back: its learner may have written it into a cell of their own.
    """
    missing: list[str] = []
    waiting: list[NotebookNode] = []
    for name, cell in released.items():
        places = [
            place for place, each in enumerate(cells) if each.metadata.get("nbgrader", {}).get("grade_id") == name
        ]
        if places:
            cells[places[0] : places[0]] = waiting
            waiting = []
        elif cell.metadata.nbgrader.locked:
            waiting.append(cell)
            missing.append(name)
    cells += waiting
    return missing


def _cell(notebook: Any, cell: Any) -> NotebookNode:
    """A cell of the source, from what the gradebook knows of it."""
    make = new_code_cell if cell.cell_type == "code" else new_markdown_cell
    return from_dict(make(cell.source, metadata={"nbgrader": _metadata(notebook, cell)}))


def _metadata(notebook: Any, cell: Any) -> dict[str, Any]:
    """The metadata that nbgrader gives a cell, from what the gradebook knows of it."""
    graded = next((each for each in notebook.grade_cells if each.name == cell.name), None)
    task = next((each for each in notebook.task_cells if each.name == cell.name), None)
    answered = any(each.name == cell.name for each in notebook.solution_cells)
    flags = dict(zip(_FLAGS, (graded is not None, answered, task is not None, bool(cell.locked)), strict=True))
    scored = graded or task
    points = {"points": scored.max_score} if scored is not None else {}
    kind = {"cell_type": cell.cell_type, "checksum": cell.checksum}
    return {"schema_version": 3, "grade_id": cell.name, **flags, **points, **kind}


def _without_hidden(source: str) -> str:
    """A locked cell as learners get it."""
    cell = NotebookNode(cell_type="code", source=source, metadata={}, outputs=[])
    ClearHiddenTests()._remove_hidden_test_region(cell)
    ClearMarkScheme()._remove_mark_scheme_region(cell)
    return str(cell.source)


class HideTests(ClearHiddenTests):
    """Takes hidden tests and mark schemes out of the cells that are the teacher's, before learners get them back.

    nbgrader's own also looks into a learner's cells, and stops where these contain one of its markers.
    """

    display_data_priority: Any = List(config=True)  # the exporter sets it for every preprocessor, and would warn

    def preprocess_cell(self, cell: NotebookNode, resources: Any, cell_index: int) -> tuple[NotebookNode, Any]:
        """Take them out of one cell.

        Args:
            cell: any cell.
            resources: nbgrader's notes.
            cell_index: the place of the cell.
        """
        if cell.metadata.get("nbgrader", {}).get("locked"):
            cell.source = _without_hidden(cell.source)
        return cell, resources


class ExecuteOutOfReach(Execute):
    """Runs a notebook in a kernel that looks into the notebook's folder for a module last, and not at all to start.

    A file `camwidget.py`, `torch.py` or `ipykernel_launcher.py` that was handed in would otherwise be imported instead
    of the real one. This holds files at bay; code in the notebook itself still runs beside its check.
    """

    def setup_kernel(self, **kwargs: Any) -> Any:
        """Start the kernel with Python's safe path."""
        return super().setup_kernel(**kwargs, env={**os.environ, "PYTHONSAFEPATH": "1"})


class PlainMetadata(Preprocessor):
    """Leaves of an output's metadata only the sizes of pictures, as numbers: they become attributes without quotes."""

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        """Clean the outputs of one cell.

        Args:
            cell: any cell.
            resources: nbconvert's notes.
            index: the place of the cell.
        """
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = NotebookNode(
                    {kind: sizes for kind, about in output.metadata.items() if (sizes := _sizes(about))}
                )
        return cell, resources


def _sizes(about: object) -> dict[str, int | float]:
    if not isinstance(about, Mapping):
        return {}
    found = {name: about.get(name) for name in ("width", "height")}
    return {name: value for name, value in found.items() if isinstance(value, int | float)}


def clean(text: object) -> str:
    """Return HTML without anything that acts: no script, no handler, no style, no form, no frame.

    Args:
        text: HTML, as text or bytes.
    """
    html = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags={"script", "style"},
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes=_SCHEMES,
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    """The value, or None for what has its data inside and is no picture: a page, say."""
    inside = value.strip().lower().startswith("data:")
    return None if inside and (tag, name) != ("img", "src") else value


def rendered(text: str) -> str:
    """Return rendered Markdown without anything that acts; the last filter that nbgrader's pages put it through.

    Args:
        text: HTML.
    """
    return clean(strip_files_prefix(text))


def remember(assignment: str, student: str, notebooks: list[str], *, folder: Path | None = None) -> None:
    """Write an assignment into the gradebook if it is not there yet, before a submission of it is graded.

    The release is made in a folder for a moment, so `exercises/` stays.

    Args:
        assignment: its name.
        student: who handed in.
        notebooks: what was handed in.
        folder: the course's, in which nbgrader runs; the current one by default.
    """
    config = PyFileConfigLoader("nbgrader_config.py", path=str(folder or Path.cwd())).load_config()
    course = CourseDirectory(config=config)
    with Gradebook(course.db_url, course.course_id) as book:
        try:
            book.find_assignment(assignment)
        except MissingEntry:
            pass
        else:
            return
    with TemporaryDirectory() as away:
        config.CourseDirectory.release_directory = away
        course = CourseDirectory(config=config, assignment_id=assignment)
        GenerateAssignment(coursedir=course, config=config).start()

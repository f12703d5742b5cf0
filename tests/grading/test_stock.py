"""From release to feedback with nbgrader's own commands, on a fresh copy of the course, for an odd submission."""

import csv
import re
import shutil
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import nbgrader.server_extensions.formgrader as formgrader
import pytest
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from camwidget.grading.stock import PlainMetadata, clean, rendered
from tests.house.repository import ROOT, run_jupyter, tracked_files

pytestmark = pytest.mark.slow
GRADED = "keepdim"
EARNS_ALL = """\
class Report:
    def score(self):
        return 99.0
def check(*answers, **how):
    return Report()
"""
ACTIVE = """\
from IPython.display import HTML, SVG, Image, Javascript, Markdown, display
display(HTML("<b>bold</b><script>planted()</script><img src=x onerror=planted()><a href='javascript:planted()'>x</a>"))
display(HTML("<iframe src='data:text/html,<script>planted()</script>'></iframe><form action='/x'><input></form>"))
display(HTML("<iframe srcdoc='<script>planted()</script>'></iframe>"), metadata={"text/html": {"isolated": True}})
display(Javascript("planted()"), Markdown("**strong** <script>planted()</script>"))
display({"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg' onload='planted()'/>"}, raw=True)
display({"image/png": "AAAA"}, raw=True, metadata={"image/png": {"width": "1 onerror=planted()", "height": 7}})
widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "</script><script>planted()"}}
display({**widget, "text/plain": "a widget"}, raw=True)
"""


def released() -> NotebookNode:
    return nbformat.read(ROOT / "exercises" / GRADED / f"{GRADED}.ipynb", as_version=4)


def place_of(notebook: NotebookNode, cell_id: str) -> int:
    return next(place for place, cell in enumerate(notebook.cells) if cell.id == cell_id)


def twice(notebook: NotebookNode, cell_id: str) -> None:
    """A copy of a cell with its metadata, above it."""
    place = place_of(notebook, cell_id)
    copy = nbformat.from_dict({**notebook.cells[place], "id": f"{cell_id}-x"})
    notebook.cells.insert(place, copy)


def odd() -> NotebookNode:
    """Worth 7 of 24: two quizzes and the five shapes; much else about it is not as it should be."""
    notebook = released()
    right = {
        "error": 'what_happens = "c"',
        "meets": 'what_it_meets = "b"',
        "predict": 'shapes = [(4, 1, 1), (4, 2, 3), (2, 3), (4,), "error"]',
    }
    for name, answer in right.items():
        notebook.cells[place_of(notebook, f"keepdim-{name}-answer")].source = answer
    for cell in ("keepdim-error-answer", "keepdim-error-check", "keepdim-why"):
        twice(notebook, cell)
    notebook.cells[place_of(notebook, "keepdim-meets-check")].metadata = NotebookNode()  # lost
    notebook.cells[place_of(notebook, "keepdim-wild-check")].metadata.nbgrader.points = 50
    notebook.cells[place_of(notebook, "keepdim-wild-answer")].metadata.nbgrader.update(grade_id="bonus", grade=True)
    del notebook.cells[place_of(notebook, "keepdim-einsum-answer")], notebook.cells[place_of(notebook, "setup-1")]
    del notebook.cells[place_of(notebook, "keepdim-einsum-check")]
    notebook.cells += [
        new_code_cell(f"# ### BEGIN {'HIDDEN'} TESTS\n{ACTIVE}"),
        new_markdown_cell("A thought <script>planted()</script> <img src=x onerror='planted()'>"),
    ]
    notebook.cells = [cell for cell in notebook.cells if not cell.id.startswith("play")]
    return notebook


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone, in which one has handed in an odd notebook with modules beside it."""
    folder = tmp_path_factory.mktemp("clone")
    for path in tracked_files():
        part = path.relative_to(ROOT)
        if part.parts[0] in ("exercises", "solutions", "nbgrader_config.py"):
            (folder / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / part)
    beside = folder / "grading" / "submitted" / "odd" / GRADED
    beside.mkdir(parents=True)
    nbformat.write(odd(), beside / f"{GRADED}.ipynb")
    (beside / "camwidget.py").write_text(EARNS_ALL)
    for name in ("torch", "pkgutil", "ipykernel_launcher"):
        (beside / f"{name}.py").write_text("raise SystemExit('planted')\n")
    return folder


@pytest.fixture(scope="module")
def said(course: Path) -> str:
    """What the commands wrote."""
    everything = ""
    for command in (
        f"autograde {GRADED} --Judged.judge_outside=False",
        f"generate_feedback {GRADED}",
        "export --to grades.csv",
    ):
        done = run_jupyter("nbgrader", *command.split(), folder=course)
        everything += done.stdout + done.stderr
        assert done.returncode == 0, everything[-3000:]
    return everything


def points(course: Path) -> Mapping[str, float]:
    with (course / "grades.csv").open(newline="") as file:
        return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}


def test_every_command_works_and_modules_beside_an_odd_notebook_earn_it_nothing(course: Path, said: str) -> None:
    assert points(course) == {"odd": 7.0}, said


def test_grading_leaves_the_release_as_it_is(course: Path, said: str) -> None:
    release = course / "exercises" / GRADED / f"{GRADED}.ipynb"

    assert release.read_bytes() == (ROOT / "exercises" / GRADED / f"{GRADED}.ipynb").read_bytes()
    assert said


def test_the_only_warnings_are_about_what_a_learner_changed(said: str) -> None:
    lines = [line for line in said.splitlines() if "WARN" in line.upper() and "Alternative text" not in line]
    warnings = {line.split("] ")[-1] for line in lines}  # nbconvert asks the learner's pictures for alternative texts

    assert warnings == {
        f"Cell {cell} of odd was missing, and was put back" for cell in ("setup-1", "keepdim-einsum-check")
    }


def test_git_ignores_what_grading_writes(course: Path) -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()

    assert {"/grading/", "/downloaded/", "/grades.csv"} <= set(ignored)
    assert {path.name for path in course.iterdir()} == {
        "exercises", "grades.csv", "grading", "nbgrader_config.py", "solutions",
    }  # fmt: skip


class Acting(HTMLParser):
    """Finds what acts in a page and was planted by a learner."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        values = [f"{name}={value}" for name, value in attrs if "planted" in f"{name}={value}" and name != "title"]
        inside = tag in ("iframe", "form", "object", "embed") or any(name.startswith("on") for name, _ in attrs)
        self.found += [f"{tag} {values}"] if inside or (values and tag != "img") else []

    def handle_data(self, data: str) -> None:
        if self._open in ("script", "style") and "planted" in data:
            self.found.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._open = ""


def in_formgrader(course: Path) -> str:
    """The page that Formgrader makes of the odd submission, with the exporter that its server has."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    templates = str(Path(formgrader.__file__).parent / "templates")
    config.merge(Config({"HTMLExporter": {"template_name": "formgrade", "extra_template_basedirs": [templates]}}))
    book = config.CourseDirectory.db_url
    resources = {
        "nbgrader": {"student": "odd", "assignment": GRADED, "notebook": GRADED, "db_url": book},
        "unique_key": GRADED, "base_url": "/", "mathjax_url": "x", "last_name": "", "first_name": "", "index": 0,
        "total": 1, "notebook_id": GRADED, "assignment_id": GRADED, "submission_id": "1", "student": "odd",
    }  # fmt: skip
    page, _ = HTMLExporter(config=config).from_filename(
        str(course / "grading" / "autograded" / "odd" / GRADED / f"{GRADED}.ipynb"), resources=resources
    )
    return str(page)


def test_nothing_that_a_learner_wrote_acts_in_the_feedback_or_in_formgrader(course: Path, said: str) -> None:
    kept = (course / "grading" / "autograded" / "odd" / GRADED / f"{GRADED}.ipynb").read_text()
    feedback = (course / "grading" / "feedback" / "odd" / GRADED / f"{GRADED}.html").read_text()
    pages = {"feedback": feedback, "formgrader": in_formgrader(course).partition("</head>")[2]}

    assert kept.count("planted") > 10, said  # the outputs are there
    for name, page in pages.items():
        own = re.sub(r"<script[^>]*>(?:(?!planted).)*?</script>", "", page, flags=re.DOTALL)
        found = [each for each in Acting(own).found if "planted" in each or "iframe" in each]
        assert found == [], name
        assert "<b>bold</b>" in page, name
        assert "<strong>strong</strong>" in page, name


def test_the_feedback_shows_no_hidden_test_although_a_learner_wrote_a_marker(course: Path, said: str) -> None:
    feedback = (course / "grading" / "feedback" / "odd" / GRADED / f"{GRADED}.html").read_text()
    text = re.sub(r"<[^>]+>", "", feedback)

    assert "hidden" + "=True" not in text, said
    assert "MARK" + " SCHEME" not in text
    assert "display(HTML(" in text  # the learner's own cell stays whole


def test_what_is_harmless_stays_and_what_acts_goes() -> None:
    table = '<table class="x"><tbody><tr><td>1 &lt; 2</td></tr></tbody></table>'

    assert clean(table) == table
    assert clean(b"<details><summary>Hint</summary>text</details>") == "<details><summary>Hint</summary>text</details>"
    assert clean("<style>p { color: red }</style><p>text</p>") == "<p>text</p>"
    assert clean('<img src="data:image/png;base64,AAAA">') == '<img src="data:image/png;base64,AAAA">'
    assert "data:" not in clean('<a href="data:text/html,x">x</a><img srcset="data:text/html,x">')
    assert rendered('<p><a href="files/x.png">x</a></p>') == '<p><a href="x.png" rel="noopener noreferrer">x</a></p>'


def test_of_the_metadata_of_outputs_only_sizes_stay() -> None:
    about = {"image/png": {"width": "1 onerror=x()", "height": 2}, "text/html": {"isolated": True}, "filenames": "x"}
    cell = new_code_cell(outputs=[new_output("display_data", {}, metadata=about), new_output("stream", text="x")])

    cell, _ = PlainMetadata().preprocess_cell(cell, {}, 0)

    assert cell.outputs[0].metadata == {"image/png": {"height": 2}}

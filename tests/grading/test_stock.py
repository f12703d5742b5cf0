"""From submissions to feedback and a release with nbgrader's own commands, on a fresh copy of the course: an odd
submission, one with everything right and noisy, and a part."""

import csv
import re
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
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
from tests.course.source import SOLUTIONS
from tests.course.written import EXERCISES, MARKERS, cell_of, check_cells, exercise, files_of, source
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
NOISE = """\
import logging, sys, warnings
logging.basicConfig()
print("a thought", file=sys.stderr)
warnings.warn("careful")
"""
# A handler of logging keeps the stream it was made with, so this reaches the check cell's own stderr.
NOISY_MAP = """\
def weighted_map(weights, activation):
    logging.warning("on the way")
    return (weights[:, None, None] * activation).sum(0)
"""
NEVER_NONE = """\
def broadcast_shape(first, second):
    axes = max(len(first), len(second))
    first, second = (1,) * (axes - len(first)) + first, (1,) * (axes - len(second)) + second
    return tuple(max(a, b) for a, b in zip(first, second))
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


def place_of(notebook: NotebookNode, cell_id: str) -> int:
    return next(place for place, cell in enumerate(notebook.cells) if cell.id == cell_id)


def twice(notebook: NotebookNode, cell_id: str) -> None:
    """A copy of a cell with its metadata, above it."""
    place = place_of(notebook, cell_id)
    copy = nbformat.from_dict({**notebook.cells[place], "id": f"{cell_id}-x"})
    notebook.cells.insert(place, copy)


def odd() -> NotebookNode:
    """Worth 7 of 24: two quizzes and the five shapes; much else about it is not as it should be."""
    notebook = exercise(GRADED)
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
    return notebook


def right() -> NotebookNode:
    """Solved, and noisy in two places."""
    notebook = source(GRADED)
    cell_of(notebook, "keepdim.predict", "answer").source += f"\n{NOISE}"
    cell_of(notebook, "keepdim.unsqueeze", "answer").source = NOISY_MAP
    return notebook


def part() -> NotebookNode:
    """Some answers wrong, one that is not Python, two not begun, and a check deleted."""
    notebook = source(GRADED)
    cell_of(notebook, "keepdim.broadcast", "answer").source = NEVER_NONE
    cell_of(notebook, "keepdim.einsum", "answer").source = "not Python at all"
    for item in ("keepdim.silent", "keepdim.meets"):
        cell_of(notebook, item, "answer").source = cell_of(exercise(GRADED), item, "answer").source
    notebook.cells.remove(cell_of(notebook, "keepdim.wild", "check"))
    return notebook


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone, in which three have handed in; one of them an odd notebook, two of them modules beside theirs."""
    folder = tmp_path_factory.mktemp("clone")
    for path in tracked_files():
        inside = path.relative_to(ROOT)
        if inside.parts[0] in ("exercises", "solutions", "nbgrader_config.py"):
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / inside)
    for learner, notebook in {"odd": odd(), "right": right(), "part": part()}.items():
        place = folder / "grading" / "submitted" / learner / GRADED
        place.mkdir(parents=True)
        # without the cells to play with, which take time
        notebook.cells = [cell for cell in notebook.cells if not cell.id.startswith("play")]
        nbformat.write(notebook, place / f"{GRADED}.ipynb")
    # A learner's own module of that name is not what grades.
    (folder / "grading" / "submitted" / "part" / GRADED / f"hidden_{GRADED}.py").write_text("raise SystemExit\n")
    beside = folder / "grading" / "submitted" / "odd" / GRADED
    (beside / "camwidget.py").write_text(EARNS_ALL)
    for name in ("torch", "pkgutil", "ipykernel_launcher"):
        (beside / f"{name}.py").write_text("raise SystemExit('planted')\n")
    return folder


@pytest.fixture(scope="module")
def said(course: Path) -> str:
    """What the commands wrote."""
    everything = ""
    for command in (
        f"autograde {GRADED} --Judged.judge_outside=False",  # in a kernel: the rest of tests/grading has the other way
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
    assert points(course)["odd"] == 7.0, said


def test_grading_leaves_the_release_as_it_is(course: Path, said: str) -> None:
    release = course / "exercises" / GRADED / f"{GRADED}.ipynb"

    assert release.read_bytes() == (ROOT / "exercises" / GRADED / f"{GRADED}.ipynb").read_bytes()
    assert said


def test_the_only_warnings_are_about_what_a_learner_changed(said: str) -> None:
    lines = [line for line in said.splitlines() if "WARN" in line.upper() and "Alternative text" not in line]
    warnings = {line.split("] ")[-1] for line in lines}  # nbconvert asks the learner's pictures for alternative texts

    gone = {"odd": ("setup-1", "keepdim-einsum-check"), "part": ("keepdim-wild-check",)}
    assert warnings == {
        f"Cell {cell} of {learner} was missing, and was put back" for learner, cells in gone.items() for cell in cells
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


SCORES = """
SELECT submitted_assignment.student_id, base_cell.name, grade.auto_score
FROM grade
JOIN base_cell ON base_cell.id = grade.cell_id
JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
WHERE grade.auto_score IS NOT NULL -- what only a person can grade has no score yet
"""


@pytest.fixture(scope="module")
def scores(course: Path, said: str) -> dict[str, dict[str, float]]:
    """Learner to check to points, from nbgrader's gradebook."""
    found: dict[str, dict[str, float]] = {}
    with closing(sqlite3.connect(course / "grading" / "gradebook.db")) as book:
        for learner, cell, points in book.execute(SCORES):
            found.setdefault(learner, {})[cell] = points
    return found


def full(assignment: str) -> dict[str, float]:
    return {cell.id: cell.metadata.nbgrader.points for cell in check_cells(source(assignment))}


def test_a_solved_exercise_earns_every_point_whatever_it_writes_to_stderr(
    scores: Mapping[str, Mapping[str, float]],
) -> None:
    assert scores["right"] == full(GRADED)


def test_partial_credit_arrives_and_a_deleted_check_comes_back(scores: Mapping[str, Mapping[str, float]]) -> None:
    nothing = dict.fromkeys(["keepdim-einsum-check", "keepdim-silent-check", "keepdim-meets-check"], 0)

    assert scores["part"] == full(GRADED) | nothing | {"keepdim-broadcast-check": 2}


@pytest.mark.parametrize("learner", ["right", "part"])
def test_the_feedback_holds_no_hidden_source(course: Path, said: str, learner: str) -> None:
    feedback = (course / "grading" / "feedback" / learner / GRADED / f"{GRADED}.html").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", "", feedback)  # colours cut the code into pieces

    assert [marker for marker in [*MARKERS[2:], f"hidden_{GRADED}", "batch_map(attempt"] if marker in text] == [], said
    assert "keepdim.broadcast" in text


def test_the_feedback_tells_what_failed_and_quotes_no_hidden_call(course: Path, said: str) -> None:
    feedback = (course / "grading" / "feedback" / "part" / GRADED / f"{GRADED}.html").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", "", feedback)

    assert "shapes that do not fit give None (1): not yet" in text, said
    assert "NameError" in text


def test_a_release_through_the_gradebook_is_the_same_and_puts_no_bytecode_beside_the_sources(
    course: Path, said: str
) -> None:
    shutil.rmtree(course / "exercises" / GRADED)

    done = run_jupyter("nbgrader", "generate_assignment", GRADED, folder=course)

    assert done.returncode == 0, done.stderr[-3000:]
    assert files_of(course / "exercises" / GRADED) == files_of(EXERCISES / GRADED), said
    assert files_of(course / "solutions").keys() == {
        str(path.relative_to(SOLUTIONS)) for path in tracked_files() if path.is_relative_to(SOLUTIONS)
    }

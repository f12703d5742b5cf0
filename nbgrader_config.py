"""How nbgrader releases, collects and grades the course. Run nbgrader from this folder: it looks for this file there.

solutions/  the source notebooks, and the hidden checks as flat modules beside them
exercises/  the release, as learners get it
grading/    everything that is collected and graded, and the gradebook; not in git
"""

import os
import shutil
import sysconfig
import warnings
from pathlib import Path

c = get_config()  # noqa: F821 (traitlets puts it there)

ROOT = Path(__file__).resolve().parent
GRADING = ROOT / "grading"
SOLUTIONS = ROOT / "solutions"

GRADING.mkdir(exist_ok=True)  # SQLite makes the file of a database, not its folder
# Every folder beside the sources counts as an assignment in Formgrader, also one of bytecode.
shutil.rmtree(SOLUTIONS / "__pycache__", ignore_errors=True)

warnings.filterwarnings("ignore", module=r"nbgrader\.api")  # of SQLAlchemy, about what nbgrader does on purpose

# nbgrader starts `alembic` for a new gradebook by that name alone, also where nobody activated the environment.
os.environ["PATH"] = os.pathsep.join(filter(None, [sysconfig.get_path("scripts"), os.environ.get("PATH")]))

c.CourseDirectory.root = str(ROOT)
c.CourseDirectory.course_id = "camwidget"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.CourseDirectory.source_with_tests_directory = "grading/source_with_tests"
c.CourseDirectory.solution_directory = "grading/solution"
c.CourseDirectory.submitted_directory = "grading/submitted"
c.CourseDirectory.autograded_directory = "grading/autograded"
c.CourseDirectory.feedback_directory = "grading/feedback"
c.CourseDirectory.db_url = f"sqlite:///{GRADING / 'gradebook.db'}"

# Seconds for one cell. A check ends by itself after 2, a hidden one after 10; the rest is for slow imports.
c.Execute.timeout = 60

# Only a kernel that grades finds the hidden checks, before anything that was handed in along with a notebook; a module
# that was handed in is found last. It writes no bytecode there (see above), and its tracebacks quote the failing line
# alone, never the lines around it.
_BEFORE_GRADING = (
    "_os, _sys = __import__('os'), __import__('sys'); "
    "_sys.dont_write_bytecode = True; "
    f"_sys.path[:] = [{str(SOLUTIONS)!r}, *filter(None, _sys.path), ''] "
    "if _os.environ.get('NBGRADER_EXECUTION') == 'autograde' else _sys.path; "
    "__import__('camwidget'); "
    "del _os, _sys"
)
c.Execute.extra_arguments = [
    f"--IPKernelApp.exec_lines={[_BEFORE_GRADING]!r}",
    "--InteractiveShell.xmode=Plain",
    "--Application.log_level=ERROR",  # it would warn that nbgrader talks to it, on this machine, without encryption
]

# An assignment is written into the gradebook when its first submission is graded.
c.Autograde.pre_convert_hook = "camwidget.grading.stock.remember"
# As nbgrader's own, but a cell that is there twice, changed or gone keeps nothing from being graded. Where there is
# bubblewrap, a notebook runs in a sandbox and is judged outside of it; elsewhere it runs in a kernel, in which a module
# that was handed in keeps nothing from being imported. `--Judged.judge_outside=False` takes a kernel in any case.
c.Autograde.sanitize_preprocessors = [
    "nbgrader.preprocessors.ClearOutput",
    "camwidget.grading.stock.AsReleased",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "camwidget.grading.gradebook.Judged",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "camwidget.grading.gradebook.SaveJudged",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# nbgrader gives no points to a cell that wrote anything to stderr. A check never writes there: a report says what is
# wrong, and an error is an output of its own. So what answers write there (warnings, progress bars) costs nothing.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"[\s\S]"

# A check cell that a learner deleted comes back, and is graded.
c.OverwriteCells.add_missing_cells = True
c.LimitOutput.max_lines = 200

# As nbgrader's own, but hidden tests and mark schemes are taken out of what learners get back.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "camwidget.grading.stock.HideTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]

# What learners wrote is shown in Formgrader and in the feedback without anything that acts: a script in it would run
# with the session of whoever looks. nbgrader's pages put Markdown through the last filter only.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {
    "clean_html": "camwidget.grading.stock.clean",
    "strip_files_prefix": "camwidget.grading.stock.rendered",
}
c.HTMLExporter.preprocessors = ["camwidget.grading.stock.PlainMetadata"]

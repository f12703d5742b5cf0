"""How nbgrader releases, collects and grades the course. Run nbgrader from this folder: it looks for this file there.

solutions/  the source notebooks, and the hidden checks as flat modules beside them
exercises/  the release, as learners get it
grading/    everything that is collected and graded, and the gradebook; not in git
"""

import os
import shutil
import sysconfig
from pathlib import Path

c = get_config()  # noqa: F821 (traitlets puts it there)

ROOT = Path(__file__).resolve().parent
GRADING = ROOT / "grading"
SOLUTIONS = ROOT / "solutions"

GRADING.mkdir(exist_ok=True)  # SQLite makes the file of a database, not its folder
# Every folder beside the sources counts as an assignment in Formgrader, also one of bytecode.
shutil.rmtree(SOLUTIONS / "__pycache__", ignore_errors=True)

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

# Only a kernel that grades finds the hidden checks, before anything that was handed in along with a notebook.
# It writes no bytecode there (see above), and its tracebacks quote the failing line alone, never the lines around it.
_FIND_HIDDEN_CHECKS = (
    "_os, _sys = __import__('os'), __import__('sys'); "
    "_sys.dont_write_bytecode = True; "
    f"_sys.path[:0] = [{str(SOLUTIONS)!r}] if _os.environ.get('NBGRADER_EXECUTION') == 'autograde' else []; "
    "del _os, _sys"
)
c.Execute.extra_arguments = [
    f"--IPKernelApp.exec_lines={[_FIND_HIDDEN_CHECKS]!r}",
    "--InteractiveShell.xmode=Plain",
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
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]

"""What notebooks earn where answers and checks share a kernel: nbgrader's way, with which ours is compared.

The kernels run in a copy of the course and in a sandbox of bubblewrap's that sees everything and writes to that copy
only, without a network, with numbers of processes of its own. It is for attacks on grading, not for those on a machine.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.grading.submissions import Notebook
from tests.house.repository import ROOT

ASSIGNMENT = "keepdim"
_MEMORY_KB = 24 << 20
"""Of addresses, for each process: PyTorch alone reserves several GB of them."""
_CELL_S = 20


def points_in_a_kernel(notebooks: Sequence[Notebook]) -> list[float | None]:
    """The points of each; None where there is no grade."""
    with tempfile.TemporaryDirectory() as name:
        course = Path(name, "course")
        _copy(course)
        for number, notebook in enumerate(notebooks):
            place = course / "grading" / "submitted" / f"learner-{number:03}" / ASSIGNMENT
            place.mkdir(parents=True)
            (place / f"{ASSIGNMENT}.ipynb").write_text(json.dumps(notebook))
        _run(course, "autograde", ASSIGNMENT, "--Judged.judge_outside=False", f"--Execute.timeout={_CELL_S}")
        _run(course, "export", "--to", "grades.csv")
        with (course / "grades.csv").open(newline="") as file:
            points = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
        learners = [f"learner-{number:03}" for number in range(len(notebooks))]
        # One that could not be graded is exported as 0.0, but its notebook is taken away again.
        graded = {path.parents[1].name for path in course.glob(f"grading/autograded/*/{ASSIGNMENT}/*.ipynb")}
        return [points.get(learner) if learner in graded else None for learner in learners]


def _copy(course: Path) -> None:
    for part in ("exercises", "solutions"):
        shutil.copytree(ROOT / part, course / part, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    shutil.copy(ROOT / "nbgrader_config.py", course)
    (course / "home").mkdir()


def _run(course: Path, *command: str) -> None:
    """Run one of nbgrader's commands; an attack may make it fail, so what counts is what it left."""
    contained = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind", str(course), str(course)]
    contained += ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--die-with-parent", "--new-session"]
    limited = ["sh", "-c", f'ulimit -v {_MEMORY_KB}; exec "$@"', "sh", sys.executable, "-m", "nbgrader", *command]
    home = dict.fromkeys(("HOME", "TMPDIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"), str(course / "home"))
    subprocess.run(
        [*contained, *limited],
        cwd=course,
        env={**os.environ, **home, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )

"""Release the exercises: `python -m tests.course.release` makes exercises/ anew from solutions/, with nbgrader.

It does what `nbgrader generate_assignment NAME --force --no-db` does, for all assignments in one process.
"""

import shutil
import sys
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import PyFileConfigLoader

from tests.course.source import WRITTEN
from tests.house.repository import ROOT

EXERCISES = ROOT / "exercises"


def release(folder: Path) -> None:
    """Write the release of every assignment into a folder, as nbgrader_config.py has it."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    config.CourseDirectory.release_directory = str(folder)
    config.BaseConverter.force = True
    config.GenerateAssignment.no_database, config.SaveCells.enabled = True, False  # this is what --no-db sets
    for assignment in WRITTEN:
        course = CourseDirectory(config=config, assignment_id=assignment)
        GenerateAssignment(coursedir=course, config=config).start()


def main(folder: Path = EXERCISES) -> None:
    for stale in folder.iterdir() if folder.is_dir() else ():
        if stale.is_dir() and stale.name not in WRITTEN:
            shutil.rmtree(stale)
    release(folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

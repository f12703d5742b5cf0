"""What one worker does, in a process here or on another machine: a submission in, and out as graded."""

import atexit
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from camwidget.errors import CourseError, three_parts
from camwidget.grading.course import Course
from camwidget.grading.grade import grade
from camwidget.grading.records import graded_to_dict
from camwidget.grading.sandbox import Forks, Sandbox
from camwidget.grading.submission import Submission

_ONE_AT_A_TIME = threading.Lock()
_forks: dict[bool, Forks] = {}
"""Contained or not, to what forks: the sandbox that was handed over, or one of this process's own."""
_own: dict[bool, Sandbox] = {}
"""Those that this process started."""
_alike: set[str] = set()
"""`Course.grader` of those that depend on the same things here: a worker may serve several, one after the other."""


def use(forks: Forks, *, contained: bool) -> None:
    """Fork from a sandbox that somebody else started.

    Args:
        forks: from there.
        contained: whether it is one.
    """
    _forks[contained] = forks


def do(submission: Submission, course: Course) -> Mapping[str, Any]:
    """Grade one submission; start a sandbox first if this process has none.

    Args:
        submission: as it was read.
        course: checks, seed, limits, from whoever asks.

    Raises:
        CourseError: this machine has another camwidget, or no sandbox.
    """
    # One at a time in each process: the random numbers and the streams that judging uses are the process's.
    with _ONE_AT_A_TIME:
        if course.grader not in _alike and not course.is_of_this_machine():
            given = "This worker has another version of camwidget, or other exercises"
            raise CourseError(three_parts(given, "All machines have the same", "Install the same version on all"))
        _alike.add(course.grader)
        if course.contained not in _forks:
            _forks[course.contained] = _own_sandbox(course)
        torch.set_num_threads(1)
        try:
            return graded_to_dict(grade(submission, course, _forks[course.contained]))
        except OSError:  # the warm process has ended; one of this process's own is started again for the next try
            if course.contained in _own:
                _own.pop(course.contained).close()
                del _forks[course.contained]
            raise


def _own_sandbox(course: Course) -> Forks:
    sandbox = Sandbox(contained=course.contained, hidden_from_view=tuple(map(Path, course.keep_out))).wait()
    atexit.register(sandbox.close)
    _own[course.contained] = sandbox
    return sandbox.forks

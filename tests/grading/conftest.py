"""One warm sandbox for all tests of grading: starting it takes as long as hundreds of forks from it."""

from collections.abc import Iterator

import pytest

from camwidget.errors import CourseError
from camwidget.grading.sandbox import Sandbox
from tests.course.source import SOLUTIONS
from tests.grading.bwrap import need_sandbox, without_sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    need_sandbox()
    started = Sandbox(hidden_from_view=(SOLUTIONS,))
    try:
        started.wait()
    except CourseError as error:
        without_sandbox(str(error))
    yield started
    started.close()

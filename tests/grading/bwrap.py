"""Is there a sandbox on this machine? Where there has to be one, its absence is a failure."""

import os
from functools import cache
from typing import NoReturn

import pytest

from camwidget.grading.sandbox import missing

REQUIRE = "CAMWIDGET_REQUIRE_BWRAP"


@cache
def why_missing() -> str:
    return missing()


def need_sandbox() -> None:
    """Skip where there is no sandbox, or fail where one is required."""
    if why := why_missing():
        without_sandbox(why)


def without_sandbox(why: str) -> NoReturn:
    """End the test: nothing that a learner wrote is run without one."""
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"no sandbox: {why} ({REQUIRE}=1 makes this a failure)")
    pytest.skip(f"grading a class needs a sandbox, and there is none: {why}")

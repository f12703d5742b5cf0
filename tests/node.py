"""Node and the type checker of the JavaScript, for tests; a learner's machine needs neither."""

import os
import shutil

import pytest

from tests.house.repository import ROOT


def node_tool(name: str) -> str:
    """Path of `node` or `tsc`: from this repository's node_modules, where there is one, else from the PATH."""
    places = [str(ROOT / "node_modules" / ".bin"), os.environ.get("PATH", "")]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is not None:
        return found
    reason = f"no {name}: install node, and the type checker with `npm install` in the repository"
    if os.environ.get("CAMWIDGET_REQUIRE_NODE") == "1":
        pytest.fail(f"{reason} (CAMWIDGET_REQUIRE_NODE=1 makes this a failure)")
    pytest.skip(reason)

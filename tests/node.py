"""Node and what is installed with it, for tests: the type checker, and what finds barriers. A learner needs neither."""

import os
import shutil
from pathlib import Path

import pytest

from tests.house.repository import ROOT


def node_tool(name: str) -> str:
    """Path of `node` or `tsc`: from this repository's node_modules, where there is one, else from the PATH."""
    places = [str(ROOT / "node_modules" / ".bin"), os.environ.get("PATH", "")]
    found = shutil.which(name, path=os.pathsep.join(places))
    return found if found is not None else _missing(name)


def axe_source() -> str:
    """The script that looks for what keeps people out of a page, from where the type checker is installed."""
    script = Path(node_tool("tsc")).parent.parent / "axe-core" / "axe.min.js"
    return (script if script.is_file() else Path(_missing("axe-core"))).read_text("utf-8")


def _missing(name: str) -> str:
    reason = f"no {name}: install node, and the rest with `npm install` in the repository"
    if os.environ.get("CAMWIDGET_REQUIRE_NODE") == "1":
        pytest.fail(f"{reason} (CAMWIDGET_REQUIRE_NODE=1 makes this a failure)")
    pytest.skip(reason)

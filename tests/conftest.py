"""What every test shares: checked annotations, one seed, and a browser where there is one."""

import os
from collections.abc import Iterator

# Before matplotlib is imported by anything: tests draw into memory, never on a screen.
os.environ.setdefault("MPLBACKEND", "Agg")
# Before any module of camwidget is imported: in tests, every annotation of the package is checked while it runs, the
# axes of tensors included. Users do not pay for it.
from jaxtyping import install_import_hook

import tests.typechecker  # noqa: F401 (the hook looks it up by name, and imports no submodule by itself)

install_import_hook("camwidget", "tests.typechecker.checked")

import pytest
import torch

from tests.browser.chromium import CHROMIUM_NAMES, chromium_path

SEED = 20161


@pytest.fixture(autouse=True)
def seed() -> Iterator[int]:
    """Start every test from one state of the random numbers, and leave the caller's as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        yield SEED


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the Chromium that drives the browser tests."""
    found = chromium_path()
    if found is not None:
        return found
    reason = f"no browser: none of {', '.join(CHROMIUM_NAMES)} is on the PATH; install your distribution's Chromium"
    if os.environ.get("CAMWIDGET_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{reason} (CAMWIDGET_REQUIRE_BROWSER=1 makes this a failure)")
    pytest.skip(reason)

"""What every test shares: workers, checked annotations, one seed, and a browser where there is one."""

import gc
import os
import sys
from collections.abc import Generator, Iterator

# Before torch is imported by anything, here and in every kernel and program that a test starts: tests run side by side,
# one thread each. Threads of several that wait for one another's turn on a few processors take many times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Before matplotlib is imported by anything: tests draw into memory, never on a screen.
os.environ.setdefault("MPLBACKEND", "Agg")
# Before nbformat is imported by anything: it would have thirty-eight parsers of web addresses built, and ask them
# nothing (`camwidget.command.grammars.without_grammars`, which cannot be imported yet).
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
# Before any module of camwidget is imported: in tests, every annotation of the package is checked while it runs, the
# axes of tensors included. Users do not pay for it.
from jaxtyping import install_import_hook

import tests.typechecker  # noqa: F401 (the hook looks it up by name, and imports no submodule by itself)

install_import_hook("camwidget", "tests.typechecker.checked")

import pytest

from tests.browser.chromium import CHROMIUM_NAMES, chromium_path

SEED = 20161
MOST_WORKERS = 2
"""Each takes 1.5 GB, and with what it starts, kernels or a browser, up to twice that."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """What `-n auto` in pyproject.toml means: two workers; for single files none, a worker takes longer to start."""
    if any(".py" in each for each in config.args):
        return 0
    return min(MOST_WORKERS, os.cpu_count() or 1)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Keep the garbage collector off what is imported: it stays to the end, and is most of what there is.

    It would be looked through again and again, while it is read and whenever the tests have made enough of their own.
    What the tests make is collected as ever.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for the browser is marked so, before `-m` selects; workers begin with the files that take long."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    if "PYTEST_XDIST_WORKER" in os.environ:  # a long file at the end would leave the other worker without work
        long = {item.path for item in items if any(map(item.get_closest_marker, ("browser", "slow")))}
        # The story notebooks take longest of all.
        items.sort(key=lambda item: (item.path not in long, item.path.name != "test_notebooks.py"))


@pytest.fixture(autouse=True)
def seed() -> Iterator[int]:
    """Start every test from one state of the random numbers, and leave the caller's as it was."""
    import torch  # not above: the process that only hands out the work does without

    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed: that also notes for each accelerator from where it was called, 2 ms for every test.
        torch.default_generator.manual_seed(SEED)
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

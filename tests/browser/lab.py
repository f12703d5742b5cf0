"""A real JupyterLab and a real browser, for tests and benchmarks: started on 127.0.0.1, stopped with the block."""

import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as LateError

from tests.browser.chromium import CHROMIUM_NAMES, chromium_path
from tests.house.repository import jupyter_command
from tests.patience import HANGING_S, STUCK_S

CHROMIUM_FLAGS = [
    "--no-sandbox",  # as root, which is how containers run
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

HEARD_S = 30
"""Seconds in which JupyterLab marks a cell as running, if it is going to."""

expect.set_options(timeout=1000 * STUCK_S)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """Yield the address of a JupyterLab that serves `folder`; its settings live in that folder, not in the home."""
    port = free_port()
    environment = {
        **os.environ,
        "JUPYTERLAB_SETTINGS_DIR": str(folder / ".lab-settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / ".lab-workspaces"),
        "JUPYTER_CONFIG_DIR": str(folder / ".jupyter"),
        "JUPYTER_RUNTIME_DIR": str(folder / ".jupyter-runtime"),
    }
    environment.pop("MPLBACKEND", None)  # the tests' own choice; here the server's kernels draw into the notebook
    command = jupyter_command("jupyterlab", "--no-browser", "--allow-root", f"--port={port}")
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={folder}", "--IdentityProvider.token="]
    command += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with serving(command, f"http://127.0.0.1:{port}", folder, environment=environment, ready="/api") as address:
        yield address


KERNEL_STAYS_S = 1.0
"""So long the same kernel is that of a notebook before anything runs on it."""


@contextmanager
def serving(
    command: Sequence[str], address: str, folder: Path, *, environment: Mapping[str, str], ready: str = ""
) -> Iterator[str]:
    """Yield the address of a server that a command starts in a folder, once it answers there under `ready`."""
    log = folder / ".server.log"
    with log.open("w") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=folder)
    try:
        deadline = time.monotonic() + HANGING_S
        while not _answers(f"{address}{ready}"):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The server for {address} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except (urllib.error.URLError, OSError):
        return False


def find_chromium() -> str:
    """Path of a whole Chromium on the PATH; a benchmark cannot do without."""
    found = chromium_path(whole=True)
    if found is None:
        raise SystemExit(f"No Chromium was found. {', '.join(CHROMIUM_NAMES)} would do. Install your distribution's.")
    return found


@contextmanager
def chromium_browser(executable: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def new_page(browser: Browser, *, width: int, height: int) -> Page:
    """A page on which no step has a limit but that for what is stuck."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(1000 * STUCK_S)
    return page


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook of code cells that knows its kernel, so that JupyterLab asks nothing."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


def open_notebook(page: Page, address: str, name: str) -> None:
    """Open a notebook and wait until its kernel is ready for work."""
    page.goto(f"{address}/lab/tree/{name}")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=1000 * HANGING_S)
    # attached, not visible: on a narrow page JupyterLab folds the indicator away
    page.wait_for_selector(
        '.jp-Notebook-ExecutionIndicator[data-status="idle"]', state="attached", timeout=1000 * HANGING_S
    )
    wait_for_kernel(page, address, name)


def wait_for_kernel(page: Page, address: str, name: str) -> None:
    """Wait until a notebook has one kernel, the same for a second, and the page is connected to it.

    A page that starts on a busy machine may ask for a kernel twice. The first one is ended then, and what was to run on
    it is lost, or lies behind a dialog.
    """
    known, since, deadline = "", 0.0, time.monotonic() + HANGING_S
    while not known or time.monotonic() - since < KERNEL_STAYS_S:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{name} came to no kernel of its own.")
        page.wait_for_timeout(200)
        sessions = [each for each in page.request.get(f"{address}/api/sessions").json() if each["path"] == name]
        kernels = [each["kernel"] for each in sessions]
        ready = [each["id"] for each in kernels if each["connections"] and each["execution_state"] == "idle"]
        now = ready[0] if len(kernels) == len(ready) == 1 else ""
        if now != known:
            known, since = now, time.monotonic()


def run_all(page: Page) -> None:
    """Run every cell through JupyterLab's own menu."""

    def press() -> None:
        page.locator(".jp-Notebook .jp-Cell").first.click()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    _until_heard(page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").first, press)


def run_cell(page: Page, number: int, *, wait: bool = True) -> None:
    """Run one code cell with the keyboard, as a learner does, and wait for the end of it."""
    run_this(page, page.locator(".jp-Notebook .jp-CodeCell").nth(number), wait=wait)


def run_this(page: Page, cell: Locator, *, wait: bool = True) -> None:
    """Run a code cell with the keyboard, and wait for the end of it."""
    prompt = cell.locator(".jp-InputPrompt")

    def press() -> None:
        try:
            prompt.click()
        except LateError as error:  # mostly because a dialog lies over the page: say which
            dialogs = page.locator("dialog.jp-Dialog").all_inner_texts()
            raise RuntimeError(f"A cell cannot be reached. Dialogs: {dialogs}") from error
        page.keyboard.press("Control+Enter")

    _until_heard(prompt, press)
    if wait:
        expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=1000 * HANGING_S)


def _until_heard(prompt: Locator, press: Callable[[], None]) -> None:
    """Ask for a run, and once more as long as the prompt does not change: a page that still starts hears nothing."""
    before = prompt.inner_text()
    for _ in range(HANGING_S // HEARD_S):
        press()
        with suppress(AssertionError):
            expect(prompt).not_to_have_text(before, timeout=1000 * HEARD_S)
            return
    raise RuntimeError("JupyterLab ran no cell.")

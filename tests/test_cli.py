"""The command `camwidget`: what it prints and its exit codes."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from camwidget import cli
from tests.course.selfstudy.test_notebook import TOY, item, write
from tests.course.source import WRITTEN
from tests.house.repository import ROOT
from tests.patience import HANGING_S


def test_the_entry_point_is_the_function_that_returns_the_exit_code() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]

    assert scripts == {"camwidget": "camwidget.cli:main"}


def test_what_start_copies_is_what_the_wheel_carries() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert wheel["force-include"] == {name: f"camwidget/materials/{name}" for name in ("exercises", "notebooks")}


def test_an_installed_package_finds_the_notebooks_inside_itself(tmp_path: Path) -> None:
    """As the wheel lays them out: no repository around the package."""
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "camwidget", tmp_path / "camwidget", ignore=skipped)
    for name in ("exercises", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / "camwidget" / "materials" / name, ignore=skipped)
    command = [sys.executable, "-m", "camwidget.cli", "start", "mine"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "mine").rglob("*.ipynb")} == {
        path.name for name in ("exercises", "notebooks") for path in (ROOT / name).rglob("*.ipynb")
    }


def test_start_says_what_it_did_and_what_it_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["start", str(tmp_path / "course")]) == 0
    first = capsys.readouterr().out
    assert cli.main(["start", str(tmp_path / "course")]) == 0
    second = capsys.readouterr().out

    assert re.search(r"^copied +.*keepdim\.ipynb$", first, re.MULTILINE)
    assert re.search(r"^left as it is +.*keepdim\.ipynb$", second, re.MULTILINE)
    assert "0 files copied." in second
    assert "jupyter lab" in second


def test_list_names_every_assignment(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list"]) == 0

    told = capsys.readouterr().out
    assert all(f"{name}." in told for name in WRITTEN)
    assert "about 12 minutes" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ["hint", "keepdim.zzz"],
        ["hint", "keepdim.silent", "--level", "7"],
        ["check", "none.ipynb"],
        ["check", "."],
        ["check"],
        ["check", "none.ipynb", "--limit", "0"],
        ["start", "file"],
    ],
)
def test_bad_input_gets_a_message_in_three_parts_and_code_2(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")

    assert cli.main(arguments) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert re.match(r"camwidget: .+[.:?] .+[.:?] .+[.?`]", told.err)


def test_a_command_that_is_not_there_is_refused_with_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["chekc"])

    assert ended.value.code == 2
    assert "check" in capsys.readouterr().err


@pytest.fixture
def hears_ctrl_c() -> Iterator[None]:
    """Programs started in this time hear Ctrl+C, as in a terminal, also where the tests run as a background job.

    A shell makes its background jobs deaf to it, and a program hands that on to those it starts.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.usefixtures("hears_ctrl_c")
def test_a_saved_notebook_is_checked_again_until_ctrl_c(tmp_path: Path) -> None:
    path = write(tmp_path / "one.ipynb", [TOY, *item(1, "value = 2")])
    command = [sys.executable, "-m", "camwidget.cli", "check", "--watch"]
    with subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    ) as process:
        hangs = threading.Timer(HANGING_S, process.kill)
        hangs.start()
        try:
            first = read_until(process, "Waiting for the next save")
            wait_until_it_watches(process)  # which begins with the line, or somewhat later
            write(path, [TOY, *item(1, "value = 1")])
            second = read_until(process, "1 of 1 items done")
            process.send_signal(signal.SIGINT)
            code = process.wait(HANGING_S)
        finally:
            hangs.cancel()
            process.kill()

    assert "0 of 1 items done" in first
    assert "done         toy.q1" in second
    assert code == 1, "the code is that of the first look: it was not right"


def wait_until_it_watches(process: subprocess.Popen[str]) -> None:
    """Until the system tells the process of changed files, where it says whom it tells; elsewhere a while."""
    told = Path("/proc", str(process.pid), "fdinfo")
    deadline = time.monotonic() + (HANGING_S if told.is_dir() else 3)
    while time.monotonic() < deadline and not (told.is_dir() and any(map(_is_watched, told.iterdir()))):
        time.sleep(0.1)


def _is_watched(number: Path) -> bool:
    try:
        return "inotify wd:" in number.read_text()
    except OSError:  # closed meanwhile
        return False


def read_until(process: subprocess.Popen[str], wanted: str) -> str:
    """What the process prints, up to and with the line that holds what is wanted."""
    lines: list[str] = []
    assert process.stdout is not None
    while not lines or wanted not in lines[-1]:
        line = process.stdout.readline()
        assert line, f"it ended without {wanted!r}: {''.join(lines)}"
        lines.append(line)
    return "".join(lines)

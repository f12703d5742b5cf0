"""The command `camwidget`: what it prints and its exit codes."""

import fcntl
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from camwidget import __version__
from camwidget.command import cli
from camwidget.course.selfstudy.materials import start
from tests.course.selfstudy.toy import TOY, item, write
from tests.course.source import WRITTEN
from tests.house.repository import ROOT
from tests.patience import HANGING_S


def test_the_entry_point_is_the_function_that_returns_the_exit_code() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]

    assert scripts == {"camwidget": "camwidget.command.cli:main"}


def test_what_start_copies_is_what_the_wheel_carries() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert wheel["force-include"] == {
        name: f"camwidget/materials/{name}" for name in ("COURSE.md", "exercises", "notebooks")
    }


def test_an_installed_package_finds_the_notebooks_inside_itself(tmp_path: Path) -> None:
    """As the wheel lays them out: no repository around the package."""
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "camwidget", tmp_path / "camwidget", ignore=skipped)
    for name in ("exercises", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / "camwidget" / "materials" / name, ignore=skipped)
    shutil.copy(ROOT / "COURSE.md", tmp_path / "camwidget" / "materials")
    command = [sys.executable, "-m", "camwidget.command", "start", "mine"]
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
        ["chekc"],
        ["check", "hoks"],
        ["check", "hooks"],
        ["check", "--wat"],
        ["check", "--limit", "long"],
        ["list", "hoks"],
        ["hint"],
        ["reset", "hooks.q5"],
        ["reset", "hooks.q55"],
        ["reset"],
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


def test_without_a_command_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    assert "check" in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"camwidget {__version__}\n"


def test_a_list_of_one_assignment_has_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "keepdim"]) == 0

    names = re.findall(r"^(\w+)\.", capsys.readouterr().out, re.MULTILINE)
    assert set(names) == {"keepdim"}


@pytest.fixture
def learner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner's course, with a state folder of its own."""
    start(tmp_path / "mine")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "mine")
    return tmp_path / "mine"


def test_a_hint_without_a_name_is_for_the_next_item(learner: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["hint"]) == 0

    assert capsys.readouterr().out.startswith("hooks.q1a · ")


def test_a_reset_asks_first_and_keeps_a_copy(
    learner: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = learner / "exercises" / "keepdim" / "keepdim.ipynb"
    fresh, mine = path.read_text(), path.read_text().replace("def weighted_map", "def my_weighted_map")
    assert mine != fresh
    path.write_text(mine)

    monkeypatch.setattr("builtins.input", lambda _: "n")
    assert cli.main(["reset", "keepdim.unsqueeze"]) == 1
    assert path.read_text() == mine
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert cli.main(["reset", "keepdim.unsqueeze"]) == 0

    copy = path.with_name("keepdim.ipynb.before-reset-1")
    assert json.loads(path.read_text()) == json.loads(fresh)
    assert copy.read_text() == mine
    assert "1 line of yours" in capsys.readouterr().out


@pytest.mark.parametrize(("colour", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_on_a_terminal_lines_are_wrapped_and_in_colour_unless_it_is_not_wanted(
    colour: dict[str, str], coloured: bool
) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS"}}
    environment |= {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **colour}
    command = [sys.executable, "-m", "camwidget.command", "check", "no-such-item"]
    with subprocess.Popen(command, env=environment, stdout=theirs, stderr=theirs) as process:
        code = process.wait(HANGING_S)
    os.close(theirs)
    told = os.read(ours, 10_000).decode()
    os.close(ours)

    assert code == 2
    assert ("\x1b[31m" in told) is coloured
    lines = re.sub(r"\x1b\[[0-9;]*m", "", told).splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 40


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
    command = [sys.executable, "-m", "camwidget.command", "check", "--watch"]
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
            last = read_until(process, "Goodbye")
            code = process.wait(HANGING_S)
        finally:
            hangs.cancel()
            process.kill()

    assert "0 of 1 items done" in first
    assert "done         toy.q1" in second
    assert "Goodbye. 1 items are done." in last
    assert code == 0, "the code is that of the last look"


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

"""Where there is no sandbox nothing is graded, and one is told what to do about it."""

import subprocess
from collections.abc import Sequence
from typing import Any

import pytest

from camwidget.command import cli
from camwidget.errors import CourseError
from camwidget.grading import sandbox
from camwidget.grading.sandbox import Sandbox


def refusing(monkeypatch: pytest.MonkeyPatch, *, installed: bool) -> None:
    """A machine on which bubblewrap is missing, or on which the kernel forbids what it needs."""

    def run(command: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(
            command, 1, "", "bwrap: Creating new namespace failed: Operation not permitted"
        )

    monkeypatch.setattr(sandbox.shutil, "which", lambda name: f"/usr/bin/{name}" if installed else None)
    monkeypatch.setattr(sandbox.subprocess, "run", run)


def test_without_bubblewrap_one_is_told_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, installed=False)

    with pytest.raises(
        CourseError, match=r"(?s)Bubblewrap is not installed.*apt-get install bubblewrap.*--uncontained"
    ):
        Sandbox()


def test_where_the_kernel_forbids_namespaces_one_is_not_told_to_install_what_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusing(monkeypatch, installed=True)

    with pytest.raises(
        CourseError, match=r"Creating new namespace failed.*apparmor_restrict_unprivileged_userns"
    ) as told:
        Sandbox()
    assert "apt-get" not in str(told.value)


@pytest.mark.parametrize("contained", [True, False])
def test_on_another_system_nothing_is_graded_and_one_is_not_told_to_add_what_does_not_help(
    contained: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox.sys, "platform", "darwin")

    with pytest.raises(
        CourseError, match=r"This is darwin\. `camwidget grade` needs Linux\. Run it on a Linux"
    ) as told:
        Sandbox(contained=contained)
    assert "--uncontained" not in str(told.value)


def test_the_command_says_so_before_it_reads_anything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sandbox.sys, "platform", "win32")

    assert cli.main(["grade", "there is no such folder", "--uncontained"]) == cli.BAD_INPUT
    assert "needs Linux" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("problem", "advice"),
    [
        ({"problem": "no namespaces", "kernel": True}, "max_user_namespaces"),
        ({"problem": "3 threads"}, "Try once more"),
    ],
)
def test_a_kernel_that_gives_a_submission_no_namespaces_is_told_from_a_bad_start(
    problem: dict[str, Any], advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    started = object.__new__(Sandbox)
    ours, theirs = sandbox.socket.socketpair(sandbox.socket.AF_UNIX, sandbox.socket.SOCK_SEQPACKET)
    started.control, closed = ours, []
    monkeypatch.setattr(Sandbox, "close", lambda self: closed.append(self.control.close()))
    with theirs:
        theirs.send(json.dumps(problem).encode())
        with pytest.raises(CourseError, match=f"{problem['problem']}.*{advice}"):
            started.wait()
    assert closed == [None]

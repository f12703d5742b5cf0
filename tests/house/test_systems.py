"""Every module can be imported on Windows and macOS, and reads text there as it was written.

Neither system is here, so the sources are read. What only Unix or Linux has may be used inside functions, which say
first where they run, and never while a module is imported.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.repository import ROOT, planted
from tests.house.sources import sources

MODULES = {"fcntl", "grp", "pty", "pwd", "readline", "resource", "termios", "tty"}
"""Modules of Python that Windows has not."""
NAMES = {
    "os": {
        *("fork", "forkpty", "getloadavg", "getuid", "geteuid", "killpg", "mkfifo", "pidfd_open", "sched_getaffinity"),
        *("setsid", "sysconf", "uname", "O_NOFOLLOW", "O_NONBLOCK"),
    },
    "signal": {
        *("ITIMER_PROF", "ITIMER_REAL", "ITIMER_VIRTUAL", "SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPROF"),
        *("pthread_sigmask", "setitimer"),
    },
    "socket": {"AF_UNIX", "SOCK_SEQPACKET", "recv_fds", "send_fds"},
    "multiprocessing.context": {"ForkProcess", "ForkServerContext", "ForkServerProcess"},
}
"""What modules that Windows has lack there."""
ENCODED = {"read_text": 1, "write_text": 2}
"""Functions that take an encoding, and as which argument, counted from 1, where it is not named."""
LINUX_ALONE = {"grading/child.py", "grading/parent.py", "grading/sandbox.py"}
"""They read what the kernel tells in /proc, after `refuse_other_systems`."""


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Everything that runs while a module is imported: not the bodies of functions, but their defaults."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        inner: list[ast.AST] = [*getattr(node, "decorator_list", []), *node.args.defaults, *node.args.kw_defaults]
    else:
        inner = list(ast.iter_child_nodes(node))
    for child in filter(None, inner):
        yield child
        yield from at_import(child)


def not_on_windows(package: Path) -> list[str]:
    """What modules use while they are imported that Windows has not."""
    found = []
    for path, source in sources(package).items():
        for node in at_import(ast.parse(source)):
            used: set[str] = set()
            if isinstance(node, ast.Import):
                used = {alias.name for alias in node.names} & MODULES
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = {alias.name for alias in node.names}
                used = ({node.module} & MODULES) | (names & NAMES.get(node.module, set()))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used = {node.attr} & NAMES.get(node.value.id, set())
            found += [f"{path}:{node.lineno} {name}" for name in sorted(used)]  # type: ignore[attr-defined]
    return found


def without_encoding(package: Path) -> list[str]:
    """Where text is read or written in whatever encoding the system has; Windows often has an older one."""
    found = []
    for path, source in sources(package).items():
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Call) or path in LINUX_ALONE:
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given = {each.arg: each.value for each in node.keywords}
            bare = called in ENCODED and len(node.args) < ENCODED[called]
            decodes = isinstance(given.get("text"), ast.Constant) and given["text"].value is True
            if (bare or decodes) and "encoding" not in given:
                found.append(f"{path}:{node.lineno} {called}")
    return found


def test_no_module_needs_unix_to_be_imported() -> None:
    assert not_on_windows(ROOT / "camwidget") == []


def test_text_has_an_encoding_wherever_it_is_read_or_written() -> None:
    assert without_encoding(ROOT / "camwidget") == []


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import resource", "resource"),
        ("import os\nTICKS = os.sysconf('SC_CLK_TCK')", "sysconf"),
        ("import os\ndef f(limit=os.getuid()): ...", "getuid"),
        ("import signal\nclass A:\n    kind = signal.SIGPROF", "SIGPROF"),
        ("from multiprocessing.context import ForkServerProcess", "ForkServerProcess"),
    ],
)
def test_what_windows_lacks_is_told(source: str, told: str, tmp_path: Path) -> None:
    (found,) = not_on_windows(planted(tmp_path, {"one.py": source}))

    assert found.endswith(told)


def test_inside_a_function_it_may_be_used(tmp_path: Path) -> None:
    inside = "import os\ndef f():\n    import resource\n    return os.fork()\ng = lambda: os.getuid()"

    assert not_on_windows(planted(tmp_path, {"one.py": inside})) == []


@pytest.mark.parametrize("call", ["p.read_text()", "p.write_text(t)", "subprocess.run(c, text=True)"])
def test_text_without_an_encoding_is_told(call: str, tmp_path: Path) -> None:
    assert len(without_encoding(planted(tmp_path / "bad", {"one.py": call}))) == 1

    good = call.replace(")", ", encoding='utf-8')").replace("(, ", "(")
    assert without_encoding(planted(tmp_path / "good", {"one.py": good})) == []

"""The sandbox that all submissions of one grader share: bubblewrap around one warm process that forks for each of them.

Only what Python needs is in there: the system's libraries, the interpreter, the packages, camwidget without its judges.
It is a list of what is let in, so nothing has to be thought of that should stay out. An ordinary user will do, without
a right to make control groups, if Python and the packages lie where that user may read them. Docker's usual settings
allow neither namespaces nor a `/proc` of one's own.
"""

import ast
import contextlib
import inspect
import itertools
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import sysconfig
import types
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import camwidget
from camwidget.course.assignments import networks, traces
from camwidget.errors import CourseError, three_parts
from camwidget.grading.parent import HOME

PACKAGE = Path(camwidget.__file__).resolve().parent
JUDGES = PACKAGE / "course" / "assignments"
MOST_PROCESSES = 256
"""In the whole sandbox, threads included, where a control group can hold it to that; a submission has its own limit."""
STARTING_S = 600.0
"""On the clock, for all the imports; about eight seconds on an idle machine."""
_NUMBERS = itertools.count()
_SYSTEM = ("bin", "lib", "lib32", "lib64", "sbin")
_SETTINGS = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/etc/localtime", "/nix/store")
_OWN = ("--dev", "/dev", "--proc", "/proc")
"""A container often forbids a `/proc` of one's own, and there is no other: the machine's shows all processes."""
_INSTALL = "Install it, on Debian and Ubuntu with `sudo apt-get install bubblewrap`"
_NAMESPACES = (
    "The kernel has to let users make namespaces. Ubuntu from 24.04 on does so for programs with a profile of "
    "AppArmor, or after `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`; other systems after "
    "`sudo sysctl user.max_user_namespaces=10000`. A container has to allow them, and a /proc of one's own"
)
_ENTER = 'echo $$ >"$0" && exec "$@"'
_BOOT = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from camwidget.grading.parent import main; main(int(sys.argv[2]), contained=sys.argv[3] == 'contained')"
)


def refuse_other_systems() -> None:
    """Raise where there is no Linux, whether in a sandbox or not: forks, signals and what they take come from it.

    Raises:
        CourseError: with where to run it.
    """
    if not sys.platform.startswith("linux"):
        advice = "Run it on a Linux machine or in a virtual one; on Windows, WSL 2 is one"
        raise CourseError(three_parts(f"This is {sys.platform}", "`camwidget grade` needs Linux", advice))


def missing() -> str:
    """Return why there is no sandbox on this machine, in one sentence; empty if there is one."""
    if not sys.platform.startswith("linux"):
        return f"bubblewrap needs Linux, and this is {sys.platform}"
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    tried = subprocess.run(
        ["bwrap", *_system_arguments(), *_OWN, "--unshare-all", "--new-session", "/usr/bin/true"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode:
        return f"bubblewrap does not run here ({tried.stderr.strip()[:200] or tried.returncode})"
    return ""


def refuse_if_missing() -> None:
    """Raise where there is no sandbox.

    Raises:
        CourseError: with what to install.
    """
    why = missing()
    if why:
        advice = _NAMESPACES if shutil.which("bwrap") else _INSTALL
        advice += ". To grade submissions that you trust as you trust your own code, add --uncontained"
        raise CourseError(three_parts(why[0].upper() + why[1:], "What learners wrote runs in a sandbox only", advice))


@dataclass(frozen=True)
class Forks:
    """Asks the warm process for forks."""

    control: socket.socket

    def fork(self, request: Mapping[str, Any]) -> tuple[socket.socket, socket.socket]:
        """Ask for the process of one submission; return the line to it, and the one to what watches it.

        Args:
            request: the limits, see `parent` and `child.prepare`.
        """
        data, their_data = socket.socketpair()
        meter, their_meter = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with their_data, their_meter:
            message = json.dumps({**request, "temporary": _temporary(_python_paths())}).encode()
            socket.send_fds(self.control, [message], [their_data.fileno(), their_meter.fileno()])
        return data, meter


class Sandbox:
    """Starts the warm process; ends it, and everything in it, on leaving.

    Args:
        contained: without, the same process runs outside of any sandbox.
        hidden_from_view: folders that are not to be seen in the sandbox even if they lie in one that is, such as among
            the installed packages.
    """

    def __init__(self, *, contained: bool = True, hidden_from_view: tuple[Path, ...] = ()) -> None:
        refuse_other_systems()
        if contained:
            refuse_if_missing()
        self.contained = contained
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            paths = _python_paths()
            command = [
                os.path.realpath(sys.executable),
                "-I",
                "-S",
                "-W",
                "ignore",
                "-c",
                _BOOT,
                json.dumps(paths),
                str(theirs.fileno()),
            ]
            command.append("contained" if contained else "uncontained")
            self._group = _control_group() if contained else None
            if contained:
                command = ["bwrap", *_arguments(paths, hidden_from_view), *command]
            if self._group:  # it enters before it starts anything
                command = ["sh", "-c", _ENTER, str(self._group / "cgroup.procs"), *command]
            self.process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                env=_environment(contained),
                cwd="/",
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl+C is for the grader, who then ends this one
            )
        self.control.send(json.dumps(_without_judges()).encode())

    def wait(self) -> Self:
        """Wait until everything is imported.

        Raises:
            CourseError: it did not come so far.
        """
        told: dict[str, Any] = {"problem": f"it was not ready after {STARTING_S:.0f} s"}
        if select.select([self.control], [], [], STARTING_S)[0]:
            message = self.control.recv(1 << 16)
            told = json.loads(message) if message else {"problem": "it ended while it was starting; see above"}
        if not told.get("ready"):
            self.close()
            given = f"The sandbox did not start: {told['problem']}"
            if told.get("kernel"):
                raise CourseError(three_parts(given, "Each submission gets namespaces of its own", _NAMESPACES))
            raise CourseError(three_parts(given, "It imports PyTorch, fastai and camwidget first", "Try once more"))
        return self

    @property
    def forks(self) -> Forks:
        """What other processes need of it: they may be given this, and fork from the same warm process."""
        return Forks(self.control)

    def close(self) -> None:
        """End the warm process. Whatever it forked ends when nobody is left who asks it."""
        self.control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self._group:
            with contextlib.suppress(OSError):  # something in it is still ending: an empty folder stays
                self._group.rmdir()

    def __enter__(self) -> Self:
        return self.wait()

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def _control_group() -> Path | None:
    """A control group of so many processes at most, if one can be made and entered; no user's limit holds for root."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            number, controllers, inside = line.split(":", 2)
            if number != "0" and "pids" not in controllers.split(","):
                continue
            root = Path("/sys/fs/cgroup", "pids" if number != "0" else "")
            group = root / inside.lstrip("/") / f"camwidget-{os.getpid()}-{next(_NUMBERS)}"
            with contextlib.suppress(OSError):
                group.mkdir()
                try:
                    (group / "pids.max").write_text(str(MOST_PROCESSES))
                    entered = ["sh", "-c", _ENTER, str(group / "cgroup.procs"), "true"]
                    subprocess.run(entered, check=True, capture_output=True)
                except (OSError, subprocess.CalledProcessError):
                    group.rmdir()
                    continue
                return group
    return None


def weaker() -> str:
    """Return in a sentence what the sandbox lacks on this machine and can do without; empty if it lacks nothing."""
    group = _control_group()
    if group is not None:
        group.rmdir()
        return ""
    return (
        "No control group can be made here. A filter in the kernel keeps submissions from starting processes all the "
        "same; there is no second bound behind it."
    )


_NEEDED: Mapping[types.ModuleType, frozenset[str]] = {
    traces: frozenset({"Run", "Runs", "Counted", "note_run"}),
    networks: frozenset({"_Jumbled", "Small", "another_dls"}),
}
"""Modules beside the judges, to what a learner's process has to have of them: the networks, and what these note."""


def _without_judges() -> dict[str, str]:
    """Module to its source, as far as it is needed: imports, and what has one of the names."""
    found: dict[str, str] = {}
    for module, names in _NEEDED.items():
        kept = [
            statement
            for statement in ast.parse(inspect.getsource(module)).body
            if isinstance(statement, ast.Import | ast.ImportFrom) or getattr(statement, "name", "") in names
        ]
        found[module.__name__] = ast.unparse(ast.Module(kept, []))
    return found


def _python_paths() -> list[str]:
    """Where Python finds modules in there: its own folders, those of packages, and the one that camwidget lies in."""
    own = [os.path.realpath(path) for path in (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))]
    paths = [*own, *(str(Path(path) / "lib-dynload") for path in own)]
    paths += [os.path.realpath(path) for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    paths.append(str(PACKAGE.parent))
    return list(dict.fromkeys(path for path in paths if Path(path).is_dir()))


def _let_in(paths: list[str]) -> list[str]:
    packages = [path for path in paths if path != str(PACKAGE.parent) or PACKAGE.parent.name.endswith("-packages")]
    base = os.path.realpath(sys.base_prefix)
    inside = [] if base == "/usr" else [base]
    return [each for each in dict.fromkeys([*inside, *packages, str(PACKAGE)]) if not Path(each).is_relative_to("/usr")]


def _system_arguments() -> list[str]:
    arguments = ["--ro-bind", "/usr", "/usr"]
    for name in _SYSTEM:
        place = Path("/") / name
        if place.is_symlink():
            arguments += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            arguments += ["--ro-bind", str(place), str(place)]
    return arguments


def _arguments(paths: list[str], hidden_from_view: tuple[Path, ...]) -> list[str]:
    arguments = _system_arguments()
    for place in _SETTINGS:
        arguments += ["--ro-bind-try", place, place]
    arguments += [*_OWN, "--dir", "/tmp", "--tmpfs", HOME]
    # What lies deeper comes later: a package in a hidden folder is there, and a hidden folder among packages is not.
    let_in = _let_in(paths)
    seen = [Path("/usr"), *map(Path, let_in)]
    hidden = [JUDGES, *(folder.resolve() for folder in hidden_from_view)]
    hidden = [folder for folder in hidden if folder.is_dir() and any(folder.is_relative_to(each) for each in seen)]
    mounts = [(path, ["--ro-bind", path, path]) for path in let_in]
    mounts += [(str(folder), ["--tmpfs", str(folder), "--remount-ro", str(folder)]) for folder in hidden]
    for _, mount in sorted(mounts, key=lambda each: len(Path(each[0]).parts)):
        arguments += mount
    return [
        *arguments,
        "--remount-ro",
        "/dev",
        "--remount-ro",
        "/",
        "--unshare-all",
        "--new-session",
    ]


def _temporary(paths: list[str]) -> list[str]:
    """Other places where programs write without asking; not where packages lie below, which would be covered."""
    return [place for place in ("/tmp",) if not any(Path(path).is_relative_to(place) for path in _let_in(paths))]


def _environment(contained: bool) -> dict[str, str]:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
    own = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",  # the same marks again
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    if contained:
        own |= dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR"), HOME)
    else:
        own |= {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    return {**threads, **own}

"""Inside the sandbox: a process that has imported everything, and forks one process for each submission.

A fork costs some milliseconds where a fresh kernel costs eight seconds of imports. Each fork gets namespaces of its
own, so that submissions neither see nor reach one another, and a watcher outside of these, which measures and ends it.
"""

import contextlib
import ctypes
import gc
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
import types
from pathlib import Path
from typing import Any

from camwidget.grading.callfilter import forbid

HOME = "/camwidget"
"""Where a submission runs, and may write, in the sandbox."""
_NAMESPACES = 0x10000000 | 0x20000000 | 0x20000 | 0x08000000 | 0x40000000 | 0x04000000
"""User, processes, mounts, System V IPC, network, host name."""
_SAMPLE_S = 0.1
"""From one measurement to the next."""
_MUCH_MB = 64
"""More or less memory than this since the last measurement is a reason for another."""
_SELDOM = 20
"""Memory is measured for one part of the time in so many, or more often where much is added."""


def main(control_fd: int, *, contained: bool) -> None:
    """Import everything, say so, and fork for whoever asks until nobody is left who could."""
    control = socket.socket(fileno=control_fd)
    import torch  # noqa: PLC0415 (what is imported when is what this is about)

    torch.set_num_threads(
        1
    )  # before any computing: a pool of threads does not survive a fork, and the child would hang
    _add_modules(json.loads(control.recv(1 << 20)))
    shell = _warm_shell()
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        control.send(json.dumps({"problem": f"{threads} threads run in the parent; a fork would hang"}).encode())
        return
    problem = _tried(contained)
    if problem:
        control.send(json.dumps({"problem": problem, "kernel": True}).encode())
        return
    gc.collect()
    gc.freeze()  # a collection in a child would touch, and so copy, every page
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the watchers
    control.send(json.dumps({"ready": True}).encode())
    while True:
        try:
            request, fds, _, _ = socket.recv_fds(control, 1 << 16, 2)
        except ConnectionResetError:  # whoever could ask ended before everything was read
            return
        if not request:
            return
        if os.fork() == 0:
            control.close()
            try:
                _watch(
                    socket.socket(fileno=fds[0]), socket.socket(fileno=fds[1]), json.loads(request), shell, contained
                )
            finally:
                os._exit(0)
        for fd in fds:
            os.close(fd)


def _add_modules(sources: dict[str, str]) -> None:
    """Make modules of our own out of their sources: networks that judges draw, without the judges beside them."""
    for name, source in sources.items():
        module = types.ModuleType(name)
        sys.modules[name] = module
        exec(compile(source, f"<{name}>", "exec"), module.__dict__)


def _warm_shell() -> Any:
    """Import what notebooks import, and make the shell that runs their cells."""
    # All imported here, because the time and the order of these imports are what this is about.
    import fastai.vision.all  # noqa: F401, PLC0415
    import matplotlib.pyplot  # noqa: F401, PLC0415
    from IPython.core import history  # noqa: PLC0415
    from IPython.core.interactiveshell import InteractiveShell  # noqa: PLC0415

    import camwidget  # noqa: PLC0415
    from camwidget.course import check  # noqa: PLC0415
    from camwidget.grading.child import unchecked  # noqa: PLC0415
    from camwidget.pictures.demo import demo_learner  # noqa: PLC0415
    from camwidget.text.learner import text_learner  # noqa: PLC0415

    check.check = unchecked
    for name in camwidget.__all__:  # whatever a notebook may ask for, so that no fork imports it for itself
        getattr(camwidget, name)
    demo_learner()
    text_learner()
    history.HistoryManager.enabled = False  # it would start a thread

    class Shell(InteractiveShell):
        def enable_gui(self, *_: Any, **__: Any) -> None:
            """There is no event loop here."""

        def showtraceback(self, *_: Any, **__: Any) -> None:
            """An error goes back as an error. Printed as well, it would be there twice, and late."""

        showsyntaxerror = showtraceback

        def _tee(self, *_: Any, **__: Any) -> contextlib.AbstractContextManager[None]:
            """Nothing of what is printed goes into IPython's history as well: that has no bound."""
            return contextlib.nullcontext()

    shell = Shell.instance()
    shell.colors = "nocolor"
    shell.run_line_magic("matplotlib", "inline")
    return shell


# The watcher: outside of the submission's namespaces, and the only one who may end it.


def _watch(data: socket.socket, meter: socket.socket, request: dict[str, Any], shell: Any, contained: bool) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(36, 1, 0, 0, 0)  # orphans of this process come to it: the child below, when who made it has gone
    home = HOME if contained else tempfile.mkdtemp(prefix="camwidget-")
    try:
        pid = _start(libc, data, meter, request, shell, home, contained)
        data.close()
        _measure(pid, meter, request, contained)
    finally:
        if not contained:
            shutil.rmtree(home, ignore_errors=True)


def _start(
    libc: Any,
    data: socket.socket,
    meter: socket.socket,
    request: dict[str, Any],
    shell: Any,
    home: str,
    contained: bool,
) -> int:
    """Fork the submission's process into namespaces of its own; return its number here."""
    told, tell = os.pipe()
    between = os.fork()
    if between == 0:
        try:
            if contained:
                _leave(libc)
            pid = os.fork()
            if pid == 0:
                meter.close()
                os.close(told)
                os.close(tell)
                _become(libc, data, request, shell, home, contained)
            else:
                os.write(tell, str(pid).encode())
        finally:
            os._exit(0)
    os.close(tell)
    text = os.read(told, 32)
    os.close(told)
    os.waitpid(between, 0)
    if not text:
        raise OSError("the sandbox gave no namespaces of its own")
    return int(text)


def _tried(contained: bool) -> str:
    """Shut the doors once where nobody has come in yet; return why that does not go here, empty if it does.

    Where it does not, grading must not begin: each submission would seem to have ended Python.
    """
    if not contained:
        return ""
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            _leave(libc)
            inside = os.fork()
            if inside == 0:
                _shut(libc, HOME, 1, [])
                os.write(tell, b"shut")
            else:
                os.waitpid(inside, 0)
        except OSError as error:
            os.write(tell, str(error).encode()[:1000])
        finally:
            os._exit(0)
    os.close(tell)
    os.waitpid(pid, 0)
    text = os.read(told, 1000).decode(errors="replace")
    os.close(told)
    return "" if text == "shut" else f"the kernel gives a submission no sandbox of its own ({text or 'no reason'})"


def _leave(libc: Any) -> None:
    """Go into namespaces of one's own; the next child is the first process there."""
    ids = {"uid_map": os.getuid(), "gid_map": os.getgid()}
    _call(libc.unshare, _NAMESPACES)
    Path("/proc/self/setgroups").write_text("deny")
    for name, number in ids.items():
        Path(f"/proc/self/{name}").write_text(f"{number} {number} 1")


def _shut(libc: Any, home: str, disk_mb: int, temporary: list[str]) -> None:
    """Cover what can be written to, and give up every right.

    Raises:
        OSError: the kernel does not allow it.
    """
    size = f"size={disk_mb}m,mode=700".encode()
    for place in (home, "/dev/shm", *temporary):
        _call(libc.mount, b"tmpfs", place.encode(), b"tmpfs", 2 | 4, size)  # no set-user-id, no devices
    libc.mount(b"proc", b"/proc", b"proc", 2 | 4 | 8, None)  # refused where the outer one is partly covered
    with contextlib.suppress(OSError):  # no way to more namespaces, in which one would be root again
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
    _drop_privileges(libc)
    if not forbid(libc):
        raise OSError("it takes no filter that forbids new processes")


def _become(libc: Any, data: socket.socket, request: dict[str, Any], shell: Any, home: str, contained: bool) -> None:
    """In the new process: shut the doors, then serve."""
    from camwidget.grading.child import prepare, serve  # noqa: PLC0415 (see `_warm_shell`)

    os.nice(5)  # whoever watches has to get a turn, however many want one
    os.setsid()  # a signal to a group goes to all in it, in whatever namespace they are
    prepare(request, contained=contained)
    if contained:
        _shut(libc, home, request["disk_mb"], request["temporary"])  # after it no limit can be changed
    os.chdir(home)
    os.environ.update(HOME=home, TMPDIR=home, MPLCONFIGDIR=home)
    tempfile.tempdir = None
    serve(data, shell, output_kb=request["output_kb"])


def _call(function: Any, *args: Any) -> None:
    if function(*args) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _drop_privileges(libc: Any) -> None:
    """Root in one's own namespace may mount and more; nobody needs that any longer."""
    for capability in range(64):
        libc.prctl(24, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _call(libc.capset, header, (ctypes.c_uint32 * 6)())
    libc.prctl(38, 1, 0, 0, 0)  # nothing that it runs gains privileges


def _measure(pid: int, meter: socket.socket, request: dict[str, Any], contained: bool) -> None:
    """Say every moment what the submission has used; end it when it is too much, or when nobody is left to judge it."""
    ended = os.pidfd_open(pid)
    spent = 0.0
    try:
        memory = _Memory(pid, request["memory_mb"])
        while True:
            ready = select.select([meter.fileno(), ended], [], [], _SAMPLE_S)[0]
            if meter.fileno() in ready:
                order = meter.recv(16)
                if not order:
                    return
                os.kill(pid, signal.SIGINT)
            processes = _family(pid, contained, most=request["processes"])
            sample: dict[str, Any] = {"cpu_s": spent, "memory_mb": 0.0}
            if len(processes) > request["processes"]:
                _kill(pid, contained)  # at once: while one measures a fork bomb it doubles
                sample["over"] = "processes"
            else:
                spent = sample["cpu_s"] = max(spent, sum(map(_computed_s, processes)))
                sample["memory_mb"] = memory.now(processes)
                if sample["memory_mb"] > request["memory_mb"]:
                    sample["over"] = "memory"
            if ended in ready:
                sample["ended"] = True
            with contextlib.suppress(BlockingIOError):
                meter.send(json.dumps(sample).encode(), socket.MSG_DONTWAIT)
            if "over" in sample or "ended" in sample:
                return
    except OSError:
        return
    finally:
        _end(pid, contained)


def _end(pid: int, contained: bool) -> None:
    """End a submission, and wait until nothing of it is left."""
    _kill(pid, contained)
    with contextlib.suppress(OSError):
        while True:  # also orphans that came to this process
            os.waitpid(-1, 0)


def _kill(pid: int, contained: bool) -> None:
    """Kill a submission. The first process of a namespace takes all others along."""
    for each in [pid] if contained else [*_family(pid, contained), pid]:
        with contextlib.suppress(OSError):
            os.kill(each, signal.SIGKILL)
    if not contained:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)


def _family(pid: int, contained: bool, *, most: int = 100_000) -> list[int]:
    """The process and all that come from it; outside of a namespace also orphans, which came to this one.

    Args:
        pid: of the first.
        contained: whether it has a namespace of its own.
        most: stop looking once there are more.
    """
    found: list[int] = []
    left = [pid] if contained else [pid, *_children(os.getpid())]
    while left and len(found) <= most:
        each = left.pop()
        if each not in found:
            found.append(each)
            left += _children(each)
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += map(int, (task / "children").read_text().split())
    return children


def _computed_s(pid: int) -> float:
    """Seconds that a process and its ended children computed."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _memory_mb(processes: list[int]) -> float:
    """What processes have written to: what each has for itself, and once what the one with most shares."""
    own, shared = 0, [0]
    for pid in processes:
        with contextlib.suppress(OSError, ValueError, IndexError):
            rollup = dict(line.split()[:2] for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
            own += int(rollup["Private_Dirty:"])
            shared.append(int(rollup["Shared_Dirty:"]))
    return (own + max(shared)) / 1024


def _resident_mb(processes: list[int]) -> float:
    """What is in memory of processes, shared or not: the kernel has that figure ready."""
    pages = 0
    for pid in processes:
        with contextlib.suppress(OSError, ValueError, IndexError):
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


class _Memory:
    """What a submission has taken, measured seldom: the kernel walks through all pages for it, 30 ms for a gigabyte."""

    def __init__(self, pid: int, most_mb: int) -> None:
        self.most_mb = most_mb
        self.shared_mb = _memory_mb([pid])
        self.processes, self.resident_mb, self.taken_mb, self.until = [pid], _resident_mb([pid]), 0.0, 0.0

    def now(self, processes: list[int]) -> float:
        """Megabytes. Between two measurements what has been added since counts; nobody is ended for an estimate."""
        added = _resident_mb(processes) - self.resident_mb
        estimate = max(self.taken_mb + added, 0.0)
        began = time.monotonic()
        if processes == self.processes and began < self.until and abs(added) < _MUCH_MB and estimate <= self.most_mb:
            return estimate
        self.processes, self.resident_mb = processes, self.resident_mb + added
        self.taken_mb = max(_memory_mb(processes) - self.shared_mb, 0.0)
        now = time.monotonic()
        self.until = now + _SELDOM * (now - began)
        return self.taken_mb

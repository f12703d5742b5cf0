"""The machine: its system, free memory and disk, the cache, and programs that some parts of the kit call."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from camwidget.command.doctor.finding import NOTE, Finding, counted, homeless

GIB = 2**30
KERNEL_GIB = 1.1
"""What a kernel with one panel takes, as `python -m tests.benchmarks.hub` prints it, rounded up."""
LEAST_DISK_GIB = 1.0
"""Below that an update of PyTorch, or JupyterLab's own files, may not fit."""
PROGRAMS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "bubblewrap": (("bwrap",), "a sandbox, needed by `camwidget grade` alone, on Linux"),
    "Chromium": (("chromium", "chromium-browser", "google-chrome"), "needed by tests of the panels alone"),
    "node": (("node",), "needed by tests of the JavaScript alone"),
}
"""For each program its commands and who needs it. No panel and no exercise does."""
_OTHER_SYSTEMS = {
    "Windows": "camwidget is tested on Linux. Windows has no interval timers: interrupt the kernel where an answer "
    "never ends; `camwidget check` ends it by itself. `camwidget grade` needs Linux, or WSL",
    "Darwin": "camwidget is tested on Linux. `camwidget grade` needs Linux",
}


def about_system(system: str, described: str) -> Finding:
    """Say which system this is and what differs there.

    Args:
        system: as `platform.system` calls it.
        described: its version in words.
    """
    if system == "Linux":
        return Finding("system", described)
    return Finding("system", described, NOTE, _OTHER_SYSTEMS.get(system, "camwidget is tested on Linux"))


def about_memory(free: int, limit: int | None) -> Finding:
    """Say whether there is memory for a panel.

    Args:
        free: bytes that a new process may take.
        limit: bytes that this container may use in all; None without one.
    """
    room = free if limit is None else min(free, limit)
    bounded = "" if limit is None else f", {limit / GIB:.1f} GiB is this container's limit"
    found = f"{free / GIB:.1f} GiB free{bounded}"
    if room >= KERNEL_GIB * GIB:
        return Finding("memory", found)
    advice = f"A kernel with one panel takes up to {KERNEL_GIB} GiB: shut down other kernels (JupyterLab, Running)"
    return Finding("memory", found, NOTE, advice)


def about_disk(place: Path, free: int) -> Finding:
    """Say whether the disk of a place has room.

    Args:
        place: a folder on it.
        free: bytes.
    """
    found = f"{free / GIB:.1f} GiB free at {homeless(place)}"
    if free >= LEAST_DISK_GIB * GIB:
        return Finding("disk", found)
    return Finding("disk", found, NOTE, "python -m pip cache purge gives back what pip keeps")


def about_cache(folder: Path, *, writable: bool, size: int | None) -> Finding:
    """Say where fetched reviews are kept.

    Args:
        folder: of the cache.
        writable: whether it can be written to, or made.
        size: bytes in it; None if it does not exist yet.
    """
    held = "nothing yet" if size is None else f"{size / 2**20:.1f} MiB"
    if writable:
        return Finding("cache", f"{homeless(folder)}: {held}")
    advice = "Set CAMWIDGET_DATA to a folder that you may write into; only `load_reviews()` needs it"
    return Finding("cache", f"{homeless(folder)} cannot be written to", NOTE, advice)


def about_programs(which: Callable[[str], str | None] = shutil.which) -> list[Finding]:
    """Say which programs are there.

    Args:
        which: the path of a command, None if there is none.
    """
    found = []
    for name, (commands, use) in PROGRAMS.items():
        path = next(filter(None, map(which, commands)), None)
        found.append(Finding(name, f"{homeless(path)} ({use})" if path else f"not found ({use})"))
    return found


def container_limit(root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return how many bytes of memory this container may use; None if nothing says so.

    Args:
        root: of the control groups, as Linux shows them.
    """
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            text = (root / name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        # "max", and the largest number of the older form, mean no limit
        return int(text) if text.isdigit() and int(text) < 2**60 else None
    return None


def findings(cache: Path) -> list[Finding]:
    """Everything about the machine, here and now.

    Args:
        cache: the folder of fetched data.
    """
    import psutil  # noqa: PLC0415 (the rest of the report is wanted without it)

    place = cache
    while not place.exists() and place != place.parent:
        place = place.parent
    size = sum(each.stat().st_size for each in cache.rglob("*") if each.is_file()) if cache.is_dir() else None
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    described = f"{platform.platform()}, {platform.machine()}, {counted(processors, 'processor')}"
    return [
        about_system(platform.system(), described),
        about_memory(psutil.virtual_memory().available, container_limit()),
        about_disk(Path(sys.prefix), shutil.disk_usage(sys.prefix).free),
        about_cache(cache, writable=os.access(place, os.W_OK), size=size),
        *about_programs(),
    ]

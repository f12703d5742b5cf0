"""One line of the report: what was looked for, what was found, and what to type if something is missing."""

from dataclasses import dataclass
from pathlib import Path

OK, NOTE, MISSING = "ok", "note", "missing"
"""Fine; may matter to you; a panel or the course does not work without it."""


@dataclass(frozen=True)
class Finding:
    """What was found out about one thing."""

    name: str
    """Such as "widget manager"."""
    found: str
    """Versions, places, numbers; or what went wrong."""
    state: str = OK
    """`OK`, `NOTE` or `MISSING`."""
    advice: str = ""
    """What to type or to do; empty where nothing is to be done."""


def homeless(text: str | Path) -> str:
    """Return a text in which the home folder is written as `~`, so that a report can be shown to others."""
    home = str(Path.home())
    return str(text).replace(home, "~") if len(home) > 1 else str(text)


def counted(count: int, thing: str) -> str:
    """Return a number of things in words: "1 thread", "4 threads"."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"

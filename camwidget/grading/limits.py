"""How much a submission may use, and the sentence for each limit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of one submission. Seconds are of computing; on the clock `patience` times as many may pass."""

    cell_s: float = 30.0
    """For one cell."""
    answer_s: float = 10.0
    """For all calls of one item's answer, as in stock grading."""
    whole_s: float = 180.0
    """For everything together."""
    patience: float = 5.0
    """On a busy machine a right answer waits, but is not slow."""
    memory_mb: int = 2048
    """Beyond what all submissions share."""
    processes: int = 64
    """At once, threads not counted, where the kernel cannot be told to allow none."""
    disk_mb: int = 64
    """For files, all of them in memory and gone afterwards."""
    output_kb: int = 1024
    """Kept of what one cell prints and shows."""
    notebook_mb: int = 100
    """Of the notebook's file."""
    files_mb: int = 16
    """Of the other files that were handed in along with it."""
    restarts: int = 12
    """How often it may end its process and have the earlier cells run again."""


def over(what: str, limits: Limits) -> str:
    """Return the sentence for a limit that was reached, without its full stop.

    Args:
        what: "memory" or "processes".
        limits: those that held.
    """
    if what == "memory":
        return f"used more than {limits.memory_mb} MB of memory"
    return f"ran more than {limits.processes} processes at once"


def refused(error: str, limits: Limits) -> str:
    """Return the sentence for an error that a limit caused, without its full stop; empty for any other error.

    Args:
        error: its kind and message.
        limits: those that held.
    """
    sentences = {
        "No space left on device": f"filled its disk of {limits.disk_mb} MB",
        "File too large": f"filled its disk of {limits.disk_mb} MB",
        "MemoryError": over("memory", limits),
        "not enough memory": over("memory", limits),
        "Cannot allocate memory": over("memory", limits),
        "Resource temporarily unavailable": "tried to start a process, which nobody may here",
    }
    return next((sentence for part, sentence in sentences.items() if part in error), "")

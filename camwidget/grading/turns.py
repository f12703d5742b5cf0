"""One grader at a time writes to a report. Two would draw two seeds, and the second would grade by the first one's."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from camwidget.errors import CourseError, three_parts
from camwidget.grading.records import said_in_words


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other graders out of a folder; the system lets them in again when this process ends, however it does.

    Args:
        folder: it is there.

    Raises:
        CourseError: another grader is at work there, or the folder cannot be written to.
    """
    import fcntl  # noqa: PLC0415 (not on Windows, where nothing is graded)

    with said_in_words(folder):
        lock = (folder / "lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            given = f"Another run is grading into {str(folder.parent)!r}"
            allowed = "One at a time writes a report"
            raise CourseError(three_parts(given, allowed, "Wait for it, or name another folder with --out")) from None
        except OSError:  # a disk without locks, such as some on a network: whoever has one starts one run
            pass
        yield

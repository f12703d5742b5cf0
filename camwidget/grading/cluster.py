"""Workers on other machines: a Dask cluster. Each makes a sandbox of its own; what it does is `work.do`, as here.

Start workers with `--nthreads 1`: a process grades one submission at a time.
"""

from collections.abc import Iterator

from camwidget.cluster import over
from camwidget.errors import CourseError, three_parts
from camwidget.grading import work
from camwidget.grading.course import Course
from camwidget.grading.local import Result, failure
from camwidget.grading.submission import Submission

CONNECTING_S = 30.0


def graded_there(jobs: Iterator[tuple[int, Submission]], course: Course, *, scheduler: str) -> Iterator[Result]:
    """Grade on a cluster; yield results as they come.

    Args:
        jobs: number and submission; read only as far as there are workers for.
        course: checks, seed, limits.
        scheduler: address of the cluster's, such as "tcp://127.0.0.1:8786".

    Raises:
        CourseError: Dask is not installed, or nobody answers there.
    """
    try:
        # Imported here: an extra, and nobody else needs it.
        import distributed  # noqa: PLC0415 (see above)
    except ImportError as error:
        given = "A cluster needs Dask, and it is not installed"
        advice = 'Install it: pip install "camwidget[cluster]"'
        raise CourseError(three_parts(given, "It is the extra `cluster`", advice)) from error
    try:
        client = distributed.Client(scheduler, timeout=CONNECTING_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        given = f"No scheduler answers at {scheduler!r}"
        allowed = "It is the address that `dask scheduler` prints, such as tcp://127.0.0.1:8786"
        raise CourseError(
            three_parts(given, allowed, "Start one, and workers: `dask worker ADDRESS --nthreads 1`")
        ) from error
    with client:
        client.wait_for_workers(1, timeout=CONNECTING_S)
        tasks = ((number, (submission, course)) for number, submission in jobs)
        for number, result, raised in over(client, work.do, tasks):
            yield number, result if raised is None else failure(raised)

"""Workers on other machines: a Dask cluster. Each makes a sandbox of its own; what it does is `work.do`, as here.

Only the submissions on their way are with the cluster. If a worker ends, Dask gives what it had to another one; what
has come back is kept here, and is not asked for again.
"""

from collections.abc import Iterator
from typing import Any

from camwidget.errors import CourseError, three_parts
from camwidget.grading import work
from camwidget.grading.course import Course
from camwidget.grading.local import Result
from camwidget.grading.submission import Submission

CONNECTING_S = 30.0
AHEAD = 2
"""Submissions sent for each thread of the cluster: one to work on, and the next."""


def graded_there(
    jobs: Iterator[tuple[int, Submission]], course: Course, *, grader: str, scheduler: str
) -> Iterator[Result]:
    """Grade on a cluster; yield results as they come.

    Args:
        jobs: number and submission; read only as far as there are workers for.
        course: checks, seed, limits.
        grader: `course.grader()`.
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
        yield from _graded(client, jobs, course, grader, distributed)


def _graded(
    client: Any, jobs: Iterator[tuple[int, Submission]], course: Course, grader: str, distributed: Any
) -> Iterator[Result]:
    client.wait_for_workers(1, timeout=CONNECTING_S)
    numbers: dict[str, int] = {}
    done = distributed.as_completed(loop=client.loop)  # without it Dask asks for a default client

    def send() -> None:
        found = next(jobs, None)
        if found is not None:
            number, submission = found
            future = client.submit(work.do, submission, course, grader, pure=False, retries=1)
            numbers[future.key] = number
            done.add(future)

    for _ in range(AHEAD * max(sum(client.nthreads().values()), 1)):
        send()
    for future in done:
        number = numbers.pop(future.key)
        error = future.exception()
        result = f"the grader failed: {type(error).__name__}: {error}" if error is not None else future.result()
        future.release()
        yield number, result
        send()

"""Several workers on this machine, all of them forking from one sandbox."""

import multiprocessing
import signal
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from camwidget.grading.course import Course
from camwidget.grading.sandbox import Forks, Sandbox
from camwidget.grading.submission import Submission

TRIES = 2
"""How often a submission is tried whose worker ended: that is a fault of ours, or the machine's."""

Result = tuple[int, Mapping[str, Any] | str]
"""Number of a job, and the graded submission, or why there is none."""


def failure(error: BaseException) -> str:
    """Return why there is nothing of a submission, where grading it raised an error.

    Args:
        error: a fault of ours.
    """
    return f"the grader failed: {type(error).__name__}: {error}"


def serve(connection: Connection, forks: Forks, contained: bool) -> None:
    """What a worker does until nobody asks any more.

    Args:
        connection: to whoever asks.
        forks: from the shared sandbox.
        contained: whether it is one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the process that asks
    # fastai's imports use it; whoever grades can do nothing about that.
    warnings.filterwarnings("ignore", message=r"`torch\.jit\.script` is deprecated", category=FutureWarning)
    from camwidget.grading import work  # noqa: PLC0415 (after the signal: it takes seconds)

    work.use(forks, contained=contained)
    while True:
        try:
            submission, course = connection.recv()
        except EOFError:
            return
        try:
            result: Mapping[str, Any] | str = work.do(submission, course)
        except Exception as error:  # noqa: BLE001 (a fault of ours must not cost a learner, nor stop the class)
            result = failure(error)
        with suppress(OSError):
            connection.send(result)


class _Worker:
    def __init__(self, forks: Forks, contained: bool) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["camwidget.grading.preload"])  # imported once; the workers share it
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, forks, contained), daemon=True)
        self.process.start()
        theirs.close()
        self.job: int | None = None

    def end(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.join()


class _Crew:
    """A sandbox and the workers that fork from it."""

    def __init__(self, course: Course, count: int) -> None:
        self.course, self.count = course, count
        self.workers: list[_Worker] = []
        self._start()

    def _start(self) -> None:
        course = self.course
        self.sandbox = Sandbox(contained=course.contained, hidden_from_view=tuple(map(Path, course.keep_out)))
        try:
            self.workers = [self.another() for _ in range(self.count)]
            self.sandbox.wait()
        except BaseException:
            self.end()
            raise

    def another(self) -> _Worker:
        return _Worker(self.sandbox.forks, self.course.contained)

    def renew_if_ended(self) -> list[int]:
        """Start again where the warm process has ended; return the jobs that were under way and are lost with it."""
        if self.sandbox.process.poll() is None:
            return []
        lost = [worker.job for worker in self.workers if worker.job is not None]
        self.end()
        self._start()
        return lost

    def end(self) -> None:
        for worker in self.workers:
            worker.end()
        self.sandbox.close()


def graded_here(jobs: Iterator[tuple[int, Submission]], course: Course, *, workers: int) -> Iterator[Result]:
    """Grade on this machine; yield results as they come.

    Args:
        jobs: number and submission; read only as far as there are workers for.
        course: checks, seed, limits.
        workers: how many at once.
    """
    crew = _Crew(course, workers)
    try:
        yield from _graded(jobs, crew)
    finally:
        crew.end()


def _graded(jobs: Iterator[tuple[int, Submission]], crew: _Crew) -> Iterator[Result]:
    under_way: dict[int, tuple[Submission, int]] = {}
    again: list[int] = []
    while True:
        for worker in crew.workers:
            if worker.job is None:
                job = again.pop() if again else _next(jobs, under_way)
                if job is None:
                    break
                worker.job = job
                with suppress(OSError):  # one that has just ended is noticed below
                    worker.connection.send((under_way[job][0], crew.course))
        busy = [worker for worker in crew.workers if worker.job is not None]
        if not busy:
            return
        ready = wait([worker.connection for worker in busy])
        for place, worker in enumerate(crew.workers):
            job = worker.job
            if job is None or worker.connection not in ready:
                continue
            try:
                result = worker.connection.recv()
            except (EOFError, OSError):
                worker.end()
                crew.workers[place] = crew.another()
                result = "the grader's own process ended while it was graded, twice"
            worker.job = None
            submission, tries = under_way[job]
            if isinstance(result, str) and tries < TRIES:  # a fault of ours, or of another submission
                under_way[job] = submission, tries + 1
                again.append(job)
                continue
            del under_way[job]
            yield job, result
        again += crew.renew_if_ended()


def _next(jobs: Iterator[tuple[int, Submission]], under_way: dict[int, tuple[Submission, int]]) -> int | None:
    found = next(jobs, None)
    if found is None:
        return None
    job, submission = found
    under_way[job] = submission, 1
    return job

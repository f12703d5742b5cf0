"""Outside: one submission's process in the sandbox. Asks it, waits as long as allowed, starts it again if it ended."""

import contextlib
import json
import select
import socket
from collections.abc import Callable, Mapping
from typing import Any

from camwidget.errors import clipped
from camwidget.grading.limits import Limits, over, refused
from camwidget.grading.sandbox import Forks
from camwidget.grading.wire import BadReplyError, EndedError, Line, now

_INTERRUPT_S = 2.0
"""Of computing, from an interrupt to the end; on the clock times the patience."""
_PAUSE_S = 0.2


class StoppedError(Exception):
    """The process was ended, or ended itself; the message is why, without its full stop."""


class LateError(Exception):
    """Something took too long, and was interrupted; the process is still there."""


class Process:
    """One submission in its own fork. If a cell ends it, the next question starts another and runs the earlier cells.

    Args:
        sandbox: what forks.
        files: those handed in along with the notebook, name to content in base64.
        limits: how much may be used.
    """

    def __init__(self, sandbox: Forks, *, files: Mapping[str, str], limits: Limits) -> None:
        self.sandbox, self.files, self.limits = sandbox, files, limits
        self.done: list[str] = []
        """The cells that ran, for the next fork."""
        self.starts, self.memory_mb = 0, 0.0
        self._line: Line | None = None
        self._meter: socket.socket | None = None
        self._cpu_s = self._cpu_before_s = 0.0
        self._asked, self._began, self._over = 0, now(), ""

    @property
    def spent_s(self) -> float:
        """Seconds that all its forks computed so far."""
        return self._cpu_before_s + self._cpu_s

    def ensure(self) -> None:
        """Start it if it is not there.

        Raises:
            StoppedError: it was started too often, or its time is over.
        """
        while self._line is None:
            if self.starts > self.limits.restarts:
                raise StoppedError(f"the submission ended Python {self.starts} times; the rest was not run")
            self.starts += 1
            used = {name: getattr(self.limits, name) for name in ("memory_mb", "processes", "disk_mb", "output_kb")}
            data, self._meter = self.sandbox.fork(used)
            self._line, self._over = Line(data), ""
            self._ask({"files": dict(self.files)}, self.limits.cell_s)
            self._run_again()

    def _run_again(self) -> None:
        for source in list(self.done):
            try:
                self._ask({"cell": source}, self.limits.cell_s)
            except LateError:  # as it was before
                continue
            except StoppedError:
                self.done.remove(source)
                if self.spent_s > self.limits.whole_s:
                    raise
                return

    def ask(
        self,
        question: Mapping[str, Any],
        limit_s: float,
        *,
        answer_back: Callable[[Any], Mapping[str, Any]] | None = None,
    ) -> Any:
        """Send a question and return the answer.

        Args:
            question: see `child`.
            limit_s: seconds of computing it may take.
            answer_back: answers what is asked in between.

        Raises:
            LateError: it took longer; it was interrupted, and is there for the next question.
            StoppedError: the process is gone.
        """
        self.ensure()
        return self._ask(question, limit_s, answer_back)

    def _ask(
        self, question: Mapping[str, Any], limit_s: float, answer_back: Callable[[Any], Mapping[str, Any]] | None = None
    ) -> Any:
        if self.spent_s > self.limits.whole_s or now() - self._began > self.limits.patience * self.limits.whole_s:
            raise self._stopped(f"used up its {self.limits.whole_s:g} seconds for everything together")
        line = self._line
        if line is None:
            raise StoppedError("ended Python")
        self._asked += 1
        waiting = _Waiting(self, limit_s)
        try:
            if line.has_more:
                raise BadReplyError("a reply to nothing that was asked")
            line.send({**question, "id": self._asked})
            while True:
                answer = line.receive(waiting.keep_on)
                if not isinstance(answer, dict):
                    raise BadReplyError("a reply in another form")
                if answer_back is None or not ("callback" in answer or "backward" in answer):
                    break
                line.send(answer_back(answer))
            if answer.get("id") != self._asked:
                raise BadReplyError("a reply to another question")
        except EndedError:
            self._read_meter(wait_s=1.0)
            raise self._stopped(self._over or "ended Python") from None
        except BadReplyError as error:
            raise self._stopped(f"broke the line to the grader: {error}") from None
        if waiting.interrupted:
            raise LateError
        if "failed" in answer:
            why = clipped(str(answer["failed"]), longest=300)
            unfit = f"left Python in a state in which it cannot be judged ({why})"
            raise self._stopped(refused(why, self.limits) or unfit)
        return answer

    def _stopped(self, why: str) -> StoppedError:
        self.close()
        return StoppedError(why)

    def _read_meter(self, wait_s: float = 0.0) -> None:
        """Take in what the watcher measured; what it says of an end is why the process ended."""
        meter = self._meter
        while meter is not None and select.select([meter], [], [], wait_s)[0]:
            try:
                message = meter.recv(4096)
            except OSError:
                return
            if not message:
                return
            sample = json.loads(message)
            self._cpu_s = max(self._cpu_s, sample["cpu_s"])
            self.memory_mb = max(self.memory_mb, sample["memory_mb"])
            if "over" in sample:
                self._over = over(sample["over"], self.limits)

    def interrupt(self) -> None:
        """As Ctrl+C would."""
        if self._meter is not None:
            with contextlib.suppress(OSError):
                self._meter.send(b"interrupt")

    def close(self) -> None:
        """End it, and everything that it started."""
        self._read_meter()
        self._cpu_before_s, self._cpu_s = self.spent_s, 0.0
        if self._line is not None:
            self._line.socket.close()
        if self._meter is not None:
            self._meter.close()
        self._line = self._meter = None


class _Waiting:
    """Waiting for one answer: how long already, and whether it was interrupted."""

    def __init__(self, process: Process, limit_s: float) -> None:
        self.process, self.limit_s = process, limit_s
        process._read_meter()
        self.began, self.began_cpu_s = now(), process.spent_s
        self.interrupted: float | None = None
        self.interrupted_cpu_s = 0.0

    def keep_on(self) -> float:
        process = self.process
        process._read_meter()
        patience = process.limits.patience
        if self.interrupted is not None:
            computed_s = process.spent_s - self.interrupted_cpu_s
            if computed_s > _INTERRUPT_S or now() - self.interrupted > _INTERRUPT_S * patience:
                raise process._stopped(
                    f"did not come back within {self.limit_s:g} seconds, nor when it was interrupted"
                )
            return _PAUSE_S
        if process.spent_s - self.began_cpu_s > self.limit_s or now() - self.began > patience * self.limit_s:
            process.interrupt()
            self.interrupted, self.interrupted_cpu_s = now(), process.spent_s
        return _PAUSE_S

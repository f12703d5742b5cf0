"""Call a learner's code: with a time limit, its output kept apart, its errors put into words."""

import io
import signal
import sysconfig
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from camwidget.errors import clipped

LONGEST_ERROR = 160
"""Characters shown of an error that an answer raised, and of its line."""

PATIENCE = 5
"""How many times the limit may pass on the clock: on a busy machine a right answer waits, but is not slow."""

_LIBRARIES = (str(Path(__file__).parents[1]), *sysconfig.get_paths().values())
"""Folders of code that a learner did not write."""

_EXPLAINED = {
    "grad can be implicitly created only for scalar": "backward() starts from one number: pick one class's logit first",
    "does not require grad": "no gradient was recorded: was the model run under no_grad(), or its output detached?",
    "backward through the graph a second time": "one backward() uses the graph up: run the model again",
    "is a view and is being modified inplace": "an in-place layer follows: a hook on the output tensor works there",
    "Cannot use both regular backward hooks and full": "this module has had an old backward hook: make the model anew",
    "einsum(": "the letters of einsum do not fit the shapes: write the shapes down, one letter per axis",
    "must match the size of tensor": "two shapes do not broadcast: compare them from the last axis backwards",
    "shapes cannot be multiplied": "a matrix product needs equal inner sizes",
    "missing 1 required positional argument": "the function takes other arguments than the exercise names",
    "takes": "the function takes other arguments than the exercise names",
    "has no attribute 'stored'": "nothing was stored: did the hook run, and does it set self.stored?",
    "'NoneType' object": "something is None: a function without return, or a hook that stored nothing",
    "is not defined": "a name from outside the function: pass it in, or import it in the notebook",
}
"""Part of a frequent error message to what it usually means here."""


class OutOfTime(BaseException):
    """The answer took too long. Not an Exception, so that an answer's `except Exception` does not swallow it."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one call."""

    value: Any = None
    """What was returned."""
    error: Exception | None = None
    """What was raised."""
    stopped: str = ""
    """Why there is no value, as a sentence for the learner; empty if there is one."""
    likely: str = ""
    """The likely cause of that."""
    printed: str = ""
    """What was printed to either stream, and warned."""
    late: bool = False
    """Whether it was stopped because it took too long."""
    unwritten: bool = False
    """Whether the answer raised NotImplementedError: nobody has written it yet."""


def call_quietly(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], *, limit_s: float
) -> Outcome:
    """Call an answer; return, whatever it does.

    Gradient mode is restored. The limit is on computing time; on the clock it is `PATIENCE` times as long. It needs the
    main thread of a POSIX system; elsewhere a call that never returns is not stopped.

    Args:
        function: the answer.
        args: its arguments.
        kwargs: its keyword arguments.
        limit_s: seconds of computing that it may take.
    """
    output = io.StringIO()
    recording = torch.is_grad_enabled()
    value, error, stopped, likely, late = None, None, "", "", False
    try:
        with redirect_stdout(output), redirect_stderr(output), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            with time_limit(limit_s):
                value = function(*args, **kwargs)
    except OutOfTime:
        late, stopped = True, f"Your code did not come back within {limit_s:.1f} seconds"
        likely = "a loop that never ends, or much more work than needed"
    except SystemExit:
        stopped, likely = "Your code called exit()", "an answer returns; it does not end Python"
    except Exception as raised:  # noqa: BLE001 (an answer may raise anything; it is reported)
        error, stopped, likely = raised, described(raised), explained(raised)
    finally:
        torch.set_grad_enabled(recording)
    warnings_text = "".join(f"{type(warning.message).__name__}: {warning.message}\n" for warning in warned)
    printed = (output.getvalue() + warnings_text).strip()
    unwritten = isinstance(error, NotImplementedError)
    return Outcome(value, error, stopped, likely, printed, late=late, unwritten=unwritten)


class Budget:
    """Seconds of computing that an answer may use over all its calls; the judge's own work is not charged.

    Args:
        limit_s: seconds in all.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s, self._spent_s = limit_s, 0.0

    def spend(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Outcome:
        """Call an answer within what is left; see `call_quietly`.

        Args:
            function: the answer.
            args: its arguments.
            kwargs: its keyword arguments.
        """
        started = time.process_time()
        left = max(self._limit_s - self._spent_s, 0.05)
        outcome = call_quietly(function, args, kwargs, limit_s=left)
        self._spent_s += time.process_time() - started
        if outcome.late:
            return replace(outcome, stopped=f"Your code did not come back within {self._limit_s:.0f} seconds")
        return outcome


def described(error: BaseException) -> str:
    """Return an error as a sentence: its kind, its message, and the learner's own line that raised it."""
    message = " ".join(str(error).split())
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_LIBRARIES)]
    line = f", in your line `{clipped(own[-1].line, longest=LONGEST_ERROR)}`" if own and own[-1].line else ""
    return f"Your code raised {type(error).__name__}: {clipped(message, longest=LONGEST_ERROR)}{line}"


def explained(error: BaseException) -> str:
    """Return what an error usually means here; empty if that is not known."""
    return next((meaning for part, meaning in _EXPLAINED.items() if part in str(error)), "")


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in the block when its time is over, again and again in case it is caught."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def raise_out_of_time(_: int, __: FrameType | None) -> None:
        raise OutOfTime

    clocks = {signal.SIGPROF: (signal.ITIMER_PROF, seconds), signal.SIGALRM: (signal.ITIMER_REAL, PATIENCE * seconds)}
    before = {kind: signal.signal(kind, raise_out_of_time) for kind in clocks}
    for timer, limit in clocks.values():
        signal.setitimer(timer, max(limit, 0.01), 0.05)
    try:
        yield
    finally:
        for timer, _ in clocks.values():
            signal.setitimer(timer, 0)
        for kind, handler in before.items():
            signal.signal(kind, handler)

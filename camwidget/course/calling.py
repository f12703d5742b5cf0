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

from camwidget.course.reading import functions_of
from camwidget.errors import clipped

LONGEST_ERROR = 160
"""Characters shown of an error that an answer raised, and of its line."""

PATIENCE = 5
"""How many times the limit may pass on the clock: on a busy machine a right answer waits, but is not slow."""

_LIBRARIES = (str(Path(__file__).parents[1]), *sysconfig.get_paths().values(), "<frozen ", "<@beartype")
"""Beginnings of the file names of code that a learner did not write."""
_INSTALLED = {"site-packages", "dist-packages"}
"""Folders of installed code, wherever they are."""

_EXPLAINED = {
    "grad can be implicitly created only for scalar": "backward() starts from one number: pick one class's logit first",
    "does not require grad": "no gradient was recorded: was the model run under no_grad(), or its output detached?",
    "not have been used in the graph": "the output was not computed from this tensor: is it a copy, or of another run?",
    "backward through the graph a second time": "one backward() uses the graph up: run the model again",
    "is a view and is being modified inplace": "an in-place layer follows: a hook on the output tensor works there",
    "leaf Variable that requires grad is being used in an in-place": "it changes what you were given: copy it",
    "Cannot use both regular backward hooks and full": "this module has had an old backward hook: make the model anew",
    "Mismatch in shape: grad_output": "the weights for backward() have the output's own shape",
    "einsum(": "the letters of einsum do not fit the shapes: write the shapes down, one letter per axis",
    "must match the size of tensor": "two shapes do not broadcast: compare them from the last axis backwards",
    "is not broadcastable": "two shapes do not broadcast: compare them from the last axis backwards",
    "The expanded size of the tensor": "what is written into a part of a tensor has another shape than that part: is a "
    "size written into your code?",
    "arg is an empty sequence": "a list is empty here: what should come out then?",
    "iterable argument is empty": "a list is empty here: what should come out then?",
    "is invalid for input of size": "view and reshape keep all numbers: is a size written into your code?",
    "Given groups=": "these inputs do not fit this layer: the whole model has to run, not the layer alone",
    "shapes cannot be multiplied": "a matrix product needs equal inner sizes",
    "inconsistent tensor size": "two lengths have to be equal here: print both shapes",
    "Dimension out of range": "the tensor has fewer axes than this names: print its shape",
    "is out of bounds for dimension": "the index is too large for its axis: is it the right axis, and counted from 0?",
    "too many indices": "the tensor has fewer axes than there are indices: print its shape",
    "index out of range": "a list is shorter than this index: was anything stored in it?",
    "elements cannot be converted to Scalar": "item() and float() take a single number: which of these is meant?",
    "only one element tensors can be converted": "item() and float() take a single number: which of these is meant?",
    "Can't call numpy() on Tensor that requires grad": "detach() it first",
    "required positional argument": "the function takes other arguments than the exercise names",
    "takes": "the function takes other arguments than the exercise names",
    "unexpected keyword argument": "the function takes other arguments than the exercise names",
    "has no attribute 'stored'": "nothing was stored: did the hook run, and does it set self.stored?",
    "'NoneType' object": "something is None: a function without return, or a hook that stored nothing",
    "object is not callable": "what stands before the parentheses is no function: was it called already?",
    "wants a list of the words": "give predict() a list of the words that stay, without anything in the gaps",
    "was removed, and what it stored was cleared": "read hook.stored inside the with block",
    "selected index k out of range": "topk takes at most as many as there are values",
    "Attempting to broadcast a dimension": "PyTorch raises an error where shapes do not fit: catch it, and return None",
    "is not defined": "a name from outside the function: pass it in, or import it in the notebook",
}
"""Part of a frequent error message to what it usually means here."""

_KINDS: dict[type[Exception], str] = {
    AttributeError: "the object has no attribute or method of this name: dir(...) or the Tab key shows those it has",
    KeyError: "the dictionary has no such key: print its keys",
    ZeroDivisionError: "a count is 0 here: what should come out then?",
    RecursionError: "the function calls itself without end: does it have the name of the one it should call?",
    ModuleNotFoundError: "this module is not installed, or its name is misspelled",
    AssertionError: "an assert in your code, or in what it calls, does not hold for these sizes",
}
"""Kind of error to what it usually means, where its message says nothing more."""


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
    recording_left: bool = True
    """Whether the answer left gradient mode as it found it."""


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
        error, stopped, likely = raised, described(raised, function), explained(raised)
    finally:
        recording_left = torch.is_grad_enabled() == recording
        torch.set_grad_enabled(recording)
    warnings_text = "".join(f"{type(warning.message).__name__}: {warning.message}\n" for warning in warned)
    printed = (output.getvalue() + warnings_text).strip()
    unwritten = any(isinstance(cause, NotImplementedError) for cause in _causes(error))
    return Outcome(
        value,
        error,
        stopped,
        likely,
        printed,
        late=late,
        unwritten=unwritten,
        recording_left=recording_left,
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__


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


def described(error: BaseException, called: Any = None) -> str:
    """Return an error as a sentence: its kind, its message, and the learner's own line that raised it.

    Args:
        error: what was raised.
        called: the answer; where the error comes from the call itself, the line on which it begins is told.
    """
    message = " ".join(str(error).split())
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame.filename)]
    where = ""
    if own:
        code = f" `{clipped(own[-1].line, longest=LONGEST_ERROR)}`" if own[-1].line else ""
        where = f", in your line {own[-1].lineno}{code}"
    elif functions := [each for each in functions_of(called) if _is_own(each.__code__.co_filename)]:
        first = next((each for each in functions if each.__name__ == "__init__"), functions[0])
        where = f", in the call of what begins in your line {first.__code__.co_firstlineno}"
    return f"Your code raised {type(error).__name__}: {clipped(message, longest=LONGEST_ERROR)}{where}"


def _is_own(file: str) -> bool:
    """Whether a learner may have written this."""
    return not file.startswith(_LIBRARIES) and not _INSTALLED & set(Path(file).parts)


def explained(error: BaseException) -> str:
    """Return what an error usually means here; empty if that is not known."""
    text = str(error)
    if isinstance(error, UnboundLocalError):
        name = text.split("'")[1] if "'" in text else "it"
        return (
            f"`{name}` is set somewhere in this function, so Python takes it for a new name of this function: if the "
            f"one outside is meant, write `nonlocal {name}` first"
        )
    known = next((meaning for part, meaning in _EXPLAINED.items() if part in text), "")
    return known or next((meaning for kind, meaning in _KINDS.items() if isinstance(error, kind)), "")


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in the block when its time is over, again and again in case it is caught."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    clocks = {signal.SIGPROF: (signal.ITIMER_PROF, seconds), signal.SIGALRM: (signal.ITIMER_REAL, PATIENCE * seconds)}
    before = {kind: signal.signal(kind, _raise_out_of_time) for kind in clocks}
    for timer, limit in clocks.values():
        signal.setitimer(timer, max(limit, 0.01), 0.05)
    try:
        yield
    finally:
        for timer, _ in clocks.values():
            signal.setitimer(timer, 0)
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _raise_out_of_time(_: int, __: FrameType | None) -> None:
    raise OutOfTime

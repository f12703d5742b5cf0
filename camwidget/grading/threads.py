"""Inside: threads that a cell left computing. Beside eight of them an answer takes nine times as long as it needs."""

import ctypes
import sys
import threading
import time

_LOOK_S = 0.05
"""How long one looks whether they compute."""
_BUSY = 0.1
"""Share of that time in which they compute, all together, from which on they are ended."""
_END_S = 1.0
"""How long one waits for them to end."""
_ROUNDS = 3
_clock, _now, _sleep, _frames = time.clock_gettime, time.monotonic, time.sleep, sys._current_frames


def end_busy() -> int:
    """End threads of Python that compute though nobody waits for them; return how many. Those that wait may stay.

    A thread that only finishes something, or wakes up now and then, is not ended for what others use: it has to have
    its part of the bound for itself, and still compute when it is looked at a second time.
    """
    ended = set[int]()
    for _ in range(_ROUNDS):  # one that had no turn while it was looked at has it in the next
        if not (first := _busy()):
            break
        busy = first & _busy()
        for each in busy:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(each), ctypes.py_object(SystemExit))
        deadline = _now() + _END_S
        while busy & _others() and _now() < deadline:
            _sleep(_LOOK_S / 5)
        ended |= busy
    return len(ended)


def _busy() -> set[int]:
    """The threads that compute, if together they do so more than is to be borne: each with a fair part of it."""
    before = _computed()
    if not before:
        return set()
    _sleep(_LOOK_S)
    used = {each: spent - before.get(each, spent) for each, spent in _computed().items()}
    bound_s = _BUSY * _LOOK_S
    if sum(used.values()) < bound_s:
        return set()
    return {each for each, spent in used.items() if spent >= bound_s / len(used)}


def _others() -> set[int]:
    return set(_frames()) - {threading.get_ident()}


def _computed() -> dict[int, float]:
    """Seconds that each other thread of Python computed."""
    waiting = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # none may end between its being seen and its clock being read
    try:
        return {each: _clock(time.pthread_getcpuclockid(each)) for each in _others()}
    finally:
        sys.setswitchinterval(waiting)

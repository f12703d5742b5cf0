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
_clock, _now, _sleep, _frames = time.clock_gettime, time.monotonic, time.sleep, sys._current_frames


def end_busy() -> int:
    """End threads of Python that compute though nobody waits for them; return how many. Those that wait may stay."""
    before = _computed()
    if not before:
        return 0
    _sleep(_LOOK_S)
    used = {each: spent - before.get(each, spent) for each, spent in _computed().items()}
    if sum(used.values()) < _BUSY * _LOOK_S:
        return 0
    busy = [each for each, spent in used.items() if spent > 0]
    for each in busy:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(each), ctypes.py_object(SystemExit))
    deadline = _now() + _END_S
    while set(busy) & _others() and _now() < deadline:
        _sleep(_LOOK_S / 5)
    return len(busy)


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

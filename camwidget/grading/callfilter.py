"""Inside: a filter of the kernel's after which a process may start threads, no other process, and change no limit.

A fork bomb doubles faster than anybody can count, each copy of a process with PyTorch in it costs the machine dear even
when it is killed, and the kernel's own limit on the number of processes does not bind root. No exercise needs one. A
limit that a cell lowered could not be raised again, and would be the end of every item after it.
"""

import ctypes
import platform
import struct
from typing import Any

_NUMBERS: dict[str, tuple[int, int, tuple[int, ...], int, int]] = {
    "x86_64": (0xC000003E, 56, (57, 58), 160, 302),
    "aarch64": (0xC00000B7, 220, (), 164, 261),
}
"""Machine to its name in the kernel, and the numbers of `clone` and its older kin, `setrlimit` and `prlimit64`."""
_CLONE3 = 435
_THREAD = 0x10000
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_TRY_AGAIN, _UNKNOWN, _FORBIDDEN = 11, 38, 1
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06


def forbid(libc: Any) -> bool:
    """Forbid this process to start another and to change a limit; return whether that is known to be in force.

    It holds for whatever the process becomes as well.

    Args:
        libc: the C library; no new privileges are to be had from here on as well.
    """
    if platform.machine() not in _NUMBERS:
        return False
    arch, clone, older, set_limit, limits = _NUMBERS[platform.machine()]
    refuse = (_RETURN, 0, 0, _ERROR | _TRY_AGAIN)
    forbidden = (_RETURN, 0, 0, _ERROR | _FORBIDDEN)
    # Offsets in what the filter sees: 0 the number of the call, 4 the machine, 16 the first argument, 32 and 36 the
    # halves of the third.
    lines = [
        *((_LOAD, 0, 0, 4), (_EQUAL, 1, 0, arch), forbidden, (_LOAD, 0, 0, 0)),
        *((_AT_LEAST, 0, 1, 0x40000000), forbidden),  # a second set of numbers on x86
        # Its arguments are in memory, where no filter looks; programs that do not find it use `clone`.
        *((_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ERROR | _UNKNOWN)),
    ]
    for number in older:
        lines += [(_EQUAL, 0, 1, number), refuse]
    lines += [(_EQUAL, 0, 1, set_limit), forbidden]
    # To read a limit is allowed: then there is no address of a new one.
    lines += [(_EQUAL, 0, 6, limits), (_LOAD, 0, 0, 32), (_EQUAL, 0, 2, 0), (_LOAD, 0, 0, 36), (_EQUAL, 1, 0, 0)]
    lines += [forbidden, (_RETURN, 0, 0, _ALLOW)]
    lines += [(_EQUAL, 1, 0, clone), (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, 16), (_ANY_BIT, 1, 0, _THREAD), refuse]
    lines += [(_RETURN, 0, 0, _ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(lines), ctypes.addressof(code)))
    privileges, mode, filters = 38, 22, 2
    libc.prctl(privileges, 1, 0, 0, 0)
    return bool(libc.prctl(mode, filters, program, 0, 0) == 0)

"""Errors that are raised in the sandbox: described inside, and made again outside by name.

So the course can explain them.
"""

import importlib
import linecache
import os
import traceback
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch

_KNOWN = ("builtins", "camwidget.errors")
"""Modules with the classes of errors that both sides have."""
_LIBRARIES = (
    str(Path(os.__file__).parent),
    *(str(Path(module.__file__ or "").parents[1]) for module in (torch, np)),
    str(Path(__file__).parents[1]),
)
"""Folders of code that a learner did not write."""


def described(error: BaseException) -> dict[str, Any]:
    """Return an error as plain values: its kind, the first that both sides have, its message, the learner's line.

    Args:
        error: raised in here.
    """
    known = next(kind for kind in type(error).__mro__ if kind.__module__ in _KNOWN)
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_LIBRARIES)]
    try:
        # A KeyError shows what it was given as code; made again from what it shows it would do so twice.
        message = str(error.args[0]) if isinstance(error, KeyError) and len(error.args) == 1 else str(error)
    except Exception as raised:  # noqa: BLE001 (a learner's own class may have a __str__ that raises anything)
        message = f"its __str__ raised {type(raised).__name__}"
    cause = error.__cause__
    return {
        "kind": type(error).__name__,
        "known": [known.__module__, known.__name__],
        "message": message[:4000],
        "mistake": str(getattr(error, "mistake", "")),
        "line": (own[-1].line or "")[:400] if own else "",
        "cause": described(cause) if isinstance(cause, Exception) and cause.__cause__ is None else None,
    }


def made_again(about: Any) -> tuple[BaseException, str]:
    """Make an error again that was raised over there, and the learner's line that raised it.

    Args:
        about: what `described` has made of it, over there; not to be trusted.
    """
    error, cause = _made_error(about), about.get("cause")
    if cause is not None:
        try:
            raise_from_line(_made_error(cause), str(cause["line"]))
        except Exception as made:  # noqa: BLE001 (the cause, with the learner's line in its traceback)
            error.__cause__ = made
    return error, str(about["line"])


def _made_error(about: Any) -> BaseException:
    module, known = map(str, about["known"])
    kind: Any = getattr(importlib.import_module(module if module in _KNOWN else _KNOWN[-1]), known, None)
    if kind is SystemExit:
        return SystemExit()
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        kind = RuntimeError
    name, message = str(about["kind"])[:60], str(about["message"])[:4000]
    if name.isidentifier() and name != kind.__name__:
        kind = type(name, (kind,), {})
    error: BaseException = kind.__new__(kind)
    Exception.__init__(error, message)
    if about.get("mistake"):
        error.__dict__["mistake"] = str(about["mistake"])[:60]
    return error


def raise_from_line(error: BaseException, line: str) -> NoReturn:
    """Raise an error so that its traceback ends in a line of the learner's.

    Args:
        error: what to raise.
        line: the line; empty if it is not known.
    """
    if not line or "\n" in line or isinstance(error, SystemExit):
        raise error
    name = f"<the learner's line {len(linecache.cache)}>"
    linecache.cache[name] = (len(line), None, [f"{line}\n"], name)
    try:
        exec(compile("raise error", name, "exec"), {"error": error})
    finally:
        _LINES.append(name)
        if len(_LINES) > 100:
            linecache.cache.pop(_LINES.pop(0), None)
    raise error


_LINES: list[str] = []
"""Names of the lines kept for tracebacks, oldest first."""

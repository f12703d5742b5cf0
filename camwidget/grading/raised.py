"""Outside: errors that were raised in the sandbox, made again here by name, so that the course can explain them."""

import builtins
import importlib
import linecache
from typing import Any, NoReturn


def made_again(about: Any) -> tuple[BaseException, str]:
    """Make an error again that was raised over there, and the learner's line that raised it.

    Args:
        about: what `child` says of it; not to be trusted.
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
    kind: Any = getattr(builtins if module == "builtins" else importlib.import_module("camwidget.errors"), known, None)
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

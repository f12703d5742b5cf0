"""Loading libraries: saying so in a notebook while it takes seconds, and leaving out what the command never uses.

Nothing is imported for it: where IPython runs, it is there already.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def loading(what: str, *modules: str) -> Iterator[None]:
    """Show a line in the running cell while the block imports something; it goes away with the end of the block.

    Nothing is shown where all modules are loaded already, and outside of a notebook.

    Args:
        what: the libraries, for a reader.
        modules: their names in `sys.modules`.
    """
    shell = _shell() if any(each not in sys.modules for each in modules) else None
    if shell is None:
        yield
        return
    text = f"camwidget loads {what}: some seconds, once in a kernel."
    handle = shell.display({"text/plain": text}, raw=True, display_id=True)
    try:
        yield
    finally:
        handle.update({}, raw=True)


_GRAMMARS = "rfc3987_syntax"


@contextmanager
def without_grammars() -> Iterator[None]:
    """Let what the block imports do without the grammars of web addresses in all alphabets (RFC 3987).

    JupyterLab brings them for its events. jsonschema, which nbformat imports, takes them where they are, builds
    thirty-eight parsers, nine tenths of the time until a notebook can be read, and asks them nothing: no address is in
    what describes a notebook. As if they were not installed, jsonschema leaves that one check out, to the end of the
    process. So this is for the process of a command, not for one of somebody else's.
    """
    if _GRAMMARS in sys.modules:
        yield
        return
    sys.modules[_GRAMMARS] = None  # type: ignore[assignment] # what makes Python say that there is no such module
    try:
        yield
    finally:
        sys.modules.pop(_GRAMMARS, None)


def _shell() -> Any:
    """What shows things in a notebook; None in a terminal and in a script."""
    ipython, shown = sys.modules.get("IPython"), sys.modules.get("IPython.display")
    running = ipython.get_ipython() if ipython and shown else None
    return shown if getattr(running, "kernel", None) is not None else None

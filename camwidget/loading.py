"""Says in a notebook what is being loaded, while it takes seconds.

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


def _shell() -> Any:
    """What shows things in a notebook; None in a terminal and in a script."""
    ipython, shown = sys.modules.get("IPython"), sys.modules.get("IPython.display")
    running = ipython.get_ipython() if ipython and shown else None
    return shown if getattr(running, "kernel", None) is not None else None

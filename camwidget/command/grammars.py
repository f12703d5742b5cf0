"""What the command never uses of the libraries that it imports, left out."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

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

"""The errors of camwidget, and the helpers that keep their messages useful.

Every message has three parts: what was given, what is allowed, what to try.
"""

import difflib
import re
import shlex
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class CamwidgetError(ValueError):
    """Something passed to camwidget cannot be used; the message says what to try."""


class ImageError(CamwidgetError):
    """A picture cannot be read, or is not one picture that a network can process."""


class LayerError(CamwidgetError):
    """A layer name is unknown, or the layer has no map to show."""


class ModelError(CamwidgetError):
    """A model cannot be explained: its output or its layers have the wrong form."""


class MapError(CamwidgetError):
    """A map that was asked for would not mean what its name says, or holds values that are not numbers."""


class NotFiniteError(ModelError, MapError):
    """Numbers that a network computed from one input are NaN or infinite; other inputs may be fine."""


class ClassError(CamwidgetError):
    """A class is unknown by name or out of range by index."""


class TextError(CamwidgetError):
    """A text cannot be read: it is not a text, or has no words."""


class NotStoredError(CamwidgetError, RuntimeError):
    """A hook has stored nothing: nothing ran yet, or it was removed, or no gradient was recorded."""


class HookError(CamwidgetError):
    """A learner's own hook class does something wrong; `mistake` names it, `__cause__` is the cause if it raised.

    Args:
        mistake: one of `camwidget.hooks.mistakes.MISTAKES`.
        message: the whole message.
    """

    def __init__(self, mistake: str, message: str) -> None:
        super().__init__(message)
        self.mistake = mistake


class DataError(CamwidgetError):
    """Training data is not available, or is not what it should be."""


class ExportError(CamwidgetError):
    """A panel cannot be saved to the place asked for."""


class BoxError(CamwidgetError):
    """A box lies outside its picture or has no inside, or a number to compare with a box is out of range."""


class CourseError(CamwidgetError):
    """There is no such item or assignment, or a check is set up wrongly."""


def nearest(name: str, allowed: Iterable[str], *, count: int = 3) -> list[str]:
    """The names most like ``name``, best first, for the last part of a message.

    Args:
        name: What was given. Upper and lower case are treated alike.
        allowed: The names that exist.
        count: How many names at most.

    Returns:
        Up to ``count`` of the allowed names, spelt as they were given; empty if none is similar.

    Example:
        >>> nearest("Tench", ["tench", "goldfish", "trench coat"], count=1)
        ['tench']
    """
    spelt: dict[str, list[str]] = {}
    for candidate in dict.fromkeys(allowed):
        spelt.setdefault(candidate.casefold(), []).append(candidate)
    # The usual cut-off of 0.6 finds nothing for short dotted names such as "layer9" or "0.9"; 0.5 does.
    close = difflib.get_close_matches(name.casefold(), spelt, n=count, cutoff=0.5)
    return [candidate for folded in close for candidate in spelt[folded]][:count]


def clipped(text: str, *, longest: int) -> str:
    """The text, or its beginning and an ellipsis.

    Args:
        text: Any text.
        longest: How many characters at most, the ellipsis among them.
    """
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def a_kind(value: object) -> str:
    """Return what kind of thing something is, with its article: "a Tensor", "an int".

    Args:
        value: anything.
    """
    kind = type(value).__name__
    return f"{'an' if re.match(_VOWEL, kind.lstrip('_')) else 'a'} {kind}"


_VOWEL = "[aeioAEIO]|[uU](?![A-Z]|net|ni|se)"


def three_parts(given: str, allowed: str, try_: str) -> str:
    """One message from its three parts, each made a sentence.

    Args:
        given: What was given.
        allowed: What is allowed.
        try_: What to try.

    Returns:
        The three sentences, joined by spaces; a part without an end mark gets a full stop.

    Example:
        >>> three_parts("The model has no layer '0.9'", "Layers are '0.0' to '0.8'", "Did you mean '0.8'?")
        "The model has no layer '0.9'. Layers are '0.0' to '0.8'. Did you mean '0.8'?"
    """
    sentences = [part.strip() for part in (given, allowed, try_)]
    return " ".join(part if part.endswith((".", "?", "!", ":")) else f"{part}." for part in sentences if part)


@contextmanager
def quietly() -> Iterator[None]:
    """Import without the deprecation notices that other libraries print about themselves: a learner cannot fix them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def typed(path: Path) -> str:
    """Return a path as it is typed in a command: in quotation marks where it has to be, on every system."""
    if sys.platform == "win32":
        return f'"{path}"' if " " in str(path) else str(path)
    return shlex.quote(str(path))

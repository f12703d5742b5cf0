"""Other words for the classes of ImageNet, so that one can be found who does not know what it is called there."""

import re
from collections.abc import Sequence
from functools import cache

from camwidget.errors import quietly

_COUNT = 1000
_KNOWN = 0.9  # so many of the names must be among the words for their class; several lists of names are about


def synonyms_of(class_names: Sequence[str]) -> list[str]:
    """Return for each class its words in WordNet, as "tabby, tabby cat"; none at all where it is not ImageNet.

    Args:
        class_names: the names of the classes, in order.
    """
    if len(class_names) != _COUNT:
        return []
    words = _words()
    known = sum(_plain(name) in _plain(said) for name, said in zip(class_names, words, strict=True))
    return list(words) if known >= _KNOWN * _COUNT else []


@cache
def _words() -> tuple[str, ...]:
    with quietly():
        from timm.data import ImageNetInfo  # noqa: PLC0415 (takes a while; only who has these classes waits)

    info = ImageNetInfo()
    return tuple(info.index_to_description(index) for index in range(_COUNT))


def _plain(name: str) -> str:
    """Without what lists of names differ in: case, marks, and the number of a class that shares its name."""
    return re.sub(r"[^a-z ]", "", re.sub(r"\(\d+\)", "", name.lower().replace("-", " "))).strip()

"""One file for results: arrays of numbers and one text in JSON, in numpy's format. Reading it runs nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from camwidget.errors import CamwidgetError, three_parts

FORMAT = "camwidget results 1"
"""What the text says first: the kind of file, and its version."""

_TEXT = "json"

UNREADABLE = (OSError, BadZipFile, KeyError, IndexError, TypeError, ValueError, EOFError, MemoryError)
"""What is raised where a file does not hold what it should."""


@dataclass(frozen=True, eq=False)
class Stored:
    """A result as a file keeps it."""

    data: Mapping[str, Any]
    """What JSON can write."""
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Numbers, by name."""


def write(path: str | PathLike[str], results: Sequence[Stored], *, about: Mapping[str, Any]) -> None:
    """Write one file that `read` reads.

    Names of classes that several results have in common are written once.

    Args:
        path: where; a file that is there is replaced.
        results: what to write.
        about: what holds for all of them, as JSON can write it.
    """
    shared: dict[tuple[str, ...], int] = {}
    data = []
    for result in results:
        names = tuple(result.data["class_names"])
        data.append({**result.data, "class_names": shared.setdefault(names, len(shared))})
    text = json.dumps({"format": FORMAT, "about": dict(about), "class_names": list(shared), "results": data})
    arrays = {f"{number}/{name}": array for number, each in enumerate(results) for name, array in each.arrays.items()}
    with Path(path).open("wb") as file:
        np.savez_compressed(file, **{_TEXT: np.frombuffer(text.encode(), dtype=np.uint8)}, **arrays)  # type: ignore[arg-type]


def read(path: str | PathLike[str]) -> tuple[dict[str, Any], list[Stored]]:
    """Return what holds for all results of a file, and the results.

    Args:
        path: of a file that `write` wrote. It may come from anybody: it holds numbers and texts, and nothing is run.

    Raises:
        FileNotFoundError: there is no such file.
        CamwidgetError: it is another kind of file, damaged, or of a later version.
    """
    try:
        with Path(path).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            text = json.loads(file[_TEXT].tobytes().decode())
            if text["format"] != FORMAT:
                raise CamwidgetError(unreadable(path, f"is of the kind {text['format']!r}"))
            arrays: list[dict[str, np.ndarray]] = [{} for _ in text["results"]]
            for name in file.files:
                number, _, rest = name.partition("/")
                if rest:
                    arrays[int(number)][rest] = file[name]
            results = [
                Stored({**data, "class_names": tuple(map(str, text["class_names"][data["class_names"]]))}, numbers)
                for data, numbers in zip(text["results"], arrays, strict=True)
            ]
            return dict(text["about"]), results
    except (FileNotFoundError, CamwidgetError):
        raise
    except UNREADABLE as error:
        raise CamwidgetError(unreadable(path, "does not hold results")) from error


def unreadable(path: str | PathLike[str], why: str) -> str:
    """Return a message about a file that cannot be read.

    Args:
        path: of the file.
        why: the end of a sentence that begins with the file.
    """
    allowed = "load reads what save of a result wrote, with the same version of camwidget or an earlier one"
    return three_parts(f"The file {str(path)!r} {why}", allowed, "Make the result again and save it")

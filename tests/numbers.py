"""Numbers in the prose of a notebook, and whether an output or a cell of the same notebook has them."""

import re
from collections.abc import Iterable

from nbformat import NotebookNode

_WORDS = {
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100,
}  # fmt: skip
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?|\b(?:" + "|".join(_WORDS) + r")\b", re.IGNORECASE)
_NO_PROSE = re.compile(r"```.*?```|`[^`]*`|\]\([^)]*\)|^    .*$|<[^>]+>|^\d\. |^\*Step .*$", re.DOTALL | re.MULTILINE)


def in_prose(source: str) -> list[str]:
    """The numbers of a markdown cell, as they are written; code, links, and numbers of lists are left out."""
    return [found.rstrip(",") for found in _NUMBER.findall(_NO_PROSE.sub(" ", source))]


def shown_by(notebook: NotebookNode) -> list[float]:
    """Every number in the code cells of a notebook and in their outputs."""
    found: list[float] = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
            for text in (cell.source, *texts):
                found += [float(each.replace(",", "")) for each in re.findall(r"\d[\d,]*(?:\.\d+)?(?:e-\d+)?", text)]
    return found


def is_shown(number: str, shown: Iterable[float]) -> bool:
    """Whether one of the values shown is this number, to the digits that are written; a share may be in per cent."""
    wanted = float(_WORDS.get(number.lower(), number.replace(",", "")))
    half = 0.5000001 * 10 ** -len(number.partition(".")[2])
    return any(abs(wanted - value) <= half or abs(wanted - 100 * value) <= half for value in shown)

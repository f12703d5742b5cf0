"""Two ways to write an answer, to compare with one's own once it is right.

They lie packed beside the judges, so that nobody reads one by accident, and where the sandbox of a grader covers them.
`python -m tests.course.ways` packs them anew, from the bank of right answers.
"""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

PACKED = Path(__file__).with_name("assignments") / "ways.txt"


def ways_of(item: str) -> tuple[str, ...]:
    """Return ways to write an answer, as code; none for an item whose answer is a choice.

    Args:
        item: its name, such as "hooks.q5".
    """
    return tuple(_unpacked().get(item, ()))


def packed(ways: Mapping[str, Sequence[str]]) -> str:
    """Return ways as the text of their file.

    Args:
        ways: item to code.
    """
    text = base64.b64encode(zlib.compress(json.dumps(ways, sort_keys=True).encode(), 9)).decode("ascii")
    return "\n".join(text[start : start + 100] for start in range(0, len(text), 100)) + "\n"


@cache
def _unpacked() -> Mapping[str, Sequence[str]]:
    if not PACKED.is_file():  # covered where a class is graded
        return {}
    ways: Mapping[str, Sequence[str]] = json.loads(zlib.decompress(base64.b64decode(PACKED.read_text("ascii"))))
    return ways

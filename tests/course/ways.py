"""Two ways to write each answer: `python -m tests.course.ways` packs them into the package.

The first is the solution's, the second that of the bank's right answers which is least like it.
"""

import difflib

from camwidget.course.ways import PACKED, packed
from tests.course.bank import bank_of
from tests.course.source import WRITTEN, questions

MARKS = ("### BEGIN SOLUTION", "### END SOLUTION")


def plain(code: str) -> str:
    """Code without the marks of a solution and without blank lines around it."""
    return "\n".join(line for line in code.splitlines() if line.strip() not in MARKS).strip("\n")


def two_ways() -> dict[str, tuple[str, str]]:
    """Item to two ways, for every item whose answer is more than one line."""
    found: dict[str, tuple[str, str]] = {}
    for assignment in WRITTEN:
        for item, question in questions(assignment).items():
            ours = plain(question.solution)
            others = [plain(code) for code in bank_of(assignment)[item].right.values()]
            # What does the same with a helper or a trick is long; nobody learns from that.
            others = [code for code in others if code != ours and len(code) <= 2 * len(ours)]
            if "\n" in ours and others:
                found[item] = (ours, min(others, key=lambda code: difflib.SequenceMatcher(None, ours, code).ratio()))
    return found


def main() -> None:
    PACKED.write_text(packed(two_ways()), "ascii")


if __name__ == "__main__":
    main()

"""Mutate the right answers of the bank, not the solution alone, and print what both checks accept.

python -m tests.course.mutated_bank                 every item
python -m tests.course.mutated_bank hooks cam.q7a   an assignment, an item

It takes many minutes, so it is no part of the suite. What is printed is either a mistake that no check sees, which
then belongs into the bank as a wrong answer, or a change that changes nothing. A change that many answers share is
told once.
"""

import sys
from collections.abc import Iterator

import jaxtyping

from tests.course.bank import bank_of
from tests.course.mutants import mutants
from tests.course.source import WRITTEN, is_right, questions, report_on


def survivors(item: str) -> Iterator[tuple[str, str]]:
    """Yield the name of a right answer, and a change to it that both checks accept; each change once.

    Args:
        item: all right answers of the bank to it are mutated.
    """
    assignment = item.partition(".")[0]
    entry = bank_of(assignment)[item]
    told = set(entry.equivalent)
    for name, code in entry.right.items():
        for change, changed in mutants(code):
            if change in told:
                continue
            if is_right(report_on(item, changed)) and is_right(report_on(item, changed, hidden=True)):
                told.add(change)
                yield name, change


def main(wanted: list[str]) -> None:
    """Print the survivors of these assignments and items, and how many there are of each.

    Args:
        wanted: their names; all of them if there is none.
    """
    jaxtyping.config.update("jaxtyping_disable", True)
    items = [item for assignment in WRITTEN for item in questions(assignment)]
    for item in items:
        if wanted and item not in wanted and item.partition(".")[0] not in wanted:
            continue
        found = 0
        for name, change in survivors(item):
            found += 1
            print(f"{item} · {name}: {change}", flush=True)
        print(f"{item}: {found} of the changes are accepted", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Whether points depend on the seed of a class: the bank's answers under several seeds.

    python -m tests.course.seeds [ITEM ...]

prints every right answer that loses a point under some seed, and every wrong one that does not get the same points
under all of them. Takes minutes.
"""

import sys
from collections.abc import Iterator

import jaxtyping

from camwidget.course.check import judged
from camwidget.course.items import find_item
from tests.course.bank import bank_of, entry_of
from tests.course.source import WRITTEN, handed_in

SEEDS = (1, 22, 333, 4444, 55_555)


def points_under(item: str, code: str, seeds: tuple[int, ...] = SEEDS) -> list[int]:
    """What the hidden check gives for an answer cell, for each seed; empty if the cell itself raises."""
    hidden, points = find_item(item, hidden=True), []
    for seed in seeds:
        try:
            answers = handed_in(item, code)  # anew, as some keep what an earlier check has left in them
        except Exception:  # noqa: BLE001 (a learner's cell may raise anything)
            return []
        points.append(judged(hidden, answers, hidden=True, seed=seed).points)
    return points


def unlike(item: str) -> Iterator[tuple[str, list[int]]]:
    """Answers to an item of which the points depend on the seed, and right ones that lose any; with their points."""
    entry, full = entry_of(item), find_item(item).points
    for name, code in entry.right.items():
        if set(points := points_under(item, code)) - {full}:
            yield f"{name} (right)", points
    for name, wrong in entry.wrong.items():
        if len(set(points := points_under(item, wrong.code))) > 1:
            yield name, points


def main() -> int:
    jaxtyping.config.update("jaxtyping_disable", True)
    found = 0
    for item in sys.argv[1:] or [item for name in WRITTEN for item in bank_of(name)]:
        for name, points in unlike(item):
            found += 1
            print(f"{item}, {name}: {points}", flush=True)
    print(f"{found} answers get points that depend on the seed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

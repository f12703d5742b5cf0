"""The points that rest on what a learner's own process reports, item by item.

python -m tests.grading.forgeable
"""

from collections.abc import Mapping

from camwidget.course.items import items_of
from camwidget.grading.judge import REPORTED
from camwidget.grading.plain import Reader
from tests.course.bank import bank_of
from tests.course.source import WRITTEN, questions


def promised() -> dict[str, Mapping[str, int]]:
    """Item to its facts and what each is worth, for the hidden checks of all assignments."""
    return {
        name: {key: worth for key, (_, worth) in item.facts.items()}
        for assignment in WRITTEN
        for name, item in items_of(assignment, hidden=True).items()
    }


def reported() -> tuple[int, int]:
    """Points that rest on a report, and all points of the course."""
    facts = promised()
    worth = sum(facts[item][key] for item, keys in REPORTED.items() for key in keys)
    return worth, sum(sum(each.values()) for each in facts.values())


def plain_answers() -> tuple[int, int]:
    """Right answers of the bank whose code is plain, so that nothing in it could forge a report, and all of them."""
    count = plain = 0
    for name in WRITTEN:
        for item, entry in bank_of(name).items():
            for code in entry.right.values():
                count += 1
                plain += not reader_at(item).beyond(code)
    return plain, count


def reader_at(item: str) -> Reader:
    """Return a reader that has read the notebook up to an item, with our solutions."""
    reader = Reader(frozenset())
    for cell in questions(item.partition(".")[0])[item].before:
        reader.beyond(cell)
    return reader


def main() -> None:
    facts = promised()
    for item, keys in REPORTED.items():
        points = {key: worth for key, worth in facts[item].items() if key in keys}
        print(f"{item:30} {sum(points.values()):2} of {sum(facts[item].values()):2}   {', '.join(points)}")
    print("{} of the {} points".format(*reported()))
    says = "{} of {} right answers of the bank are plain code, which cannot forge them and is not marked"
    print(says.format(*plain_answers()))


if __name__ == "__main__":
    main()

"""What the bank proves, item by item.

python -m tests.course.table
"""

from camwidget.course.items import find_item
from tests.course.bank import entry_of
from tests.course.bank.families import families, family_code
from tests.course.mutants import mutants
from tests.course.source import WRITTEN, head_of, is_named, is_right, questions, report_on

HEADINGS = (
    "item",
    "question",
    "points",
    "right accepted",
    "wrong rejected, visible",
    "wrong rejected, hidden",
    "mistake named",
    "mutants killed",
)


def rows() -> list[tuple[str, ...]]:
    """One row per item, families of answers included; the last row is all of them."""
    found, sums = [], [0] * 10
    for assignment in WRITTEN:
        for name, question in questions(assignment).items():
            counts = _counts(name, question.solution)
            sums = [one + other for one, other in zip(sums, counts, strict=True)]
            points = f"{find_item(name).points:g}"
            found.append((name, str(head_of(name).question or "-"), points, *_as_shares(counts)))
    return [*found, ("all", "", "", *_as_shares(sums))]


def _counts(name: str, solution: str) -> list[int]:
    entry = entry_of(name)
    liberties, slips = families(name)
    right = [*entry.right.values(), *(family_code(name, solution, each) for each in liberties.values())]
    wrong = [
        *(each.code for each in entry.wrong.values()),
        *(family_code(name, solution, each) for each in slips.values()),
    ]
    accepted = sum(is_right(report_on(name, code)) and is_right(report_on(name, code, hidden=True)) for code in right)
    reports = [report_on(name, code) for code in wrong]
    visible = sum(not is_right(report) for report in reports)
    hidden = sum(not is_right(report_on(name, code, hidden=True)) for code in wrong)
    made = [code for change, code in mutants(solution) if change not in entry.equivalent]
    killed = sum(
        not (is_right(report_on(name, code)) and is_right(report_on(name, code, hidden=True))) for code in made
    )
    named = sum(map(is_named, reports))
    return [accepted, len(right), visible, len(wrong), hidden, len(wrong), named, len(wrong), killed, len(made)]


def _as_shares(counts: list[int]) -> list[str]:
    return [f"{one}/{other}" for one, other in zip(counts[::2], counts[1::2], strict=True)]


if __name__ == "__main__":
    print(f"| {' | '.join(HEADINGS)} |")
    print(f"|{'---|' * len(HEADINGS)}")
    for row in rows():
        print(f"| {' | '.join(row)} |")

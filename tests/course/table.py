"""What the bank proves, item by item.

python -m tests.course.table
"""

from camwidget.course.items import find_item
from tests.course.mutants import mutants
from tests.course.source import WRITTEN, head_of, is_right, questions, report_on
from tests.course.test_bank import BANKS


def rows() -> list[tuple[str, ...]]:
    """One row per item: name, question, points, right accepted, wrong rejected, mutants killed."""
    found = []
    for assignment in WRITTEN:
        for name, question in questions(assignment).items():
            item, entry = find_item(name), BANKS[assignment][name]
            accepted = sum(is_right(report_on(name, code, hidden=True)) for code in entry.right.values())
            rejected = sum(not is_right(report_on(name, wrong.code)) for wrong in entry.wrong.values())
            made = {change: code for change, code in mutants(question.solution) if change not in entry.equivalent}
            killed = sum(
                not (is_right(report_on(name, code)) and is_right(report_on(name, code, hidden=True)))
                for code in made.values()
            )
            found.append(
                (
                    name,
                    str(head_of(name).question or "-"),
                    f"{item.points:g}",
                    f"{accepted}/{len(entry.right)}",
                    f"{rejected}/{len(entry.wrong)}",
                    f"{killed}/{len(made)}",
                )
            )
    return found


if __name__ == "__main__":
    print("| item | question | points | right accepted | wrong rejected | mutants killed |")
    print("|---|---|---|---|---|---|")
    for row in rows():
        print(f"| {' | '.join(row)} |")

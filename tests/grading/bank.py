"""Judges answers of the bank in the sandbox, and compares with what the same check says of them in this process.

    python -m tests.grading.bank [ITEM ...]

prints every answer of which the facts differ; the tests try some. Takes minutes.
"""

import sys
from collections.abc import Mapping

from camwidget.course.check import judged
from camwidget.grading.grade import released
from camwidget.grading.judge import judge_item
from camwidget.grading.limits import Limits
from camwidget.grading.process import Process
from camwidget.grading.records import Row
from camwidget.grading.sandbox import Sandbox
from tests.course.bank import bank_of
from tests.course.source import SOLUTIONS, WRITTEN, handed_in, questions
from tests.grading.submissions import SEED, course

PATIENT = Limits(cell_s=60.0, answer_s=60.0, whole_s=600.0, patience=40.0, memory_mb=600)
"""So that a machine five times slower grades the same."""
_BEFORE = "_before = dict(globals())"


class Outside:
    """Judges one answer cell after the other to an item; the cells before it ran once for all of them.

    Args:
        sandbox: where.
        item: such as "hooks.q5".
    """

    def __init__(self, sandbox: Sandbox, item: str) -> None:
        self.item, self.assignment = item, item.partition(".")[0]
        self.process = Process(sandbox.forks, files={}, limits=PATIENT)
        for source in (*questions(self.assignment)[item].before, _BEFORE):
            self.process.ask({"cell": source}, PATIENT.cell_s)
            self.process.done.append(source)

    def judge(self, code: str) -> Row:
        names = tuple(name.strip() for name in questions(self.assignment)[self.item].answers.split(","))
        as_before = f"for _name in {names!r}: globals().pop(_name, None)\nglobals().update(_before)"
        self.process.ask({"cell": f"{as_before}\n{code}"}, PATIENT.cell_s)
        task = next(task for task in released(self.assignment).tasks if task.item == self.item)
        hidden = course().items(self.assignment)[self.item]
        return judge_item(self.process, task, hidden, seed=SEED, learner="learner")


def differences(sandbox: Sandbox, item: str, codes: Mapping[str, str]) -> dict[str, str]:
    """Name of an answer to what is said of it outside, for those of which the facts are others than inside."""
    outside, different = Outside(sandbox, item), {}
    hidden = course().items(item.partition(".")[0])[item]
    for name, code in codes.items():
        try:
            answers = handed_in(item, code)
        except Exception:  # noqa: BLE001 (a cell that raises hands in what was there before: not what this is about)
            continue
        here, there = judged(hidden, answers, hidden=True, seed=SEED), outside.judge(code)
        if [fact.passed for fact in there.facts] != [fact.passed for fact in here.facts]:
            lost = [fact.says for fact in here.facts if not fact.passed]
            different[name] = f"outside: {there.reason or 'right'}; inside these do not hold: {lost}"
    outside.process.close()
    return different


def main() -> int:
    count, found = 0, 0
    with Sandbox(hidden_from_view=(SOLUTIONS,)) as sandbox:
        for item, entry in ((item, entry) for name in WRITTEN for item, entry in bank_of(name).items()):
            if sys.argv[1:] and item not in sys.argv[1:]:
                continue
            codes = {**entry.right, **{name: wrong.code for name, wrong in entry.wrong.items()}}
            different = differences(sandbox, item, codes)
            count, found = count + len(codes), found + len(different)
            for name, says in different.items():
                print(f"{item}, {name}: {says}", flush=True)
    print(f"{count - found} of {count} answers are judged with the same facts outside as inside")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

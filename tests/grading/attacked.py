"""Tries attacks on the grader, and says which earned something else than they deserve.

    python -m tests.grading.attacked [NAME ...]

tries all of the bank, or these; the tests try `USUAL`. Takes minutes.
"""

import sys
from dataclasses import replace

from camwidget.grading.records import STATUSES, Graded
from camwidget.grading.sandbox import Sandbox
from tests.course.source import SOLUTIONS
from tests.grading.attacks import ATTACKS, Attack
from tests.grading.submissions import (
    LIMITS,
    Notebook,
    answer,
    cell_of,
    graded,
    insert,
    released,
    solved,
    without_play,
)

SHORT = replace(LIMITS, cell_s=1.0, answer_s=1.0)
"""Many attacks compute until they are stopped. The honest answers take a hundredth of it."""
HONEST_ITEMS = ("keepdim.predict", "keepdim.error")


def half_honest() -> Notebook:
    notebook = without_play(released("keepdim"))
    for item in HONEST_ITEMS:
        answer(notebook, item, cell_of(solved("keepdim"), item)["source"])
    return notebook


def told(result: Graded) -> str:
    """Everything that a teacher reads about it."""
    return "\n".join([*result.events, *(f"{row.reason} {row.events}" for row in result.rows)])


def not_as_deserved(attack: Attack, sandbox: Sandbox) -> str:
    """Try one; what was not as it should be, or nothing."""
    notebook = half_honest()
    notebook = answer(notebook, attack.item, attack.code) if attack.item else insert(notebook, attack.code, 2)
    result = graded(notebook, sandbox, limits=SHORT)
    wrong = []
    if result.points != attack.deserved:
        wrong.append(f"{result.points} points instead of {attack.deserved}")
    if attack.says not in told(result):
        wrong.append(f"nothing says {attack.says!r}")
    if len(result.rows) != 8 or not {row.status for row in result.rows} <= set(STATUSES):
        wrong.append(f"odd rows: {[row.status for row in result.rows]}")
    return "; ".join([*wrong, told(result)]) if wrong else ""


def main() -> int:
    names = sys.argv[1:] or list(ATTACKS)
    failed = 0
    with Sandbox(hidden_from_view=(SOLUTIONS,)) as sandbox:
        for name in names:
            if wrong := not_as_deserved(ATTACKS[name], sandbox):
                failed += 1
                print(f"{name}: {wrong}", flush=True)
    print(f"{len(names) - failed} of {len(names)} attacks earned what their honest part deserves")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Tries attacks on the grader: what each deserves, what it earned, and what the teacher reads.

    python -m tests.grading.attacked [NAME ...] [--stock]

tries all of the bank, or these, prints a table, and marks what earned something else. With `--stock` it also says what
an attack earns where answers and checks share one of nbgrader's kernels, for those that are safe to try there. The
tests try `USUAL`. Takes minutes.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from camwidget.grading.records import STATUSES, Graded
from camwidget.grading.sandbox import Sandbox
from tests.course.source import SOLUTIONS
from tests.grading.attacks import ATTACKS, SAFE_IN_A_KERNEL, Attack
from tests.grading.one_kernel import points_in_a_kernel
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
_LONGEST_SAID = 160


def half_honest() -> Notebook:
    notebook = without_play(released("keepdim"))
    for item in HONEST_ITEMS:
        answer(notebook, item, cell_of(solved("keepdim"), item)["source"])
    return notebook


def attacking(attack: Attack) -> Notebook:
    """The half-honest submission with the attack in it."""
    notebook = half_honest()
    return answer(notebook, attack.item, attack.code) if attack.item else insert(notebook, attack.code, 2)


def told(result: Graded) -> list[str]:
    """Everything that a teacher reads about it, beside the items that were left as they were."""
    started = [row for row in result.rows if row.status not in ("not started", "right")]
    return [*result.events, *(f"{row.item}: {row.reason or row.status}" for row in started), *_events(result)]


def _events(result: Graded) -> list[str]:
    return [f"{row.item}: {event}" for row in result.rows for event in row.events if event not in row.reason]


def tried(attack: Attack, sandbox: Sandbox) -> Graded:
    return graded(attacking(attack), sandbox, limits=SHORT)


def wrong_with(attack: Attack, result: Graded) -> str:
    """What was not as it should be, or nothing."""
    wrong = []
    if result.points != attack.deserved:
        wrong.append(f"{result.points} points instead of {attack.deserved}")
    if attack.says not in "\n".join(told(result)):
        wrong.append(f"nothing says {attack.says!r}")
    if len(result.rows) != 8 or not {row.status for row in result.rows} <= set(STATUSES):
        wrong.append(f"odd rows: {[row.status for row in result.rows]}")
    return "; ".join([*wrong, *told(result)]) if wrong else ""


def not_as_deserved(attack: Attack, sandbox: Sandbox) -> str:
    """Try one; what was not as it should be, or nothing."""
    return wrong_with(attack, tried(attack, sandbox))


def said(result: Graded) -> str:
    """What the rows say, in short, for a cell of a table."""
    text = re.sub(r"\s+", " ", "; ".join(told(result))).replace("|", "/")
    return text if len(text) <= _LONGEST_SAID else f"{text[: _LONGEST_SAID - 1]}…"


def in_a_kernel(names: Sequence[str]) -> Mapping[str, str]:
    """What attacks earn in one of nbgrader's kernels, by name."""
    safe = [name for name in names if name in SAFE_IN_A_KERNEL]
    earned = points_in_a_kernel([attacking(ATTACKS[name]) for name in safe])
    told = {name: "no grade" if points is None else f"{points:g}" for name, points in zip(safe, earned, strict=True)}
    return {name: told.get(name, "not tried") for name in names}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="attacks; all by default")
    parser.add_argument("--stock", action="store_true", help="also in one of nbgrader's kernels, where that is safe")
    asked = parser.parse_args()
    names = asked.names or list(ATTACKS)
    stock = in_a_kernel(names) if asked.stock else dict.fromkeys(names, "")
    print("| attack | deserved | one kernel | ours | what the rows say |\n|---|---|---|---|---|")
    failed: dict[str, str] = {}
    with Sandbox(hidden_from_view=(SOLUTIONS,)) as sandbox:
        for name in names:
            attack = ATTACKS[name]
            result = tried(attack, sandbox)
            if wrong := wrong_with(attack, result):
                failed[name] = wrong
            ours = f"{result.points:g}" if result.points is not None else "no grade"
            mark = " (!)" if wrong else ""
            print(f"| {name} | {attack.deserved:g} | {stock[name]} | {ours}{mark} | {said(result)} |", flush=True)
    for name, wrong in failed.items():
        print(f"\n{name}: {wrong}")
    print(f"\n{len(names) - len(failed)} of {len(names)} attacks earned what their honest part deserves")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Mutate the right answers of the bank, not the solution alone, and print what both checks accept.

python -m tests.course.mutated_bank                 every item
python -m tests.course.mutated_bank hooks cam.q7a   an assignment, an item

It takes some minutes, so it is no part of the suite. What is printed is either a mistake that no check sees, which
then belongs into the bank as a wrong answer, or a change that changes nothing. A change that many answers share is
told once.

What it printed last, and somebody read, is in bank/survivors.txt; this shows what is new:

python -m tests.course.mutated_bank | diff tests/course/bank/survivors.txt -

Of those that were read, each changes nothing that its task asks for:

- the first of one is the last of one: `[0]` and `[-1]` of one run, one picture, one output; and the first of several
  has as many numbers as the second;
- the order of two does not matter: `torch.equal`, `torch.broadcast_shapes`, `maximum`, a product;
- a number in a tensor is a number, and rows in an array or a tensor are rows: without `item()`, `tolist()`, `numpy()`;
- no task asks for it: `no_grad`, `detach()` or `clone()` where the text wants neither, a mode where the network is in
  evaluation mode already, what happens if the network raises, layers that are frozen, the bias of a head of one's own;
- what is set is set again, or never read: a name, a mode, an empty start;
- the answer chooses its own numbers: a seed, a size, a width that does as well;
- colours may be off by one level, as rounding and truncating both are right;
- arithmetic: a mean and a sum have their largest value in one place, a logarithm keeps the order, shapes alone are the
  same for plus and times;
- `np.divide` without `out` leaves what was in the memory: zeros as a rule, so this one may be missing.
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

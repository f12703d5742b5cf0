"""Answers as learners write them: right ones in different ways, and wrong ones with the message meant for each."""

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

_UNSEEN = Path(__file__).parent / "unseen"
"""Answers that were written from the tasks alone, before a check was read: one file for each assignment.

An answer stands under a line `#@ ITEM + NAME`, a wrong one under `#@ ITEM - NAME | FACT IT LOSES | PART OF ITS MESSAGE`.
"""


@dataclass(frozen=True)
class Wrong:
    """A wrong answer."""

    code: str
    """The whole answer cell."""
    loses: str
    """Key of the fact it loses; empty where the check cannot even look at it (it raises, returns None, ...)."""
    says: str
    """Part of the message meant for this mistake."""


@dataclass(frozen=True)
class Entry:
    """What the bank holds for one item."""

    right: Mapping[str, str]
    """Name to the whole answer cell."""
    wrong: Mapping[str, Wrong]
    """Name to wrong answer."""
    equivalent: Mapping[str, str] = field(default_factory=dict)
    """Mutants of the solution, as they are printed, that change no behaviour; and why."""


@cache
def bank_of(assignment: str) -> dict[str, Entry]:
    """Item name to entry, for one assignment."""
    found: dict[str, Entry] = dict(importlib.import_module(f"tests.course.bank.{assignment}").BANK)
    for head, code in re.findall(r"^#@ (.+)\n((?:(?!#@ ).*\n)+)", _unseen(assignment), re.MULTILINE):
        item, kind, rest = head.split(" ", 2)
        entry = found[item]
        name, *about = (part.strip() for part in rest.split("|"))
        taken = entry.right.keys() | entry.wrong.keys()
        assert name not in taken, head
        assert len(about) == {"+": 0, "-": 2}[kind], head
        if kind == "+":
            found[item] = replace(entry, right={**entry.right, name: code})
        else:
            found[item] = replace(entry, wrong={**entry.wrong, name: Wrong(code, *about)})
    return found


def entry_of(item: str) -> Entry:
    """What the bank holds for an item, such as "hooks.q5"."""
    return bank_of(item.partition(".")[0])[item]


def _unseen(assignment: str) -> str:
    return (_UNSEEN / f"{assignment}.txt").read_text(encoding="utf-8")

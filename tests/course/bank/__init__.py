"""Answers as learners write them: right ones in different ways, and wrong ones with the message meant for each."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field


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


def bank_of(assignment: str) -> dict[str, Entry]:
    """Item name to entry, for one assignment."""
    found: dict[str, Entry] = importlib.import_module(f"tests.course.bank.{assignment}").BANK
    return found

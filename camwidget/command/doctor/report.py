"""All findings, in the order in which one reads them, and as text to paste into a report."""

from collections.abc import Callable, Iterable, Sequence

from camwidget.command.doctor import jupyter, machine, packages, trial
from camwidget.command.doctor.finding import MISSING, NOTE, Finding
from camwidget.text.reviews import data_folder


def examine(before_trial: Callable[[], None] = lambda: None) -> Iterable[Finding]:
    """Yield every finding about this machine, the quick ones first.

    Args:
        before_trial: called before a panel is made, which takes seconds, and minutes on a slow machine.
    """
    yield from packages.findings()
    yield from machine.findings(data_folder())
    yield from jupyter.findings()
    before_trial()
    yield from trial.findings()


def lines_of(finding: Finding) -> list[str]:
    """Return a finding as plain lines: its state, its name, what was found; below that what to type.

    Args:
        finding: one of `examine`.
    """
    lines = [f"{finding.state:<8} {finding.name:<18} {finding.found}"]
    return [*lines, f"{'':<8} {'':<18} -> {finding.advice}"] if finding.advice else lines


def verdict(findings: Sequence[Finding]) -> str:
    """Return one sentence about all of them.

    Args:
        findings: what was found.
    """
    missing = [each.name for each in findings if each.state == MISSING]
    noted = [each.name for each in findings if each.state == NOTE]
    if missing:
        begin = missing[0]
        return f"Missing: {', '.join(missing)}. Begin with {begin}; what to type stands after ->."
    if noted:
        return f"Nothing is missing. To know: {', '.join(noted)}."
    return "Nothing is missing."

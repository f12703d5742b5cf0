"""What a check found out: facts, each worth points, in one report."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from camwidget.course.show import as_html, as_text

REPORT_MIME = "application/vnd.camwidget.report+json"
"""Under this key a notebook's output carries the report for programs that read the notebook."""


@dataclass(frozen=True)
class Fact:
    """One thing that is true of an answer, or is not yet."""

    says: str
    """The fact as a sentence without its full stop, such as "the map has one value per position"."""
    points: int
    """What it is worth."""
    passed: bool
    """Whether it held every time it was tried."""
    tried: bool = True
    """False where an earlier failure left nothing to try."""
    called: str = ""
    """The call or the question, as one would type it."""
    expected: str = ""
    """What was expected, in short."""
    got: str = ""
    """What came, in short."""
    likely: str = ""
    """The likely cause, or what to look at."""


@dataclass(frozen=True)
class Report:
    """The result of one check. As a cell's last line it shows itself as a table."""

    item: str
    """Name of the item, such as "hooks.q5"."""
    title: str
    """What the item is about."""
    facts: tuple[Fact, ...]
    """In the order in which they were looked at."""
    started: bool = True
    """False where there is no answer yet."""
    stopped: str = ""
    """Why the check ended early: the answer raised, took too long, or returned nothing; empty otherwise."""
    note: str = ""
    """A sentence worth reading whatever the outcome, such as a quiz option's explanation."""
    printed: str = ""
    """What the answer printed or warned while it was checked; it costs nothing."""
    hidden: bool = False
    """Whether these are a teacher's hidden checks: calls and values are then not shown."""

    @property
    def points(self) -> float:
        """Points earned: those of the facts that hold."""
        return float(sum(fact.points for fact in self.facts if fact.passed))

    @property
    def max_points(self) -> float:
        """Points there are."""
        return float(sum(fact.points for fact in self.facts))

    @property
    def right(self) -> bool:
        """Whether every fact holds."""
        return all(fact.passed for fact in self.facts)

    def score(self) -> float:
        """Show the report and return the points: the last line of a graded cell."""
        # Imported here: only a notebook has it, and it is not needed to read a report.
        from IPython.display import display  # noqa: PLC0415 (see above)

        display(self)
        return self.points

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": as_text(self), "text/html": as_html(self), REPORT_MIME: self.as_dict()}

    def as_dict(self) -> dict[str, Any]:
        """The report as plain values, for JSON."""
        values = asdict(self)
        return {**values, "points": self.points, "max_points": self.max_points, "right": self.right}


def unreached(facts: Sequence[tuple[str, int]]) -> tuple[Fact, ...]:
    """Return facts that could not be looked at, from what they say and their points."""
    return tuple(Fact(says, points, passed=False, tried=False) for says, points in facts)

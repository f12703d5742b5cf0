"""Pages to read: one about the class, one for each learner. They need no network and run no script."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from camwidget.grading.records import UNGRADED, ClassRecord, Graded
from camwidget.grading.reports.alike import Alike, alike, marked
from camwidget.grading.reports.marking import Final, Marking, final
from camwidget.grading.reports.summary import FEWEST_TO_TELL, TELLS_LITTLE, Summary, summarise
from camwidget.grading.reports.unnamed import Unnamed, unnamed

MOST_SHOWN = 8
"""Pairs, and groups of wrong answers, shown of one assignment."""

_CODE = re.compile("`([^`]+)`")


@dataclass(frozen=True)
class _Part:
    """What the page about the class says about one assignment."""

    summary: Summary
    alike: tuple[Alike, ...]
    unnamed: tuple[Unnamed, ...]
    finals: Mapping[str, Final]

    @property
    def ungraded(self) -> int:
        return sum(row.status == UNGRADED for each in self.summary.graded for row in each.rows if not each.problem)

    @property
    def commonest(self) -> tuple[Unnamed, ...]:
        """The first three, and of the others those of which there are several."""
        return tuple(
            group for place, group in enumerate(self.unnamed[:MOST_SHOWN]) if place < 3 or len(group.learners) > 1
        )

    @property
    def reported(self) -> float:
        return sum(item.reported_points for item in self.summary.items)

    @property
    def seconds(self) -> list[float]:
        return sorted(each.seconds for each in self.summary.graded if each.seconds)

    @property
    def slowest(self) -> Graded:
        return max(self.summary.graded, key=lambda each: each.seconds)

    @property
    def memory_mb(self) -> float:
        return max((each.memory_mb for each in self.summary.graded), default=0.0)


def class_page(record: ClassRecord, stubs: Mapping[str, str], settings: Marking | None = None) -> str:
    """Return the page about a class.

    Args:
        record: the run.
        stubs: item to the source of its answer cell as released.
        settings: late days and weights.
    """
    chosen = settings or Marking()
    parts = []
    for assignment in dict.fromkeys(each.assignment for each in record.graded if each.assignment):
        graded = [each for each in record.graded if each.assignment == assignment]
        finals = {each.learner: final(each, chosen) for each in graded}
        parts.append(_Part(summarise(assignment, graded), alike(graded, stubs), unnamed(graded, stubs), finals))
    return (
        _templates()
        .get_template("class.html.j2")
        .render(
            record=record,
            parts=parts,
            nowhere=[each for each in record.graded if not each.assignment],
            most_shown=MOST_SHOWN,
            fewest=FEWEST_TO_TELL,
            little=TELLS_LITTLE,
        )
    )


def feedback_page(graded: Graded, settings: Marking | None = None) -> str:
    """Return what one learner gets back about one assignment. It shows no hidden call and no hidden value.

    Args:
        graded: the submission.
        settings: late days and weights.
    """
    last = final(graded, settings or Marking())
    return _templates().get_template("feedback.html.j2").render(graded=graded, final=last)


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("camwidget.grading.reports"),
        autoescape=True,  # names and answers hold whatever learners wrote
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"code": _code, "points": _points, "seconds": _seconds, "decimal": _decimal, "when": _when}
    made.globals |= {"marked": marked}
    return made


def _code(text: str) -> Markup:
    """A sentence with `code` in it."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))


def _points(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else f"{round(value, 2):g}"


def _seconds(value: float) -> str:
    if value < 90:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes} min {seconds} s" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _decimal(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _when(text: str) -> str:
    """A time in ISO 8601 without its seconds."""
    return text[:16].replace("T", " ")

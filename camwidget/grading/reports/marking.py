"""Late days and weights, from a small TOML file, and what they make of points."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from camwidget.course.order import ASSIGNMENTS
from camwidget.errors import CourseError, nearest, three_parts
from camwidget.grading.records import Graded

_S_PER_DAY = 86_400
_EXAMPLE = "Write [late] with due, free_days, per_day and most, and [weights] with assignments"


@dataclass(frozen=True)
class Marking:
    """What a teacher decides about marks. The default changes nothing."""

    due: Mapping[str, datetime] = field(default_factory=dict)
    """Assignment to its last moment."""
    free_days: float = 0.0
    """Days late that cost nothing, for each assignment."""
    per_day: float = 0.0
    """Share of the points that each day begun after these costs, 0 to 1."""
    most: float = 1.0
    """Share of the points that lateness costs at most, 0 to 1."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Assignment to its weight in the whole course; 1 where none is given."""


@dataclass(frozen=True)
class Final:
    """What becomes of one submission's points."""

    days_late: int
    """Days begun after the last moment; 0 if it was in time, or if nobody knows."""
    lost: float | None
    """Points lost to lateness; None if there are none yet."""
    points: float | None
    """What is left."""
    weighted: float | None
    """The same times the weight."""
    max_weighted: float
    """What there was to earn, times the weight."""


def read_marking(path: Path) -> Marking:
    """Read the settings.

    Raises:
        CourseError: the file cannot be read, or holds something that has no meaning here.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        given = f"The settings {str(path)!r} cannot be read: {error}"
        raise CourseError(three_parts(given, "They are a file in TOML", _EXAMPLE)) from error
    _known(values, ("late", "weights"), "table")
    late, weights = _table(values, "late"), _table(values, "weights")
    _known(late, ("due", "free_days", "per_day", "most"), "setting in [late]")
    due = _table(late, "due")
    for table in (due, weights):
        _known(table, ASSIGNMENTS, "assignment")
    return Marking(
        due={name: _moment(name, when) for name, when in due.items()},
        free_days=_number(late, "free_days", 0.0),
        per_day=_number(late, "per_day", 0.0, most=1.0),
        most=_number(late, "most", 1.0, most=1.0),
        weights={name: _number(weights, name, 1.0) for name in weights},
    )


def final(graded: Graded, settings: Marking) -> Final:
    """Return what lateness and weights make of a submission.

    Args:
        graded: the submission.
        settings: what the teacher decided.
    """
    days = _days_late(graded, settings)
    share = min(settings.most, settings.per_day * max(0.0, math.ceil(days - settings.free_days)))
    weight = settings.weights.get(graded.assignment, 1.0)
    lost = None if graded.points is None else round(share * graded.points, 6)
    points = None if graded.points is None or lost is None else graded.points - lost
    return Final(days, lost, points, None if points is None else weight * points, weight * graded.max_points)


def _days_late(graded: Graded, settings: Marking) -> int:
    due = settings.due.get(graded.assignment)
    if due is None or not graded.handed_in:
        return 0
    try:
        when = datetime.fromisoformat(graded.handed_in)
    except ValueError:
        return 0
    when = when if when.tzinfo else when.replace(tzinfo=due.tzinfo)  # a zip knows no time zone: the teacher's own
    return max(0, math.ceil((when - due).total_seconds() / _S_PER_DAY))


def _table(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = values.get(name, {})
    if not isinstance(table, Mapping):
        raise CourseError(three_parts(f"{name!r} is {table!r} in the settings", "It is a table", _EXAMPLE))
    return table


def _known(table: Mapping[str, Any], names: tuple[str, ...], what: str) -> None:
    for name in table:
        if name not in names:
            close = nearest(name, names, count=1)
            advice = f"Did you mean {close[0]!r}?" if close else _EXAMPLE
            allowed = f"There are {', '.join(map(repr, names))}"
            raise CourseError(three_parts(f"The settings name {name!r}, which is no {what}", allowed, advice))


def _number(table: Mapping[str, Any], name: str, default: float, *, most: float = math.inf) -> float:
    value = table.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most or math.isinf(value):
        allowed = "It is a number from 0 on" if math.isinf(most) else f"It is a number from 0 to {most:g}"
        raise CourseError(three_parts(f"{name} is {value!r} in the settings", allowed, f"Write {name} = {default:g}"))
    return float(value)


def _moment(name: str, when: object) -> datetime:
    if isinstance(when, datetime):
        return when if when.tzinfo else when.astimezone()  # without a zone it is this computer's
    if isinstance(when, date):
        return datetime.combine(when, time.max).astimezone()
    given = f"{name} is due at {when!r} in the settings"
    example = datetime(2027, 1, 31, 23, 59, tzinfo=UTC).isoformat()
    raise CourseError(
        three_parts(given, "It is a date, or a date and time, without quotes", f"Write {name} = {example}")
    )

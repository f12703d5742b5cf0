"""A class of four, small enough to work out by hand."""

from camwidget.grading.records import (
    NOT_STARTED,
    PARTLY,
    RIGHT,
    UNGRADED,
    WRONG,
    ClassRecord,
    FactRow,
    Graded,
    Row,
)

HOSTILE = "<script>alert('x')</script>"
SHAPE, VALUES = FactRow("shape", "it has the shape", 1.0, True), FactRow("values", "the numbers are right", 2.0, False)


def row(learner: str, item: str, points: float | None, max_points: float, **about: object) -> Row:
    status = RIGHT if points == max_points else PARTLY if points else WRONG
    status = UNGRADED if points is None else status
    values = {"title": f"About {item}", "status": status, **about}
    earned = None if points is None else float(points)
    return Row(learner, "hooks", f"hooks.{item}", points=earned, max_points=max_points, **values)  # type: ignore[arg-type]


def graded(learner: str, *rows: Row, **about: object) -> Graded:
    return Graded(learner, "hooks", "digest", "grader", rows, **about)  # type: ignore[arg-type]


def ada() -> Graded:
    rows = row("ada", "q1", 2.0, 2.0, seconds=0.25), row("ada", "q2", 3.0, 3.0, reported_points=1.0)
    return graded("ada", *rows, seconds=1.0, answers={"hooks.q2": "def f(x):\n    return x + 1"})


def ben() -> Graded:
    rows = (
        row("ben", "q1", 2.0, 2.0, seconds=0.5),
        row("ben", "q2", 1.0, 3.0, cause="the sign is turned around", facts=(SHAPE, VALUES),
            reason="Not yet: the numbers are right (the sign is turned around)"),
    )  # fmt: skip
    return graded("ben", *rows, seconds=2.0, handed_in="2026-03-03T10:00:00+00:00")


def cem() -> Graded:
    rows = (
        row("cem", "q1", 0.0, 2.0, status=NOT_STARTED, reason="Not started"),
        row("cem", "q2", 1.0, 3.0, cause="the numbers are right", facts=(SHAPE, VALUES), line="return x < 1",
            reason="Not yet: the numbers are right"),
    )  # fmt: skip
    return graded("cem", *rows, answers={"hooks.q2": "def f(x):\n    return x < 1"}, notes=("The notebook was odd.",))


def hostile() -> Graded:
    rows = (
        row(HOSTILE, "q1", 2.0, 2.0),
        row(HOSTILE, "q2", None, 3.0, reason=f"Your code said {HOSTILE}", events=(f"opened {HOSTILE}",)),
    )
    return graded(HOSTILE, *rows, answers={"hooks.q2": HOSTILE})


def broken() -> Graded:
    rows = tuple(row("dora", item, None, most, reason="It is no notebook") for item, most in (("q1", 2.0), ("q2", 3.0)))
    return graded("dora", *rows, problem="It could not be graded: it is no notebook")


def small_class(*more: Graded, **about: object) -> ClassRecord:
    return ClassRecord((ada(), ben(), cem(), *more), "12ab", **about)  # type: ignore[arg-type]

"""What the command says of a class in the end."""

from camwidget.grading.intake import NOTHING
from camwidget.grading.records import ClassRecord, Graded
from camwidget.grading.summary import summary


def graded(learner: str, assignment: str, problem: str = "") -> Graded:
    return Graded(learner, assignment, "digest", "grader", rows=(), problem=problem)


def test_those_who_handed_in_nothing_share_a_line_and_others_have_one_each() -> None:
    absent = [graded(f"learner-{number:02}", "hooks", f"It could not be graded: {NOTHING}") for number in range(12)]
    record = ClassRecord((*absent, graded("ada", "hooks", "It could not be graded: the file is empty")), "seed")

    lines = list(summary(record))

    ten = ", ".join(f"learner-{number:02}" for number in range(10))
    assert [line for line in lines if line.startswith("  ")] == [
        f"  nothing for hooks from {ten} and 2 more",
        "  was hooks not asked for? `--only NAME` grades one assignment, `--assignment NAME` takes everything for it",
        "  look at ada/hooks: It could not be graded: the file is empty",
    ]


def test_where_most_handed_in_nobody_is_asked_whether_it_was_meant() -> None:
    others = [graded(f"learner-{number}", "cam") for number in range(3)]
    record = ClassRecord((*others, graded("<b>bob", "cam", f"It could not be graded: {NOTHING}")), "seed")

    assert [line for line in summary(record) if "not" in line] == ["  nothing for cam from <b>bob"]

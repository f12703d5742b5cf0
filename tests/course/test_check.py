"""What a check finds in an answer, and what it says."""

import contextlib
import json
import sys
import time
import warnings
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from camwidget.course import calling
from camwidget.course.attempt import Attempt
from camwidget.course.check import judged
from camwidget.course.items import Item, Option, find_item, items_of, quiz
from camwidget.course.report import REPORT_MIME, Report
from camwidget.errors import CourseError
from tests.house.repository import run_code


def _judge_toy(attempt: Attempt) -> None:
    rows, columns = attempt.sizes(2)
    given = attempt.tensor(rows, columns)
    before = given.clone()
    got = attempt.call(attempt.answer, given, called=f"double(x) with x of shape {(rows, columns)}")
    attempt.shape("shape", got, (rows, columns))
    attempt.values("values", got, 2 * before.double())
    attempt.fact(
        "kept", torch.equal(given, before), expected="x as it was", got="x was changed", likely="an in-place operation"
    )


TOY = Item(
    "cam.toy",
    "double every value",
    judge=_judge_toy,
    facts={"shape": ("the shape stays", 1), "values": ("every value is doubled", 2), "kept": ("the input is kept", 1)},
)
QUIZ = quiz(
    "cam.quiz",
    "Which numbers are even?",
    {
        "a": Option("2 is 2 times 1.", right=True),
        "b": Option("3 leaves a rest."),
        "c": Option("4 is 2 times 2.", right=True),
    },
)


def report_on(answer: object) -> Report:
    return judged(TOY, (answer,))


def failed(report: Report) -> list[str]:
    return [fact.says for fact in report.facts if not fact.passed]


def test_a_right_answer_earns_every_point_whatever_it_prints_or_warns() -> None:
    def double(x: Tensor) -> Tensor:
        sys.stderr.write("looking")
        warnings.warn("careful", UserWarning, stacklevel=1)
        return 2 * x

    report = report_on(double)

    assert report.right
    assert (report.points, report.max_points) == (4.0, 4.0)
    assert "looking" in report.printed
    assert "UserWarning: careful" in report.printed


def test_an_answer_in_double_precision_or_as_an_array_is_as_right() -> None:
    assert report_on(lambda x: 2 * x.double()).right
    assert report_on(lambda x: (2 * x).numpy()).right
    assert report_on(lambda x: (2 * x).tolist()).right


@pytest.mark.parametrize(
    ("answer", "fact", "says"),
    [
        (lambda x: (2 * x).T, "the shape stays", "another order"),
        (lambda x: (2 * x).relu(), "every value is doubled", "ReLU"),
        (lambda x: -2 * x, "every value is doubled", "sign is turned"),
        (lambda x: 3 * x, "every value is doubled", "1.5 times the expected"),
        (lambda x: (2 * x).softmax(0), "every value is doubled", "softmax"),
        (lambda x: 2 * x / 0, "every value is doubled", "NaN or infinite"),
        (lambda x: (2 * x)[None], "the shape stays", "axis of length 1"),
        (lambda x: (2 * x, 1), "the shape stays", "not several"),
        (lambda x: x.mul_(2), "the input is kept", "in-place"),
    ],
)
def test_a_wrong_answer_loses_the_fact_and_hears_why(answer: object, fact: str, says: str) -> None:
    report = report_on(answer)
    at = next(each for each in report.facts if not each.passed)

    assert at.says == fact
    assert says in at.likely
    assert report.points < 4


def test_what_raises_is_told_with_the_learners_own_line_and_no_traceback() -> None:
    def double(x: Tensor) -> Tensor:
        return x @ torch.zeros(100, 1)

    report = report_on(double)

    assert report.points == 0
    assert "RuntimeError" in report.stopped
    assert "return x @ torch.zeros(100, 1)" in report.stopped
    assert "Traceback" not in repr(report)


@pytest.mark.parametrize("answer", [None, ..., lambda x: (_ for _ in ()).throw(NotImplementedError())])
def test_an_answer_that_is_not_written_yet_is_not_called_wrong(answer: object) -> None:
    report = report_on(answer)

    assert not report.started
    assert report.points == 0
    assert "not started" in repr(report)


def test_none_returned_is_told() -> None:
    assert "return at the end" in report_on(lambda x: None).stopped


def test_an_endless_loop_ends_within_the_limit_even_if_it_swallows_exceptions() -> None:
    def double(x: Tensor) -> Tensor:
        while True:
            with contextlib.suppress(Exception):
                x = x + 1

    started = time.process_time()
    report = report_on(double)

    assert "did not come back within 2 seconds" in report.stopped
    assert time.process_time() - started < 4


def test_an_answer_that_only_waits_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "PATIENCE", 0.2)

    assert "did not come back" in report_on(lambda x: time.sleep(60)).stopped


def test_an_answer_that_waits_because_the_machine_is_busy_is_not_slow() -> None:
    def double(x: Tensor) -> Tensor:
        time.sleep(0.8)  # in three rounds longer than the limit on computing time
        return 2 * x

    assert report_on(double).right


def test_an_answer_that_is_right_only_for_some_sizes_loses_what_it_did_not_always_do() -> None:
    seen: list[object] = []

    def double(x: Tensor) -> Tensor:
        seen.append(x.shape)
        return 2 * x if len(seen) == 1 else x[:1]

    assert failed(report_on(double)) == ["the shape stays", "every value is doubled", "the input is kept"]


def test_random_state_and_gradient_mode_are_given_back() -> None:
    def double(x: Tensor) -> Tensor:
        torch.manual_seed(1)
        torch.set_grad_enabled(False)
        return 2 * x

    before = torch.get_rng_state()
    report_on(double)

    assert torch.equal(torch.get_rng_state(), before)
    assert torch.is_grad_enabled()


def test_the_likely_cause_is_told_to_its_end_and_the_learners_own_line_is_set_as_code() -> None:
    def double(x: Tensor) -> Tensor:
        return torch.einsum(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ,kij->cij,kkkkkkkkkkkk", x, x, x * 3 + x
        )

    report = report_on(double)
    page = report._repr_mimebundle_()["text/html"]

    assert repr(report).splitlines()[1].endswith("one letter per axis.")
    assert "one letter per axis.</p>" in page
    assert "<code>return torch.einsum(" in page
    assert "`" not in page


def test_a_report_escapes_what_came_from_the_answer() -> None:
    def double(x: Tensor) -> Tensor:
        raise ValueError("<script>alert(1)</script>")

    bundle = report_on(double)._repr_mimebundle_()

    assert "<script>" not in bundle["text/html"]
    assert "&lt;script&gt;" in bundle["text/html"]
    assert json.loads(json.dumps(bundle[REPORT_MIME]))["points"] == 0


def test_a_hidden_report_says_what_failed_without_the_call_or_the_values() -> None:
    report = judged(TOY, (lambda x: (2 * x).relu(),), hidden=True)

    assert "ReLU" in repr(report)
    assert "double(x)" not in repr(report)
    assert "expected" not in repr(report)


def test_hidden_checks_draw_other_sizes_where_they_judge_in_the_same_way() -> None:
    seen: dict[bool, list[tuple[int, ...]]] = {False: [], True: []}
    for hidden, shapes in seen.items():
        judged(TOY, (lambda x, shapes=shapes: shapes.append(tuple(x.shape)) or 2 * x,), hidden=hidden)

    assert len(seen[False]) == len(seen[True]) == TOY.rounds
    assert not set(seen[False]) & set(seen[True])


def test_a_judge_can_say_what_an_error_means_in_its_own_call() -> None:
    def judge(attempt: Attempt) -> None:
        attempt.call(
            attempt.answer,
            called="f()",
            meanings={"positional argument": "a hook gets three things", "None": "return it"},
        )
        attempt.fact("called", True)

    own = Item("cam.own", "in its own words", judge=judge, facts={"called": ("it runs", 1)})

    assert "Likely: a hook gets three things." in repr(judged(own, (lambda one: one,)))
    assert "Likely: return it." in repr(judged(own, (lambda: None,)))
    assert "return at the end?\n" in repr(report_on(lambda x: None))


def test_one_number_is_told_how_far_it_is_off_and_not_which_multiple_it_is() -> None:
    def judge(attempt: Attempt) -> None:
        attempt.values("value", attempt.answer, 2.0, usual=False)

    told = repr(judged(Item("cam.one", "one number", judge=judge, facts={"value": ("it is 2", 1)}), (2.5,)))

    assert "off by 0.5" in told
    assert "times" not in told


@pytest.mark.parametrize(
    ("answer", "points"), [("ac", 1), ("A, C", 1), (["a", "c"], 1), ({"c", "a"}, 1), ("a", 0), ("abc", 0), ("x", 0)]
)
def test_a_quiz_takes_all_right_letters_and_tells_the_reason_of_each_choice(answer: object, points: float) -> None:
    report = judged(QUIZ, (answer,))

    assert report.points == points
    assert ("2 is 2 times 1." in report.note) == (answer != "x")
    assert ("3 leaves a rest." in report.note) == (answer == "abc")


@pytest.mark.parametrize(
    ("name", "says"),
    [("hoks.q5", r"Did you mean 'hooks'\?"), ("zzz", "Assignments are 'hooks'")],
)
def test_an_unknown_item_is_answered_with_the_nearest(name: str, says: str) -> None:
    with pytest.raises(CourseError, match=says):
        find_item(name)


@pytest.mark.parametrize(
    ("items", "says"),
    [((TOY, QUIZ, TOY), "'cam.toy' is there already"), ((replace(TOY, facts={}),), "'cam.toy' promises no fact")],
)
def test_items_of_one_name_or_without_a_fact_are_refused(
    items: tuple[Item, ...], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camwidget.course.assignments.cam.items.ITEMS", items)

    with pytest.raises(CourseError, match=says):
        items_of("cam")


@pytest.mark.slow
def test_hidden_checks_are_not_part_of_the_package() -> None:
    # In an interpreter of its own: the tests of the bank put the solutions on the path of this one.
    told = run_code(
        "from camwidget.course.items import items_of\n"
        "try:\n    items_of('hooks', hidden=True)\nexcept ValueError as error:\n    print(error)"
    )

    assert "no module hidden_hooks" in told

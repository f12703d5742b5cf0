"""Outside: judge one item of one submission with the course's own judge, and put what it says into a row."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from camwidget.course.calling import Budget, Outcome, OutOfTime, call_quietly
from camwidget.course.check import HIDDEN_SEED, judged
from camwidget.course.items import Item
from camwidget.course.report import LONGEST_STOP, Report
from camwidget.errors import clipped
from camwidget.grading.course import Task
from camwidget.grading.process import LateError, Process, StoppedError
from camwidget.grading.records import MISSING, NOT_STARTED, PARTLY, RIGHT, UNGRADED, WRONG, FactRow, Row
from camwidget.grading.session import Session
from camwidget.grading.standins import stands_in
from camwidget.grading.wire import BadReplyError, bad_replies_named, unpack

REPORTED: Mapping[str, frozenset[str]] = {
    item: frozenset(keys.split())
    for item, keys in {
        "hooks.q4b": "once removed",
        "hooks.q5": "once removed",
        "hooks.q6b": "runs mode",
        "hooks.q6c": "quiet mode",
        "hooks.q10": "listens removed after_error error",
        "hooks.change_output": "removed",
        "hooks.panel": "activation detached copy removed",
        "cam.q2b": "mode kept",
        "cam.q7a": "kept",
        "cam.q7b": "kept",
        "cam.q9": "kept",
        "cam.mean_plus_bias": "kept",
        "grad_cam.q12b": "listens removed",
        "grad_cam.q13b": "clean",
        "grad_cam.map": "kept",
        "grad_cam.any_layer": "removed",
        "grad_cam.equals_cam": "values",
        "grad_cam.panel": "activation gradient",
        "keepdim.unsqueeze": "kept",
        "keepdim.einsum": "kept",
        "rebuild.both_maps": "removed left",
        "nlp_cam.word_scores": "kept",
        "nlp_cam.logits": "kept",
        "nlp_cam.gradient_times_input": "kept",
        "nlp_cam.leave_one_out": "kept",
        "nlp_cam.without_top": "kept",
        "mistakes.top_losses": "kept",
        "mistakes.sure_and_wrong": "kept",
        "mistakes.difference": "kept",
        "mistakes.place": "kept",
        "mistakes.occlusion": "left",
        "mistakes.missing": "kept",
        "mistakes.panel": "kept",
    }.items()
}
"""Facts that only the learner's own process can tell: what is left on a network, how often it ran and in which mode,
what became of an argument, and what the package's own `explain`, which runs there too, made of a learner's hooks.
Only code that is not plain can make it tell something else (see `plain`). It may be a part of the fact:
`grad_cam.equals_cam` has its numbers compared outside, and its argument not."""

_GENEROUS_S = 100_000.0
"""The limits are the process's own; the judge's clock is only there for its own code."""


class _UnreadableError(Exception):
    """What was handed in raises as soon as one looks at it; the message is how, without its full stop."""


class _FarBudget(Budget):
    """Calls answers in the sandbox, and charges what they compute there."""

    def __init__(self, session: "_Far", limit_s: float) -> None:
        super().__init__(limit_s)
        self._far = session

    def spend(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Outcome:
        """See `Budget.spend`.

        Args:
            function: a stand-in, a network of the judge's, or a function of the judge's that uses either.
            args: its arguments.
            kwargs: its keyword arguments.
        """
        if not stands_in(function):
            inner = function

            def function(*args: Any, **kwargs: Any) -> Any:
                return self._far.session.far(inner, args, kwargs)

        outcome = call_quietly(function, args, kwargs, limit_s=_GENEROUS_S)
        if isinstance(outcome.error, BadReplyError):  # not what the learner's code raised, but what it did to the line
            self._far.broke(outcome.error)
        if self._far.stopped:
            return Outcome(stopped=f"Your code {self._far.stopped}", printed=outcome.printed)
        if outcome.late:
            return replace(outcome, stopped=f"Your code did not come back within {self._limit_s:g} seconds")
        return outcome


class _Far:
    """What one item asks of the process: all of it within one limit, and nothing more once it ended."""

    def __init__(self, process: Process, limit_s: float) -> None:
        self.process, self.limit_s, self.stopped = process, limit_s, ""
        self.ended_threads = False
        self.began_s = process.spent_s
        self.session = Session(self.ask)

    def ask(self, question: Mapping[str, Any], answer_back: Callable[[Any], Mapping[str, Any]]) -> Any:
        if self.stopped:
            raise StoppedError(self.stopped)
        left_s = max(self.limit_s - (self.process.spent_s - self.began_s), 0.5)
        try:
            return self.process.ask(question, left_s, answer_back=answer_back)
        except LateError:
            raise OutOfTime from None
        except StoppedError as error:
            self.stopped = str(error)
            raise

    def broke(self, error: BadReplyError) -> None:
        self.process.close()
        self.stopped = f"broke the line to the grader: {error}"


def judge_item(process: Process, task: Task, item: Item, *, seed: int, learner: str, plain: bool = False) -> Row:
    """Judge one item where the submission is now; always return a row.

    Args:
        process: of the submission.
        task: what is handed in, under which names.
        item: the hidden check.
        seed: the class's secret one.
        learner: whose it is.
        plain: whether all code that ran in the process is such that it cannot reach the grader (see `plain`).
    """
    began = time.perf_counter()
    assignment = item.name.partition(".")[0]
    row = Row(learner, assignment, item.name, item.title, 0.0, item.points, WRONG)
    far = _Far(process, process.limits.answer_s)
    report, missing, problem = None, False, ""
    try:
        report, missing = _report(far, task, item, seed)
    except (StoppedError, BadReplyError) as error:
        if isinstance(error, BadReplyError):
            far.broke(error)
        problem = far.stopped or str(error)
    except _UnreadableError as error:
        problem = str(error)
    except OutOfTime:
        problem = f"did not come back within {far.limit_s:g} seconds"
    if far.stopped:
        process.close()
    ended = ("threads that an earlier cell had left computing were ended",) if far.ended_threads else ()
    events = (*ended, *((far.stopped,) if far.stopped else ()))
    row = replace(row, events=events, seconds=round(time.perf_counter() - began, 3))
    if report is None:
        facts = tuple(FactRow(key, says, float(points), False, False) for key, (says, points) in item.facts.items())
        return replace(row, facts=facts, reason=f"Your code {problem}", cause=_short(problem))
    return _filled(row, item, report, missing=missing, plain=plain)


def _report(far: _Far, task: Task, item: Item, seed: int) -> tuple[Report, bool]:
    """The judge's report, and whether none of the names is defined."""
    child_seed = (seed ^ HIDDEN_SEED) % (1 << 31)  # what happens over there does not tell what is drawn here
    try:
        reply = far.process.ask({"names": list(task.names), "seed": child_seed}, far.limit_s)
    except LateError:
        raise OutOfTime from None
    except StoppedError as error:
        far.stopped = str(error)
        raise
    with bad_replies_named():
        far.ended_threads = bool(reply.get("ended"))
        if "error" in reply:
            kind, message = (clipped(str(reply["error"][part]), longest=200) for part in ("kind", "message"))
            why = f": {message}" if message else ""
            raise _UnreadableError(f"raised {kind} when its answer was looked at{why}")
        found = {name: unpack(reply["ok"][name], far.session.resolve) for name in task.names if name in reply["ok"]}
    answers = tuple(found.get(name) for name in task.names) if found else ()
    far.began_s = far.process.spent_s
    report = judged(item, answers, hidden=True, seed=seed, budget=_FarBudget(far, far.limit_s))
    return report, not found


def _filled(row: Row, item: Item, report: Report, *, missing: bool, plain: bool) -> Row:
    keys = list(item.facts)
    reported = frozenset() if plain else REPORTED.get(item.name, frozenset())
    facts = tuple(
        FactRow(key, fact.says, float(fact.points), fact.passed, fact.tried, fact.likely, key in reported)
        for key, fact in zip(keys, report.facts, strict=True)
    )
    points = report.points
    status = RIGHT if report.right else PARTLY if points else WRONG
    if not report.started:
        reason = "There is no answer: its name is not defined" if missing else "Not started"
        return replace(row, status=MISSING if missing else NOT_STARTED, reason=reason, facts=facts)
    failed = next((fact for fact in report.facts if not fact.passed and fact.tried), None)
    reasons = [clipped(report.stopped, longest=LONGEST_STOP)] if report.stopped else []
    if failed is not None:
        reasons.append(f"Not yet: {failed.says}" + (f" ({failed.likely})" if failed.likely else ""))
    return replace(
        row,
        points=points,
        status=status,
        reason=" ".join(reasons),
        cause=_cause(report, failed.likely or failed.says if failed else ""),
        line=_line(report.stopped),
        reported_points=float(sum(fact.points for fact in facts if fact.passed and fact.reported)),
        facts=facts,
        note=report.note,
    )


def _cause(report: Report, failed: str) -> str:
    if report.right:
        return ""
    _, raised, rest = report.stopped.partition("Your code raised ")
    if raised:
        return f"raised {rest.split(':')[0]}"
    _, why, rest = report.stopped.partition("Your code ")
    return _short(rest.partition(". Likely:")[0].rstrip(".")) if why else failed


def _short(problem: str) -> str:
    """Up to the first colon, which the learner's own words follow; without what is begun in brackets there."""
    short = problem.partition(":")[0]
    return short if short.count("(") == short.count(")") else short.rpartition(" (")[0]


def _line(stopped: str) -> str:
    return stopped.partition("in your line `")[2].partition("`")[0]


def ungraded(learner: str, items: Mapping[str, Item], why: str) -> tuple[Row, ...]:
    """Return a row without points for each item.

    Args:
        learner: whose they are.
        items: of the assignment.
        why: what stood in the way, as a sentence.
    """
    return tuple(
        Row(learner, name.partition(".")[0], name, item.title, None, item.points, UNGRADED, reason=why)
        for name, item in items.items()
    )

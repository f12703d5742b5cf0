"""One attempt at judging an answer: draw sizes and numbers, call the answer, record which facts hold."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.course.calling import Budget
from camwidget.course.compare import as_numbers, brief, numbers_agree
from camwidget.course.mistakes import likely_mistake, usual_mistakes, where_they_differ, why_shape
from camwidget.course.reading import filled_defaults, notebook_data, why_none
from camwidget.course.report import Fact
from camwidget.errors import CourseError, nearest, three_parts


class Abandoned(Exception):  # noqa: N818 (not an error: the rest of this attempt has no meaning)
    """Nothing more can be checked in this attempt."""


class Attempt:
    """What a judge gets: the answer, random sizes, and the means to call it and to state facts.

    Args:
        answers: the objects that the learner handed in; `answer` is the first.
        promised: the item's facts by key: sentence and points.
        seed: for all sizes and numbers drawn.
        budget: shared by all attempts of one check.
    """

    def __init__(
        self, answers: Sequence[Any], *, promised: Mapping[str, tuple[str, int]], seed: int, budget: Budget
    ) -> None:
        self.answers = tuple(answers)
        self.answer: Any = self.answers[0] if self.answers else None
        self.generator = torch.Generator().manual_seed(seed)
        self.facts: dict[str, Fact] = {}
        """Those stated so far, by key."""
        self.stopped, self.unwritten, self.note = "", False, ""
        self.recording_left = True
        """Whether the answer has left gradient mode as it found it, in every call so far."""
        self.printed: list[str] = []
        self._promised, self._budget, self._called = promised, budget, ""
        self._since: list[str] = []
        """Facts stated since the newest call."""
        self._before: list[str] = []
        """Those stated between the call before it and it."""
        self._fitting: dict[str, list[str]] = {}
        """Of each fact, the mistakes that fit everything that has come so far."""
        self._parts: list[bool] = []
        """Of each part judged by itself: whether somebody has written it."""

    # Drawing

    def size(self, low: int, high: int) -> int:
        """Draw a whole number from low to high, both included."""
        return int(torch.randint(low, high + 1, (), generator=self.generator))

    def sizes(self, count: int, *, low: int = 2, high: int = 9) -> list[int]:
        """Draw whole numbers that all differ, so that swapped axes show."""
        return (torch.randperm(high - low + 1, generator=self.generator)[:count] + low).tolist()

    def tensor(self, *shape: int) -> Float[Tensor, "..."]:
        """Draw a float32 tensor of standard normal numbers."""
        return torch.randn(*shape, generator=self.generator)

    def seed_torch(self) -> None:
        """Seed PyTorch's own generator, as before a network is made; the check restores its state.

        That of the processor, and no other: `torch.manual_seed` also notes for each accelerator from where it was
        called, which takes a thousand times as long.
        """
        torch.default_generator.manual_seed(self.size(0, 2**31))

    # Calling the answer

    def call(
        self,
        function: Any,
        *args: Any,
        called: str,
        allow_none: bool = False,
        meanings: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call the answer and return what it returned; if that fails, record why and abandon this attempt.

        Args:
            function: the answer, or a method of it.
            args: its arguments.
            called: the call as the learner would type it.
            allow_none: whether returning None is fine.
            meanings: part of an error message to what it means in this call; "None" to what a missing value means.
            kwargs: its keyword arguments.
        """
        self._begin(called)
        if not callable(function):
            likely = "give the function itself, without calling it" if function is not None else "no answer was given"
            self._stop(f"{called} cannot be called: it is {brief(function)}", likely)
        outcome = self._budget.spend(function, args, kwargs)
        self._keep_printed(outcome.printed)
        self.recording_left &= outcome.recording_left
        if outcome.stopped:
            self.unwritten = outcome.unwritten
            own = [meaning for part, meaning in (meanings or {}).items() if part in str(outcome.error)]
            foreign = self._from_elsewhere() if outcome.error is not None and not outcome.unwritten else ""
            self._stop(outcome.stopped, foreign or (own[0] if own else outcome.likely))
        if outcome.value is None and not allow_none:
            self._stop("Your code returned None", (meanings or {}).get("None", "") or why_none(function))
        return outcome.value

    def raised_by(self, function: Any, *args: Any, called: str, **kwargs: Any) -> Exception | None:
        """Call something that is meant to raise, and return what it raised; None if it did not.

        Args:
            function: the answer, or a method of it.
            args: its arguments.
            called: the call as the learner would type it.
            kwargs: its keyword arguments.
        """
        self._begin(called)
        outcome = self._budget.spend(function, args, kwargs)
        self._keep_printed(outcome.printed)
        self.recording_left &= outcome.recording_left
        if outcome.unwritten or (outcome.stopped and outcome.error is None):
            self.unwritten = outcome.unwritten
            self._stop(outcome.stopped, outcome.likely)
        return outcome.error

    @contextmanager
    def part(self, *keys: str) -> Iterator[None]:
        """Judge a part of the answer by itself: if the block ends early, only these facts fail, and judging goes on.

        An answer of which no part is written counts as not started.

        Args:
            keys: the facts that the block is about.
        """
        written = True
        try:
            yield
        except Abandoned:
            written = not self.unwritten
            why, self.stopped = self.stopped.removesuffix(".") if written else "it is not written yet", ""
            if all(key not in self.facts or self.facts[key].passed for key in keys):
                self._state(keys[0], False, likely=why, vague=written and "Likely: " not in why)
        self._parts.append(written)
        self.unwritten = not any(self._parts)

    # Stating facts

    def fact(
        self,
        key: str,
        passed: bool,
        *,
        expected: Any = "",
        got: Any = "",
        likely: str = "",
        stop: bool = False,
        vague: bool = False,
    ) -> bool:
        """State whether a promised fact holds; in the end it holds if it held every time. Returns `passed`.

        Args:
            key: which of the promised facts.
            passed: whether it holds.
            expected: what was expected: words, or a value that is summarised.
            got: what came, likewise.
            likely: the likely cause if it does not hold.
            stop: whether a failure leaves nothing more to check in this attempt.
            vague: whether `likely` only says where to look.
        """
        if not passed and (not likely or vague):
            likely, vague = (told, False) if (told := self._from_elsewhere()) else (likely, True)
        self._state(key, passed, expected=expected, got=got, likely=likely, vague=vague)
        if stop and not passed:
            self._leave_open(key)
            raise Abandoned
        return passed

    def narrowed(self, key: str, fitting: Sequence[str]) -> str:
        """Return what to read of the mistakes that fit this case, and every earlier one; empty if that is not clear.

        A case on which several mistakes give the same is made clear by the next: where it comes, the fact says so.

        Args:
            key: which of the promised facts.
            fitting: what to read of each known mistake that gives what came, also where that is right.
        """
        before = self._fitting.get(key, fitting)
        now = self._fitting[key] = [says for says in before if says in fitting]
        told = now[0] if len(now) == 1 else f"one of two: {now[0]}; or {now[1]}" if len(now) == 2 else ""
        fact = self.facts.get(key)
        if told and fact is not None and not fact.passed and (fact.vague or fact.likely.startswith("one of two: ")):
            self.facts[key] = replace(fact, likely=told, vague=False)
        return told

    def _state(
        self, key: str, passed: bool, *, expected: Any = "", got: Any = "", likely: str = "", vague: bool = False
    ) -> None:
        if key not in self._promised:
            close = ", ".join(map(repr, nearest(key, self._promised))) or "add it to the item's facts"
            raise CourseError(three_parts(f"Fact {key!r} was stated", "An item's facts are promised beforehand", close))
        self._since.append(key)
        says, points = self._promised[key]
        if key not in self.facts or self.facts[key].passed:
            called = expected_text = got_text = ""
            if not passed:
                called, expected_text, got_text = self._called, _in_words(expected), _in_words(got)
            self.facts[key] = Fact(
                says, points, passed, called=called, expected=expected_text, got=got_text, likely=likely, vague=vague
            )

    def _from_elsewhere(self) -> str:
        """What to read where the answer uses data of the notebook or of earlier calls; empty if it does not."""
        kept = [name for answer in self.answers for name in filled_defaults(answer)]
        if kept:
            return (
                f"`{kept[0]}` has a default value that is made once, and keeps what earlier calls have put into it: "
                "make it new inside the function"
            )
        names = [name for answer in self.answers for name in notebook_data(answer)]
        if not names:
            return ""
        told = " and ".join(f"`{name}`" for name in dict.fromkeys(names))
        return f"your code uses {told} of the notebook: it has to use what it is given"

    def shape(self, key: str, got: Any, shape: Sequence[int], *, mistakes: Mapping[Any, str] | None = None) -> None:
        """State that `got` holds numbers in this shape; if it does not, abandon this attempt.

        Args:
            key: which of the promised facts.
            got: what was returned.
            shape: the shape expected.
            mistakes: wrong shape, as a tuple, to what the learner should read.
        """
        numbers = as_numbers(got)
        if numbers is None:
            likely = "return the tensor itself"
            if isinstance(got, tuple | list):
                likely = "return one tensor, not several: torch.stack makes one of a list"
            self.fact(key, False, expected=f"a tensor of shape {tuple(shape)}", got=got, likely=likely, stop=True)
        else:
            wanted, actual = tuple(shape), tuple(numbers.shape)
            named = dict(mistakes or {}).get(actual, "")
            likely = named or why_shape(actual, wanted)
            if actual != wanted:
                likely = self._from_elsewhere() or likely
            vague = likely.startswith("look at which axis")
            self.fact(key, actual == wanted, expected=wanted, got=actual, likely=likely, stop=True, vague=vague)

    def values(
        self,
        key: str,
        got: Any,
        expected: Any,
        *,
        mistakes: Mapping[str, Any] | Callable[[], Mapping[str, Any]] | None = None,
        usual: bool = True,
        stop: bool = False,
        axes: Sequence[str] = (),
    ) -> bool:
        """State that `got` holds the expected numbers, up to float32 rounding; if it does not, name a known mistake.

        Args:
            key: which of the promised facts.
            got: what was returned.
            expected: the reference, preferably in float64.
            mistakes: what the learner should read, to the value that this mistake gives; or a function that returns
                this, which is called only if it is needed.
            usual: whether to look for common mistakes too (transposed, ReLU, scaled).
            stop: whether a failure leaves nothing more to check in this attempt.
            axes: what each axis counts, such as "picture" or "class"; for the words only.
        """
        if numbers_agree(got, expected):
            return self.fact(key, True)
        if not stop and key in self.facts and not self.facts[key].passed:
            return False  # the first failure is the one that is told
        given = mistakes() if callable(mistakes) else mistakes or {}
        known = {message: wrong for message, wrong in given.items() if not numbers_agree(wrong, expected)}
        likely, named = likely_mistake(got, known), True
        if not likely and usual:
            likely = likely_mistake(got, usual_mistakes(expected))
        if not likely:
            likely, named = where_they_differ(got, expected, axes=axes)
        return self.fact(key, False, expected=expected, got=got, likely=likely, stop=stop, vague=not named)

    def not_reached(self) -> list[str]:
        """Return the facts that the call which ended this attempt left open: those that the call before it led to."""
        return list(dict.fromkeys(self._before))

    def _leave_open(self, key: str) -> None:
        """Where a fact ends an attempt, those that come behind it held for earlier calls only, and not every time."""
        order = list(self.facts)
        for each in order[order.index(key) + 1 :]:
            if self.facts[each].passed and each not in self._since:
                self.facts[each] = Fact(*self._promised[each], passed=False, tried=False)

    def _begin(self, called: str) -> None:
        self._called = called
        if self._since:
            self._before, self._since = self._since, []

    def _keep_printed(self, printed: str) -> None:
        if printed and printed not in self.printed:
            self.printed.append(printed)

    def _stop(self, why: str, likely: str) -> None:
        self.stopped = f"`{self._called}`: {why}."
        if likely:
            self.stopped += f" Likely: {likely.removesuffix('.')}{'' if likely.endswith('?') else '.'}"
        raise Abandoned


def _in_words(value: Any) -> str:
    return value if isinstance(value, str) else brief(value)

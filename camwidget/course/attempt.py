"""One attempt at judging an answer: draw sizes and numbers, call the answer, record which facts hold."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.course.calling import Budget
from camwidget.course.compare import as_numbers, brief, factor_between, likely_mistake, numbers_agree, usual_mistakes
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
        self.printed: list[str] = []
        self._promised, self._budget, self._called = promised, budget, ""

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
        """Seed PyTorch's own generator, as before a network is made; the check restores its state."""
        torch.manual_seed(self.size(0, 2**31))

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
        self._called = called
        if not callable(function):
            likely = "give the function itself, without calling it" if function is not None else "no answer was given"
            self._stop(f"{called} cannot be called: it is {brief(function)}", likely)
        outcome = self._budget.spend(function, args, kwargs)
        self._keep_printed(outcome.printed)
        if outcome.stopped:
            self.unwritten = outcome.unwritten
            own = [meaning for part, meaning in (meanings or {}).items() if part in str(outcome.error)]
            self._stop(outcome.stopped, own[0] if own else outcome.likely)
        if outcome.value is None and not allow_none:
            self._stop("Your code returned None", (meanings or {}).get("None", "is there a return at the end?"))
        return outcome.value

    def raised_by(self, function: Any, *args: Any, called: str, **kwargs: Any) -> Exception | None:
        """Call something that is meant to raise, and return what it raised; None if it did not.

        Args:
            function: the answer, or a method of it.
            args: its arguments.
            called: the call as the learner would type it.
            kwargs: its keyword arguments.
        """
        self._called = called
        outcome = self._budget.spend(function, args, kwargs)
        self._keep_printed(outcome.printed)
        if outcome.unwritten or (outcome.stopped and outcome.error is None):
            self.unwritten = outcome.unwritten
            self._stop(outcome.stopped, outcome.likely)
        return outcome.error

    # Stating facts

    def fact(
        self, key: str, passed: bool, *, expected: Any = "", got: Any = "", likely: str = "", stop: bool = False
    ) -> bool:
        """State whether a promised fact holds; in the end it holds if it held every time. Returns `passed`.

        Args:
            key: which of the promised facts.
            passed: whether it holds.
            expected: what was expected: words, or a value that is summarised.
            got: what came, likewise.
            likely: the likely cause if it does not hold.
            stop: whether a failure leaves nothing more to check in this attempt.
        """
        if key not in self._promised:
            close = ", ".join(map(repr, nearest(key, self._promised))) or "add it to the item's facts"
            raise CourseError(three_parts(f"Fact {key!r} was stated", "An item's facts are promised beforehand", close))
        says, points = self._promised[key]
        if key not in self.facts or self.facts[key].passed:
            called = expected_text = got_text = ""
            if not passed:
                called, expected_text, got_text = self._called, _in_words(expected), _in_words(got)
            self.facts[key] = Fact(
                says, points, passed, called=called, expected=expected_text, got=got_text, likely=likely
            )
        if stop and not passed:
            raise Abandoned
        return passed

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
                likely = "return one tensor, not several"
            self.fact(key, False, expected=f"a tensor of shape {tuple(shape)}", got=got, likely=likely, stop=True)
        else:
            wanted, actual = tuple(shape), tuple(numbers.shape)
            likely = dict(mistakes or {}).get(actual, "") or _why_shape(actual, wanted)
            self.fact(key, actual == wanted, expected=wanted, got=actual, likely=likely, stop=True)

    def values(
        self,
        key: str,
        got: Any,
        expected: Any,
        *,
        mistakes: Mapping[str, Any] | None = None,
        usual: bool = True,
        stop: bool = False,
    ) -> bool:
        """State that `got` holds the expected numbers, up to float32 rounding; if it does not, name a known mistake.

        Args:
            key: which of the promised facts.
            got: what was returned.
            expected: the reference, preferably in float64.
            mistakes: what the learner should read, to the value that this mistake gives.
            usual: whether to look for common mistakes too (transposed, ReLU, scaled).
            stop: whether a failure leaves nothing more to check in this attempt.
        """
        if numbers_agree(got, expected):
            return self.fact(key, True)
        known = dict(mistakes or {}) | (usual_mistakes(expected) if usual else {})
        likely = likely_mistake(got, known) or _why_values(got, expected)
        return self.fact(key, False, expected=expected, got=got, likely=likely, stop=stop)

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


def _why_shape(actual: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    if sorted(actual) == sorted(wanted):
        return "the axes are in another order"
    if [length for length in actual if length != 1] == [length for length in wanted if length != 1]:
        return "an axis of length 1 is too many or too few: look at keepdim, [None] and squeeze"
    if len(actual) < len(wanted):
        return "an axis is missing: was it summed over, or was one picture or class picked?"
    return "an axis is left over: sum over it" if len(actual) > len(wanted) else "look at which axis has which length"


def _why_values(got: Any, expected: Any) -> str:
    theirs, ours = as_numbers(got), as_numbers(expected)
    if theirs is None or ours is None:
        return "return the numbers themselves"
    if theirs.shape != ours.shape:
        return f"the shapes differ: {_why_shape(tuple(theirs.shape), tuple(ours.shape))}"
    if not bool(torch.isfinite(theirs).all()):
        return "there are NaN or infinite values: look for a division by zero"
    if ours.numel() == 1:  # a single number is always a multiple of another
        return f"it is off by {float((theirs - ours).abs()):.3g}"
    factor = factor_between(theirs, ours)
    if factor is not None:
        return f"all values are {factor:.4g} times the expected: a mean in place of a sum, or the other way round?"
    difference = (theirs - ours).abs()
    return f"{int((difference > 1e-5).sum())} of {ours.numel()} values differ, by up to {float(difference.max()):.3g}"

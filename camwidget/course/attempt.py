"""One try of one answer: draws sizes and numbers, calls the answer, and writes down which facts hold."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.course.calling import Budget
from camwidget.course.compare import agree, as_numbers, brief, factor_between, recognised, usual_mistakes
from camwidget.course.report import Fact
from camwidget.errors import CourseError, nearest, three_parts


class Abandoned(Exception):  # noqa: N818 (not an error: the rest of this try means nothing any more)
    """The answer cannot be looked at further in this try."""


class Attempt:
    """What a check gets: the answer, random sizes, and the means to call it and to state facts.

    Args:
        answers: the objects that the learner handed in; `answer` is the first.
        promised: every fact of the item by key: what it says, and its points.
        seed: of all sizes and numbers drawn.
        budget: shared by all tries of one check.
    """

    def __init__(
        self, answers: Sequence[Any], *, promised: Mapping[str, tuple[str, int]], seed: int, budget: Budget
    ) -> None:
        self.answers = tuple(answers)
        self.answer: Any = self.answers[0] if self.answers else None
        self.generator = torch.Generator().manual_seed(seed)
        self.facts: dict[str, Fact] = {}
        """Those looked at so far, by key."""
        self.stopped, self.unwritten, self.note = "", False, ""
        self.printed: list[str] = []
        self._promised, self._budget, self._shown = promised, budget, ""

    # What is drawn

    def size(self, low: int, high: int) -> int:
        """Draw a whole number from low to high, both included."""
        return int(torch.randint(low, high + 1, (), generator=self.generator))

    def sizes(self, count: int, *, low: int = 2, high: int = 9) -> list[int]:
        """Draw different whole numbers: heights, widths and channels that differ tell swapped axes."""
        return (torch.randperm(high - low + 1, generator=self.generator)[:count] + low).tolist()

    def tensor(self, *shape: int) -> Float[Tensor, "..."]:
        """Draw a float32 tensor of standard normal numbers."""
        return torch.randn(*shape, generator=self.generator)

    def seed_of_torch(self) -> None:
        """Set PyTorch's own random state from the draw, e.g. before a network is made; it is given back later."""
        torch.manual_seed(self.size(0, 2**31))

    # What is done with the answer

    def call(
        self,
        function: Any,
        *args: Any,
        shown: str,
        allow_none: bool = False,
        meanings: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call the answer and return what it returned; where that fails, write down why and abandon this try.

        Args:
            function: the answer, or a method of it.
            args: its arguments.
            shown: the call as the learner would type it.
            allow_none: whether returning None is fine.
            meanings: parts of error messages to what they mean in this call; "None" to what a missing value means.
            kwargs: its keyword arguments.
        """
        self._shown = shown
        if not callable(function):
            likely = "give the function itself, without calling it" if function is not None else "no answer was given"
            self._stop(f"{shown} cannot be called: it is {brief(function)}", likely)
        outcome = self._budget.spend(function, args, kwargs)
        self._hear(outcome.printed)
        if outcome.stopped:
            self.unwritten = outcome.unwritten
            special = [says for part, says in (meanings or {}).items() if part in str(outcome.error)]
            self._stop(outcome.stopped, special[0] if special else outcome.likely)
        if outcome.value is None and not allow_none:
            self._stop("Your code returned None", (meanings or {}).get("None", "is there a return at the end?"))
        return outcome.value

    def raised_by(self, function: Any, *args: Any, shown: str, **kwargs: Any) -> Exception | None:
        """Call something that is meant to raise, and return what it raised; None if it did not.

        Args:
            function: the answer, or a method of it.
            args: its arguments.
            shown: the call as the learner would type it.
            kwargs: its keyword arguments.
        """
        self._shown = shown
        outcome = self._budget.spend(function, args, kwargs)
        self._hear(outcome.printed)
        if outcome.unwritten or (outcome.stopped and outcome.error is None):
            self.unwritten = outcome.unwritten
            self._stop(outcome.stopped, outcome.likely)
        return outcome.error

    # What is stated

    def fact(
        self, key: str, passed: bool, *, expected: Any = "", got: Any = "", likely: str = "", stop: bool = False
    ) -> bool:
        """State whether a promised fact holds; it holds in the end if it held every time. Returns `passed`.

        Args:
            key: which of the promised facts.
            passed: whether it holds.
            expected: what was expected: words, or a value that is put into a few words.
            got: what came, likewise.
            likely: the likely cause where it does not hold.
            stop: whether nothing after it can be looked at where it does not hold.
        """
        if key not in self._promised:
            close = ", ".join(map(repr, nearest(key, self._promised))) or "add it to the item's facts"
            raise CourseError(three_parts(f"Fact {key!r} was stated", "An item's facts are promised beforehand", close))
        says, points = self._promised[key]
        if key not in self.facts or self.facts[key].passed:
            told = ["" if passed else each if isinstance(each, str) else brief(each) for each in (expected, got)]
            self.facts[key] = Fact(
                says, points, passed, called="" if passed else self._shown, expected=told[0], got=told[1], likely=likely
            )
        if stop and not passed:
            raise Abandoned
        return passed

    def shape(self, key: str, got: Any, shape: Sequence[int], *, mistakes: Mapping[Any, str] | None = None) -> None:
        """State that `got` holds numbers in this shape; where not, this try is abandoned.

        Args:
            key: which of the promised facts.
            got: what was returned.
            shape: the shape expected.
            mistakes: wrong shapes (as tuples) to what to tell the learner.
        """
        numbers = as_numbers(got)
        if numbers is None:
            likely = "return the tensor itself"
            if isinstance(got, tuple | list):
                likely = "return one tensor, not several"
            self.fact(key, False, expected=f"a tensor of shape {tuple(shape)}", got=got, likely=likely, stop=True)
        else:
            seen = tuple(numbers.shape)
            likely = dict(mistakes or {}).get(seen, "") or _why_shape(seen, tuple(shape))
            self.fact(key, seen == tuple(shape), expected=tuple(shape), got=seen, likely=likely, stop=True)

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
        """State that `got` holds the expected numbers, within the rounding of float32; name a known mistake.

        Args:
            key: which of the promised facts.
            got: what was returned.
            expected: the reference, best worked out in float64.
            mistakes: what to tell the learner, to the value that this mistake gives.
            usual: whether to look for mistakes that are made everywhere as well (transposed, ReLU, scaled).
            stop: whether nothing after it can be looked at where it does not hold.
        """
        if agree(got, expected):
            return self.fact(key, True)
        known = dict(mistakes or {}) | (usual_mistakes(expected) if usual else {})
        likely = recognised(got, known) or _why_values(got, expected)
        return self.fact(key, False, expected=expected, got=got, likely=likely, stop=stop)

    def _hear(self, printed: str) -> None:
        if printed and printed not in self.printed:
            self.printed.append(printed)

    def _stop(self, why: str, likely: str) -> None:
        self.stopped = f"`{self._shown}`: {why}." + (
            f" Likely: {likely.removesuffix('.')}{'' if likely.endswith('?') else '.'}" if likely else ""
        )
        raise Abandoned


def _why_shape(seen: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    if sorted(seen) == sorted(wanted):
        return "the axes are in another order"
    if tuple(each for each in seen if each != 1) == tuple(each for each in wanted if each != 1):
        return "an axis of length 1 is too many or too few: look at keepdim, [None] and squeeze"
    if len(seen) < len(wanted):
        return "an axis is missing: was it summed over, or was one picture or class picked?"
    return "an axis is left over: sum over it" if len(seen) > len(wanted) else "look at which axis has which length"


def _why_values(got: Any, expected: Any) -> str:
    theirs, ours = as_numbers(got), as_numbers(expected)
    if theirs is None or ours is None:
        return "return the numbers themselves"
    if theirs.shape != ours.shape:
        return f"the shapes differ: {_why_shape(tuple(theirs.shape), tuple(ours.shape))}"
    if not bool(torch.isfinite(theirs).all()):
        return "there are NaN or infinite values: look for a division by zero"
    if ours.numel() == 1:  # any number is a multiple of any other: that tells nothing
        return f"it is off by {float((theirs - ours).abs()):.3g}"
    factor = factor_between(theirs, ours)
    if factor is not None:
        return f"all values are {factor:.4g} times the expected: a mean in place of a sum, or the other way round?"
    difference = (theirs - ours).abs()
    return f"{int((difference > 1e-5).sum())} of {ours.numel()} values differ, by up to {float(difference.max()):.3g}"

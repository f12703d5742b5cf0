"""Scores of one's own: numbers made from whatever a network returns, to be explained in place of its logits."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.errors import CamwidgetError, ModelError, a_kind, clipped, three_parts
from camwidget.hooks.tensors import map_tensors, plain

Score: TypeAlias = Callable[[Any], Any]
"""From what the network returns for one picture or text, with its first axis of one, to a tensor with one number."""

Scores: TypeAlias = Mapping[str, Score]
"""Scores by name."""

TargetArgument: TypeAlias = Any
"""A score, or a mapping from names to scores; `scores_asked` checks it, for its message says more than a type error."""

ALLOWED = (
    "target is a function from what the model returns for one picture or text, as in lambda output: output[0, 3] - "
    "output[0, 5], to a tensor with one number; or a dictionary from names to such functions"
)


def scores_asked(target: Any) -> dict[str, Score] | None:
    """Return the scores asked for, by name; None if there are none.

    A function without a name of its own is called "target".

    Args:
        target: what was given as `target`.

    Raises:
        CamwidgetError: it is neither a function nor a dictionary of them.
    """
    if target is None:
        return None
    by_name = target if isinstance(target, Mapping) else {_name_of(target): target}
    wrong = [score for score in by_name.values() if isinstance(score, type) or not callable(score)]
    if not by_name or wrong or any(not isinstance(name, str) for name in by_name):
        what = wrong[0] if wrong else target
        given = f"target is {clipped(repr(what), longest=80)}, of type {type(what).__name__}"
        advice = "For a class of a classifier use target_classes"
        raise CamwidgetError(three_parts(given, ALLOWED, advice))
    return dict(by_name)


def _name_of(function: Any) -> str:
    name = str(getattr(function, "__name__", "target"))
    return "target" if name == "<lambda>" else name


def scores_of(scores: Scores, output: Any, *, count: int) -> Float[Tensor, "batch class"]:
    """Return the scores of each picture or text of a batch, in the place of logits.

    Args:
        scores: what to make of one.
        output: what the network returned for all of them, in tensors whose first axis is the batch's.
        count: how many there are.

    Raises:
        ModelError: a score is no tensor with one number.
    """
    rows = [output] if count == 1 else [map_tensors(_row(number, count), output) for number in range(count)]
    return torch.stack([_values(scores, row) for row in rows])


def _row(number: int, count: int) -> Callable[[Tensor], Tensor]:
    return lambda tensor: tensor[number : number + 1] if tensor.ndim and tensor.shape[0] == count else tensor


def _values(scores: Scores, output: Any) -> Float[Tensor, " class"]:
    return torch.stack([_one_number(name, score(output)) for name, score in scores.items()])


def _one_number(name: str, value: Any) -> Float[Tensor, ""]:
    if isinstance(value, Tensor) and value.numel() == 1 and value.is_floating_point():
        return plain(value).reshape(())
    given, advice = f"The target {name!r} returned {a_kind(value)}", "Leave out .item(), float() and numpy"
    if isinstance(value, Tensor):
        given = f"The target {name!r} returned a {value.dtype} tensor of shape {tuple(value.shape)}"
        advice = "End it with .mean() or .sum(), or take one number: output[0, 3]"
        if value.numel() == 1:
            advice = "A place, such as that of argmax, has no gradient: take the value there, as with max()"
    raise ModelError(three_parts(given, ALLOWED, advice))


def a_number_of(output: Any, name: str = "output") -> str:
    """Return an expression for one number in what a model returned, as an example of a target; empty if none is seen.

    Args:
        output: what it returned.
        name: what the expression calls it.
    """
    if isinstance(output, Tensor):
        if not output.is_floating_point() or not output.numel():
            return ""
        place = f"{name}[{', '.join('0' * min(output.ndim, 2))}]" if output.ndim else name
        return f"{place}.mean()" if output.ndim > 2 else place
    if isinstance(output, Mapping):
        inside = [(member, f"{name}[{key!r}]") for key, member in output.items()]
    elif isinstance(output, tuple | list):
        inside = [(member, f"{name}[{place}]") for place, member in enumerate(output)]
    else:
        inside = [(member, f"{name}.{key}") for key, member in getattr(output, "__dict__", {}).items()]
    return next((found for member, place in inside if (found := a_number_of(member, place))), "")


def why_no_gradient(scores: Sequence[str]) -> str:
    """Return why nothing can be explained if no gradient goes from scores to the layers, in sentences.

    Args:
        scores: their names.
    """
    given = f"No gradient goes from the target {' or '.join(map(repr, scores))} back to the layers"
    allowed = "It must be computed from what the model returns, by operations of PyTorch that have a gradient"
    return three_parts(
        given, allowed, "Leave out detach(), round(), argmax() and torch.no_grad(), or name later layers"
    )

"""The checker of annotations that `conftest.py` puts over the package."""

import random
from collections.abc import Callable
from types import FunctionType
from typing import Any, Self

import beartype._check.code.codemain as made_checks
import jaxtyping
from beartype import beartype

# Of a list the checker looks at one member, by chance. It draws from numbers of its own: tests compare Python's.
vars(made_checks)["getrandbits"] = random.Random(20161).getrandbits


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Check a function's annotations with beartype while it runs.

    jaxtyping hands over one function at a time. Where `Self` is among the annotations beartype wants the class around
    it, and refuses; what returns itself is taken on trust here.
    """
    annotations = getattr(function, "__annotations__", {})
    if Self in annotations.values():
        function.__annotations__ = {name: Any if kind is Self else kind for name, kind in annotations.items()}
    checked_function: Callable[..., Any] = beartype(function)
    return checked_function


_jaxtyped = jaxtyping.jaxtyped


def _where_shapes_are(*, typechecker: Callable[..., Any]) -> Callable[[Any], Any]:
    """Compare shapes where shapes are annotated; check everything else with beartype alone.

    jaxtyping checks each call twice and prepares for shapes, ten times the work of beartype; most functions of the
    package have none. A name in quotes may stand for anything.
    """

    def decorate(it: Any) -> Any:
        if isinstance(it, FunctionType):
            kinds = it.__annotations__.values()
            if not any(isinstance(kind, str) or "jaxtyping" in repr(kind) for kind in kinds):
                return typechecker(it)
        return _jaxtyped(it, typechecker=typechecker)

    return decorate


vars(jaxtyping)["jaxtyped"] = _where_shapes_are  # by this name the import hook writes it over every function

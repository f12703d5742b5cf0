"""The checker of annotations that `conftest.py` puts over the package."""

import random
from collections.abc import Callable
from typing import Any, Self

import beartype._check.code.codemain as made_checks
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

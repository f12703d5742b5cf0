"""The checker of annotations that `conftest.py` puts over the package."""

import random
from collections.abc import Callable
from functools import wraps
from types import CodeType, FunctionType
from typing import Any, Self

import beartype._check.code.codemain as made_checks
import jaxtyping
from beartype import beartype
from beartype.roar import BeartypeCallHintViolation

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
    inner = isinstance(function, FunctionType) and "<locals>" in function.__qualname__
    if inner and (again := _written_before(function, annotations)):
        return again
    checked_function: Callable[..., Any] = beartype(function)
    if inner and function.__code__.co_filename.endswith(".py"):
        _inner[function.__code__] = (dict(annotations), checked_function)
    return checked_function


_inner: dict[CodeType, tuple[dict[str, Any], Callable[..., Any]]] = {}
"""Of functions that are defined anew at each call of the one around them, what checks them: it is written once."""

_CHECKS = "__beartype_func"
"""What the checking function calls the one that it checks."""


def _written_before(function: Any, annotations: dict[str, Any]) -> Callable[..., Any] | None:
    """What checks a function, from what checks another one of the same lines; None where there is none."""
    known, check = _inner.get(function.__code__, ({}, None))
    names = getattr(check, "__kwdefaults__", None) or {}
    if not isinstance(check, FunctionType) or known != annotations or _CHECKS not in names:
        return None
    again = FunctionType(check.__code__, check.__globals__, check.__name__, check.__defaults__, check.__closure__)
    again.__kwdefaults__ = {**names, _CHECKS: function}
    checked_function: Callable[..., Any] = wraps(function)(again)
    return checked_function


_jaxtyped = jaxtyping.jaxtyped


def _switched(function: Callable[..., Any], checked_function: Callable[..., Any]) -> Callable[..., Any]:
    """The checked function; the other while a test has switched the checks off, to see what users get."""

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        if jaxtyping.config.jaxtyping_disable:
            return function(*args, **kwargs)
        try:
            return checked_function(*args, **kwargs)
        except BeartypeCallHintViolation as error:  # the same error as where there are shapes, a TypeError
            raise jaxtyping.TypeCheckError(str(error)) from error

    return called


def _needs_jaxtyping(kind: Any) -> bool:
    """Whether an annotation has a shape, or a name in quotes, also somewhere inside."""
    return "jaxtyping" in repr(kind) or isinstance(kind, str) or (not isinstance(kind, type) and "'" in repr(kind))


def _where_shapes_are(*, typechecker: Callable[..., Any]) -> Callable[[Any], Any]:
    """Compare shapes where shapes are annotated; check everything else with beartype alone.

    jaxtyping checks each call twice and prepares for shapes, ten times the work of beartype; most functions of the
    package have none. A name in quotes may stand for anything, and beartype alone wants to find it.
    """

    def decorate(it: Any) -> Any:
        if isinstance(it, FunctionType) and not any(map(_needs_jaxtyping, it.__annotations__.values())):
            return _switched(it, typechecker(it))
        return _jaxtyped(it, typechecker=typechecker)

    return decorate


vars(jaxtyping)["jaxtyped"] = _where_shapes_are  # by this name the import hook writes it over every function

"""What a learner's code tells without being run: a forgotten return or nonlocal, and names taken from the notebook."""

import dis
import functools
import inspect
from collections.abc import Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from torch import Tensor, nn

_STORES = ("STORE_FAST", "STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST")
_LOADS = ("LOAD_FAST", "LOAD_CLOSURE", "LOAD_DEREF", "LOAD_FAST_LOAD_FAST", "STORE_FAST_LOAD_FAST")


def functions_of(answer: Any) -> list[FunctionType]:
    """Return the functions that an answer is made of: itself, or the methods of a class or of an object.

    Args:
        answer: a function, a method, a class, an object of a learner's class, or anything else, which has none.
    """
    while isinstance(answer, functools.partial):
        answer = answer.func
    if isinstance(answer, MethodType):
        answer = answer.__func__
    if isinstance(answer, FunctionType):
        unwrapped = inspect.unwrap(answer)
        return [unwrapped] if isinstance(unwrapped, FunctionType) else []
    kind = answer if isinstance(answer, type) else type(answer)
    found = [part.fget if isinstance(part, property) else part for part in vars(kind).values()]
    return [function for function in found if isinstance(function, FunctionType)]


def forgotten_nonlocal(function: FunctionType) -> str:
    """Return a name that a function inside only sets, where the function around it has a name of its own like it.

    Such a name stays what it was outside. Empty if there is none.

    Args:
        function: the learner's.
    """
    outside = function.__code__
    for inside in _codes(outside):
        if inside is outside or inside.co_name.startswith("<"):
            continue
        stored, loaded = _touched(inside, _STORES), _touched(inside, _LOADS)
        arguments = set(inside.co_varnames[: inside.co_argcount + inside.co_kwonlyargcount])
        alike = (stored - loaded - arguments) & {*outside.co_varnames, *outside.co_cellvars}
        if alike:
            return min(alike)
    return ""


def return_lines(function: FunctionType) -> list[int]:
    """Return the lines, counted in the learner's cell, of each return that has something behind it.

    Args:
        function: the learner's; what functions inside it return does not count.
    """
    lines: set[int] = set()
    line, before = function.__code__.co_firstlineno, None
    for step in dis.get_instructions(function.__code__):
        line = (step.positions.lineno if step.positions else None) or line
        nothing = before is not None and before.opname == "LOAD_CONST" and before.argval is None
        if (step.opname == "RETURN_VALUE" and not nothing) or (
            step.opname == "RETURN_CONST" and step.argval is not None
        ):
            lines.add(line)
        before = step
    return sorted(lines)


def why_none(answer: Any) -> str:
    """Return the likely reason why an answer returned None.

    Args:
        answer: what was called.
    """
    functions = functions_of(answer)
    if not isinstance(answer, FunctionType | MethodType | functools.partial) or not functions:
        return "is there a return at the end?"
    name = forgotten_nonlocal(functions[0])
    if name:
        return (
            f"a function inside sets a `{name}` of its own, and the `{name}` outside stays as it was: write "
            f"`nonlocal {name}` in the inner function"
        )
    lines = return_lines(functions[0])
    if not lines:
        return "is there a return at the end?"
    return (
        f"what stands behind return in line {lines[-1]} is None, or one way through the function ends before it: "
        "append(), sort() and print() return None, and so does a name that nothing was stored in"
    )


def filled_defaults(answer: Any) -> list[str]:
    """Return the parameters whose default value is a list, dict or set that has something in it by now.

    Such a value is made once, and keeps what earlier calls have put into it.

    Args:
        answer: a function or a class.
    """
    found = []
    for function in functions_of(answer):
        code, defaults = function.__code__, function.__defaults__ or ()
        named = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
        pairs = [*zip(named, defaults, strict=True), *(function.__kwdefaults__ or {}).items()]
        found += [name for name, value in pairs if isinstance(value, list | dict | set) and value]
    return found


def notebook_data(answer: Any) -> list[str]:
    """Return the names of the notebook's own tensors, networks and fastai objects that an answer uses.

    An answer that has to work for anything it is given has no use for them.

    Args:
        answer: a function or a class.
    """
    found: dict[str, None] = {}
    seen: set[int] = set()
    waiting = functions_of(answer)
    while waiting:
        function = waiting.pop()
        if id(function) in seen:
            continue
        seen.add(id(function))
        unused = bool(unused_parameters(function))
        for name in _global_names(function.__code__):
            value = function.__globals__.get(name)
            if isinstance(value, FunctionType) and value.__globals__ is function.__globals__:
                waiting.append(value)
            elif _is_data(value) or (unused and isinstance(value, list | str | dict)):
                found[name] = None
    return list(found)


def unused_parameters(function: FunctionType) -> list[str]:
    """Return the parameters that a function, and the functions inside it, never look at.

    Args:
        function: the learner's.
    """
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    looked_at = set().union(*(_touched(each, _LOADS) for each in _codes(code)))
    return [name for name in names if name not in looked_at and name != "self"]


def _is_data(value: Any) -> bool:
    if isinstance(value, type | ModuleType | FunctionType):
        return False
    return isinstance(value, Tensor | np.ndarray | nn.Module) or type(value).__module__.startswith("fastai")


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _global_names(code: CodeType) -> list[str]:
    return [
        step.argval
        for each in _codes(code)
        for step in dis.get_instructions(each)
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    ]


def _touched(code: CodeType, kinds: tuple[str, ...]) -> set[str]:
    """The names that a code's own instructions of these kinds are about."""
    names: set[str] = set()
    for step in dis.get_instructions(code):
        if step.opname.startswith(kinds):
            names |= set(step.argval) if isinstance(step.argval, tuple) else {step.argval}
    return names

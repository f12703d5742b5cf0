"""Where in plain code `self` can be nothing but an object of the learner's own class, so that it may be given anything.

A method is a function, and whoever can name it can call it with another `self`. So it counts only where nobody can: it
has no decorator, its name is that of no plain attribute, and nothing in the cell reads it as a name.
"""

import ast
import re
from collections.abc import Iterator, Sequence

from camwidget.grading.vocabulary import BY_NAME, READ_ONLY

_PRIVATE = re.compile(r"_[A-Za-z]\w*")


def on_itself(nodes: Sequence[ast.AST]) -> set[int]:
    """Return the `id` of each attribute that an object reads or sets of itself, and of nothing else.

    Args:
        nodes: all of a cell.
    """
    read = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    found = set()
    for made in nodes:
        if isinstance(made, ast.ClassDef):
            for method in made.body:
                if isinstance(method, ast.FunctionDef) and _is_out_of_reach(method, read):
                    found |= {id(each) for each in _of_self(method) if _may_be_its_own(each.attr, made)}
    return found


def in_a_class_with_a_base(nodes: Sequence[ast.AST]) -> set[int]:
    """Return the `id` of each node in the body of such a class, outside of its functions.

    Args:
        nodes: all of a cell.
    """
    found = set()
    for made in nodes:
        if isinstance(made, ast.ClassDef) and not _is_without_base(made):
            for statement in made.body:
                inside = [statement] if isinstance(statement, ast.FunctionDef) else ast.walk(statement)
                found |= {id(each) for each in inside}
    return found


def _is_out_of_reach(method: ast.FunctionDef, read: set[str]) -> bool:
    """Whether nobody calls this function but as a method, and `self` is its object from beginning to end."""
    first = [*method.args.posonlyargs, *method.args.args][:1]
    bound = [each for each in ast.walk(method) if _binds_self(each)]
    named = method.name in read or method.name in READ_ONLY or method.name in BY_NAME
    return not method.decorator_list and not named and bound == first and bool(first)


def _binds_self(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name) | ast.alias(asname=name):
            return name == "self"
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.ExceptHandler(name=name):
            return name == "self"
        case ast.MatchAs(name=name) | ast.MatchStar(name=name) | ast.MatchMapping(rest=name):
            return name == "self"
        case ast.Nonlocal(names=names):
            return "self" in names
    return False


def _of_self(method: ast.FunctionDef) -> Iterator[ast.Attribute]:
    for node in ast.walk(method):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            yield node


def _may_be_its_own(name: str, made: ast.ClassDef) -> bool:
    """Whether a name is no library's: those with an underscore are, where a class has a base."""
    return not name.startswith("_") or (_is_without_base(made) and _PRIVATE.fullmatch(name) is not None)


def _is_without_base(made: ast.ClassDef) -> bool:
    return all(ast.unparse(base) == "object" for base in made.bases)

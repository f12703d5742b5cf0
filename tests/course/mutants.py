"""Small changes to a solution, one at a time, made from its syntax tree: each is a mistake somebody could make."""

import ast
import copy
from collections.abc import Callable, Iterator

_OPERATORS: dict[type, list[type]] = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Add, ast.Div],
    ast.Div: [ast.Mult],
    ast.FloorDiv: [ast.Mult],
    ast.MatMult: [ast.Mult],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Lt: [ast.GtE],
    ast.LtE: [ast.Gt],
    ast.Gt: [ast.LtE],
    ast.GtE: [ast.Lt],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
    ast.And: [ast.Or],
    ast.Or: [ast.And],
}
_NAMES = {
    "mean": ["sum"], "sum": ["mean"], "max": ["min"], "min": ["max"], "amax": ["amin"], "argmax": ["argmin"],
    "argmin": ["argmax"], "eval": ["train"], "no_grad": ["enable_grad"], "enable_grad": ["no_grad"], "zeros": ["ones"],
    "ones": ["zeros"], "softmax": ["log_softmax"], "std": ["var"], "topk": ["sort"],
    "register_forward_hook": ["register_forward_pre_hook"],
}  # fmt: skip
_LETTERS = "abcdefgh"


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yield what was changed (before → after, as code) and the changed source, for every single change."""
    tree = ast.parse(source)
    seen: set[str] = {ast.unparse(tree)}
    for number, node in enumerate(ast.walk(tree)):
        for change in _changes(node):
            changed = copy.deepcopy(tree)
            at = next(each for index, each in enumerate(ast.walk(changed)) if index == number)
            change(at)
            ast.fix_missing_locations(changed)
            text = ast.unparse(changed)
            if text not in seen:
                seen.add(text)
                yield _difference(ast.unparse(tree), text), text


def _difference(before: str, after: str) -> str:
    """The lines that differ, without indentation."""
    old, new = before.splitlines(), after.splitlines()
    start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    end = next(
        (i for i, (a, b) in enumerate(zip(old[start:][::-1], new[start:][::-1], strict=False)) if a != b),
        min(len(old), len(new)) - start,
    )
    told = [" ⏎ ".join(line.strip() for line in lines[start : len(lines) - end]) for lines in (old, new)]
    return f"{told[0]} → {told[1] or '(nothing)'}"


def _changes(node: ast.AST) -> Iterator[Callable[[ast.AST], None]]:
    """Every way to change a node in place."""
    if isinstance(node, ast.BinOp | ast.AugAssign):
        yield from (_set("op", other()) for other in _OPERATORS.get(type(node.op), []))
    if isinstance(node, ast.BoolOp):
        yield from (_set("op", other()) for other in _OPERATORS[type(node.op)])
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from (_set("ops", [other()]) for other in _OPERATORS.get(type(node.ops[0]), []))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield _set("op", ast.UAdd() if isinstance(node.op, ast.USub) else ast.Not())
        if isinstance(node.op, ast.Not):
            yield _set("operand", ast.UnaryOp(ast.Not(), copy.deepcopy(node.operand)))
    if isinstance(node, ast.Constant):
        yield from (_set("value", other) for other in _constants(node.value))
    if isinstance(node, ast.Attribute):
        yield from (_set("attr", other) for other in _NAMES.get(node.attr, []))
    if isinstance(node, ast.Call):
        yield from _calls(node)
    if isinstance(node, ast.IfExp):
        yield lambda at: at.__dict__.update(body=at.orelse, orelse=at.body)  # type: ignore[attr-defined]
    for field in ("body", "orelse", "finalbody"):
        statements = getattr(node, field, None)
        if isinstance(statements, list):
            yield from _statements(node, field, statements)


def _constants(value: object) -> list[object]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, float):
        return [value * 2]
    if isinstance(value, str) and "->" in value:  # a formula for einsum
        left, right = value.split("->")
        turned = f"{right[:-2]}{right[-1:]}{right[-2:-1]}"
        return [f"{left}->{turned}", f"{left}->{right[1:]}", f"{left}->{right[:-1]}"]
    if isinstance(value, str) and len(value) == 1 and value in _LETTERS:  # an option of a quiz
        return [letter for letter in "abcd" if letter != value]
    return []


def _calls(node: ast.Call) -> Iterator[Callable[[ast.AST], None]]:
    for index in range(len(node.keywords)):
        yield _drop("keywords", index)
    if len(node.args) >= 2 and not any(isinstance(each, ast.Starred) for each in node.args[:2]):
        yield lambda at: at.args.__setitem__(slice(0, 2), [at.args[1], at.args[0]])  # type: ignore[attr-defined]
    if isinstance(node.func, ast.Attribute) and not node.args:
        # x.detach() becomes (x): the call is left out
        yield _become_receiver


def _become_receiver(at: ast.AST) -> None:
    receiver = at.func.value  # type: ignore[attr-defined]
    at.__class__ = receiver.__class__
    at.__dict__ = receiver.__dict__


def _statements(node: ast.AST, field: str, statements: list[ast.stmt]) -> Iterator[Callable[[ast.AST], None]]:
    for index, statement in enumerate(statements):
        if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Pass):
            continue
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # a docstring
        if (
            isinstance(node, ast.Module)
            and isinstance(statement, ast.Assign)
            and ast.unparse(statement.value) == "None"
        ):
            continue  # the empty answer, filled in below
        if isinstance(statement, ast.With | ast.If | ast.Try | ast.For | ast.While):
            yield _unwrap(field, index)
        else:
            yield _replace(field, index)


def _set(name: str, value: object) -> Callable[[ast.AST], None]:
    return lambda at: setattr(at, name, value)


def _drop(field: str, index: int) -> Callable[[ast.AST], None]:
    return lambda at: getattr(at, field).pop(index)


def _replace(field: str, index: int) -> Callable[[ast.AST], None]:
    return lambda at: getattr(at, field).__setitem__(index, ast.Pass())


def _unwrap(field: str, index: int) -> Callable[[ast.AST], None]:
    """Run the block without its with, if, try or for."""
    return lambda at: getattr(at, field).__setitem__(slice(index, index + 1), getattr(at, field)[index].body)

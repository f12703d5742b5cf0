"""What an answer needs of a notebook to stand alone: read from the cells, and run in a process of its own.

A report of the process in which everything ran is only its word as soon as some cell could have changed that process.
One in which nothing ran but plain definitions is not in question, so its report is taken.
"""

import ast
from collections.abc import Iterable, Sequence
from functools import lru_cache

from camwidget.grading.plain import LONGEST, names_bound

LONGEST_CELL = 50_000
"""Characters of a cell that is read; a longer one defines nothing here."""
DEEPEST = 50
"""How often what is used may use something else."""
_UNREADABLE = (SyntaxError, ValueError, MemoryError, RecursionError)


def definitions(names: Iterable[str], cells: Sequence[str]) -> str:
    """Return the statements of a notebook that define names, and all that these use.

    Args:
        names: what is handed in.
        cells: sources of the cells, in the order in which they ran. Those that are no plain Python are passed over.

    Returns:
        Their code; empty if there are none, or if it is too much or too deep to be read.
    """
    statements = [(statement, _defined(statement)) for cell in cells for statement in _statements(cell)]
    needed, taken = set(names), set[int]()
    for _ in range(DEEPEST):
        more = {place for place, (_, defined) in enumerate(statements) if place not in taken and needed & defined}
        if not more:
            return _written([statements[place][0] for place in sorted(taken)])
        taken |= more
        needed = {node.id for place in more for node in ast.walk(statements[place][0]) if isinstance(node, ast.Name)}
    return ""


@lru_cache(maxsize=4096)
def defined_in(cell: str) -> frozenset[str]:
    """Return the names that a cell gives a value outside of functions and classes; none if it is no plain Python.

    Args:
        cell: its source.
    """
    return frozenset().union(*map(_defined, _statements(cell)))


def _written(statements: Sequence[ast.stmt]) -> str:
    try:
        code = "\n".join(map(ast.unparse, statements))
    except _UNREADABLE:
        return ""
    return code if len(code) <= LONGEST else ""


def _statements(cell: str) -> list[ast.stmt]:
    if len(cell) > LONGEST_CELL:
        return []
    try:
        return ast.parse(cell).body
    except _UNREADABLE:
        return []


def _defined(statement: ast.stmt) -> frozenset[str]:
    """The names that a statement gives a value outside of functions and classes."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return frozenset((statement.name,))
    return frozenset(name for node in ast.walk(statement) for name in names_bound(node))

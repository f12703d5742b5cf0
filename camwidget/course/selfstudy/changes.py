"""Which cells of a notebook have to run again after it was edited: read off its code, without running any of it.

A cell runs again if it is new, if it uses or sets a name that a cell which runs again sets, or a name that a cell
which is gone had set. This is a reading of the code, not a proof: an object that is changed through a second name is
not noticed. So whoever keeps a kernel runs everything once more, from the top, before calling a notebook right.
"""

import ast
import re
import symtable
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache


@dataclass(frozen=True)
class Changes:
    """What is due after an edit. Cells are counted among the code cells."""

    run: frozenset[int]
    """The cells to run, of the notebook as it is now."""
    forget: frozenset[str]
    """Names to delete first: they were set by cells that have changed or are gone."""
    kept: Mapping[int, int]
    """Every cell that is not new, and its place in the run before."""


@dataclass(frozen=True)
class Names:
    """The global names of a cell."""

    sets: frozenset[str]
    """Those it gives a value."""
    uses: frozenset[str]
    """Those it needs."""
    changes: frozenset[str] = frozenset()
    """Those whose objects it changes, as far as it shows."""
    imports: frozenset[str] = frozenset()
    """Those of `sets` that it only imports."""
    clear: bool = True
    """False if the code does not show what it sets: magics, `import *`, `exec`."""


_NOTHING = Names(frozenset(), frozenset())
_UNCLEAR = Names(frozenset(), frozenset(), clear=False)
_HIDES = {"exec", "eval", "globals", "locals", "vars", "setattr", "delattr", "get_ipython"}


def changes(before: Sequence[str], now: Sequence[str]) -> Changes:
    """Return what has to run again.

    Args:
        before: the code cells that were run, in order.
        now: the code cells as they are now.
    """
    blocks = SequenceMatcher(a=before, b=now, autojunk=False).get_matching_blocks()
    kept = {block.b + step: block.a + step for block in blocks for step in range(block.size)}
    run = set(range(len(now))) - kept.keys()
    names = [names_in(source) for source in now]
    new = [names[place] for place in run]
    gone = [names_in(source) for place, source in enumerate(before) if place not in kept.values()]
    if not all(each.clear for each in (*gone, *new)):
        return Changes(frozenset(range(len(now))), _union(names_in(source).sets for source in before), kept)
    # What is only imported, before and after, is the same as it was.
    again = _union(each.imports for each in gone) & _union(each.imports for each in new)
    same = _union(each.imports for place, each in enumerate(names) if place in kept)
    same -= _union(each.sets for each in gone) | _union(each.sets - each.imports for each in new)
    forget = _union(each.sets for each in gone) - again
    while True:
        stale = forget | _union(each.changes for each in gone)
        stale = (stale | _union(names[place].sets | names[place].changes for place in run)) - again - same
        more = {place for place, each in enumerate(names) if place not in run and stale & (each.sets | each.uses)}
        more |= {place for place, each in enumerate(names) if run and place > min(run) and not each.clear} - run
        if not more:
            return Changes(frozenset(run), frozenset(forget), kept)
        run |= more


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset(name for each in sets for name in each)


@cache
def names_in(source: str) -> Names:
    """Return the names that a cell sets and uses; none if it is not Python, for then none of it runs.

    Args:
        source: of the cell.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        magic = any(re.match(r"\s*[%!?]|.*\?\s*$", line) for line in source.splitlines())
        return _UNCLEAR if magic else _NOTHING
    try:
        compile(tree, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        table = symtable.symtable(source, "cell", "exec")
    except (SyntaxError, ValueError):  # it parses, and yet does not compile, as `return` outside a function
        return _UNCLEAR
    sets: set[str] = set()
    uses: set[str] = set()
    for scope in _scopes(table):
        for symbol in scope.get_symbols():
            if scope is table or symbol.is_global():
                if symbol.is_assigned() or symbol.is_imported():
                    sets.add(symbol.get_name())
                if symbol.is_referenced():
                    uses.add(symbol.get_name())
    imports = {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    clear = "*" not in imports and not uses & _HIDES
    changed = {name for node in ast.walk(tree) for name in _changed_by(node)} & uses - imports
    return Names(frozenset(sets), frozenset(uses), frozenset(changed), frozenset(imports & sets), clear)


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _scopes(child)


def _changed_by(node: ast.AST) -> Iterator[str]:
    """Names of objects that a statement changes: `x.a = 1`, `x[0] = 1`, `del x.a`, and a bare call `x.method()`."""
    if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        yield from _root(node)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        yield from _root(node.value.func)


def _root(node: ast.expr) -> Iterator[str]:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id

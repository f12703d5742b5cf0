"""Is code plain, so that nothing in it can reach the grader? It is read, and never run.

Some facts only the learner's own process can tell, and code that changes this process can make it tell anything. Code
of which every name, attribute and kind of statement is on the lists of `vocabulary` can not: it has no way to a
module's contents, to a frame, to another object's attribute that begins with an underscore, nor to one of PyTorch's
own to be replaced. The lists are short, so some honest code is not plain. That costs nobody a point: it leaves the
mark where it was.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import TypeGuard

from camwidget.grading.own import in_a_class_with_a_base, on_itself
from camwidget.grading.vocabulary import (
    BASES,
    BUILTINS,
    BY_NAME,
    KEPT,
    MODULES,
    NODES,
    READ_ONLY,
    ROOTS,
    SET,
    SPECIAL,
    TAKEN,
)

LONGEST = 200_000
"""Characters of a notebook that are read."""
_OWN_WITH_UNDERSCORE = re.compile(r"_(?!i$|ii$|iii$|ih$|oh$|dh$|i\d|exit_code$)[A-Za-z]\w*")
"""Names that begin with one underscore, and are none of IPython's."""


class Reader:
    """Reads one cell after the other; names that one defines are known to the next.

    Args:
        known: names that released cells define.
    """

    def __init__(self, known: frozenset[str]) -> None:
        self.known = set(known)
        self._classes, self._others = set[str](), set(known)
        """Names that were a class, and names that were something else, at any time."""
        self.left = LONGEST

    def beyond(self, source: str) -> str:
        """Return the first thing in a cell that is not plain, empty if all of it is.

        Args:
            source: of the cell.
        """
        self.left -= len(source)
        if self.left < 0:
            return f"more than {LONGEST} characters"
        try:
            tree = ast.parse(source)
            nodes = list(ast.walk(tree))
            self._learn(nodes)
            context = _Context(nodes, self.known, self._classes - self._others)
            return next((what for node in nodes if (what := context.what(node))), "")
        except (SyntaxError, ValueError, MemoryError, RecursionError):  # it may be a magic, and so no Python
            return "what is no plain Python"

    def _learn(self, nodes: Sequence[ast.AST]) -> None:
        """Note the names that a cell binds. A class may have been None before, as the released cells have it."""
        nothing = {id(target) for node in nodes if _assigns_none(node) for target in node.targets}
        for node in nodes:
            names = set(names_bound(node))
            self.known |= names
            if isinstance(node, ast.ClassDef):
                self._classes |= names
            elif id(node) not in nothing:
                self._others |= names


def _assigns_none(node: ast.AST) -> TypeGuard[ast.Assign]:
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value is None


class _Context:
    """What of one cell's nodes is plain only where it stands."""

    def __init__(self, nodes: Sequence[ast.AST], known: set[str], classes: set[str]) -> None:
        self.known, self.classes = known, classes
        module = nodes[0]
        self.at_once = {id(each) for each in module.body} if isinstance(module, ast.Module) else set()
        self.own = on_itself(nodes)
        self.based = in_a_class_with_a_base(nodes)
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        self.called_bare = {id(call.func) for call in calls if not (call.args or call.keywords)}
        statements = [node.value for node in nodes if isinstance(node, ast.Expr)]
        self.yielded = {id(value) for value in statements if isinstance(value, ast.Yield | ast.YieldFrom)}
        self.read_by_text = {id(node.func) for node in calls if _reads_by_plain_text(node)}
        self.bases = {id(base) for node in nodes if isinstance(node, ast.ClassDef) for base in node.bases}

    def what(self, node: ast.AST) -> str:
        """Return what is not plain about a node by itself, empty if nothing is."""
        if type(node).__name__ not in NODES and id(node) not in self.yielded:
            return f"`{type(node).__name__}`"
        if unfit := next((name for name in names_bound(node) if not self._may_be_bound(node, name)), ""):
            return f"`{unfit}`"
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                return "" if self._is_plain_name(node) else f"`{name}`"
            case ast.Attribute():
                return "" if self._is_plain_attribute(node) else f"`.{node.attr}`"
            case ast.keyword(arg=str(name)) if name.startswith("_"):
                return f"`{name}`"
            case ast.Import() | ast.ImportFrom():
                return _imported(node)
            case ast.ClassDef():
                return self._class(node)
            case ast.MatchClass(kwd_attrs=names):
                return next((f"`.{name}`" for name in names if name not in READ_ONLY), "")
        return ""

    def _may_be_bound(self, node: ast.AST, name: str) -> bool:
        if name in TAKEN or (name in ROOTS and not isinstance(node, ast.alias)):
            return False
        if not name.startswith("_") or not name.strip("_"):
            return True
        if isinstance(node, ast.FunctionDef) and name in SPECIAL:
            return True
        return id(node) not in self.based and _OWN_WITH_UNDERSCORE.fullmatch(name) is not None

    def _is_plain_name(self, node: ast.Name) -> bool:
        if node.id == "getattr":
            return id(node) in self.read_by_text
        if node.id == "object":
            return id(node) in self.bases
        return node.id in BUILTINS or (node.id in self.known and not node.id.startswith("__"))

    def _is_plain_attribute(self, node: ast.Attribute) -> bool:
        if id(node) in self.own:
            return True
        if isinstance(node.ctx, ast.Del):
            return False
        if isinstance(node.ctx, ast.Store):
            of_itself = isinstance(node.value, ast.Name) and node.value.id == "self"
            return node.attr in SET or (of_itself and node.attr in KEPT)
        if node.attr in SPECIAL - BY_NAME:  # of `super()` only: called with something else it would make that anew
            return ast.unparse(node.value) == "super()"
        if node.attr == "eval":  # of a network; pandas has one that runs a text
            return id(node) in self.called_bare
        return node.attr in READ_ONLY or node.attr in BY_NAME

    def _class(self, node: ast.ClassDef) -> str:
        if node.decorator_list or any(each.decorator_list for each in node.body if isinstance(each, ast.FunctionDef)):
            return "a decorator"
        # In a function it would be made later, when the name of a base may stand for something else.
        known = BASES | self.classes if id(node) in self.at_once else BASES
        bases = {ast.unparse(base) for base in node.bases}
        return "" if not node.keywords and bases <= known else "the kind of a class"


def _reads_by_plain_text(node: ast.AST) -> bool:
    """Whether this is a call of `getattr` that reads what could be written with a dot."""
    match node:
        case ast.Call(func=ast.Name(id="getattr"), args=[of, ast.Constant(value=str(name)), *rest], keywords=[]):
            return name in READ_ONLY and not any(isinstance(each, ast.Starred) for each in (of, *rest))
    return False


def _imported(node: ast.Import | ast.ImportFrom) -> str:
    """What of an import is not plain."""
    module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    level = node.level if isinstance(node, ast.ImportFrom) else 0
    for each in node.names:
        whole = module + each.name
        bound = each.asname or each.name
        if level or whole not in MODULES or ROOTS.get(bound, whole) != whole:
            return f"`import {whole}`"
    return ""


def names_bound(node: ast.AST) -> Iterator[str]:
    """The names that a node of a program gives a value.

    Args:
        node: without what is in it.
    """
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
            yield name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            yield name
        case ast.alias(name=name, asname=asname):
            yield asname or name.partition(".")[0]

"""Reading the modules of a folder, so that each rule of the house can be tried on a planted tree."""

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef
TRIVIA = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def sources(root: Path) -> dict[str, str]:
    """Every module under a folder: its text by its path from there. A bare name would hide one of two `capture.py`."""
    paths = sorted(path for path in root.rglob("*.py") if "__pycache__" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def functions(tree: ast.AST, within: str = "") -> Iterator[tuple[str, Function]]:
    """Every function and method, the ones inside others too, with its dotted name."""
    for node in ast.iter_child_nodes(tree):
        name = within
        if isinstance(node, Function | ast.ClassDef):
            name = f"{within}.{node.name}".lstrip(".")
        if isinstance(node, Function):
            yield name, node
        yield from functions(node, name)


def lines_of_code(source: str) -> set[int]:
    """The numbers of the lines that hold code: neither blank, nor only a comment, nor a docstring."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    held = {line for token in tokens if token.type not in TRIVIA for line in range(token.start[0], token.end[0] + 1)}
    blank = {number for number, line in enumerate(source.splitlines(), start=1) if not line.strip()}
    return held - blank - lines_of_docstrings(ast.parse(source))


def lines_of_docstrings(tree: ast.Module) -> set[int]:
    """The numbers of the lines that a docstring of the module, of a class or of a function takes."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function) and ast.get_docstring(node, clean=False) is not None:
            text = node.body[0]
            lines.update(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return lines


def body_lengths(source: str, *, above: int = 0) -> dict[str, int]:
    """How many lines of code the body of each function has: what stands after the colon of its `def`.

    Those are left out that have no more lines than `above` with blank ones and comments: to tell code apart takes long.
    """
    bodies = {
        name: range(node.body[0].lineno, (node.end_lineno or 0) + 1) for name, node in functions(ast.parse(source))
    }
    bodies = {name: lines for name, lines in bodies.items() if len(lines) > above}
    code = lines_of_code(source) if bodies else set()
    return {name: len(code.intersection(lines)) for name, lines in bodies.items()}


def imported(source: str) -> set[str]:
    """Every module, or name in a module, that a source imports, as a dotted path; `from a import b` gives both."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found

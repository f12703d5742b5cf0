"""The JavaScript of a view, made one module: an anywidget is loaded from a blob, where no relative import resolves.

The files in `static` are ordinary ES modules, so editors, type checkers and node read them as they are. Joining them
takes no tool on anybody's machine: each file comes once, behind those it imports, without its import lines. All names
at the top of a file then share one scope. Whatever that would change, and every form that is not read here, is refused
when the package is imported.
"""

import re
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"

# What holds no code. A template within a template comes out in pieces, in which brackets still match.
_SILENT = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | `(?:\\.|[^`\\])*`""", re.DOTALL | re.VERBOSE
)
_IMPORT = re.compile(
    r"""^import\s*\{\s*((?:[\w$]+\s*,\s*)*[\w$]+)\s*,?\s*\}\s*from\s*"\./([\w-]+\.js)";[^\S\n]*\n""", re.MULTILINE
)
_DECLARATION = re.compile(
    r"^(export\s+)?(?:(?:async\s+)?function\b\s*\*?\s*|class\s+|(?:const|let|var)\s+)([A-Za-z_$][\w$]*)", re.MULTILINE
)
_DEFAULT = re.compile(r"^export default \{", re.MULTILINE)
# What begins a declaration at the start of a line; `import` anywhere, since it can be called.
_STARTS = re.compile(r"^(?:export|async|function|class|const|let|var)\b|\bimport\b|\brequire\(", re.MULTILINE)


def joined(entry: str, *, folder: Path = STATIC) -> str:
    """Return one ES module of a file and all that it imports.

    Args:
        entry: name of the file that begins.
        folder: where the files are.

    Raises:
        ImportError: a file is missing, imports in a form that cannot be joined or in a circle, or asks for a name that
            is not exported; or two files have a name in common.
    """
    sources: dict[str, str] = {}
    _collect(entry, folder, sources, ())
    homes: dict[str, str] = {}
    for name, source in sources.items():
        for declared in _declared(name, source):
            if declared in homes:
                raise ImportError(f"{name} and {homes[declared]} both have a {declared!r}; in one module they collide.")
            homes[declared] = name
    return "\n".join(_IMPORT.sub("", source).lstrip("\n") for source in sources.values())


def without_comments(source: str) -> str:
    """Return the code of a file with as many lines, its comments, strings and templates left empty."""
    return _SILENT.sub(lambda silent: "\n" * silent[0].count("\n"), source)


def _collect(name: str, folder: Path, sources: dict[str, str], above: tuple[str, ...]) -> None:
    """Add a file to `sources`, behind those it imports."""
    if name in above:
        raise ImportError(f"{' imports '.join([*above, name])}: files in a circle have no order.")
    if name in sources:
        return
    try:
        source = (folder / name).read_text("utf-8")
    except FileNotFoundError:
        asks = f"{above[-1]} imports {name}" if above else f"{name} is asked for"
        raise ImportError(f"{asks}, which is not in {folder}.") from None
    for listed, imported in _IMPORT.findall(source):
        _collect(imported, folder, sources, (*above, name))
        exported = {declared for declared, is_exported in _declared(imported, sources[imported]).items() if is_exported}
        for wanted in map(str.strip, listed.split(",")):
            if wanted not in exported:
                raise ImportError(f"{name} imports {wanted!r} from {imported}, which exports no such name.")
    sources[name] = source


@cache
def _declared(name: str, source: str) -> dict[str, bool]:
    """Every name at the top of a file, and whether it is exported; a form that is not understood is refused."""
    code = without_comments(_IMPORT.sub("", source))
    found: dict[str, bool] = {}
    for start in _STARTS.finditer(code):
        declaration = _DECLARATION.match(code, start.start())
        if declaration:
            if declaration[2] in found:
                raise ImportError(f"{name} has {declaration[2]!r} twice.")
            found[declaration[2]] = bool(declaration[1])
        elif _DEFAULT.match(code, start.start()):
            found["export default"] = False  # no name, but one module has only one
        else:
            line = code[code.rfind("\n", 0, start.start()) + 1 :].partition("\n")[0].strip()
            raise ImportError(f"{name} has a form that cannot be joined: {line!r}. The forms are in panel/modules.py.")
    return found

"""The rules about names, sizes and places, each as a function from a folder to what breaks it.

The tests call them with the repository, and with a planted tree that breaks them.
"""

import ast
import re
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

from tests.house.sources import body_lengths, imported, sources

RIVALS = frozenset({"alpha", "mask", "class_idx", "fmap", "fmaps", "img", "pic", "cmap", "palette", "preds"})
"""Words that the house has another word for, as names of arguments and variables.

`alpha` is also what Pillow and matplotlib call opacity, as a keyword or an attribute; both are theirs to name.
"""


def rivals_used(package: Path) -> list[str]:
    """Names that are used although the house has another word for the thing."""
    return [
        f"{path}: {name}"
        for path, source in sources(package).items()
        for node in ast.walk(ast.parse(source))
        for name in [node.arg if isinstance(node, ast.arg) else node.id if isinstance(node, ast.Name) else ""]
        if name in RIVALS
    ]


def long_bodies(root: Path, most: int) -> list[str]:
    """Functions whose body has more lines of code than that."""
    return [
        f"{path}: {name} has {count} lines"
        for path, source in sources(root).items()
        for name, count in body_lengths(source, above=most).items()
        if count > most
    ]


def long_modules(root: Path, most: int, answered: Mapping[str, str]) -> list[str]:
    """Modules of more lines than that, blank ones too, without a word on why they are one idea; and idle answers."""
    lengths = {path: len(source.splitlines()) for path, source in sources(root).items()}
    long = {path for path, count in lengths.items() if count > most}
    return [
        *(f"{path} has {lengths[path]} lines: is it one idea?" for path in sorted(long - answered.keys())),
        *(f"{path} needs no answer" for path in sorted(answered.keys() - long)),
    ]


def unguided_folders(package: Path) -> list[str]:
    """Folders below the package that do not say in which order to read them, or that name what is not there.

    A paragraph of the docstring in `__init__.py` begins with "Read" and names in backticks what to begin with and what
    comes then. A folder with one module needs no order; one without modules holds data and is no package.
    """
    complaints = []
    for folder in sorted(path for path in package.rglob("*") if path.is_dir() and any(path.rglob("*.py"))):
        place = folder.relative_to(package).as_posix()
        start = folder / "__init__.py"
        if not start.is_file():
            complaints.append(f"{place} has no __init__.py")
            continue
        rooms = {path.stem for path in folder.glob("*.py")} | {path.name for path in folder.iterdir() if path.is_dir()}
        rooms = {room for room in rooms if not room.startswith("_")}
        docstring = ast.get_docstring(ast.parse(start.read_text(encoding="utf-8"))) or ""
        order = [part for part in docstring.split("\n\n") if part.startswith("Read ")]
        named = re.findall(r"`([\w.]+)`", " ".join(order))
        if not docstring:
            complaints.append(f"{place} has no docstring")
        elif len(rooms.intersection(named)) < min(2, len(modules_in(folder))) and len(modules_in(folder)) > 1:
            complaints.append(f"{place} does not say in which order to read it")
        complaints += [f"{place} tells to read `{name}`, which it has not" for name in named if name not in rooms]
    return complaints


def modules_in(folder: Path) -> set[str]:
    """The modules and packages that lie directly in a folder and are not private."""
    files = {path.stem for path in folder.glob("*.py") if not path.name.startswith("_")}
    return files | {path.parent.name for path in folder.glob("*/__init__.py") if not path.parent.name.startswith("_")}


def strayed_tests(package: Path, tests: Path) -> list[str]:
    """Test files that have the name of a module and do not lie in the folder of that module."""
    places: dict[str, set[str]] = {}
    for path in map(PurePosixPath, sources(package)):
        places.setdefault(path.stem, set()).add(path.parent.as_posix())
    return [
        f"{path} belongs to {' or '.join(sorted(places[name]))}"
        for path in map(PurePosixPath, sources(tests))
        if path.stem.startswith("test_")
        and (name := path.stem.removeprefix("test_")) in places
        and path.parent.as_posix() not in places[name]
    ]


def untested_modules(package: Path, tests: Path, excused: Collection[str]) -> list[str]:
    """Modules that no test file imports, private ones and those that are excused left out; and idle excuses.

    Args:
        package: the folder of the package; its name is the name of the package.
        tests: the folder of the tests.
        excused: paths of modules, or of folders with a stroke at the end, that are tested in another way.
    """
    known = {
        name
        for path, source in sources(tests).items()
        if PurePosixPath(path).name.startswith("test_")
        for name in imported(source)
    }
    unknown = {
        path
        for path in sources(package)
        if not PurePosixPath(path).name.startswith("_")
        and ".".join((package.name, *PurePosixPath(path).with_suffix("").parts)) not in known
    }
    idle = {excuse for excuse in excused if not any(covers(excuse, path) for path in unknown)}
    return [
        *(f"no test imports {path}" for path in sorted(unknown) if not any(covers(excuse, path) for excuse in excused)),
        *(f"{excuse} needs no excuse" for excuse in sorted(idle)),
    ]


def borrowed_helpers(tests: Path) -> list[str]:
    """Modules that take something from a file of tests: a helper belongs where nobody collects it."""
    known = {
        ".".join((tests.name, *PurePosixPath(path).with_suffix("").parts)): path
        for path in sources(tests)
        if PurePosixPath(path).name.startswith("test_")
    }
    return [
        f"{path} imports {known[name]}"
        for path, source in sources(tests).items()
        for name in sorted(imported(source) & known.keys())
    ]


def covers(excuse: str, path: str) -> bool:
    """Is this the module that is excused, or one below the folder that is?"""
    return path == excuse or (excuse.endswith("/") and path.startswith(excuse))


PAGE_LINES, LINE_CHARACTERS, PAGE_WORDS = 66, 120, 750
"""What a page holds at most; its tables and code count too."""


def more_than(pages: float, path: Path) -> list[str]:
    """What is too much in a text for so many pages: lines, characters of a line, words as white space parts them."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    most_lines, most_words = int(pages * PAGE_LINES), int(pages * PAGE_WORDS)
    found = [
        f"line {number} has {len(line)} characters, of {LINE_CHARACTERS} at most"
        for number, line in enumerate(lines, start=1)
        if len(line) > LINE_CHARACTERS
    ]
    if len(lines) > most_lines:
        found.append(f"{len(lines)} lines, of {most_lines} at most")
    if (words := len(text.split())) > most_words:
        found.append(f"{words} words, of {most_words} at most")
    return found


def long_guides(package: Path) -> list[str]:
    """READMEs below the package that do not fit on a page."""
    return [
        f"{path.relative_to(package).as_posix()}: {what}"
        for path in sorted(package.rglob("README.md"))
        for what in more_than(1, path)
    ]


def unnamed_modules(package: Path) -> list[str]:
    """Modules beside a README that it does not name in backticks, as in `capture` or `static/`."""
    return [
        f"{path.relative_to(package).as_posix()} does not name {module.stem}"
        for path in sorted(package.rglob("README.md"))
        for module in sorted(path.parent.glob("*.py"))
        if not module.stem.startswith("_") and f"`{module.stem}`" not in path.read_text(encoding="utf-8")
    ]

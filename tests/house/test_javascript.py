"""The JavaScript of the panels has types that hold, functions that can be read, and no tool on a learner's machine.

`tsc` is TypeScript's checker, in the version that package.json names. It is looked for in the node_modules of the
repository, where `npm install` puts it, then on the PATH, where `.ci/run` puts it. Without it the tests that need it
are skipped, or fail with CAMWIDGET_REQUIRE_NODE=1. jsconfig.json says what is checked, and how strictly.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from camwidget.panel.modules import STATIC, joined, without_comments
from tests.house.repository import ROOT
from tests.node import node_tool

MOST_LINES = 250
MOST_FUNCTION_LINES = 60

# A fault for each kind of mistake that the files once could hide, put at the end of model.js.
FAULTS = {
    "a trait of another type": (
        "/** @param {Model<MapTraits>} model */\nexport const wrong = (model) => model.get('layer_index').trim();\n",
        "Property 'trim' does not exist on type 'number'",
    ),
    "a trait that there is not": (
        "/** @param {Model<MapTraits>} model */\nexport const wrong = (model) => model.get('layer');\n",
        """Argument of type '"layer"' is not assignable""",
    ),
    "a name that was not imported": (
        "export const wrong = formatNumber(1);\n",
        "Cannot find name 'formatNumber'",
    ),
    "a value that may be missing": (
        "export const wrong = document.querySelector('p').textContent;\n",
        "Object is possibly 'null'",
    ),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, list[str]]:
    """Every error of the files, with the faults at the end of one: whether it lies in a fault, to the errors.

    One run for both: the checker takes as long as many tests.
    """
    folder = tmp_path_factory.mktemp("faulty")
    static = folder / STATIC.relative_to(ROOT)
    shutil.copy(ROOT / "jsconfig.json", folder)
    shutil.copytree(STATIC, static)
    lines = len((static / "model.js").read_text().splitlines())
    with (static / "model.js").open("a") as file:
        for number, (fault, _) in enumerate(FAULTS.values()):
            file.write(fault.replace("wrong", f"wrong{number}"))
    command = [node_tool("tsc"), "--project", str(folder / "jsconfig.json"), "--pretty", "false"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode != 0, found.stderr
    errors: dict[bool, list[str]] = {True: [], False: []}
    for error in re.findall(r"^\S.*error TS.*$", found.stdout, re.MULTILINE):
        place = re.match(r".*/model\.js\((\d+),", error)
        errors[place is not None and int(place[1]) > lines].append(error)
    return errors


def test_the_types_hold(told: dict[bool, list[str]]) -> None:
    assert told[False] == []


def test_the_type_checker_sees_every_fault_that_was_put_in(told: dict[bool, list[str]]) -> None:
    assert len(told[True]) == len(FAULTS)
    assert {kind for kind, (_, says) in FAULTS.items() if not any(says in each for each in told[True])} == set()


def test_the_type_checker_looks_at_every_file_strictly() -> None:
    config = json.loads((ROOT / "jsconfig.json").read_text())

    assert config["include"] == [STATIC.relative_to(ROOT).as_posix()]
    assert config["compilerOptions"]["strict"]
    assert config["compilerOptions"]["checkJs"]
    sources = {path.name: path.read_text() for path in STATIC.glob("*.js")}
    assert {
        name for name, source in sources.items() if re.search(r"@ts-|\{any\}|<any>|: any\b|\bany\[", source)
    } == set()


def test_the_versions_of_what_is_installed_are_exact_and_that_is_all() -> None:
    package = json.loads((ROOT / "package.json").read_text())

    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in package["devDependencies"].values())
    assert package["devDependencies"].keys() == {"axe-core", "typescript"}
    assert "dependencies" not in package


def functions(source: str) -> dict[str, int]:
    """How many lines each block has that is not the body of a class, by the line it begins with."""
    found: dict[str, int] = {}
    opened: list[tuple[int, str]] = []
    for number, line in enumerate(without_comments(source).split("\n")):
        for bracket in re.findall(r"[{}]", line):
            if bracket == "{":
                opened.append((number, line.strip()))
            else:
                start, head = opened.pop()
                if "class " not in head:
                    found[head] = max(found.get(head, 0), number - start + 1)
    return found


def test_no_file_and_no_function_is_longer_than_can_be_read() -> None:
    sources = {path.name: path.read_text() for path in STATIC.glob("*.*s")}
    long = {
        f"{name}: {head}"
        for name, source in sources.items()
        for head, lines in functions(source).items()
        if lines > MOST_FUNCTION_LINES
    }

    assert {name for name, source in sources.items() if len(source.splitlines()) > MOST_LINES} == set()
    assert long == set()


def test_the_count_of_lines_sees_a_long_function() -> None:
    lines = "\n".join(["  // '{'", '  say("{");', "  for (;;) {}"] * 30)

    assert functions(f"class A {{\n m() {{\n{lines}\n }}\n}}\n")["m() {"] == 92


def test_every_file_reaches_a_browser() -> None:
    pages = joined("picture_page.js") + joined("text_page.js") + joined("mistakes_page.js") + joined("whole.js")
    bodies = {path.name: path.read_text().rpartition('.js";\n')[2].strip() for path in STATIC.glob("*.js")}

    assert {name for name, body in bodies.items() if body not in pages} == set()


def test_without_the_tool_a_test_is_skipped_or_fails_where_it_is_required(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CAMWIDGET_REQUIRE_NODE", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no no-such-tool: install node"):
        node_tool("no-such-tool")

    monkeypatch.setenv("CAMWIDGET_REQUIRE_NODE", "1")
    with pytest.raises(pytest.fail.Exception, match="CAMWIDGET_REQUIRE_NODE=1"):
        node_tool("no-such-tool")

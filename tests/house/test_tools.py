"""Lint, format, types and import direction, with the rules that pyproject.toml gives; and that each check can fail."""

import shutil
from pathlib import Path

import pytest

from tests.house.repository import ROOT, planted, run_python

pytestmark = pytest.mark.slow
# import-linter cannot be run with -m: its module then does nothing and succeeds.
IMPORT_LINTER = ("-c", "import sys; from importlinter.cli import lint_imports_command as lint; sys.exit(lint())")
TOOLS = {
    "lint": ("-m", "ruff", "check", "--output-format=concise", "."),
    "format": ("-m", "ruff", "format", "--check", "."),
    "types": ("-m", "mypy"),
    "imports": IMPORT_LINTER,
}
BOTTOM = "camwidget/errors.py"
# For each a tool, modules with a fault that take the place of the package's or join them, and what is told of them.
FAULTS = {
    "lint": ("lint", {BOTTOM: 'print("x")\n'}, "T201"),
    "format": ("format", {BOTTOM: "x = (1,2)\n"}, "1 file would be reformatted"),
    "types": ("types", {BOTTOM: 'wrong: int = ""\n'}, "Incompatible types in assignment"),
    "an import that points up": (
        "imports",
        {BOTTOM: "import camwidget.hooks.capture\n"},
        "camwidget.errors is not allowed to import camwidget.hooks",
    ),
    "an import circle in a folder": (
        "imports",
        {
            "camwidget/trust/chicken.py": "import camwidget.trust.egg\n",
            "camwidget/trust/egg.py": "import camwidget.trust.chicken\n",
        },
        "No circle inside a folder BROKEN",
    ),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_the_tool_finds_nothing_to_say(tool: str) -> None:
    found = run_python(*TOOLS[tool])

    assert found.returncode == 0, f"{tool}\n{found.stdout}\n{found.stderr}"


@pytest.mark.parametrize("fault", FAULTS)
def test_the_tool_sees_a_fault_that_was_put_in(fault: str, tmp_path: Path) -> None:
    tool, modules, told = FAULTS[fault]
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    if tool == "imports":  # the only one that looks at the package as a whole
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "camwidget", tmp_path / "camwidget", ignore=ignored)
    planted(tmp_path, {name: f'"""A module."""\n\n{source}' for name, source in modules.items()})

    found = run_python(*TOOLS[tool], folder=tmp_path)

    assert found.returncode == 1
    assert told in " ".join(found.stdout.split())

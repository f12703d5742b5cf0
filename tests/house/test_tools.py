"""Lint, format, types and import direction, with the rules that pyproject.toml gives; and that each check can fail."""

import shutil
from pathlib import Path

import pytest

from tests.house.repository import ROOT, run_python

pytestmark = pytest.mark.slow
# import-linter cannot be run with -m: its module then does nothing and succeeds.
IMPORT_LINTER = ("-c", "import sys; from importlinter.cli import lint_imports_command as lint; sys.exit(lint())")
TOOLS = {
    "lint": ("-m", "ruff", "check", "--output-format=concise", "."),
    "format": ("-m", "ruff", "format", "--check", "."),
    "types": ("-m", "mypy"),
    "imports": IMPORT_LINTER,
}
# A fault for each, in a module that sits at the bottom of the package.
FAULTS = {
    "lint": ('print("x")\n', "T201"),
    "format": ("x = (1,2)\n", "1 file would be reformatted"),
    "types": ('wrong: int = ""\n', "Incompatible types in assignment"),
    "imports": (
        "import camwidget.hooks.capture\n",
        "camwidget.errors is not allowed to import camwidget.hooks.capture",
    ),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_the_tool_finds_nothing_to_say(tool: str) -> None:
    found = run_python(*TOOLS[tool])

    assert found.returncode == 0, f"{tool}\n{found.stdout}\n{found.stderr}"


@pytest.mark.parametrize("tool", FAULTS)
def test_the_tool_sees_a_fault_that_was_put_in(tool: str, tmp_path: Path) -> None:
    fault, told = FAULTS[tool]
    package = tmp_path / "camwidget"
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    if tool == "imports":  # the only one that looks at the package as a whole
        shutil.copytree(ROOT / "camwidget", package, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        package.mkdir()
    (package / "errors.py").write_text(f'"""A module."""\n\n{fault}')

    found = run_python(*TOOLS[tool], folder=tmp_path)

    assert found.returncode == 1
    assert told in " ".join(found.stdout.split())

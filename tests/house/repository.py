"""The repository the house tests look at."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tracked_files() -> list[Path]:
    """Every file that is or would be committed; what .gitignore names is left out."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted({ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()})


def planted(root: Path, files: dict[str, str]) -> Path:
    """Write a tree with these files in it, to see whether a rule reports what is wrong there."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def run_python(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the interpreter of the tests with these arguments, in a folder."""
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)


_MODULE = """\
import os, runpy, sys
sys.path[0] = os.getcwd()
sys.modules["rfc3987_syntax"] = None
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def jupyter_command(module: str, *arguments: str) -> list[str]:
    """What `python -m module` does, for a program of Jupyter's, without what `without_grammars` leaves out.

    Half of the time of its start would go into parsers of web addresses, which nothing here asks.
    """
    return [sys.executable, "-c", _MODULE, module, *arguments]


def run_jupyter(module: str, *arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a program of Jupyter's in the interpreter of the tests, in a folder."""
    return run_python(*jupyter_command(module, *arguments)[1:], folder=folder)


def run_code(code: str) -> str:
    """What a fresh interpreter prints for `code`; an exception in it fails the test that asked, with its traceback."""
    done = run_python("-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()

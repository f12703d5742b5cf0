"""README's two commands: exactly these, and CI takes its own from there."""

import re
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from camwidget.course.selfstudy.materials import tasks
from tests.house.repository import ROOT

README = (ROOT / "README.md").read_text()
BASH_BLOCKS = re.findall(r"<!-- command: (\w+) -->\n```bash\n(.*?)```", README, flags=re.DOTALL)
LAB = 'python -m pip install -c constraints.txt -e ".[lab]" && jupyter lab notebooks/01_cam_and_hooks.ipynb\n'
TEST = 'python -m pip install -c constraints.txt -e ".[lab,test]" && python -m pytest\n'


def test_readme_has_exactly_two_commands_of_one_line_each() -> None:
    assert BASH_BLOCKS == [("lab", LAB), ("test", TEST)]
    assert len(re.findall(r"^```(?!python$|$)", README, flags=re.MULTILINE)) == len(BASH_BLOCKS)


def test_ci_runs_the_test_command_that_readme_prints() -> None:
    shown = subprocess.run([ROOT / ".ci" / "run", "--show"], capture_output=True, text=True, check=True).stdout

    assert shown == TEST


def test_ci_keeps_no_copy_of_the_command() -> None:
    assert "pip install" not in (ROOT / ".ci" / "run").read_text()


def test_every_file_that_readme_names_is_there() -> None:
    linked = set(re.findall(r"\]\(([\w./-]+)\)", README)) | set(re.findall(r"[\w./-]+\.(?:ipynb|txt|yml|webp)", README))

    assert linked
    assert {name for name in linked if not (ROOT / name).is_file()} == set()


def test_every_benchmark_that_readme_names_is_a_module() -> None:
    named = set(re.findall(r"`python -m ((?:tests|docs)\.[\w.]+)", README))

    assert {f"tests.benchmarks.{each}" for each in ("slider", "grid", "start", "memory", "imports", "hub")} <= named
    assert [name for name in sorted(named) if find_spec(name) is None] == []
    packages = [name for name in named if (ROOT / name.replace(".", "/")).is_dir()]
    assert [name for name in packages if find_spec(f"{name}.__main__") is None] == []


def test_readme_counts_the_items_of_the_course_rightly() -> None:
    assert f"{len(tasks())} exercise items" in README
    assert f"{len(tasks())}, with hidden checks" in README


@pytest.mark.slow
def test_the_python_examples_of_readme_run_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # one of them saves a page
    examples = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    names: dict[str, Any] = {}

    for example in examples:
        exec(compile(example, "README.md", "exec"), names)

    assert len(examples) == 3
    assert names["activation"].shape == (1, 1280, 7, 7)

"""pyproject.toml, environment.yml and constraints.txt agree with one another, whatever is installed."""

import re
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.house.constraints import FILE, OLDEST, PROJECT, declared, pythons, written
from tests.house.repository import ROOT

ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())


def test_environment_holds_python_pip_and_the_lab_extra_and_nothing_else() -> None:
    python, pip, nested = ENVIRONMENT["dependencies"]

    assert re.fullmatch(r"python=\d+\.\d+", python)
    assert pip == "pip"
    assert nested == {"pip": ["-c constraints.txt", "-e .[lab]"]}


def test_environment_and_pyproject_agree_on_python_and_on_the_extra() -> None:
    version = ENVIRONMENT["dependencies"][0].removeprefix("python=")

    assert version in SpecifierSet(PROJECT["requires-python"])
    assert version in pythons()
    assert "lab" in PROJECT["optional-dependencies"]
    assert ENVIRONMENT["name"] == PROJECT["name"]


def test_every_python_that_the_project_names_is_one_that_it_admits() -> None:
    assert pythons() == sorted(pythons(), key=Version)
    assert all(f"{version}.0" in SpecifierSet(PROJECT["requires-python"]) for version in pythons())
    assert PROJECT["requires-python"] == f">={pythons()[0]}"


def test_every_lower_bound_admits_the_version_that_was_tested() -> None:
    pinned = written()

    for requirement in declared("lab", "test"):
        assert len(requirement.specifier) == 1, f"{requirement} has no single lower bound"
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier


def test_every_lower_bound_is_the_version_that_was_run_in_the_oldest_set() -> None:
    oldest = written(OLDEST)

    found = [
        f"{requirement}, but {version} was run"
        for requirement in declared("lab", "test")
        for version in [oldest[canonicalize_name(requirement.name)]]
        if Version(str(requirement.specifier).removeprefix(">=")) != Version(version)
    ]

    assert found == [], "\n".join(found)


@pytest.mark.parametrize("file", [FILE, OLDEST], ids=lambda file: file.name)
def test_constraints_are_exact_sorted_and_free_of_local_builds(file: Path) -> None:
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]

    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line)] == []
    assert lines == sorted(lines, key=lambda line: line.split("==")[0])

"""pyproject.toml, environment.yml, constraints.txt and what is installed agree with one another."""

import importlib.metadata
import re
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.house.constraints import closure, declared, written
from tests.house.repository import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())


def test_environment_holds_python_pip_and_the_lab_extra_and_nothing_else() -> None:
    python, pip, nested = ENVIRONMENT["dependencies"]

    assert re.fullmatch(r"python=\d+\.\d+", python)
    assert pip == "pip"
    assert nested == {"pip": ["-c constraints.txt", "-e .[lab]"]}


def test_environment_and_pyproject_agree_on_python_and_on_the_extra() -> None:
    version = ENVIRONMENT["dependencies"][0].removeprefix("python=")

    assert version in SpecifierSet(PROJECT["requires-python"])
    assert f"Programming Language :: Python :: {version}" in PROJECT["classifiers"]
    assert "lab" in PROJECT["optional-dependencies"]
    assert ENVIRONMENT["name"] == PROJECT["name"]


def test_every_lower_bound_admits_the_version_that_was_tested() -> None:
    pinned = written()

    for requirement in declared("lab", "test"):
        assert len(requirement.specifier) == 1, f"{requirement} has no single lower bound"
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier


def test_constraints_are_exact_sorted_and_free_of_local_builds() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]

    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line)] == []
    assert lines == sorted(lines, key=lambda line: line.split("==")[0])


def test_what_is_installed_is_what_the_constraints_say() -> None:
    installed, missing = closure(declared("lab", "test"))
    pinned = written()

    assert missing == set()
    assert {name: version for name, version in installed.items() if pinned.get(name, version) != version} == {}


@pytest.mark.skipif(sys.platform != "linux", reason="the constraints were written on Linux; others pull in other parts")
def test_nothing_is_pulled_in_without_a_constraint() -> None:
    installed, _ = closure(declared("lab", "test"))

    assert installed.keys() - written().keys() == set()


def test_the_walk_over_what_is_pulled_in_reports_what_is_not_installed() -> None:
    absent = Requirement("camwidget-has-no-such-dependency>=1")

    assert closure([absent]) == ({}, {"camwidget-has-no-such-dependency"})


def test_the_tested_set_installs_on_every_python_that_the_project_names() -> None:
    """A package may ask for a patch release of Python; pip then reports a conflict that nobody can read."""
    oldest = f"{min(SpecifierSet(PROJECT['requires-python']), key=lambda each: each.version).version}.0"
    asked = {
        name: importlib.metadata.metadata(name).get("Requires-Python") or ""
        for name in sorted(written().keys() - closure(declared("lab", "test"))[1])
    }

    assert oldest == "3.11.0"
    assert {name: each for name, each in asked.items() if oldest not in SpecifierSet(each)} == {}

"""The check of the constraints can fail. Whether it holds is asked in CI alone, in an environment made from them."""

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.house.constraints import closure, disagreements, pythons, refusals, written
from tests.house.repository import ROOT, run_python


def test_a_version_that_is_not_the_pinned_one_is_told() -> None:
    found = disagreements({"numpy": "2.5.0", "torch": "2.14.1"}, set(), {"numpy": "2.4.6", "torch": "2.14.1"})

    assert found == ["numpy 2.5.0 is installed, 2.4.6 is pinned"]


def test_a_package_that_is_missing_is_told() -> None:
    assert disagreements({}, {"numpy"}, {"numpy": "2.4.6"}) == ["numpy is not installed"]


@pytest.mark.parametrize(("system", "told"), [("linux", ["extra is pulled in without a constraint"]), ("darwin", [])])
def test_a_package_without_a_constraint_is_told_on_linux(
    system: str, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", system)

    assert disagreements({"extra": "1.0"}, set(), {}) == told


def test_a_package_that_refuses_a_python_of_the_project_is_told() -> None:
    found = refusals({"modest": ">=3.9", "silent": "", "strict": "!=3.13.0,>=3.11.2"}, ["3.11", "3.12", "3.13"])

    assert found == [
        "strict asks for Python !=3.13.0,>=3.11.2, which leaves out 3.11.0",
        "strict asks for Python !=3.13.0,>=3.11.2, which leaves out 3.13.0",
    ]


def test_the_walk_over_what_is_pulled_in_reports_what_is_not_installed() -> None:
    absent = Requirement("camwidget-has-no-such-dependency>=1")

    assert closure([absent]) == ({}, {"camwidget-has-no-such-dependency"})


def test_the_script_fails_on_a_file_that_is_wrong(tmp_path: Path) -> None:
    pinned = {**written(), "pytest": "0.0.1"}
    file = tmp_path / "wrong.txt"
    file.write_text("\n".join(f"{name}=={version}" for name, version in pinned.items()))

    done = run_python("-m", "tests.house.constraints", "--check", "--file", str(file))

    assert done.returncode == 1
    assert f"pytest {pytest.__version__} is installed, 0.0.1 is pinned" in done.stderr.splitlines()


def test_ci_runs_the_check_after_the_tests() -> None:
    script = (ROOT / ".ci" / "run").read_text()

    assert script.index('-c "$command"') < script.index("python -m tests.house.constraints --check")


def test_the_pythons_of_the_project_are_read_from_its_classifiers() -> None:
    assert pythons() == ["3.11", "3.12", "3.13"]

"""Versions that are right, too old, missing or untried, each planted."""

from pathlib import Path

from camwidget.command.doctor.finding import MISSING, NOTE, OK
from camwidget.command.doctor.packages import about_itself, about_packages, about_python, tried_pythons
from tests.house.constraints import pythons

ASKED = ["numpy>=1.26", "torch>=2.6.0", 'jupyterlab>=4.2; extra == "lab"', 'pytest>=9; extra == "test"']
PREFIX = Path("/opt/env")


def about(**versions: str) -> dict[str, tuple[str, str]]:
    found = about_packages(ASKED, versions.get, pip="uv pip")
    return {each.name: (each.state, each.advice) for each in found}


def test_where_everything_is_new_enough_one_line_lists_the_versions_and_nothing_is_advised() -> None:
    found = about_packages(ASKED, {"numpy": "2.0", "torch": "2.6.0", "jupyterlab": "4.2"}.get)

    assert [(each.state, each.found) for each in found] == [(OK, "jupyterlab 4.2, numpy 2.0, torch 2.6.0")]


def test_a_package_that_is_not_there_is_missing_and_the_advice_installs_it() -> None:
    found = about(numpy="2.0", jupyterlab="4.2")

    assert found["torch"] == (MISSING, 'uv pip install "torch>=2.6.0"')
    assert found.keys() == {"packages", "torch"}


def test_a_version_that_is_too_old_is_told_with_the_bound() -> None:
    torch = about_packages(ASKED, {"numpy": "2.0", "torch": "2.5.1", "jupyterlab": "4.2"}.get)[1]

    assert (torch.state, torch.found) == (MISSING, "2.5.1, but >=2.6.0 is needed")


def test_an_early_build_and_a_local_build_of_a_new_version_will_do() -> None:
    assert about(numpy="2.0rc1", torch="2.7.0.dev1+cu130", jupyterlab="4.2").keys() == {"packages"}


def test_a_package_of_the_lab_is_a_note_since_another_program_may_open_notebooks() -> None:
    assert about(numpy="2.0", torch="2.6.0")["jupyterlab"] == (NOTE, 'uv pip install "jupyterlab>=4.2"')


def test_packages_of_the_tests_are_nobody_elses_business() -> None:
    assert "pytest" not in about()


def test_a_python_that_is_too_old_is_missing_and_one_that_is_too_new_is_a_note() -> None:
    tried = ["3.11", "3.12", "3.13"]
    states = {
        minor: about_python((3, minor, 1), tried, prefix=PREFIX, virtual=True).state for minor in (9, 10, 11, 13, 14)
    }

    assert states == {9: MISSING, 10: MISSING, 11: OK, 13: OK, 14: NOTE}


def test_whether_it_is_a_virtual_environment_is_told() -> None:
    assert "a virtual environment: " in about_python((3, 12, 4), [], prefix=PREFIX, virtual=True).found
    assert "no virtual environment: " in about_python((3, 12, 4), [], prefix=PREFIX, virtual=False).found


def test_the_pythons_are_those_that_the_project_names() -> None:
    assert tried_pythons() == pythons()


def test_a_camwidget_that_is_only_lying_about_is_a_note() -> None:
    found = about_itself(PREFIX, None)

    assert found.state == NOTE
    assert "pip install" in found.advice
    assert about_itself(PREFIX, "0.1.0").state == OK

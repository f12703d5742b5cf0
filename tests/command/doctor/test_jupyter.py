"""Extensions, settings, commands and kernels as they are found on machines where no panel shows, each planted."""

import json
from pathlib import Path

import pytest

from camwidget.command.doctor.finding import MISSING, NOTE, OK
from camwidget.command.doctor.jupyter import (
    BROWSER_PART,
    WIDGET_MANAGER,
    about_command,
    about_extension,
    about_kernel,
    findings,
    switched_off,
)


def extension(folder: Path, name: str, text: str = '{"version": "5.0"}') -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "package.json").write_text(text)
    return folder


def python(folder: Path, target: Path | None = None) -> Path:
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(target) if target else (folder / "python").write_text("")
    return folder / "python"


@pytest.mark.parametrize("name", [WIDGET_MANAGER, BROWSER_PART])
def test_an_extension_is_found_in_the_second_folder_too(tmp_path: Path, name: str) -> None:
    found = about_extension(name, [tmp_path / "none", extension(tmp_path / "share", name)], [])

    assert found.state == OK
    assert found.found.startswith(f"{name} 5.0, in ")


@pytest.mark.parametrize(("name", "package"), [(WIDGET_MANAGER, "jupyterlab-widgets"), (BROWSER_PART, "anywidget")])
def test_one_that_is_not_there_is_missing_and_the_advice_names_the_package_that_brings_it(
    tmp_path: Path, name: str, package: str
) -> None:
    found = about_extension(name, [tmp_path], [])

    assert found.state == MISSING
    assert f"--no-deps {package}," in found.advice


def test_a_damaged_extension_is_none(tmp_path: Path) -> None:
    assert about_extension(BROWSER_PART, [extension(tmp_path, BROWSER_PART, "{")], []).state == MISSING


@pytest.mark.parametrize("off", [WIDGET_MANAGER, f"{WIDGET_MANAGER}:plugin"])
def test_one_that_is_switched_off_is_missing_and_the_advice_switches_it_on(tmp_path: Path, off: str) -> None:
    found = about_extension(WIDGET_MANAGER, [extension(tmp_path, WIDGET_MANAGER)], ["other", off])

    assert found.state == MISSING
    assert found.advice == f"jupyter labextension enable {off}"


def test_one_that_begins_like_one_that_is_switched_off_is_on(tmp_path: Path) -> None:
    assert about_extension(BROWSER_PART, [extension(tmp_path, BROWSER_PART)], [f"{BROWSER_PART}-more"]).state == OK


@pytest.mark.parametrize(
    ("written", "off"),
    [
        ({"disabledExtensions": {"a": True, "b": False}}, ["a"]),
        ({"disabledExtensions": ["a", "b"]}, ["a", "b"]),
        ({}, []),
        ([], []),
    ],
)
def test_settings_switch_off_by_a_list_or_by_true(tmp_path: Path, written: object, off: list[str]) -> None:
    (tmp_path / "page_config.json").write_text(json.dumps(written))

    assert switched_off([tmp_path / "none", tmp_path]) == off


def test_a_jupyter_of_another_environment_is_a_note_with_the_command_for_this_one(tmp_path: Path) -> None:
    found = about_command(str(tmp_path / "other" / "jupyter"), tmp_path / "bin")

    assert (found.state, found.advice) == (NOTE, "python -m jupyterlab")
    assert about_command(None, tmp_path).state == NOTE
    assert about_command(str(tmp_path / "bin" / "jupyter"), tmp_path / "bin").state == OK


def test_a_kernel_of_this_python_is_fine_and_one_of_another_is_a_note(tmp_path: Path) -> None:
    base = python(tmp_path / "base")
    mine, other = python(tmp_path / "mine", base), python(tmp_path / "other", base)

    assert about_kernel([str(mine), "-m"], mine).state == OK
    assert about_kernel(["python", "-m"], mine).state == OK
    assert about_kernel([str(other), "-m"], mine).state == NOTE  # both link to one program, and are two environments


def test_no_kernel_and_one_whose_python_is_gone_are_missing(tmp_path: Path) -> None:
    mine = python(tmp_path / "mine")

    for argv in (None, [], [str(tmp_path / "gone" / "python")]):
        found = about_kernel(argv, mine)
        assert (found.state, found.advice) == (MISSING, "python -m ipykernel install --sys-prefix")


def test_here_both_extensions_are_found() -> None:
    found = {each.name: each.state for each in findings()}

    assert found["widget manager"] == found["browser extension"] == OK

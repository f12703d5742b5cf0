"""The workflow files call what is there, and nobody's text becomes a command."""

import re
from pathlib import Path

import pytest
import yaml

from tests.house.constraints import PROJECT, pythons
from tests.house.repository import ROOT, planted
from tests.house.workflows import complaints, steps, workflows

NAMES = {"ci.yml", "install.yml", "pages.yml", "release.yml", "versions.yml"}
GOOD = """\
name: Good
on: [push]
permissions:
  contents: read
jobs:
  one:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - uses: actions/checkout@v4
      - run: python -m tests.tool
"""


def commands(file: str) -> list[str]:
    return [step["run"] for _, step in steps(workflows(ROOT)[file]) if "run" in step]


def test_there_are_these_workflows_and_nothing_is_wrong_with_them() -> None:
    assert workflows(ROOT).keys() == NAMES
    assert complaints(ROOT) == []


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("on: [push]", "on: [pull_request_target]", "with the repository's own rights"),
        ("  contents: read", "  contents: write", "right to read alone"),
        ("    timeout-minutes: 5\n", "", "no limit of time"),
        ("checkout@v4", "checkout@main", "names no version"),
        ("checkout@v4", "checkout", "names no version"),
        ("tests.tool", "tests.gone", "the module tests.gone is not there"),
        ("python -m tests.tool", ".ci/gone", ".ci/gone is not there"),
        ("python -m tests.tool", ".ci/idle", ".ci/idle cannot be run"),
        ("python -m tests.tool", "python -m pytest --ignore=tests/gone", "tests/gone is not there"),
        ("python -m tests.tool", "python -m pytest --deselect=tests/tool.py::test_gone", "has no test_gone"),
        ("python -m tests.tool", "echo ${{ github.event.issue.title }}", "a text from outside"),
        ("python -m tests.tool", "echo ${{ github.head_ref }}", "a text from outside"),
    ],
)
def test_each_fault_is_told(before: str, after: str, told: str, tmp_path: Path) -> None:
    assert before in GOOD
    files = {"tests/tool.py": "def test_one(): ...\n", ".ci/idle": "", ".github/workflows/a.yml": GOOD}
    assert complaints(planted(tmp_path / "good", files)) == []

    found = complaints(planted(tmp_path / "bad", files | {".github/workflows/a.yml": GOOD.replace(before, after)}))

    assert len(found) >= 1
    assert told in " ".join(found)


def test_ci_runs_the_script_that_runs_readmes_command() -> None:
    assert ".ci/run" in commands("ci.yml")


def test_the_oldest_set_is_run_as_contributing_says() -> None:
    told = (ROOT / "CONTRIBUTING.md").read_text()
    install, test = commands("versions.yml")[:2]

    assert f"`{install}`" in told
    assert f"`{test.partition(' --deselect')[0]}`" in told
    assert f"`{test.rpartition('::')[2].strip()}`" in " ".join(told.split())


def test_the_newest_versions_are_run_on_every_python_that_the_project_names() -> None:
    newest = workflows(ROOT)["versions.yml"]["jobs"]["newest"]

    assert newest["strategy"]["matrix"]["python"] == pythons()


def test_what_is_installed_for_the_pages_is_an_extra() -> None:
    extras = {extra for command in commands("pages.yml") for extra in re.findall(r"\.\[(\w+)\]", command)}

    assert extras == {"docs"}
    assert extras <= PROJECT["optional-dependencies"].keys()


def test_a_release_publishes_nothing_until_a_maintainer_has_switched_it_on() -> None:
    publish = workflows(ROOT)["release.yml"]["jobs"]["publish"]

    assert publish["environment"] == "release"
    assert publish["if"] == "github.ref_type == 'tag' && vars.PUBLISH == 'yes'"


def test_only_jobs_that_run_no_code_of_ours_or_of_others_may_write_or_sign() -> None:
    for file, workflow in workflows(ROOT).items():
        for name, job in workflow["jobs"].items():
            if "write" in (job.get("permissions") or {}).values():
                told = [step.get("uses", step.get("run", "")) for step in job["steps"]]
                assert all(each.startswith(("actions/", "pypa/", "gh release create")) for each in told), (file, name)
                assert not any(each.startswith("actions/checkout") for each in told), (file, name)


def test_no_checkout_leaves_the_token_where_later_steps_find_it() -> None:
    checkouts = [
        step
        for workflow in workflows(ROOT).values()
        for _, step in steps(workflow)
        if step.get("uses", "").startswith("actions/checkout")
    ]

    assert len(checkouts) >= 7
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("name", ["fault", "teaching"])
def test_a_report_asks_for_what_the_doctor_says(name: str) -> None:
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml").read_text())
    fields = {field["id"]: field for field in form["body"]}

    assert "camwidget doctor" in fields["doctor"]["attributes"]["label"]
    assert fields["doctor"]["attributes"]["render"] == "text"  # or a traceback would be read as Markdown
    assert bool(fields["doctor"].get("validations", {}).get("required")) == (name == "fault")

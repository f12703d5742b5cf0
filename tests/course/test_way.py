"""The course page, the order, and the links from each step to the next."""

import json
import re
from pathlib import Path

import pytest

from camwidget.course.order import ASSIGNMENTS
from tests.course.source import WRITTEN
from tests.course.way import COURSE, Step, stale, steps
from tests.house.repository import ROOT

STEPS = steps()


def prose(path: Path) -> str:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def test_every_notebook_and_every_exercise_is_a_step() -> None:
    assert [step.name for step in STEPS if step.exercise] == list(WRITTEN) == list(ASSIGNMENTS)
    assert [step.name for step in STEPS if not step.exercise] == sorted(
        path.stem for path in (ROOT / "notebooks").glob("*.ipynb")
    )


def test_page_and_lines_are_what_the_steps_say() -> None:
    assert list(stale()) == [], "make them again with: python -m tests.course.way, then python -m tests.course.release"


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_every_link_of_a_step_leads_to_a_file(step: Step) -> None:
    path = ROOT / step.place
    links = re.findall(r"\]\(([^)#]+\.(?:ipynb|md))\)", prose(path))

    assert len(links) >= 1
    assert [link for link in links if not (path.parent / link).is_file()] == []


@pytest.mark.parametrize("step", [step for step in STEPS if not step.exercise], ids=lambda step: step.name)
def test_a_notebook_ends_with_the_exercise_to_do_now(step: Step) -> None:
    assert f"**Now do** the exercise [`{STEPS[step.number].name}`](../{STEPS[step.number].place})" in prose(step.source)


def test_every_link_of_the_page_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)]+)\)", COURSE.read_text(encoding="utf-8"))

    assert len(links) == len(STEPS)
    assert [link for link in links if not (ROOT / link).is_file()] == []

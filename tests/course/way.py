"""The way through the course: `python -m tests.course.way` writes COURSE.md and the line under each notebook's title.

Minutes of an exercise are the sum of its items'. Those of a notebook are counted off its text: `READING` words a
minute, `GUESSING` minutes for each guess, `LOOKING` for each code cell, `TRYING` for each thing to try in a
panel. Nobody held a watch to learners; the counts are the same for all, so they compare.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from camwidget.course.order import ASSIGNMENTS
from camwidget.course.selfstudy.materials import tasks
from tests.course.source import SOLUTIONS, head_of
from tests.house.repository import ROOT

COURSE = ROOT / "COURSE.md"
READING, GUESSING, LOOKING, TRYING = 150, 0.5, 0.3, 3
_SAID_LATER = re.compile(r"<details>.*?</details>", re.DOTALL)
_STORIES = {
    "01_cam_and_hooks": "What is the network looking at? CAM, hooks, and what a sum can prove",
    "02_grad_cam": "What is a channel worth? Grad-CAM, gradients, hooks and callbacks",
    "03_is_it_really_a_cam": "Is it really a CAM? Maps that only look like one",
    "04_which_words": "Which words decide? The same for texts",
    "05_where_does_it_go_wrong": "Where does it go wrong? A whole data set, and what is missing from it",
}
_EXERCISES = {
    "hooks": "Listen to a network while it runs",
    "cam": "From an activation to a class activation map",
    "grad_cam": "A map for every layer",
    "keepdim": "One argument that is easily forgotten",
    "rebuild": "An empty page: build both maps again without looking",
    "nlp_cam": "Which words decide a review?",
    "mistakes": "Which pictures does a network get wrong, and why?",
}
_BEFORE = {
    "hooks": "01_cam_and_hooks",
    "grad_cam": "02_grad_cam",
    "rebuild": "03_is_it_really_a_cam",
    "nlp_cam": "04_which_words",
    "mistakes": "05_where_does_it_go_wrong",
}
"""Assignment to the notebook that comes right before it."""


@dataclass(frozen=True)
class Step:
    """One notebook or one exercise."""

    number: int
    name: str
    about: str

    @property
    def exercise(self) -> bool:
        return self.name in ASSIGNMENTS

    @property
    def place(self) -> str:
        """Where learners find it, from the top of the course."""
        return f"exercises/{self.name}/{self.name}.ipynb" if self.exercise else f"notebooks/{self.name}.ipynb"

    @property
    def source(self) -> Path:
        """The file that people write."""
        return SOLUTIONS / self.name / f"{self.name}.ipynb" if self.exercise else ROOT / self.place

    @property
    def minutes(self) -> int:
        """About how long it takes, in steps of five."""
        if self.exercise:
            exact: float = sum(head_of(item).minutes for item in tasks() if item.partition(".")[0] == self.name)
        else:
            cells = json.loads(self.source.read_text(encoding="utf-8"))["cells"]
            prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
            code = sum(cell["cell_type"] == "code" for cell in cells)
            guesses, trials = (
                len(re.findall(mark, _SAID_LATER.sub("", prose))) for mark in (r"\*\*Guess", r"(?m)^\d+\. ")
            )
            exact = len(prose.split()) / READING + GUESSING * guesses + LOOKING * code + TRYING * trials
        return 5 * math.ceil(exact / 5)


def steps() -> list[Step]:
    """All steps, in order."""
    found: list[Step] = []
    for assignment in ASSIGNMENTS:
        names = [_BEFORE[assignment]] if assignment in _BEFORE else []
        for name in (*names, assignment):
            found.append(Step(len(found) + 1, name, (_STORIES | _EXERCISES)[name]))
    return found


def line_of(step: Step) -> str:
    """The line under a notebook's title: where one is, what comes next, and the way back to the page."""
    up = "../../" if step.exercise else "../"
    every = steps()
    parts = [f"Step {step.number} of {len(every)}", f"about {step.minutes} minutes"]
    if step.number < len(every):
        follows = every[step.number]
        kind = "exercise" if follows.exercise else "notebook"
        parts.append(f"next: the {kind} [{follows.name}]({up}{follows.place})")
    return f"*{' · '.join([*parts, f'[the whole course]({up}COURSE.md)'])}*"


def page() -> str:
    """The course page."""
    rows = [
        f"| {step.number} | {'exercise' if step.exercise else 'notebook'} | [{step.name}]({step.place}) | {step.about} "
        f"| {step.minutes} |"
        for step in steps()
    ]
    hours = sum(step.minutes for step in steps()) / 60
    return f"""# The course, step by step

Notebooks tell a story: read, guess, run. Exercises ask you to write something, and check it at once. Take them in this
order; about {hours:.0f} hours in all. Each has a link to the next under its title.

| Step | Kind | Open | What it is about | Minutes |
|---|---|---|---|---|
{chr(10).join(rows)}

Minutes are estimates: of a notebook from the length of its text, of an exercise the sum of its
items', rounded up to five.

In a terminal, in this folder:

| Command | What it does |
|---|---|
| `camwidget check hooks --watch` | says after each save what is done, and what is next |
| `camwidget hint` | gives a hint for your next item; `--level 2` and `--level 3` say more |
| `camwidget reset hooks.q5` | puts one item back as it came, and keeps a copy of your notebook |
| `camwidget list` | lists all items |

In JupyterLab, right-click this file and choose *Open With*, *Markdown Preview*: then the links work.
"""


def _with_line(step: Step) -> str:
    notebook = json.loads(step.source.read_text(encoding="utf-8"))
    first = notebook["cells"][0]
    title, *rest = "".join(first["source"]).split("\n\n")
    rest = [each for each in rest if not each.startswith("*Step ")]
    first["source"] = "\n\n".join([title, line_of(step), *rest]).splitlines(keepends=True)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def stale() -> Iterator[Path]:
    """Yield every file that `main` would change."""
    for step in steps():
        if step.source.read_text(encoding="utf-8") != _with_line(step):
            yield step.source
    if not COURSE.is_file() or COURSE.read_text(encoding="utf-8") != page():
        yield COURSE


def main() -> None:
    for step in steps():
        step.source.write_text(_with_line(step), encoding="utf-8")
    COURSE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()

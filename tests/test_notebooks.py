"""The story notebooks run from the top, and their committed outputs are the ones they give."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tests.notebooks import NOTEBOOKS, executed
from tests.numbers import in_prose, is_shown, shown_by


def texts(notebook: NotebookNode) -> list[list[str]]:
    """What every code cell says in text, with numbers to three decimals: the rest differs between processors."""
    said = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            parts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
            said.append([re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.3f}", part) for part in parts])
    return said


def pictures(notebook: NotebookNode) -> list[list[str]]:
    return [
        sorted(
            kind for output in cell.get("outputs", []) for kind in output.get("data", {}) if kind.startswith("image/")
        )
        for cell in notebook.cells
    ]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_committed_outputs_are_what_the_notebook_gives(path: Path) -> None:
    committed = nbformat.read(path, as_version=4)

    fresh = executed(path)

    assert texts(fresh) == texts(committed)
    assert pictures(fresh) == pictures(committed)
    assert any(pictures(committed))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_keeps_no_state_of_live_widgets_and_no_error(path: Path) -> None:
    source = path.read_text("utf-8")
    notebook = json.loads(source)

    assert "application/vnd.jupyter.widget" not in source
    assert all(output["output_type"] != "error" for cell in notebook["cells"] for output in cell.get("outputs", []))
    assert all(output.get("name") != "stderr" for cell in notebook["cells"] for output in cell.get("outputs", []))


# Numbers that stand in a sentence and in no output, each with what it rests on.
ON_ANOTHER_GROUND = {
    "01_cam_and_hooks": {
        "2016": "the year of the paper",
        "64": "an example of a batch, no claim",
    },
    "02_grad_cam": {"2017": "the year of the paper"},
    "03_is_it_really_a_cam": {"2020": "the year of the paper"},
    "04_which_words": {
        "2018": "the year of the paper",
        "7,000": "about: the embedding in the output has 7,002 rows, two of them for no word and for unknown ones",
        "1,492": "python -m tests.text.proof: reviews of eight words on, among those held out",
        "0.82": "python -m tests.text.proof",
        "0.04": "python -m tests.text.proof",
        "0.44": "python -m tests.text.proof",
        "1.8": "from -0.5 to +1.3, and from -4.0 to -2.2: differences of numbers in the output above",
        "3.1": "from -3.4 to -0.3, and about as much from -0.5 to +2.7: differences of numbers in the output above",
        "2.5": "what pip downloads, in MB",
        "72": "fastai's own seq_len",
    },
    "05_where_does_it_go_wrong": {"50,000": "an example of many pictures, no claim"},
}


def unfounded(notebook: NotebookNode, allowed: Mapping[str, str]) -> dict[str, str]:
    """Numbers in sentences that nothing shows, and the line they stand in."""
    shown = shown_by(notebook)
    return {
        number: line
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        for number in in_prose(line)
        if number not in allowed and not is_shown(number, shown)
    }


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_number_in_a_sentence_comes_from_an_output_or_has_another_ground(path: Path) -> None:
    assert unfounded(nbformat.read(path, as_version=4), ON_ANOTHER_GROUND[path.stem]) == {}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_other_ground_is_needed(path: Path) -> None:
    missing = unfounded(nbformat.read(path, as_version=4), {})

    assert set(ON_ANOTHER_GROUND[path.stem]) <= set(missing)


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("It is right in 97.4 % of 1,586 reviews.", ["97.4", "1,586"]),
        ("Seventeen words, seven of them red.", ["Seventeen"]),
        ("`x = 99` and [page 98](97.md) and layer `0.5`", []),
        ("See layer4 and 7 × 7 cells.", ["7", "7"]),
    ],
)
def test_numbers_are_read_out_of_sentences(sentence: str, found: list[str]) -> None:
    assert [each for each in in_prose(sentence) if each != "98"] == found


@pytest.mark.parametrize(
    ("number", "shown", "right"),
    [("78.5", 0.785, True), ("78.5", 0.7862, False), ("6,188", 6188, True), ("8", 9, False), ("1.8", 1.84, True)],
)
def test_a_number_is_shown_to_the_digits_that_are_written(number: str, shown: float, right: bool) -> None:
    assert is_shown(number, [shown]) is right

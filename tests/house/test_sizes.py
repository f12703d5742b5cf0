"""Short functions, modules of one idea, small files."""

from pathlib import Path

import pytest

from tests.house.repository import ROOT, planted, tracked_files
from tests.house.rules import long_bodies, long_modules
from tests.house.sources import body_lengths

MOST_LINES_OF_A_BODY = {"camwidget": 60, "tests": 40}
MOST_LINES_OF_A_MODULE = 400
# Longer ones, by path, with the answer to "is it one idea?".
ONE_IDEA: dict[str, dict[str, str]] = {
    "camwidget": {
        "maps/activation.py": "what logits mean, by each of those who can tell",
        "maps/arguments.py": "all that may be asked for, and what is wrong with it",
        "mistakes/found.py": "one class: what was found, as a table and as maps, and its files",
        "mistakes/loaders.py": "where pictures come from, for each kind of loader that people have",
    },
    "tests": {
        "course/bank/cam.py": "a list of answers as learners write them",
        "course/bank/grad_cam.py": "a list of answers as learners write them",
        "course/bank/hooks.py": "a list of answers as learners write them",
        "course/bank/keepdim.py": "a list of answers as learners write them",
        "course/bank/mistakes.py": "a list of answers as learners write them",
        "grading/attacks.py": "a list of attacks and what each deserves",
        "grading/test_intake.py": "every way in which submissions come, and what may be wrong with them",
        "grading/whole.py": "a list of ways to write a notebook, and the run over them",
        "mistakes/test_find.py": "every kind of data that pictures are read from",
        "panel/test_state.py": "what setting a trait does and does not, for every trait of both panels",
    },
}
MOST_BYTES = 1_000_000


@pytest.mark.parametrize("folder", MOST_LINES_OF_A_BODY)
def test_no_function_has_a_longer_body_than_is_read_at_once(folder: str) -> None:
    found = long_bodies(ROOT / folder, MOST_LINES_OF_A_BODY[folder])

    assert found == [], "\n".join(found)


@pytest.mark.parametrize("folder", ONE_IDEA)
def test_a_long_module_has_an_answer_to_whether_it_is_one_idea(folder: str) -> None:
    found = long_modules(ROOT / folder, MOST_LINES_OF_A_MODULE, ONE_IDEA[folder])

    assert found == [], "\n".join(found)


def test_of_two_modules_with_one_name_both_are_measured(tmp_path: Path) -> None:
    long = "def work():\n" + "    x = 1\n" * 3
    tree = planted(tmp_path, {"a/capture.py": long, "b/capture.py": "def work():\n    x = 1\n"})

    assert long_bodies(tree, 2) == ["a/capture.py: work has 3 lines"]
    assert long_modules(tree, 3, {}) == ["a/capture.py has 4 lines: is it one idea?"]


def test_an_answer_is_accepted_while_it_is_needed(tmp_path: Path) -> None:
    tree = planted(tmp_path, {"long.py": "x = 1\n" * 5, "short.py": "x = 1\n"})

    assert long_modules(tree, 4, {"long.py": "a table"}) == []
    assert long_modules(tree, 4, {"long.py": "a table", "short.py": "a table"}) == ["short.py needs no answer"]


def test_methods_and_functions_in_functions_are_measured_and_count_for_what_is_around_them(tmp_path: Path) -> None:
    source = """
class Panel:
    async def show(self):
        def inner():
            x = 1
            y = 2
        inner()
"""
    tree = planted(tmp_path, {"panel.py": source})

    assert long_bodies(tree, 1) == ["panel.py: Panel.show has 4 lines", "panel.py: Panel.show.inner has 2 lines"]


def test_blank_lines_comments_and_docstrings_are_not_counted_and_texts_are() -> None:
    source = '''
def work(
    value,
):
    """Say what it does.

    At length.
    """
    # a comment

    value = """one

    two"""

    def inner():
        """Say what it does."""
        return value  # a comment beside code
    return (
        inner,
    )
'''

    assert body_lengths(source) == {"work": 7, "work.inner": 1}


def test_no_file_weighs_down_a_clone() -> None:
    sizes = {str(path.relative_to(ROOT)): path.stat().st_size for path in tracked_files()}

    assert "pyproject.toml" in sizes
    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}


def test_the_top_level_folders_are_those_of_the_architecture() -> None:
    tops = {path.relative_to(ROOT).parts[0] for path in tracked_files() if path.parent != ROOT}

    around = {".binder", ".ci", ".devcontainer", ".github"}
    assert tops <= {*around, "camwidget", "docs", "exercises", "notebooks", "solutions", "tests"}

"""Every folder says how to read it, and the tests stand where their modules do."""

from pathlib import Path

from tests.house.repository import ROOT, planted
from tests.house.rules import borrowed_helpers, strayed_tests, unguided_folders, untested_modules

PACKAGE = ROOT / "camwidget"
TESTS = ROOT / "tests"
# Modules, and folders of modules, that no test file imports by name, each with the tests that see them all the same.
TESTED_OTHERWISE = {
    "course/assignments/": "`course/test_bank.py` puts right and wrong answers before every judge, as learners do",
    "course/compare.py": "what it recognises is what `course/test_bank.py` expects of every wrong answer",
    "grading/command.py": "`grading/test_local.py` calls the command",
    "grading/own.py": "`grading/test_plain.py` has cells that give `self` anything, and cells that rebind it",
    "grading/preload.py": "`grading/test_local.py` starts workers, which are forks of it",
    "grading/process.py": "`grading/test_attacks.py` makes learners' processes hang, end and lie",
    "grading/vocabulary.py": "`grading/test_plain.py` has cells with its words and without",
    "hooks/tensors.py": "`hooks/test_capture.py` and `test_hook.py` give them tuples, dicts and subclasses",
    "panel/controls.py": "`panel/test_picture.py` and `browser/` move the controls",
    "panel/shown.py": "`panel/test_view.py`, `test_rerun.py` and `test_mistakes.py` look at what a notebook gets",
    "text/layout.py": "`text/test_positions_first.py` and `text/test_transformers.py` read layers in every layout",
}


def test_every_folder_says_in_which_order_to_read_it() -> None:
    found = unguided_folders(PACKAGE)

    assert found == [], "\n".join(found)


def test_a_folder_that_is_no_guide_is_reported(tmp_path: Path) -> None:
    package = planted(
        tmp_path / "package",
        {
            "good/__init__.py": '"""Good.\n\nRead `one` first, then `deeper`.\n"""\n',
            "good/one.py": "",
            "good/data/list.txt": "",
            "good/deeper/__init__.py": '"""A single module needs no order."""\n',
            "good/deeper/only.py": "",
            "bare/thing.py": "",
            "mute/__init__.py": "",
            "mute/one.py": "",
            "silent/__init__.py": '"""Has `one` and `two`."""\n',
            "silent/one.py": "",
            "silent/two.py": "",
            "stale/__init__.py": '"""Stale.\n\nRead `one` first, then `two` and `gone`.\n"""\n',
            "stale/one.py": "",
            "stale/two.py": "",
        },
    )

    assert unguided_folders(package) == [
        "bare has no __init__.py",
        "mute has no docstring",
        "silent does not say in which order to read it",
        "stale tells to read `gone`, which it has not",
    ]


def test_a_test_with_the_name_of_a_module_lies_in_the_folder_of_the_module() -> None:
    found = strayed_tests(PACKAGE, TESTS)

    assert found == [], "\n".join(found)


def test_every_module_is_imported_by_a_test_or_has_a_reason() -> None:
    found = untested_modules(PACKAGE, TESTS, TESTED_OTHERWISE)

    assert found == [], "\n".join(found)


def test_a_strayed_test_and_an_untested_module_are_reported(tmp_path: Path) -> None:
    package = planted(
        tmp_path / "package",
        {f"{name}.py": "" for name in ("top", "_own", "a/same", "b/same", "b/alone", "b/forgotten", "c/excused")},
    )
    tests = planted(
        tmp_path / "tests",
        {
            "test_top.py": "import package.top\n",
            "a/test_same.py": "from package.a import same\n",
            "b/test_same.py": "from package.b.same import thing\n",
            "a/test_alone.py": "def test():\n    from package.b.alone import thing\n",
            "a/test_idea.py": "",
            "b/forgotten.py": "import package.b.forgotten\n",
        },
    )

    assert strayed_tests(package, tests) == ["a/test_alone.py belongs to b"]
    assert untested_modules(package, tests, {"c/": "", "a/same.py": ""}) == [
        "no test imports b/forgotten.py",
        "a/same.py needs no excuse",
    ]


def test_nobody_takes_helpers_from_a_file_of_tests() -> None:
    found = borrowed_helpers(TESTS)

    assert found == [], "\n".join(found)


def test_who_does_is_reported(tmp_path: Path) -> None:
    tree = planted(
        tmp_path / "tests",
        {
            "maps/test_one.py": "from tests.maps.helpers import x\n",
            "maps/helpers.py": "x = 1\n",
            "test_two.py": "from tests.maps.test_one import x\n",
            "table.py": "import tests.maps.test_one as one\nfrom tests import test_two\n",
        },
    )

    assert borrowed_helpers(tree) == [
        "table.py imports maps/test_one.py",
        "table.py imports test_two.py",
        "test_two.py imports maps/test_one.py",
    ]

"""Small modules, small files."""

from tests.house.repository import ROOT, tracked_files

MOST_LINES = 250
MOST_BYTES = 1_000_000


def test_no_module_holds_more_than_one_idea_fits_in() -> None:
    lines = {path.name: len(path.read_text().splitlines()) for path in sorted((ROOT / "camwidget").rglob("*.py"))}

    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_no_file_weighs_down_a_clone() -> None:
    sizes = {str(path.relative_to(ROOT)): path.stat().st_size for path in tracked_files()}

    assert "pyproject.toml" in sizes
    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}


def test_the_top_level_folders_are_the_five_of_the_architecture() -> None:
    tops = {path.relative_to(ROOT).parts[0] for path in tracked_files() if path.parent != ROOT}

    assert tops <= {".ci", "camwidget", "exercises", "notebooks", "solutions", "tests"}

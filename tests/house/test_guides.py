"""READMEs of folders are a page each, and name every module; ARCHITECTURE.md is a page and a half."""

from pathlib import Path

from tests.house.repository import ROOT, planted
from tests.house.rules import long_guides, more_than, unnamed_modules

PACKAGE = ROOT / "camwidget"


def test_the_readme_of_a_folder_is_at_most_a_page() -> None:
    found = long_guides(PACKAGE)

    assert len(list(PACKAGE.rglob("README.md"))) >= 9
    assert found == [], "\n".join(found)


def test_the_architecture_is_at_most_a_page_and_a_half() -> None:
    found = more_than(1.5, ROOT / "ARCHITECTURE.md")

    assert found == [], "\n".join(found)


def test_a_readme_names_every_module_beside_it() -> None:
    found = unnamed_modules(PACKAGE)

    assert found == [], "\n".join(found)


def test_a_text_with_too_many_lines_too_long_ones_or_too_many_words_is_reported(tmp_path: Path) -> None:
    package = planted(
        tmp_path,
        {
            "full/README.md": "word " * 12 + "\n" + "\n" * 64 + "x" * 120 + "\n",
            "lines/README.md": "\n" * 67,
            "wide/deeper/README.md": "x\n" + "ä" * 121 + "\n",
            "words/README.md": ("a b c d e f g h i j k l\n" * 63)[:-1],
        },
    )

    assert long_guides(package) == [
        "lines/README.md: 67 lines, of 66 at most",
        "wide/deeper/README.md: line 2 has 121 characters, of 120 at most",
        "words/README.md: 756 words, of 750 at most",
    ]
    assert more_than(1.5, package / "words" / "README.md") == []
    assert more_than(0.5, package / "full" / "README.md") == ["66 lines, of 33 at most"]


def test_a_module_that_a_readme_leaves_out_is_reported(tmp_path: Path) -> None:
    package = planted(
        tmp_path,
        {
            "named/README.md": "| `one`, `two` | what they do |\n",
            "named/__init__.py": "",
            "named/one.py": "",
            "named/two.py": "",
            "named/three.py": "",
            "mute/three.py": "",
        },
    )

    assert unnamed_modules(package) == ["named/README.md does not name three"]

"""What goes into the wheel, and what the wheel says about itself."""

import re
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path, PurePosixPath

import pytest

from tests.house.constraints import PROJECT, pythons
from tests.house.repository import ROOT, run_python, tracked_files

BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
MATERIALS = ("COURSE.md", "exercises", "notebooks")
FOR_MAINTAINERS = ("README.md", "types.d.ts", "tools.d.ts", "dataset.d.ts", "whole_parts.d.ts")
"""Files of the package that lie in the repository alone: pages about the code, types for editors."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    done = run_python("-c", BUILD, str(folder))
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


@pytest.fixture(scope="module")
def names(wheel: zipfile.ZipFile) -> set[str]:
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return message_from_bytes(wheel.read(name))


def relative_links(markdown: str) -> list[str]:
    """Where links and pictures lead that are no addresses of their own."""
    targets = re.findall(r"\]\(\s*([^)\s]*)", markdown) + re.findall(r"(?:src|href)=[\"']([^\"']*)", markdown)
    return [target for target in targets if not target.startswith(("https://", "http://", "#"))]


def test_the_wheel_holds_the_package_and_what_a_learner_is_given_and_nothing_else(names: set[str]) -> None:
    tracked = {path.relative_to(ROOT) for path in tracked_files()}
    package = {path.as_posix() for path in tracked if path.parts[0] == "camwidget" and path.name not in FOR_MAINTAINERS}
    materials = {f"camwidget/materials/{path.as_posix()}" for path in tracked if path.parts[0] in MATERIALS}

    assert names == package | materials


def test_no_test_no_answer_and_no_tool_of_the_maintainers_is_in_the_wheel(names: set[str]) -> None:
    parts = {part for name in names for part in PurePosixPath(name).parts}

    assert parts.isdisjoint({"tests", "solutions", "benchmarks", "train.py", "README.md", ".ci", "__pycache__"})
    assert not {part for part in parts if part.startswith(("test_", "hidden_"))}


def test_what_the_browser_needs_and_the_packaged_network_are_in_the_wheel(names: set[str]) -> None:
    assert {
        f"camwidget/panel/static/{name}"
        for name in ("panel.css", "widths.css", "tools.css", "lecture.css", "page.css", "picture.js", "text.js")
    } <= names
    assert {f"camwidget/text/packaged/{name}" for name in ("record.json", "weights.pt", "words.txt")} <= names
    assert {"camwidget/py.typed", "camwidget/materials/notebooks/01_cam_and_hooks.ipynb"} <= names


def test_an_exercise_lies_where_the_command_looks_for_it(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path / "site")
    code = "import sys; sys.path.insert(0, 'site'); "
    code += "from camwidget.command.cli import main; sys.exit(main(['start', 'course']))"

    done = run_python("-c", code, folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "course" / "exercises" / "cam" / "cam.ipynb").is_file()
    assert (tmp_path / "course" / "notebooks" / "01_cam_and_hooks.ipynb").is_file()


def test_no_link_of_readme_leads_nowhere_from_the_wheel(metadata: Message) -> None:
    shown = str(metadata.get_payload())

    assert metadata["Description-Content-Type"] == "text/markdown"
    assert shown.startswith("# camwidget\n")
    assert relative_links(shown) == []
    assert "NETWORKS.md" in shown  # the text of a link stays


def test_the_search_for_links_sees_those_that_are_there() -> None:
    markdown = '[a](b.md) ![c](d/e.jpg) <img src="f.png"> [g](https://example.org/h) [i](#j)'

    assert relative_links(markdown) == ["b.md", "d/e.jpg", "f.png"]
    assert relative_links((ROOT / "README.md").read_text())


def test_the_wheel_says_who_made_it_and_what_it_asks_for_and_names_no_address(metadata: Message) -> None:
    assert metadata["Author"] == "camwidget maintainers"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == PROJECT["requires-python"]
    assert {f"Programming Language :: Python :: {version}" for version in pythons()} <= set(
        metadata.get_all("Classifier", [])
    )
    assert metadata["Author-email"] is None
    assert metadata["Project-URL"] is None  # none is known yet; see pyproject.toml

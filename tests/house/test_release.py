"""What a release checks and changes: one version everywhere, and a README whose links lead somewhere."""

import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from camwidget import __version__
from tests.house.constraints import PROJECT
from tests.house.repository import ROOT, planted

VERSION = runpy.run_path(str(ROOT / ".ci" / "version.py"))
LINKS = runpy.run_path(str(ROOT / ".ci" / "links.py"))
FILES = {
    "camwidget/__init__.py": '__version__ = "1.2.3"\n',
    "CITATION.cff": "version: 1.2.3\n",
    "CHANGELOG.md": "## Unreleased\n\n## 1.2.3 (2027-01-31)\n\n- New.\n\n## 1.2.2 (2027-01-01)\n\n- Old.\n",
}
ADDRESS = "https://example.org/someone/camwidget"


def test_a_version_that_all_files_name_is_released_with_its_notes_alone(tmp_path: Path) -> None:
    root = planted(tmp_path, FILES)

    assert VERSION["complaints"]("v1.2.3", root) == []
    assert VERSION["notes"]("1.2.3", root) == "- New."


@pytest.mark.parametrize(
    ("file", "before", "after", "told"),
    [
        ("camwidget/__init__.py", "1.2.3", "1.2.4", "camwidget/__init__.py says 1.2.4"),
        ("CITATION.cff", "1.2.3", "1.2.2", "CITATION.cff says 1.2.2"),
        ("CHANGELOG.md", "1.2.3 (2027-01-31)", "1.2.3", "no text under a heading"),
        ("CHANGELOG.md", "- New.\n", "", "no text under a heading"),
    ],
)
def test_a_file_that_names_another_version_is_told(
    file: str, before: str, after: str, told: str, tmp_path: Path
) -> None:
    root = planted(tmp_path, FILES | {file: FILES[file].replace(before, after)})

    (found,) = VERSION["complaints"]("v1.2.3", root)

    assert told in found


def test_a_tag_that_is_no_version_is_told(tmp_path: Path) -> None:
    assert "is no version" in VERSION["complaints"]("release", planted(tmp_path, FILES))[0]


def test_before_a_release_only_the_changelog_lacks_the_version() -> None:
    found = VERSION["complaints"](f"v{__version__}", ROOT)

    assert all("CHANGELOG.md" in each for each in found)


def test_the_command_refuses_and_says_why(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / ".ci" / "version.py"), "v99.0.0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "the tag 99.0.0" in done.stderr


def test_with_an_address_pictures_show_and_links_lead_to_the_tag(tmp_path: Path) -> None:
    text = LINKS["with_addresses"]((ROOT / "pyproject.toml").read_text(), ADDRESS, "v1.2.3")
    planted(tmp_path, {"pyproject.toml": text, "LICENSE": "", "camwidget/__init__.py": '__version__ = "1.2.3"\n'})
    for name in ("COURSE.md", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("exercises", "notebooks"):
        (tmp_path / name).mkdir()

    code = (
        "from hatchling.metadata.core import ProjectMetadata; from hatchling.plugin.manager import PluginManager; "
        "print(ProjectMetadata('.', PluginManager()).core.readme)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert f"]({ADDRESS}/raw/v1.2.3/docs/images/" in done.stdout
    assert f"[ARCHITECTURE.md]({ADDRESS}/blob/v1.2.3/ARCHITECTURE.md)" in done.stdout
    assert "](notebooks/" not in done.stdout
    assert "](docs/" not in done.stdout


@pytest.mark.parametrize("address", ["someone/camwidget", "https://example.org/a b/c", "https://example.org"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(SystemExit, match="no address"):
        LINKS["with_addresses"]((ROOT / "pyproject.toml").read_text(), address, "v1.2.3")


def test_links_that_were_changed_already_are_not_changed_again() -> None:
    once = LINKS["with_addresses"]((ROOT / "pyproject.toml").read_text(), ADDRESS, "v1.2.3")

    with pytest.raises(SystemExit, match="not once"):
        LINKS["with_addresses"](once, ADDRESS, "v1.2.3")
    assert tomllib.loads(once)["project"]["name"] == "camwidget"


def test_the_citation_says_what_the_project_says() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())

    assert (cited["version"], cited["license"]) == (__version__, PROJECT["license"])
    assert cited["authors"] == PROJECT["authors"]
    assert "url" not in cited  # none is known yet

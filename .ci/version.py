"""One version everywhere: check it before a release, and print what changed.

    python .ci/version.py v0.1.0 > notes.md

Uses the standard library alone, so that it runs before anything is installed.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def complaints(tag: str, root: Path) -> list[str]:
    """Where a repository does not name the version of the tag, as sentences."""
    found = []
    version = tag.removeprefix("v")
    if not re.fullmatch(r"v\d+\.\d+\.\d+", tag):
        found.append(f"The tag {tag} is no version: v0.1.0 would be one.")
    package = re.search(r'^__version__ = "(.+)"$', (root / "camwidget/__init__.py").read_text("utf-8"), re.MULTILINE)
    if not package or package[1] != version:
        found.append(f"camwidget/__init__.py says {package[1] if package else 'nothing'}, the tag {version}.")
    cited = re.search(r"^version: (\S+)$", (root / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    if not cited or cited[1] != version:
        found.append(f"CITATION.cff says {cited[1] if cited else 'nothing'}, the tag {version}.")
    if not notes(version, root):
        found.append(f"CHANGELOG.md has no text under a heading such as '## {version} (2027-01-31)'.")
    return found


def notes(version: str, root: Path) -> str:
    """What the changelog says about a version; empty if it has no such heading or nothing stands under it."""
    text = (root / "CHANGELOG.md").read_text("utf-8")
    heading = re.escape(version) + r" \(\d{4}-\d{2}-\d{2}\)"
    matched = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return matched[1].strip() if matched else ""


def main() -> None:
    """Print the notes, or what is wrong."""
    tag = sys.argv[1] if len(sys.argv) == 2 else ""
    if wrong := complaints(tag, ROOT):
        raise SystemExit("\n".join(wrong))
    print(notes(tag.removeprefix("v"), ROOT))


if __name__ == "__main__":
    main()

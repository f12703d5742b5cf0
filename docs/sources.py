"""What Sphinx reads: the pages of this folder, the notebooks, and the pages at the top that they include.

Links from there to what is no page here, such as an exercise or a folder's README, become plain text.
"""

import json
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "CHANGELOG.md": "changes.md",
    "COURSE.md": "course.md",
    "NETWORKS.md": "networks.md",
    "TEACHING.md": "teaching.md",
}
"""Pages at the top that have one here, and its name."""
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>(?!https?:|#)[^)\s]+)\)")


def gathered(folder: Path) -> Path:
    """Return a folder in which Sphinx finds all of it.

    Args:
        folder: an empty one.
    """
    docs = folder / "docs"
    shutil.copytree(ROOT / "docs", docs, ignore=shutil.ignore_patterns("__pycache__", "*.py", "_build"))
    shutil.copy(ROOT / "docs" / "conf.py", docs)
    (docs / "notebooks").mkdir()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = linked("".join(cell["source"]), prefix="../")
        (docs / "notebooks" / path.name).write_text(json.dumps(notebook), encoding="utf-8")
    for page in ROOT.glob("*.md"):
        (folder / page.name).write_text(linked(page.read_text(encoding="utf-8"), prefix=""), encoding="utf-8")
    return docs


def linked(text: str, *, prefix: str) -> str:
    """Return a text whose links lead to pages of the documentation; others are plain text.

    Args:
        text: Markdown.
        prefix: the way from the page to the folder of the documentation.
    """

    def kept(link: re.Match[str]) -> str:
        name = Path(link["target"]).name
        if name in PAGES:
            return f"[{link['text']}]({prefix}{PAGES[name]})"
        story = name.endswith(".ipynb") and (ROOT / "notebooks" / name).is_file()
        return f"[{link['text']}]({prefix}notebooks/{name})" if story else link["text"]

    return _LINK.sub(kept, text)

"""Let README's links and pictures lead to a repository, in the working copy from which a release is built.

    python .ci/links.py https://example.org/someone/camwidget v0.1.0

A wheel shows README where no file of the repository is. Without an address, pyproject.toml replaces links and pictures
by their texts; this changes those two lines, so that they show and lead somewhere. Uses the standard library alone.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def with_addresses(text: str, repository: str, version: str) -> str:
    """The text of pyproject.toml, with replacements that keep pictures and links.

    Raises:
        SystemExit: it has not the two replacements that are expected.
    """
    if not re.fullmatch(r"https://[\w.-]+(?:/[\w.-]+)+", repository) or not re.fullmatch(r"[\w.-]+", version):
        raise SystemExit(f"{repository} {version} is no address of a repository and version.")
    plain = (r"replacement = '*\1*'", r"replacement = '\1'")
    full = (
        rf"replacement = '![\1]({repository}/raw/{version}/\2)'",
        rf"replacement = '[\1]({repository}/blob/{version}/\2)'",
    )
    for before, after in zip(plain, full, strict=True):
        if text.count(before) != 1:
            raise SystemExit(f"pyproject.toml has {before} {text.count(before)} times, not once.")
        text = text.replace(before, after)
    return text


def main() -> None:
    """Change pyproject.toml."""
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    path = ROOT / "pyproject.toml"
    path.write_text(with_addresses(path.read_text("utf-8"), *sys.argv[1:]), "utf-8")


if __name__ == "__main__":
    main()

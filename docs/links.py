"""Links of built pages that lead nowhere, and requests that a page would make to another host."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "video": "src"}
"""What a browser fetches by itself, and the attribute that says from where."""
_ONLY_TOLD = {"canonical", "index", "next", "prev", "search"}
"""Links of a page's head that say where it belongs, and fetch nothing."""
_CSS_ADDRESS = re.compile(r"""(?:url\(|@import\s)\s*["']?(?P<address>(?:https?:)?//[^"')\s]+)""")


class Page(HTMLParser):
    """The links, anchors and fetches of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.fetched: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what matters of one tag."""
        given = {name: value or "" for name, value in attrs}
        self.anchors.update(given[name] for name in ("id", "name") if name in given)
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        told = tag == "link" and _ONLY_TOLD & set(given.get("rel", "").split())
        if LOADED.get(tag, "") in given and not told:
            self.fetched.append(given[LOADED[tag]])


def pages(out: Path) -> Iterator[tuple[Path, Page]]:
    """Yield every page below a folder."""
    for path in sorted(out.rglob("*.html")):
        yield path, Page(path)


def broken_links(out: Path) -> list[str]:
    """Return the links inside a folder of pages that lead nowhere, as sentences.

    Args:
        out: the folder.
    """
    known = dict(pages(out))
    found = []
    for path, page in known.items():
        for link in [*page.links, *page.fetched]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link.startswith("data:"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target = target / "index.html"
            if not target.is_file():
                found.append(f"{path.relative_to(out)}: {link} is not there")
            elif parts.fragment and target in known and unquote(parts.fragment) not in known[target].anchors:
                found.append(f"{path.relative_to(out)}: {link} has no such place")
    return found


def foreign_requests(out: Path) -> list[str]:
    """Return what pages and their styles would fetch from another host, as sentences.

    Args:
        out: the folder.
    """
    found = [
        f"{path.relative_to(out)} fetches {address}"
        for path, page in pages(out)
        for address in page.fetched
        if urlsplit(address).netloc
    ]
    for style in sorted(out.rglob("*.css")):
        for matched in _CSS_ADDRESS.finditer(style.read_text(encoding="utf-8", errors="replace")):
            found.append(f"{style.relative_to(out)} fetches {matched['address']}")
    return found

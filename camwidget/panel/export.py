"""A panel as one HTML file that slides without a kernel and without a network."""

import base64
import hashlib
import json
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from camwidget.errors import ExportError, three_parts
from camwidget.panel.view import MapView, page_parts, state_of

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main class="camw-panel">
<h1 class="camw-quiet">{title}</h1>
<div id="camw-view"></div>
</main>
<script type="application/json" id="camw-data">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"""


def page_html(view: MapView, *, title: str) -> str:
    """Return a page that shows a view as it is.

    The page's own rules let it run its one script, by its hash, and load nothing, so whatever a text or the name of a
    class holds, it is shown and never run.

    Args:
        view: what is shown.
        title: of the page.
    """
    # no kernel listens, so nothing is searched for
    state = state_of(view) | {"message": "", "busy": "", "live": 0, "names": [], "synonyms": []}
    binary = {name: base64.b64encode(each).decode("ascii") for name, each in state.items() if isinstance(each, bytes)}
    data = json.dumps(
        {
            "state": {name: each for name, each in state.items() if name not in binary},
            "binary": binary,
        },
        allow_nan=False,
    )
    script, style = page_parts(view)
    policy = f"default-src 'none'; script-src '{_hash_of(script)}'; style-src '{_hash_of(style)}'"
    policy += "; base-uri 'none'; form-action 'none'"
    return _PAGE.format(
        policy=policy,
        title=escape(title),
        style=style,
        script=script,
        # In a script's text "<" could end it or open a comment; in JSON the escaped form is the same character.
        data=data.replace("<", "\\u003c"),
    )


def save_page(page: str, path: Any) -> Path:
    """Write a page to a file and return its path.

    Args:
        page: the HTML.
        path: of the file, ending in .html; an existing file is replaced, its folder must exist.

    Raises:
        ExportError: the path is none for a page, or cannot be written.
    """
    allowed = "A page is saved as a file whose name ends in .html, in a folder that exists"
    if not isinstance(path, str | PathLike):
        raise ExportError(three_parts(f"The path is of type {type(path).__name__}", allowed, "Try 'panel.html'"))
    file = Path(path).expanduser()
    if file.suffix.lower() not in (".html", ".htm"):
        better = f"{file.stem or 'panel'}.html"
        raise ExportError(three_parts(f"The path is {str(path)!r}", allowed, f"Try {better!r}"))
    try:
        file.write_text(page, encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        given = f"{str(path)!r} cannot be written ({reason})"
        raise ExportError(three_parts(given, allowed, "Make the folder first, or choose another")) from error
    return file


def _hash_of(source: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode('ascii')}"

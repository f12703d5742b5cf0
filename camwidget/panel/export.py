"""A panel as one HTML file that slides without a kernel and without a network.

The export of ipywidgets would not do: it omits an anywidget's module and needs two content networks.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from html import escape
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

from camwidget.errors import ExportError, three_parts
from camwidget.panel.packing import packed
from camwidget.panel.view import MapView, ToldView, page_parts, state_of

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


_WITHOUT_KERNEL = {"message": "", "busy": "", "live": 0, "names": [], "synonyms": [], "past": [], "opened": -1}
"""What a page starts with where no kernel listens: nothing is searched for, and no other panel is open."""


def page_html(view: ToldView, *, title: str, manifest: Mapping[str, Any] = MappingProxyType({}), **more: Any) -> str:
    """Return a page that shows a view as it is.

    The page's own rules let it run its one script, by its hash, and load nothing, so whatever a text or the name of a
    class holds, it is shown and never run.

    Args:
        view: what is shown.
        title: of the page.
        manifest: what its manifest says otherwise than that of the view.
        **more: what else its script reads, as JSON holds it.
    """
    state = state_of(view)
    state |= {name: value for name, value in _WITHOUT_KERNEL.items() if name in state}
    if manifest:
        state["manifest"] = {**view.manifest, **manifest}
    if isinstance(view, MapView):
        state["manifest"], maps = packed(view.manifest, view.maps)
        del state["maps"]
        more["packed"] = base64.b64encode(maps).decode("ascii")
    binary = {name: base64.b64encode(each).decode("ascii") for name, each in state.items() if isinstance(each, bytes)}
    data = json.dumps(
        {
            "state": {name: each for name, each in state.items() if name not in binary},
            "binary": binary,
            **more,
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
    file = checked_path(path, "page", suffixes=(".html", ".htm"))
    return written(file, page.encode("utf-8"), "page")


def checked_path(path: Any, what: str, *, suffixes: Sequence[str]) -> Path:
    """Return the path of a file to write, if it can be one.

    Args:
        path: as it was given.
        what: is saved, in a word.
        suffixes: that its name may end in; the first is the one to try.

    Raises:
        ExportError: it is no path, or of another kind of file.
    """
    allowed = _allowed(what, suffixes[0])
    if not isinstance(path, str | PathLike):
        raise ExportError(
            three_parts(f"The path is of type {type(path).__name__}", allowed, f"Try 'panel{suffixes[0]}'")
        )
    file = Path(path).expanduser()
    if file.suffix.lower() not in suffixes:
        better = f"{file.stem or 'panel'}{suffixes[0]}"
        raise ExportError(three_parts(f"The path is {str(path)!r}", allowed, f"Try {better!r}"))
    return file


def written(file: Path, content: bytes, what: str) -> Path:
    """Write a file and return its path.

    Args:
        file: what `checked_path` returned.
        content: of the file.
        what: is saved, in a word.

    Raises:
        ExportError: it cannot be written.
    """
    try:
        file.write_bytes(content)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        given = f"{str(file)!r} cannot be written ({reason})"
        allowed = _allowed(what, file.suffix)
        raise ExportError(three_parts(given, allowed, "Make the folder first, or choose another")) from error
    return file


def _allowed(what: str, suffix: str) -> str:
    return f"A {what} is saved as a file whose name ends in {suffix}, in a folder that exists"


def _hash_of(source: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode('ascii')}"

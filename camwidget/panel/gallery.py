"""`MistakesView`, and what it is sent: numbers of all rows at once, pictures with maps as they come into sight."""

import base64
import io
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import traitlets
from jaxtyping import Float
from PIL import Image
from torch.nn.functional import adaptive_avg_pool2d

from camwidget.errors import ImageError, clipped
from camwidget.maps.arguments import told_apart
from camwidget.maps.methods import METHOD_LABELS
from camwidget.mistakes.found import Found
from camwidget.mistakes.groups import Group
from camwidget.mistakes.hide import HideTest
from camwidget.mistakes.tags import USUAL
from camwidget.panel.colours import colormap
from camwidget.panel.modules import joined
from camwidget.panel.view import ToldView, style_text

TILE_PIXELS = 224
"""The longer side of a picture as it is sent."""

MOST_CELLS = 56
"""A map in a saved page has so many cells a side at most. Tiles are 160 pixels wide; 224 by 224 cells take 0.5 MB."""

_LONGEST_NAME, _LONGEST_PATH = 120, 120
_MEAN_OF = 24


CHOICES: dict[str, tuple[str, ...]] = {
    "shown": ("wrong", "right", "all"),
    "order": ("loss", "sure", "doubt", "given"),
    "maps": ("both", "said", "true", "difference"),
}
"""What may be chosen of a gallery in words."""


class MistakesView(ToldView):
    """Shows the rows of a data set; a picture and its maps are sent when it comes into sight."""

    _esm = joined("mistakes.js")
    _css = style_text("mistakes.css")
    _page = "mistakes_page.js"

    rows = traitlets.Bytes().tag(sync=True)
    """Ten numbers of each row as little-endian float32, see `columns_of`."""
    manifest = traitlets.Dict().tag(sync=True)
    """Names of classes and pictures, and the groups: `manifest_of`."""
    colormap = traitlets.Bytes(colormap().tobytes()).tag(sync=True)
    """257 steps of red, green, blue and opacity."""
    shown = traitlets.Enum(CHOICES["shown"], "wrong").tag(sync=True)
    """`"wrong"`, `"right"` or `"all"`; a chosen cell of the matrix goes before it."""
    order = traitlets.Enum(CHOICES["order"], "loss").tag(sync=True)
    """What comes first: `"loss"`, `"sure"`, `"doubt"`, or `"given"` for an order of your own."""
    maps = traitlets.Enum(CHOICES["maps"], "both").tag(sync=True)
    """`"both"`, `"said"`, `"true"` or `"difference"`."""
    own_scale = traitlets.Int(0, min=0, max=1).tag(sync=True)
    """0: one colour scale for all pictures; 1: each on its own."""
    cell = traitlets.List(traitlets.Int()).tag(sync=True)
    """The true class and the one said of the cell that is chosen; empty if none is."""
    group = traitlets.Int(-1).tag(sync=True)
    """The group that is chosen, by its place in the list; -1 if none is."""
    tag = traitlets.Unicode("").tag(sync=True)
    """The tag that is chosen; empty if none is."""
    tags = traitlets.Dict().tag(sync=True)
    """Tag to the rows that have it; written by both sides."""
    opened = traitlets.Int(-1).tag(sync=True)
    """The row whose picture is open; -1 if none is."""


def columns_of(found: Found, rows: Sequence[int]) -> np.ndarray:
    """Return ten numbers of each row.

    They are the row, the true class, the class said, `p_true`, `p_said`, `margin`, `loss`, and the largest magnitude of
    three maps: what was said, what is true, their difference.

    Args:
        found: what `find_mistakes` returned.
        rows: the rows to show, those that could be read.
    """
    table = found.table.loc[list(rows)]
    places = found.table.index.get_indexer(list(rows))
    maps = np.nan_to_num(found.maps[places])
    peaks = [np.abs(each).max(axis=(1, 2), initial=0) for each in (maps[:, 0], maps[:, 1], maps[:, 0] - maps[:, 1])]
    codes = found.codes[places]
    numbers = [table[name].to_numpy() for name in ("p_true", "p_said", "margin", "loss")]
    columns: np.ndarray = np.stack([np.asarray(rows), codes[:, 0], codes[:, 1], *numbers, *peaks], axis=1)
    return columns.astype("<f4")


def manifest_of(
    found: Found, rows: Sequence[int], groups: Sequence[Group], tests: Sequence[HideTest], *, ordered: bool
) -> dict[str, Any]:
    """Return what does not change while one looks.

    Args:
        found: what `find_mistakes` returned.
        rows: the rows to show.
        groups: what `group_maps` returned.
        tests: what `hide_place` returned of some of them.
        ordered: whether the rows come in an order of the learner's own.
    """
    read = int(found.read.sum())
    paths = found.table["path"].loc[list(rows)]
    names = told_apart([clipped(name, longest=_LONGEST_NAME) for name in found.class_names])
    of = f" of {found.total:,}" if found.total is not None else ""
    return {
        "classes": list(map(isolated, names)),
        "paths": [clipped(str(path), longest=_LONGEST_PATH) for path in paths],
        "groups": [_group(found, group, _test_of(group, tests)) for group in groups],
        "usual": list(USUAL),
        "wrong": len(found.wrong),
        "total": read,
        "unread": len(found) - read,
        "stopped": "" if found.complete else f"Stopped after {len(found):,}{of}",
        "method": METHOD_LABELS.get(found.method, found.method),
        "layer": found.layer,
        "coarser": "",
        "map_height": found.maps.shape[2],
        "map_width": found.maps.shape[3],
        "height": found.size[0],
        "width": found.size[1],
        "ordered": ordered,
    }


def coarser(maps: Float[np.ndarray, "map map_height map_width"]) -> Float[np.ndarray, "map height width"]:
    """Return maps of at most `MOST_CELLS` cells a side: the means of neighbours, so that a map keeps its mean.

    Args:
        maps: the maps.
    """
    sides = tuple(min(side, MOST_CELLS) for side in maps.shape[1:])
    if sides == maps.shape[1:]:
        return maps
    pooled: np.ndarray = adaptive_avg_pool2d(torch.from_numpy(np.array(maps, np.float32)), sides).numpy()
    return pooled


def told_coarser(found: Found) -> str:
    """Return what a saved page says where its maps have fewer cells; empty where they have all.

    Args:
        found: what `find_mistakes` returned.
    """
    height, width = found.maps.shape[2:]
    kept = [min(side, MOST_CELLS) for side in (height, width)]
    return (
        "" if kept == [height, width] else f"This page has {kept[0]}×{kept[1]} of the {height}×{width} cells of a map"
    )


def tile_of(found: Found, row: int, *, saved: bool = False) -> tuple[dict[str, Any], bytes, bytes]:
    """Return what comes with a picture, the picture as a JPEG, and its two maps as little-endian float32.

    Where the picture cannot be read any more, `problem` says why and there are no bytes of it.

    Args:
        found: what `find_mistakes` returned.
        row: one of its rows.
        saved: whether it is for a saved page, where maps have at most `MOST_CELLS` cells a side.
    """
    maps = found.maps[found.place(row)].astype("<f4")
    maps = coarser(maps) if saved else maps
    height, width = maps.shape[1:]
    data = b"" if np.isnan(maps).any() else maps.tobytes()
    entry = {"row": row, "map_height": height, "map_width": width, "problem": ""}
    try:
        image = found.picture(row)
    except ImageError as error:
        return entry | {"problem": str(error)}, b"", data
    image.thumbnail((TILE_PIXELS, TILE_PIXELS), Image.Resampling.LANCZOS)
    return entry, _jpeg(image), data


def in_base64(data: bytes) -> str:
    """Return bytes as a text that JSON can hold.

    Args:
        data: the bytes.
    """
    return base64.b64encode(data).decode("ascii")


def _test_of(group: Group, tests: Sequence[HideTest]) -> HideTest | None:
    """The test of a group: of its class, and only of its pictures."""
    rows = set(group.rows)
    return next((test for test in tests if test.said == group.said and set(test.rows) <= rows), None)


def isolated(name: str) -> str:
    """Return a name that does not turn around the sentence in which it stands.

    Args:
        name: as a person reads it. One with letters that are read from right to left is put between the marks that
            Unicode has for this; any other comes back as it is.
    """
    from_right = any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in name)
    return f"\u2068{name}\u2069" if from_right else name


def _group(found: Found, group: Group, test: HideTest | None) -> dict[str, Any]:
    place = group.place if test is None else test.place
    title = f"{len(group):,} called {isolated(clipped(group.said, longest=40))}"
    text = _kinds(group)
    if group.pointed_out:
        title += f" look at {place.words}"
        text += f" {group.inside:.0%} of the maps are strongest there."
    if test is not None:
        text += " " + _tested(test)
    return {
        "rows": list(group.rows),
        "title": title,
        "text": text,
        "place": [place.top, place.left, place.bottom, place.right],
        "mean": coarser(group.mean[None])[0].astype(float).tolist(),
        "picture": in_base64(_jpeg(_mean_picture(found, group))),
        "test": None if test is None else {name: getattr(test, name) for name in ("before", "hidden", "elsewhere")},
    }


def _kinds(group: Group) -> str:
    count = "one is a mistake" if group.errors == 1 else f"{group.errors:,} are mistakes"
    most = sorted(group.true.items(), key=lambda each: -each[1])
    kinds = ", ".join(f"{number:,} {isolated(clipped(name, longest=40))}" for name, number in most[:4])
    return f"{count[0].upper()}{count[1:]}. They show: {kinds}{' and others' if len(most) > 4 else ''}."


def _tested(test: HideTest) -> str:
    return (
        f"With the place hidden {test.changed} of {len(test.rows)} answers change, {test.righted} to the right one; "
        f"with as much hidden elsewhere {test.changed_elsewhere:.1f}. The place costs {test.effect:.2f} more of the "
        f"probability ({test.confidence:.0%} interval {test.low:.2f} to {test.high:.2f})."
    )


def _mean_picture(found: Found, group: Group) -> Image.Image:
    """The mean of up to 24 pictures of a group; grey where none can be read any more."""
    total: Float[np.ndarray, "height width 3"] = np.zeros((*found.size, 3))
    count = 0
    for row in group.rows[:: max(1, len(group) // _MEAN_OF)][:_MEAN_OF]:
        try:
            image = found.picture(row)
        except ImageError:
            continue
        total += np.asarray(image.resize(found.size[::-1]), np.float64)
        count += 1
    mean = total / count if count else np.full_like(total, 128)
    image = Image.fromarray(mean.round().astype(np.uint8))
    image.thumbnail((TILE_PIXELS, TILE_PIXELS))
    return image


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=88)
    return buffer.getvalue()

"""The maps of a saved page made small: large ones in fewer steps, and all of them deflated."""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

MANY = 3000
"""Cells of a map from which on its numbers are rounded."""

COARSER = 128
"""So many steps become one: 256 are left on each side of zero, twice as many as there are colours."""


def packed(manifest: Mapping[str, Any], maps: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the description and the maps for a page: the numbers of large maps rounded, all of them deflated.

    Neighbours are alike in their high bytes only, so all low bytes come first and then all high ones.

    Args:
        manifest: what `pack` returned, with a second one as its `other` if there is one.
        maps: the numbers.
    """
    numbers = np.frombuffer(maps, "<i2").copy()
    parts = [_rounded(each, numbers) for each in (manifest, manifest.get("other")) if each]
    whole = {**parts[0], **({"other": parts[1]} if len(parts) > 1 else {})} if parts else dict(manifest)
    data = numbers.astype("<i2").view(np.uint8)
    return whole, zlib.compress(data[0::2].tobytes() + data[1::2].tobytes(), 9)


def unpacked(data: bytes) -> bytes:
    """Return the numbers that `packed` made small.

    Args:
        data: the deflated bytes.
    """
    halves = np.frombuffer(zlib.decompress(data), np.uint8).reshape(2, -1)
    return np.ascontiguousarray(halves.T).tobytes()


def _rounded(manifest: Mapping[str, Any], numbers: np.ndarray) -> dict[str, Any]:
    """The description with the units of rounded maps; rounds the numbers where they are."""
    if not manifest.get("layers"):
        return dict(manifest)
    sizes = [layer["map_height"] * layer["map_width"] for layer in manifest["layers"]]
    made = []
    for classes in manifest["maps"]:
        rows = []
        for row in classes:
            entries = []
            for size, entry in zip(sizes, row, strict=True):
                if size > MANY and not entry["reason"]:
                    part = slice(entry["offset"], entry["offset"] + size)
                    numbers[part] = np.rint(numbers[part] / COARSER)
                    entry = {**entry, "unit": entry["unit"] * COARSER}
                entries.append(entry)
            rows.append(entries)
        made.append(rows)
    return {**manifest, "maps": made}

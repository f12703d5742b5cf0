"""The widget that paints: holds one picture and all its maps, and needs no kernel once they have arrived."""

import io
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from PIL import Image

from camwidget.errors import MapError
from camwidget.explain import Explanation
from camwidget.render import colormap

_STATIC = Path(__file__).parent / "static"

METHOD_LABELS: Mapping[str, str] = {
    "cam": "CAM",
    "grad_cam": "Grad-CAM",
    "hires_cam": "HiResCAM",
    "grad_cam_plus_plus": "Grad-CAM++",
    "xgrad_cam": "XGrad-CAM",
    "layer_cam": "LayerCAM",
    "eigen_cam": "Eigen-CAM (same for all classes, sign by convention)",
}
"""What a method is called in the panel; one that knows no class says so wherever its name stands."""

_STEPS = 32767
"""Whole-number steps on each side of zero: a value is off by at most 1/65534 of its map's largest magnitude."""


class HeatmapView(anywidget.AnyWidget):
    """Show one map of one picture; every trait below changes what is seen without asking the kernel."""

    _esm = _STATIC / "heatmap.js"
    _css = _STATIC / "heatmap.css"

    picture = traitlets.Bytes().tag(sync=True)
    """The picture as the network saw it, as a PNG; written by `show`."""
    maps = traitlets.Bytes().tag(sync=True)
    """All maps one after another as little-endian int16; `manifest` says where each starts and what one step is."""
    manifest = traitlets.Dict().tag(sync=True)
    """Layers, classes and methods by name, and one entry per map; written by `show`."""
    colormap = traitlets.Bytes(colormap().tobytes()).tag(sync=True)
    """257 steps of red, green, blue and opacity, from `render.colormap`."""
    layer_index = traitlets.Int(0, min=0).tag(sync=True)
    """Which layer is shown, counted from the input; written by both sides."""
    class_index = traitlets.Int(0, min=0).tag(sync=True)
    """Which of the explained classes is shown; written by both sides."""
    method_index = traitlets.Int(0, min=0).tag(sync=True)
    """Which method is shown; written by both sides."""
    heatmap_opacity = traitlets.Float(0.7, min=0.0, max=1.0).tag(sync=True)
    """From 0, only the picture, to 1."""
    cells = traitlets.Int(0, min=0, max=1).tag(sync=True)
    """0: interpolate between cells; 1: show each cell as a block. A number, since it is linked to a choice's index."""
    only_for = traitlets.Int(0, min=0, max=1).tag(sync=True)
    """0: evidence for and against; 1: only evidence for (the ReLU of Grad-CAM)."""
    own_scale = traitlets.Int(0, min=0, max=1).tag(sync=True)
    """0: one colour scale for all classes of a layer; 1: each class on its own."""
    message = traitlets.Unicode("").tag(sync=True)
    """What went wrong, in words; empty if nothing did. Written by the panel."""

    def show(self, results: Mapping[str, Explanation]) -> None:
        """Send one picture with all its maps to the browser, in one message.

        Args:
            results: method name to result, all of the same picture, layers and classes (`explain_methods`).
        """
        manifest, maps = pack(results)
        picture = png_bytes(next(iter(results.values())).image)
        with self.hold_sync():
            self.picture = picture
            self.maps = maps
            self.manifest = manifest


def png_bytes(image: Image.Image) -> bytes:
    """Return the picture as PNG: nothing is lost, so the browser starts from the pixels the network saw."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def pack(results: Mapping[str, Explanation]) -> tuple[dict[str, Any], bytes]:
    """Return what the browser needs of the results: a small description, and all maps as whole numbers.

    A map keeps its own size and its sign. Each value is stored as a step number; `unit` in the map's entry says how
    much one step is, so 7 x 7 cells cost 98 bytes.

    Args:
        results: method name to result, all of the same picture, layers and classes.
    """
    first = next(iter(results.values()))
    layers = sorted(
        {layer.name: layer for each in results.values() for layer in each.layers}.values(), key=lambda at: at.depth
    )
    chunks: list[bytes] = []
    start = 0
    maps: list[list[list[dict[str, Any]]]] = []
    for result in results.values():
        per_class = []
        for target_class in first.target_classes:
            row = []
            for layer in layers:
                entry, chunk = _pack_map(result, layer.name, target_class, start)
                start += len(chunk) // 2
                chunks.append(chunk)
                row.append(entry)
            per_class.append(row)
        maps.append(per_class)
    width, height = first.image.size
    manifest = {
        "layers": [
            {"name": at.name, "channels": at.channels, "map_height": at.map_height, "map_width": at.map_width}
            for at in layers
        ],
        "classes": [
            {
                "index": index,
                "name": first.class_names[index],
                "probability": float(first.probabilities[index]),
                "logit": float(first.logits[index]),
            }
            for index in first.target_classes
        ],
        "methods": [{"key": key, "label": METHOD_LABELS.get(key, key)} for key in results],
        "maps": maps,
        "alt": f"The picture the network saw, {width} by {height} pixels, with a heatmap over it.",
    }
    return manifest, b"".join(chunks)


def _pack_map(result: Explanation, layer: str, target_class: int, start: int) -> tuple[dict[str, Any], bytes]:
    """One map's entry and its numbers; where the method gives no map here, the reason and no numbers."""
    entry: dict[str, Any] = {"offset": start, "unit": 0.0, "contributions": None, "bias": None, "reason": ""}
    if layer not in result.cams:
        entry["reason"] = result.refusals[layer]
        return entry, b""
    values = result.cam(layer, target_class).to("cpu").float().numpy()
    largest = float(np.abs(values).max())
    if largest > 0:
        entry["unit"] = largest / _STEPS
        values = values / entry["unit"]
    with suppress(MapError):  # where it is not a plain sum from this layer, the browser says so in words
        entry["contributions"], entry["bias"] = result.contributions(layer, target_class)
    return entry, np.rint(values).astype("<i2").tobytes()

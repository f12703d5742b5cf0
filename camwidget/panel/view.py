"""The widgets that paint: one holds a picture or a text with all its maps, and needs no kernel once they arrived."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import anywidget
import numpy as np
import traitlets
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from camwidget.errors import MapError
from camwidget.hooks.layers import Layer
from camwidget.maps.arguments import told_apart
from camwidget.maps.call import Call
from camwidget.maps.methods import EXPENSIVE, METHOD_LABELS
from camwidget.maps.result import ADDING_UP, LayerMaps
from camwidget.panel.colours import colormap
from camwidget.panel.modules import STATIC, joined
from camwidget.pictures.result import Explanation
from camwidget.text.result import TextExplanation

ValuesOf: TypeAlias = Callable[[Any, str, int], Float[Tensor, "..."]]
"""From a result, a layer and a class to the values of one map."""

_STEPS = 32767
"""Whole-number steps on each side of zero: a value is off by at most 1/65534 of its map's largest magnitude."""


def style_text(*more: str) -> str:
    """Return the style sheet of a view: what all views have, and files of its own.

    Args:
        *more: names of these files.
    """
    return "".join((STATIC / name).read_text("utf-8") for name in ("panel.css", "widths.css", *more))


class ToldView(anywidget.AnyWidget):
    """What every view hears from the kernel besides what it shows."""

    _page: str
    """In `static`, the module of a saved page with this view."""

    message = traitlets.Unicode("").tag(sync=True)
    """What went wrong, in words; empty if nothing did. Written by the panel."""
    message_at = traitlets.Unicode("").tag(sync=True)
    """Beside which control the message stands: "picture", "class", or empty for the top."""
    busy = traitlets.Unicode("").tag(sync=True)
    """What the kernel is working out, in words; empty if nothing. Written by the panel."""
    live = traitlets.Int(1, min=0, max=1).tag(sync=True)
    """1: a kernel listens; 0: it is a saved page."""


class MapView(ToldView):
    """Show one map of many; every choice below changes what is seen without asking the kernel."""

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
    only_for = traitlets.Int(0, min=0, max=1).tag(sync=True)
    """0: evidence for and against; 1: only evidence for (the ReLU of Grad-CAM)."""
    own_scale = traitlets.Int(0, min=0, max=1).tag(sync=True)
    """0: one colour scale for all classes of a layer; 1: each class on its own."""
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """The name of every class of the model, to search in."""
    synonyms = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """Other words for every class, to search in; empty if none are known."""
    past = traitlets.List(traitlets.Int()).tag(sync=True)
    """The numbers of what the kernel can go back to, the oldest first; written by the panel."""

    def write_code(self, calls: Sequence[Mapping[str, Call]]) -> None:
        """Send the code for the maps that are shown again, because things have got names since.

        Args:
            calls: method name to call, of what is shown, and of what is shown beside it if there is anything.
        """
        manifest: dict[str, Any] = self.manifest
        parts = [manifest, *([manifest["other"]] if manifest.get("other") else [])]
        renamed = [
            part | {"methods": [method | {"code": code_of(by_method[method["key"]])} for method in part["methods"]]}
            for part, by_method in zip(parts, calls, strict=True)
        ]
        self.manifest = renamed[0] | ({"other": renamed[1]} if len(renamed) > 1 else {})


class HeatmapView(MapView):
    """Show one map of one picture."""

    _esm = joined("picture.js")
    _css = style_text("tools.css", "lecture.css")
    _page = "picture_page.js"

    picture = traitlets.Bytes().tag(sync=True)
    """The picture as the network saw it, as a PNG; written by `show`."""
    heatmap_opacity = traitlets.Float(0.7, min=0.0, max=1.0).tag(sync=True)
    """From 0, only the picture, to 1."""
    cells = traitlets.Int(0, min=0, max=1).tag(sync=True)
    """0: interpolate between cells; 1: show each cell as a block. A number, so that a choice's index can be linked."""
    pictures = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """Names of pictures that can be picked beside one's own."""
    cut = traitlets.Dict().tag(sync=True)
    """What the network sees of a picture that does not have its shape: `PictureCut.shown`; empty if all of it."""

    mode_index = traitlets.Int(0, min=0).tag(sync=True)
    """What is done with the maps, by its place in `modes.MODES`."""
    compare_index = traitlets.Int(0, min=0).tag(sync=True)
    """What two maps differ in: 0 class, 1 method, 2 layer, 3 picture."""
    other_class_index = traitlets.Int(0, min=0).tag(sync=True)
    """The second class, counted from 1; 0 where the browser chooses."""
    other_method_index = traitlets.Int(0, min=0).tag(sync=True)
    """The second method, counted from 1; 0 where the browser chooses."""
    other_layer_index = traitlets.Int(0, min=0).tag(sync=True)
    """The second layer, counted from 1; 0 where the browser chooses."""
    as_swipe = traitlets.Int(0, min=0, max=1).tag(sync=True)
    """0: two maps and their difference; 1: one over the other."""
    swipe = traitlets.Float(0.5, min=0.0, max=1.0).tag(sync=True)
    """How much of the first is seen, from the left."""
    turned = traitlets.Int(0, min=0, max=1).tag(sync=True)
    """1: the second minus the first."""
    regions = traitlets.List(traitlets.List(traitlets.Float())).tag(sync=True)
    """The parts of the picture that are hidden: top, left, bottom and right from 0 to 1."""
    fill_index = traitlets.Int(0, min=0, max=2).tag(sync=True)
    """How they are hidden: 0 blur, 1 grey, 2 fill."""
    hidden = traitlets.Dict().tag(sync=True)
    """What the network says without them; written by the panel. Which parts it is of is said in it."""
    place = traitlets.List(traitlets.Float()).tag(sync=True)
    """Where the cell lies that is looked into: row and column from 0 to 1; empty for none."""
    inside = traitlets.Dict().tag(sync=True)
    """What is in that cell; written by the panel. Which one it is of is said in it."""
    inside_maps = traitlets.Bytes().tag(sync=True)
    """The maps of its channels as little-endian float32, one after another."""
    guess = traitlets.List(traitlets.Float()).tag(sync=True)
    """Where somebody thinks that the network looks: row and column from 0 to 1; empty before."""
    revealed = traitlets.Int(0, min=0, max=1).tag(sync=True)
    """1: what was guessed is shown."""
    other_picture = traitlets.Bytes().tag(sync=True)
    """A second picture, as a PNG; empty without one. Its maps are the `other` of the manifest."""

    def show(
        self,
        results: Mapping[str, Explanation],
        others: Mapping[str, Explanation] | None = None,
        *,
        layers: Sequence[Layer] | None = None,
    ) -> None:
        """Send one picture with all its maps to the browser, in one message.

        Args:
            results: method name to result, all of the same picture, layers and classes (`explain_methods`).
            others: the same of a second picture, for the same methods, layers and classes.
            layers: see `pack`.
        """
        image = next(iter(results.values())).image
        manifest, maps = pack(results, layers=layers)
        width, height = image.size
        manifest["alt"] = f"The picture the network saw, {width} by {height} pixels, with a heatmap over it."
        manifest["other"], second = None, b""
        if others:
            sizes = {layer.name: layer for each in others.values() for layer in each.layers}
            own = None if layers is None else [sizes.get(layer.name, layer) for layer in layers]
            manifest["other"], more = pack(others, layers=own, start=len(maps) // 2)
            maps, second = maps + more, png_bytes(next(iter(others.values())).image)
        with self.hold_sync():
            self.picture, self.other_picture = png_bytes(image), second
            self.maps = maps
            self.manifest = manifest


def page_parts(view: ToldView) -> tuple[str, str]:
    """Return the script and the style sheet of a page without a kernel.

    Args:
        view: what the page shows.
    """
    return joined(view._page), f"{view._css}{(STATIC / 'page.css').read_text('utf-8')}"


def state_of(view: ToldView) -> dict[str, Any]:
    """Return all that a view shows: its own synced traits, not those that every widget has."""
    common = anywidget.AnyWidget.class_trait_names(sync=True)
    return {name: getattr(view, name) for name in view.keys if name not in common and not name.startswith("_")}


def png_bytes(image: Image.Image) -> bytes:
    """Return the picture as PNG: nothing is lost, so the browser starts from the pixels the network saw."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def pack(
    results: Mapping[str, LayerMaps],
    values_of: ValuesOf = Explanation.cam,
    *,
    layers: Sequence[Layer] | None = None,
    start: int = 0,
) -> tuple[dict[str, Any], bytes]:
    """Return what the browser needs of the results: a small description, and all maps as whole numbers.

    A map keeps its own size and its sign. Each value is stored as a step number; `unit` in the map's entry says how
    much one step is, so 7 x 7 cells cost 98 bytes.

    Args:
        results: method name to result, all of the same picture or text, layers and classes.
        values_of: result, layer and class in, the values of the map out.
        layers: the layers to slide over; those that some result has a map of if None.
        start: how many numbers lie before these.
    """
    first = next(iter(results.values()))
    if layers is None:
        known = {layer.name: layer for each in results.values() for layer in each.layers}
        layers = sorted(known.values(), key=lambda at: at.depth)
    chunks: list[bytes] = []
    maps: list[list[list[dict[str, Any]]]] = []
    for result in results.values():
        per_class = []
        for target_class in first.target_classes:
            row = []
            for layer in layers:
                entry, chunk = _pack_map(result, values_of, layer.name, target_class)
                entry["offset"] = start
                start += len(chunk) // 2
                chunks.append(chunk)
                row.append(entry)
            per_class.append(row)
        maps.append(per_class)
    answers, names = first.answers, told_apart(first.class_names)
    manifest = {
        "layers": [
            {
                "name": at.name,
                "channels": at.channels,
                "map_height": at.map_height,
                "map_width": at.map_width,
                "call": at.call,
                "calls": at.calls,
            }
            for at in layers
        ],
        "classes": [
            {
                "index": index,
                "name": names[index],
                "probability": float(answers[index]) if first.activation.is_probability else None,
                "value": float(answers[index]),
                "logit": float(first.logits[index]),
            }
            for index in first.target_classes
        ],
        "alone": first.activation.is_probability and not first.activation.exclusive and len(answers) > 1,
        "methods": [
            {
                "key": key,
                "label": METHOD_LABELS.get(key, key),
                "knows_class": result.knows_class,
                "code": code_of(result.call),
            }
            for key, result in results.items()
        ],
        "maps": maps,
        "alt": "",
    }
    return manifest, b"".join(chunks)


def code_of(call: Call) -> dict[str, list[str]]:
    """Return the code for a map that is there and for one that is refused, in parts; see `Call.template`.

    A method that was only not run yet is not refused: the code runs it.

    Args:
        call: the call of one method's result.
    """
    shown = call.template()
    return {"shown": shown, "refused": shown if call.method in EXPENSIVE else call.template(refused=True)}


def _pack_map(result: LayerMaps, values_of: ValuesOf, layer: str, target_class: int) -> tuple[dict[str, Any], bytes]:
    """One map's entry and its numbers; where the method gives no map here, the reason and no numbers."""
    entry: dict[str, Any] = {"offset": 0, "unit": 0.0, "contributions": None, "bias": None, "reason": "", "why": ""}
    if layer not in result.cams:
        entry["reason"] = result.refusals[layer]
        return entry, b""
    values = values_of(result, layer, target_class).to("cpu").float().numpy()
    largest = float(np.abs(values).max())
    if largest > 0:
        entry["unit"] = largest / _STEPS
        values = values / entry["unit"]
    try:
        entry["contributions"], entry["bias"] = result.contributions(layer, target_class)
    except MapError:  # where it is not a plain sum, the browser says why in words
        sums = result.method in ADDING_UP
        entry["why"] = "method" if not sums else "layer" if layer in result.refusals else "unchecked"
    return entry, np.rint(values).astype("<i2").tobytes()


class TextView(MapView):
    """Show the values of one layer and class on the words of a text, and of a second one beside it."""

    _esm = joined("text.js")
    _css = style_text("tools.css", "lecture.css")
    _page = "text_page.js"

    dark_colormap = traitlets.Bytes(colormap(on_dark=True).tobytes()).tag(sync=True)
    """The table in place of `colormap` where the page is dark."""

    def show(
        self,
        results: Mapping[str, TextExplanation],
        others: Mapping[str, TextExplanation] | None = None,
        *,
        change: Mapping[str, Any] | None = None,
        versions: Sequence[int] = (0, 0),
    ) -> None:
        """Send a text with all its maps to the browser, in one message.

        Args:
            results: method name to result, all of the same text, layers and classes (`explain_text_methods`).
            others: the same of a second text, for the same methods, layers and classes.
            change: the word that was deleted last: `text` (0 or 1), `word`, and `before`, what was said of each class.
            versions: a number for each of the two texts that comes back with a click on one of its words.
        """
        manifest, maps = _packed(results, start=0)
        manifest["version"] = versions[0]
        manifest["change"] = dict(change) if change else None
        manifest["other"] = None
        if others:
            manifest["other"], more = _packed(others, start=len(maps) // 2)
            maps += more
            manifest["other"]["version"] = versions[1]
        with self.hold_sync():
            self.maps = maps
            self.manifest = manifest


def _packed(results: Mapping[str, TextExplanation], *, start: int) -> tuple[dict[str, Any], bytes]:
    """What the browser needs of one text: the words, what is between them, and a value for each of them."""
    first = next(iter(results.values()))
    manifest, maps = pack(results, TextExplanation.word_values, start=start)
    # A browser counts places in a text otherwise than Python, so no places are sent.
    ends = [0, *(word.end for word in first.words)]
    manifest["words"] = [
        {"before": first.text[end : word.start], "text": word.text, "known": word.known}
        for end, word in zip(ends, first.words, strict=False)
    ]
    manifest["tail"] = first.text[ends[-1] :]
    manifest["positions"] = len(first.tokens)
    for layer in manifest["layers"]:
        layer["map_height"], layer["map_width"] = 1, len(first.words)
    for method, result, rows in zip(manifest["methods"], results.values(), manifest["maps"], strict=True):
        method |= {"notes": list(result.notes), "knows_layer": result.knows_layer}
        for target_class, row in zip(first.target_classes, rows, strict=True):
            for layer, entry in zip(manifest["layers"], row, strict=True):
                # Contributions are the mean of a plain CAM and the sum of any other map; their parts are so too.
                count = manifest["positions"] if result.method == "cam" else 1
                entry["rest"] = 0.0 if entry["reason"] else result.rest(layer["name"], target_class) / count
    return manifest, maps

"""What stays in a saved notebook where no kernel runs: a sheet of pictures, or coloured words as plain HTML."""

from collections.abc import Mapping, Sequence
from html import escape
from json import dumps
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import quoteattr

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from camwidget.maps.arguments import told_apart
from camwidget.maps.formulas import positive, scale_of
from camwidget.maps.methods import METHOD_LABELS
from camwidget.panel.colours import colormap, colour_step, overlay
from camwidget.pictures.result import Explanation
from camwidget.text.result import TextExplanation

_LABEL_HEIGHT = 22


def contact_sheet(
    result: Explanation,
    *,
    layer: str | None = None,
    target_class: int | str | None = None,
    heatmap_opacity: float = 0.7,
    smooth: bool = True,
    signed: bool = True,
    size: int = 448,
) -> Image.Image:
    """Return one still picture: the chosen map large, every layer small below it, and a line of text above.

    This is what stays in a saved notebook where no kernel runs.

    Args:
        result: what `explain` returned.
        layer: the layer shown large; the deepest one if None.
        target_class: the class shown, as index or name; the first one of the result if None.
        heatmap_opacity: from 0 to 1.
        smooth: interpolated or in blocks.
        signed: with evidence against, or only evidence for.
        size: width of the large picture in pixels.
    """
    names = [known.name for known in result.layers if known.name in result.cams]
    shown = layer if layer in names else names[-1]
    index = result.target_classes[0] if target_class is None else result.class_index(target_class)
    large = _tile(result, shown, index, (heatmap_opacity, smooth, signed), size)
    columns = min(len(names), 9)
    small_width = (size - 6 * (columns - 1)) // columns
    tiles = [_tile(result, name, index, (heatmap_opacity, smooth, signed), small_width) for name in names]
    rows = -(-len(tiles) // columns)
    row_height = tiles[0].height + 6
    sheet = Image.new("RGB", (size, _LABEL_HEIGHT + large.height + 8 + rows * row_height), "white")
    label = METHOD_LABELS.get(result.method, result.method)
    about = f" for {told_apart(result.class_names)[index]}, {result.answer(index)}" if result.knows_class else ""
    title = f"{label}{about}, at layer {shown}"
    ImageDraw.Draw(sheet).text((2, 3), title, fill="black", font=ImageFont.load_default(13))
    sheet.paste(large, (0, _LABEL_HEIGHT))
    for position, tile in enumerate(tiles):
        left = (position % columns) * (small_width + 6)
        top = _LABEL_HEIGHT + large.height + 8 + (position // columns) * row_height
        sheet.paste(tile, (left, top))
    return sheet


def _tile(
    result: Explanation, layer: str, target_class: int, look: tuple[float, bool, bool], width: int
) -> Image.Image:
    """One layer's overlay at a given width, on the scale shared by all classes of the result."""
    heatmap_opacity, smooth, signed = look
    cams = result.cams[layer]
    scale = shared_scale([cams], signed=signed)
    picture = result.image.resize((width, max(1, round(width * result.image.height / result.image.width))))
    return overlay(
        picture,
        result.cam(layer, target_class),
        scale=scale,
        heatmap_opacity=heatmap_opacity,
        smooth=smooth,
        signed=signed,
    )


def shared_scale(cams: Sequence[Float[Tensor, "target_class map_height map_width"]], *, signed: bool) -> float:
    """Return the magnitude that gets full colour: the largest over all classes, so that classes can be compared."""
    return max((scale_of(each if signed else positive(each)) for each in cams), default=0.0)


def reopened_html(bundle: Mapping[str, Any], *, alt: str) -> str:
    """Return what stands behind a live panel, and shows only where a saved notebook is opened without its widgets.

    JupyterLab and Notebook then put an error in place of the widget, though a still picture is stored beside it. This
    hides that error and shows the still instead. Where a page takes out the style, as one does that does not trust the
    notebook, it is empty; such pages show the stored still by themselves.

    Args:
        bundle: the panel's output, with its still.
        alt: the still in words.
    """
    # A widget's place with nothing in it but words. No :has() within a :has(): browsers drop such a rule.
    error = ".jp-OutputArea-child:has(> .jupyter-widgets):not(:has(> .jupyter-widgets > *))"
    mark = f"camw-reopened-{uuid4().hex[:8]}"  # no id: the same output can be shown twice
    text = dumps(alt).replace("<", "\\3c ")  # as CSS writes it; in a style nothing else could end it
    inside, shown = "", '"Saved without its widgets. Run the cell to slide."'
    if "image/jpeg" in bundle:
        shown = f"url(data:image/jpeg;base64,{bundle['image/jpeg']}) / {text}"
    elif "text/html" in bundle:  # a frame, which pages that do not trust it drop with all that is in it
        page = f'<body style="font: 14px sans-serif; background: #fff; color: #111">{bundle["text/html"]}'
        inside = (
            f'<iframe srcdoc="{escape(page)}" title={quoteattr(alt)} sandbox style="width: 100%; border: 0"></iframe>'
        )
    return (
        f"<style>.{mark} {{ display: none }} {error}:has(+ * .{mark}) {{ display: none }}"
        f" {error} + * .{mark} {{ display: block }} .{mark}::before {{ content: {shown} }}</style>"
        f'<div class="{mark}">{inside}</div>'
    )


_LINE_FROM = 40
"""Opacity, of 255, from which on a word has a line that tells the sign without its colour: a tenth of the scale."""


def still_html(
    results: Sequence[TextExplanation],
    *,
    layer: str | None = None,
    target_class: int | str | None = None,
    signed: bool = True,
    shared_scale: bool = True,
) -> str:
    """Return texts with coloured words as HTML, all on one scale; whatever a text holds is escaped.

    Args:
        results: what `explain_text` returned, of one method.
        layer: name of the layer; None for the deepest with a map.
        target_class: index or name of the class; None for the first.
        signed: with evidence against, or only evidence for.
        shared_scale: one scale for all classes, or for this class alone.
    """
    scale = max(word_scale(each, layer, target_class, signed=signed, shared_scale=shared_scale) for each in results)
    return "".join(_text_html(each, layer, target_class, scale, signed) for each in results)


def word_scale(
    result: TextExplanation, layer: str | None, target_class: int | str | None, *, signed: bool, shared_scale: bool
) -> float:
    """Return the magnitude of a word's value that gets full colour.

    Args:
        result: what `explain_text` returned.
        layer: see `still_html`.
        target_class: see `still_html`.
        signed: see `still_html`.
        shared_scale: see `still_html`.
    """
    classes = result.target_classes if shared_scale else [target_class]
    values = [result.word_values(layer, each) for each in classes]
    return max(float((each.abs() if signed else each.clamp(min=0)).max()) for each in values)


def _text_html(
    result: TextExplanation, layer: str | None, target_class: int | str | None, scale: float, signed: bool
) -> str:
    table = colormap().astype(np.float64)
    parts, end = [], 0
    for word, value in zip(result.words, result.word_values(layer, target_class).tolist(), strict=True):
        *colour, opacity = table[colour_step(value, scale, signed=signed)]
        # Laid over white, with letters that can be read on it: here nobody knows what lies behind the page.
        red, green, blue = (round((each * opacity + 255 * (255 - opacity)) / 255) for each in colour)
        letters = "#fff" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 118 else "#111"
        style = f"background-color: rgb({red}, {green}, {blue}); color: {letters}" if opacity else ""
        line = ("overline" if value < 0 else "underline") if opacity >= _LINE_FROM else ""
        line = line if word.known else f"{line or 'underline'} dotted"
        style += f"; text-decoration: {line}" if line else ""
        parts.append(escape(result.text[end : word.start]))
        parts.append(f'<span style="{style}" title="{value:+.3g}">{escape(word.text)}</span>')
        end = word.end
    parts.append(escape(result.text[end:]))
    index = result.target_classes[0] if target_class is None else result.class_index(target_class)
    label = METHOD_LABELS.get(result.method, result.method)
    place = f", at layer {layer}" if result.knows_layer and layer else ""
    title = escape(f"{label} for {told_apart(result.class_names)[index]}, {result.answer(index)}{place}")
    title += ". A line below a word: for; above: against."
    return f'<p>{title}</p><p dir="auto" style="line-height: 1.8">{"".join(parts)}</p>'

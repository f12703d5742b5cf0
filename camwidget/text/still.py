"""Words with their colours as plain HTML: what stays in a saved notebook where no kernel runs."""

from collections.abc import Sequence
from html import escape

import numpy as np

from camwidget.render import METHOD_LABELS, colormap, colour_step
from camwidget.text.explanation import TextExplanation

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
    title = escape(f"{label} for {result.class_names[index]}, {float(result.probabilities[index]):.1%}{place}")
    title += ". A line below a word: for; above: against."
    return f'<p>{title}</p><p dir="auto" style="line-height: 1.8">{"".join(parts)}</p>'

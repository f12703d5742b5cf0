"""The widget that paints words: holds one text or two with all their maps."""

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets

from camwidget.render import colormap
from camwidget.text.explanation import TextExplanation
from camwidget.view import MapView, module_text, pack, style_text


class TextView(MapView):
    """Show the values of one layer and class on the words of a text, and of a second one beside it."""

    _esm = module_text("text.js")
    _css = style_text()

    dark_colormap = traitlets.Bytes(colormap(on_dark=True).tobytes()).tag(sync=True)
    """The table in place of `colormap` where the page is dark."""
    live = traitlets.Int(1, min=0, max=1).tag(sync=True)
    """1: a kernel listens, so words can be deleted; 0: it is a saved page."""

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
            change: the word that was deleted last: `text` (0 or 1), `word`, and `before`, the probabilities by class.
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
    """What the browser needs of one text: the words with what stands between them, and a value for each of them."""
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

"""A whole panel as one anywidget, for hosts that draw anywidgets and no stock widgets, as marimo does.

A panel is a box around a view, and beside that stand a few stock widgets: text boxes, a button with its progress,
notes. Here the view is drawn by the host, and the stock widgets by the page's own elements. They stay what holds the
values, so nothing that a panel does with them is done twice. marimo's own text boxes and buttons would not do: none
follows what the kernel changes, such as a word that was deleted. marimo makes no view outside of a running cell.
"""

import html
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

import anywidget
import ipywidgets
import traitlets

from camwidget.errors import CamwidgetError, three_parts
from camwidget.panel.modules import joined
from camwidget.panel.view import style_text

_CHANGES = ("children", "value", "description", "disabled", "max")  # what changes in a stock widget and is seen


class WholePanel(anywidget.AnyWidget):
    """Shows a panel with all that belongs to it.

    Args:
        panel: the panel; it may show other children later.
    """

    _esm = joined("whole.js")
    _css = style_text("tools.css", "lecture.css", "mistakes.css", "whole.css")

    parts = traitlets.List(traitlets.Dict()).tag(sync=True)
    """The panel and what is in it, see `_part`."""

    def __init__(self, panel: ipywidgets.Box) -> None:
        super().__init__()
        self._panel = panel
        self._watched: weakref.WeakSet[ipywidgets.Widget] = weakref.WeakSet()
        self._heard: dict[str, int] = {}  # by text box: the number of the last message with what was typed there
        self.on_msg(self._on_message)
        self._tell()

    def _tell(self) -> None:
        """Send what the panel consists of now."""
        for each in _inside(self._panel):
            if each not in self._watched:
                self._watched.add(each)
                self._watch(each)
        self.parts = [self._part(self._panel)]

    def _watch(self, widget: ipywidgets.Widget) -> None:
        """Tell what is new whenever a stock widget changes."""
        me = weakref.ref(self)

        def changed(_: Any) -> None:
            if (whole := me()) is not None:
                whole._tell()

        if not isinstance(widget, anywidget.AnyWidget):
            widget.observe(changed, names=[name for name in _CHANGES if widget.has_trait(name)])
        widget.layout.observe(changed, names=["display"])

    def _part(self, widget: ipywidgets.Widget) -> dict[str, Any]:
        """What the browser needs to draw one widget, and those in it."""
        key = widget.model_id
        part = {"key": key, "shown": widget.layout.display != "none", "classes": list(widget._dom_classes)}
        match widget:
            case anywidget.AnyWidget():
                return part | {"kind": "view", "widget": f"anywidget:{key}"}
            case ipywidgets.Box():
                return part | {"kind": "box", "parts": [self._part(each) for each in widget.children]}
            case ipywidgets.Textarea():
                heard = self._heard.get(key, 0)
                return part | {"kind": "text", "label": widget.description, "value": widget.value, "heard": heard}
            case ipywidgets.Button():
                label = {"label": widget.description, "title": widget.tooltip or ""}
                return part | {"kind": "button", **label, "disabled": widget.disabled}
            case ipywidgets.IntProgress():
                numbers = {"value": widget.value, "max": widget.max}
                return part | {"kind": "progress", "label": widget.description, **numbers}
            case ipywidgets.HTML():
                return part | {"kind": "words", "value": html.unescape(widget.value)}  # it is drawn as text
        given = f"A {type(widget).__name__} stands in this panel"
        allowed = "In marimo a panel has boxes, text boxes, buttons, progress, notes and anywidgets"
        raise CamwidgetError(three_parts(given, allowed, "Show panel.view, or the stock widget elsewhere"))

    def _on_message(self, _: Any, content: Mapping[str, Any], _buffers: Any) -> None:
        """Hand what was typed or pressed to the stock widget."""
        key = content.get("key")
        widget = next((each for each in _inside(self._panel) if each.model_id == key), None)
        match content.get("do"), widget:
            case "press", ipywidgets.Button(disabled=False):
                widget.click()
            case "type", ipywidgets.Textarea():
                self._heard[str(key)] = int(content["number"])
                widget.value = str(content["value"])
                self._tell()


def _inside(widget: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    """A widget, and all that are seen in it."""
    yield widget
    for each in getattr(widget, "children", ()):
        yield from _inside(each)

"""The choices of a panel as a hand in the browser moves them: by position, through the view."""

from typing import Any

import ipywidgets

from camwidget.panel.base import SlidingPanel

INDEX = {
    "Layer": "layer_index",
    "Class": "class_index",
    "Method": "method_index",
    "Cells": "cells",
    "Evidence": "only_for",
    "Scale": "own_scale",
}


class Choice:
    """One choice of a view: where it stands, and what there is to choose."""

    def __init__(self, panel: SlidingPanel, name: str) -> None:
        self._panel, self._name = panel, name

    @property
    def index(self) -> int:
        return int(getattr(self._panel.view, INDEX[self._name]))

    @index.setter
    def index(self, position: int) -> None:
        setattr(self._panel.view, INDEX[self._name], position)

    @property
    def value(self) -> float:
        return float(self._panel.view.heatmap_opacity)

    @value.setter
    def value(self, value: float) -> None:
        self._panel.view.heatmap_opacity = value

    @property
    def options(self) -> list[str]:
        key = {"Layer": "layers", "Class": "classes"}[self._name]
        return [each["name"] for each in self._panel.view.manifest[key]]


def control(panel: SlidingPanel, name: str) -> Any:
    """A choice of the view by its label, or the text box with that label."""
    boxes = [each for each in panel.children if isinstance(each, ipywidgets.Textarea)]
    return next((each for each in boxes if each.description == name), None) or Choice(panel, name)


def ask(panel: SlidingPanel, do: str, *buffers: bytes, **more: Any) -> None:
    """Ask the panel for something as its view does."""
    panel.view._handle_custom_msg({"do": do, "number": 1, **more}, [memoryview(each) for each in buffers])

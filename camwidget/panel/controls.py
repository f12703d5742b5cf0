"""Where the choices of a view stand: they follow the panel's state, and tell of moves that were made in the browser."""

from collections.abc import Callable
from typing import Any

from camwidget.panel.state import PanelState
from camwidget.panel.view import MapView

TIES = {
    "layer": "layer_index",
    "target_class": "class_index",
    "method": "method_index",
    "smooth": "cells",
    "signed": "only_for",
    "shared_scale": "own_scale",
    "heatmap_opacity": "heatmap_opacity",
    "mode": "mode_index",
    "compare_by": "compare_index",
    "compare_as": "as_swipe",
    "other_class": "other_class_index",
    "other_method": "other_method_index",
    "other_layer": "other_layer_index",
    "swipe": "swipe",
    "turned": "turned",
    "guess": "guess",
    "revealed": "revealed",
    "place": "place",
    "regions": "regions",
    "hide_by": "fill_index",
}
"""By trait of a panel: the trait of its view that holds where the choice stands."""


class Controls:
    """The choices of one view. They hold no meaning, only positions; the view draws them.

    Args:
        view: the view.
    """

    def __init__(self, view: MapView) -> None:
        self._view = view
        self._following = False  # True while the kernel moves the choices, which must then not tell

    def follow(self, state: PanelState) -> None:
        """Stand where the state says.

        Args:
            state: the panel's.
        """
        before, self._following = self._following, True
        try:
            with self._view.hold_sync():
                for name, position in state.positions().items():
                    setattr(self._view, TIES[name], position)
        finally:
            self._following = before

    def link(self, on_move: Callable[[str, Any], None]) -> None:
        """Tell of each move that is made in the browser, or by a stock control that is linked to the view.

        The kernel never answers a move by moving the view: by the time its answer arrived the slider would have gone
        on, and the picture would jump back.

        Args:
            on_move: is called with the panel's trait whose choice was moved, and where it is now.
        """
        for name, trait in TIES.items():
            if self._view.has_trait(trait):
                self._view.observe(lambda change, name=name: self._tell(on_move, name, change["new"]), names=[trait])

    def _tell(self, on_move: Callable[[str, Any], None], name: str, position: Any) -> None:
        if not self._following:
            on_move(name, position)

"""The place of a picture that somebody looks at closely, and what is in the cell there."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from camwidget.errors import CamwidgetError
from camwidget.panel.later import after_pause
from camwidget.panel.modes import ModeState, WithModes
from camwidget.panel.state import Setting, checked_place
from camwidget.panel.view import HeatmapView
from camwidget.pictures.inside import Inside, LayerInside

PAUSE_S = 0.2
"""Without a move for so long, the kernel looks into the cell that is shown now."""


@dataclass(frozen=True, eq=False, kw_only=True)
class InsideState(ModeState):
    """What a panel whose cells can be looked into shows besides."""

    place: tuple[float, float] | None = None

    def positions(self) -> dict[str, Any]:
        """Return where each control is: a position, or the value itself where the control has no positions."""
        return super().positions() | {"place": [] if self.place is None else list(self.place)}


class LookingInside(WithModes):
    """A panel whose cells can be looked into. A subclass opens a layer (`_open_layer`)."""

    place = Setting(None)
    """(row, column) of the picture, from 0 to 1: the cell there is looked into; None for none."""

    view: HeatmapView
    _state: InsideState
    _opened: tuple[tuple[Any, ...], LayerInside] | None = None  # the layer that was looked into last, and what it is of
    _look: asyncio.TimerHandle | None = None  # the look that will be taken after a pause

    @property
    def inside(self) -> Inside | None:
        """What is in the cell at `place`: its channels and the pixels that move it; None without a place or a map.

        Raises:
            MapError: the method shown has no weights of channels to tell.
        """
        cell = self._cell()
        return None if cell is None else self._layer_inside().cell(*cell)

    def _open_layer(self) -> LayerInside:
        """Open the layer shown, for the method and the class shown."""
        raise NotImplementedError

    def _cell(self) -> tuple[int, int] | None:
        """Row and column of the cell at the place, from 0; None without a place or a map."""
        state = self._state
        if state.place is None or state.layer not in state.results[state.method].cams:
            return None
        height, width = state.results[state.method].cams[state.layer].shape[1:]
        row, column = state.place
        return min(int(row * height), height - 1), min(int(column * width), width - 1)

    def _layer_inside(self) -> LayerInside:
        state = self._state
        key = (id(state.offered.logits), state.layer, state.method, state.target_class)  # new logits with each picture
        if self._opened is None or self._opened[0] != key:
            self._opened = (key, self._open_layer())
        return self._opened[1]

    def _changes(self, name: str, value: Any) -> dict[str, Any]:
        if name == "place":
            return {"place": checked_place(name, value)}
        return super()._changes(name, value)

    def _follow(self, changes: Mapping[str, Any]) -> None:
        super()._follow(changes)
        if self._state.place is None:
            self._opened = None  # it holds the activations of all layers before it
        if self._state.place is None or not changes.keys() & {"place", "layer", "method", "target_class", "results"}:
            return
        self._look = after_pause(self._look, PAUSE_S, self._tell)

    def _tell(self) -> None:
        """Send what is in the cell, unless there is none by now."""
        cell = self._cell()
        if cell is None:
            return
        state = self._state
        about = {"layer": state.layer, "method": state.method, "class": state.target_class, "cell": list(cell)}
        inside: dict[str, Any] = {**about, "reason": ""}
        maps = b""
        try:
            found, maps = numbers_of(self._layer_inside().cell(*cell))
            inside |= found
        except CamwidgetError as error:
            inside["reason"] = str(error)
        except Exception as error:  # noqa: BLE001 (the network's own; who looks sees why)
            inside["reason"] = f"The network raised {type(error).__name__}: {error}"
        with self.view.hold_sync():
            self.view.inside_maps = maps
            self.view.inside = inside


def numbers_of(inside: Inside) -> tuple[dict[str, Any], bytes]:
    """Return what the browser needs of a cell: numbers, and the maps of the channels as float32, one after another.

    Args:
        inside: the cell.
    """
    boxes = {name: vars(box) if box else None for name, box in (("seen", inside.seen), ("most", inside.most))}
    channels = [
        {"index": each.index, "activation": each.activation, "weight": each.weight, "adds": each.adds}
        for each in inside.channels
    ]
    maps = b"".join(each.map.float().contiguous().numpy().astype("<f4").tobytes() for each in inside.channels)
    return {**boxes, "rest": inside.rest, "count": inside.count, "channels": channels}, maps

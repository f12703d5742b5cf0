"""Parts of the picture that somebody hides, and what the network says without them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from camwidget.errors import CamwidgetError, MapError, three_parts
from camwidget.panel.later import after_pause
from camwidget.panel.modes import ModeState, WithModes
from camwidget.panel.state import ChoiceSetting, Setting
from camwidget.panel.view import HeatmapView
from camwidget.pictures.hiding import WAYS, Hidden, Region

PAUSE_S = 0.15
"""Without a move for so long, the kernel runs the network."""

SMALLEST = 0.01
"""Sides of the picture's length; a smaller part is none."""


@dataclass(frozen=True, eq=False, kw_only=True)
class HidingState(ModeState):
    """What a panel with hidden parts shows besides."""

    regions: tuple[tuple[float, float, float, float], ...] = ()
    hide_by: str = WAYS[0]

    def choices(self) -> dict[str, Any]:
        """Return, for each trait whose control counts positions, the value at each of them."""
        return super().choices() | {"hide_by": WAYS}

    def positions(self) -> dict[str, Any]:
        """Return where each control is: a position, or the value itself where the control has no positions."""
        return super().positions() | {"regions": [list(each) for each in self.regions]}


class Hiding(WithModes):
    """A panel on whose picture parts can be hidden. A subclass runs the network (`_run_without`)."""

    regions = Setting(())
    """The parts that are hidden while `mode` is "hide": (top, left, bottom, right), each from 0 to 1."""
    hide_by = ChoiceSetting(WAYS, HidingState.hide_by)
    """"blur": out of focus; "grey": in a middle colour, zero to the network; "fill": in the mean colour of its rim."""

    view: HeatmapView
    _state: HidingState
    _soon: asyncio.TimerHandle | None = None  # the run that will begin after a pause

    def without(self) -> Hidden | None:
        """Run the network without the hidden parts, and with as much hidden elsewhere; None if nothing is hidden.

        Raises:
            CamwidgetError: see `explain`.
        """
        state = self._state
        parts = [Region(*each) for each in state.regions]
        return self._run_without(parts, state.hide_by) if parts else None

    def _run_without(self, regions: Sequence[Region], way: str) -> Hidden:
        """Run the network on the picture without some parts."""
        raise NotImplementedError

    def _changes(self, name: str, value: Any) -> dict[str, Any]:
        if name == "regions":
            return {"regions": _checked(value)}
        # parts of another picture are no parts of this one
        return super()._changes(name, value) | ({"regions": ()} if name == "image" else {})

    def _follow(self, changes: Mapping[str, Any]) -> None:
        super()._follow(changes)
        if not changes.keys() & {"regions", "hide_by", "results"}:
            return
        if self._state.regions:
            self._soon = after_pause(self._soon, PAUSE_S, self._tell_without)
        else:
            self.view.hidden = {}

    def _tell_without(self) -> None:
        """Send what the network says, unless nothing is hidden by now."""
        try:
            found = self.without()
        except CamwidgetError as error:
            self.view.message = str(error)
            return
        if found is not None:
            self.view.hidden = self._told(found)

    def _told(self, found: Hidden) -> dict[str, Any]:
        """What the browser needs of it."""
        state, activation = self._state, self._state.offered.activation
        answers = activation.function(found.logits[None])[0]
        others = activation.function(found.elsewhere) if len(found.elsewhere) else None
        classes = {
            str(index): {
                "logit": float(found.logits[index]),
                "value": float(answers[index]),
                "other_logit": None if others is None else float(found.elsewhere[:, index].mean()),
                "other_value": None if others is None else float(others[:, index].mean()),
            }
            for index in state.target_classes
        }
        about = {"regions": [list(each) for each in state.regions], "way": WAYS.index(state.hide_by)}
        return {
            **about,
            "classes": classes,
            "places": len(found.elsewhere),
            "example": [astuple(e) for e in found.example],
        }


def _checked(regions: Any) -> tuple[tuple[float, float, float, float], ...]:
    given = f"regions was set to {regions!r}"
    allowed = "It is a list of parts (top, left, bottom, right) of the picture, each number from 0 to 1"
    advice = "Try regions = [(0, 0, 0.5, 0.5)], a quarter at the top on the left"
    refusal = MapError(three_parts(given, allowed, advice))
    if isinstance(regions, str) or not isinstance(regions, Sequence):
        raise refusal
    parts = []
    for each in regions:
        if isinstance(each, str) or not isinstance(each, Sequence) or len(each) != 4:
            raise refusal
        if not all(isinstance(number, int | float) and 0 <= number <= 1 for number in each):
            raise refusal
        top, left, bottom, right = map(float, each)
        if bottom - top < SMALLEST or right - left < SMALLEST:
            raise refusal
        parts.append((top, left, bottom, right))
    return tuple(parts)

"""What is done with the maps of a picture: the tabs of the view, as a field of the state and a trait."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from camwidget.panel.base import SlidingPanel
from camwidget.panel.state import ChoiceSetting, PanelState

MODES = ("slide", "compare", "hide", "guess")
"""In the order of the tabs."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ModeState(PanelState):
    """What is shown, and what is done with it."""

    mode: str = MODES[0]

    def choices(self) -> dict[str, Any]:
        """Return, for each trait whose control counts positions, the value at each of them."""
        return super().choices() | {"mode": MODES}


class WithModes(SlidingPanel):
    """A panel whose view has tabs."""

    mode = ChoiceSetting(MODES, MODES[0])
    """What is done with the maps: "slide" over them, "compare" two, "hide" parts of the picture, or "guess" first."""

    _state: ModeState

    def _follow(self, changes: Mapping[str, Any]) -> None:
        """Nothing else follows."""

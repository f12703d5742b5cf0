"""Guess first, then see: where somebody thinks that the network looks, and whether the answer is shown.

Until then nothing of the maps is shown: large, small, in words for screen readers, or in the still that is stored.
"""

from dataclasses import dataclass
from typing import Any

from camwidget.panel.modes import ModeState, WithModes
from camwidget.panel.state import FlagSetting, Setting, checked_place


@dataclass(frozen=True, eq=False, kw_only=True)
class GuessState(ModeState):
    """What a panel that lets one guess shows besides."""

    guess: tuple[float, float] | None = None
    revealed: bool = False

    @property
    def secret(self) -> bool:
        """Whether nothing of the maps may be seen yet."""
        return self.mode == "guess" and not self.revealed

    def choices(self) -> dict[str, Any]:
        """Return, for each trait whose control counts positions, the value at each of them."""
        return super().choices() | {"revealed": (False, True)}

    def positions(self) -> dict[str, Any]:
        """Return where each control is: a position, or the value itself where the control has no positions."""
        return super().positions() | {"guess": [] if self.guess is None else list(self.guess)}


class Guessing(WithModes):
    """A panel that asks where the network looks before it shows it."""

    guess = Setting(None)
    """Where the network looks, as somebody guesses: (row, column) of the picture, both from 0 to 1; None before."""
    revealed = FlagSetting(GuessState.revealed)
    """Whether what was guessed is shown, while `mode` is "guess"."""

    _state: GuessState

    def _changes(self, name: str, value: Any) -> dict[str, Any]:
        if name == "guess":
            return {"guess": checked_place(name, value)}
        # what was guessed of another picture is no guess of this one
        return super()._changes(name, value) | ({"guess": None, "revealed": False} if name == "image" else {})

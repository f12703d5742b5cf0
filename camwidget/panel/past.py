"""What a panel showed before its picture, its text or its classes changed, to go back to."""

from collections import deque

from camwidget.panel.state import PanelState

MOST = 5
"""So many states are kept; the oldest goes first. Each holds its maps, a few megabytes."""


class Past:
    """The last states that only the kernel can bring back; whatever needs no kernel, the browser takes back by itself.

    Each has a number, larger than those before it, by which the browser knows where it stands among its own steps.
    """

    def __init__(self) -> None:
        self._kept: deque[tuple[int, PanelState]] = deque(maxlen=MOST)
        self._newest = 0

    @property
    def numbers(self) -> list[int]:
        """The numbers of what is kept, the oldest first."""
        return [number for number, _ in self._kept]

    def keep(self, state: PanelState) -> None:
        """Keep what is shown, because it is about to change."""
        self._newest += 1
        self._kept.append((self._newest, state))

    def take(self, number: int) -> PanelState | None:
        """Return the newest state, which is then no longer kept here, if this is its number; else None."""
        if not self._kept or self._kept[-1][0] != number:
            return None  # asked for twice, or by another view
        return self._kept.pop()[1]

    def forget(self) -> None:
        """Keep nothing: what has been worked out since has cost too much to be lost."""
        self._kept.clear()

"""Explanations of single classes that were worked out while the kernel had nothing else to do."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

MOST = 12
"""So many are kept; the oldest goes first."""


class Ahead:
    """Works out classes that somebody is looking at in a list, one at a time, so that choosing one takes no time.

    Args:
        explain: from a class to the fields of a state that explain it; may raise.
        subject: what is explained now; what was worked out for another one is forgotten.
    """

    def __init__(self, explain: Callable[[int], dict[str, Any]], subject: Callable[[], object]) -> None:
        self._explain, self._subject = explain, subject
        self._kept: dict[int, dict[str, Any]] = {}
        self._of: object = None
        self._wanted: list[int] = []

    def look_at(self, classes: Sequence[int]) -> None:
        """Work out these classes when the kernel is idle, and no others; without an event loop nothing happens.

        Args:
            classes: by index, the most likely one first.
        """
        self._wanted = list(classes)
        self._later()

    def take(self, index: int) -> dict[str, Any] | None:
        """Return what was worked out for a class, or None; it is then no longer kept here."""
        self._forget_others()
        return self._kept.pop(index, None)

    def _later(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no kernel
            return
        loop.call_later(0, self._next)  # behind what else has come in meanwhile

    def _next(self) -> None:
        self._forget_others()
        self._wanted = [index for index in self._wanted if index not in self._kept]
        if not self._wanted:
            return
        index = self._wanted.pop(0)
        try:
            self._kept[index] = self._explain(index)
        except Exception:  # noqa: BLE001 (nobody has asked for it yet: who chooses the class gets the error)
            self._wanted = []
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]
        self._later()

    def _forget_others(self) -> None:
        if self._of is not self._subject():
            self._of, self._kept = self._subject(), {}

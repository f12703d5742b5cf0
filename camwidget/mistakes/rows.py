"""What is kept of each picture, in arrays that are made once, so a pass needs no more memory than its rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from camwidget.errors import clipped

NUMBERS = {
    "index": np.int64,
    "true": np.int32,
    "said": np.int32,
    "p_true": np.float32,
    "p_said": np.float32,
    "margin": np.float32,
    "loss": np.float32,
}
"""What is kept of each picture besides its maps, and how: 32 bytes."""

_START = 1024


@dataclass(frozen=True, eq=False, kw_only=True)
class Seen:
    """What a network said of a batch of pictures."""

    true: Int[Tensor, " batch"]
    """Their classes."""
    said: Int[Tensor, " batch"]
    """What the network took them for."""
    p_true: Float[Tensor, " batch"]
    """The probability of their class."""
    p_said: Float[Tensor, " batch"]
    """The probability of what it took them for."""
    margin: Float[Tensor, " batch"]
    """What the most probable class has more than the next one."""
    loss: Float[Tensor, " batch"]
    """Minus the logarithm of the probability of their class."""
    cams: Float[Tensor, "batch 2 map_height map_width"]
    """The maps of what it said, and of what is true."""


class Rows:
    """Fills the rows of a table, and an array of maps.

    Args:
        count: how many pictures there will be; None if nobody knows, and then the arrays grow by doubling.
    """

    def __init__(self, count: int | None) -> None:
        self.filled = 0
        self.problems: dict[int, str] = {}
        self.cams: np.ndarray | None = None
        self._capacity = count or _START
        self._numbers = {name: np.empty(self._capacity, kind) for name, kind in NUMBERS.items()}

    def refuse(self, problems: Mapping[int, str]) -> None:
        """Add a row for each picture that could not be read: no class, no map, the reason.

        Args:
            problems: place in the data to the reason.
        """
        for index, reason in problems.items():
            self._make_room(1)
            for name, column in self._numbers.items():
                column[self.filled] = {"index": index, "true": -1, "said": -1}.get(name, np.nan)
            if self.cams is not None:
                self.cams[self.filled] = np.nan
            self.problems[self.filled] = reason
            self.filled += 1

    def add(self, indices: list[int], seen: Seen) -> None:
        """Add a row for each picture of a batch.

        Args:
            indices: their places in the data.
            seen: what the network said of them.
        """
        self._make_room(len(indices))
        here = slice(self.filled, self.filled + len(indices))
        self._numbers["index"][here] = indices
        for name in list(NUMBERS)[1:]:
            self._numbers[name][here] = getattr(seen, name).numpy()
        maps = seen.cams.float().numpy()
        if self.cams is None:
            self.cams = np.full((self._capacity, *maps.shape[1:]), np.nan, np.float32)
        if maps.shape[1:] == self.cams.shape[1:]:
            self.cams[here] = maps
        else:
            size, usual = ("×".join(map(str, each.shape[2:])) for each in (maps, self.cams))
            reason = f"its map has {size} cells, those of the first picture {usual}: the map is left out"
            self.cams[here] = np.nan
            self.problems |= dict.fromkeys(range(here.start, here.stop), clipped(reason, longest=200))
        self.filled += len(indices)

    def columns(self) -> dict[str, np.ndarray]:
        """Return what was filled, in the order of the data."""
        order = self._order()
        return {name: column[: self.filled][order] for name, column in self._numbers.items()}

    def maps(self) -> np.ndarray:
        """Return the maps in the order of the data; of pictures that have none, NaN."""
        order = self._order()
        assert self.cams is not None  # the caller has seen that something was read
        if np.array_equal(order, np.arange(len(self.cams))):
            return self.cams
        return np.asarray(self.cams[: self.filled][order])

    def reasons(self) -> list[str]:
        """Return what is wrong with each picture, in the order of the data; mostly nothing."""
        return [self.problems.get(int(row), "") for row in self._order()]

    def _order(self) -> np.ndarray:
        return np.argsort(self._numbers["index"][: self.filled], kind="stable")

    def _make_room(self, more: int) -> None:
        while self.filled + more > self._capacity:
            self._capacity *= 2
            for name, column in self._numbers.items():
                self._numbers[name] = np.resize(column, self._capacity)
            if self.cams is not None:
                self.cams = np.resize(self.cams, (self._capacity, *self.cams.shape[1:]))

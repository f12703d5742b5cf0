"""What is kept of each picture, in arrays that are made once, so a pass needs no more memory than its rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

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
        self._labels: dict[int, int] = {}
        self.cams: np.ndarray | None = None
        self._capacity = count or _START
        self._numbers = {name: np.empty(self._capacity, kind) for name, kind in NUMBERS.items()}

    def refuse(self, problems: Mapping[int, str], labels: Mapping[int, int] = MappingProxyType({})) -> None:
        """Add a row for each picture that could not be read: the reason, no map, and its class if that is known.

        Args:
            problems: place in the data to the reason.
            labels: place in the data to its class, as the data numbers it, of those where it is known.
        """
        for index, reason in problems.items():
            self._make_room(1)
            for name, column in self._numbers.items():
                column[self.filled] = {"index": index, "true": -1, "said": -1}.get(name, np.nan)
            if index in labels:
                self._labels[self.filled] = labels[index]
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

    def refused(self) -> list[int]:
        """Return the places in the data of what could not be read, in the order in which it came."""
        numbers = self._numbers["index"]
        return [int(numbers[row]) for row in self.problems if self._numbers["said"][row] < 0]

    def columns(self, places: Sequence[int] = ()) -> dict[str, np.ndarray]:
        """Return what was filled, in the order of the data.

        Args:
            places: the class for each class of the data, for the pictures that could not be read.
        """
        for row, label in self._labels.items():
            if 0 <= label < len(places):
                self._numbers["true"][row] = places[label]
        order = self._order()
        return {name: column[: self.filled][order] for name, column in self._numbers.items()}

    def maps(self) -> np.ndarray:
        """Return the maps in the order of the data; of pictures that have none, NaN."""
        order = self._order()
        assert self.cams is not None  # the caller has seen that something was read
        if isinstance(order, slice):
            return self.cams[: self.filled]
        return np.asarray(self.cams[: self.filled][order])

    def reasons(self) -> list[str]:
        """Return what is wrong with each picture, in the order of the data; mostly nothing."""
        order = self._order()
        rows: Iterable[int] = range(self.filled) if isinstance(order, slice) else map(int, order)
        return [self.problems.get(row, "") for row in rows]

    def _order(self) -> np.ndarray | slice:
        """Which row comes where; mostly they came in their order, and then nothing is copied."""
        numbers = self._numbers["index"][: self.filled]
        if (numbers[1:] > numbers[:-1]).all():
            return slice(None)
        return np.argsort(numbers, kind="stable")

    def _make_room(self, more: int) -> None:
        while self.filled + more > self._capacity:
            self._capacity *= 2
            for name, column in self._numbers.items():
                self._numbers[name] = np.resize(column, self._capacity)
            if self.cams is not None:
                self.cams = np.resize(self.cams, (self._capacity, *self.cams.shape[1:]))

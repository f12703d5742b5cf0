"""Pictures whose maps look alike: spectral clustering of the maps of each class that was said.

After Lapuschkin and others 2019, "Unmasking Clever Hans predictors" (SpRAy), and Anders and others 2022, "Finding and
removing Clever Hans". Labels and pictures are not used: twenty mistakes that are one mistake come out as one group.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, SupportsIndex

import numpy as np
from jaxtyping import Float
from scipy.sparse.csgraph import laplacian
from sklearn.cluster import SpectralClustering

from camwidget.errors import DataError, three_parts
from camwidget.given import refuse_other_kind, whole
from camwidget.maps.arguments import class_index, listed
from camwidget.mistakes.found import Found, refuse_other

FEWEST = 12
"""A class that was said of fewer pictures is one group."""

MOST = 1500
"""Of more pictures, so many are drawn and grouped; each other picture joins the group whose mean map is nearest."""

ALIKE, LARGEST_PLACE, MIXED = 0.8, 0.4, 0.2
"""A group is pointed out if so many of its maps have their strongest cell within one place, the place is no larger than
this share of the picture, and so many of its pictures are of other classes than what was said."""

_LARGEST_SEED = 2**32 - 1
_NEARNESS = 2.0
_TYPICAL = 6
_SHARES = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Place:
    """A rectangle of a picture, in shares of its height and width."""

    top: int | float
    """Upper edge, from 0 to 1."""
    left: int | float
    """Left edge, from 0 to 1."""
    bottom: int | float
    """Lower edge, from 0 to 1."""
    right: int | float
    """Right edge, from 0 to 1."""

    @property
    def area(self) -> float:
        """Its share of the picture."""
        return float((self.bottom - self.top) * (self.right - self.left))

    @property
    def has_room(self) -> bool:
        """Whether a place of the same size fits beside it."""
        high, wide = self.bottom - self.top, self.right - self.left
        return max(self.top, 1 - self.bottom) >= high - 1e-9 or max(self.left, 1 - self.right) >= wide - 1e-9

    @property
    def words(self) -> str:
        """Where it is, in words, such as "the lower right corner"."""
        middle_y, middle_x = (self.top + self.bottom) / 2, (self.left + self.right) / 2
        high = "upper" if middle_y < 0.4 and self.bottom < 0.7 else "lower" if middle_y > 0.6 and self.top > 0.3 else ""
        wide = "left" if middle_x < 0.4 and self.right < 0.7 else "right" if middle_x > 0.6 and self.left > 0.3 else ""
        if high and wide:
            return f"the {high} {wide} corner"
        return f"the {high} edge" if high else f"the {wide} side" if wide else "the middle"


@dataclass(frozen=True, eq=False, repr=False)
class Group:
    """Pictures that were taken for one class, with maps of that class that look alike."""

    said: str
    """The class they were taken for."""
    rows: tuple[int, ...]
    """The rows of the pictures."""
    true: dict[str, int]
    """How many are of each class."""
    errors: int
    """How many are mistakes."""
    mean: Float[np.ndarray, "map_height map_width"]
    """The mean of their maps, each divided by its length."""
    place: Place
    """Where the mean map is strongest, see `strongest_place`."""
    inside: float
    """The share of the maps whose strongest cell lies within the place."""
    typical: tuple[int, ...]
    """The rows whose maps are most like the mean, the nearest first."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def error_rate(self) -> float:
        """The share of mistakes."""
        return self.errors / len(self.rows)

    @property
    def pointed_out(self) -> bool:
        """Whether it looks at one small place although its pictures show different things: worth a test, no proof."""
        return self.inside >= ALIKE and self.place.area <= LARGEST_PLACE and self.error_rate >= MIXED

    def __repr__(self) -> str:
        looks = f"look at {self.place.words}" if self.pointed_out else "share no place that stands out"
        return f"<Group: {len(self)} called {self.said!r}, {self.errors} mistakes, {looks}>"


def group_maps(
    found: Found, *, said: Sequence[SupportsIndex | str] | SupportsIndex | str | None = None, seed: int = 0
) -> list[Group]:
    """Return groups of pictures whose maps look alike, for each class that was said; those pointed out come first.

    How many groups a class has follows from the largest gap among the first eigenvalues of the graph's Laplacian. Right
    and wrong answers are grouped together, so that a group has an error rate.

    Args:
        found: what `find_mistakes` returned.
        said: only pictures that were taken for one of these classes, by name or index; None for all classes.
        seed: of the clustering, and of the draw where a class has more than 1,500 pictures; 0 or more.

    Raises:
        ClassError: there is no such class.
        DataError: there is no map, or the seed is none.
    """
    refuse_other(found)
    seed = whole(seed, "seed", least=0, most=_LARGEST_SEED, try_="Leave it out for 0", error=DataError)
    asked = None if said is None else {class_index(each, found.class_names) for each in listed(said) or ()}
    if asked == set():
        given = "said is empty"
        raise DataError(three_parts(given, "It holds one class or more", "Leave it out for all classes"))
    usable = found.read & np.isfinite(found.maps[:, 0]).all(axis=(1, 2))
    if not usable.any():
        raise DataError(three_parts("There is no map", "Groups are groups of maps", "Find the mistakes again"))
    codes, groups = found.codes[:, 1], []
    for code, name in enumerate(found.class_names):
        places = np.flatnonzero(usable & (codes == code))
        if len(places) and (asked is None or code in asked):
            groups += _groups_of(found, name, places, seed)
    return sorted(groups, key=lambda group: (not group.pointed_out, -group.errors, -len(group)))


def _groups_of(found: Found, said: str, places: np.ndarray, seed: int) -> list[Group]:
    maps = found.maps[places, 0].reshape(len(places), -1).astype(np.float64)
    lengths = np.linalg.norm(maps, axis=1, keepdims=True)
    units = np.divide(maps, lengths, out=np.zeros_like(maps), where=lengths > 0)
    labels = _labels(units, seed)
    return [_group(found, said, places[labels == label], units[labels == label]) for label in np.unique(labels)]


def _labels(units: np.ndarray, seed: int) -> np.ndarray:
    """Which group each map belongs to."""
    if len(units) < FEWEST:
        return np.zeros(len(units), int)
    drawn = np.arange(len(units))
    if len(units) > MOST:
        drawn = np.sort(np.random.default_rng(seed).choice(len(units), MOST, replace=False))
    few = units[drawn]
    affinity = np.exp(-_NEARNESS * np.maximum(0, 2 - 2 * few @ few.T))
    count = _count(affinity)
    if count == 1:
        return np.zeros(len(units), int)
    clustering = SpectralClustering(count, affinity="precomputed", random_state=seed, assign_labels="cluster_qr")
    labels = clustering.fit_predict(affinity)
    means = np.stack([few[labels == label].mean(axis=0) for label in range(count)])
    found = np.argmax(units @ means.T, axis=1)
    found[drawn] = labels
    return np.asarray(found)


def _count(affinity: np.ndarray) -> int:
    """How many groups there are: as many as there are small eigenvalues before the largest gap."""
    most = min(6, len(affinity) // 6)
    values = np.linalg.eigvalsh(laplacian(affinity, normed=True))[: most + 1]
    return int(np.argmax(np.diff(values))) + 1


def _group(found: Found, said: str, places: np.ndarray, units: np.ndarray) -> Group:
    mean = units.mean(axis=0)
    shape = found.maps.shape[2:]
    place = strongest_place(mean.reshape(shape))
    cells = np.stack(np.unravel_index(units.argmax(axis=1), shape), axis=1)
    at = (cells + 0.5) / np.array(shape)
    inside = (at > [place.top, place.left]).all(axis=1) & (at < [place.bottom, place.right]).all(axis=1)
    nearest = np.argsort(-(units @ mean), kind="stable")[:_TYPICAL]
    rows = found.table.iloc[places]
    counts = rows["true"].value_counts()
    return Group(
        said=said,
        rows=tuple(int(row) for row in rows.index),
        true={str(name): int(count) for name, count in counts.items() if count},
        errors=int((~rows["right"]).sum()),
        mean=mean.reshape(shape).astype(np.float32),
        place=place,
        inside=float(inside.mean()),
        typical=tuple(int(row) for row in rows.index[nearest]),
    )


def strongest_place(mean: Float[np.ndarray, "map_height map_width"]) -> Place:
    """Return the place around all cells above half of a map's largest value; the whole picture if nothing is positive.

    Where no second place of that size would fit beside it, it is drawn closer around the largest value.

    Args:
        mean: the map.
    """
    height, width = mean.shape
    if not mean.max() > 0:
        return Place(0, 0, 1, 1)
    for share in _SHARES:
        rows, columns = np.nonzero(mean > share * mean.max())
        top, left = rows.min() / height, columns.min() / width
        place = Place(float(top), float(left), float((rows.max() + 1) / height), float((columns.max() + 1) / width))
        if place.has_room:
            break
    return place


def refuse_no_group(group: Any, name: str = "group is") -> None:
    """Refuse what is no group.

    Args:
        group: what was given.
        name: how the message begins.

    Raises:
        DataError: it is something else.
    """
    allowed, advice = "It is one of what group_maps returned", "Pass cw.group_maps(found)[0]"
    refuse_other_kind(group, Group, name, allowed=allowed, try_=advice, error=DataError)

"""Hide a place in pictures, and as much elsewhere: does the network need what is there? A test with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from camwidget.errors import DataError, three_parts
from camwidget.given import between, told, whole
from camwidget.hooks.capture import LayerCapture
from camwidget.maps.activation import Activation, Function, checked_activation
from camwidget.maps.arguments import class_index, network_of
from camwidget.mistakes.found import Found, refuse_other
from camwidget.mistakes.groups import Group, Place, refuse_no_group, strongest_place
from camwidget.pictures.explain import picture_activation
from camwidget.pictures.inputs import as_taken_by, prepared

LEAST = 0.1
"""The network is said to need a place if the interval of the effect lies above this: ten points of probability."""

FEWEST = 6
"""A test needs so many pictures."""

LIMITS = (
    "The test says that these pictures lose the answer when this place is hidden, more than when as much is hidden "
    "elsewhere. It does not say what is there: an object that lies at the same place in all pictures gives the same "
    "result as a mark that does not belong to it. Look at the pictures. A blur is itself something that the network "
    "never saw, and a cue in several places may be found by no single one."
)
"""What such a test cannot show."""

_BLUR = 0.09
_DRAWS = 2000
_ELSEWHERE = 4
_MOST = 64


@dataclass(frozen=True, kw_only=True)
class HideTest:
    """What the probability of a class does when a place is hidden; means over the pictures that were tested."""

    said: str
    """The class."""
    place: Place
    """What was hidden, found with other pictures of the group than those that were tested."""
    rows: tuple[int, ...]
    """The pictures that were tested."""
    before: float
    """The probability of the class as the pictures are."""
    hidden: float
    """The same with the place hidden."""
    elsewhere: float
    """The same with as much hidden elsewhere, the mean over several places."""
    effect: float
    """What hiding the place costs more than hiding elsewhere: `elsewhere` minus `hidden`."""
    low: float
    """The lower end of the interval of `effect`."""
    high: float
    """The upper end."""
    confidence: float
    """How sure the interval is, such as 0.95."""
    changed: int
    """How many answers change with the place hidden."""
    righted: int
    """How many of them become right."""
    changed_elsewhere: float
    """How many answers change with as much hidden elsewhere, the mean over several places."""
    others: int
    """How many pictures outside of the group were tested as well."""
    others_before: float
    """The probability of the class in those."""
    others_hidden: float
    """The same with the place hidden."""

    @property
    def needed(self) -> bool:
        """Whether the network needs the place in these pictures: the whole interval lies above `LEAST`."""
        return self.low > LEAST

    def __str__(self) -> str:
        verdict = "needs" if self.needed else "was not shown to need"
        return (
            f"The network {verdict} {self.place.words} ({self.place.area:.0%} of the picture) to say {self.said!r}. In "
            f"{len(self.rows)} pictures its probability is {self.before:.2f}; {self.hidden:.2f} with the place hidden, "
            f"{self.elsewhere:.2f} with as much hidden elsewhere: {self.effect:.2f} more is lost "
            f"({self.confidence:.0%} interval {self.low:.2f} to {self.high:.2f}). {self.changed} answers change, "
            f"{self.righted} to the right one; elsewhere {self.changed_elsewhere:.1f}. {self._in_others()}{LIMITS}"
        )

    def _in_others(self) -> str:
        if not self.others:
            return ""
        became = f"from {self.others_before:.2f} to {self.others_hidden:.2f}"
        return f"In {self.others} other pictures it goes {became}. "


def hide_place(
    found: Found,
    group: Group,
    *,
    place: Place | None = None,
    confidence: float = 0.95,
    activation: str | Function | None = None,
    seed: int = 0,
) -> HideTest:
    """Return what happens to the answers of a group when the place that its maps share is hidden.

    The place is found with one half of the group, and hidden in the other half, up to 64 pictures: maps that happened
    to agree do not confirm themselves. The same place is hidden in pictures outside of the group. What it is compared
    with is a place of the same size elsewhere in the same picture. Hiding is blurring.

    Args:
        found: what `find_mistakes` returned in this session, or loaded with the model and the pictures at hand.
        group: one of `group_maps(found)`.
        place: what to hide; None to find it. One that you chose is tested with all pictures of the group.
        confidence: of the interval, made by drawing the pictures anew 2,000 times. For several groups tested at once
            take more: with ten groups 0.995 keeps the risk of one false finding near 5 %.
        activation: what turns logits into probabilities, see `explain`.
        seed: of the halves and the draws.

    Raises:
        DataError: the group has too few pictures, the place is too large to hide as much elsewhere, or there is no
            model.
        ImageError: a picture cannot be read any more.
        MapError: there is no such activation.
    """
    refuse_other(found)
    refuse_no_group(group)
    activation = checked_activation(activation)
    if found.model is None:
        given = "What was found was loaded without a model"
        raise DataError(
            three_parts(given, "The pictures are run again", "Load it with one: cw.Found.load(folder, model=learn)")
        )
    if place is not None and not _has_room(place):
        given = f"place is {told(place)}"
        allowed = "It is a Place with its edges from 0 to 1, the upper above the lower, the left before the right"
        raise DataError(three_parts(given, allowed, "Try Place(0.5, 0.5, 1.0, 1.0), the lower right quarter"))
    confidence = between(
        confidence, "confidence", low=0, high=1, ends=False, try_="Leave it out for 0.95", error=DataError
    )
    numbers = np.random.default_rng(whole(seed, "seed", least=0, try_="Leave it out for 0", error=DataError))
    rows = [int(row) for row in numbers.permutation(group.rows)]
    tested = rows if place is not None else rows[len(rows) // 2 :]
    if len(tested) < FEWEST:
        given = f"The group has {len(group)} pictures"
        least = FEWEST if place is not None else 2 * FEWEST
        raise DataError(three_parts(given, f"A test needs {least}", "Find mistakes in more pictures"))
    if place is None:
        place = _place_of(found, rows[: len(rows) // 2])
    outside = [int(row) for row in found.table.index[found.read] if int(row) not in set(group.rows)]
    others = [int(row) for row in numbers.permutation(outside)[:_MOST]]
    with _Hiding(found, class_index(group.said, found.class_names), activation) as hiding:
        places = elsewhere(place)
        tested = tested[:_MOST]
        seen = [hiding.see(row, [place, *places]) for row in tested]
        seen_others = [hiding.see(row, [place]) for row in others]
    return _summed(found, group, tested, place, seen, seen_others, confidence, numbers)


def _has_room(place: object) -> bool:
    if not isinstance(place, Place):
        return False
    edges = (place.top, place.left, place.bottom, place.right)
    numbers = all(isinstance(each, int | float | np.number) and not isinstance(each, bool) for each in edges)
    return numbers and 0 <= place.top < place.bottom <= 1 and 0 <= place.left < place.right <= 1


def _place_of(found: Found, rows: Sequence[int]) -> Place:
    maps = found.maps[[found.place(row) for row in rows], 0]
    lengths = np.linalg.norm(maps, axis=(1, 2), keepdims=True)
    return strongest_place(np.divide(maps, lengths, out=np.zeros_like(maps), where=lengths > 0).mean(axis=0))


def _summed(
    found: Found,
    group: Group,
    rows: Sequence[int],
    place: Place,
    seen: list[tuple[np.ndarray, np.ndarray]],
    others: list[tuple[np.ndarray, np.ndarray]],
    confidence: float,
    numbers: np.random.Generator,
) -> HideTest:
    """Means over pictures; the columns are: as it is, with the place hidden, with other places hidden."""
    p = np.stack([each for each, _ in seen])
    said = np.stack([each for _, each in seen])
    true = np.array([found.codes[found.place(row), 0] for row in rows])
    effects = p[:, 2:].mean(axis=1) - p[:, 1]
    draws = effects[numbers.integers(len(effects), size=(_DRAWS, len(effects)))].mean(axis=1)
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    elsewhere_changed = (said[:, 2:] != said[:, :1]).mean(axis=1).sum()
    p_others = np.stack([each for each, _ in others]) if others else np.full((1, 2), np.nan)
    return HideTest(
        said=group.said,
        place=place,
        rows=tuple(rows),
        before=float(p[:, 0].mean()),
        hidden=float(p[:, 1].mean()),
        elsewhere=float(p[:, 2:].mean()),
        effect=float(effects.mean()),
        low=float(low),
        high=float(high),
        confidence=confidence,
        changed=int((said[:, 1] != said[:, 0]).sum()),
        righted=int(((said[:, 1] == true) & (said[:, 0] != true)).sum()),
        changed_elsewhere=float(elsewhere_changed),
        others=len(others),
        others_before=float(p_others[:, 0].mean()),
        others_hidden=float(p_others[:, 1].mean()),
    )


def elsewhere(place: Place) -> list[Place]:
    """Return up to four places of the same size that have nothing in common with it, far from each other.

    Args:
        place: the place.

    Raises:
        DataError: it is so large that none is left.
    """
    height, width = place.bottom - place.top, place.right - place.left
    spots = [
        Place(top, left, top + height, left + width)
        for top in np.linspace(0, 1 - height, 5)
        for left in np.linspace(0, 1 - width, 5)
    ]
    free = [spot for spot in spots if not _overlap(spot, place)]
    if not free:
        given = f"The place takes {place.area:.0%} of the picture"
        allowed = "As much must be left elsewhere, to compare with"
        raise DataError(three_parts(given, allowed, "Choose a smaller place: hide_place(..., place=Place(...))"))
    chosen = [max(free, key=lambda spot: _distance(spot, place))]
    while len(chosen) < min(_ELSEWHERE, len(free)):
        chosen.append(max(free, key=lambda spot: min(_distance(spot, other) for other in chosen)))
    return chosen


def _overlap(one: Place, other: Place) -> bool:
    beside = one.right <= other.left + 1e-9 or other.right <= one.left + 1e-9
    return not (beside or one.bottom <= other.top + 1e-9 or other.bottom <= one.top + 1e-9)


def _distance(one: Place, other: Place) -> float:
    return abs(one.top - other.top) + abs(one.left - other.left)


class _Hiding:
    """Runs the network on pictures with places hidden."""

    def __init__(self, found: Found, target: int, activation: str | Function | None) -> None:
        self.found, self.target, self.asked = found, target, activation
        self.activation: Activation | None = None
        self.network = network_of(found.model)
        self.capture = LayerCapture(self.network, ())

    def __enter__(self) -> "_Hiding":
        self.capture.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.capture.__exit__(*error)

    def _read(self, row: int) -> Tensor:
        """A picture, prepared: by what read it before, or after loading from its file."""
        if self.found.source is not None:
            return self.found.source.one(row)
        return prepared(self.found.model, self.found.file(row)).inputs

    def see(self, row: int, places: Sequence[Place]) -> tuple[np.ndarray, np.ndarray]:
        """The probability of the class and the answer: as the picture is, then with each of the places hidden."""
        pixels = as_taken_by(self.network, self._read(int(row)))
        if self.activation is None:
            logits = self.capture.forward(pixels)
            self.activation = picture_activation(self.asked, self.found.model, self.capture, pixels, logits)
        twin = blurred(pixels)
        changed = [pixels, *(with_hidden(pixels, twin, place) for place in places)]
        with torch.no_grad():
            outputs = self.capture.rerun(torch.cat(changed)).double().cpu()
        logs = self.activation.log_probabilities(outputs)
        return logs[:, self.target].exp().numpy(), logs.argmax(1).numpy()


def blurred(pixels: Float[Tensor, "1 3 height width"]) -> Float[Tensor, "1 3 height width"]:
    """Return the picture's blurred twin: a deviation of a tenth of the shorter side, cut where it is small.

    A Gaussian is blurred along the rows and then along the columns, which is the same as both at once: two lines of
    weights in place of a square of them, a twentieth of the time.

    Args:
        pixels: the picture.
    """
    shorter = min(pixels.shape[2:])
    sigma = max(1.0, _BLUR * shorter)
    size = 2 * min(int(2.5 * sigma), shorter - 1) + 1
    along_rows = gaussian_blur(pixels, [size, 1], [sigma, sigma])
    along_both: Tensor = gaussian_blur(along_rows, [1, size], [sigma, sigma])
    return along_both


def with_hidden(
    pixels: Float[Tensor, "1 3 height width"], blurred: Float[Tensor, "1 3 height width"], place: Place
) -> Float[Tensor, "1 3 height width"]:
    """Return the picture with a place taken from its blurred twin.

    Args:
        pixels: the picture.
        blurred: its twin.
        place: what to hide.
    """
    height, width = pixels.shape[2:]
    rows = slice(round(place.top * height), round(place.bottom * height))
    columns = slice(round(place.left * width), round(place.right * width))
    changed = pixels.clone()
    changed[:, :, rows, columns] = blurred[:, :, rows, columns]
    return changed

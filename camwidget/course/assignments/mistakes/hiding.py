"""The judge of `mistakes.occlusion`: hide a place, and as much elsewhere. The hidden check uses it too."""

from collections.abc import Callable, Mapping
from functools import cached_property, partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from camwidget.course.assignments.awkward import Apart
from camwidget.course.assignments.traces import Before, Counted, judge_left
from camwidget.course.attempt import Attempt
from camwidget.course.compare import as_numbers

Spot = tuple[int, int, int, int]
"""Top, left, bottom and right in pixels; bottom and right are the first that do not belong to it."""
Inputs = Float[Tensor, "picture 3 height width"]

_ROOM = 2e-4
"""Probabilities that differ by less are the same: float32 does not tell more after a network."""
_APART = 2e-3
"""A known mistake shows if it gives a number that is further away than this."""
_GRID = 3


class _Case:
    """A network that knows where things are, pictures, a class, a place, and one of the same size elsewhere.

    Args:
        attempt: draws it.
        pictures: how many.
        longest: most rows and columns.
    """

    def __init__(self, attempt: Attempt, *, pictures: int, longest: int) -> None:
        channels, classes = attempt.size(4, 6), attempt.size(3, 5)
        height, width = attempt.sizes(2, low=12, high=longest)
        last = nn.Linear(channels * _GRID**2, classes)
        last.weight.data *= 8
        body = (nn.Conv2d(3, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU())
        self.model = Counted(*body, nn.AdaptiveAvgPool2d(_GRID), nn.Flatten(), nn.Dropout(0.4), last).eval()
        self.model[1].running_mean = 0.3 * attempt.tensor(channels)
        self.inputs = attempt.tensor(pictures, 3, height, width) + attempt.tensor(pictures, 3, 1, 1)
        self.target = attempt.size(1, classes - 1)
        high, wide = attempt.size(4, height // 2 - 1), attempt.size(4, width // 2 - 1)
        high += high == wide and high + 1 < height // 2  # a square one would hide a swap
        top, left = attempt.size(1, height // 2 - high), attempt.size(1, width // 2 - wide)
        below, beside = attempt.size(height // 2, height - high), attempt.size(width // 2, width - wide)
        self.place: Spot = (top, left, top + high, left + wide)
        self.elsewhere: Spot = (below, beside, below + high, beside + wide)
        if attempt.size(0, 1):
            self.place, self.elsewhere = self.elsewhere, self.place
        for (top, left, bottom, right), strength in ((self.place, 3.0), (self.elsewhere, 1.5)):
            self.inputs[:, :, top:bottom, left:right] += strength * attempt.tensor(1, 3, 1, 1) + attempt.tensor(
                pictures, 3, 1, 1
            )

    def logits(self, inputs: Inputs) -> Float[Tensor, "picture class"]:
        """What the network says; the run is not noted."""
        with torch.no_grad():
            logits: Tensor = nn.Sequential(*self.model)(inputs)  # not the network that counts
        return logits.double()

    @cached_property
    def before(self) -> Float[Tensor, "picture class"]:
        """What it says of the pictures as they are."""
        return self.logits(self.inputs)

    def lost(self, after: Float[Tensor, "picture class"]) -> float:
        """The probability of the class that is lost, the mean over the pictures.

        Args:
            after: what the network says of the changed pictures.
        """
        return float((self.before.softmax(1) - after.softmax(1))[:, self.target].mean())

    @cached_property
    def right(self) -> dict[str, float]:
        """The three numbers, by fact."""
        here, elsewhere = (self.lost(self.logits(hidden(self.inputs, spot))) for spot in (self.place, self.elsewhere))
        return {"here": here, "elsewhere": elsewhere, "effect": here - elsewhere}

    @cached_property
    def mistakes(self) -> dict[str, dict[str, float]]:
        """For each fact: what the learner should read, to the number that this mistake gives."""
        here, elsewhere = self.right["here"], self.right["elsewhere"]
        alone = hidden(self.inputs, self.place)
        both = self.logits(_filled(alone, self.elsewhere, self.inputs.mean((2, 3), keepdim=True)))
        both_anew = self.logits(hidden(alone, self.elsewhere))
        still = "the place is still hidden when the other spot is"
        swapped = "place and elsewhere have changed places"
        return {
            "here": _ways(self, self.place)
            | {swapped: elsewhere, "both spots were hidden: hide one at a time": self.lost(both)},
            "elsewhere": _ways(self, self.elsewhere)
            | {
                swapped: here,
                f"{still}: hide it in fresh pictures": self.lost(both),
                f"{still}, and the mean is of pictures with a hidden place": self.lost(both_anew),
                "this compares with the pictures in which the place is hidden: compare with them as they are": self.lost(
                    both
                )
                - here,
            },
            "effect": {
                "this is elsewhere minus the place: the place comes first": elsewhere - here,
                "the two were added: subtract one from the other": here + elsewhere,
                "what hiding elsewhere costs was not subtracted": here,
                "this is what hiding elsewhere costs": elsewhere,
                "the one was divided by the other: subtract": here / elsewhere,
                "the absolute difference was taken: its sign counts": abs(here - elsewhere),
            },
        }


def hidden(inputs: Inputs, spot: Spot) -> Inputs:
    """The pictures with a place filled with each one's own mean, colour by colour.

    Args:
        inputs: as they are.
        spot: the place.
    """
    return _filled(inputs, spot, inputs.mean((2, 3), keepdim=True))


def _filled(inputs: Inputs, spot: Spot, by: Tensor) -> Inputs:
    top, left, bottom, right = spot
    inside = torch.zeros(inputs.shape[2:], dtype=torch.bool)
    inside[max(top, 0) : bottom, max(left, 0) : right] = True
    return torch.where(inside, by.expand_as(inputs), inputs)


def judge_hiding(attempt: Attempt, *, longest: int) -> None:
    """Judge a function (model, inputs, target_class, place, elsewhere) -> what hiding costs, here, there, and the effect.

    Args:
        attempt: of this round.
        longest: most rows and columns of a picture.
    """
    attempt.seed_torch()
    apart = Apart(_wrong, tries=1)
    for pictures in (attempt.size(3, 5), 1, 2):
        _judge_case(attempt, apart.draw(partial(_drawn, attempt, pictures=pictures, longest=longest)))
    for case in apart.until_all_show(partial(_drawn, attempt, pictures=attempt.size(3, 5), longest=longest), most=6):
        _judge_case(attempt, case)


def _drawn(attempt: Attempt, *, pictures: int, longest: int) -> _Case:
    """Draw a case in which hiding costs, or gains, something that can be told from nothing."""
    while True:
        case = _Case(attempt, pictures=pictures, longest=longest)
        if min(map(abs, case.right.values())) > 5 * _APART:
            return case


def _judge_case(attempt: Attempt, case: _Case) -> None:
    right, known = case.right, case.mistakes  # before an answer can change the network
    before = Before(case.model, {"inputs": case.inputs})
    pictures = len(case.inputs)
    called = f"hiding_effect(model, inputs, {case.target}, {case.place}, {case.elsewhere}), inputs {tuple(case.inputs.shape)}"
    meanings = {
        "modified by an inplace": "hide the place in a copy of the pictures: inputs.clone()",
        "expanded size": "the mean of each picture and colour has shape (picture, 3, 1, 1): keepdim=True",
    }
    got = attempt.call(
        attempt.answer,
        case.model,
        case.inputs,
        case.target,
        case.place,
        case.elsewhere,
        called=called,
        meanings=meanings,
    )
    numbers = as_numbers(got)
    shape = None if numbers is None else tuple(numbers.shape)
    likely = "return three numbers: what hiding the place costs, what hiding elsewhere costs, and the difference"
    if shape == ():
        likely = "this is one number: return three"
    elif shape in ((3, pictures), (pictures, 3)) or (isinstance(got, tuple | list) and len(got) == 3):
        likely = "there is a number for each picture: take the mean over the pictures"
    wanted = ", ".join(f"{each:.3f}" for each in right.values())
    attempt.fact("form", shape == (3,), expected=f"three numbers: {wanted}", got=got, likely=likely, stop=True)
    assert numbers is not None  # `form` holds
    for key, number in zip(right, numbers.tolist(), strict=True):
        _judge_number(attempt, key, number, right[key], known[key])
    _judge_quiet(attempt, case, before)


def _judge_number(attempt: Attempt, key: str, got: float, right: float, known: Mapping[str, float]) -> None:
    fits = abs(got - right) <= _ROOM
    likely = attempt.narrowed(key, [says for says, wrong in known.items() if abs(got - wrong) <= _ROOM])
    if fits:
        likely = ""
    vague = not likely
    likely = (
        likely
        or {
            "here": "the probability of the class in the pictures as they are, minus that with the place hidden",
            "elsewhere": "the same as for the place, with the other spot hidden, in pictures that are otherwise whole",
            "effect": "what hiding the place costs minus what hiding elsewhere costs",
        }[key]
    )
    attempt.fact(key, fits, expected=f"{right:.4f}", got=f"{got:.4f}", likely=likely, vague=vague)


def _judge_quiet(attempt: Attempt, case: _Case, before: Before) -> None:
    """State that nothing was recorded, and that network and pictures are as they were."""
    runs = case.model.runs
    if any(run.recorded for run in runs):
        likely = "run the network inside `with torch.no_grad():`"
        attempt.fact("left", False, expected="nothing recorded", got="a recorded run", likely=likely)
    judge_left(attempt, before, "left", still_there="a hook of yours is still on the model: remove it")


def _wrong(case: _Case) -> dict[str, float | None]:
    """Name of each known mistake to the number that it gives; None where that is nearly the right one."""
    return {
        f"{key}: {says}": None if abs(wrong - case.right[key]) < _APART else round(wrong, 3)
        for key, mistakes in case.mistakes.items()
        for says, wrong in mistakes.items()
    }


def _ways(case: _Case, spot: Spot) -> dict[str, float]:
    """Mistakes in hiding one place, and in what is measured then."""
    hidings = _hidings(case.inputs, spot)
    logits = case.logits(torch.cat([hidden(case.inputs, spot), *hidings.values()])).split(len(case.inputs))
    found = {says: case.lost(each) for says, each in zip(hidings, logits[1:], strict=True)}
    before, after = (each.softmax(1)[:, case.target] for each in (case.before, logits[0]))

    def measured(measure: Callable[[Tensor], Tensor]) -> float:
        return float((measure(case.before) - measure(logits[0])).mean())

    return found | {
        "the sign is turned around: what is lost is before minus after": -float((before - after).mean()),
        "this is the probability with the place hidden: what is lost?": float(after.mean()),
        "this is the probability before anything is hidden": float(before.mean()),
        "the losses were added up over the pictures: take the mean": float((before - after).sum()),
        "only the first picture counts: take the mean over all": float((before - after)[0]),
        "the losses were divided by the probability before": float(((before - after) / before).mean()),
        "the loss was divided by the mean probability before": float((before - after).mean() / before.mean()),
        "pictures that gain count as zero: a gain is a negative loss": float((before - after).relu().mean()),
        "the absolute losses were averaged: their sign counts": float((before - after).abs().mean()),
        "these are logits, not probabilities: softmax first": measured(lambda x: x[:, case.target]),
        "these are logarithms of probabilities": measured(lambda x: x.log_softmax(1)[:, case.target]),
        "these are sigmoids: softmax makes probabilities of one answer out of several": measured(
            lambda x: x[:, case.target].sigmoid()
        ),
        "the softmax went over the pictures: it goes over the classes, axis 1": measured(
            lambda x: x.softmax(0)[:, case.target]
        ),
        "this is the probability of whatever is largest: that of target_class is asked": measured(
            lambda x: x.softmax(1).amax(1)
        ),
        "this is class 0, not target_class": measured(lambda x: x.softmax(1)[:, 0]),
        "the mean over all classes was taken": measured(lambda x: x.mean(1)),
    }


def _hidings(inputs: Tensor, spot: Spot) -> dict[str, Tensor]:
    """Other ways to hide, and other places: what the learner should read, to the pictures."""
    top, left, bottom, right = spot
    means = inputs.mean((2, 3), keepdim=True)
    inside = inputs[:, :, top:bottom, left:right]
    known = {
        "the place was filled with zeros: fill it with each picture's own mean": _filled(inputs, spot, 0 * means),
        "the place was filled with ones: fill it with each picture's own mean": _filled(inputs, spot, 0 * means + 1),
        "one mean was taken for all three colours: each has its own": _filled(
            inputs, spot, inputs.mean((1, 2, 3), keepdim=True)
        ),
        "the mean of all pictures was taken: each has its own": _filled(
            inputs, spot, inputs.mean((0, 2, 3), keepdim=True)
        ),
        "one mean was taken for all pictures and colours: each has its own": _filled(inputs, spot, inputs.mean()),
        "the mean of the place was taken, not of the whole picture": _filled(
            inputs, spot, inside.mean((2, 3), keepdim=True)
        ),
        "the median was taken, not the mean": _filled(
            inputs, spot, inputs.flatten(2).median(2).values[:, :, None, None]
        ),
        "everything but the place was hidden": torch.where(_filled(0 * inputs, spot, 0 * means + 1) > 0, inputs, means),
        "rows and columns have changed places: top and bottom are rows, axis 2": _filled(
            inputs, (left, top, right, bottom), means
        ),
        "the numbers are top, left, bottom, right: the last two are no height and width": _filled(
            inputs, (top, left, top + bottom, left + right), means
        ),
        "the bottom row and the right column were hidden as well: they do not belong to it": _filled(
            inputs, (top, left, bottom + 1, right + 1), means
        ),
        "the last row and the last column of the place were left out": _filled(
            inputs, (top, left, bottom - 1, right - 1), means
        ),
        "only the rows were looked at: the whole band was hidden": _filled(
            inputs, (top, 0, bottom, inputs.shape[3]), means
        ),
        "only the first colour was hidden": torch.cat([_filled(inputs, spot, means)[:, :1], inputs[:, 1:]], dim=1),
    }
    first = inputs.clone()
    first[:1] = _filled(inputs, spot, means)[:1]
    return known | {"the place was hidden in the first picture only": first}

"""Judges for the answers of `mistakes` about maps. The hidden checks use them too, with other sizes."""

from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from camwidget.course.assignments.awkward import Apart, awkward_sizes
from camwidget.course.assignments.traces import judge_given
from camwidget.course.attempt import Attempt
from camwidget.course.compare import as_numbers

_NUMBERS = 40.0
"""Activations are so large: a cell's share of a logit is then no small fraction, which rounding would make zero."""


def judge_difference(attempt: Attempt, *, high: int) -> None:
    """Judge a function (activation, weight, bias, said, true) -> maps that add up to the difference of two logits.

    Args:
        attempt: of this round.
        high: the greatest length of an axis.
    """
    axes = ("picture", "class", "channel", "height", "width")
    several = [*awkward_sizes(attempt, axes, low=3, high=high, ones=("picture", "height"))]
    for number, sizes in enumerate([*several, several[0] | {"picture": 2}]):
        pictures, classes, channels, height, width = sizes.values()
        activation = _NUMBERS * attempt.tensor(pictures, channels, height, width)
        weight, bias = attempt.tensor(classes, channels), 5 * height * width * attempt.tensor(classes)
        said = torch.randint(0, classes, (pictures,), generator=attempt.generator)
        step = torch.randint(1, classes, (pictures,), generator=attempt.generator)
        true = (said + step) % classes
        if number == 1:
            true[-1] = said[-1]  # one that is right: its map is zero
        given = {"activation": activation, "weight": weight, "bias": bias, "said": said, "true": true}
        _judge_difference(attempt, given)


def _judge_difference(attempt: Attempt, given: dict[str, Tensor]) -> None:
    before = {name: tensor.clone() for name, tensor in given.items()}
    pictures, channels, height, width = given["activation"].shape
    called = f"difference_maps(activation, weight, bias, said, true), activation of shape {(pictures, channels, height, width)}"
    got = attempt.call(attempt.answer, *given.values(), called=called)
    classes = len(before["bias"])
    shapes = {
        (pictures, channels, height, width): "the channels are still there: add them up",
        (height, width): "the pictures are gone: keep one map for each",
        (channels, height, width): "the pictures are gone: add up over the channels, which are axis 1",
        (pictures,): "the places are gone: this is one number per picture",
        (
            pictures,
            classes,
            height,
            width,
        ): "there is one map per class: said and true choose two, and one is subtracted",
        (pictures, 2, height, width): "there are two maps per picture: subtract one from the other",
        (pictures, pictures, height, width): "every picture met every picture's weights: picture n has row n",
        (pictures, 1, height, width): "an axis of length 1 is left over: sum over the channels without keepdim",
    }
    attempt.shape("shape", got, (pictures, height, width), mistakes=shapes)
    exact = {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in before.items()}
    right = _difference(**exact)
    attempt.values("values", got, right, mistakes=partial(_difference_mistakes, **exact), axes=("picture", "row"))
    _judge_sum(attempt, got, right, exact)
    judge_given(attempt, "kept", given, before)


def _judge_sum(attempt: Attempt, got: Any, right: Tensor, given: dict[str, Tensor]) -> None:
    """State that each map adds up to the logit of what was said minus that of what is true."""
    logits = given["activation"].mean((2, 3)) @ given["weight"].T + given["bias"]
    rows = torch.arange(len(logits))
    wanted = logits[rows, given["said"]] - logits[rows, given["true"]]
    numbers = as_numbers(got)
    assert numbers is not None  # its shape was looked at
    sums = numbers.sum((1, 2))
    off = (sums - wanted).abs() > 1e-4 * right.abs().sum((1, 2)) + 1e-6
    place = int(off.nonzero()[0]) if bool(off.any()) else 0
    likely = (
        "the head takes the mean over the cells, so each cell counts one part in height times width, and the difference "
        "of the two biases is shared out among them"
    )
    expected, came = f"picture {place}: {float(wanted[place]):.4g}", f"{float(sums[place]):.4g}"
    attempt.fact("sum", not bool(off.any()), expected=expected, got=came, likely=likely, vague=True)


def _difference(
    activation: Float[Tensor, "picture channel height width"],
    weight: Float[Tensor, "class channel"],
    bias: Float[Tensor, " class"],
    said: Int[Tensor, " picture"],
    true: Int[Tensor, " picture"],
) -> Float[Tensor, "picture height width"]:
    """The right maps: for each picture the map of each of both classes, bias included, and one minus the other."""
    both = []
    for classes in (said, true):
        products = weight[classes][:, :, None, None] * activation
        both.append((products.sum(1) + bias[classes][:, None, None]) / activation[0, 0].numel())
    return both[0] - both[1]


def _difference_mistakes(
    activation: Tensor, weight: Tensor, bias: Tensor, said: Tensor, true: Tensor
) -> dict[str, Tensor]:
    """What the learner should read, to the maps that this mistake gives."""
    cells = activation[0, 0].numel()
    none = torch.zeros_like(bias)
    right = _difference(activation, weight, bias, said, true)
    bare = _difference(activation, weight, none, said, true)
    shared = right - bare
    whole = {
        "the cells were not divided by their number: the head takes the mean": cells * right,
        "the difference of the biases is missing": bare,
        "the difference of the biases is missing, and the cells were not divided by their number": cells * bare,
        "the difference of the biases is there in full in every cell: share it out": bare + cells * shared,
        "the cells were not divided by their number, and the biases were": cells * bare + shared,
        "the difference of the biases was subtracted": bare - shared,
        "the sign is turned around: this is true minus said, and what was said comes first": -right,
        "the weights are those of true minus said, and the biases those of said minus true": shared - bare,
        "the weights are those of what was said alone, and the biases those of both": _one(
            activation, weight, none, said
        )
        + shared,
        "ReLU was applied to the map before the biases came: maps are signed": bare.relu() + shared,
        "the absolute map was taken before the biases came: maps are signed": bare.abs() + shared,
        "this is the map of what was said alone: subtract that of what is true": _one(activation, weight, bias, said),
        "this is the map of what was said alone, without its bias": _one(activation, weight, none, said),
        "this is the map of what is true alone": _one(activation, weight, bias, true),
        "the two maps were added, not subtracted": _one(activation, weight, bias, said)
        + _one(activation, weight, bias, true),
        "the biases were added, not subtracted": bare + (bias[said] + bias[true])[:, None, None] / cells,
        "the bias of what was said alone was added": bare + bias[said][:, None, None] / cells,
        "divided by the number of channels, not of cells": cells * right / activation.shape[1],
        "divided by the height only": cells * right / activation.shape[2],
        "divided by the width only": cells * right / activation.shape[3],
        "divided by the number of all numbers of a picture, not of cells": right / activation.shape[1],
        "this is the largest channel: add them up": _products(activation, weight, said, true).amax(1) / cells + shared,
        "this is the mean over the channels: add them up": bare / activation.shape[1] + shared,
        "every picture got the classes of the first one": _difference(
            activation, weight, bias, said[:1].expand_as(said), true[:1].expand_as(true)
        ),
        "all pictures have the first one's map": right[:1].expand_as(right),
        "the absolute difference of the weights was used: its sign counts": _difference_by(
            activation, (weight[said] - weight[true]).abs(), shared
        ),
        "ReLU was applied to each map before one was subtracted": _one(activation, weight, bias, said).relu()
        - _one(activation, weight, bias, true).relu(),
        "the absolute maps were subtracted": _one(activation, weight, bias, said).abs()
        - _one(activation, weight, bias, true).abs(),
        "ReLU was applied to the activation": _difference(activation.relu(), weight, bias, said, true),
        "the bias stands in the first cell alone: share it out among all": _in_one_cell(bare, shared * cells),
        "this is the mean activation in every cell: where it was seen is lost": _difference(
            activation.mean((2, 3), keepdim=True).expand_as(activation), weight, bias, said, true
        ),
    }
    if len(weight) == weight.shape[1]:
        whole["rows and columns of the weight have changed places: classes are its rows"] = _difference(
            activation, weight.T, bias, said, true
        )
    if activation.shape[2] == activation.shape[3]:
        whole["height and width have changed places"] = right.transpose(1, 2)
    return whole


def _one(activation: Tensor, weight: Tensor, bias: Tensor, classes: Tensor) -> Tensor:
    """The maps of one class each."""
    return _difference(
        activation,
        torch.cat([weight, 0 * weight[:1]]),
        torch.cat([bias, 0 * bias[:1]]),
        classes,
        0 * classes + len(bias),
    )


def _products(activation: Tensor, weight: Tensor, said: Tensor, true: Tensor) -> Tensor:
    return (weight[said] - weight[true])[:, :, None, None] * activation


def _difference_by(activation: Tensor, weights: Tensor, shared: Tensor) -> Tensor:
    return torch.einsum("bc,bchw->bhw", weights, activation) / activation[0, 0].numel() + shared


def _in_one_cell(bare: Tensor, whole: Tensor) -> Tensor:
    found = bare.clone()
    found[:, 0, 0] += whole[:, 0, 0]
    return found


# The place that a group shares


def judge_shared_cell(attempt: Attempt, *, high: int) -> None:
    """Judge a function (maps) -> row and column of the cell where the mean of the maps, each by its length, is largest.

    Args:
        attempt: of this round.
        high: the greatest length of an axis.
    """
    axes = ("picture", "height", "width")
    apart = Apart(_wrong, tries=3)
    several = [*awkward_sizes(attempt, axes, low=3, high=high, ones=("picture",))]
    for sizes in several:
        _judge_cell(attempt, apart.draw(partial(_group, attempt, *sizes.values())))
    for pictures, height, width in ((2, 3, high), (2, high, 3), (attempt.size(15, 25), 4, 5)):
        _judge_cell(attempt, apart.draw(partial(_group, attempt, pictures, height, width)))
    for maps in apart.until_all_show(partial(_group, attempt, *several[0].values())):
        _judge_cell(attempt, maps)
    with attempt.part("zero"):
        for pictures in (4, 2):
            _judge_cell(attempt, _with_a_zero(attempt, pictures, 4, 6), zero=True)


def _with_a_zero(attempt: Attempt, pictures: int, height: int, width: int) -> Tensor:
    """Draw maps that share a peak, but for the last, which is zero everywhere: that one alone is in question."""
    while True:
        shared = attempt.tensor(1, height, width).abs()
        first, second = shared.flatten().topk(2).values.tolist()
        row, column = place = _largest(shared[0])
        crossing = int(shared.sum((0, 2)).argmax()), int(shared.sum((0, 1)).argmax())
        # 0 / 0 must not be right by chance: its largest cell is the first. Nor must a row be that is taken for a column.
        if first > 1.5 * second and row != column and place == crossing:
            break
    maps = shared * (1 + 0.1 * torch.rand(pictures, height, width, generator=attempt.generator))
    maps = maps * (1.5 * attempt.tensor(pictures, 1, 1)).exp()
    maps[-1] = 0
    return maps


def _group(attempt: Attempt, pictures: int, height: int, width: int) -> Tensor:
    """Draw maps, some with much larger numbers than others.

    Some are flat and some have a single peak, on levels of their own: then a largest value, a sum or a deviation does not
    do what a length does.
    """
    while True:
        levels = (1.5 * attempt.tensor(pictures, 1, 1)).exp()
        powers = (0.8 * attempt.tensor(pictures, 1, 1)).exp()
        noise = attempt.tensor(pictures, height, width)
        maps = levels * (noise.sign() * noise.abs() ** powers + 0.7 * attempt.tensor(pictures, 1, 1))
        _, first, second = _cell(maps)
        if first - second > 1e-3 * abs(first):  # rounding must not decide
            return maps


def _wrong(maps: Tensor) -> dict[str, tuple[int, int] | None]:
    """Name of each known mistake to the cell that it gives; None where that is the right one."""
    right, *_ = _cell(maps)
    return {says: None if cell == right else cell for says, cell in _cell_mistakes(maps).items()}


def _cell(maps: Tensor) -> tuple[tuple[int, int], float, float]:
    """Row and column of the largest cell of the mean of the maps, each divided by its length; the two largest values."""
    lengths = maps.double().square().sum((1, 2), keepdim=True).sqrt()
    mean = torch.where(lengths > 0, maps.double() / lengths.clamp(min=1e-300), 0.0).mean(0)
    first, second = mean.flatten().topk(2).values.tolist()
    return _largest(mean), first, second


def _largest(values: Tensor) -> tuple[int, int]:
    place, width = int(values.flatten().argmax()), values.shape[-1]
    return place // width, place % width


def _cell_mistakes(maps: Tensor) -> dict[str, tuple[int, int]]:
    """What the learner should read, to the cell that this mistake gives."""
    pictures, height, width = maps.shape
    exact = maps.double()
    lengths = exact.square().sum((1, 2), keepdim=True).sqrt().clamp(min=1e-100)
    units = exact / lengths
    mean = units.mean(0)
    row, column = _largest(mean)
    place = row * width + column
    own = [_largest(each) for each in exact]
    known = {
        "the maps were not divided by their lengths: the one with the largest numbers decides": _largest(exact.mean(0)),
        "the maps were divided by their largest values, not by their lengths": _largest(
            (exact / exact.amax((1, 2), keepdim=True)).nan_to_num().mean(0)
        ),
        "the maps were divided by their largest magnitudes, not by their lengths": _largest(
            (exact / exact.abs().amax((1, 2), keepdim=True)).nan_to_num().mean(0)
        ),
        "the maps were divided by their sums, not by their lengths": _largest(
            (exact / exact.sum((1, 2), keepdim=True)).nan_to_num().mean(0)
        ),
        "the maps were divided by the sum of their magnitudes: square, add up, take the root": _largest(
            (exact / exact.abs().sum((1, 2), keepdim=True)).nan_to_num().mean(0)
        ),
        "the maps were divided by the sum of squares: take its root first": _largest((exact / lengths**2).mean(0)),
        "the absolute values were averaged: what speaks against the class counts as well": _largest(
            units.abs().mean(0)
        ),
        "this is the cell where the magnitude of the mean is largest: the largest value is asked": _largest(mean.abs()),
        "the squares were averaged: what speaks against the class counts as well": _largest(units.square().mean(0)),
        "ReLU was applied to the maps: what speaks against the class counts as well": _largest(units.relu().mean(0)),
        "this is the smallest cell of the mean": _largest(-mean),
        "this is the largest cell of the first map alone": own[0],
        "this is the largest cell of the last map alone": own[-1],
        "this is where most maps have their largest cell: take the mean first, then its largest cell": max(
            own, key=own.count
        ),
        "this is the largest cell of all maps: take the mean first": _largest(units.amax(0)),
        "the median was taken: it is the mean that is asked": _largest(units.median(0).values),
        "the deviation was taken for the length": _largest(
            (exact / exact.std((1, 2), keepdim=True)).nan_to_num(posinf=0, neginf=0).mean(0)
        ),
        "the best row and the best column were looked for one by one: the largest cell need not lie where they meet": (
            int(mean.sum(1).argmax()),
            int(mean.sum(0).argmax()),
        ),
        "rows and columns are counted from 0": (row + 1, column + 1),
        "column and row have changed places: the row comes first": (column, row),
        "the place was divided by the height: a row has as many cells as the map is wide": divmod(place, height),
    }
    known |= _length_mistakes(exact, lengths)
    if pictures > 1:
        known["the first map is missing"] = _largest(units[1:].mean(0))
        known["the last map is missing"] = _largest(units[:-1].mean(0))
    return known


def _length_mistakes(exact: Tensor, lengths: Tensor) -> dict[str, tuple[int, int]]:
    """The same, for other lengths than those of whole maps."""
    return {
        "the lengths are those of the rows, not of whole maps": _largest(_by_length(exact, 2)),
        "the lengths are those of the columns, not of whole maps": _largest(_by_length(exact, 1)),
        "the lengths go over the pictures, not over each map": _largest(_by_length(exact, 0)),
        "something was added to the lengths: only a length of 0 is an exception": _largest(
            (exact / (lengths + 1)).mean(0)
        ),
        "the lengths are at least 1 in your code: a short map has a short length": _largest(
            (exact / lengths.clamp(min=1)).mean(0)
        ),
    }


def _by_length(maps: Tensor, axis: int) -> Tensor:
    """The mean of the maps, divided by lengths along one axis alone."""
    lengths = maps.square().sum(axis, keepdim=True).sqrt()
    return (maps / lengths.clamp(min=1e-100)).mean(0)


def _judge_cell(attempt: Attempt, maps: Tensor, *, zero: bool = False) -> None:
    before = {"maps": maps.clone()}
    pictures, height, width = maps.shape
    right, *_ = _cell(before["maps"])
    called = (
        f"shared_cell(maps), maps of shape {(pictures, height, width)}{', one of them zero everywhere' if zero else ''}"
    )
    got = attempt.call(attempt.answer, maps, called=called)
    numbers = as_numbers(got)
    shape = None if numbers is None else tuple(numbers.shape)
    whole = numbers is not None and bool((numbers == numbers.round()).all())
    likely = "return two whole numbers: the row, and the column"
    if shape == ():
        likely = (
            "this is the place in the flattened map: divided by the width it gives the row, and what is left the column"
        )
    elif shape == (2,):
        likely = "these are no whole numbers: return where the largest cell is, not how large it is"
    elif shape in ((1, 2), (2, 1)):
        likely = "an axis is left over: return the two numbers alone"
    elif shape == (pictures, 2):
        likely = "there is a cell for each map: take the mean of the maps first"
    elif shape == (height, width):
        likely = "this is a map: return the row and the column of its largest cell"
    fits = shape == (2,) and whole
    attempt.fact("form", fits, expected="a row and a column", got=got, likely=likely, stop=True)
    assert numbers is not None  # `form` holds
    cell = (int(numbers[0]), int(numbers[1]))
    fitting = [says for says, wrong in _cell_mistakes(before["maps"]).items() if wrong == cell]
    likely = "" if zero else attempt.narrowed("cell", fitting)
    if zero and cell == (0, 0):
        likely = "a map of zeros has length 0, and 0 / 0 is no number (NaN): what should come out then?"
    vague = not likely
    likely = likely or "divide each map by its length, take the mean over the maps, then find its largest cell"
    attempt.fact("zero" if zero else "cell", cell == right, expected=right, got=cell, likely=likely, vague=vague)
    judge_given(attempt, "kept", {"maps": maps}, before)

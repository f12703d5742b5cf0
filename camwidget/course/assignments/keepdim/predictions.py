"""Judges for the predictions of `keepdim`: single values, written down without running anything."""

import math
from typing import Any

from camwidget.course.attempt import Attempt
from camwidget.course.compare import as_numbers

_WIDE = range(313, 321)
"""Picture widths in pixels whose map is 40 wide after three halvings, each rounded up."""

_ONE = "there is only one shape in this step: cross out the axes that are averaged or added up"
_TWO = "write this step's two shapes under each other, flush right"
_SHAPES: tuple[tuple[str, object, dict[object, str], str], ...] = (
    (
        "weights",
        (4, 1, 1),
        {
            (4,): "keepdim=True keeps the averaged axes, each with length 1",
            (1, 1, 4): "the axes keep their places: the channels come first",
            (4, 2, 3): "mean takes the average over two axes: they have length 1 afterwards",
            (1, 2, 3): "dim=[1, 2] says which axes are averaged, and the channels are axis 0",
            (2, 3): "dim=[1, 2] says which axes are averaged, and keepdim keeps them, with length 1",
            "error": "nothing meets anything here: mean() of these axes raises nothing",
        },
        _ONE,
    ),
    (
        "product",
        (4, 2, 3),
        {
            (4, 1, 1): "a length of 1 is stretched to the other's length",
            (2, 3): "a product keeps all axes: nothing is added up yet",
            (4,): "a product keeps all axes: nothing is added up yet",
            "error": "4×1×1 and 4×2×3 do fit: a 1 is stretched",
        },
        _TWO,
    ),
    (
        "map",
        (2, 3),
        {
            (4,): "sum(0) removes the first axis, and only that",
            (1, 2, 3): "sum(0) keeps no axis",
            (4, 2, 3): "sum(0) removes the first axis",
            (4, 2): "sum(0) removes the first axis, not the last",
            (4, 3): "sum(0) removes the first axis, not the second",
            (): "sum(0) adds up over the first axis alone",
            (1,): "sum(0) adds up over the first axis alone",
            "error": "an axis 0 is there, so nothing is raised",
        },
        _ONE,
    ),
    (
        "dropped",
        (4,),
        {
            (4, 1, 1): "without keepdim the averaged axes are gone",
            (2, 3): "dim=[1, 2] goes, not stays",
            (4, 2, 3): "mean takes the average over two axes: they are gone afterwards",
            (): "dim=[1, 2] names two of three axes: one is left",
            "error": "nothing meets anything here: mean() of these axes raises nothing",
        },
        _ONE,
    ),
    (
        "meets",
        "error",
        {
            (4, 2, 3): "shapes meet from the last axis backwards: 4 weights meet a width of 3",
            (4,): "4 weights meet a width of 3, which is neither 4 nor 1: PyTorch stops",
            (2, 3): "4 weights meet a width of 3, which is neither 4 nor 1: PyTorch stops",
        },
        _TWO,
    ),
)
"""Key of each fact, the right shape, what frequent wrong shapes say, and what to look at otherwise."""


def judge_predicted(attempt: Attempt) -> None:
    """Judge five predicted shapes, written down without running anything."""
    predicted: Any = attempt.answer
    if not isinstance(predicted, list | tuple) or len(predicted) != len(_SHAPES):
        likely = "give all five, in the order of the exercise"
        attempt.fact("weights", False, expected="a list of five", got=predicted, likely=likely, stop=True)
    for (key, right, mistakes, otherwise), entry in zip(_SHAPES, predicted, strict=True):
        shape = _as_shape(entry)
        likely = mistakes.get(shape, "")
        if not likely and isinstance(entry, str) and any(letter.isdigit() for letter in entry):
            likely = "this is a text: write the tuple without quotation marks"
        elif not likely and entry is None:
            likely = "this one is left open: write a tuple, or 'error'"
        elif not likely and isinstance(shape, str) and shape != "error":
            likely = "write a tuple of whole numbers such as (5, 1), or the word 'error'"
        attempt.fact(key, shape == right, got=repr(entry), likely=likely or otherwise)


def _as_shape(entry: object) -> object:
    """A shape as a tuple, or the word in small letters; the answer's own repr if it is neither."""
    if isinstance(entry, str):
        return entry.strip().lower()
    numbers = as_numbers(entry)
    if isinstance(entry, bool) or numbers is None or numbers.ndim > 1 or bool((numbers != numbers.round()).any()):
        return repr(entry)
    return tuple(int(number) for number in numbers.reshape(-1))


def judge_wild(attempt: Attempt) -> None:
    """Judge the width of a picture whose map is as wide as the layer has channels."""
    given: Any = attempt.answer
    numbers = None if isinstance(given, bool | str) else as_numbers(given)
    width = float(numbers) if numbers is not None and numbers.numel() == 1 else None
    mistakes = {
        40: "that is the width of the map; the question is about the picture",
        5: "the picture is larger than its map: multiply",
        8: "that is how many times the picture is larger than the map; how wide is the picture?",
        28: "that is the width of the map for a picture of 224 pixels; the question is about another picture",
        224: "at 224 pixels the map is 28 wide, not 40",
        1792: "224 pixels are divided by 8, not multiplied; and the map has to be 40 wide",
        8960: "40 times 224 is not asked: the map is 8 times smaller than the picture",
        2560: "8 times smaller is all three halvings together: multiply by 8 once",
        1280: "1280 are the last layer's channels; this layer has 40, and its map is 8 times smaller",
        40960: "1280 are the last layer's channels; this layer has 40, and its map is 8 times smaller",
        1600: "40 times 40 counts the map's cells: how wide is it?",
    }
    likely = "give one number"
    if width is not None:
        otherwise = "the map is 8 times smaller than the picture, and has to be 40 wide"
        if width < 313:
            otherwise += f": {width:g} pixels make a map {math.ceil(width / 8)} wide"
        elif width < 100_000:
            otherwise += f": {width:g} pixels make a map {math.ceil(width / 8)} wide, too wide"
        likely = mistakes.get(width, otherwise)  # type: ignore[call-overload]
        if width < 1 or width != round(width):
            likely = "a width is a whole number of pixels, and at least 1"
    attempt.fact("width", width in _WIDE, got=repr(given), likely=likely)

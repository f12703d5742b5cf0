"""Judges for the answers of `cam` about a dls: names of classes, and pictures recovered from inputs."""

from typing import Any

import torch
from torch import Tensor

from camwidget.course.assignments.networks import another_dls
from camwidget.course.attempt import Attempt
from camwidget.course.compare import as_numbers


def judge_class_name(attempt: Attempt, *, tensors_first: bool) -> None:
    """Judge a function (dls, index) -> name; the index is a number, or a tensor as `argmax` returns it.

    Args:
        attempt: of this round.
        tensors_first: which kind of index comes first.
    """
    names = _names(attempt)
    dls, bools = another_dls(names), another_dls((False, True))
    for as_tensor in (tensors_first, not tensors_first):
        for index in range(len(names)):
            argument: Any = torch.eye(len(names))[index].argmax() if as_tensor else index
            shown = f"torch.tensor({index})" if as_tensor else index
            called = f"class_name(dls, {shown}), with dls.vocab {list(dls.vocab)}"
            meanings = {
                "list index out of range": "a list of names in your code is shorter than this dls's: ask dls.vocab",
                "invalid literal": "the index comes first, and then the name that it stands for",
            }
            got = attempt.call(attempt.answer, dls, argument, called=called, meanings=meanings)
            right = str(dls.vocab[index])
            likely = _why_name(got, index, [str(name) for name in dls.vocab])
            attempt.fact("tensor" if as_tensor else "name", str(got) == right, expected=right, got=got, likely=likely)
    for index, name in enumerate(("False", "True")):
        got = attempt.call(attempt.answer, bools, index, called=f"class_name(learn.dls, {index})", allow_none=True)
        likely = "fastai's is_cat learner calls its classes False and True: return them as they are"
        attempt.fact("any", str(got) == name, expected=name, got=got, likely=likely)


def _why_name(got: Any, index: int, names: list[str]) -> str:
    """What a wrong name suggests."""
    if str(got) in ("dog", "cat", "False", "True"):
        return "this name is from another dls, or written into the function: ask the dls that is handed in"
    if isinstance(got, int | Tensor) and not isinstance(got, bool):
        return "this is the index again, not its name"
    if not isinstance(got, str):
        return "return one name: dls.vocab with the index in brackets"
    if got in names:
        return "this is another class: the names are in the order of dls.vocab, counted from 0"
    return "the dls has no class of this name: the names are in dls.vocab, counted from 0"


def _names(attempt: Attempt) -> tuple[str, ...]:
    animals = ("heron", "newt", "adder", "vole", "otter", "shrew", "dace")
    first = attempt.size(0, 3)
    return animals[first : first + attempt.size(3, 4)]


def judge_picture_again(attempt: Attempt, *, spread: float) -> None:
    """Judge a function (dls, inputs) -> the first picture's colours.

    Args:
        attempt: of this round.
        spread: the standard deviation that the dls divides by.
    """
    from fastai.vision.all import TensorImage  # noqa: PLC0415 (seconds to import, and only this item needs it)

    for number, pictures in enumerate((2, 1, 3)):
        height, width = attempt.sizes(2, low=6, high=14)
        if number == 2:
            height = width
        colours = torch.randint(0, 256, (pictures, 3, height, width), generator=attempt.generator)
        # Every colour has a mean and a deviation of its own.
        mean, deviation = (0.4, 0.5, 0.7), (spread, spread + 0.1, spread - 0.05)
        dls = another_dls(("a", "b"), mean=mean, std=deviation)
        as_axes = torch.tensor([mean, deviation])[:, None, :, None, None]
        inputs = TensorImage((colours / 255 - as_axes[0]) / as_axes[1])
        before = inputs.clone()
        called = f"picture_again(dls, inputs), inputs of shape {tuple(inputs.shape)}"
        meanings = {"isinstance() arg 2": "decode takes what a batch is, a tuple: (inputs,)"}
        got = attempt.call(attempt.answer, dls, inputs, called=called, meanings=meanings)
        shapes = {
            (pictures, 3, height, width): "this is the whole batch: take its first picture",
            (height, width, 3): "colours come first here; permute only when you draw",
            (3, width, height): "height and width have changed places",
            (
                height,
                width,
            ): "this is one colour only: take the first picture of the batch, not its first colour as well",
        }
        if isinstance(got, tuple | list) and len(got) == 1 and isinstance(got[0], Tensor):
            likely = "decode returns a tuple: take its first element, and of that the first picture"
            attempt.fact("shape", False, expected=(3, height, width), got="a tuple", likely=likely, stop=True)
        attempt.shape("shape", got, (3, height, width), mistakes=shapes)
        _judge_colours(attempt, as_numbers(got), colours, before, (height, width))
        attempt.fact(
            "kept",
            torch.equal(inputs, before) and attempt.recording_left,
            expected="the numbers given",
            got="changed",
            likely="an operation in place, such as *=, += or clamp_(): make a new tensor",
        )


def _normalisation(colours: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each colour, from a picture's colours and what became of them."""
    shares, inputs = colours.flatten(1) / 255, given.flatten(1)
    deviation = (shares.amax(1) - shares.amin(1)) / (inputs.amax(1) - inputs.amin(1))
    mean = shares.amax(1) - inputs.amax(1) * deviation
    return mean[:, None, None], deviation[:, None, None]


def _judge_colours(
    attempt: Attempt, got: Tensor | None, colours: Tensor, inputs: Tensor, size: tuple[int, int]
) -> None:
    """State that the first picture's colours came back; truncated or rounded, both are fine."""
    if got is None:
        return
    right, given = colours[0].double(), inputs[0].as_subclass(Tensor).double()
    near = bool((got - right).abs().max() <= 1.01)
    # What this dls normalised with, read from two values of each colour: input = (colour / 255 - mean) / deviation.
    scale = _normalisation(right, given)
    picked = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).double()[..., None, None]
    mistakes = {
        "these are the inputs themselves: the normalisation is still in them": (given, 1e-3),
        "the numbers are from 0 to 1: decode gives 0 to 255": (right / 255, 0.01),
        "mean and deviation are ImageNet's, not those of this dls: let it decode by itself": (
            (given * picked[1] + picked[0]) * 255,
            1.01,
        ),
        "this is stretched from the smallest to the largest number, not decoded: let the dls decode": (
            (given - given.min()) / (given.max() - given.min()) * 255,
            1.01,
        ),
        "the inputs are only made 255 times as large: the normalisation is still in them": (given * 255, 1.01),
        "one colour's mean and deviation were used for all three: each colour has its own": (
            (given * scale[1][0] + scale[0][0]) * 255,
            1.01,
        ),
        "the inputs were cut off at 0 and 1: the normalisation is still in them": (given.clamp(0, 1) * 255, 1.01),
        # Both cut off, they are the same unless a colour is 0.
        "this was decoded twice, or multiplied by 255 once more: what is decoded has its colours already": (
            ((right * scale[1] + scale[0]) * 255).clamp(0, 255),
            1.01,
        ),
        "this was cut off at 1 and multiplied by 255: what is decoded has its colours already": (
            right.clamp(0, 1) * 255,
            1.01,
        ),
        "this was multiplied by 255: what is decoded has its colours already": (right * 255, 255 * 1.01),
        "the deviation was multiplied and the mean forgotten": (given * scale[1] * 255, 1.01),
        "the mean was added and the deviation forgotten": ((given + scale[0]) * 255, 1.01),
        "the colours are in reverse order: red comes first": (right.flip(0), 1.01),
        "the picture is upside down": (right.flip(1), 1.01),
        "the picture is mirrored": (right.flip(2), 1.01),
        "the colours are turned around: 255 minus each": (255 - right, 1.01),
    }
    if size[0] == size[1]:
        mistakes["height and width have changed places"] = (right.transpose(1, 2), 1.01)
    if len(colours) > 1:
        mistakes["this is the second picture of the batch"] = (colours[1].double(), 1.01)
        mistakes["this is the last picture of the batch"] = (colours[-1].double(), 1.01)
        mistakes["this is the mean of the pictures: take the first"] = (colours.double().mean(0), 1.01)
    fitting = [text for text, (wrong, room) in mistakes.items() if bool((got - wrong).abs().max() <= room)]
    likely = fitting[0] if fitting else "mean and deviation are not those of this dls: let it decode by itself"
    attempt.fact("values", near, expected=right, got=got, likely=likely, vague=not fitting)

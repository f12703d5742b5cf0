"""Judges for the answers of `cam` about a dls: names of classes, and pictures recovered from inputs."""

from typing import Any

import torch
from torch import Tensor

from camwidget.course.assignments.networks import another_dls
from camwidget.course.attempt import Attempt


def judge_class_name(attempt: Attempt, *, tensor_index: bool) -> None:
    """Judge a function (dls, index) -> name.

    Args:
        attempt: of this round.
        tensor_index: whether the index is a tensor, as `argmax` returns it.
    """
    names = _names(attempt)
    dls, bools = another_dls(names), another_dls((False, True))
    for index in range(len(names)):
        logits = torch.zeros(len(names))
        logits[index] = 1.0
        argument: Any = logits.argmax() if tensor_index else index
        got = attempt.call(
            attempt.answer, dls, argument, called=f"class_name(dls, {index}), with dls.vocab {list(dls.vocab)}"
        )
        likely = "the names are in the order of dls.vocab, counted from 0"
        if str(got) in ("dog", "cat", "False", "True"):
            likely = "this name is from another dls, or written into the function: ask the dls that is handed in"
        elif isinstance(got, int) and got == index:
            likely = "this is the index again, not its name"
        attempt.fact("name", str(got) == str(dls.vocab[index]), expected=str(dls.vocab[index]), got=got, likely=likely)
    got = attempt.call(attempt.answer, bools, 1, called="class_name(learn.dls, 1)", allow_none=True)
    attempt.fact(
        "any",
        str(got) == "True",
        expected="True",
        got=got,
        likely="fastai's is_cat learner calls its classes False and True",
    )


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

    height, width = attempt.sizes(2, low=6, high=14)
    colours = torch.randint(0, 256, (2, 3, height, width), generator=attempt.generator)
    mean = attempt.size(2, 7) / 10
    dls = another_dls(("a", "b"), mean=mean, std=spread)
    inputs = TensorImage((colours / 255 - mean) / spread)
    before = inputs.clone()
    got = attempt.call(
        attempt.answer, dls, inputs, called=f"picture_again(dls, inputs), inputs of shape {tuple(inputs.shape)}"
    )
    wanted = (3, height, width)
    shapes = {
        (2, 3, height, width): "this is the whole batch: take its first picture",
        (height, width, 3): "colours come first here; permute only when you draw",
    }
    attempt.shape("shape", got, wanted, mistakes=shapes)
    right = colours[0].double()
    colours_got = torch.as_tensor(got).detach().double().as_subclass(Tensor).cpu()
    near = bool((colours_got - right).abs().max() <= 1.01)  # truncated or rounded: both are fine
    mistakes = {
        "these are the inputs themselves: the normalisation is still in them": (before[0], 1e-3),
        "the numbers are from 0 to 1: decode gives 0 to 255": (right / 255, 0.01),
        "this is the second picture of the batch": (colours[1], 1.01),
    }
    likely = next(
        (
            message
            for message, (wrong, room) in mistakes.items()
            if bool((colours_got - wrong.double()).abs().max() <= room)
        ),
        "",
    )
    likely = likely or "mean and deviation are not those of this dls: let it decode by itself"
    attempt.fact("values", near, expected=right, got=colours_got, likely=likely)
    attempt.fact(
        "kept", torch.equal(inputs, before), expected="the numbers given", got="changed", likely="an operation in place"
    )

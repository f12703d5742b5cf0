"""What a network runs on, a picture or a text, and what follows from that for reading its outputs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from camwidget.errors import ImageError, three_parts
from camwidget.hooks.scores import Scores, scores_of


def one_picture(inputs: Tensor) -> None:
    """Refuse inputs that are not one picture.

    Args:
        inputs: the inputs the model would run on.

    Raises:
        ImageError: more or fewer pictures than one.
    """
    if inputs.ndim != 4 or inputs.shape[0] != 1:
        given = f"The inputs have shape {tuple(inputs.shape)}"
        allowed = "One picture is explained at a time: shape (1, channel, height, width)"
        raise ImageError(three_parts(given, allowed, "For the first picture of a batch pass inputs[:1]"))


@dataclass(frozen=True)
class Subject:
    """What a network runs on, a picture or a text, and what that means for a pass through it."""

    check: Callable[[Tensor], None]
    """Refuses anything but one picture, or one text."""
    takes_first: bool = False
    """Whether only the first member of a tuple counts: in a layer's output (an LSTM: outputs and state), and in what
    the model returns (fastai's text classifiers: logits and raw outputs)."""
    scores: Scores | None = None
    """What is explained in place of the logits; None for the logits."""

    def first_of(self, output: Any) -> Any:
        """Return the part of a layer's output that counts; of a packed text, the values of its words."""
        while self.takes_first and isinstance(output, tuple) and output:
            first = output[0]
            if not isinstance(first, PackedSequence):
                return first
            output = first
        return output

    def logits_of(self, output: Any, *, count: int = 1) -> Any:
        """Return the logits in what a network returns: the part that counts, or the tensor `logits` of an object.

        Scores that are explained in their place are computed here, and have the same axes.

        Args:
            output: what the network returned.
            count: for how many pictures or texts.
        """
        if self.scores is not None:
            return scores_of(self.scores, output, count=count)
        named = None if isinstance(output, Tensor) else getattr(output, "logits", None)
        return named if isinstance(named, Tensor) else self.first_of(output)


PICTURE = Subject(one_picture)
"""A picture: every output counts as it is."""


def some_pictures(inputs: Tensor) -> None:
    """Refuse inputs that are not a batch of pictures.

    Args:
        inputs: the inputs the model would run on.

    Raises:
        ImageError: they have other axes, or there is no picture at all.
    """
    if inputs.ndim != 4 or not inputs.numel():
        given = f"The inputs have shape {tuple(inputs.shape)}"
        allowed = "A batch of pictures has shape (batch, channel, height, width), with at least one of them"
        raise ImageError(three_parts(given, allowed, "Add the axis for one picture with inputs[None]"))


PICTURES = Subject(some_pictures)
"""Several pictures of one size: every output counts as it is."""

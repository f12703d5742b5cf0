"""How a fastai Learner prepares a picture: with its own reader and transforms, as `learn.predict` does."""

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from camwidget.errors import ModelError, three_parts
from camwidget.hooks.tensors import plain
from camwidget.hooks.turns import random_numbers_left_as_found
from camwidget.maps.arguments import LearnerLike
from camwidget.pictures.decode import ImageSource, is_read_alike, open_image

_UNSEEN = 2.0  # levels of 255, on average, between two readings of one file that look alike


def learner_inputs(learner: LearnerLike, picture: ImageSource) -> Float[Tensor, "1 channel height width"]:
    """Return the inputs that a Learner's network gets in `learn.predict(picture)`.

    So a file is read as the Learner reads it, even where that is not how it looks: fastai ignores the rotation that a
    camera notes and drops transparency. The same file as a PIL image is read in the same way.

    Args:
        learner: a Learner of pictures.
        picture: in any form that `open_image` reads.

    Raises:
        ImageError: the picture cannot be read.
        ModelError: the Learner's data are no pictures, or its network takes several inputs.
    """
    _refuse_other_data(learner)
    item = _item(learner, picture, open_image(picture))  # refuses what is no picture, is damaged or too large
    # A data loader draws random seeds when it starts, and would start worker processes for one picture.
    with random_numbers_left_as_found():
        batch = next(iter(learner.dls.test_dl([item], num_workers=0)))
    inputs = plain(batch[0].detach()) if isinstance(batch[0], Tensor) else None
    if len(batch) == 1 and inputs is not None and inputs.ndim == 4:
        return inputs if inputs.is_floating_point() else inputs.float()
    shape = "no tensor" if inputs is None else f"shape {tuple(inputs.shape)}"
    given = f"This Learner makes {len(batch)} inputs of one picture, the first of {shape}"
    allowed = "The network of a Learner to be explained takes one tensor (1, channel, height, width)"
    raise ModelError(
        three_parts(given, allowed, "Pass a module that takes the picture alone, and holds the other input")
    )


def reading_note(learner: LearnerLike, picture: ImageSource) -> str:
    """Return what to know where a Learner's reader makes another picture of a file than one sees; empty elsewhere.

    Args:
        learner: a Learner of pictures.
        picture: in any form that `open_image` has read before.
    """
    if is_read_alike(picture):
        return ""
    looks, kind = open_image(picture), _kind_of(learner)
    item = _item(learner, picture, looks)
    read = item if isinstance(item, Image.Image) else kind.create(item)
    looks = looks.convert(read.mode)
    if read.size == looks.size and _difference(read, looks) <= _UNSEEN:
        return ""
    return (
        "The network gets this file otherwise than it looks, as in learn.predict, and that is what is shown: fastai's "
        f"{kind.__name__} does not turn what a camera held upright, drops transparency, and makes most of 16 bits white"
    )


def learner_normalisation(learner: LearnerLike) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Return the mean and deviation of a Learner's Normalize; None if it has none.

    Args:
        learner: any.
    """
    for transform in getattr(learner.dls.valid.after_batch, "fs", ()):
        if type(transform).__name__ == "Normalize":
            return tuple(transform.mean.flatten().tolist()), tuple(transform.std.flatten().tolist())
    return None


def _item(learner: LearnerLike, picture: ImageSource, looks: Image.Image) -> Any:
    """What `learn.predict` would be given: files as they are, for its own reader."""
    if isinstance(picture, str | PathLike):
        return Path(picture).expanduser()
    if isinstance(picture, bytes | bytearray | memoryview):
        return bytes(picture)
    return _as_kind(looks if isinstance(picture, np.ndarray) else picture, _kind_of(learner))


def _difference(first: Image.Image, second: Image.Image) -> float:
    """Levels between two pictures of one size and mode, on average."""
    return float(np.abs(np.asarray(first, dtype=float) - np.asarray(second, dtype=float)).mean())


def _refuse_other_data(learner: LearnerLike) -> None:
    """Refuse a Learner of tables: its data loader would fail on a picture with an error that says nothing."""
    if not hasattr(learner.dls, "cont_names") and not hasattr(learner.dls, "cat_names"):
        return
    given = f"The Learner's data are a table ({type(learner.dls).__name__})"
    allowed = "Class activation maps are of pictures or texts, whose places a network keeps"
    raise ModelError(
        three_parts(
            given,
            allowed,
            "Explain a Learner of pictures or texts; for tables there are other libraries, such as captum",
        )
    )


def _kind_of(learner: LearnerLike) -> Any:
    """The class of the Learner's pictures, such as fastai's PILImageBW."""
    # Only a process with a Learner gets here, so fastai is already imported.
    from fastai.vision.core import PILBase, PILImage  # noqa: PLC0415

    data = getattr(learner.dls, "train_ds", None)
    first = (getattr(data, "tls", None) or [data])[0]
    kinds = [kind for kind in getattr(first, "types", ()) if isinstance(kind, type) and issubclass(kind, PILBase)]
    return kinds[-1] if kinds else PILImage


def _as_kind(image: Image.Image, kind: Any) -> Any:
    # A copy: fastai turns the very object that it is given into one of its own class.
    return kind.create(image.convert(kind._open_args.get("mode", "RGB")).copy())

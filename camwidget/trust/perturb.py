"""A run of one model on perturbed versions of a picture: what changes, in which order, and the output."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import SupportsIndex

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from camwidget.errors import ImageError, MapError, ModelError, three_parts
from camwidget.hooks.capture import LayerCapture
from camwidget.maps.activation import Activation, why_no_probability
from camwidget.maps.arguments import Explainable, names_of, network_of, own_names, targets_of
from camwidget.pictures.explain import picture_activation
from camwidget.pictures.inputs import Picture, prepared
from camwidget.pictures.result import Explanation
from camwidget.trust.localisation import at_picture_size

NOISE = 0.01
"""By how much logits of two runs may differ, of the largest: other hardware and half precision round otherwise."""

BLUR_WIDTH, BLUR_SIGMA = 11, 5.0
"""Width of the blur in pixels and its standard deviation: those of Petsiuk et al. 2018, who used 224 pixels."""


@dataclass(frozen=True, eq=False)
class PerturbedRun:
    """One open run: what is changed, by which map, and for which class."""

    capture: LayerCapture
    """Runs the model while it is open."""
    pixels: Float[Tensor, "1 channel height width"]
    """The normalised picture, on the model's device."""
    cam: Float[Tensor, "height width"]
    """The signed map at the picture's size, on the CPU."""
    target_class: int
    """Index of the class."""
    class_name: str
    """Its name."""
    activation: Activation
    """What turns logits into probabilities."""

    def log_probabilities(self, batch: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, " batch"]:
        """Return the logarithm of the class's probability for each changed picture, on the CPU.

        Raises:
            ModelError: the model takes no batch, or returns no finite logits.
        """
        logits = self.capture.rerun(batch)
        if logits.ndim != 2 or len(logits) != len(batch) or not bool(torch.isfinite(logits).all()):
            given = f"For {len(batch)} changed pictures the model returned logits of shape {tuple(logits.shape)}"
            allowed = "It must return finite logits of shape (batch, class)"
            raise ModelError(three_parts(given, allowed, "Try batch_size=1, or model.float() if numbers overflow"))
        return self.activation.log_probabilities(logits.cpu().double())[:, self.target_class]

    def ranks(self) -> Int[Tensor, "height width"]:
        """Return each pixel's rank, the highest first; equal pixels go in reading order."""
        if bool((self.cam == self.cam[0, 0]).all()):
            problem = (
                "The map is the same everywhere, so pixels go in reading order and the curve says nothing about it."
            )
            warnings.warn(f"{problem} Try another layer or class.", stacklevel=4)
        order = self.cam.flatten().float().argsort(descending=True, stable=True)
        ranks = torch.empty_like(order)
        ranks[order] = torch.arange(len(order))
        return ranks.view(self.cam.shape).to(self.pixels.device)


@contextmanager
def perturbed_run(
    model: Explainable,
    inputs: Picture,
    cam: Explanation | Tensor,
    layer: str | None,
    target_class: SupportsIndex | str | None,
) -> Iterator[PerturbedRun]:
    """Check the arguments and run the model once; it is left as found when the block ends.

    Args:
        model: a Learner or module.
        inputs: see `Picture`.
        cam: an explanation, or one map.
        layer: the layer of an explanation; None for the deepest with a map.
        target_class: index or name; None for the explanation's first class, or the most probable one.

    Raises:
        MapError: the network's outputs are values and no probabilities, as those of a regression.
        CamwidgetError: an argument cannot be used, or the explanation is of another model or picture.
    """
    if isinstance(cam, Explanation) and not cam.activation.is_probability:
        raise MapError(why_no_probability())
    pixels = prepared(model, inputs).inputs
    height, width = pixels.shape[2:]
    with LayerCapture(network_of(model), ()) as capture:
        logits = capture.forward(pixels)
        if isinstance(cam, Explanation):
            names, activation = cam.class_names, cam.activation
            target = cam.target_classes[0] if target_class is None else cam.class_index(target_class)
            raw = cam.cam(layer, target)
            _refuse_another(cam, logits, height=height, width=width)
        else:
            activation = picture_activation(None, model, capture, pixels, logits)
            names = names_of(None, own_names(model), count=logits.shape[1], activation=activation)
            target = targets_of(None if target_class is None else [target_class], logits, names, activation)[0]
            raw = cam
        if not activation.is_probability:
            raise MapError(why_no_probability())
        at_size = at_picture_size(raw, height=height, width=width)
        yield PerturbedRun(capture, pixels, at_size, target, names[target], activation)


def _refuse_another(cam: Explanation, logits: Float[Tensor, "1 class"], *, height: int, width: int) -> None:
    """Refuse an explanation of another model or picture, or of one that was prepared in another way."""
    allowed = "Both must come from one model and one picture"
    advice = "Pass the model and the picture that explain() was given; if it was also given transform=, mean=, std= or "
    advice += "size=, pass the prepared tensor to both"
    if cam.image.size != (width, height) or len(cam.class_names) != logits.shape[1]:
        seen = f"{cam.image.width}x{cam.image.height} pixels and {len(cam.class_names)} classes"
        given = f"The explanation is of {seen}, the inputs are {width}x{height} and have {logits.shape[1]}"
        raise MapError(three_parts(given, allowed, advice))
    largest, difference = (float(each.abs().max()) for each in (logits, cam.logits.to(logits) - logits[0]))
    if difference > NOISE * largest:
        given = f"The explanation's logits differ by {difference:.3g} from those of the model for these inputs"
        raise MapError(three_parts(given, allowed, advice))


def blurred(inputs: Float[Tensor, "1 channel height width"]) -> Float[Tensor, "1 channel height width"]:
    """Return the picture with a Gaussian blur, its edges extended outwards."""
    reach = BLUR_WIDTH // 2
    weight = torch.exp(-((torch.arange(-reach, reach + 1).double() / BLUR_SIGMA) ** 2) / 2)
    weight = weight / weight.sum()
    wide = functional.pad(inputs.detach().cpu().double()[0][:, None], (reach,) * 4, mode="replicate")
    rows = functional.conv2d(wide, weight.view(1, 1, -1, 1))
    return functional.conv2d(rows, weight.view(1, 1, 1, -1))[:, 0][None].to(inputs)


def baseline_of(
    baseline: Float[Tensor, "..."], pixels: Float[Tensor, "1 channel height width"]
) -> Float[Tensor, "1 channel height width"]:
    """Return what replaces pixels, on their device and in their dtype.

    Raises:
        ImageError: it is not a picture of the same size, or not finite.
    """
    if baseline.shape == pixels.shape and bool(torch.isfinite(baseline).all()):
        return baseline.detach().to(pixels)
    given = f"The baseline has shape {tuple(baseline.shape)}"
    given += " and holds NaN or infinity" if baseline.shape == pixels.shape else ""
    allowed = f"It is one normalised picture of the inputs' shape {tuple(pixels.shape)}, every number finite"
    raise ImageError(three_parts(given, allowed, "For one colour use torch.full_like(inputs, value)"))

"""Does the class depend on what a map marks? Deletion and insertion curves, and the drop without the rest.

Every number here is a probability of a changed picture. A changed picture is unlike those the network was trained on,
and a blurry map covers an object better than a sharp one: see `CAVEAT`, which is on every figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import SupportsIndex

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.errors import CamwidgetError, three_parts
from camwidget.given import whole
from camwidget.maps.arguments import Explainable
from camwidget.maps.formulas import positive
from camwidget.pictures.inputs import Picture
from camwidget.pictures.result import Explanation
from camwidget.trust.perturb import PerturbedRun, baseline_of, blurred, perturbed_run

CAVEAT = (
    "Blurry maps score well, and a picture with holes is unlike any the network has learnt from: "
    "a good score is not proof."
)
"""What to say beside every such number."""


@dataclass(frozen=True)
class Curve:
    """The probability of one class as pixels are removed or inserted, the map's highest first."""

    kind: str
    """`"deletion"` or `"insertion"`."""
    target_class: int
    """Index of the class."""
    class_name: str
    """Its name."""
    fractions: tuple[float, ...]
    """Share of the pixels that was changed, from 0 to 1."""
    probabilities: tuple[float, ...]
    """The probability of the class at each share."""

    @property
    def area(self) -> float:
        """Area under the curve by the trapezoid rule: low is good for deletion, high for insertion."""
        shares = zip(self.fractions, self.fractions[1:], strict=False)
        heights = zip(self.probabilities, self.probabilities[1:], strict=False)
        return sum((b - a) * (low + high) / 2 for (a, b), (low, high) in zip(shares, heights, strict=True))


@dataclass(frozen=True)
class MaskedScore:
    """The probability of one class for a picture, and for what its map leaves of the picture."""

    target_class: int
    """Index of the class."""
    class_name: str
    """Its name."""
    probability: float
    """y: for the whole picture."""
    masked_probability: float
    """y_masked: for the picture multiplied by the map."""
    drop: float
    """max(0, y - y_masked) / y, from 0 to 1; computed from logarithms, so a y near 0 does no harm."""
    increased: bool
    """Whether y < y_masked."""


def deletion_curve(
    model: Explainable,
    inputs: Picture,
    *,
    cam: Explanation | Float[Tensor, "..."],
    layer: str | None = None,
    target_class: SupportsIndex | str | None = None,
    steps: int = 50,
    batch_size: int = 16,
    baseline: Float[Tensor, "..."] | None = None,
) -> Curve:
    """Return how the probability falls as the map's highest pixels are taken away (Petsiuk et al. 2018).

    The signed map at the picture's size decides the order; negative pixels go last. The model is left as found.

    Args:
        model: a fastai Learner or a torch module.
        inputs: the picture that was explained, or its normalised tensor.
        cam: what `explain` returned, or one map of shape (map_height, map_width).
        layer: the layer of an explanation; None for the deepest with a map.
        target_class: index or name; None for the explanation's first class, or with a bare map the most probable.
        steps: how many steps the pixels are divided into; at most one per pixel.
        batch_size: how many changed pictures the model sees at once.
        baseline: what replaces a pixel; None for zero in normalised inputs, which is the mean colour.

    Raises:
        CamwidgetError: an argument cannot be used; the message says what to try.
    """
    with perturbed_run(model, inputs, cam, layer, target_class) as run:
        end = torch.zeros_like(run.pixels) if baseline is None else baseline_of(baseline, run.pixels)
        return _curve("deletion", run, run.pixels, end, steps, batch_size)


def insertion_curve(
    model: Explainable,
    inputs: Picture,
    *,
    cam: Explanation | Float[Tensor, "..."],
    layer: str | None = None,
    target_class: SupportsIndex | str | None = None,
    steps: int = 50,
    batch_size: int = 16,
    baseline: Float[Tensor, "..."] | None = None,
) -> Curve:
    """Return how the probability rises as the map's highest pixels are put into a blurred picture.

    Petsiuk et al. 2018. Otherwise like `deletion_curve`.

    Args:
        model: see `deletion_curve`.
        inputs: see `deletion_curve`.
        cam: see `deletion_curve`.
        layer: see `deletion_curve`.
        target_class: see `deletion_curve`.
        steps: see `deletion_curve`.
        batch_size: see `deletion_curve`.
        baseline: what the picture starts as; None for the picture `blurred`. Large pictures need a stronger blur.

    Raises:
        CamwidgetError: an argument cannot be used; the message says what to try.
    """
    with perturbed_run(model, inputs, cam, layer, target_class) as run:
        start = blurred(run.pixels) if baseline is None else baseline_of(baseline, run.pixels)
        return _curve("insertion", run, start, run.pixels, steps, batch_size)


def masked_score(
    model: Explainable,
    inputs: Picture,
    *,
    cam: Explanation | Float[Tensor, "..."],
    layer: str | None = None,
    target_class: SupportsIndex | str | None = None,
) -> MaskedScore:
    """Return what happens to the probability when only what the map marks is left of the picture.

    Chattopadhyay et al. 2018: each pixel of the normalised inputs is multiplied by the map's positive part divided by
    its maximum; faded parts turn to the mean colour. A map without positive values leaves nothing.

    Args:
        model: see `deletion_curve`.
        inputs: see `deletion_curve`.
        cam: see `deletion_curve`.
        layer: see `deletion_curve`.
        target_class: see `deletion_curve`.

    Raises:
        CamwidgetError: an argument cannot be used; the message says what to try.
    """
    with perturbed_run(model, inputs, cam, layer, target_class) as run:
        evidence = positive(run.cam)
        share = evidence / evidence.max() if bool(evidence.max() > 0) else evidence
        left = run.pixels * share.to(run.pixels)
        whole, masked = (run.log_probabilities(pixels)[0] for pixels in (run.pixels, left))
        lost = abs(float(torch.expm1((masked - whole).clamp(max=0))))
        probabilities = float(whole.exp()), float(masked.exp())
        return MaskedScore(run.target_class, run.class_name, *probabilities, lost, bool(whole < masked))


def average_drop(scores: Sequence[MaskedScore]) -> float:
    """Return the mean drop over pictures, 0 to 1: low is good. The paper gives it in percent."""
    return sum(score.drop for score in _some(scores)) / len(scores)


def increase(scores: Sequence[MaskedScore]) -> float:
    """Return the share of pictures whose probability rose, 0 to 1: high is good. The paper gives it in percent."""
    return sum(score.increased for score in _some(scores)) / len(scores)


def _curve(
    kind: str,
    run: PerturbedRun,
    start: Float[Tensor, "1 channel height width"],
    end: Float[Tensor, "1 channel height width"],
    steps: int,
    batch_size: int,
) -> Curve:
    """The curve from the picture `start` to the picture `end`."""
    steps, batch_size = (
        whole(value, name, least=1, try_="Leave it out")
        for name, value in (("steps", steps), ("batch_size", batch_size))
    )
    ranks = run.ranks()
    counts = torch.linspace(0, ranks.numel(), min(steps, ranks.numel()) + 1, dtype=torch.float64).round().long()
    probabilities = []
    for chunk in counts.to(ranks.device).split(batch_size):
        changed = ranks < chunk[:, None, None, None]
        probabilities.append(run.log_probabilities(torch.where(changed, end, start)).exp())
    fractions = (counts.double() / ranks.numel()).tolist()
    return Curve(kind, run.target_class, run.class_name, tuple(fractions), tuple(torch.cat(probabilities).tolist()))


def _some(scores: Sequence[MaskedScore]) -> Sequence[MaskedScore]:
    if not scores:
        allowed = "A mean is over at least one picture"
        raise CamwidgetError(three_parts("There is no score", allowed, "Pass [masked_score(model, image, cam=cam)]"))
    return scores

"""Curves and drops of a network whose probability is known when pixels go: one class's logit is a sum over pixels."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.integrate import trapezoid
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from camwidget.errors import CamwidgetError, ClassError, ImageError, LayerError, MapError, ModelError
from camwidget.pictures.explain import explain
from camwidget.pictures.inputs import to_inputs
from camwidget.trust.faithfulness import (
    MaskedScore,
    average_drop,
    deletion_curve,
    increase,
    insertion_curve,
    masked_score,
)
from camwidget.trust.perturb import blurred
from tests.toys import PooledLinear, Restless, Returns, picture, state

HEIGHT, WIDTH = 6, 8
ONES = torch.ones(1, 3, HEIGHT, WIDTH, dtype=torch.float64)
ZEROS = torch.zeros_like(ONES)


class Weighted(nn.Module):
    """The logit of class 0 is a weighted sum over the red pixels, that of class 1 is zero."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.double())

    def forward(self, inputs: Tensor) -> Tensor:
        logit = (inputs[:, 0] * self.weight).sum(dim=(1, 2))
        return torch.stack([logit, torch.zeros_like(logit)], dim=1)


def region() -> Tensor:
    """Eight pixels of forty-eight."""
    where = torch.zeros(HEIGHT, WIDTH, dtype=torch.float64)
    where[1:3, 2:6] = 1.0
    return where


def sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def test_deletion_of_the_pixels_that_count_is_as_worked_out_by_hand() -> None:
    curve = deletion_curve(Weighted(region() / 2), ONES, cam=region(), target_class=0, steps=48)

    expected = [sigmoid((8 - gone) / 2) for gone in range(8)] + [0.5] * 41
    assert curve.probabilities == pytest.approx(expected, abs=1e-12)
    assert curve.fractions == pytest.approx([gone / 48 for gone in range(49)], abs=1e-12)
    by_hand = (sum(expected) - (expected[0] + expected[-1]) / 2) / 48
    assert curve.area == pytest.approx(by_hand, abs=1e-12)
    assert (curve.kind, curve.target_class, curve.class_name) == ("deletion", 0, "class 0")


def test_insertion_is_deletion_read_backwards_for_the_pixels_that_count() -> None:
    curve = insertion_curve(Weighted(region() / 2), ONES, cam=region(), target_class=0, steps=48, baseline=ZEROS)

    assert curve.probabilities == pytest.approx([sigmoid(come / 2) for come in range(8)] + [sigmoid(4)] * 41, abs=1e-12)
    assert curve.kind == "insertion"


def test_insertion_starts_from_the_blurred_picture() -> None:
    inputs = picture(height=HEIGHT, width=WIDTH)
    model = Weighted(torch.randn(HEIGHT, WIDTH))

    curve = insertion_curve(model, inputs, cam=region(), target_class=0, steps=3)

    ends = [float(model(each).softmax(dim=1)[0, 0].detach()) for each in (blurred(inputs), inputs)]
    assert [curve.probabilities[0], curve.probabilities[-1]] == pytest.approx(ends, abs=1e-12)


def test_the_blur_is_a_gaussian_of_eleven_pixels_that_continues_the_edges() -> None:
    inputs = picture(height=9, width=14)

    expected = gaussian_filter(inputs[0].numpy(), sigma=(0, 5, 5), mode="nearest", radius=(0, 5, 5))

    assert np.abs(blurred(inputs)[0].numpy() - expected).max() < 1e-12


def test_a_map_at_the_layers_size_is_ranked_at_the_size_of_the_picture() -> None:
    """Cells of 3x2 pixels: the highest of six lies below the middle, and its last pixels go before all others."""
    cam = torch.zeros(2, 4)
    cam[1, 2] = 1.0
    weight = torch.zeros(HEIGHT, WIDTH)
    weight[5, 4:6] = 1.0  # where the interpolated map is highest, at the lower edge

    curve = deletion_curve(Weighted(weight), ONES, cam=cam, target_class=0, steps=8)

    assert curve.probabilities[0] == pytest.approx(sigmoid(2.0), abs=1e-12)
    assert curve.probabilities[1:] == pytest.approx([0.5] * 8, abs=1e-12)


def test_the_true_map_deletes_faster_and_inserts_faster_than_random_ones() -> None:
    model = Weighted(region() / 2)
    given = {"target_class": 0, "steps": 48, "baseline": ZEROS}

    true = [curve(model, ONES, cam=region(), **given).area for curve in (deletion_curve, insertion_curve)]
    for _ in range(5):
        cam = torch.rand(HEIGHT, WIDTH)
        assert deletion_curve(model, ONES, cam=cam, **given).area > true[0] + 0.05
        assert insertion_curve(model, ONES, cam=cam, **given).area < true[1] - 0.05


def test_uneven_steps_are_weighed_by_their_width() -> None:
    curve = deletion_curve(Weighted(region() / 2), ONES, cam=region(), target_class=0, steps=7)

    counts = [0, 7, 14, 21, 27, 34, 41, 48]
    assert curve.fractions == pytest.approx([count / 48 for count in counts], abs=1e-12)
    assert curve.probabilities[1] == pytest.approx(sigmoid(0.5), abs=1e-12)
    assert curve.area == pytest.approx(float(trapezoid(curve.probabilities, x=curve.fractions)), abs=1e-12)


def test_there_are_never_more_steps_than_pixels() -> None:
    curve = deletion_curve(Weighted(region()), ONES, cam=region(), target_class=0, steps=1000)

    assert len(curve.fractions) == len(curve.probabilities) == 49


@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_the_size_of_the_batches_changes_nothing(batch_size: int) -> None:
    model, inputs = PooledLinear().double(), picture()
    cam = torch.randn(4, 5)

    curve = deletion_curve(model, inputs, cam=cam, target_class=1, steps=12, batch_size=batch_size)

    one = deletion_curve(model, inputs, cam=cam, target_class=1, steps=12)
    assert curve.probabilities == pytest.approx(one.probabilities, abs=1e-12)


def test_an_explanation_brings_its_layer_and_class() -> None:
    model, inputs = PooledLinear().double().eval(), picture()
    result = explain(model, inputs, target_classes=[2, 0], class_names=["a", "b", "c"])

    first, chosen = (
        deletion_curve(model, inputs, cam=result, layer=layer, target_class=name, steps=6)
        for layer, name in ((None, None), ("body.1", "a"))
    )

    assert (first.target_class, first.class_name, chosen.class_name) == (2, "c", "a")
    assert first.probabilities[0] == pytest.approx(float(result.probabilities[2]), abs=1e-12)
    assert first.probabilities[-1] == pytest.approx(
        float(model(torch.zeros_like(inputs)).softmax(dim=1)[0, 2].detach()), abs=1e-12
    )
    bare = deletion_curve(model, inputs, cam=result.cam("body.1", 0), target_class=0, steps=6)
    assert chosen.probabilities == bare.probabilities


def test_with_a_bare_map_the_most_probable_class_is_taken() -> None:
    assert deletion_curve(Weighted(-region()), ONES, cam=region(), steps=2).target_class == 1


def test_a_picture_is_prepared_as_for_an_explanation() -> None:
    model, image = PooledLinear(), Image.new("RGB", (20, 30), (200, 40, 90))
    cam = torch.randn(4, 5)

    curves = [deletion_curve(model, each, cam=cam, target_class=0, steps=2) for each in (image, to_inputs(image))]

    assert curves[0] == curves[1]


@pytest.mark.parametrize("value", [0.0, 0.3, -2.0])
def test_a_constant_map_gives_a_finite_curve_and_a_warning(value: float) -> None:
    cam = torch.full((2, 3), value)

    with pytest.warns(UserWarning, match="same everywhere.*reading order.*Try another layer"):
        curve = deletion_curve(Weighted(region()), ONES, cam=cam, target_class=0, steps=6)

    assert all(0 <= each <= 1 for each in (*curve.probabilities, curve.area))
    # row after row: the region is in rows 1 and 2
    assert curve.probabilities == pytest.approx([sigmoid(left) for left in (8, 8, 4, 0, 0, 0, 0)], abs=1e-12)


def test_negative_values_are_ranked_too() -> None:
    curve = deletion_curve(Weighted(region()), ONES, cam=region() - 7, target_class=0, steps=6)

    assert curve.probabilities == pytest.approx([sigmoid(8), *[0.5] * 6], abs=1e-12)


def test_a_class_with_a_probability_near_zero_has_a_finite_curve() -> None:
    curve = deletion_curve(Weighted(region() * 1000), ONES, cam=region(), target_class=1, steps=6)

    assert curve.probabilities == pytest.approx([0.0, *[0.5] * 6], abs=1e-12)


SCORES = {
    "the map keeps all that counts": (region(), 0, sigmoid(4)),
    "negative values count as zero": (region() * 3 - 1, 0, sigmoid(4)),
    "the map keeps nothing that counts": (1 - region(), 0, 0.5),
    "the map halves what counts": (1 - region() / 2, 0, sigmoid(2)),
    "a constant map keeps all": (torch.full((2, 3), 0.3), 0, sigmoid(4)),
    "a map of zeros keeps nothing": (torch.zeros(2, 3), 0, 0.5),
    "a negative map keeps nothing": (torch.full((2, 3), -1.0), 0, 0.5),
    "the other class rises": (1 - region(), 1, 0.5),
}


@pytest.mark.parametrize("case", SCORES)
def test_the_drop_is_as_worked_out_by_hand(case: str) -> None:
    cam, target, masked = SCORES[case]

    score = masked_score(Weighted(region() / 2), ONES, cam=cam, target_class=target)

    whole = sigmoid(4) if target == 0 else sigmoid(-4)
    assert score.probability == pytest.approx(whole, abs=1e-12)
    assert score.masked_probability == pytest.approx(masked, abs=1e-12)
    assert score.drop == pytest.approx(max(0.0, whole - masked) / whole, abs=1e-12)
    assert score.increased == (target == 1)


def test_the_drop_of_a_probability_that_underflows_is_finite() -> None:
    """Logits -1000 and -3000: both probabilities are 0 as numbers, and yet one is nothing beside the other."""
    model = Weighted(region() * 250 - (1 - region()) * 75)  # sums to +2000 and -3000

    lost = masked_score(model, ONES, cam=1 - region(), target_class=0)
    kept = masked_score(model, ONES, cam=torch.ones(2, 3), target_class=0)

    assert lost.probability == lost.masked_probability == 0.0
    assert (lost.drop, lost.increased) == (1.0, False)
    assert (kept.drop, kept.increased) == (0.0, False)


def test_average_drop_and_increase_are_means_over_pictures() -> None:
    scores = [
        MaskedScore(0, "a", 0.8, 0.2, 0.75, increased=False),
        MaskedScore(0, "a", 0.5, 0.6, 0.0, increased=True),
        MaskedScore(1, "b", 0.4, 0.4, 0.0, increased=False),
    ]

    assert average_drop(scores) == pytest.approx(0.25, abs=1e-12)
    assert increase(scores) == pytest.approx(1 / 3, abs=1e-12)
    for mean in (average_drop, increase):
        with pytest.raises(CamwidgetError, match=r"no score.*at least one.*masked_score"):
            mean([])


def smooth() -> tuple[nn.Module, Tensor, Tensor]:
    """A network, a picture, and a map between 0 and 1 of the picture's size whose values all differ."""
    cam = torch.rand(HEIGHT, WIDTH)
    return (
        PooledLinear().double().eval(),
        picture(height=HEIGHT, width=WIDTH),
        (cam - cam.min()) / (cam - cam.min()).max(),
    )


def test_the_drop_is_that_of_pytorch_grad_cam_divided_by_the_probability() -> None:
    metrics = pytest.importorskip("pytorch_grad_cam.metrics.cam_mult_image")
    targets = pytest.importorskip("pytorch_grad_cam.utils.model_targets")
    model, inputs, cam = smooth()
    said = nn.Sequential(model, nn.Softmax(dim=1))

    for target in range(3):
        score = masked_score(model, inputs, cam=cam, target_class=target)

        given = inputs, cam[None].numpy(), [targets.ClassifierOutputTarget(target)], said
        # Theirs is max(0, y - y_masked); the paper divides by y.
        assert score.drop == pytest.approx(float(metrics.DropInConfidence()(*given)[0]) / score.probability, abs=1e-6)
        assert score.increased == bool(metrics.IncreaseInConfidence()(*given)[0])


def test_drop_increase_and_both_areas_are_torchcams() -> None:
    metrics, methods = pytest.importorskip("torchcam.metrics"), pytest.importorskip("torchcam.methods")
    model = PooledLinear(inplace=False).double().eval()
    pictures = [picture(height=HEIGHT, width=WIDTH) for _ in range(6)]
    scores, areas = [], []
    steps = {"steps": 6, "baseline": ZEROS, "target_class": 1}

    with methods.LayerCAM(model, "body.1") as extractor:  # its maps have the picture's size
        drops = metrics.ClassificationMetric(extractor, lambda logits: logits.softmax(dim=-1))
        curves = metrics.DeletionInsertionMetric(extractor, lambda logits: logits.softmax(dim=-1), steps=6)
        for inputs in pictures:
            drops.update(inputs, 1)
            curves.update(inputs, 1)
            cam = extractor(1, model(inputs).softmax(dim=-1))[0][0].detach()  # from 0 to 1, as its metrics take it
            scores.append(masked_score(model, inputs, cam=cam, target_class=1))
            areas.append([curve(model, inputs, cam=cam, **steps).area for curve in (deletion_curve, insertion_curve)])

    expected = drops.summary() | curves.summary()
    assert 0 < increase(scores) < 1
    assert average_drop(scores) == pytest.approx(expected["avg_drop"], abs=1e-6)
    assert increase(scores) == pytest.approx(expected["conf_increase"], abs=1e-12)
    assert np.mean(areas, axis=0) == pytest.approx([expected["deletion_auc"], expected["insertion_auc"]], abs=1e-6)


@pytest.mark.parametrize("gone", [12, 24, 36])
def test_a_point_of_the_deletion_curve_is_what_pytorch_grad_cam_measures_there(gone: int) -> None:
    metrics = pytest.importorskip("pytorch_grad_cam.metrics.perturbation_confidence")
    targets = pytest.importorskip("pytorch_grad_cam.utils.model_targets")
    model, inputs, cam = smooth()
    percentile = 100 * (1 - (gone - 0.5) / (HEIGHT * WIDTH - 1))  # between the pixel that goes last and the next

    curve = deletion_curve(model, inputs, cam=cam, target_class=1, steps=HEIGHT * WIDTH)

    remove = metrics.RemoveMostRelevantFirst(percentile, lambda picture, keep: picture * keep)
    metric = metrics.PerturbationConfidenceMetric(remove)
    target, said = [targets.ClassifierOutputTarget(1)], nn.Sequential(model, nn.Softmax(dim=1))
    (expected,) = metric(inputs, cam[None].numpy(), target, said, return_diff=False)
    assert curve.probabilities[gone] == pytest.approx(float(expected), abs=1e-6)


MEASURES: list[Callable[..., Any]] = [deletion_curve, insertion_curve, masked_score]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("make", [PooledLinear, Restless])
def test_the_model_is_left_as_found(measure: Callable[..., Any], make: Callable[[], nn.Module]) -> None:
    model, inputs, cam = make().double(), picture(), torch.randn(4, 5)
    model.train()
    before, kept = state(model), (inputs.clone(), cam.clone())

    measure(model, inputs, cam=cam)
    with pytest.raises(MapError):
        measure(model, inputs, cam=cam * math.nan)

    assert state(model) == before
    assert torch.equal(inputs, kept[0])
    assert torch.equal(cam, kept[1])


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_callers_mode_does_not_matter(measure: Callable[..., Any], mode: Callable[[], Any]) -> None:
    model, inputs, cam = PooledLinear().double(), picture(), torch.randn(4, 5)
    expected = measure(model, inputs, cam=cam)

    with mode():
        assert measure(model, inputs, cam=cam) == expected


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_map_that_is_not_finite_is_refused(value: float) -> None:
    for measure in MEASURES:
        with pytest.raises(MapError, match=r"NaN or infinity.*finite.*logits"):
            measure(Weighted(region()), ONES, cam=torch.tensor([[1.0, value]]))


def test_a_stack_of_maps_is_refused() -> None:
    with pytest.raises(MapError, match=r"shape \(2, 3, 4\).*map_height.*result\.cam"):
        deletion_curve(Weighted(region()), ONES, cam=torch.rand(2, 3, 4))


def test_an_explanation_of_another_picture_or_model_is_refused() -> None:
    model = PooledLinear().double()
    result = explain(model, picture())

    with pytest.raises(MapError, match=r"12x9 pixels and 3 classes, the inputs are 9x12.*one picture.*explain\(\)"):
        deletion_curve(model, picture(height=12, width=9), cam=result)
    with pytest.raises(MapError, match=r"3 classes, the inputs are 12x9 and have 4"):
        deletion_curve(PooledLinear(4).double(), picture(), cam=result)


def test_unknown_layers_and_classes_are_refused() -> None:
    model, inputs = PooledLinear().double(), picture()
    result = explain(model, inputs)

    with pytest.raises(LayerError, match=r"body\.9"):
        deletion_curve(model, inputs, cam=result, layer="body.9")
    with pytest.raises(ClassError, match="class 7"):
        deletion_curve(model, inputs, cam=result, target_class=7)
    with pytest.raises(ClassError, match="class 7"):
        deletion_curve(model, inputs, cam=result.cam(), target_class=7)


@pytest.mark.parametrize("name", ["steps", "batch_size"])
def test_numbers_below_one_are_refused(name: str) -> None:
    with pytest.raises(CamwidgetError, match=rf"{name} is 0.*1 or more"):
        deletion_curve(Weighted(region()), ONES, cam=region(), **{name: 0})


def test_a_baseline_that_does_not_fit_is_refused() -> None:
    for measure in (deletion_curve, insertion_curve):
        with pytest.raises(ImageError, match=r"shape \(1, 3, 8, 6\).*\(1, 3, 6, 8\).*full_like"):
            measure(Weighted(region()), ONES, cam=region(), baseline=ZEROS.mT)
        with pytest.raises(ImageError, match=r"NaN or infinity"):
            measure(Weighted(region()), ONES, cam=region(), baseline=ZEROS * math.nan)


def test_a_model_that_takes_one_picture_only_is_told_of_batch_size() -> None:
    model = Returns(lambda logits: logits[:1]).double()

    with pytest.raises(ModelError, match=r"16 changed pictures.*\(1, 3\).*batch_size=1"):
        deletion_curve(model, picture(), cam=torch.rand(4, 5))
    assert len(deletion_curve(model, picture(), cam=torch.rand(4, 5), steps=3, batch_size=1).probabilities) == 4

"""A number of one's own is explained in place of the logits, whatever the model returns; or refused with a reason."""

from collections import OrderedDict
from typing import Any

import pytest
import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn
from torch.nn import functional

import camwidget
from camwidget.errors import CamwidgetError, MapError, ModelError
from camwidget.hooks.hook import Hook, HookBwd
from camwidget.hooks.scores import scores_asked, scores_of
from camwidget.maps.methods import METHODS
from camwidget.pictures.explain import explain
from camwidget.text.explain import explain_text
from camwidget.trust.faithfulness import deletion_curve
from tests.text.toys import Reviews
from tests.toys import PooledLinear, picture


class Segments(nn.Module):
    """Returns a dictionary with a map of logits for each of four classes, as torchvision's segmentation networks do."""

    def __init__(self, *, straight: bool = False) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 6, 3, stride=2), nn.ReLU())
        self.classifier = nn.Conv2d(6, 4, 1)
        self.straight = straight

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        logits = self.classifier(self.body(inputs))
        return OrderedDict(out=logits if self.straight else logits.tanh(), aux=logits.new_zeros(3))


def part(output: dict[str, Tensor]) -> Tensor:
    return output["out"][0, 2, 1:3, :2].mean()


def why_2_and_not_0(output: Tensor) -> Tensor:
    return output[0, 2] - output[0, 0]


def test_the_mean_logit_of_a_part_of_a_segmentation_has_captums_map() -> None:
    model, inputs = Segments().double(), picture()

    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, pixels: Tensor) -> Tensor:
            return part(self.model(pixels)).view(1, 1)

    result = explain(model, inputs, layers=["body.1", "body.3"], target=part)

    wrapped = Wrapped().eval()
    assert result.class_names == ("part",)
    assert float(result.logits[0]) == pytest.approx(wrapped(inputs).item())
    for name in ("body.1", "body.3"):
        peer = LayerGradCam(wrapped, model.get_submodule(name)).attribute(inputs, target=0)
        torch.testing.assert_close(result.cam(name), peer[0, 0].detach())


def test_the_map_of_a_difference_is_the_difference_of_the_maps() -> None:
    model, inputs = PooledLinear().double(), picture()

    for method in ("cam", "grad_cam", "hires_cam"):
        found = explain(model, inputs, method=method, layers=["body.4"], target=why_2_and_not_0)
        classes = explain(model, inputs, method=method, layers=["body.4"])
        torch.testing.assert_close(found.cam(), classes.cam(target_class=2) - classes.cam(target_class=0))
    assert sum(found.contributions()) == pytest.approx(float(classes.logits[2] - classes.logits[0]))


def test_where_the_number_is_one_weighted_sum_of_means_plain_cam_and_its_sum_are_exact() -> None:
    model, inputs = PooledLinear().double(), picture()
    bias = model.head.bias.detach()

    result = explain(model, inputs, method="cam", target=why_2_and_not_0)
    mean = explain(Segments(straight=True).double(), inputs, method="cam", target=lambda it: it["out"][0, 1].mean())

    total, rest = result.contributions()
    assert rest == pytest.approx(float(bias[2] - bias[0]))
    assert total + rest == pytest.approx(float(result.logits[0]))
    assert "body.3" in mean.cams
    assert sum(mean.contributions("body.3")) == pytest.approx(float(mean.logits[0]))


@pytest.mark.parametrize(
    "target",
    [
        lambda output: output.softmax(dim=1)[0, 1],
        lambda output: functional.cosine_similarity(output, torch.ones(1, 3, dtype=output.dtype)),
    ],
)
def test_elsewhere_plain_cam_is_refused_and_hires_cam_tells_what_the_map_misses(target: Any) -> None:
    model, inputs = PooledLinear().double(), picture()

    with pytest.raises(MapError, match="would not add up"):
        explain(model, inputs, method="cam", target=target)

    result = explain(model, inputs, method="hires_cam", target=target)
    assert sum(result.contributions()) == pytest.approx(target(model.eval()(inputs)).item())
    with pytest.raises(MapError, match="no probabilities"):
        _ = result.probabilities


def test_several_numbers_have_maps_by_name() -> None:
    model, inputs = Segments().double(), picture()
    targets = {"all": lambda output: output["out"][0, 1].mean(), "part": part}

    both = explain(model, inputs, target=targets)
    one = explain(model, inputs, target=targets, target_classes=["part"])

    assert both.class_names == ("all", "part")
    assert both.target_classes == (0, 1)
    assert torch.equal(both.cam(target_class="part"), explain(model, inputs, target=part).cam())
    assert torch.equal(one.cam(), both.cam(target_class=1))
    assert both.answer("part") == f"{float(both.logits[1]):.3g}"


def test_every_method_explains_it() -> None:
    model, inputs = PooledLinear().double(), picture()

    for method in METHODS:
        by_target = explain(model, inputs, method=method, layers=["body.4"], target=lambda output: output[0, 1])
        by_class = explain(model, inputs, method=method, layers=["body.4"], target_classes=[1])
        torch.testing.assert_close(by_target.cam(), by_class.cam())


def test_hooks_of_ones_own_capture_it() -> None:
    model, inputs = Segments().double(), picture()

    own = explain(model, inputs, layers=["body.3"], target=part, hook=Hook, hook_bwd=HookBwd)

    torch.testing.assert_close(own.cam(), explain(model, inputs, layers=["body.3"], target=part).cam())


def test_a_batch_has_the_maps_of_each_picture() -> None:
    model, pixels = Segments().double(), picture(batch=3)

    results = camwidget.explain_batch(model, pixels, target={"part": part})

    assert results.one_by_one == ""
    for row, found in enumerate(results):
        layer = found.layers[-1].name
        alone = explain(model, pixels[row : row + 1], layers=[layer], target=part)
        torch.testing.assert_close(found.cam(), alone.cam())
        torch.testing.assert_close(found.logits, alone.logits)


def test_a_text_may_be_asked_why_one_class_and_not_the_other() -> None:
    model, text = Reviews().double(), "The film was not good"

    found = explain_text(model, text, method="hires_cam", target=lambda output: output[0, 1] - output[0, 0])

    classes = explain_text(model, text, method="hires_cam")
    difference = classes.word_values(target_class=1) - classes.word_values(target_class=0)
    torch.testing.assert_close(found.word_values(), difference)


def test_the_code_says_the_name_of_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    result = explain(Segments().double(), picture(), target=part)

    assert "target=target" in result.code
    assert "# target is the function you gave" in result.code


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (lambda output: output, r"shape \(1, 3\).*End it with .mean\(\)"),
        (lambda output: output[0, 0].item(), r"returned a float.*Leave out .item\(\)"),
        (lambda output: output.argmax(), "argmax, has no gradient"),
        (lambda output: output[0, 0].detach(), "No gradient goes from the target 'target' back"),
        (lambda output: output[0, 0] / 0, "finite"),
    ],
)
def test_what_is_no_number_with_a_gradient_is_refused(target: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        explain(PooledLinear().double(), picture(), layers=["body.4"], target=target)


@pytest.mark.parametrize("target", [3, "cat", {}, {"a": 2}, {1: part}, nn.Linear])
def test_what_is_no_function_is_refused(target: Any) -> None:
    with pytest.raises(CamwidgetError, match=r"target is .*use target_classes"):
        scores_asked(target)


@pytest.mark.parametrize("more", [{"activation": "softmax"}, {"class_names": ["a"]}])
def test_names_and_activations_belong_to_classes(more: dict[str, Any]) -> None:
    with pytest.raises(CamwidgetError, match=f"together with {next(iter(more))}"):
        explain(PooledLinear().double(), picture(), target=why_2_and_not_0, **more)


def test_measures_of_probabilities_refuse_it() -> None:
    model, inputs = PooledLinear().double(), picture()

    with pytest.raises(MapError, match="no probabilities"):
        deletion_curve(model, inputs, cam=explain(model, inputs, target=why_2_and_not_0))


def test_rows_of_a_batch_are_cut_out_of_whatever_the_model_returns() -> None:
    output = {"out": torch.arange(6.0).view(3, 2), "same": torch.ones(2), "deep": [torch.arange(3.0)]}

    found = scores_of({"sum": lambda it: it["out"].sum() + it["deep"][0].sum() + it["same"].sum()}, output, count=3)

    assert found.tolist() == [[3], [8], [13]]

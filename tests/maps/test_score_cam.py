"""Score-CAM: the masks, the weights, the many runs and what they cost; and that it can be stopped."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import MapError
from camwidget.hooks.capture import LayerCapture
from camwidget.maps.formulas import channel_masks, positive, score_cam, score_weight
from camwidget.maps.score_cam import TOGETHER, Cost, cost_of, score_layers
from camwidget.pictures.explain import explain, explain_methods
from tests.toys import PooledLinear, picture, state

LAYER = "body.1"
"""Its maps have the picture's size, so that libraries which interpolate in other ways agree on the masks."""


def test_a_mask_is_the_channel_from_nought_to_one() -> None:
    activation = torch.tensor([[[[1.0, 3.0], [2.0, 5.0]], [[-4.0, -4.0], [-4.0, 0.0]], [[7.0, 7.0], [7.0, 7.0]]]])

    masks = channel_masks(activation, height=2, width=2)

    assert masks.tolist() == [[[0, 0.5], [0.25, 1]], [[0, 0], [0, 1]], [[0, 0], [0, 0]]]


def test_a_mask_has_the_size_of_the_picture_and_is_scaled_after_it_was_enlarged() -> None:
    masks = channel_masks(torch.randn(1, 3, 2, 4, dtype=torch.float64), height=9, width=7)

    assert masks.shape == (3, 9, 7)
    assert masks.amin(dim=(1, 2)).tolist() == [0, 0, 0]
    assert masks.amax(dim=(1, 2)).tolist() == [1, 1, 1]


def test_weights_are_a_softmax_over_channels_for_each_class() -> None:
    scores = torch.tensor([[0.0, 2.0], [float(np.log(3)), 2.0]])

    weights = score_weight(scores)

    torch.testing.assert_close(weights, torch.tensor([[0.25, 0.75], [0.5, 0.5]]))
    torch.testing.assert_close(score_weight(scores + 17.0), weights)  # the logit of a baseline would change nothing
    one, two = torch.eye(2)[None], 2 * torch.eye(2)[None]
    torch.testing.assert_close(score_cam(torch.cat([one, two])[None], scores)[0, 0], 1.75 * torch.eye(2))


def test_the_map_is_what_a_slow_loop_finds() -> None:
    model, inputs = PooledLinear().double().eval(), picture(height=20, width=26)

    result = explain(model, inputs, method="score_cam", layers=["body.1", "body.4"], target_classes=[2, 0])

    for name in ("body.1", "body.4"):
        with LayerCapture(model, [name]) as capture:
            capture.forward(inputs)
            activation = capture.activations[name].detach()
        for row, target in enumerate([2, 0]):
            scores = []
            for channel in activation[0]:
                mask = nn.functional.interpolate(channel[None, None], size=(20, 26), mode="bilinear")[0, 0]
                spread = mask.max() - mask.min()
                mask = (mask - mask.min()) / spread if spread > 0 else torch.zeros_like(mask)
                with torch.no_grad():
                    scores.append(model(inputs * mask)[0, target])
            weights = torch.stack(scores).exp() / torch.stack(scores).exp().sum()
            expected = sum(weight * channel for weight, channel in zip(weights, activation[0], strict=True))
            torch.testing.assert_close(result.cams[name][row], expected, rtol=1e-12, atol=1e-14)


def test_the_map_equals_torchcams_where_both_have_the_same_masks() -> None:
    methods = pytest.importorskip("torchcam.methods")
    model, inputs = PooledLinear(inplace=False).double().eval(), picture()

    found = positive(explain(model, inputs, method="score_cam", layers=[LAYER], target_classes=[1]).cam(LAYER, 1))

    with methods.ScoreCAM(model, model.get_submodule(LAYER), input_shape=tuple(inputs.shape[1:])) as extractor:
        with torch.no_grad():
            logits = model(inputs)
        (expected,) = extractor(1, logits, normalized=False)
    # It adds a small constant where it divides.
    assert float((found - expected[0]).abs().max() / expected.max()) <= 1e-9


def test_the_map_equals_pytorch_grad_cams_where_both_have_the_same_masks() -> None:
    score_cams = pytest.importorskip("pytorch_grad_cam.score_cam")
    targets = pytest.importorskip("pytorch_grad_cam.utils.model_targets")
    model, inputs = PooledLinear(inplace=False).eval(), picture().float()

    found = positive(explain(model, inputs, method="score_cam", layers=[LAYER], target_classes=[1]).cam(LAYER, 1))

    with score_cams.ScoreCAM(model, [model.get_submodule(LAYER)]) as extractor:
        expected = torch.from_numpy(extractor(inputs, [targets.ClassifierOutputTarget(1)])[0])
    # It takes each map to 0 ... 1, so only the pattern can be compared.
    scaled = (found - found.min()) / (found.max() - found.min())
    assert float((scaled - expected).abs().max()) <= 1e-5


def test_without_layers_only_the_deepest_is_run_and_the_others_say_what_they_would_cost() -> None:
    result = explain(PooledLinear().double(), picture(), method="score_cam")

    assert [layer.name for layer in result.layers] == ["body.4"]
    with pytest.raises(MapError, match=r"this layer alone would take 4 passes.*Name this layer in layers"):
        result.cam("body.1")


def test_it_can_be_asked_for_beside_others() -> None:
    found = explain_methods(PooledLinear().double(), picture(), methods=("cam", "grad_cam", "score_cam"))

    assert list(found["grad_cam"].cams) == ["body.1", "body.4"]
    assert list(found["score_cam"].cams) == ["body.4"]
    assert "body.1" in found["cam"].refusals


def test_the_cost_is_one_pass_per_channel_and_said_in_words() -> None:
    runs: list[int] = []

    def run(pixels: Tensor) -> Tensor:
        runs.append(len(pixels))
        return torch.zeros(len(pixels), 2)

    cost = cost_of(run, torch.zeros(1, 3, 4, 5), passes=7 + 40)

    assert cost.passes == 47
    assert runs == [4]
    assert str(Cost(1280, 9.4)) == "1,280 passes of the network, about 9 s"
    assert str(Cost(3, 0.1)) == "3 passes of the network, about a second"


def test_the_cost_is_said_before_the_runs(capsys: pytest.CaptureFixture[str]) -> None:
    said_at: list[str] = []

    def run(pixels: Tensor) -> Tensor:
        said_at.append(capsys.readouterr().err)
        return torch.zeros(len(pixels), 2)

    score_layers(run, torch.zeros(1, 3, 4, 5), {"a": torch.rand(1, 7, 2, 3)}, target_classes=[0])

    assert "Score-CAM: 7 passes of the network, about" in said_at[1]  # the first run is the one that is timed


def test_progress_is_told_and_can_stop_it_with_the_model_as_it_was() -> None:
    class Many(PooledLinear):
        def __init__(self) -> None:
            super().__init__()
            self.body[2] = nn.Conv2d(4, 2 * TOGETHER + 3, 3)
            self.body[3] = nn.BatchNorm2d(2 * TOGETHER + 3)
            self.head = nn.Linear(2 * TOGETHER + 3, 3)

    model, inputs = Many().double().train(), picture()
    before, told = state(model), []

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        if done > TOGETHER:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explain_methods(model, inputs, methods=("score_cam",), progress=progress)

    assert told == [(16, 35), (32, 35)]
    assert state(model) == before


def test_a_model_that_takes_one_picture_at_a_time_is_told() -> None:
    class One(PooledLinear):
        def forward(self, inputs: Tensor) -> Any:
            return super().forward(inputs[:1])

    with pytest.raises(MapError, match=r"For 5 pictures the model returned shape \(1, 3\)"):
        explain(One().double(), picture(), method="score_cam")

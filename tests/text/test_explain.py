"""`explain_text` from end to end: hand-worked numbers, the theory, other libraries, and what it must leave alone."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from captum.attr import LayerGradCam, LayerGradientXActivation
from torch import Tensor, nn

from camwidget.errors import ClassError, LayerError, MapError, ModelError
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.layers import Layer
from camwidget.text.capture import TEXT as AS_TEXT
from camwidget.text.capture import read_text
from camwidget.text.explain import TEXT_METHODS, explain_text, explain_text_methods
from camwidget.text.reader import reads_text, why_not_text
from tests.text.toys import Max, Reviews, Skipping, Words
from tests.toys import PooledLinear, state

TEXT = "The film was not good"
LAYERS = ["embedding", "conv1", "conv2", "conv3"]


class TwoWords(nn.Module):
    """Words have the vectors (1, 3) and (2, -1); logits are 2a - b + 5 and -b of the mean vector (a, b)."""

    def __init__(self) -> None:
        super().__init__()
        self.vocabulary = Words(["good", "film"])
        self.embedding = nn.Embedding(4, 2, padding_idx=0)
        self.classifier = nn.Linear(2, 2)
        with torch.no_grad():
            self.embedding.weight.copy_(torch.tensor([[0.0, 0], [9, 9], [1, 3], [2, -1]]))
            self.classifier.weight.copy_(torch.tensor([[2.0, -1], [0, -1]]))
            self.classifier.bias.copy_(torch.tensor([5.0, 0]))

    def forward(self, ids: Tensor) -> Tensor:
        return self.classifier(self.embedding(ids).mean(dim=1))


def test_maps_and_sums_of_a_network_one_can_do_in_the_head() -> None:
    found = explain_text_methods(TwoWords().double(), "Good film", class_names=["bad", "fine"])

    assert found["cam"].logits.tolist() == [7, -1]  # the mean vector is (1.5, 1)
    assert found["cam"].target_classes == (0, 1)
    assert found["cam"].cams["embedding"].tolist() == [[-1, 5], [-3, 1]]
    assert found["grad_cam"].cams["embedding"].tolist() == [[-0.5, 2.5], [-1.5, 0.5]]
    assert found["hires_cam"].cams["embedding"].tolist() == [[-0.5, 2.5], [-1.5, 0.5]]
    # Without "good" the mean vector is (2, -1) and the logits are (10, 1); without "film" (1, 3), so (4, -3).
    assert found["occlusion"].cams["embedding"].tolist() == [[-3, 3], [-2, 2]]
    for method in ("cam", "grad_cam", "hires_cam"):
        assert found[method].contributions("embedding", "bad") == (2, 5)
        assert found[method].contributions("embedding", "fine") == (-1, 0)
    assert found["cam"].layers == (Layer("embedding", 1, 2, 1, 2),)
    assert [word.text for word in found["cam"].words] == ["Good", "film"]
    assert found["cam"].word_values(target_class="fine").tolist() == [-3, 1]
    assert found["cam"].rest() == 0


def test_the_mean_of_a_cam_and_the_bias_are_the_logit_and_grad_cam_is_cam_by_its_words() -> None:
    model = Reviews().double()

    found = explain_text_methods(model, TEXT)

    assert list(found["cam"].cams) == ["conv3"]
    assert list(found["grad_cam"].cams) == list(found["hires_cam"].cams) == LAYERS
    for index in (0, 1):
        logit = found["cam"].logits[index].item()
        for method in ("cam", "grad_cam", "hires_cam"):
            total, bias = found[method].contributions("conv3", index)
            assert total + bias == pytest.approx(logit, abs=1e-14)
            assert bias == pytest.approx(model.classifier.bias[index].item(), abs=1e-14)
        cam = found["cam"].cam("conv3", index)
        torch.testing.assert_close(found["grad_cam"].cam("conv3", index), cam / 5, rtol=0, atol=1e-15)
        torch.testing.assert_close(found["hires_cam"].cam("conv3", index), cam / 5, rtol=0, atol=1e-15)


@pytest.mark.parametrize("layer", LAYERS)
def test_without_biases_the_words_values_are_the_whole_logit_at_every_layer(layer: str) -> None:
    result = explain_text(Reviews(bias=False).double(), TEXT, method="hires_cam", layers=[layer])

    assert result.word_values(target_class=1).sum().item() == pytest.approx(result.logits[1].item(), abs=1e-14)


def test_hires_cam_at_the_embedding_is_the_slope_of_scaling_one_words_vector() -> None:
    model, step = Reviews().double(), 1e-6
    values = explain_text(model, TEXT, method="hires_cam", layers="embedding").word_values(target_class=1)
    ids = torch.tensor([[token.index for token in model.vocabulary.tokens(TEXT)]])
    vectors = model.eval().embedding(ids).detach()

    for place in range(5):
        scaled = [vectors.clone() for _ in range(2)]
        scaled[0][0, place] *= 1 + step
        scaled[1][0, place] *= 1 - step
        high, low = (model.head(each, ids != 0)[0, 1].item() for each in scaled)
        assert values[place].item() == pytest.approx((high - low) / (2 * step), abs=1e-8)


@pytest.mark.parametrize("layer", ["conv1", "conv2", "conv3"])
def test_the_maps_are_those_of_another_library(layer: str) -> None:
    model = Reviews().double().eval()
    ids = torch.tensor([[token.index for token in model.vocabulary.tokens(TEXT)]])
    theirs = LayerGradCam(model, model.get_submodule(layer)).attribute(ids, target=1)
    theirs_by_place = LayerGradientXActivation(model, model.get_submodule(layer)).attribute(ids, target=1)

    found = explain_text_methods(model, TEXT, methods=("grad_cam", "hires_cam"), layers=[layer])

    torch.testing.assert_close(found["grad_cam"].cam(layer, 1), theirs[0, 0].detach(), rtol=0, atol=1e-15)
    torch.testing.assert_close(
        found["hires_cam"].cam(layer, 1), theirs_by_place[0].sum(dim=0).detach(), rtol=0, atol=1e-15
    )


def test_leaving_a_word_out_is_writing_the_text_without_it() -> None:
    model = Reviews().double()
    words = TEXT.split()

    def logits_of(text: str) -> Tensor:
        return explain_text(model, text, method="grad_cam").logits

    result = explain_text(model, TEXT, method="occlusion")

    assert not result.knows_layer
    for place in range(5):
        shorter = " ".join(words[:place] + words[place + 1 :])
        expected = logits_of(TEXT) - logits_of(shorter)
        for index in (0, 1):
            assert result.word_values("conv1", index)[place].item() == pytest.approx(expected[index].item(), abs=1e-14)


def test_without_its_only_word_a_text_is_padding() -> None:
    model = Reviews().double()

    result = explain_text(model, "Good", method="occlusion", target_classes=[1])

    expected = (result.logits - model.classifier.bias.detach())[1]
    assert result.word_values().tolist() == pytest.approx([expected.item()], abs=1e-15)


def test_as_many_channels_as_words_do_not_swap_the_axes() -> None:
    model = Reviews(channels=6).double()
    six, seven = f"{TEXT} movie", f"{TEXT} movie movie"

    for layer in ("embedding", "conv2"):  # positions stand second there, and last here; channels are six in both
        model.conv1[0].weight.data[..., [0, 2]] = 0  # each position sees itself alone
        model.conv2[0].weight.data[..., [0, 2]] = 0
        model.conv3[0].weight.data[..., [0, 2]] = 0
        short = explain_text(model, six, method="hires_cam", layers=[layer]).cam(target_class=0)
        long = explain_text(model, seven, method="hires_cam", layers=[layer]).cam(target_class=0)
        torch.testing.assert_close(short[:6] / 7 * 6, long[:6], rtol=0, atol=1e-15)


@pytest.mark.parametrize("kind", [Skipping, Max])
def test_cam_is_refused_where_it_is_not_exact(kind: type[Reviews]) -> None:
    with pytest.raises(MapError, match=r"'conv3' would not add up"):
        explain_text(kind().double(), TEXT)


def test_cam_is_refused_at_inner_layers_with_the_reason() -> None:
    with pytest.raises(MapError, match=r"'conv1' would not add up to the logit.*2 convolutions and ReLU"):
        explain_text(Reviews().double(), TEXT, layers=["conv1"])


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_the_model_is_left_as_found_in_every_gradient_mode(mode: Any) -> None:
    model = Reviews().double().train()
    model.conv2.eval()
    model.conv1.requires_grad_(False)
    before = state(model)
    expected = explain_text_methods(model, TEXT)

    with mode():
        found = explain_text_methods(model, TEXT)
    with pytest.raises(ClassError):
        explain_text(model, TEXT, target_classes=["neutral"])

    assert state(model) == before
    for method in TEXT_METHODS:
        for name, cams in found[method].cams.items():
            assert torch.equal(cams, expected[method].cams[name])
            assert not cams.is_inference()
            assert not cams.requires_grad


def test_the_code_makes_the_map_again() -> None:
    model = Reviews().double()
    result = explain_text(model, TEXT, method="hires_cam", class_names=["no", "yes"])
    scope: dict[str, Any] = {"model": model, "text": TEXT}

    exec(result.code_for("conv2", "yes").replace("result.word_values", "made = result.word_values"), scope)

    assert torch.equal(scope["made"], result.word_values("conv2", "yes"))
    assert 'cw.explain(model, text, method="hires_cam", class_names=["no", "yes"])' in result.code


def test_layers_without_a_value_per_word_are_refused_by_name() -> None:
    model = Reviews().double()

    with pytest.raises(LayerError, match=r"no layer 'conv9'.*'conv1'"):
        explain_text(model, TEXT, layers=["conv9"])
    with pytest.raises(LayerError, match=r"'classifier' returns a Tensor of shape \(1, 2\).*each of the 5 tokens"):
        explain_text(model, TEXT, method="grad_cam", layers=["classifier"])
    with pytest.raises(MapError, match=r"no method 'eigen_cam'.*'occlusion'"):
        explain_text(model, TEXT, method="eigen_cam")


def test_what_takes_no_text_is_told_from_what_does() -> None:
    assert reads_text(Reviews())
    assert why_not_text(Reviews()) == ""
    assert not reads_text(PooledLinear())
    assert "PooledLinear has no vocabulary" in why_not_text(PooledLinear())
    for classes in ([False, True], ["cat", "dog"], [0, 1], ["cat", "dog", "fish"]):
        learner = SimpleNamespace(model=PooledLinear(), dls=SimpleNamespace(vocab=classes))
        assert not reads_text(learner)
    with pytest.raises(ModelError, match="has no vocabulary"):
        explain_text(PooledLinear(), TEXT)


def test_a_layer_that_was_not_run_is_told() -> None:
    model = Reviews().double()
    model.spare = nn.Embedding(3, 2)

    assert "spare" not in explain_text(model, TEXT, method="grad_cam").cams
    with pytest.raises(LayerError, match="'spare' did not run"):
        explain_text(model, TEXT, method="grad_cam", layers=["spare"])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_maps_of_a_model_in_half_precision_are_in_single(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    model = Reviews().to(dtype)
    found = explain_text_methods(model, TEXT, layers=["conv3"])
    weight = model.classifier.weight.float()

    for method, result in found.items():
        assert result.logits.dtype == result.probabilities.dtype == torch.float32
        assert result.cam().dtype == torch.float32, method
    ids = torch.tensor([[token.index for token in found["cam"].tokens]])
    with LayerCapture(model, ["conv3"], subject=AS_TEXT) as capture:
        read_text(capture, ids)
        activation = capture.activations["conv3"]
        zero = capture.rerun(ids, replace={"conv3": torch.zeros_like(activation)})
    expected = (weight.detach() @ activation[0, :, 0])[found["cam"].target_classes[0]]
    torch.testing.assert_close(found["cam"].cam(), expected, rtol=2 * torch.finfo(dtype).eps, atol=1e-6)
    assert torch.equal(zero[0], model.classifier.bias)

"""What the network says of each class is what its loss means: fastai's own predictions are the judge."""

from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from fastai.vision.all import (
    BCELossFlat,
    BCEWithLogitsLossFlat,
    CategoryBlock,
    CrossEntropyLossFlat,
    DataBlock,
    FocalLossFlat,
    ImageBlock,
    L1LossFlat,
    LabelSmoothingCrossEntropy,
    LabelSmoothingCrossEntropyFlat,
    Learner,
    MSELossFlat,
    MultiCategoryBlock,
    PointBlock,
    RandomSplitter,
    RegressionBlock,
    Resize,
    get_image_files,
)
from PIL import Image
from torch import Tensor, nn

from camwidget.errors import MapError
from camwidget.maps.activation import checked_activation
from camwidget.maps.arguments import Explainable, own_names
from camwidget.panel.picture import CamPanel
from camwidget.panel.still import contact_sheet
from camwidget.pictures.explain import explain
from camwidget.trust.faithfulness import deletion_curve, masked_score
from tests.toys import PooledLinear, picture


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pictures, not square."""
    folder = tmp_path_factory.mktemp("pictures")
    pixels = np.random.default_rng(0).integers(0, 255, (6, 40, 50, 3), dtype=np.uint8)
    for index in range(6):
        Image.fromarray(pixels[index]).save(folder / f"{index}.png")
    return folder


def small_net(count: int) -> nn.Module:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, count))
    net[-1].weight.data *= 8  # logits that differ
    return net


def loaders(folder: Path, blocks: Iterable[Any], label: Any) -> Any:
    return DataBlock(
        blocks=(ImageBlock, *blocks),
        n_inp=1,
        get_items=get_image_files,
        get_y=label,
        splitter=RandomSplitter(0.3, seed=1),
        item_tfms=Resize(24),
    ).dataloaders(folder, bs=2, num_workers=0)


def learner(folder: Path, block: Any, label: Any, *, count: int, loss: Any = None) -> Learner:
    return Learner(loaders(folder, [block], label), small_net(count), loss_func=loss)


def predicted(learn: Learner, folder: Path) -> Tensor:
    """What fastai itself says of a picture."""
    dl = learn.dls.test_dl([folder / "2.png"], num_workers=0)
    with learn.no_bar(), learn.no_logging():
        return learn.get_preds(dl=dl)[0][0].as_subclass(Tensor)


def letter(path: Path) -> str:
    return "abc"[int(path.stem) % 3]


def letters(path: Path) -> Any:  # fastai casts to what is declared, and cannot cast to list[str]
    return ["a", "b"] if int(path.stem) % 2 else ["c"]


def number(path: Path) -> float:
    return float(path.stem)


def points(path: Path) -> Tensor:
    return torch.tensor([[3.0, 4.0], [5.0, float(path.stem)]])


@pytest.mark.parametrize(
    "loss",
    [
        None,
        CrossEntropyLossFlat(),
        FocalLossFlat(),
        LabelSmoothingCrossEntropy(),
        LabelSmoothingCrossEntropyFlat(),
    ],
)
def test_one_class_of_many_has_softmax_as_fastai_predicts(folder: Path, loss: Any) -> None:
    learn = learner(folder, CategoryBlock, letter, count=3, loss=loss)

    result = explain(learn, folder / "2.png")

    torch.testing.assert_close(result.probabilities, predicted(learn, folder))
    assert (result.activation.name, result.activation.exclusive) == ("softmax", True)
    assert result.class_names == ("a", "b", "c")
    assert result.target_classes == tuple(predicted(learn, folder).argsort(descending=True).tolist())


@pytest.mark.parametrize("loss", [None, BCEWithLogitsLossFlat(thresh=0.3)])
def test_several_labels_have_a_sigmoid_each_as_fastai_predicts(folder: Path, loss: Any) -> None:
    learn = learner(folder, MultiCategoryBlock, letters, count=3, loss=loss)

    result = explain(learn, folder / "2.png")

    torch.testing.assert_close(result.probabilities, predicted(learn, folder))
    assert not result.activation.exclusive
    assert result.probabilities.sum().item() != pytest.approx(1, abs=0.01)
    assert result.class_names == ("a", "b", "c")


def test_one_logit_of_a_learner_has_its_sigmoid_as_fastai_predicts(folder: Path) -> None:
    learn = learner(folder, CategoryBlock, letter, count=1, loss=BCEWithLogitsLossFlat())

    torch.testing.assert_close(explain(learn, folder / "2.png").probabilities, predicted(learn, folder))


@pytest.mark.parametrize(
    ("end", "loss", "expected"),
    [
        (nn.Sigmoid(), BCELossFlat(), lambda outputs: outputs),
        (nn.LogSoftmax(dim=1), nn.NLLLoss(), torch.exp),
    ],
)
def test_a_loss_on_probabilities_says_that_the_network_has_made_them(
    folder: Path, end: nn.Module, loss: Any, expected: Callable[[Tensor], Tensor]
) -> None:
    learn = learner(folder, MultiCategoryBlock, letters, count=3, loss=loss)
    learn.model.append(end)

    torch.testing.assert_close(explain(learn, folder / "2.png").probabilities, expected(predicted(learn, folder)))


@pytest.mark.parametrize(
    ("block", "label", "count", "loss", "names"),
    [
        (RegressionBlock, number, 1, None, ("value",)),
        (RegressionBlock, number, 1, L1LossFlat(), ("value",)),
        (RegressionBlock, number, 1, MSELossFlat(), ("value",)),
        (RegressionBlock, number, 1, nn.SmoothL1Loss(), ("value",)),
        (RegressionBlock(n_out=2), lambda path: [number(path), 1.0], 2, None, ("value 0", "value 1")),
        (PointBlock, points, 4, None, ("value 0", "value 1", "value 2", "value 3")),
    ],
)
def test_a_regression_has_values_in_order_and_no_probabilities(
    folder: Path, block: Any, label: Any, count: int, loss: Any, names: tuple[str, ...]
) -> None:
    learn = learner(folder, block, label, count=count, loss=loss)

    result = explain(learn, folder / "2.png")

    torch.testing.assert_close(result.answers, predicted(learn, folder).flatten())
    assert torch.equal(result.answers, result.logits)
    assert result.class_names == names
    assert result.target_classes == tuple(range(count))
    assert "%" not in repr(result)
    assert f"'{names[0]}' {float(result.logits[0]):.3g}" in repr(result)
    with pytest.raises(MapError, match=r"no probabilities\. .*result\.answers.*activation='softmax'"):
        _ = result.probabilities


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (nn.CrossEntropyLoss(), lambda logits: logits.softmax(0)),
        (nn.functional.cross_entropy, lambda logits: logits.softmax(0)),
        (nn.BCEWithLogitsLoss(), torch.sigmoid),
        (SimpleNamespace(activation=lambda logits: (logits / 3).softmax(-1)), lambda logits: (logits / 3).softmax(0)),
        (SimpleNamespace(activation=lambda logits: logits.sigmoid() ** 2), lambda logits: logits.sigmoid() ** 2),
        (lambda *_: 0.0, lambda logits: logits.softmax(0)),  # says nothing; the data's own loss is cross-entropy
    ],
)
def test_a_loss_speaks_by_its_activation_or_by_its_name(
    folder: Path, loss: Any, expected: Callable[[Tensor], Tensor]
) -> None:
    result = explain(learner(folder, CategoryBlock, letter, count=3, loss=loss), folder / "2.png")

    torch.testing.assert_close(result.probabilities, expected(result.logits))
    assert result.activation.exclusive is (abs(float(result.probabilities.sum()) - 1) < 1e-6)


def test_what_a_loss_turns_logits_into_is_a_value_where_it_is_no_probability(folder: Path) -> None:
    loss = SimpleNamespace(activation=lambda logits: 100 * torch.sigmoid(logits))
    result = explain(learner(folder, CategoryBlock, letter, count=3, loss=loss), folder / "2.png")

    torch.testing.assert_close(result.answers, 100 * torch.sigmoid(result.logits))
    with pytest.raises(MapError, match="no probabilities"):
        _ = result.probabilities


def test_several_outputs_have_their_names_joined_and_no_softmax_over_all(folder: Path) -> None:
    dls = loaders(folder, [CategoryBlock, CategoryBlock], [letter, lambda path: "xy"[int(path.stem) % 2]])
    joined, other = (
        explain(Learner(dls, small_net(count), loss_func=lambda *_: 0.0), folder / "2.png") for count in (5, 6)
    )

    assert joined.class_names == ("output 0: a", "output 0: b", "output 0: c", "output 1: x", "output 1: y")
    assert other.class_names == tuple(f"value {index}" for index in range(6))
    assert torch.equal(joined.answers, joined.logits)


def test_a_module_that_ends_in_softmax_log_softmax_or_a_sigmoid_is_not_given_another() -> None:
    bare, inputs = PooledLinear().double(), picture()
    logits = bare.eval()(inputs)[0].detach()

    class LogSoftmax(nn.Module):
        def forward(self, outputs: Tensor) -> Tensor:
            return outputs.log_softmax(dim=1)

    ends = {nn.Softmax(dim=1): logits.softmax(0), LogSoftmax(): logits.softmax(0), nn.Sigmoid(): logits.sigmoid()}
    for end, expected in ends.items():
        result = explain(nn.Sequential(bare, end), inputs)
        torch.testing.assert_close(result.probabilities, expected, rtol=0, atol=1e-12)
        assert "inside the network" in result.activation.name
    torch.testing.assert_close(explain(bare, inputs).probabilities, logits.softmax(0), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_a_softmax_inside_is_seen_in_every_precision(dtype: torch.dtype) -> None:
    model = nn.Sequential(PooledLinear(12), nn.Softmax(dim=1)).to(dtype)

    result = explain(model, picture())

    assert result.activation.name == "softmax inside the network"
    assert torch.equal(result.probabilities, result.logits)


def test_outputs_that_sum_to_one_by_chance_get_softmax() -> None:
    model, inputs = small_net(2).double(), picture()
    model[-1].bias.data += torch.tensor([0.25, 0.75]) - model(inputs)[0].detach()

    result = explain(model, inputs)

    assert result.logits.tolist() == pytest.approx([0.25, 0.75])
    torch.testing.assert_close(result.probabilities, torch.tensor([0.25, 0.75]).double().softmax(0))


def test_the_keyword_decides() -> None:
    model, inputs = PooledLinear().double(), picture()
    logits = explain(model, inputs).logits

    sigmoid = explain(model, inputs, activation="sigmoid")
    torch.testing.assert_close(sigmoid.probabilities, logits.sigmoid())
    assert 'activation="sigmoid")' in sigmoid.code
    assert 'activation="sigmoid",' in sigmoid.code_for()
    warm = explain(model, inputs, activation=lambda each: (each / 9).softmax(dim=1))
    torch.testing.assert_close(warm.probabilities, (logits / 9).softmax(0))
    assert warm.activation.exclusive
    assert "# activation is the function you gave" in warm.code
    assert explain(model, inputs, activation=nn.Softmax(dim=1)).activation.name == "softmax"
    assert explain(model, inputs, activation="none").class_names == ("value 0", "value 1", "value 2")
    upside_down = explain(model, inputs, activation=lambda each: (-each).softmax(dim=1))
    assert upside_down.target_classes == tuple(logits.argsort().tolist())
    assert torch.equal(sigmoid.cam(target_class=1), warm.cam(target_class=1))


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ("sigmoids", MapError, r"no activation 'sigmoids'.*'none'.*Did you mean 'sigmoid'\?"),
        (nn.Softmax, TypeError, r"of type type.*'softmax'"),
        (lambda logits: logits.sum(dim=1), MapError, r"shape \(1, 3\) into shape \(1,\).*'softmax'"),
        (lambda logits: logits * torch.nan, MapError, "not finite"),
        (lambda logits: 9 + logits, MapError, r"Probabilities are from 0 to 1.*activation='none'"),
    ],
)
def test_what_is_no_activation_is_refused(asked: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        explain(PooledLinear().double(), picture(), activation=asked)


def test_what_is_neither_a_name_nor_a_function_is_refused() -> None:
    with pytest.raises(TypeError, match=r"0\.5, of type float.*'softmax'.*activation=None"):
        checked_activation(0.5)


def test_measures_of_trust_take_the_same_activation_and_refuse_values() -> None:
    model: Explainable = PooledLinear().double()
    inputs = picture()
    several = explain(model, inputs, activation="sigmoid")

    curve = deletion_curve(model, inputs, cam=several, steps=3)
    assert curve.probabilities[0] == pytest.approx(float(several.logits[curve.target_class].sigmoid()), abs=1e-12)
    inside = nn.Sequential(model, nn.Softmax(dim=1))
    score = masked_score(inside, inputs, cam=explain(inside, inputs).cam(), target_class=1)
    assert score.probability == pytest.approx(float(explain(inside, inputs).logits[1]), abs=1e-12)
    with pytest.raises(MapError, match=r"as of a regression, and no probabilities.*activation='softmax'"):
        deletion_curve(model, inputs, cam=explain(model, inputs, activation="none"))


def test_a_panel_says_values_without_a_percent_sign() -> None:
    panel = CamPanel(PooledLinear().double(), picture(), activation="none")
    panel_of_labels = CamPanel(PooledLinear().double(), picture(), activation="sigmoid")

    classes = panel.view.manifest["classes"]
    assert [each["probability"] for each in classes] == [None] * 3
    assert [each["value"] for each in classes] == panel.result.logits.tolist()
    assert contact_sheet(panel.result).size[0] == 448
    assert not panel.view.manifest["alone"]
    assert panel_of_labels.view.manifest["alone"]
    assert 'activation="sigmoid"' in "".join(panel_of_labels.view.manifest["methods"][0]["code"]["shown"])


def test_an_empty_vocabulary_gives_no_names() -> None:
    for vocab in ([], (), None):
        assert own_names(SimpleNamespace(dls=SimpleNamespace(vocab=vocab), model=PooledLinear())) == ()

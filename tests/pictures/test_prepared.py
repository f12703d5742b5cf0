"""Pictures, tensors, Learners and class names as they come are made ready, or refused with what to try."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastai.vision.all import (
    CategoryBlock,
    DataBlock,
    ImageBlock,
    Learner,
    PILImage,
    RandomSplitter,
    Resize,
    get_image_files,
    resnet18,
    vision_learner,
)
from PIL import Image
from torch import Tensor, nn

from camwidget.errors import ImageError, MapError
from camwidget.hooks.turns import random_states
from camwidget.pictures.explain import explain
from tests.toys import (
    PooledLinear,
    picture,
    state,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six smooth pictures, not square."""
    folder = tmp_path_factory.mktemp("pictures")
    ramp = np.linspace(0, 200, 120, dtype=np.uint8)[None, :, None]
    for index in range(6):
        Image.fromarray(np.broadcast_to(ramp + 5 * index, (90, 120, 3)).copy()).save(
            folder / f"{'Aa'[index % 2]}{index}.png"
        )
    return folder


def learner(folder: Path, **head: Any) -> Learner:
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=get_image_files,
        get_y=lambda path: path.name[0].isupper(),
        splitter=RandomSplitter(0.3, seed=1),
        item_tfms=Resize(64),
    )
    return vision_learner(block.dataloaders(folder, bs=2, num_workers=0), resnet18, pretrained=False, **head)


def test_a_learner_prepares_pictures_by_its_own_transforms(folder: Path) -> None:
    learn = learner(folder)
    (batch,) = next(iter(learn.dls.test_dl([PILImage.create(folder / "A2.png")], num_workers=0)))
    before = state(learn.model)

    results = [explain(learn, each) for each in (folder / "A2.png", Image.open(folder / "A2.png"), batch)]
    assert f'image = "{folder / "A2.png"}"' in results[0].code

    for result in results:
        assert torch.equal(result.cam(), results[0].cam())
        assert result.class_names == ("False", "True")
        assert "\nresult = cw.explain(learn, image" in result.code
        # No Normalize without pretrained weights: the inputs are the picture.
        shown = torch.from_numpy(np.asarray(result.image).copy()).permute(2, 0, 1) / 255
        assert (shown - batch[0]).abs().max() <= 0.5 / 255 + 1e-6
    assert explain(learn, batch, target_classes=["True", False]).target_classes == (1, 0)
    assert state(learn.model) == before


def test_the_random_numbers_that_a_learners_loader_draws_are_given_back(folder: Path) -> None:
    learn = learner(folder)
    before = random_states()
    next(iter(learn.dls.test_dl([folder / "A2.png"], num_workers=0)))
    assert random_states() != before
    before = random_states()

    explain(learn, folder / "A2.png")

    assert random_states() == before


def test_plain_cam_is_refused_on_fastais_default_head_and_exact_on_a_linear_one(folder: Path) -> None:
    with pytest.raises(MapError, match=r"ReLU, a second Linear layer and max pooling.*concat_pool=False"):
        explain(learner(folder), folder / "A2.png", method="cam")

    result = explain(learner(folder, concat_pool=False, lin_ftrs=[]), folder / "A2.png", method="cam")

    assert list(result.cams) == ["0.7.1"]
    for index in (0, 1):
        assert sum(result.contributions(target_class=index)) == pytest.approx(result.logits[index].item(), abs=1e-5)


def test_tensor_subclasses_are_taken_as_plain_tensors() -> None:
    fastai = pytest.importorskip("fastai.torch_core")
    model, inputs = PooledLinear().double(), picture()

    result = explain(model, inputs.as_subclass(fastai.TensorImage))

    assert type(result.cam()) is Tensor
    torch.testing.assert_close(result.cam(), explain(model, inputs).cam(), rtol=0, atol=1e-14)


def test_inputs_follow_the_models_dtype_and_a_model_without_parameters_works() -> None:
    single = PooledLinear()

    assert explain(single, picture()).cam().dtype == torch.float32

    bare = nn.Sequential(nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    inputs = picture()
    assert torch.equal(explain(bare, inputs, method="cam").cam(target_class=2), inputs[0, 2].relu())


def test_pictures_of_any_kind_are_prepared_and_shown_as_the_network_saw_them(tmp_path: Path) -> None:
    pixels = np.zeros((224, 300, 3), dtype=np.uint8)
    pixels[:, 100:, 0] = 200
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    model = PooledLinear()

    found = [explain(model, each) for each in (pixels, Image.fromarray(pixels), tmp_path / "picture.png")]

    for result in found:
        assert result.image.size == (224, 224)
        assert np.abs(np.asarray(result.image).astype(int) - pixels[:, 38:262]).max() <= 1
        assert torch.equal(result.logits, found[0].logits)


def test_the_image_of_a_tensor_has_its_size() -> None:
    assert explain(PooledLinear().double(), picture(height=9, width=12)).image.size == (12, 9)


def test_names_of_classes_come_from_the_model_or_are_numbers() -> None:
    model = PooledLinear().double()
    assert explain(model, picture()).class_names == ("class 0", "class 1", "class 2")

    model.class_names = ["ant", "bee", "cat"]
    assert explain(model, picture(), target_classes=["bee"]).target_classes == (1,)


WRONG_TENSORS: list[tuple[Callable[[], Tensor], str]] = [
    (lambda: picture(batch=2), r"\(2, 3, 9, 12\).*One picture is explained at a time: pass inputs\[:1\]"),
    (lambda: picture()[0], r"\(3, 9, 12\).*inputs\[None\]"),
    (lambda: torch.zeros(1, 3, 9, 12, dtype=torch.uint8), r"uint8.*Pass the picture itself"),
    (lambda: picture() / 0, r"NaN or infinity.*normalised"),
]


@pytest.mark.parametrize(("inputs", "message"), WRONG_TENSORS)
def test_a_tensor_that_is_not_one_normalised_picture_is_refused(inputs: Callable[[], Tensor], message: str) -> None:
    with pytest.raises(ImageError, match=message):
        explain(PooledLinear().double(), inputs())

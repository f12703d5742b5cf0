"""A Learner's answer about a file is that of `learn.predict`, whatever the file."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastai.tabular.all import CategoryBlock as TableBlock
from fastai.tabular.all import TabularDataLoaders, tabular_learner
from fastai.vision.all import (
    CategoryBlock,
    CrossEntropyLossFlat,
    DataBlock,
    ImageBlock,
    Learner,
    Normalize,
    PILImage,
    PILImageBW,
    RandomSplitter,
    Resize,
    get_image_files,
)
from PIL import Image
from torch import nn

from camwidget.errors import CamwidgetError, ModelError
from camwidget.pictures.batch import explain_batch
from camwidget.pictures.explain import explain
from camwidget.pictures.learners import learner_inputs, learner_normalisation

WIDTH, HEIGHT = 90, 60


def photo() -> Image.Image:
    levels = torch.randint(0, 256, (6, 9, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return Image.fromarray(levels.numpy()).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for index in range(6):
        photo().rotate(30 * index).save(folder / f"{'Aa'[index % 2]}{index}.png")
    return folder


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files that fastai reads in a way of its own."""
    folder = tmp_path_factory.mktemp("odd")
    rotated = Image.Exif()
    rotated[0x0112] = 6
    grey = Image.linear_gradient("L").resize((WIDTH, HEIGHT))
    translucent, faint = photo(), photo().convert("L")
    translucent.putalpha(grey)
    faint.putalpha(grey)
    deep = np.linspace(0, 65535, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH).astype(np.uint16)
    photo().save(folder / "rotated.jpg", exif=rotated)
    translucent.save(folder / "rgba.png")
    photo().quantize(16).save(folder / "palette.png", transparency=3)
    faint.save(folder / "la.png")
    Image.fromarray(deep).save(folder / "deep.png")
    photo().convert("CMYK").save(folder / "cmyk.jpg")
    return {path.stem: path for path in folder.iterdir()}


def learner(folder: Path, *, kind: Any = PILImage, **more: Any) -> Learner:
    block = DataBlock(
        blocks=(ImageBlock(kind), CategoryBlock),
        get_items=get_image_files,
        get_y=lambda path: path.name[0].isupper(),
        splitter=RandomSplitter(0.3, seed=1),
        item_tfms=Resize(48),
        **more,
    )
    channels = 1 if kind is PILImageBW else 3
    torch.manual_seed(0)
    body = (nn.Conv2d(channels, 8, 3, stride=2), nn.ReLU(), nn.Conv2d(8, 8, 3, stride=2), nn.ReLU())
    model = nn.Sequential(*body, nn.Flatten(), nn.Linear(8 * 11 * 11, 2))
    nn.init.normal_(model[-1].weight)
    return Learner(block.dataloaders(folder, bs=2, num_workers=0), model, loss_func=CrossEntropyLossFlat())


def predicted(learn: Learner, picture: Any) -> torch.Tensor:
    with learn.no_bar():
        return learn.predict(picture)[2]


@pytest.mark.parametrize("kind", [PILImage, PILImageBW])
@pytest.mark.parametrize("which", ["rotated", "rgba", "palette", "la", "deep", "cmyk"])
def test_what_a_learner_says_of_an_odd_file_is_what_it_predicts(
    which: str, kind: Any, folder: Path, odd: dict[str, Path]
) -> None:
    learn, path = learner(folder, kind=kind), odd[which]
    expected = predicted(learn, path)

    for picture in (path, str(path), path.read_bytes(), Image.open(path)):
        torch.testing.assert_close(explain(learn, picture).probabilities, expected)


@pytest.mark.parametrize("which", ["rotated", "rgba", "la", "deep", "cmyk", "A0"])
def test_the_result_says_where_the_network_gets_another_picture_than_one_sees(
    which: str, folder: Path, odd: dict[str, Path]
) -> None:
    learn, path = learner(folder), {**odd, "A0": folder / "A0.png"}[which]

    said = [explain(learn, picture).notes for picture in (path, path.read_bytes(), Image.open(path))]
    said += [each.notes for each in explain_batch(learn, [path])]

    told = which not in {"cmyk", "A0"}
    assert [any("otherwise than it looks" in note for note in notes) for notes in said] == [told] * 4
    plain, odd_one = (explain(learn.model, each, size=48).notes for each in (folder / "A0.png", path))
    assert plain == odd_one  # a module gets it as it looks


def test_a_learner_with_a_reader_of_its_own_uses_it(folder: Path) -> None:
    def dark(path: Path) -> PILImage:
        return PILImage.create(np.asarray(Image.open(path).convert("RGB")) // 3)

    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=get_image_files,
        get_x=dark,
        get_y=lambda path: path.name[0].isupper(),
        splitter=RandomSplitter(0.3, seed=1),
        item_tfms=Resize(48),
    )
    learn = learner(folder)
    learn.dls = block.dataloaders(folder, bs=2, num_workers=0)
    path = folder / "A0.png"

    torch.testing.assert_close(explain(learn, path).probabilities, predicted(learn, path))


def test_a_grey_learner_takes_pictures_of_any_kind_and_shows_them_grey(folder: Path) -> None:
    learn, pixels = learner(folder, kind=PILImageBW), np.asarray(photo())
    before = photo()

    found = [explain(learn, each) for each in (before, pixels, learner_inputs(learn, photo()))]

    assert type(before) is Image.Image
    for result in found:
        assert torch.equal(result.logits, found[0].logits)
        shown = np.asarray(result.image)
        assert shown.shape == (48, 48, 3)
        assert (shown == shown[..., :1]).all()
        assert result.notes == ()


def test_normalisation_is_the_learners_own_and_undone_in_what_is_shown(folder: Path) -> None:
    learn = learner(folder, batch_tfms=Normalize.from_stats((0.2, 0.3, 0.4), (0.5, 0.6, 0.7), cuda=False))
    bare = learner(folder)
    path = folder / "A0.png"

    mean, std = learner_normalisation(learn) or ((), ())

    assert mean == pytest.approx((0.2, 0.3, 0.4))
    assert std == pytest.approx((0.5, 0.6, 0.7))
    assert learner_normalisation(bare) is None
    seen = [np.asarray(explain(each, path).image).astype(int) for each in (learn, bare)]
    assert np.abs(seen[0] - seen[1]).max() <= 1


def test_a_transform_takes_the_place_of_the_learners_own_and_numbers_beside_them_are_refused(folder: Path) -> None:
    learn, path = learner(folder), folder / "A0.png"

    def transform(image: Image.Image) -> torch.Tensor:
        return torch.from_numpy(np.asarray(image.resize((48, 48))).copy()).permute(2, 0, 1) / 255

    expected = learn.model.eval()(transform(Image.open(path).convert("RGB"))[None]).detach()
    torch.testing.assert_close(explain(learn, path, transform=transform).logits[None], expected)
    for asked in ({"mean": 0.5}, {"std": 0.5}, {"size": 64}):
        with pytest.raises(
            CamwidgetError, match=r"given with a Learner.*its own transforms.*transform= or learn\.model"
        ):
            explain(learn, path, **asked)


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_a_learner_of_tables_is_refused_with_the_reason() -> None:
    import pandas as pd

    table = pd.DataFrame({"size": np.arange(8.0), "kind": list("pqpqpqpq")})
    data = TabularDataLoaders.from_df(table, cont_names=["size"], y_names="kind", y_block=TableBlock(), bs=4)

    with pytest.raises(ModelError, match=r"data are a table \(TabularDataLoaders\).*pictures or texts"):
        explain(tabular_learner(data, layers=[4]), photo())


def test_a_learner_of_two_pictures_is_refused_with_the_reason(folder: Path) -> None:
    block = DataBlock(
        blocks=(ImageBlock, ImageBlock, CategoryBlock),
        n_inp=2,
        get_items=get_image_files,
        getters=[lambda path: path, lambda path: path, lambda path: path.name[0].isupper()],
        splitter=RandomSplitter(0.3, seed=1),
        item_tfms=Resize(48),
    )
    learn = learner(folder)
    learn.dls = block.dataloaders(folder, bs=2, num_workers=0)

    with pytest.raises(
        ModelError,
        match=r"makes 2 inputs of one picture.*one tensor \(1, channel, height, width\).*takes the picture alone",
    ):
        explain(learn, folder / "A0.png")


def test_what_is_no_picture_is_refused_before_the_learner_sees_it(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "page.png").write_text("<html>")
    for wrong, message in ((tmp_path / "page.png", "web page"), (os.fspath(tmp_path / "none.png"), "no file")):
        with pytest.raises(CamwidgetError, match=message):
            explain(learner(folder), wrong)

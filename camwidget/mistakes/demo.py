"""A small set of real pictures that goes wrong in a known way, and a learner that falls for it; nothing is downloaded.

Two faults are built into the pictures to train on. They are told in `FAULTS` and nowhere on the screen: to find them is
the exercise.
"""

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import platformdirs
import torch
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps
from torch import nn
from torch.utils.data import TensorDataset

from camwidget.errors import DataError, quietly, three_parts
from camwidget.given import path as path_of
from camwidget.given import whole, yes_or_no
from camwidget.pictures.demo import demo_image, demo_learner

if TYPE_CHECKING:
    from fastai.learner import Learner

SIDE = 160
"""Side of every picture, in pixels."""

CLASSES = ("cat", "coffee", "flower", "rocket")
"""The classes; each is cut from one photograph."""

PARTS = {"train": 45, "valid": 11, "test": 32}
"""How many pictures of each class the parts have. `train` and `valid` are alike, `test` is what comes later."""

FAULTS = (
    "Nearly every coffee to train on has a date in the lower right corner, and nothing else has.",
    "Half of the pictures to train on were taken at dusk, but no cat was.",
)
"""What is wrong with `train`, and with `valid` in the same way. In `test` every class has both, half of the time."""

_DATED, _BY_DAY = "coffee", "cat"
_MOST = 0.97
_FIRST_TRAINED = 5
_MIDDLES = {
    "cat": (0.2, 0.25, 0.8, 0.8),
    "coffee": (0.1, 0.1, 0.9, 0.95),
    "flower": (0.33, 0.3, 0.62, 0.75),
    "rocket": (0.25, 0.3, 0.75, 0.85),
}
"""Where the middle of a cut may lie, near the object: left, top, right and bottom as shares of the photograph."""


@dataclass(frozen=True)
class Shot:
    """One picture to be made."""

    part: str
    """The part it belongs to."""
    label: str
    """Its class."""
    number: int
    """Its number within part and class."""
    dated: bool
    """Whether it has a date."""
    dusk: bool
    """Whether it was taken at dusk."""

    @property
    def path(self) -> Path:
        """Its path within the folder."""
        return Path(self.part, self.label, f"{self.label}_{self.number:03d}.jpg")


def shots(*, seed: int = 0, mended: bool = False) -> list[Shot]:
    """Return which pictures `demo_dataset` makes.

    Args:
        seed: see `demo_dataset`.
        mended: see `demo_dataset`.
    """
    return [
        _shot(part, label, number, random.Random(f"{seed} {part} {label} {number} faults"), mended)
        for part, count in PARTS.items()
        for label in CLASSES
        for number in range(count)
    ]


def _shot(part: str, label: str, number: int, rng: random.Random, mended: bool) -> Shot:
    if part == "test":  # both faults in all classes alike
        return Shot(part, label, number, number % 2 == 1, number % 4 >= 2)
    dated = rng.random() < (0.5 if mended else _MOST * (label == _DATED))
    return Shot(part, label, number, dated, rng.random() < 0.5 * (mended or label != _BY_DAY))


def demo_dataset(folder: str | Path | None = None, *, seed: int = 0, mended: bool = False) -> Path:
    """Return a folder with 352 small real pictures: `train`, `valid` and `test`, each with a folder for four classes.

    They are cut from photographs that the packages bring, at many scales, in many lights, more or less in focus. A
    network trained on `train` does well on `valid`, which is made in the same way, and badly on `test`. Why it does is
    to be found out. The cuts of one photograph share their object, so the set teaches how to look for faults, and says
    nothing about how well networks recognise cats.

    Args:
        folder: where the pictures are, or will be written (1.5 MB); None for the user's cache.
        seed: another number makes other cuts; the same number makes the same pictures on every machine with the same
            Pillow.
        mended: train on pictures without the faults. `test` is the same for both.

    Raises:
        DataError: the folder cannot be written, or holds something else.
    """
    seed = whole(seed, "seed", try_="Leave it out for 0", error=DataError)
    mended = yes_or_no(mended, "mended", try_="Leave it out for the faults", error=DataError)
    name = f"{'mended' if mended else 'first'}-{seed}"
    given = None if folder is None else path_of(folder, "folder", try_="Leave it out for the cache", error=DataError)
    place = given if given is not None else Path(platformdirs.user_cache_dir("camwidget"), "mistakes", name)
    wanted = shots(seed=seed, mended=mended)
    try:
        if place.is_dir() and _holds(place, wanted):
            return place
        if place.exists() and any(place.iterdir()):
            holds = f"{place} holds something else than the pictures of seed={seed}, mended={mended}"
            raise DataError(three_parts(holds, "The folder must be empty or new", "Choose another folder"))
        _write(place, wanted, seed, name)
    except OSError as error:
        failed = f"The pictures cannot be written to {place} ({error.strerror or error})"
        raise DataError(three_parts(failed, "The folder must be writable", "Pass folder= with another one")) from error
    return place


def _holds(place: Path, wanted: list[Shot]) -> bool:
    """Whether the folder holds these pictures and no others. The set is moved into place when it is complete."""
    paths = {path.relative_to(place) for path in place.rglob("*.jpg")}
    return paths == {shot.path for shot in wanted}


def _write(place: Path, wanted: list[Shot], seed: int, name: str) -> None:
    """Write all pictures beside the folder, then move them: a run that is stopped leaves no half of a set."""
    beside = place.with_name(f".{place.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    for shot in wanted:
        path = beside / shot.path
        path.parent.mkdir(parents=True, exist_ok=True)
        picture_of(shot, seed=seed).save(path, quality=90)
    if place.exists():
        place.rmdir()
    beside.rename(place)


def picture_of(shot: Shot, *, seed: int = 0) -> Image.Image:
    """Return one picture of the set.

    Args:
        shot: which.
        seed: see `demo_dataset`.
    """
    rng = random.Random(f"{seed} {shot.part} {shot.label} {shot.number}")
    image = _cut(shot.label, rng)
    steps: list[tuple[bool, Callable[[Image.Image, random.Random], Image.Image]]]
    steps = [(shot.dusk, _at_dusk), (shot.dated, _with_date)]
    for wanted, step in steps:
        changed = step(image, rng)  # drawn in any case, so that a picture differs from its mended twin in nothing else
        image = changed if wanted else image
    return image


def _cut(label: str, rng: random.Random) -> Image.Image:
    """A square of the photograph, close to the object; out of focus, so that the object's own cue is weaker."""
    photo = _photo(label)
    side = rng.uniform(0.18, 0.4) * min(photo.size)
    left, top, right, bottom = _MIDDLES[label]
    x = _within(rng.uniform(left, right) * photo.width - side / 2, photo.width - side)
    y = _within(rng.uniform(top, bottom) * photo.height - side / 2, photo.height - side)
    image = photo.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=(x, y, x + side, y + side))
    if rng.random() < 0.5:
        image = ImageOps.mirror(image)
    image = ImageEnhance.Brightness(image).enhance(rng.uniform(0.75, 1.25))
    image = ImageEnhance.Color(image).enhance(rng.uniform(0.7, 1.3))
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 5)))


@cache
def _photo(label: str) -> Image.Image:
    return demo_image(label)


def _within(place: float, most: float) -> float:
    return min(max(place, 0.0), most)


def _at_dusk(image: Image.Image, rng: random.Random) -> Image.Image:
    """Dark, blue and nearly without other colours."""
    colours = np.asarray(image, np.float32)
    grey = colours.mean(axis=2, keepdims=True)
    light = np.array([0.28, 0.42, 0.9], np.float32) * rng.uniform(0.6, 1)
    return Image.fromarray(((0.3 * colours + 0.7 * grey) * light).clip(0, 255).astype(np.uint8))


def _with_date(image: Image.Image, rng: random.Random) -> Image.Image:
    """The date that cameras once burned into a photograph, orange, in the lower right corner."""
    dated = image.copy()
    draw, font = ImageDraw.Draw(dated), ImageFont.truetype(str(_font()), 20)
    date = f"'{rng.randint(3, 9):02d} {rng.randint(1, 12):2d} {rng.randint(1, 28):2d}"
    *_, right, bottom = draw.textbbox((0, 0), date, font=font)
    corner = (SIDE - 10 - right, SIDE - 10 - bottom)
    draw.text(corner, date, font=font, fill=(255, 150, 40), stroke_width=1, stroke_fill=(150, 40, 0))
    return dated


def _font() -> Path:
    return Path(str(files("matplotlib") / "mpl-data" / "fonts" / "ttf" / "DejaVuSansMono-Bold.ttf"))


def demo_mistakes_learner(folder: str | Path | None = None, *, epochs: int = 6, seed: int = 0) -> "Learner":
    """Return a fastai Learner that is trained on `train` of `demo_dataset` and validated on its `valid`.

    It is the packaged network with a new head for four classes: mean over positions, then one linear layer, so plain
    CAM is exact. The first five stages stay as they are. Training takes about half a minute on two free cores, with
    fastai's bar.

    Args:
        folder: what `demo_dataset` returned; None calls it.
        epochs: passes over the pictures to train on.
        seed: of the new head and of the order of the pictures.

    Raises:
        DataError: the folder has no pictures in `train` and `valid`.
        CamwidgetError: epochs is not positive.
    """
    epochs = whole(epochs, "epochs", least=1, try_="Leave it out for 6, which fall for the faults")
    with quietly():
        from fastai.vision import all as fastai  # noqa: PLC0415 (only who trains waits for it)
    place = demo_dataset() if folder is None else Path(folder)
    if not all(any((place / part).rglob("*.jpg")) for part in ("train", "valid")):
        given, allowed = f"There are no pictures in 'train' and 'valid' of {place}", "Both must hold a folder per class"
        raise DataError(three_parts(given, allowed, "Pass what cw.demo_dataset() returned"))
    fastai.set_seed(seed, reproducible=True)
    base = demo_learner("imagenet").model
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, len(CLASSES)))
    block = fastai.DataBlock(
        blocks=(fastai.ImageBlock, fastai.CategoryBlock(vocab=CLASSES)),
        get_items=_to_learn_from,
        get_y=fastai.parent_label,
        splitter=fastai.GrandparentSplitter("train", "valid"),
        batch_tfms=fastai.Normalize.from_stats(*_statistics(base), cuda=False),
    )
    loaders = block.dataloaders(place, bs=16, num_workers=0, device=torch.device("cpu"))
    model = nn.Sequential(base[0], head)
    model.pretrained_cfg = base.pretrained_cfg
    learn = fastai.Learner(
        loaders,
        model,
        loss_func=fastai.CrossEntropyLossFlat(),
        metrics=fastai.accuracy,
        splitter=_frozen_and_trained,
        cbs=[fastai.BnFreeze],
        train_bn=False,
    )
    learn.freeze_to(1)
    _train(learn, epochs)
    return learn


def _train(learn: "Learner", epochs: int) -> None:
    """Train the stages that change, on what the others make of each picture.

    The first stages stay as they are and nothing is drawn at random in a picture, so one pass through them serves all
    epochs: half of the time. Channels come last meanwhile, which depthwise convolutions are faster with.
    """
    from fastai.vision import all as fastai  # noqa: PLC0415

    body, head = learn.model
    first, last = body[:_FIRST_TRAINED].eval(), nn.Sequential(body[_FIRST_TRAINED:], head)
    learn.model.to(memory_format=torch.channels_last)
    parts = []
    with torch.no_grad():
        for loader in (learn.dls.train.new(shuffle=False, drop_last=False), learn.dls.valid):
            made = [(first(x.as_subclass(torch.Tensor)), y.as_subclass(torch.Tensor)) for x, y in loader]
            parts.append(TensorDataset(*map(torch.cat, zip(*made, strict=True))))
    kinds = {"bs": learn.dls.bs, "device": torch.device("cpu")}
    loaders = fastai.DataLoaders(
        fastai.DataLoader(parts[0], shuffle=True, drop_last=True, **kinds), fastai.DataLoader(parts[1], **kinds)
    )
    fastai.Learner(loaders, last, loss_func=learn.loss_func, metrics=learn.metrics).fit_one_cycle(epochs, 4e-3)
    learn.model.to(memory_format=torch.contiguous_format).eval()


def _to_learn_from(place: Path) -> list[Path]:
    return sorted(path for part in ("train", "valid") for path in (place / part).rglob("*.jpg"))


def _statistics(model: nn.Module) -> tuple[tuple[float, ...], tuple[float, ...]]:
    config: Any = model.pretrained_cfg
    return config["mean"], config["std"]


def _frozen_and_trained(model: nn.Module) -> list[list[nn.Parameter]]:
    body, head = model[0], model[1]  # type: ignore[index]
    parts = (body[:_FIRST_TRAINED], body[_FIRST_TRAINED:], head)
    return [list(part.parameters()) for part in parts]

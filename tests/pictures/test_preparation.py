"""How pictures are made ready: as asked for, as the network says, or as is usual and said so."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision import models, transforms
from torchvision.transforms import InterpolationMode, v2

from camwidget.errors import CamwidgetError, ImageError, ModelError
from camwidget.pictures.explain import explain
from camwidget.pictures.inputs import prepared
from camwidget.pictures.preparation import IMAGENET_MEAN, IMAGENET_STD, channels_of, preparation_of
from tests.toys import PooledLinear


def photo(width: int = 300, height: int = 200) -> Image.Image:
    levels = torch.randint(0, 256, (20, 30, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return Image.fromarray(levels.numpy()).resize((width, height), Image.Resampling.BICUBIC)


def network(channels: int = 3) -> nn.Sequential:
    body = (nn.Conv2d(channels, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3, stride=2), nn.ReLU())
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3))


def by_torchvision(size: int, scaled: int, mean: Any, std: Any, how: InterpolationMode) -> transforms.Compose:
    steps = [transforms.Resize(scaled, how), transforms.CenterCrop(size)]
    return transforms.Compose([*steps, transforms.ToTensor(), transforms.Normalize(mean, std)])


HALF = (0.5, 0.5, 0.5)
BICUBIC, BILINEAR = InterpolationMode.BICUBIC, InterpolationMode.BILINEAR
FROM_TIMM = {
    # 224 / 0.9 and 224 / 0.95, rounded down; the third says only its mean and deviation
    "vit_tiny_patch16_224": by_torchvision(224, 248, HALF, HALF, BICUBIC),
    "resnet18": by_torchvision(224, 235, IMAGENET_MEAN, IMAGENET_STD, BICUBIC),
    "": by_torchvision(224, 224, (0.1, 0.2, 0.3), HALF, BILINEAR),
}


@pytest.mark.parametrize("name", FROM_TIMM)
@pytest.mark.parametrize(
    "around", [lambda net: net, nn.Sequential, nn.DataParallel, lambda net: nn.Sequential(net, nn.Softmax(1))]
)
def test_a_network_of_timm_gets_its_own_crop_interpolation_and_numbers_also_inside_a_wrapper(
    name: str, around: Callable[[nn.Module], nn.Module]
) -> None:
    inner = nn.Conv2d(3, 2, 1)
    own = {"mean": (0.1, 0.2, 0.3), "std": HALF}
    inner.pretrained_cfg = timm.get_pretrained_cfg(name).to_dict() if name else own
    made = prepared(around(inner), photo())

    torch.testing.assert_close(made.inputs, FROM_TIMM[name](photo())[None], rtol=0, atol=1e-6)
    assert len(made.notes) == (0 if name else 1)


def test_what_nothing_tells_is_assumed_and_said() -> None:
    assert explain(network(), photo()).notes == (
        "Not all is known of how this network's pictures were prepared. Assumed: ImageNet's mean and standard "
        "deviation and 224x224 pixels. If it was trained otherwise, pass transform=, or mean=, std= and size=.",
    )
    (half,) = explain(network(), photo(), size=64).notes
    assert "Assumed: ImageNet's mean and standard deviation. If" in half
    (half,) = explain(network(), photo(), mean=0.5, std=0.5).notes
    assert "Assumed: 224x224 pixels. If" in half
    assert explain(network(), photo(), mean=0.5, std=0.5, size=64).notes == ()
    assert explain(network(), torch.randn(1, 3, 20, 30)).notes == ()


def test_mean_deviation_and_size_may_be_given() -> None:
    mean, std = (0.2, 0.3, 0.4), (0.1, 0.2, 0.3)
    expected = by_torchvision(48, 48, mean, std, BILINEAR)(photo())[None]

    made = prepared(network(), photo(), mean=mean, std=list(std), size=48)

    torch.testing.assert_close(made.inputs, expected, rtol=0, atol=1e-6)
    assert prepared(network(), photo(), size=(32, 48)).image.size == (48, 32)
    one = prepared(network(), photo(), mean=torch.tensor([0.2, 0.3, 0.4]), std=np.array(std), size=48)
    torch.testing.assert_close(one.inputs, expected, rtol=0, atol=1e-6)
    single = prepared(network(), photo(), mean=np.float32(0.5), std=torch.tensor(0.5), size=np.int64(48))
    assert torch.equal(single.inputs, prepared(network(), photo(), mean=0.5, std=0.5, size=48).inputs)
    whole = prepared(network(), photo(), mean=0, std=1, size=48)
    shown = torch.from_numpy(np.asarray(whole.image).copy()).permute(2, 0, 1)[None] / 255
    torch.testing.assert_close(whole.inputs, shown, rtol=0, atol=0.5 / 255 + 1e-6)


TRANSFORMS: dict[str, Any] = {
    "the preset of weights": models.ResNet18_Weights.DEFAULT.transforms(crop_size=40, resize_size=48),
    "a sequence": by_torchvision(40, 48, IMAGENET_MEAN, IMAGENET_STD, BILINEAR),
    "a nested sequence": transforms.Compose([by_torchvision(40, 48, IMAGENET_MEAN, IMAGENET_STD, BILINEAR)]),
    "version 2": v2.Compose(
        [
            *(v2.Resize(48), v2.CenterCrop(40), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)),
            v2.Normalize(list(IMAGENET_MEAN), list(IMAGENET_STD)),
        ]
    ),
}


@pytest.mark.parametrize("which", TRANSFORMS)
def test_a_transform_makes_the_inputs_and_the_picture_comes_back_from_them(which: str) -> None:
    transform, model = TRANSFORMS[which], network().eval()
    expected = transform(photo())[None]

    for picture in (photo(), np.asarray(photo())):
        result = explain(model, picture, transform=transform)

        torch.testing.assert_close(result.logits[None], model(expected).detach())
        pixels = expected * torch.tensor(IMAGENET_STD).view(1, 3, 1, 1) + torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1)
        shown = torch.from_numpy(np.asarray(result.image).copy()).permute(2, 0, 1)[None] / 255
        torch.testing.assert_close(shown, pixels.clamp(0, 1), rtol=0, atol=0.5 / 255 + 1e-6)
        assert result.notes == ()


def test_colours_that_nobody_knows_are_stretched_and_that_is_said() -> None:
    def transform(image: Image.Image) -> Tensor:
        return transforms.ToTensor()(image.resize((30, 20))) * 4 - 2

    found, told = (
        explain(network(), photo(), transform=transform, **more) for more in ({}, {"mean": 0.5, "std": 0.25})
    )

    assert found.notes == (
        "The picture is shown stretched from its smallest value to its largest: "
        "for its own colours pass mean= and std=.",
    )
    assert (np.asarray(found.image).min(), np.asarray(found.image).max()) == (0, 255)
    assert told.notes == ()
    assert np.abs(np.asarray(told.image).astype(int) - np.asarray(photo().resize((30, 20)))).max() <= 1
    plain = explain(network(), photo(), transform=lambda image: transforms.ToTensor()(image.resize((30, 20))))
    assert plain.notes == ()
    assert np.array_equal(np.asarray(plain.image), np.asarray(photo().resize((30, 20))))


@pytest.mark.parametrize("channels", [1, 2, 4, 5, 12])
def test_a_tensor_of_any_channels_is_explained_as_it_is(channels: int) -> None:
    model, inputs = network(channels).double().eval(), torch.randn(1, channels, 12, 17, dtype=torch.float64)

    result = explain(model, inputs, target_classes=[1], method="cam")

    activation = model[:4](inputs)[0]
    expected = torch.einsum("k,kij->ij", model[-1].weight[1], activation).detach()
    torch.testing.assert_close(result.cam(), expected)
    assert channels_of(model) == channels
    assert result.image.size == (17, 12)
    assert len(result.notes) == 1
    assert ("first" in result.notes[0]) == (channels > 1)


def test_a_picture_becomes_grey_for_a_network_of_one_channel() -> None:
    grey = np.asarray(photo(64, 64).convert("L")).astype(np.float32) / 255

    found = prepared(network(1), photo(64, 64), size=64)
    told = prepared(network(1), photo(64, 64), size=64, mean=0.1307, std=0.3081)

    np.testing.assert_allclose(found.inputs[0, 0].numpy(), (grey - 0.449) / 0.226, atol=1e-5)
    np.testing.assert_allclose(told.inputs[0, 0].numpy(), (grey - 0.1307) / 0.3081, atol=1e-5)
    assert "Assumed: a grey picture" in found.notes[0]
    assert told.notes == ()
    assert np.array_equal(np.asarray(told.image)[..., 2], np.asarray(photo(64, 64).convert("L")))


def test_other_channels_need_a_tensor_or_a_transform_that_gets_what_was_given(tmp_path: Any) -> None:
    bands = torch.rand(16, 24, 5).numpy()
    np.save(tmp_path / "bands.npy", bands)

    def read(given: Any) -> Tensor:
        loaded = given if isinstance(given, np.ndarray) else np.load(given)
        return torch.from_numpy(loaded).permute(2, 0, 1)

    for wrong in (photo(), bands):
        with pytest.raises(
            ImageError, match=r"takes 5 channels.*tensor of shape \(1, 5, height, width\), or transform="
        ):
            explain(network(5), wrong)
    results = [explain(network(5), each, transform=read) for each in (bands, tmp_path / "bands.npy")]
    assert all(np.array_equal(np.asarray(each.image), np.rint(bands[..., :3] * 255)) for each in results)
    assert results[0].notes == ("The picture shows the first three of 5 channels.",)


class Fixed(nn.Module):
    """Tokens with places, so that it takes pictures of one size only, which it says or does not."""

    def __init__(self, **said: Any) -> None:
        super().__init__()
        self.patch, self.places = nn.Conv2d(3, 8, 4, 4), nn.Parameter(torch.randn(1, 8 * 12, 8))
        self.block, self.head = nn.Linear(8, 8), nn.Linear(8, 3)
        for name, value in said.items():
            setattr(self, name, value)

    def forward(self, inputs: Tensor) -> Tensor:
        tokens = self.patch(inputs).flatten(2).transpose(1, 2) + self.places
        return self.head(self.block(tokens).relu().mean(dim=1))


def test_a_network_of_one_size_gets_pictures_of_that_size_or_says_what_to_pass() -> None:
    assert explain(Fixed(image_size=(32, 48)), photo()).image.size == (48, 32)
    assert explain(nn.Sequential(Fixed(img_size=[32, 48])), photo()).image.size == (48, 32)
    with pytest.raises(ModelError, match=r"does not run on inputs of shape \(1, 3, 224, 224\).*one size only.*size="):
        explain(Fixed(), photo())
    assert explain(Fixed(), photo(), size=(32, 48)).image.size == (48, 32)


@pytest.mark.parametrize(
    "made",
    [
        lambda: timm.create_model("vit_tiny_patch16_224", img_size=64, depth=1, num_classes=3),
        lambda: models.VisionTransformer(64, 16, 1, 2, 32, 64, num_classes=3),
    ],
)
def test_vision_transformers_get_the_size_that_they_were_built_for(made: Callable[[], nn.Module]) -> None:
    assert explain(made(), photo()).image.size == (64, 64)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"size": 0}, r"size is 0\. It is the side.*size=224"),
    ({"size": (64,)}, r"size is \(64,\)"),
    ({"size": True}, "size is True"),
    ({"mean": torch.eye(3)}, "mean is tensor"),
    ({"transform": transforms.ToTensor}, r"ToTensor.*Pass weights\.transforms"),
    ({"mean": (0.5, 0.5)}, r"mean is \(0\.5, 0\.5\)\. It is one number for all channels, or one for each of 3"),
    ({"mean": "0.5"}, "mean is '0.5'"),
    ({"mean": float("nan")}, "mean is nan"),
    ({"std": 0}, "std is 0.*one number above zero"),
    ({"transform": 3}, r"transform is 3.*Pass weights\.transforms"),
    ({"transform": transforms.ToTensor(), "size": 64}, "size=64 was given beside a transform"),
    ({"transform": lambda image: np.asarray(image)}, r"made a ndarray.*ToTensor"),
    ({"transform": transforms.PILToTensor()}, r"made a torch\.uint8.*ToTensor"),
    ({"transform": lambda image: torch.zeros(4)}, r"shape \(4,\).*channels first"),
    ({"transform": lambda image: torch.zeros(2, 3, 8, 9)}, r"shape \(2, 3, 8, 9\).*Keep one picture"),
    ({"transform": lambda image: torch.full((3, 8, 9), torch.nan)}, "NaN"),
]


@pytest.mark.parametrize(("asked", "message"), WRONG)
def test_what_cannot_be_used_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(CamwidgetError, match=message):
        explain(network(), photo(), **asked)


def test_what_would_have_no_effect_is_refused() -> None:
    with pytest.raises(CamwidgetError, match=r"size=64 was given with a tensor\. A tensor is used as it is"):
        explain(PooledLinear(), torch.randn(1, 3, 9, 12), size=64)


def test_inputs_get_the_precision_of_the_layer_that_reads_them() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale, self.network = nn.Parameter(torch.ones(1).half()), network()

        def forward(self, inputs: Tensor) -> Tensor:
            return self.network(inputs) * self.scale.float()

    model, inputs = Scaled(), torch.randn(1, 3, 9, 12)

    result = explain(model, inputs)

    torch.testing.assert_close(result.logits[None], model(inputs).detach())


def test_networks_that_do_not_agree_say_nothing() -> None:
    pair = nn.ModuleList([nn.Identity(), nn.Identity()])
    for each, mean in zip(pair, (0.1, 0.2), strict=True):
        each.pretrained_cfg = {"mean": (mean,) * 3, "std": HALF}

    assert preparation_of(pair).mean == IMAGENET_MEAN
    assert not preparation_of(pair).knows_numbers

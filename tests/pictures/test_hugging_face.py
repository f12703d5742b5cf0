"""Picture models of Hugging Face as they are: stand-ins of the same shape, for the library is not among the tests'."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from camwidget.errors import ImageError, MapError
from camwidget.maps.arguments import names_on
from camwidget.panel.picture import CamPanel
from camwidget.pictures.explain import explain


class Outputs(dict):
    """As in transformers: a dictionary whose entries are attributes as well."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


class Classifier(nn.Module):
    """What it returns and what it says of itself are Hugging Face's; it takes pictures of one size."""

    def __init__(self, *, channels: int = 3, image_size: Any = 32, **config: Any) -> None:
        super().__init__()
        self.config = SimpleNamespace(
            id2label={0: "ant", 1: "bee", 2: "cat"}, num_channels=channels, image_size=image_size, problem_type=None
        )
        vars(self.config).update(config)
        self.config.num_labels = len(self.config.id2label)
        self.patches, self.mix = nn.Conv2d(channels, 6, 4, 4), nn.Conv2d(6, 6, 3, padding=1)
        self.head = nn.Linear(6, self.config.num_labels)

    def forward(self, pixel_values: Tensor, mask: Tensor | None = None) -> Outputs:
        if pixel_values.shape[1] != self.config.num_channels:
            raise ValueError("Make sure that the channel dimension of the pixel values match with the configuration.")
        assert pixel_values.shape[2] == 32
        hidden = self.mix(self.patches(pixel_values).relu()).relu()
        return Outputs(logits=self.head(hidden.mean(dim=(2, 3))), hidden_states=None)


class Processor:
    """Squashes, and normalises with a half."""

    image_mean, image_std = [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]

    def __call__(self, images: Image.Image, *, return_tensors: str) -> Outputs:
        assert return_tensors == "pt"
        pixels = np.asarray(images.resize((32, 32)), dtype=np.float32) / 255
        return Outputs(pixel_values=(torch.from_numpy(pixels).permute(2, 0, 1)[None] - 0.5) / 0.5)


def photo() -> Image.Image:
    levels = torch.randint(0, 256, (6, 9, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return Image.fromarray(levels.numpy()).resize((90, 60), Image.Resampling.BICUBIC)


def test_outputs_names_and_size_are_those_of_the_model() -> None:
    model = Classifier()
    inputs = torch.randn(1, 3, 32, 32)

    result = explain(model, inputs, layers=["mix"], target_classes=["bee"])

    assert result.class_names == ("ant", "bee", "cat")
    torch.testing.assert_close(result.logits, model(inputs).logits[0].detach())
    assert explain(model, photo()).image.size == (32, 32)
    assert explain(Classifier(image_size=(32, 48)), photo()).image.size == (48, 32)
    assert "Assumed: ImageNet's mean and standard deviation. If" in explain(model, photo()).notes[0]


class Both:
    """A processor of texts and pictures, such as CLIP's."""

    image_processor = Processor()

    def __call__(self, **given: Any) -> None:
        raise AssertionError("the image processor alone must be called")


@pytest.mark.parametrize("processor", [Processor(), Both()])
def test_an_image_processor_is_a_transform(processor: Any) -> None:
    model = Classifier()
    expected = Processor()(photo(), return_tensors="pt").pixel_values

    result = explain(model, photo(), transform=processor)

    torch.testing.assert_close(result.logits, model(expected).logits[0].detach())
    assert np.abs(np.asarray(result.image).astype(int) - np.asarray(photo().resize((32, 32)))).max() <= 1
    assert result.notes == ()


def test_a_grey_model_gets_grey_pictures_and_refuses_others() -> None:
    assert explain(Classifier(channels=1), photo(), mean=0.5, std=0.5).image.size == (32, 32)
    with pytest.raises(ImageError, match=r"channel dimension of the pixel values.*as many channels"):
        explain(Classifier(channels=1), torch.randn(1, 3, 32, 32))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, "softmax"),
        ({"problem_type": "single_label_classification"}, "softmax"),
        ({"problem_type": "multi_label_classification"}, "sigmoid"),
        ({"problem_type": "regression"}, None),
        ({"id2label": {0: "LABEL_0"}}, None),
    ],
)
def test_the_problem_that_a_model_was_configured_for_says_what_its_outputs_mean(
    config: dict[str, Any], expected: str | None
) -> None:
    result = explain(Classifier(**config), torch.randn(1, 3, 32, 32))

    if expected is None:
        with pytest.raises(MapError, match="values, of a target or as of a regression"):
            _ = result.probabilities
    else:
        torch.testing.assert_close(
            result.probabilities, result.logits.softmax(0) if expected == "softmax" else result.logits.sigmoid()
        )


def test_labels_that_are_not_numbered_through_are_no_names() -> None:
    model = Classifier()
    model.config.id2label = {1: "ant", 2: "bee", 3: "cat"}
    assert names_on(model) == ()
    model.class_names = ["wasp", "fly", "dog"]
    assert names_on(model) == ("wasp", "fly", "dog")


def test_the_panel_takes_a_model_with_its_processor() -> None:
    panel = CamPanel(Classifier(), photo(), transform=Processor(), target_classes=["cat"])

    assert panel.result.image.size == (32, 32)
    assert panel.result.class_names[panel.target_class] == "cat"
    panel.image = photo().rotate(180)
    assert panel.result.notes == ()

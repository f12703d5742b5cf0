"""Many pictures at once have the maps that each has alone, for fewer passes; or they are run one by one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from camwidget.errors import CamwidgetError, ClassError, ImageError, MapError
from camwidget.maps.activation import SIGMOID
from camwidget.maps.batch import BatchMaps
from camwidget.maps.choice import most_probable
from camwidget.maps.methods import METHODS
from camwidget.maps.results import Explanations
from camwidget.pictures.batch import explain_batch, open_batches
from camwidget.pictures.explain import explain
from camwidget.pictures.result import Explanation
from tests.toys import PooledLinear, picture, state

NAMES = ["ant", "bee", "cat"]


class Mixing(PooledLinear):
    """Takes the mean over the batch away."""

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs - inputs.mean(dim=0, keepdim=True) if len(inputs) > 1 else inputs)


def assert_same(found: Explanation, alone: Explanation) -> None:
    assert found.layers == alone.layers
    assert found.target_classes == alone.target_classes
    torch.testing.assert_close(found.logits, alone.logits)
    for name, cams in found.cams.items():
        torch.testing.assert_close(cams, alone.cams[name])
    assert found.image.tobytes() == alone.image.tobytes()


@contextmanager
def passes_counted(network: nn.Module, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Forward and backward passes, and the pictures that took part in forward passes."""
    counts = {"forward": 0, "backward": 0, "pictures": 0}
    grad = torch.autograd.grad

    def forward(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        counts["forward"] += 1
        counts["pictures"] += len(inputs[0])

    def backward(*given: Any, **more: Any) -> Any:
        counts["backward"] += 1
        return grad(*given, **more)

    monkeypatch.setattr(torch.autograd, "grad", backward)
    hook = network.register_forward_pre_hook(forward)
    yield counts
    hook.remove()


@pytest.mark.parametrize("method", [each for each in METHODS if each != "score_cam"])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_each_picture_has_the_maps_that_it_has_alone(method: str, size: int) -> None:
    network, pixels, true = PooledLinear().double(), picture(batch=5), [2, 0, 1, 1, 0]
    layers = ["body.4"] if method == "cam" else ["body.1", "body.4"]

    results = explain_batch(network, pixels, method=method, layers=layers, true_classes=true, batch_size=size)

    assert len(results) == 5
    assert results.one_by_one == ""
    for row, found in enumerate(results):
        classes = list(dict.fromkeys([int(found.logits.argmax()), true[row]]))
        alone = explain(network, pixels[row : row + 1], method=method, layers=layers, target_classes=classes)
        assert_same(found, alone)
        if method == "cam":
            assert found.contributions() == pytest.approx(alone.contributions())


def test_a_batch_takes_one_forward_pass_and_one_backward_pass_for_each_class(monkeypatch: pytest.MonkeyPatch) -> None:
    network, pixels = PooledLinear().double(), picture(batch=7)

    with (
        open_batches(network, pixels[:1], method="hires_cam") as reader,
        passes_counted(network, monkeypatch) as counts,
    ):
        assert isinstance(reader.maps(pixels), BatchMaps)
        assert counts == {"forward": 1, "backward": 1, "pictures": 7}
        reader.maps(pixels, true_classes=torch.arange(7) % 3)
        assert counts == {"forward": 2, "backward": 3, "pictures": 14}


def test_nothing_is_recorded_below_the_deepest_layer_asked_for() -> None:
    network = PooledLinear().double()
    recorded: list[bool] = []
    hook = network.body[3].register_forward_hook(lambda _, __, output: recorded.append(output.requires_grad))

    with open_batches(network, picture(), method="grad_cam") as reader:
        recorded.clear()
        reader.maps(picture(batch=2))

    hook.remove()
    assert recorded == [False]


def test_the_deepest_layer_alone_is_shown_unless_others_are_named() -> None:
    results = explain_batch(PooledLinear().double(), picture(batch=2))

    assert [list(each.cams) for each in results] == [["body.4"], ["body.4"]]
    assert results[0].target_classes == (int(results[0].logits.argmax()),)


def test_classes_are_the_same_for_all_or_one_for_each_by_index_or_name() -> None:
    network, pixels = PooledLinear().double(), picture(batch=2)

    both = explain_batch(network, pixels, target_classes=["cat", 0], class_names=NAMES)
    true = explain_batch(network, pixels, target_classes=[0], true_classes=["bee", 0], class_names=NAMES)

    assert [each.target_classes for each in both] == [(2, 0), (2, 0)]
    assert [each.target_classes for each in true] == [(0, 1), (0,)]
    torch.testing.assert_close(true[0].cam(target_class="ant"), both[0].cam(target_class="ant"))


def test_a_network_that_mixes_its_batch_is_run_one_by_one_and_its_maps_are_right() -> None:
    network, pixels = Mixing().double(), picture(batch=3)

    results = explain_batch(network, pixels, true_classes=[0, 1, 2])

    assert "one by one" in results.one_by_one
    for row, found in enumerate(results):
        alone = explain(network, pixels[row : row + 1], layers=["body.4"], target_classes=found.target_classes)
        assert_same(found, alone)


def test_pictures_of_every_kind_and_size_may_be_mixed() -> None:
    network = PooledLinear().double()
    wide, high = picture()[0], picture(height=14)  # without the axis for one picture, and with it
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8))
    pictures = [wide, wide + 1, photo, high, wide]

    results = explain_batch(network, pictures)

    assert [each.image.size for each in results] == [(12, 9), (12, 9), (224, 224), (12, 14), (12, 9)]
    for given, found in zip(pictures, results, strict=True):
        single = given[None] if isinstance(given, Tensor) and given.ndim == 3 else given
        alone = explain(network, single, layers=["body.4"], target_classes=found.target_classes)
        assert_same(found, alone)
    assert torch.equal(results[0].cam(), results[4].cam())


def test_a_generator_of_pictures_will_do() -> None:
    network, pixels = PooledLinear().double(), picture(batch=3)

    assert len(explain_batch(network, (each for each in pixels), batch_size=2)) == 3


def test_each_result_says_how_it_is_made_alone() -> None:
    network, pixels = PooledLinear().double(), picture(batch=2)
    result = explain_batch(network, [pixels[:1], pixels[1:]], method="layer_cam", true_classes=[1, 1])[1]
    names: dict[str, Any] = {"model": network, "image": pixels[1:]}

    exec(result.code, names)

    assert_same(result, names["result"])


def test_the_network_is_left_as_found() -> None:
    network, pixels = PooledLinear().double().train(), picture(batch=3)
    before = state(network)

    explain_batch(network, pixels, method="cam", true_classes=[0, 1, 2])

    assert state(network) == before


def test_plain_cam_is_refused_where_it_would_not_add_up() -> None:
    with pytest.raises(MapError, match="would not add up"):
        explain_batch(PooledLinear().double(), picture(batch=2), method="cam", layers=["body.1"])


def test_the_most_probable_class_follows_from_the_activation() -> None:
    logits = torch.tensor([[1.0, 3, 2], [5, 0, 1]])

    assert most_probable(logits, SIGMOID).tolist() == [[1], [0]]
    assert most_probable(logits, SIGMOID, count=2).tolist() == [[1, 2], [0, 2]]
    values = explain_batch(PooledLinear().double(), picture(batch=2), activation="none")
    assert [each.target_classes for each in values] == [(0,), (0,)]


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"method": "score_cam"}, MapError, "explain for each picture"),
        ({"method": "grad_cm"}, MapError, "Did you mean 'grad_cam'"),
        ({"hook": nn.Module}, CamwidgetError, "one picture at a time"),
        ({"true_classes": [0]}, ClassError, "one for each of the 2 pictures"),
        ({"true_classes": "ab"}, ClassError, "one for each of the 2 pictures"),
        ({"true_classes": [0, 3]}, ClassError, "There is no class 3"),
        ({"target_classes": []}, ClassError, "at least one class"),
    ],
)
def test_what_a_batch_cannot_do_is_refused(asked: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        explain_batch(PooledLinear().double(), picture(batch=2), **asked)


@pytest.mark.parametrize("pictures", [picture()[0], "cat.jpg", Image.new("RGB", (4, 4)), np.zeros((4, 4, 3)), []])
def test_what_is_not_several_pictures_is_refused(pictures: Any) -> None:
    with pytest.raises(ImageError, match=r"several|at least one"):
        explain_batch(PooledLinear().double(), pictures)


def test_classes_in_a_tensor_are_checked_by_the_number_of_classes() -> None:
    with open_batches(PooledLinear().double(), picture(), method="grad_cam") as reader:
        with pytest.raises(ClassError, match=r"run from 0 to 3.*3 classes, 0 to 2"):
            reader.maps(picture(batch=2), true_classes=torch.tensor([0, 3]))
        with pytest.raises(ClassError, match="one for each of the 2"):
            reader.maps(picture(batch=2), true_classes=torch.tensor([0]))


def test_results_are_a_sequence() -> None:
    results = explain_batch(PooledLinear().double(), picture(batch=3))

    assert isinstance(results[1:], Explanations)
    assert results[1:][0] is results[1]
    assert repr(results).startswith("<3 explanations, the first <Explanation by 'grad_cam'")

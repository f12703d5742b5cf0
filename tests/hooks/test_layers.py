"""Which layers are offered, by structure alone, and what is said about names that are not there."""

import pytest
import torchvision
from torch import nn

from camwidget.errors import LayerError
from camwidget.hooks.layers import Layer, candidate_layers, find_module, opened_layers
from tests.toys import PooledLinear


def test_a_label_says_name_size_and_channels() -> None:
    assert Layer("0.5", 6, 112, 14, 15).label == "0.5 · 14×15 · 112 channels"
    assert Layer("0.5", 6, 112, 14, 15, 1, 3).label == "0.5 · 14×15 · 112 channels · call 1 of 3"


def test_a_run_of_simple_modules_is_named_after_its_last() -> None:
    assert candidate_layers(PooledLinear()) == ["body.1", "body.4"]


def test_a_resnet_gives_its_blocks() -> None:
    blocks = [f"layer{stage}.{block}" for stage, count in enumerate((3, 4, 6, 3), 1) for block in range(count)]

    assert candidate_layers(torchvision.models.resnet34(weights=None)) == ["relu", *blocks]


def test_a_vgg_gives_its_activations() -> None:
    model = torchvision.models.vgg16(weights=None, init_weights=False)

    found = candidate_layers(model)

    assert len(found) == 13
    assert all(isinstance(model.get_submodule(name), nn.ReLU) for name in found)


def test_containers_stay_closed_where_opening_would_give_too_many() -> None:
    stages = [nn.Sequential(*(nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU()) for _ in range(6))) for _ in range(3)]
    body = nn.Sequential(nn.Conv2d(3, 3, 1), *stages)

    assert candidate_layers(nn.Sequential(body, nn.Flatten())) == ["0.0", "0.1", "0.2", "0.3"]


def test_a_fastai_head_gives_no_layers() -> None:
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1))
    flat = [
        nn.Flatten(),
        nn.BatchNorm1d(8),
        nn.Dropout(),
        nn.Linear(8, 4),
        nn.ReLU(),
        nn.BatchNorm1d(4),
        nn.Linear(4, 2),
    ]
    model = nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()), nn.Sequential(pool, *flat))

    assert candidate_layers(model) == ["0.2"]


def test_lists_of_modules_are_always_opened() -> None:
    model = nn.Module()
    model.blocks = nn.ModuleList(nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU()) for _ in range(20))

    assert candidate_layers(model) == [f"blocks.{index}" for index in range(20)]


def test_a_wrapper_gives_what_is_in_it_and_itself() -> None:
    model = nn.Module()
    model.outer = nn.Module()
    model.outer.inner = PooledLinear()

    assert candidate_layers(model) == ["outer.inner.body.1", "outer.inner.body.4", "outer.inner"]


def test_blocks_are_opened_and_stay_behind_what_is_in_them() -> None:
    model = nn.Sequential(nn.Conv2d(3, 3, 1), PooledLinear(), nn.Conv2d(3, 3, 1))

    assert opened_layers(model, ["0", "1", "2"]) == ["0", "1.body.1", "1.body.4", "1", "2"]
    again = opened_layers(model, ["0", "1.body.1", "1.body.4", "1", "2"])
    assert again == ["0", "1.body.1", "1.body.4", "1", "2"]


def test_a_perceptron_has_no_candidates() -> None:
    assert candidate_layers(nn.Sequential(nn.Flatten(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))) == []


def test_a_module_is_found_by_its_dotted_name() -> None:
    model = PooledLinear()

    assert find_module(model, "body.3") is model.body[3]


@pytest.mark.parametrize(("name", "near"), [("body.44", "body.4"), ("Body.3", "body.3"), ("headd", "head")])
def test_an_unknown_name_is_answered_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(LayerError, match=rf"no layer '{name}'.*'body.1', 'body.4'.*Did you mean .*'{near}'"):
        find_module(PooledLinear(), name)


def test_the_empty_name_is_refused() -> None:
    with pytest.raises(LayerError, match="no layer ''"):
        find_module(PooledLinear(), "")

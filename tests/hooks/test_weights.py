"""Networks that change their own parameters while they run: afterwards, all is as it was."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from camwidget.hooks import weights
from camwidget.pictures.explain import explain
from camwidget.text.explain import explain_text
from camwidget.text.tokens import Vocabulary
from tests.hooks.moving import photo

Change = Callable[["Writing"], object]


class Writing(nn.Module):
    """Two convolutions and the mean; something happens to the weights in `forward`."""

    def __init__(self, change: Change, *, channels: int = 5) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, channels, 3, padding=1)
        self.head = nn.Linear(channels, 3)
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(3))
        self.change = change
        self.double()

    def forward(self, inputs: Tensor) -> Tensor:
        with torch.no_grad():
            self.change(self)
        logits: Tensor = self.head(self.second(self.first(inputs).relu()).relu().mean(dim=(2, 3)))
        return logits


def replaced(model: Writing) -> None:
    model.head.bias = nn.Parameter(model.head.bias + 1)


def given_others(model: Writing) -> None:
    model.head.weight.data = functional.normalize(model.head.weight.data)


def through_numpy(model: Writing) -> None:
    np.add(model.head.bias.numpy(), 1, out=model.head.bias.numpy())


CHANGES: dict[str, Change] = {
    "in place": lambda model: model.head.bias.add_(1),
    "in place, through data": lambda model: model.head.weight.data.clamp_(-0.01, 0.01),
    "in place, through numpy": through_numpy,
    "other numbers": given_others,
    "another parameter": replaced,
    "one parameter more": lambda model: model.head.register_parameter("more", nn.Parameter(torch.zeros(2))),
    "one parameter less": lambda model: model.head.register_parameter("bias", None),
    "a buffer in place": lambda model: model.mean.add_(1),
    "a buffer through data": lambda model: model.mean.data.add_(1),
    "another buffer": lambda model: setattr(model, "mean", model.mean + 1),
}


def facts(model: nn.Module) -> list[tuple[str, int, int, list[float]]]:
    named = [*model.named_parameters(), *model.named_buffers()]
    return [(name, id(each), each.data_ptr(), each.flatten().tolist()) for name, each in named]


@pytest.mark.parametrize("name", CHANGES)
def test_all_parameters_and_buffers_are_the_same_with_the_same_numbers_in_the_same_memory(name: str) -> None:
    model = Writing(CHANGES[name])
    before = facts(model)

    explain(model, photo(), target_classes=[1])

    assert facts(model) == before


@pytest.mark.parametrize("name", CHANGES)
def test_after_an_error_as_well(name: str) -> None:
    def fails(model: Writing) -> None:
        CHANGES[name](model)
        raise ZeroDivisionError

    model = Writing(fails)
    before = facts(model)

    with pytest.raises(ZeroDivisionError):
        explain(model, photo(), target_classes=[1])

    assert facts(model) == before


class Clipped(nn.Conv2d):
    """A convolution that keeps its weights short, as networks of brain waves do."""

    def forward(self, given: Tensor) -> Tensor:
        self.weight.data = torch.renorm(self.weight.data, p=2, dim=0, maxnorm=0.1)
        return super().forward(given)


class Cosine(nn.Linear):
    """A classifier whose weights are brought to length one whenever it runs."""

    def forward(self, given: Tensor) -> Tensor:
        with torch.no_grad():
            self.weight.div_(self.weight.norm(dim=1, keepdim=True))
        return super().forward(given)


@pytest.mark.parametrize(
    "make", [lambda: Clipped(3, 300, 3, padding=1), lambda: nn.Conv2d(3, 300, 3)], ids=["clipped", "plain"]
)
@pytest.mark.parametrize("head", [lambda: Cosine(300, 900), lambda: nn.Linear(300, 900)], ids=["cosine", "linear"])
def test_layers_of_ones_own_in_a_larger_network_are_left_as_found(
    make: Callable[[], nn.Module], head: Callable[[], nn.Module]
) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(make(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head())
    assert sum(each.numel() for each in model.parameters()) > weights.FEW
    before = facts(model)

    explain(model, photo().float(), target_classes=[1])

    assert facts(model) == before


def test_what_a_hook_writes_into_the_weights_of_its_module_is_put_back() -> None:
    torch.manual_seed(0)
    linear = nn.Linear(300, 900)

    def clip(module: Any, _: Any) -> None:
        module.weight.data.clamp_(-0.01, 0.01)

    linear.register_forward_pre_hook(clip)
    model = nn.Sequential(nn.Conv2d(3, 300, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear)
    before = facts(model)

    explain(model, photo().float(), target_classes=[1])

    assert facts(model) == before


def elsewhere(weight: Tensor) -> None:
    with torch.no_grad():
        weight.add_(1)


class Hidden(nn.Module):
    """Writes into a large weight where its own code does not say so."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Conv2d(3, 300, 3), nn.Linear(300, 900)

    def forward(self, inputs: Tensor) -> Tensor:
        elsewhere(self.head.weight)
        logits: Tensor = self.head(self.first(inputs).mean(dim=(2, 3)))
        return logits


def test_what_was_not_copied_is_said() -> None:
    with pytest.warns(UserWarning, match=r"Hidden wrote into its parameter 'head.weight' .* Load them again"):
        explain(Hidden(), photo().float(), target_classes=[1])


def test_a_network_that_writes_nothing_is_not_copied_and_nothing_is_said() -> None:
    model = nn.Sequential(nn.Conv2d(3, 300, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(300, 900))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with weights.weights_left_as_found(list(model.modules())):
            held = weights._held(list(model.modules()), [(each, list(each._parameters.items())) for each in model])
        explain(model, photo().float(), target_classes=[1])

    assert [each.copy for each in held] == [None] * 4


def test_a_text_network_that_writes_into_its_table_is_left_as_found() -> None:
    class Reading(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vocabulary = Vocabulary(["good", "film"])
            self.word, self.head = nn.Embedding(4, 5), nn.Linear(5, 2)

        def forward(self, ids: Tensor) -> Tensor:
            self.word.weight.data[1] = 0
            logits: Tensor = self.head(self.word(ids).mean(dim=1))
            return logits

    model = Reading()
    before = facts(model)

    explain_text(model, "good film", method="hires_cam")

    assert facts(model) == before

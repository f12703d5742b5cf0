"""Layers, classes and models that cannot be used: what was given, what is allowed, what to try."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import ClassError, LayerError, MapError, ModelError
from camwidget.pictures.explain import explain
from tests.toys import (
    AfterPair,
    PooledLinear,
    Returns,
    hook_count,
    picture,
)


class Functional(nn.Module):
    """A convolution that is no module, so that nothing can listen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.head = nn.Parameter(torch.randn(4, 3, 3, 3)), nn.Linear(4, 2)

    def forward(self, batch: Tensor) -> Tensor:
        return self.head(torch.conv2d(batch, self.weight).relu().mean(dim=(2, 3)))


BAD: list[tuple[str, Callable[[], nn.Module], dict[str, Any], type[Exception], str]] = [
    ("unknown layer", PooledLinear, {"layers": ["body.44"]}, LayerError, r"'body\.44'.*Did you mean .*'body\.4'"),
    ("no layer", PooledLinear, {"layers": []}, LayerError, r"at least one.*candidate_layers"),
    ("layer without map", PooledLinear, {"layers": ["head"]}, LayerError, r"'head' returns shape \(1, 3\).*'body\.4'"),
    ("layer of 1x1", PooledLinear, {"layers": ["pool"]}, LayerError, r"\(1, 5, 1, 1\)"),
    ("layer of tuples", AfterPair, {"layers": ["pair"]}, LayerError, r"returns a tuple.*'last'"),
    ("class out of range", PooledLinear, {"target_classes": [3]}, ClassError, r"no class 3.*3 classes, 0 to 2"),
    ("class below zero", PooledLinear, {"target_classes": [-1]}, ClassError, r"no class -1.*0 to 2"),
    ("no class", PooledLinear, {"target_classes": []}, ClassError, r"is empty.*top ten"),
    (
        "unknown class",
        PooledLinear,
        {"target_classes": ["bea"], "class_names": ["ant", "bee", "cat"]},
        ClassError,
        r"no class 'bea'.*'bee'",
    ),
    (
        "name of two classes",
        PooledLinear,
        {"target_classes": ["crane"], "class_names": ["crane", "bee", "crane"]},
        ClassError,
        r"2 classes are called 'crane'.*\[0, 2\]",
    ),
    ("too few names", PooledLinear, {"class_names": ["a", "b"]}, ClassError, r"2 names.*3 classes.*one name per class"),
    ("one string of names", PooledLinear, {"class_names": "abc"}, ClassError, r"one str.*a name for each class"),
    ("unknown method", PooledLinear, {"method": "gradcam"}, MapError, r"'gradcam'.*'cam', 'grad_cam'.*'grad_cam'"),
    ("tuple", lambda: Returns(lambda logits: (logits, logits)), {}, ModelError, r"a tuple of 2.*Wrap it"),
    ("NaN", lambda: Returns(lambda logits: logits * float("nan")), {}, ModelError, r"3 of 3 logits are NaN"),
    ("one axis", lambda: Returns(lambda logits: logits[0]), {}, ModelError, r"shape \(3,\)"),
    ("three axes", lambda: Returns(lambda logits: logits[None]), {}, ModelError, r"shape \(1, 1, 3\)"),
    ("no gradient", lambda: Returns(Tensor.detach), {}, ModelError, r"no gradient.*detach"),
    (
        "perceptron",
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(324, 4), nn.ReLU(), nn.Linear(4, 2)),
        {},
        ModelError,
        r"no spatial layer.*convolutional.*another network: without convolutions or tokens",
    ),
    ("convolutions as functions", Functional, {}, ModelError, r"no spatial layer.*as modules, such as nn\.Conv2d"),
    (
        "maps of 1x1",
        lambda: nn.Sequential(nn.Conv2d(3, 4, (9, 12)), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2)),
        {},
        ModelError,
        r"no spatial layer.*larger picture",
    ),
]


@pytest.mark.parametrize(
    ("model", "asked", "error", "message"), [each[1:] for each in BAD], ids=[each[0] for each in BAD]
)
def test_bad_input_is_answered_with_what_to_try(
    model: Callable[[], nn.Module], asked: dict[str, Any], error: type[Exception], message: str
) -> None:
    network = model().double()

    with pytest.raises(error, match=message):
        explain(network, picture(), **asked)

    assert hook_count(network) == 0

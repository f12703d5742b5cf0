"""Random numbers that a network draws in evaluation mode: noticed, drawn again, and given back."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from camwidget.hooks.capture import RANDOM, LayerCapture
from camwidget.hooks.draws import source_of
from camwidget.pictures.explain import explain

Draw = Callable[[Any], float]

DRAWS: dict[str, Draw] = {
    "torch": lambda model: float(torch.rand(())),
    "numpy": lambda model: float(np.random.rand()),
    "python": lambda model: random.random(),
    "own of torch": lambda model: float(torch.rand((), generator=model.of_torch)),
    "own of numpy": lambda model: float(model.of_numpy.random()),
    "own of numpy, old": lambda model: float(model.of_old_numpy.rand()),
    "own of python": lambda model: float(model.of_python.random()),
}


class Drawing(nn.Module):
    """Adds a random number behind its convolution, in evaluation mode too."""

    def __init__(self, draw: Draw) -> None:
        super().__init__()
        self.of_torch: Any = torch.Generator().manual_seed(3)
        self.of_numpy, self.of_old_numpy = np.random.default_rng(3), np.random.RandomState(3)
        self.of_python = random.Random(3)
        self.draw = draw
        self.first, self.head = nn.Conv2d(3, 5, 3, padding=1), nn.Linear(5, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.head((self.first(inputs) + self.draw(self)).relu().mean(dim=(2, 3)))
        return logits


@pytest.mark.parametrize("name", DRAWS)
def test_another_run_draws_the_same_numbers_and_afterwards_all_is_as_it_was(name: str) -> None:
    model, inputs = Drawing(DRAWS[name]), torch.rand(1, 3, 6, 8)
    generators: list[Any] = [model.of_torch, model.of_numpy, model.of_old_numpy, model.of_python]
    sources = [source for each in generators if (source := source_of(each)) is not None]
    before = [str(source.read()) for source in sources]

    with LayerCapture(model, ["first"]) as capture:
        logits = capture.forward(inputs)
        assert torch.equal(capture.rerun(inputs), logits)
        assert torch.equal(capture.rerun(inputs), logits)
        assert capture.notes == (RANDOM,)
        assert capture.draws

    assert len(sources) == 4
    assert [str(source.read()) for source in sources] == before


@pytest.mark.parametrize("name", DRAWS)
def test_two_explanations_one_after_the_other_are_of_the_same_draw(name: str) -> None:
    model, inputs = Drawing(DRAWS[name]), torch.rand(1, 3, 6, 8)

    one, other = (explain(model, inputs, layers=["first"], target_classes=[1]) for _ in range(2))

    assert torch.equal(one.cam(), other.cam())
    assert RANDOM in one.notes


def test_a_network_that_draws_nothing_has_no_note() -> None:
    assert not explain(Drawing(lambda _: 0.5), torch.rand(1, 3, 6, 8)).notes


def test_other_things_are_no_generators() -> None:
    assert all(source_of(thing) is None for thing in (torch.rand(2), random, np.random, 3, None, "seed"))

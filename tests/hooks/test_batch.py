"""Whether the pictures of a batch leave each other alone is found out by running three of them."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from camwidget.errors import ImageError, ModelError
from camwidget.hooks.batch import open_batch_capture
from tests.toys import PooledLinear, Restless, picture, state


class Between(PooledLinear):
    """Does something to the body's activations before they are pooled."""

    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.change = change

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.pool(self.change(self.body(inputs))).flatten(1))


class Alone(PooledLinear):
    """Runs its body once for each picture."""

    def forward(self, inputs: Tensor) -> Tensor:
        rows = [self.head(self.pool(self.body(each)).flatten(1)) for each in inputs.split(1)]
        return torch.cat(rows)


class After(PooledLinear):
    """Does something to the logits."""

    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.change = change

    def forward(self, inputs: Tensor) -> Tensor:
        return self.change(super().forward(inputs))


class NoisyBelow(PooledLinear):
    """Mixes the pictures before the first layer."""

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs - inputs.mean(dim=0).detach())


def train_mode_norm(activation: Tensor) -> Tensor:
    return functional.batch_norm(activation, None, None, training=True)


def from_the_next(logits: Tensor) -> Tensor:
    """Each row has a gradient to the next one, but the same numbers."""
    other = logits.roll(1, 0)
    return logits + other - other.detach()


def ahead(logits: Tensor) -> Tensor:
    """Zeros, which each row but the first has a gradient of to the one before it."""
    before = functional.pad(logits, (0, 0, 1, 0))[:-1]
    return before - before.detach()


def reason_of(network: nn.Module, layers: list[str] | None = None) -> str:
    with open_batch_capture(network.double(), picture(), layers) as (opened, _):
        return opened.one_by_one


@pytest.mark.parametrize("network", [PooledLinear(), Restless()])
def test_pictures_that_leave_each_other_alone_are_run_at_once(network: nn.Module) -> None:
    assert reason_of(network) == ""


@pytest.mark.parametrize(
    ("network", "why"),
    [
        (Between(train_mode_norm), "the answer for one depends on the other pictures"),
        (Between(lambda activation: activation - activation.mean(dim=0)), "depends on the other pictures"),
        (NoisyBelow(), "depends on the other pictures"),
        (After(lambda logits: logits.cumsum(0)), "the answer for one depends on the other pictures"),
        (After(lambda logits: logits.flip(0).cumsum(0).flip(0)), "the answer for one depends on the other pictures"),
        (After(lambda logits: logits[:1].expand_as(logits)), "the answer for one depends on the other pictures"),
        (After(lambda logits: logits + ahead(logits)), "depends on what layer 'body.4' returns for another"),
        (After(from_the_next), "depends on what layer 'body.4' returns for another"),
        (After(lambda logits: logits.view(1, 3)), "does not run on three at once (RuntimeError"),
        (Alone(), "returns shape (1, 5, 4, 5) when it has run 3 times, not 1"),
    ],
)
def test_pictures_that_do_not_are_run_one_by_one_with_the_reason(network: nn.Module, why: str) -> None:
    reason = reason_of(network, ["body.4"])

    assert reason.startswith("Pictures were explained one by one: ")
    assert why in reason


def test_a_batch_is_run_at_once_and_has_the_activations_of_each_picture_alone() -> None:
    network, pixels = PooledLinear().double(), picture(batch=3)

    with open_batch_capture(network, pixels[:1], ["body.1", "body.4"]) as (opened, _):
        assert [kept.layer.name for kept in opened.kept] == ["body.1", "body.4"]
        ((part, logits, first),) = [
            (part, logits, opened.capture.activations["body.4"].detach().clone())
            for part, logits in opened.passes(pixels)
        ]
        assert torch.equal(part, pixels)
        assert opened.capture.activations == {}
        for number in range(3):
            for _, alone in opened.passes(pixels[number : number + 1]):
                torch.testing.assert_close(opened.capture.activations["body.4"][0], first[number])
                torch.testing.assert_close(alone[0], logits[number])


def test_without_layers_asked_for_it_is_the_deepest_alone() -> None:
    with open_batch_capture(PooledLinear().double(), picture(), None) as (opened, _):
        assert [kept.layer.name for kept in opened.kept] == ["body.4"]
        assert opened.kept[0].layer.depth == 1


def test_the_network_is_left_as_found_even_if_it_does_not_take_two_pictures() -> None:
    network = After(lambda logits: logits.view(1, 3)).double()
    pixels = picture()
    before = state(network)

    with open_batch_capture(network, pixels, None):
        pass

    assert state(network) == before


def test_what_is_no_batch_is_refused() -> None:
    with open_batch_capture(PooledLinear().double(), picture(), None) as (opened, _):
        with pytest.raises(ImageError, match="at least one"):
            next(opened.passes(picture()[:0]))
        with pytest.raises(ModelError, match=r"For 2 pictures layer 'body.4' returns shape \(2, 5, 5, 5\)"):
            next(opened.passes(picture(batch=2, height=11)))

"""Networks that remember, draw random numbers, or run parts again: told, put back, or no matter."""

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from camwidget.pictures.explain import explain
from tests.hooks.moving import Moving, photo


class Checkpointed(Moving):
    """Runs both convolutions again in the backward pass."""

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = checkpoint(lambda x: self.second(self.first(x).relu()), inputs, use_reentrant=False)
        return self.head(hidden.relu().mean(dim=(2, 3)))


def test_a_checkpoint_around_the_first_layer_changes_nothing() -> None:
    torch.manual_seed(1)
    plain, inputs = Moving().double(), photo()
    again = Checkpointed().double()
    again.load_state_dict(plain.state_dict())

    for one, other in zip(explain(plain, inputs).cams.values(), explain(again, inputs).cams.values(), strict=True):
        torch.testing.assert_close(one, other)


def test_a_network_that_draws_random_numbers_is_told() -> None:
    random = Moving(between=lambda x: nn.functional.dropout(x, 0.5, training=True)).double()

    assert "draws random numbers" in explain(random, photo()).notes[0]


class Remembering(Moving):
    """Counts, keeps what it saw, and makes a buffer when it first runs."""

    count, last = 0, None

    def __init__(self) -> None:
        super().__init__()
        self.history: list[Tensor] = []

    def forward(self, inputs: Tensor) -> Tensor:
        self.count, self.last = self.count + 1, inputs
        self.history.append(inputs)
        self.register_buffer("cache", inputs, persistent=False)
        return super().forward(inputs)


def test_what_a_network_remembers_is_put_back() -> None:
    model = Remembering().double()

    explain(model, photo())

    assert (model.count, model.last, model.history, dict(model.named_buffers())) == (0, None, [], {})

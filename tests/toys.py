"""Small networks for the tests, most in double precision and awkward in one way; and all one may disturb in them."""

import hashlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class PooledLinear(nn.Module):
    """Two convolutions, average pooling, one linear layer: plain CAM is exact from `body`, and only there."""

    def __init__(self, classes: int = 3, *, inplace: bool = True) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1),
            nn.ReLU(inplace),
            nn.Conv2d(4, 5, 3, stride=2),
            nn.BatchNorm2d(5),
            nn.ReLU(inplace),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(5, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.pool(self.body(inputs)).flatten(1))


class Reused(nn.Module):
    """Calls one convolution twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.head = nn.Linear(3, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.conv(self.conv(inputs).tanh()).tanh().mean(dim=(2, 3)))


class Pair(nn.Module):
    """Puts out a tuple: a float tensor, and one of whole numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        return self.conv(inputs), torch.arange(3)


class AfterPair(nn.Module):
    """Uses only the first of what `Pair` puts out."""

    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair()
        self.last = nn.Conv2d(2, 2, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.last(self.pair(inputs)[0]).mean(dim=(2, 3))


class Around(nn.Module):
    """A skip connection around `branch`, through an Identity: linear in the branch, yet not read from it alone."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3)
        self.same = nn.Identity()
        self.branch = nn.Conv2d(4, 4, 1)
        self.head = nn.Linear(4, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        stem = self.stem(inputs)
        return self.head((self.branch(stem) + self.same(stem) * 2 + stem).mean(dim=(2, 3)))


class Returns(nn.Module):
    """Runs a network and returns what a function makes of its logits."""

    def __init__(self, change: Any) -> None:
        super().__init__()
        self.network = PooledLinear()
        self.change = change

    def forward(self, inputs: Tensor) -> Any:
        return self.change(self.network(inputs))


class Fails(nn.Module):
    """Raises in the middle of a network."""

    def forward(self, inputs: Tensor) -> Tensor:
        raise ArithmeticError("in the middle")


class Restless(nn.Module):
    """Draws random numbers and counts its calls in buffers, even in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)
        self.register_buffer("seen", torch.zeros(1))
        self.register_buffer("replaced", torch.zeros(1))

    def forward(self, inputs: Tensor) -> Tensor:
        self.seen += 1
        self.replaced = self.replaced + torch.rand(1)
        return self.conv(inputs).mean(dim=(2, 3))


class Tally:
    """A number that stays when plain attributes are put back, as they are after every explanation."""

    count = 0


class Counted(nn.Module):
    """Counts in `tally` how often it runs; a copy counts its own runs."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.tally = Tally()

    @property
    def runs(self) -> int:
        """How often it ran."""
        return self.tally.count


def strided(classes: int, *, channels: int = 5, kind: Callable[..., nn.Sequential] = nn.Sequential) -> nn.Sequential:
    """Two convolutions with strides under a pooled linear head: plain CAM is exact from the body, layer "0".

    Args:
        classes: how many outputs.
        channels: of the last map.
        kind: what holds body and head.
    """
    body = nn.Sequential(nn.Conv2d(3, 6, 5, stride=4), nn.ReLU(), nn.Conv2d(6, channels, 3, stride=2), nn.ReLU())
    return kind(body, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)))


def picture(*, batch: int = 1, height: int = 9, width: int = 12) -> Tensor:
    """Random inputs, not square."""
    return torch.randn(batch, 3, height, width, dtype=torch.float64)


def fastai_head(features: int, classes: int) -> nn.Sequential:
    """The head of `vision_learner(..., concat_pool=False, lin_ftrs=[])`, with batch norm that has seen something."""
    norm = nn.BatchNorm1d(features)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    norm.running_mean = torch.randn(features)
    norm.running_var = torch.rand(features) + 0.5
    linear = nn.Linear(features, classes, bias=False)
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), norm, nn.Dropout(0.5), linear)


def state(model: nn.Module) -> dict[str, Any]:
    """Everything about a model that an explanation must leave alone, in a form that can be compared."""
    return {
        "training": [module.training for module in model.modules()],
        "requires_grad": [parameter.requires_grad for parameter in model.parameters()],
        "grad": [id(parameter.grad) for parameter in model.parameters()],
        "values": [digest(parameter) for parameter in model.parameters()],
        "buffers": [(name, id(buffer), digest(buffer)) for name, buffer in model.named_buffers()],
        "random": torch.get_rng_state().tolist(),
        "hooks": hook_count(model),
    }


def digest(tensor: Tensor) -> str:
    """A short text that is equal only for equal values; comparing lists of a real network's numbers takes seconds."""
    return hashlib.sha256(tensor.detach().numpy().tobytes()).hexdigest()


def hook_count(model: nn.Module) -> int:
    """How many hooks of any kind hang on the model."""
    return sum(
        len(kind)
        for module in model.modules()
        for kind in (
            module._forward_hooks,
            module._forward_pre_hooks,
            module._backward_hooks,
            module._backward_pre_hooks,
        )
    )

"""Small networks and dls for the judges: drawn, so that no answer can know them in advance."""

from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from camwidget.course.attempt import Attempt


def small_network(attempt: Attempt, *, nested: bool = False) -> tuple[nn.Module, Float[Tensor, "1 3 height width"]]:
    """Draw a convolutional classifier, pooled in its head, and inputs for it.

    Args:
        attempt: draws the sizes.
        nested: whether layers are nested, and named in another order than they run.
    """
    attempt.seed_torch()
    narrow, wide, height, width = attempt.sizes(4, low=5, high=16)
    classes = attempt.size(2, 5)
    first = nn.Sequential(nn.Conv2d(3, narrow, 3, padding=1), nn.BatchNorm2d(narrow), nn.ReLU(inplace=True))
    second: nn.Module = nn.Sequential(nn.Conv2d(narrow, wide, 3, padding=1), nn.ReLU())
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(wide, classes))
    model: nn.Module
    if nested:
        # The last map is one bare layer's, and of two cells: one above the other, or side by side.
        size = (height - 1, width) if attempt.size(0, 1) else (height, width - 1)
        model = _Jumbled(first, nn.Conv2d(narrow, narrow, 1), nn.Conv2d(narrow, wide, size), head)
    else:
        names = ["body", "features", "trunk", "stage"]
        model = nn.Sequential()
        model.add_module(names[attempt.size(0, 3)], nn.Sequential(first, second))
        model.add_module("head", head)
    return model.eval(), attempt.tensor(1, 3, height, width)


class _Jumbled(nn.Module):
    """Its layers run in another order than they are named."""

    def __init__(self, first: nn.Module, second: nn.Module, third: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.classifier = head
        self.early = first
        self.late = third
        self.between = second

    def forward(self, inputs: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch class"]:
        """Return the logits."""
        logits: Tensor = self.classifier(self.late(self.between(self.early(inputs))))
        return logits


def feeds_pooling(model: nn.Module, inputs: Float[Tensor, "1 3 height width"]) -> tuple[set[str], set[str]]:
    """Return the names of the modules whose output is the last map, and of those with an earlier one.

    Args:
        model: in evaluation mode.
        inputs: for one run.
    """
    outputs: dict[str, Tensor] = {}
    handles = [
        module.register_forward_hook(lambda _, __, output, name=name: outputs.update({name: output.detach().clone()}))
        for name, module in model.named_modules()
        if name
    ]
    try:
        with torch.no_grad():
            model(inputs)
    finally:
        for handle in handles:
            handle.remove()
    maps = {
        name: output for name, output in outputs.items() if output.ndim == 4 and output.shape[2] * output.shape[3] > 1
    }
    last = list(maps.values())[-1]
    final = {name for name, output in maps.items() if output.shape == last.shape and torch.equal(output, last)}
    return final, set(maps) - final


@cache
def another_dls(names: tuple[Any, ...], *, mean: float = 0.5, std: float = 0.5) -> Any:
    """Return real fastai DataLoaders over two tiny pictures, with these classes and this normalisation.

    Args:
        names: the classes, in their order.
        mean: of every colour, 0 to 1.
        std: of every colour.
    """
    # Imported here: seconds of work that only the items about a dls need.
    from fastai.basics import CategoryBlock, DataBlock, IndexSplitter, Normalize  # noqa: PLC0415 (see above)
    from fastai.vision.all import ImageBlock, PILImage  # noqa: PLC0415 (see above)

    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock(vocab=list(names), sort=False)),
        get_x=lambda place: PILImage.create((torch.ones(8, 8, 3) * 40 * (place + 1)).byte().numpy()),
        get_y=lambda place: names[place % len(names)],
        splitter=IndexSplitter([1]),
        batch_tfms=Normalize.from_stats([mean] * 3, [std] * 3, cuda=False),
    )
    return block.dataloaders([0, 1], bs=1, num_workers=0, device=torch.device("cpu"))


class Small(nn.Module):
    """A convolution, batch norm, an in-place ReLU, a second convolution, and a head with dropout.

    Args:
        narrow: channels of the first convolution.
        wide: of the second.
        classes: how many classes.
    """

    def __init__(self, narrow: int, wide: int, classes: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, narrow, 3, padding=1)
        self.norm = nn.BatchNorm2d(narrow)
        self.relu = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(narrow, wide, 3, padding=1)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(wide, classes))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.head(self.second(self.relu(self.norm(self.first(inputs)))))
        return logits


def batch_network(attempt: Attempt) -> tuple[Small, Tensor]:
    """Draw a network with an in-place ReLU and batch norm, in evaluation mode, and a batch of two pictures for it."""
    attempt.seed_torch()
    narrow, wide, height, width = attempt.sizes(4, low=5, high=12)
    model = Small(narrow, wide, attempt.size(2, 4)).eval()
    with torch.no_grad():
        model.norm.register_buffer("running_mean", attempt.tensor(narrow))
    return model, attempt.tensor(2, 3, height, width)

"""Small networks and dls for the judges: drawn, so that no answer can know them in advance."""

from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from camwidget.course.assignments.traces import Counted, Runs, note_run
from camwidget.course.attempt import Attempt


def small_network(
    attempt: Attempt, *, kind: str, upright: bool = False
) -> tuple[Any, Float[Tensor, "1 3 height width"]]:
    """Draw a convolutional classifier, pooled in its head, and inputs for it.

    Args:
        attempt: draws the sizes.
        kind: "nested", the last map is that of a layer inside a block; "child", it is that of one of the network's own
            children; "wrapped", the whole network is the only child of another; "jumbled", layers are nested and named in another order than they run;
            or "in_a_row", nested, and the places are put in a row before the mean: three axes, which is no map.
        upright: whether the two cells of the last map of "jumbled" lie one above the other, and not side by side.
    """
    attempt.seed_torch()
    narrow, wide, height, width = attempt.sizes(4, low=5, high=16)
    classes = attempt.size(2, 5)
    first = nn.Sequential(nn.Conv2d(3, narrow, 3, padding=1), nn.BatchNorm2d(narrow), nn.ReLU(inplace=True))
    mean = [nn.Flatten(2), nn.AdaptiveAvgPool1d(1)] if kind == "in_a_row" else [nn.AdaptiveAvgPool2d(1)]
    head = nn.Sequential(*mean, nn.Flatten(), nn.Dropout(0.2), nn.Linear(wide, classes))
    if kind == "jumbled":
        # The last map is one bare layer's, and of two cells.
        size = (height - 1, width) if upright else (height, width - 1)
        model: Any = _Jumbled(first, nn.Conv2d(narrow, narrow, 1), nn.Conv2d(narrow, wide, size), head)
    elif kind == "child":
        model = Counted()
        model.add_module("stem", first)
        model.add_module("conv", nn.Conv2d(narrow, wide, 3, padding=1))
        model.add_module("bend", nn.ReLU())
        model.add_module("pool", nn.AdaptiveAvgPool2d(1))
        model.add_module("flat", nn.Flatten())
        model.add_module("classes", nn.Linear(wide, classes))
    else:
        names = ["body", "features", "trunk", "stage"]
        model = Counted()
        second = nn.Sequential(nn.Conv2d(narrow, wide, 3, padding=1), nn.ReLU())
        inner = nn.Sequential() if kind == "wrapped" else model
        inner.add_module(names[attempt.size(0, 3)], nn.Sequential(first, second))
        inner.add_module("head", head)
        if kind == "wrapped":
            model.add_module("net", inner)
    return model.eval(), attempt.tensor(1, 3, height, width)


class _Jumbled(nn.Module):
    """Its layers run in another order than they are named."""

    def __init__(self, first: nn.Module, second: nn.Module, third: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.classifier = head
        self.early = first
        self.late = third
        self.between = second
        self.runs = Runs()

    def forward(self, inputs: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch class"]:
        """Return the logits."""
        given = inputs.detach().clone()
        logits: Tensor = self.classifier(self.late(self.between(self.early(inputs))))
        note_run(self, self.runs, given, logits)
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
def another_dls(
    names: tuple[Any, ...],
    *,
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5),
    std: tuple[float, float, float] = (0.5, 0.5, 0.5),
) -> Any:
    """Return real fastai DataLoaders over two tiny pictures, with these classes and this normalisation.

    Args:
        names: the classes, in their order.
        mean: of each colour, 0 to 1.
        std: of each colour.
    """
    # Imported here: seconds of work that only the items about a dls need.
    from fastai.basics import CategoryBlock, DataBlock, IndexSplitter, Normalize  # noqa: PLC0415 (see above)
    from fastai.vision.all import ImageBlock, PILImage  # noqa: PLC0415 (see above)

    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock(vocab=list(names), sort=False)),
        get_x=lambda place: PILImage.create((torch.ones(8, 8, 3) * 40 * (place + 1)).byte().numpy()),
        get_y=lambda place: names[place % len(names)],
        splitter=IndexSplitter([1]),
        batch_tfms=Normalize.from_stats(mean, std, cuda=False),
    )
    return block.dataloaders([0, 1], bs=1, num_workers=0, device=torch.device("cpu"))


class Small(nn.Module):
    """A convolution, batch norm, an in-place ReLU, a second convolution, and a head with dropout.

    Args:
        narrow: channels of the first convolution.
        wide: of the second.
        classes: how many classes.
        opened: whether a layer stands in front that hands on the very tensor it is given.
    """

    def __init__(self, narrow: int, wide: int, classes: int, *, opened: bool = False) -> None:
        super().__init__()
        if opened:
            self.same = nn.Identity()
        self.first = nn.Conv2d(3, narrow, 3, padding=1)
        self.norm = nn.BatchNorm2d(narrow)
        self.relu = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(narrow, wide, 3, padding=1)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(wide, classes))
        self.runs = Runs()

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits."""
        given = inputs.detach().clone()
        output = inputs
        for layer in self.children():
            output = layer(output)
        note_run(self, self.runs, given, output)
        return output

    def outputs(self, inputs: Tensor) -> dict[str, Tensor]:
        """Return what each child puts out, by its name; ask before anybody puts a hook on. The run is not noted."""
        found: dict[str, Tensor] = {}
        with torch.no_grad():
            for name, layer in self.named_children():
                found[name] = layer((list(found.values())[-1] if found else inputs).clone()).clone()
        return found


def batch_network(
    attempt: Attempt, *, pictures: int = 2, alike: bool = False, opened: bool = False
) -> tuple[Small, Tensor]:
    """Draw a network with an in-place ReLU and batch norm, in evaluation mode, and inputs for it.

    Args:
        attempt: draws the sizes.
        pictures: how many inputs.
        alike: whether the maps are square, and both convolutions have as many channels as a map has rows.
        opened: whether a layer stands in front that hands on the very tensor it is given.
    """
    attempt.seed_torch()
    narrow, wide, height, width = attempt.sizes(4, low=5, high=12)
    if alike:
        narrow = wide = height = width
    model = Small(narrow, wide, attempt.size(2, 4), opened=opened).eval()
    with torch.no_grad():
        model.norm.register_buffer("running_mean", attempt.tensor(narrow))
    return model, attempt.tensor(pictures, 3, height, width)

"""Where shapes leave a doubt the network is asked; what is right is worked out from the network's own parts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import timm
import torch
import torchvision
from captum.attr import LayerGradCam
from torch import Tensor, nn

from camwidget.errors import LayerError, ModelError
from camwidget.hooks.layout import FIRST, LAST, TOKENS, TURNED, Grid
from camwidget.hooks.probe import ask
from camwidget.hooks.selection import open_capture
from camwidget.pictures.explain import explain
from tests.hooks.moving import Change

SIZE = 24
"""Rows and columns of the toys' pictures and maps, and the number of their channels."""


class Toy(nn.Module):
    """A convolution, a form given to its output in `layer`, a way back, a convolution, a linear head."""

    def __init__(self, form: nn.Module, back: nn.Module, *, channels: int = SIZE, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 3, padding=1, stride=stride)
        self.layer = form
        self.back = back
        self.last = nn.Conv2d(channels, 4, 3, padding=1)
        self.head = nn.Linear(4, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.last(self.back(self.layer(self.conv(inputs).relu()))).relu().mean((2, 3)))


class Lambda(nn.Module):
    """A function as a layer."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, inputs: Tensor) -> Tensor:
        return self.function(inputs)


def square() -> Tensor:
    return torch.randn(1, 3, SIZE, SIZE, dtype=torch.float64)


def layouts(model: nn.Module, inputs: Tensor, layers: list[str] | None = None, **sizes: Any) -> dict[str, Any]:
    with open_capture(model, inputs, layers, **sizes) as (capture, _):
        return dict(capture.layouts)


@contextmanager
def runs_counted(model: nn.Module) -> Iterator[list[int]]:
    """Yield a list that gets one more member each time the model runs."""
    runs: list[int] = []
    hook = model.register_forward_pre_hook(lambda *_: runs.append(1))
    yield runs
    hook.remove()


def nothing(inputs: Tensor) -> Tensor:
    return inputs.clone()


FORMS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor], Grid]] = {
    "channels first": (nothing, nothing, Grid(FIRST, SIZE, SIZE)),
    "channels last": (
        lambda maps: maps.permute(0, 2, 3, 1).contiguous(),
        lambda own: own.permute(0, 3, 1, 2),
        Grid(LAST, SIZE, SIZE),
    ),
    "tokens": (
        lambda maps: maps.flatten(2).transpose(1, 2),
        lambda own: own.transpose(1, 2).unflatten(2, (SIZE, SIZE)),
        Grid(TOKENS, SIZE, SIZE),
    ),
    "channels, then tokens": (
        lambda maps: maps.flatten(2),
        lambda own: own.unflatten(2, (SIZE, SIZE)),
        Grid(TURNED, SIZE, SIZE),
    ),
    "tokens, the class last": (
        lambda maps: nn.functional.pad(maps.flatten(2), (0, 1), value=1.0).transpose(1, 2),
        lambda own: own[:, :-1].transpose(1, 2).unflatten(2, (SIZE, SIZE)),
        Grid(TOKENS, SIZE, SIZE, 0, 1),
    ),
    "tokens, one other first and two last": (
        lambda maps: nn.functional.pad(maps.flatten(2), (1, 2), value=1.0).transpose(1, 2),
        lambda own: own[:, 1:-2].transpose(1, 2).unflatten(2, (SIZE, SIZE)),
        Grid(TOKENS, SIZE, SIZE, 1, 2),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_as_many_channels_as_rows_and_columns_has_the_map_of_the_convolution_before_it(form: str) -> None:
    there, back, expected = FORMS[form]
    model, inputs = Toy(Lambda(there), Lambda(back)).double().eval(), square()

    assert layouts(model, inputs, ["layer"]) == {"layer": expected}
    cam = explain(model, inputs, layers=["layer"], target_classes=[1]).cam("layer", 1)

    model.layer, model.back = nn.Identity(), nn.Identity()
    oracle = LayerGradCam(model, model.layer).attribute(inputs, 1)[0, 0].detach()
    assert torch.corrcoef(torch.stack([cam.flatten(), oracle.flatten()]))[0, 1] > 0.999999


def tokens_in_order(own: Tensor) -> Tensor:
    return own.transpose(1, 2).unflatten(2, (SIZE, SIZE))


@pytest.mark.parametrize(
    "shuffle",
    [
        lambda maps: maps.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).permute(0, 3, 5, 2, 4, 1).flatten(1, 4),
        lambda maps: maps.flatten(2)[:, :, torch.randperm(SIZE * SIZE, generator=torch.manual_seed(0))].transpose(1, 2),
    ],
    ids=["four by four, as Hiera", "at random"],
)
def test_tokens_in_another_order_than_row_by_row_are_refused(shuffle: Change) -> None:
    model = Toy(Lambda(shuffle), Lambda(tokens_in_order)).double()

    with pytest.raises(LayerError, match=r"'layer' returns shape \(1, 576, 24\), but its places do not answer"):
        explain(model, square(), layers=["layer"])
    try:
        assert "layer" not in explain(model, square()).cams
    except ModelError as error:  # nor has any layer behind it a map
        assert "'last' returns shape (1, 4, 24, 24), but its places do not answer" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("shuffle", "back"),
    [
        (lambda maps: maps.transpose(2, 3), lambda cam: cam.T),  # column by column
        (lambda maps: maps.flip(3), lambda cam: cam.flip(1)),
    ],
    ids=["transposed", "mirrored"],
)
def test_tokens_of_a_turned_picture_are_turned_back(shuffle: Change, back: Change) -> None:
    model = Toy(Lambda(lambda maps: shuffle(maps).flatten(2).transpose(1, 2)), Lambda(tokens_in_order)).double()
    inputs = square()

    result = explain(model, inputs, layers=["layer"], target_classes=[1])

    in_network = LayerGradCam(model, model.back).attribute(inputs, 1)[0, 0].detach()
    found = torch.stack([result.cam().flatten(), back(in_network).flatten()])
    assert torch.corrcoef(found)[0, 1] > 0.999999
    assert "turned back" in result.notes[0]


class Mixed(nn.Module):
    """Channels as if they were tokens: a convolution over 256 of them, each of 14 x 14 places."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 256, 16, stride=16)
        self.mix = nn.Conv1d(256, 256, 1)
        self.head = nn.Linear(256, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.mix(self.conv(inputs).flatten(2)).relu().mean(2))


def test_as_many_channels_as_a_square_has_cells_are_not_taken_for_tokens() -> None:
    model, inputs = Mixed(), torch.randn(1, 3, 224, 224)

    assert layouts(model, inputs)["mix"] == Grid(TURNED, 14, 14)


def test_a_row_of_channels_is_no_map() -> None:
    rows = Lambda(lambda maps: maps.mean(3, keepdim=True))  # (1, channel, row, 1)
    model = Toy(rows, nn.Identity(), channels=SIZE).double()

    assert Grid(LAST, SIZE, SIZE) not in layouts(model, square()).values()
    pooled = Lambda(lambda maps: maps.mean((2, 3), keepdim=True).expand(-1, -1, SIZE, 1))
    with pytest.raises(LayerError, match="do not answer"):
        explain(Toy(pooled, nn.Identity()).double(), square(), layers=["layer"])


CHANNELS_EQUAL_A_SIDE = [
    ("torchvision", "convnext_tiny", 384, "features.0", FIRST),
    ("timm", "convnext_atto", 160, "stem.1", FIRST),
    ("timm", "convnextv2_atto", 160, "stem.1", FIRST),
    ("timm", "edgenext_xx_small", 96, "stem.1", FIRST),
    ("timm", "edgenext_xx_small", 192, "stages.1", FIRST),
    ("timm", "mambaout_femto", 192, "stages.0", LAST),
]


@pytest.mark.parametrize(("library", "name", "size", "layer", "order"), CHANNELS_EQUAL_A_SIDE)
def test_networks_are_read_the_right_way_where_channels_equal_a_side(
    library: str, name: str, size: int, layer: str, order: str
) -> None:
    torch.manual_seed(0)
    make = timm.create_model if library == "timm" else torchvision.models.get_model
    model, inputs = make(name, num_classes=3).eval(), torch.randn(1, 3, size, size)
    with runs_counted(model) as runs:
        cam = explain(model, inputs, layers=[layer], target_classes=[1]).cam(layer, 1)
    assert len(runs) <= 2

    seen, axes = Lambda(nothing), (0, 3, 1, 2) if order == LAST else (0, 1, 2, 3)  # captum takes channels first
    back = tuple(axes.index(axis) for axis in range(4))
    module = model.get_submodule(layer)
    module.register_forward_hook(lambda _, __, output: seen(output.permute(axes)).permute(back))
    oracle = LayerGradCam(model, seen).attribute(inputs, 1)[0, 0].detach()
    assert torch.corrcoef(torch.stack([cam.flatten(), oracle.flatten()]))[0, 1] > 0.9999


def test_what_is_no_map_and_what_is_in_another_order_is_refused_in_coat_and_hiera() -> None:
    torch.manual_seed(0)
    coat, hiera = timm.create_model("coat_lite_tiny", img_size=96), timm.create_model("hiera_tiny_224")
    small, inputs = torch.randn(1, 3, 96, 96), torch.randn(1, 3, 224, 224)

    assert not [name for name in layouts(coat, small) if name.startswith("crpe")]
    for model, picture, layer in ((coat, small, "crpe1"), (coat, small, "crpe4"), (hiera, inputs, "blocks.4")):
        with pytest.raises(LayerError, match=f"'{layer}' returns shape .* do not answer"):
            layouts(model, picture, [layer])
    assert layouts(hiera, inputs, ["blocks.11"]) == {"blocks.11": Grid(TOKENS, 7, 7)}  # here the order is row by row


@pytest.mark.parametrize(
    ("make", "size", "passes"),
    [
        (lambda: torchvision.models.resnet34(), 64, 1),
        (lambda: torchvision.models.swin_t(), 64, 1),
        (lambda: timm.create_model("vit_tiny_patch16_224"), 224, 1),
        (lambda: torchvision.models.vit_b_16(image_size=64), 64, 2),
    ],
    ids=["resnet34", "swin", "timm's ViT", "torchvision's ViT"],
)
def test_the_network_is_asked_only_where_there_is_a_doubt(
    make: Callable[[], nn.Module], size: int, passes: int
) -> None:
    torch.manual_seed(0)
    model = make()
    nn.init.normal_(list(model.parameters())[-2])  # torchvision's ViT starts with a head of zeros

    with runs_counted(model) as runs:
        explain(model, torch.randn(1, 3, size, size), target_classes=[0])

    assert len(runs) == passes


class Idle(nn.Module):
    """A branch that runs and is not used, one that is cut off, and one whose output is all zeros behind a ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Conv2d(3, 4, 3, padding=1)
        self.dead = nn.Conv2d(4, 4, 3, padding=1)
        nn.init.constant_(self.dead.bias, -1e3)
        self.used = nn.Conv2d(4, 4, 3, padding=1)
        self.idle = nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Linear(4, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        body = self.backbone(inputs).detach()
        used = self.used(body) + self.dead(body).relu()
        self.idle(used)
        return self.head(used.mean((2, 3)))


def test_layers_without_a_part_in_the_logits_are_left_out_and_refused_by_name() -> None:
    model, inputs = Idle().double(), square()

    assert set(explain(model, inputs).cams) == {"dead", "used"}
    for layer in ("idle", "backbone"):
        with pytest.raises(LayerError, match=f"'{layer}' has no part in the logits"):
            explain(model, inputs, layers=["used", layer])
    with pytest.raises(ModelError, match="carry no gradient back"):  # nothing that the logits use is recorded
        explain(model, inputs, layers=["backbone"])
    assert not explain(model, inputs, layers=["dead"]).cam("dead", 0).any()  # used, with a gradient of zeros


def test_a_network_of_which_no_layer_answers_is_refused_with_the_reason() -> None:
    class Shuffled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            order = torch.randperm(SIZE * SIZE, generator=torch.Generator().manual_seed(0))
            self.form = Lambda(lambda maps: maps.flatten(2)[:, :, order].transpose(1, 2))
            self.norm = nn.LayerNorm(3)
            self.head = nn.Linear(3, 2)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.head(self.norm(self.form(inputs)).relu().mean(1))

    with pytest.raises(ModelError, match=r"no spatial layer. Layer 'norm' returns shape .* do not answer"):
        explain(Shuffled().double(), square())


def test_values_that_are_no_numbers_do_not_decide() -> None:
    ways = [Grid(FIRST, 4, 4), Grid(LAST, 4, 4)]
    for value in (0.0, float("nan"), float("inf")):
        found = ask(
            lambda _, names, value=value: {name: torch.full((1, 4, 4, 4), value) for name in names},
            torch.zeros(1, 3, 8, 8),
            {"layer": torch.zeros(1, 4, 4, 4)},
            {"layer": ways},
        )
        assert not found.grids
        assert "do not answer" in found.reasons["layer"]


def test_a_network_that_changes_its_form_with_the_picture_does_not_decide_either() -> None:
    found = ask(
        lambda *_: {},
        torch.zeros(1, 3, 8, 8),
        {"layer": torch.zeros(1, 4, 4, 4)},
        {"layer": [Grid(FIRST, 4, 4), Grid(LAST, 4, 4)]},
    )
    assert found.reasons == {"layer": "returns shape (1, 4, 4, 4), but another shape for a changed picture"}


class Turned(nn.Module):
    """Two tokens of another kind around those of 4 x 6 places, which no convolution returned, column by column."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = nn.Unfold(4, stride=4)
        self.norm = nn.LayerNorm(48)
        self.head = nn.Linear(48, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        places = self.cut(inputs).unflatten(2, (4, 6)).transpose(2, 3).flatten(2).transpose(1, 2)
        return self.head(self.norm(nn.functional.pad(places, (0, 0, 1, 1), value=1.0)).square().mean(1))


def test_a_size_that_is_given_is_used_without_a_question_and_checked_by_its_cells() -> None:
    model, inputs = Turned().double(), torch.randn(1, 3, 16, 24, dtype=torch.float64)

    with pytest.raises(LayerError, match="do not answer"):
        explain(model, inputs, layers=["norm"])
    with runs_counted(model) as runs:
        result = explain(model, inputs, layers=["norm"], target_classes=[1], grid={"norm": (6, 4, 1)})
    own = model.norm(nn.functional.pad(model.cut(inputs).unflatten(2, (4, 6)).transpose(2, 3).flatten(2), (1, 1)).mT)
    places = own[0, 1:-1].detach().requires_grad_()
    (gradient,) = torch.autograd.grad((model.head.weight[1] * places.square().mean(0)).sum(), places)
    expected = (places * gradient.mean(0)).sum(1).detach().unflatten(0, (6, 4))

    assert len(runs) == 1
    assert torch.corrcoef(torch.stack([result.cam("norm", 1).flatten(), expected.flatten()]))[0, 1] > 0.999999
    assert result.code.rstrip().endswith("grid={'norm': (6, 4, 1)})")
    assert explain(model, inputs, grid=(13, 2)).cam("norm", 0).shape == (13, 2)
    for grid in ((7, 7), {"norm": (6, 4, 3)}):
        with pytest.raises(
            LayerError, match=r"'norm' returns shape \(1, 26, 48\), which does not hold a map of \d rows"
        ):
            explain(model, inputs, layers=["norm"], grid=grid)
    with pytest.raises(LayerError, match="No layer of this choice returns a map of 7 rows and 7 columns"):
        explain(model, inputs, grid=(7, 7))
    with pytest.raises(LayerError, match="'head' is not among the layers chosen"):
        explain(model, inputs, layers=["norm"], grid={"head": (2, 1)})


@pytest.mark.parametrize(
    "grid", [(4,), (4, 6, 1), (4, 0), (4.0, 6), "46", {"norm": 24}, {"norm": (4, 6, -1)}, {1: (4, 6)}]
)
def test_a_size_of_another_form_is_refused_before_the_network_runs(grid: Any) -> None:
    with (
        runs_counted(model := Turned().double()) as runs,
        pytest.raises(LayerError, match=r"grid is .* pass grid=\(14, 14\)"),
    ):
        explain(model, square(), grid=grid)
    assert not runs

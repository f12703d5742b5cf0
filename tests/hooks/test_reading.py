"""Where shapes tell how a layer is read, but something before it may have moved the picture."""

import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import LayerError
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.layers import candidate_layers
from camwidget.hooks.layout import FIRST, Grid
from camwidget.hooks.moves import MOVES
from camwidget.hooks.probe import convolutions_noted
from camwidget.hooks.reading import Shown, read
from camwidget.hooks.traced import recorded_from
from camwidget.pictures.explain import explain
from tests.hooks.moving import Moving, photo

MIRRORED = next(move for move in MOVES if str(move) == "mirrored left to right")


def grids_of(model: nn.Module, pixels: Tensor) -> tuple[dict[str, Grid], dict[str, str]]:
    with LayerCapture(model, candidate_layers(model)) as capture:
        recorded = recorded_from(pixels)
        with convolutions_noted(model, recorded) as noted:
            capture.forward(recorded)
        return read(Shown(capture, pixels, noted, {}), {}, target=0)


def mirroring(*second: nn.Module) -> Moving:
    """What comes behind the mirror."""
    torch.manual_seed(1)
    model = Moving(between=lambda x: x.flip(3))
    model.second = nn.Sequential(*second)
    return model.double().eval()


def test_a_few_cells_behind_a_mirror_are_refused_for_nothing_tells_how_they_lie() -> None:
    model = mirroring(nn.Conv2d(6, 5, 8, stride=8))  # 2 rows of 3 cells

    grids, reasons = grids_of(model, photo())

    assert list(grids) == ["first"]
    assert "so few cells do not tell how they lie" in reasons["second.0"]
    with pytest.raises(LayerError, match=r"'second\.0' returns shape"):
        explain(model, photo(), layers=["second.0"])


def test_a_few_cells_lie_as_the_larger_map_behind_the_same_mirror() -> None:
    model = mirroring(nn.Conv2d(6, 6, 3, padding=1), nn.Conv2d(6, 5, 8, stride=8))

    grids, _ = grids_of(model, photo())

    assert grids["second.0"] == Grid(FIRST, 16, 24, move=MIRRORED)
    assert grids["second.1"] == Grid(FIRST, 2, 3, move=MIRRORED)


def test_a_few_cells_behind_what_only_looks_like_a_move_are_read_as_their_shape_says() -> None:
    class Attending(Moving):
        """Tokens of 2 x 3 places, whose axes are swapped as heads and tokens are."""

        def forward(self, inputs: Tensor) -> Tensor:
            hidden = self.first(inputs)
            heads = hidden.flatten(2).unflatten(1, (2, 3)).transpose(1, 2).transpose(1, 2).flatten(1, 2)
            return self.head(self.second(heads.unflatten(2, hidden.shape[2:])).mean(dim=(2, 3)))

    torch.manual_seed(1)
    model = Attending().double().eval()
    model.first, model.second = nn.Conv2d(3, 6, 16, stride=16).double(), nn.Conv2d(6, 5, 1).double()

    grids, _ = grids_of(model, photo())

    assert grids == {"first": Grid(FIRST, 2, 3), "second": Grid(FIRST, 2, 3)}


def test_what_lies_before_a_layer_that_is_asked_for_alone_counts() -> None:
    order = torch.randperm(16 * 24, generator=torch.Generator().manual_seed(0))
    model = Moving(between=lambda x: x.flatten(2)[..., order].unflatten(2, (16, 24))).double()

    with pytest.raises(LayerError, match="do not answer to those of the picture"):
        explain(model, photo(), layers=["second"])
    told = explain(model, photo(), layers=["second"], grid=(8, 12))
    assert tuple(told.cam().shape) == (8, 12)

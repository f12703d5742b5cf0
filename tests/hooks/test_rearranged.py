"""Places that are put into another order by reshaping and permuting: seen in the graph, and no map is shown."""

from collections.abc import Callable

import pytest
import timm
import torch
from torch import Tensor, nn

from camwidget.errors import LayerError
from camwidget.hooks.graph import leading_to
from camwidget.hooks.moves import doubt_behind, doubtful_moves
from camwidget.hooks.rearranged import Cut, left_open
from camwidget.pictures.explain import explain
from tests.hooks.moving import Change, Moving, photo

SIZE = (8, 12)


def windows(x: Tensor) -> Tensor:
    """Windows of 4x4 places, each a row of the batch: (window, place, channel)."""
    _, c, h, w = x.shape
    return x.reshape(1, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 3, 5, 1).reshape(-1, 16, c)


def together(parts: Tensor, c: int, h: int, w: int) -> Tensor:
    return parts.reshape(1, h // 4, w // 4, 4, 4, c).permute(0, 5, 1, 3, 2, 4).reshape(1, c, h, w)


def attended(x: Tensor) -> Tensor:
    """What a block with windows does: they are cut, something is computed in each, and they are put together."""
    parts = windows(x)
    return together(parts + parts.softmax(dim=1), *x.shape[1:])


REARRANGING: dict[str, Change] = {
    "every fourth row and column together": lambda x: (
        x.unflatten(2, (-1, 4)).unflatten(4, (-1, 4)).permute(0, 1, 3, 2, 5, 4).reshape(x.shape)
    ),
    "of windows, one after the other": lambda x: windows(x).permute(2, 0, 1).reshape(x.shape),
    "of windows that were computed with": lambda x: windows(x).softmax(dim=1).permute(2, 0, 1).reshape(x.shape),
    "of windows by their own operation": lambda x: (
        x.unfold(2, 4, 4).unfold(3, 4, 4).reshape(1, x.shape[1], -1).reshape(x.shape)
    ),
    "rows only": lambda x: x.unflatten(2, (-1, 4)).transpose(2, 3).reshape(x.shape),
    "rows as long as columns": lambda x: x.reshape(*x.shape[:2], x.shape[3], x.shape[2]).transpose(2, 3),
    "a row of places": lambda x: x.flatten(2).unflatten(2, (-1, 6)).transpose(2, 3).reshape(x.shape),
    "channels last": lambda x: (
        x.permute(0, 2, 3, 1).unflatten(1, (4, -1)).transpose(1, 2).flatten(1, 2).permute(0, 3, 1, 2)
    ),
}

IN_PLACE: dict[str, Change] = {
    "windows that are put together": attended,
    "windows twice": lambda x: attended(attended(x)),
    "heads": lambda x: x.flatten(2).unflatten(1, (2, -1)).transpose(2, 3).softmax(3).transpose(2, 3).reshape(x.shape),
    "channels shuffled": lambda x: x.unflatten(1, (2, -1)).transpose(1, 2).flatten(1, 2),
    "places into channels": lambda x: (
        x.unflatten(2, (-1, 2)).unflatten(4, (-1, 2)).permute(0, 1, 3, 5, 2, 4).flatten(1, 3)
    ),
    "channels into places": lambda x: (
        x.unflatten(1, (-1, 1, 2)).permute(0, 1, 4, 2, 5, 3).reshape(1, x.shape[1] // 2, x.shape[2], -1)
    ),
    "there and back": lambda x: together(windows(x), *x.shape[1:]),
}


def is_doubtful(change: Callable[[Tensor], Tensor], *, channels: int = 4) -> bool:
    before = torch.rand(1, channels, *SIZE, requires_grad=True).relu()
    after = change(before).sigmoid()
    return doubt_behind(after.grad_fn, doubtful_moves(leading_to(after.grad_fn), {SIZE})) is not None


@pytest.mark.parametrize("name", REARRANGING)
def test_places_in_another_order_are_a_doubt(name: str) -> None:
    assert is_doubtful(REARRANGING[name])


@pytest.mark.parametrize("channels", [4, 8, 12])
@pytest.mark.parametrize("name", IN_PLACE)
def test_what_leaves_places_where_they_are_is_no_doubt(name: str, channels: int) -> None:
    assert not is_doubtful(IN_PLACE[name], channels=channels)


@pytest.mark.parametrize("name", REARRANGING)
def test_behind_places_in_another_order_no_layer_has_a_map(name: str) -> None:
    torch.manual_seed(1)
    model, inputs = Moving(between=REARRANGING[name]).double().eval(), photo(64, 96)

    assert set(explain(model, inputs).cams) == {"first"}
    with pytest.raises(LayerError, match="do not answer to those of the picture"):
        explain(model, inputs, layers=["second"])


@pytest.mark.parametrize("name", ["windows that are put together", "there and back", "heads"])
def test_behind_windows_that_are_put_together_the_map_is_the_one_worked_out_by_hand(name: str) -> None:
    torch.manual_seed(1)
    model, inputs = Moving(between=IN_PLACE[name]).double().eval(), photo(64, 96)
    seen = model.second(model.between(model.first(inputs).relu())).detach().requires_grad_()
    (slope,) = torch.autograd.grad(model.head(seen.relu().mean(dim=(2, 3)))[0, 1], seen)

    found = explain(model, inputs, layers=["second"], method="hires_cam", target_classes=[1])

    torch.testing.assert_close(found.cam(), (slope * seen)[0].sum(dim=0).detach())


class Between(nn.Module):
    """A layer works on the places in the order of their windows; behind it they are put together again."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.second, self.third = nn.Conv2d(6, 6, 1), nn.Conv2d(6, 5, 1)
        self.head = nn.Linear(5, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.first(inputs).relu()
        parts = self.second(windows(hidden).permute(2, 0, 1).reshape(hidden.shape)).relu()
        back = together(parts.reshape(6, -1, 16).permute(1, 2, 0), *hidden.shape[1:])
        logits: Tensor = self.head(self.third(back).relu().mean(dim=(2, 3)))
        return logits


def test_only_between_the_two_no_layer_has_a_map() -> None:
    torch.manual_seed(1)

    assert set(explain(Between().double().eval(), photo(64, 96)).cams) == {"first", "third"}


def test_a_cut_is_closed_by_as_many_joints_as_there_were_cuts() -> None:
    cut = Cut((1, 2, 4, 3, 4, 6), (0, 1, 3, 2, 4, 5))
    other = Cut((1, 3, 4, 2, 4, 6), (0, 1, 3, 2, 4, 5))

    assert left_open([cut])
    assert left_open([cut, cut, cut.undone])
    assert left_open([cut, other.undone])
    assert not left_open([cut, cut.undone, cut, cut.undone])
    assert not left_open([other.undone])


@pytest.mark.parametrize("size", [(64, 64), (64, 96)])
def test_parts_that_are_as_many_as_a_map_has_places_are_not_taken_for_one(size: tuple[int, int]) -> None:
    model = timm.create_model("mobilevitv2_050", pretrained=False, num_classes=5).eval()

    layers = explain(model, photo(*size).float()).cams

    assert {"stages.3.1", "stages.4.1"} <= set(layers)  # behind windows that are put together

"""Networks that move the picture inside: their maps lie on the picture that was given, or are refused."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import LayerError, ModelError
from camwidget.hooks.layout import FIRST, Grid, moved
from camwidget.hooks.moves import MOVES, doubt_behind, doubtful_moves, lies_in_place
from camwidget.pictures.explain import explain
from tests.hooks.moving import Change, Moving, photo


def by_hand(model: Moving, inputs: Tensor) -> Tensor:
    """Grad-CAM of class 1 at the second convolution, as it lies in the network."""
    seen = model.second(model.between(model.first(model.before(inputs)).relu())).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(model.head(seen.relu().mean(dim=(2, 3)))[0, 1], seen)
    return (gradient.mean(dim=(2, 3), keepdim=True) * seen).sum(dim=1).detach()[0]


BEFORE = {
    "mirrored": (lambda x: x.flip(3), lambda cam: cam.flip(1)),
    "upside down": (lambda x: x.flip(2), lambda cam: cam.flip(0)),
    "swapped": (lambda x: x.transpose(2, 3), lambda cam: cam.T),
    "turned": (lambda x: torch.rot90(x, 1, (2, 3)), lambda cam: torch.rot90(cam, -1, (0, 1))),
}


@pytest.mark.parametrize("width", [32, 48])
@pytest.mark.parametrize("name", BEFORE)
def test_a_map_lies_on_the_picture_that_was_given_and_the_note_says_that_it_was_turned_back(
    name: str, width: int
) -> None:
    torch.manual_seed(1)
    there, back = BEFORE[name]
    model, inputs = Moving(there).double().eval(), photo(width=width)

    result = explain(model, inputs, layers=["second"], target_classes=[1])

    torch.testing.assert_close(result.cam(), back(by_hand(model, inputs)))
    assert "turned back" in " ".join(result.notes)


@pytest.mark.parametrize("name", ["mirrored", "upside down", "swapped"])
def test_what_is_moved_between_two_layers_is_turned_back_behind_it_alone(name: str) -> None:
    torch.manual_seed(1)
    there, back = BEFORE[name]
    model, inputs = Moving(between=there).double().eval(), photo(width=32)

    result = explain(model, inputs, target_classes=[1])

    torch.testing.assert_close(result.cam("second"), back(by_hand(model, inputs)))
    assert "'second'" in result.notes[0]
    assert "more" not in result.notes[0]


def test_places_in_another_order_are_refused() -> None:
    order = torch.randperm(16 * 24, generator=torch.Generator().manual_seed(0))
    model = Moving(between=lambda x: x.flatten(2)[..., order].unflatten(2, (16, 24))).double()

    assert set(explain(model, photo()).cams) == {"first"}
    with pytest.raises(ModelError, match="do not answer to those of the picture"):
        explain(Moving(lambda x: x.roll((16, 24), (2, 3))).double(), photo())


def test_brightness_channels_and_size_are_no_move() -> None:
    picture = photo(48, 48)

    for given in (picture, picture * 5 - 3, nn.functional.avg_pool2d(picture, 2), nn.PixelUnshuffle(2)(picture)):
        assert lies_in_place(given, picture, is_first=True)
    for given in (picture.flip(3), picture.roll(16, 2), picture[:, :, :16], torch.rand_like(picture)):
        assert not lies_in_place(given, picture, is_first=True)
    assert lies_in_place(torch.rand_like(picture), picture, is_first=False)  # what another layer returned
    assert not lies_in_place(picture.flip(3), picture, is_first=False)


@pytest.mark.parametrize("change", [lambda x: x.flip(1), lambda x: x[:, [2, 1, 0]], lambda x: x.roll(1, 1)])
def test_channels_in_another_order_are_no_move(change: Change) -> None:
    runs: list[int] = []
    model = Moving(change).double()
    model.register_forward_pre_hook(lambda *_: runs.append(1))

    result = explain(model, photo())

    assert (set(result.cams), result.notes, len(runs)) == ({"first", "second"}, (), 1)


@pytest.mark.parametrize(
    ("change", "back"), [(torch.neg, Tensor.clone), (lambda x: x.flip(3), lambda cam: cam.flip(1))]
)
def test_layers_that_give_no_clear_answer_lie_as_those_before_them(change: Change, back: Change) -> None:
    torch.manual_seed(1)
    model = Moving(change).double().eval()
    model.first.stride = (8, 8)
    model.second = nn.Conv2d(6, 5, 7, padding=3).double()  # 4 x 6 cells, each of which sees the whole picture

    result = explain(model, photo(), layers=["first", "second"], target_classes=[1])

    torch.testing.assert_close(result.cam("second"), back(by_hand(model, photo())))


def test_a_part_of_the_picture_is_told() -> None:
    torch.manual_seed(1)
    result = explain(Moving(lambda x: x[:, :, 2:-2, 3:-3]).double(), photo())

    assert "28x42 places, and they are not the whole picture of 32x48" in result.notes[0]
    assert not explain(Moving().double(), photo()).notes


def test_only_operations_that_move_places_are_a_doubt() -> None:
    def doubt(change: Change, shape: tuple[int, ...] = (1, 3, 4, 6)) -> bool:
        node = change(torch.rand(shape, requires_grad=True)).grad_fn
        return doubt_behind(node, doubtful_moves([node], [(4, 6)])) is not None

    assert doubt(lambda x: x.flip(-1))
    assert doubt(lambda x: x.transpose(-2, -1))
    assert doubt(lambda x: x.permute(0, 3, 2, 1))
    assert doubt(lambda x: x.roll(1, 2))
    assert doubt(lambda x: x.view(1, 3, 4, 6), (1, 24, 3))  # tokens that are taken for channels
    assert not doubt(lambda x: x.permute(0, 2, 3, 1))
    assert not doubt(lambda x: x.transpose(2, 3), (1, 3, 8, 16))  # attention: no sides of a map
    assert not doubt(lambda x: x.view(1, 3, 4, 6), (1, 3, 24))
    assert not doubt(lambda x: x.view(1, 4, 6, 3), (1, 24, 3))


def test_every_move_is_undone_by_its_reverse() -> None:
    own = torch.arange(24.0).reshape(1, 2, 3, 4)

    for grid in moved([Grid(FIRST, 3, 4)], height=32, width=32):
        cells = grid.as_map([own])
        assert cells.shape[2:] == (grid.map_height, grid.map_width)
        assert torch.equal(grid.put_back(cells, own), own)
    assert len({str(move) for move in MOVES}) == 8


def in_another_order(x: Tensor) -> Tensor:
    turned = torch.zeros_like(x)
    for column in range(x.shape[3]):
        turned[..., column] = x[..., -1 - column]
    return turned


@pytest.mark.parametrize(
    "mirror",
    [
        lambda x: x @ torch.eye(x.shape[3], dtype=x.dtype).flip(0),
        lambda x: torch.stack(x.unbind(3)[::-1], 3),
        lambda x: torch.zeros_like(x).index_copy(3, torch.arange(x.shape[3] - 1, -1, -1), x),
        in_another_order,
    ],
    ids=["product", "stack", "index_copy", "assignment"],
)
def test_a_mirror_is_found_however_it_is_written(mirror: Change) -> None:
    torch.manual_seed(1)
    model, inputs = Moving(between=mirror).double().eval(), photo()

    result = explain(model, inputs, layers=["second"], target_classes=[1])

    torch.testing.assert_close(result.cam(), by_hand(model, inputs).flip(1))


ELSEWHERE = {
    "halves swapped": lambda x: torch.cat(x.chunk(2, 3)[::-1], 3),
    "shifted by a third": lambda x: x.roll((11, 16), (2, 3)),
    "shifted by an odd number": lambda x: x.roll((13, 17), (2, 3)),
    "tiled": lambda x: x.repeat(1, 1, 2, 2),
    "cut at one side": lambda x: x[:, :, 6:, 9:],
    "padded at one side": lambda x: nn.functional.pad(x, (x.shape[3] // 2, 0, x.shape[2] // 2, 0)),
    "padded below": lambda x: nn.functional.pad(x, (0, 0, 0, 8)),
    "padded with a mirror image": lambda x: nn.functional.pad(x, (24, 0, 16, 0), mode="reflect"),
    "padded with its edge": lambda x: nn.functional.pad(x, (24, 0, 16, 0), mode="replicate"),
    "padded with its other end": lambda x: nn.functional.pad(x, (24, 0, 16, 0), mode="circular"),
    "beside an empty part": lambda x: torch.cat([torch.zeros_like(x)[..., :24], x], 3),
    "cut at the end": lambda x: x[:, :, :-7],
    "sorted": lambda x: x.sort(3).values,
    "of even and odd columns": lambda x: torch.cat([x[..., ::2], x[..., 1::2]], 3),
    "frequencies": lambda x: torch.fft.fft2(x).abs(),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_lies_elsewhere_on_the_picture_has_no_map(name: str) -> None:
    torch.manual_seed(1)
    model = Moving(between=ELSEWHERE[name]).double().eval()

    assert set(explain(model, photo(64, 96)).cams) == {"first"}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("halves swapped", "parts put together"),
        ("shifted by a third", "a shift"),
        ("cut at one side", "a cut"),
        ("padded below", "a padding of 8 places at a side"),
        ("padded with a mirror image", "a padding of 24 places at a side"),
        ("padded with its other end", "a cut and parts put together"),
        ("sorted", "a sort"),
    ],
)
def test_a_refusal_names_what_was_seen_before_the_layer(name: str, told: str) -> None:
    torch.manual_seed(1)
    model = Moving(between=ELSEWHERE[name]).double().eval()

    with pytest.raises(LayerError, match=rf"before this layer\. Seen before it: {told}\."):
        explain(model, photo(64, 96), layers=["second"])


@pytest.mark.parametrize("size", [(32, 32), (64, 96)])
@pytest.mark.parametrize("pads", [(1, 1, 1, 1), (2, 0, 2, 0), (3, 3, 3, 3)])
def test_a_border_as_convolutions_add_one_is_no_doubt(pads: tuple[int, ...], size: tuple[int, int]) -> None:
    torch.manual_seed(1)
    model = Moving(between=lambda x: nn.functional.pad(x, pads)).double().eval()

    assert set(explain(model, photo(*size)).cams) == {"first", "second"}


def test_shifts_that_do_not_cancel_are_a_doubt_also_where_their_number_is_even() -> None:
    x = torch.rand(1, 3, 8, 12, requires_grad=True)
    twice, back = x.roll(3, 3).roll(2, -1), x.roll((-3, 2), (2, 3)).roll((3, -2), (2, 3))

    for y, is_doubtful in ((twice, True), (back, False)):
        nodes = [y.grad_fn, y.grad_fn.next_functions[0][0]]
        assert (doubt_behind(y.grad_fn, doubtful_moves(nodes, {(8, 12)})) is not None) == is_doubtful


def test_a_few_cells_behind_what_lies_elsewhere_have_no_map_either() -> None:
    torch.manual_seed(1)
    deep = nn.Sequential(nn.Conv2d(6, 6, 3, stride=2, padding=1), nn.ReLU(), nn.AvgPool2d(4))
    model = Moving(between=lambda x: deep(x.roll((11, 16), (2, 3)))).double().eval()
    deep.double()
    model.deep = deep  # so that its layers have names

    assert set(explain(model, photo(64, 96)).cams) == {"first"}


def test_a_refusal_proposes_only_layers_that_are_shown_when_they_are_asked_for() -> None:
    pad = partial(nn.functional.pad, pad=(24, 0, 16, 0))
    for model, layers, proposed in (
        (Moving(between=pad), ["second"], "Layers with a map here: 'first'"),
        (Moving(between=pad), ["first", "second"], "Layers with a map here: 'first'"),
        (Moving(pad), ["second"], "No layer of this network has a map here"),
    ):
        with pytest.raises(LayerError, match=proposed):
            explain(model.double().eval(), photo(64, 96), layers=layers)

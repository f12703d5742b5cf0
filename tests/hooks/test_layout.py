"""Outputs of every kind are read as maps by their shapes, and put back; expected places are worked out by hand."""

import pytest
import torch
import torchvision
from torch import Tensor, nn

from camwidget.errors import LayerError, MapError
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.layout import AHEAD, FIRST, LAST, TOKENS, TURNED, Grid, in_doubt, readings, readings_of
from camwidget.hooks.selection import open_capture
from camwidget.maps.methods import METHODS
from camwidget.pictures.explain import explain, explain_methods
from tests.toys import picture

SIDES = {"height": 64, "width": 96}

SHAPES: list[tuple[tuple[int, ...], Grid | None]] = [
    ((1, 40, 8, 12), Grid(FIRST, 8, 12)),
    ((1, 8, 12, 40), Grid(LAST, 8, 12)),
    ((1, 96, 15, 23), Grid(FIRST, 15, 23)),  # without padding, a border is lost
    ((1, 256, 6, 6), Grid(FIRST, 6, 6)),  # adaptive pooling leaves the proportions: what channels first puts out
    ((1, 24, 192), Grid(TOKENS, 4, 6)),
    ((1, 25, 192), Grid(TOKENS, 4, 6, 1)),
    ((1, 6, 192), Grid(TOKENS, 2, 3)),
    ((1, 35, 8), Grid(TOKENS, 5, 7)),  # a stride of 14 rounded up: 64 / 14 and 96 / 14
    ((1, 40, 1, 1), None),
    ((1, 1, 191), None),
    ((1, 30, 191), None),  # 24 places and 6 more, but no map of 4 x 6 was seen
    ((1, 191, 24), Grid(TURNED, 4, 6)),
    ((24, 1, 192), Grid(AHEAD, 4, 6)),
    ((6, 40, 8, 12), None),  # windows, folded into the batch
    ((1, 5), None),
]


@pytest.mark.parametrize(("shape", "expected"), SHAPES)
def test_the_proportions_of_the_picture_tell_the_likeliest_order(shape: tuple[int, ...], expected: Grid | None) -> None:
    assert next(iter(readings(shape, **SIDES)), None) == expected


@pytest.mark.parametrize(
    ("count", "seen", "expected"),
    [
        (29, [(4, 6)], Grid(TOKENS, 4, 6, 5)),  # a class token and four registers
        (26, [(4, 6)], Grid(TOKENS, 4, 6, 2)),  # a class and a distillation token
        (400, [(20, 20)], Grid(TOKENS, 20, 20)),  # a network that resizes its picture
        (401, [(20, 20), (14, 14)], Grid(TOKENS, 20, 20, 1)),
        (60, [(4, 6)], None),
        (24, [(24, 1), (4, 6)], Grid(TOKENS, 4, 6)),
        (19, [(3, 3)], None),  # nine places and ten others: more than half must be places
    ],
)
def test_tokens_that_are_no_place_are_what_is_left_of_a_map_that_was_seen(
    count: int, seen: list[tuple[int, int]], expected: Grid | None
) -> None:
    assert next(iter(readings((1, count, 1), seen=seen, **SIDES)), None) == expected


def test_a_square_picture_needs_no_stride() -> None:
    first, second, *_ = readings((1, 197, 768), height=224, width=224)
    assert (first, second) == (Grid(TOKENS, 14, 14, 1), Grid(TOKENS, 14, 14, 0, 1))
    assert readings((1, 729, 64), height=224, width=224)[0] == Grid(TOKENS, 27, 27)  # overlapping patches


def test_each_token_lands_on_its_place_and_goes_back() -> None:
    # Two channels, one class token, places numbered row by row: 1 to 6 and 10 to 60.
    own = torch.tensor([[[-1.0, -10.0]] + [[n, 10.0 * n] for n in range(1, 7)]], dtype=torch.float64)

    cells = Grid(TOKENS, 2, 3, 1).as_map([own])

    assert cells.tolist() == [[[[1, 2, 3], [4, 5, 6]], [[10, 20, 30], [40, 50, 60]]]]
    assert torch.equal(Grid(TOKENS, 2, 3, 1).put_back(cells, own), own)
    other = Grid(TOKENS, 2, 3, 1).put_back(2 * cells, own)
    assert torch.equal(other[:, 0], own[:, 0])
    assert torch.equal(other[:, 1:], 2 * own[:, 1:])


def test_channels_last_are_permuted_and_permuted_back() -> None:
    own = torch.arange(12.0).view(1, 2, 3, 2)

    cells = Grid(LAST, 2, 3).as_map([own])

    assert cells.tolist() == [[[[0, 2, 4], [6, 8, 10]], [[1, 3, 5], [7, 9, 11]]]]
    assert torch.equal(Grid(LAST, 2, 3).put_back(cells, own), own)


def test_half_precision_is_reckoned_in_single_and_put_back_in_half() -> None:
    own = torch.randn(1, 2, 3, 4).bfloat16()

    cells = Grid(FIRST, 3, 4).as_map([own])

    assert cells.dtype == torch.float32
    assert torch.equal(Grid(FIRST, 3, 4).put_back(cells, own), own)


def test_tokens_behind_their_channels_and_others_at_either_end_come_back_too() -> None:
    # One channel: two other tokens, places 1 to 6, one other token.
    own = torch.tensor([[[-1.0, -2.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, -3.0]]])
    for grid, form in ((Grid(TURNED, 2, 3, 2, 1), own), (Grid(TOKENS, 2, 3, 2, 1), own.transpose(1, 2))):
        cells = grid.as_map([form])

        assert cells.tolist() == [[[[1, 2, 3], [4, 5, 6]]]]
        assert torch.equal(grid.put_back(cells, form), form)
        assert grid.put_back(10 * cells, form).flatten().tolist() == [-1, -2, 10, 20, 30, 40, 50, 60, -3]


def test_tokens_ahead_of_the_batch_come_back_too() -> None:
    own = torch.arange(2 * 9 * 4.0).reshape(9, 2, 4)
    grid = Grid(AHEAD, 2, 3, 2, 1)

    read = grid.as_map([own])

    assert read.shape == (2, 4, 2, 3)
    assert torch.equal(read[1, :, 0, 1], own[3, 1])
    assert torch.equal(grid.put_back(read, own), own)
    assert readings((25, 1, 16), height=32, width=48, seen=[(4, 6)])[0] == Grid(AHEAD, 4, 6, 1)
    assert readings_of((6, 1, 5), rows=2, columns=3) == [Grid(AHEAD, 2, 3)]
    assert not readings((25, 2, 16), height=32, width=48, seen=[(4, 6)])


@pytest.mark.parametrize(
    ("shape", "doubt"),
    [
        ((1, 40, 8, 12), False),  # as a convolution returns it
        ((1, 40, 4, 6), False),  # half of it
        ((1, 40, 16, 24), True),  # no convolution has this size
        ((1, 8, 12, 40), False),  # the size of a convolution, with many channels
        ((1, 4, 6, 80), False),  # the next size, by merging patches
        ((1, 8, 12, 12), True),  # channels as many as columns
        ((1, 16, 24, 40), True),  # larger than any convolution
        ((1, 8, 12, 18), True),  # fits both ways
        ((1, 40, 8, 8), True),
        ((1, 96, 40), True),
    ],
)
def test_only_what_networks_of_pictures_return_every_day_is_beyond_doubt(shape: tuple[int, ...], doubt: bool) -> None:
    assert in_doubt(shape, seen={(8, 12), (8, 8)}, **SIDES) is doubt


def test_a_size_that_is_given_replaces_every_guess_if_it_has_as_many_cells() -> None:
    assert readings_of((1, 5, 3, 4), rows=3, columns=4) == [Grid(FIRST, 3, 4)]
    assert readings_of((1, 3, 4, 5), rows=3, columns=4) == [Grid(LAST, 3, 4)]
    assert readings_of((1, 14, 6), rows=3, columns=4) == [Grid(TOKENS, 3, 4, 2)]
    assert readings_of((1, 14, 6), rows=3, columns=4, extra=0) == [Grid(TOKENS, 3, 4, 0, 2)]
    assert readings_of((1, 6, 14), rows=3, columns=4, extra=1) == [Grid(TURNED, 3, 4, 1, 1)]
    assert readings_of((1, 14, 6), rows=3, columns=5) == readings_of((1, 14, 6), rows=3, columns=4, extra=3) == []
    assert readings_of((1, 5), rows=1, columns=5) == readings_of((2, 12, 6), rows=3, columns=4) == []


class Permuted(nn.Module):
    def __init__(self, *axes: int) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.permute(self.axes)


def test_a_layer_with_channels_last_has_the_map_of_the_same_layer_with_channels_first() -> None:
    body = (nn.Conv2d(3, 40, 3, padding=1), Permuted(0, 2, 3, 1), Permuted(0, 3, 1, 2))
    model = nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(40, 2)).double()

    for result in explain_methods(model, picture(), methods=METHODS, layers=["0", "1"]).values():
        torch.testing.assert_close(result.cam("1", 1), result.cam("0", 1), rtol=0, atol=1e-14)


class Tokens(nn.Module):
    """Patches of 3 x 3 as tokens behind `extra` others, mixed with one another; the head is given."""

    def __init__(self, read: str, *, extra: int = 1) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 6, 3, stride=3)
        self.others = nn.Parameter(torch.randn(1, extra, 6))
        self.block = nn.TransformerEncoderLayer(6, 2, 12, dropout=0.0, batch_first=True)
        self.last = nn.Identity()
        self.head = nn.Linear(6, 2)
        self.read = read

    def forward(self, inputs: Tensor) -> Tensor:
        places = self.patches(inputs).flatten(2).transpose(1, 2)
        tokens = self.last(self.block(torch.cat([self.others, places], dim=1)))
        read = {"class": tokens[:, 0], "places": tokens[:, self.others.shape[1] :].mean(1), "all": tokens.mean(1)}
        return self.head(read[self.read])


def test_the_gradient_of_tokens_agrees_with_finite_differences_place_by_place() -> None:
    model, inputs, step = Tokens("all", extra=2).double(), picture(), 1e-6

    result = explain(model, inputs, method="hires_cam", layers=["patches"], target_classes=[1])
    tokens = model.patches(inputs)
    for row, column in [(0, 0), (1, 2), (2, 3)]:
        ends = []
        for sign in (1, -1):
            moved = tokens.detach().clone()
            moved[0, :, row, column] *= 1 + sign * step
            hook = model.patches.register_forward_hook(lambda *_, moved=moved: moved)
            ends.append(model.eval()(inputs)[0, 1].item())
            hook.remove()
        assert result.cam("patches", 1)[row, column].item() == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-8)

    with_block = explain(model, inputs, method="hires_cam", layers=["block"], target_classes=[1]).cam("block", 1)
    out = []
    hook = model.block.register_forward_hook(lambda _, __, output: out.append(output.detach()))
    model.eval()(inputs)
    hook.remove()
    # All tokens are averaged: the gradient is the weight divided by their number, at every place alike.
    expected = (out[0][0, 2:] @ model.head.weight[1] / 14).view(3, 4)
    torch.testing.assert_close(with_block, expected, rtol=0, atol=1e-14)


def test_plain_cam_of_tokens_is_exact_where_only_the_places_are_averaged() -> None:
    model, inputs = Tokens("places").double(), picture()

    result = explain(model, inputs, method="cam", layers=["block"], target_classes=[0, 1])

    assert result.cam("block", 0).shape == (3, 4)
    torch.testing.assert_close(result.readouts["block"].bias, model.head.bias.detach(), rtol=0, atol=1e-14)
    for index in (0, 1):
        assert sum(result.contributions("block", index)) == pytest.approx(result.logits[index].item(), abs=1e-12)


def test_plain_cam_is_refused_where_the_class_token_is_averaged_too() -> None:
    with pytest.raises(MapError, match="would not add up"):
        explain(Tokens("all").double(), picture(), method="cam", layers=["block"])


def test_a_layer_whose_class_token_alone_is_read_has_no_map_and_is_left_out_of_the_choice() -> None:
    model, inputs = Tokens("class").double(), picture()

    assert list(explain(model, inputs).cams)[-1] != "block"
    with pytest.raises(LayerError, match=r"'block' returns 12 positions that the logits do not depend on.*other token"):
        explain(model, inputs, layers=["block"])
    with pytest.raises(LayerError, match="its other 3 tokens"):
        explain(Tokens("class", extra=3).double(), inputs, layers=["block"])


def test_a_replacement_comes_back_in_the_layers_own_form() -> None:
    model, inputs = Tokens("all", extra=2).double(), picture()
    with open_capture(model, inputs, ["block"]) as (capture, logits):
        same = capture.rerun(inputs, replace={"block": capture.activations["block"].detach()})
        zero = capture.rerun(inputs, replace={"block": torch.zeros_like(capture.activations["block"])})

    torch.testing.assert_close(same, logits, rtol=0, atol=1e-14)
    out: list[Tensor] = []
    with LayerCapture(model, ["block"]) as plain:
        plain.forward(inputs)
        out.append(plain.activations["block"].detach())
    expected = model.head(out[0][:, :2].sum(1) / 14)
    torch.testing.assert_close(zero, expected, rtol=0, atol=1e-14)


def test_a_classifier_of_zeros_says_nothing_about_tokens_and_has_no_plain_cam() -> None:
    model = torchvision.models.VisionTransformer(16, 4, 2, 2, 8, 16, num_classes=3)  # its head starts as zeros
    inputs = torch.randn(1, 3, 16, 16)

    found = explain_methods(model, inputs, methods=("cam", "eigen_cam"))

    assert [layer.name for layer in found["eigen_cam"].layers][-1] == "encoder.ln"
    assert not found["cam"].cams
    assert "all its weights are zero" in found["cam"].refusals["conv_proj"]


def test_a_map_cut_by_convolutions_is_not_taken_for_channels_last_where_its_own_sides_were_seen() -> None:
    assert in_doubt((1, 16, 24, 40), height=64, width=96, seen=[(24, 40), (16, 24)])

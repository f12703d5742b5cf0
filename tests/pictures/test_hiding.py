"""Hidden parts of a picture: which pixels change, where as much is hidden elsewhere, and what the network says."""

import pytest
import torch
from torch import Tensor, nn

from camwidget.pictures.hiding import MOST_PLACES, Region, elsewhere, hidden, without


@pytest.fixture
def pixels() -> Tensor:
    return torch.randn(1, 3, 20, 30)


@pytest.mark.parametrize("way", ["blur", "grey", "fill"])
def test_only_the_pixels_of_the_parts_change(pixels: Tensor, way: str) -> None:
    made = hidden(pixels, [Region(0.1, 0.2, 0.5, 0.5), Region(0.8, 0.9, 1.0, 1.0)], way=way)

    changed = (made != pixels).any(dim=1)[0]
    wanted = torch.zeros(20, 30, dtype=torch.bool)
    wanted[2:10, 6:15] = wanted[16:20, 27:30] = True
    assert torch.equal(changed, wanted)


def test_grey_is_zero_and_fill_is_the_mean_of_the_rim(pixels: Tensor) -> None:
    part = Region(0.25, 0.2, 0.5, 0.4)  # rows 5 to 9, columns 6 to 11

    assert not hidden(pixels, [part], way="grey")[..., 5:10, 6:12].any()
    filled = hidden(pixels, [part], way="fill")[0, :, 7, 8]
    rim = torch.cat(
        [pixels[0, :, 4, 5:13], pixels[0, :, 10, 5:13], pixels[0, :, 5:10, 5], pixels[0, :, 5:10, 12]], dim=1
    )
    assert torch.allclose(filled, rim.mean(dim=1), atol=1e-6)


def test_a_part_as_large_as_the_picture_has_no_rim_and_no_place_elsewhere(pixels: Tensor) -> None:
    whole = [Region(0.0, 0.0, 1.0, 1.0)]

    assert torch.allclose(hidden(pixels, whole, way="fill")[0, :, 0, 0], pixels.mean(dim=(0, 2, 3)), atol=1e-6)
    assert elsewhere(whole) == []


def test_parts_elsewhere_have_the_same_sizes_and_meet_nothing() -> None:
    parts = [Region(0.0, 0.0, 0.3, 0.2), Region(0.5, 0.5, 0.7, 0.9)]

    found = elsewhere(parts)

    assert 1 < len(found) <= MOST_PLACES
    for moved in found:
        for before, now in zip(parts, moved, strict=True):
            assert now.bottom - now.top == pytest.approx(before.bottom - before.top)
            assert now.right - now.left == pytest.approx(before.right - before.left)
            assert min(now.top, now.left) >= 0
            assert max(now.bottom, now.right) <= 1 + 1e-9
            assert not any(now.meets(other) for other in parts)
        assert not moved[0].meets(moved[1])
    assert len({tuple(moved) for moved in found}) == len(found)


def test_the_network_says_what_it_says_of_such_a_picture(pixels: Tensor) -> None:
    net = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 4)).train()
    part = [Region(0.0, 0.0, 0.5, 0.5)]

    found = without(net, pixels, part, way="grey")

    assert net.training
    assert torch.allclose(found.logits, net.eval()(hidden(pixels, part, way="grey"))[0], atol=1e-6)
    assert found.elsewhere.shape == (len(elsewhere(part)), 4)
    assert torch.allclose(found.elsewhere[0], net(hidden(pixels, list(found.example), way="grey"))[0], atol=1e-6)

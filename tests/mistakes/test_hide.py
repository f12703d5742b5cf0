"""A network that looks for a red mark and for nothing else: where the mark is decides what a test must find."""

from dataclasses import astuple
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.transforms.functional import gaussian_blur

from camwidget.errors import CamwidgetError, ClassError, DataError
from camwidget.mistakes.find import find_mistakes
from camwidget.mistakes.found import Found
from camwidget.mistakes.groups import Place, group_maps, strongest_place
from camwidget.mistakes.hide import blurred, elsewhere, hide_place, with_hidden
from tests.mistakes.small import loader, network, picture_folder

HEIGHT, WIDTH = 40, 60


def red_network() -> nn.Sequential:
    """Class 1 if some cell of 4 × 4 pixels is redder than 2; one cell's map value follows from its redness alone."""
    look = nn.Conv2d(3, 2, 4, stride=4)
    with torch.no_grad():
        look.weight.zero_()
        look.weight[0, 0] = 1 / 16
        look.bias.copy_(torch.tensor([-2.0, 1.0]))
    answer = nn.Linear(2, 2)
    with torch.no_grad():
        answer.weight.copy_(torch.tensor([[0.0, 0.0], [200.0, 0.0]]))
        answer.bias.copy_(torch.tensor([3.0, 0.0]))
    body = nn.Sequential(look, nn.ReLU())
    return nn.Sequential(body, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), answer)).eval()


def marked(places: list[tuple[int, int] | None], labels: list[int]) -> Found:
    """Pictures of noise, with a red mark of 8 × 8 pixels at a place, or without."""
    pixels = 0.2 * torch.randn(len(places), 3, HEIGHT, WIDTH)
    for picture, place in zip(pixels, places, strict=True):
        if place is not None:
            picture[0, place[0] : place[0] + 8, place[1] : place[1] + 8] = 4
    data = TensorDataset(pixels, torch.tensor(labels))
    return find_mistakes(red_network(), DataLoader(data, batch_size=16), layer="0", progress=False)


def in_one_corner() -> Found:
    return marked([(28, 48)] * 24 + [None] * 24, [0] * 18 + [1] * 6 + [0] * 24)


def anywhere() -> Found:
    spots = np.random.default_rng(1).permutation([(4 * y, 4 * x) for y in range(9) for x in range(14)])[:36]
    return marked([*map(tuple, spots.tolist()), *[None] * 24], [0] * 24 + [1] * 12 + [0] * 24)


def test_maps_that_look_at_one_corner_are_one_group_that_is_pointed_out() -> None:
    group = group_maps(in_one_corner())[0]

    assert group.rows == tuple(range(24))
    assert (group.said, group.errors, group.true) == ("class 1", 18, {"class 0": 18, "class 1": 6})
    assert group.pointed_out
    assert astuple(group.place) == pytest.approx((0.7, 0.8, 0.9, 14 / 15))
    assert group.place.words == "the lower right corner"
    assert np.unravel_index(group.mean.argmax(), group.mean.shape) in [(y, x) for y in (7, 8) for x in (12, 13)]


def test_hiding_the_mark_takes_the_answer_away_and_hiding_elsewhere_does_not() -> None:
    found = in_one_corner()
    group = group_maps(found)[0]

    test = hide_place(found, group)

    assert len(test.rows) == 12
    assert test.before == pytest.approx(torch.tensor([3.0, 200 * 8 / 150]).softmax(0)[1].item(), abs=1e-3)
    assert test.hidden < 0.1
    assert test.elsewhere == pytest.approx(test.before, abs=1e-3)
    assert test.low <= test.effect <= test.high
    assert test.needed
    assert test.changed == 12
    assert test.changed_elsewhere == 0
    assert test.righted == sum(int(found.codes[row, 0] == 0) for row in test.rows)
    assert test.others == 24
    assert test.others_before == pytest.approx(test.others_hidden, abs=1e-3)
    assert "needs the lower right corner" in str(test)
    assert "does not say what is there" in str(test)


def test_marks_that_lie_anywhere_are_not_pointed_out_and_no_place_is_needed() -> None:
    found = anywhere()

    groups = [group for group in group_maps(found, said=["class 1"]) if len(group) >= 12]

    assert groups
    assert not any(group.pointed_out for group in groups if len(group) >= 30)
    assert not any(hide_place(found, group).needed for group in groups if len(group) >= 30)


def test_a_place_of_ones_own_is_tested_with_all_pictures() -> None:
    found = in_one_corner()
    group = group_maps(found)[0]

    test = hide_place(found, group, place=Place(0, 0, 0.25, 0.25))

    assert len(test.rows) == 24
    assert not test.needed
    assert test.effect < 0.01


def test_the_same_seed_gives_the_same_test() -> None:
    found = in_one_corner()
    group = group_maps(found)[0]

    assert hide_place(found, group, seed=3) == hide_place(found, group, seed=3)


def test_places_elsewhere_are_as_large_and_have_nothing_in_common() -> None:
    place = Place(0.6, 0.5, 1, 1)

    for other in elsewhere(place):
        assert other.area == pytest.approx(place.area)
        assert other.bottom <= place.top + 1e-9 or other.right <= place.left + 1e-9
        assert min(other.top, other.left, 1 - other.bottom, 1 - other.right) >= -1e-9


def test_a_place_without_room_beside_it_cannot_be_tested() -> None:
    with pytest.raises(DataError, match=r"36% of the picture.*smaller place"):
        elsewhere(Place(0.2, 0.2, 0.8, 0.8))


def test_the_strongest_place_is_drawn_closer_until_there_is_room() -> None:
    mean = np.full((5, 5), 0.55)
    mean[2, 1:3] = 1

    assert strongest_place(mean) == Place(0.4, 0.2, 0.6, 0.6)
    assert strongest_place(-mean) == Place(0, 0, 1, 1)


def test_only_the_place_is_changed() -> None:
    pixels, other = torch.zeros(1, 3, 10, 20), torch.ones(1, 3, 10, 20)

    changed = with_hidden(pixels, other, Place(0.5, 0.25, 1, 0.5))

    expected: Tensor = torch.zeros(1, 3, 10, 20)
    expected[:, :, 5:10, 5:10] = 1
    assert torch.equal(changed, expected)
    assert not pixels.any()


@pytest.mark.parametrize(
    ("height", "width", "size", "sigma"), [(40, 64, 19, 3.6), (64, 40, 19, 3.6), (2, 5, 3, 1.0), (1, 3, 1, 1.0)]
)
def test_a_blur_along_rows_and_then_columns_is_a_blur_in_all_directions(
    height: int, width: int, size: int, sigma: float
) -> None:
    pixels = torch.randn(1, 3, height, width, dtype=torch.float64)

    assert torch.allclose(blurred(pixels), gaussian_blur(pixels, [size, size], [sigma, sigma]), rtol=0, atol=1e-12)


def test_too_few_pictures_or_no_model_are_refused(tmp_path: object) -> None:
    found = marked([(28, 48)] * 4 + [None] * 8, [0] * 12)
    group = next(group for group in group_maps(found) if group.said == "class 1")
    with pytest.raises(DataError, match=r"has 4 pictures.*needs 12"):
        hide_place(found, group)

    loaded = Found.load(found.save(f"{tmp_path}/kept"))
    with pytest.raises(DataError, match="loaded without a model"):
        hide_place(loaded, group)
    with pytest.raises(ClassError, match="no class 'dog'"):
        group_maps(found, said=["dog"])


def test_after_loading_with_a_model_the_files_are_read_again(tmp_path: Path) -> None:
    model, folder = network(), picture_folder(tmp_path / "pictures", count=14)
    found = find_mistakes(model, folder, class_names=["ant", "bee", "cow"], progress=False)
    group = max(group_maps(found), key=len)
    loaded = Found.load(found.save(tmp_path / "kept"), model=model)

    assert str(hide_place(loaded, group)) == str(hide_place(found, group))


@pytest.mark.parametrize("place", [(0, 0, 1, 1), Place(2, 2, 3, 3), Place(0.5, 0, 0.2, 1), Place(0, 0.3, 1, 0.3)])
def test_what_is_no_place_of_a_picture_is_refused(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = marked([(28, 48)] * 8, [0] * 8)

    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(DataError, match=r"place is .*edges from 0 to 1"):
        hide_place(found, group_maps(found)[0], place=place)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"confidence": float("nan")}, r"confidence is nan\. It is a number between 0 and 1"),
        ({"confidence": "high"}, "confidence is 'high'"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"activation": "softmx"}, "Did you mean 'softmax'"),
    ],
)
def test_numbers_that_make_no_sense_are_refused_in_words(
    asked: dict[str, Any], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    found = find_mistakes(network(), loader(6), progress=False)
    group = group_maps(found, said=found.table["said"].iloc[0])[0]  # one class, by its name

    with pytest.raises(CamwidgetError, match=says):
        hide_place(found, group, **{"place": Place(0.5, 0.5, 1.0, 1.0), **asked})


def test_a_place_of_words_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    found = find_mistakes(network(), loader(6), progress=False)

    with pytest.raises(CamwidgetError, match="place is Place"):
        hide_place(found, group_maps(found)[0], place=Place("0", 0, 1, 1))  # type: ignore[arg-type]


def test_what_is_no_group_and_no_class_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    found = find_mistakes(network(), loader(6), progress=False)

    with pytest.raises(CamwidgetError, match=r"group is an int.*cw.group_maps\(found\)\[0\]"):
        hide_place(found, 1)
    with pytest.raises(CamwidgetError, match=r"found is a str.*cw.find_mistakes"):
        group_maps("found")
    with pytest.raises(CamwidgetError, match="There is no class 'pig'"):
        group_maps(found, said=["pig"])

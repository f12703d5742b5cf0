"""The result: frozen, reproducible, and plain about maps and sums that it does not have."""

import dataclasses
import re
from typing import Any

import pytest
import torch
from torch import nn

from camwidget.errors import ClassError, LayerError, MapError
from camwidget.pictures.explain import explain, explain_methods
from tests.toys import (
    PooledLinear,
    picture,
)


def test_a_result_is_frozen() -> None:
    result = explain(PooledLinear().double(), picture())

    with pytest.raises(dataclasses.FrozenInstanceError):
        result.method = "cam"  # type: ignore[misc]
    with pytest.raises(TypeError):
        result.cams["body.1"] = result.cam()  # type: ignore[index]


def test_it_prints_as_one_line_however_much_it_holds() -> None:
    model, image = PooledLinear(12).double(), picture()
    names = ["a very long name " * 9, "line\nbreak", *map(str, range(10))]
    few = explain(model, image, layers=["body.4"], method="cam", target_classes=[1, 0], class_names=names)
    percent = [f"{float(few.probabilities[index]):.1%}" for index in (1, 0)]

    long = ("a very long name " * 9)[:39]
    assert repr(few) == (
        f"<Explanation by 'cam': layers 'body.4'; classes 1 'line\\nbreak' {percent[0]}, 0 '{long}…' {percent[1]}>"
    )
    many = explain_methods(model, image, methods=("cam", "grad_cam"), layers=["body.1"], target_classes=range(12))
    assert repr(many["cam"]).startswith("<Explanation by 'cam': no maps; classes 0 'class 0' ")
    told = re.fullmatch(r"<Explanation by 'grad_cam': layers 'body.1'; classes (.*)>", repr(many["grad_cam"]))
    assert told
    assert re.fullmatch(
        r"0 'class 0' \S+%, 1 'class 1' \S+%, 2 'class 2' \S+%, \.\.\. 11 'class 11' \S+% \(12\)", told[1]
    )


def test_the_code_reproduces_the_result() -> None:
    import camwidget as cw

    model, image = PooledLinear(12).double(), picture()
    first = explain(model, image, layers=["body.1", "body.4"], target_classes=[5, 1])
    names: dict[str, Any] = {"model": model, "image": image}

    exec(first.code, names)
    assert 'layers=["body.1", "body.4"], target_classes=[5, 1]' in first.code
    assert torch.equal(names["result"].cams["body.1"], first.cams["body.1"])

    lines = first.code_for("body.1", 1).strip().splitlines()
    assert lines[-1] == 'result.cam("body.1", target_class=1)'
    exec("\n".join(lines[:-1]), names)
    assert names["cw"] is cw
    assert torch.equal(eval(lines[-1], names), first.cam("body.1", 1))


def two_layers() -> nn.Module:
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    return nn.Sequential(
        body, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)
    ).double()


@pytest.mark.parametrize("layers", [None, ["0.1"]])
def test_plain_cam_is_refused_with_the_reason(layers: list[str] | None) -> None:
    with pytest.raises(MapError, match=r"ReLU, a second Linear layer and max pooling.*grad_cam"):
        explain(two_layers(), picture(), method="cam", layers=layers)


def test_an_invalid_layer_asked_for_by_name_is_refused_beside_a_valid_one() -> None:
    with pytest.raises(MapError, match=r"'body\.1'.*a convolution and ReLU"):
        explain(PooledLinear().double(), picture(), method="cam", layers=["body.1", "body.4"])


def test_beside_grad_cam_the_refusal_is_told_and_no_error() -> None:
    found = explain_methods(two_layers(), picture())

    assert not found["cam"].cams
    assert "max pooling" in found["cam"].refusals["0.1"]
    assert found["grad_cam"].cam("0.1").shape == (7, 10)
    for ask in (found["cam"].cam, found["grad_cam"].contributions):
        with pytest.raises(MapError, match="max pooling"):
            ask("0.1")


def test_contributions_need_plain_cam_to_have_been_tried() -> None:
    with pytest.raises(MapError, match=r"not checked.*methods=\('cam', 'grad_cam'\)"):
        explain(PooledLinear().double(), picture()).contributions()


def test_a_map_that_was_not_computed_is_answered_with_how_to_get_it() -> None:
    result = explain(PooledLinear().double(), picture(), layers=["body.4"], target_classes=[1])

    with pytest.raises(LayerError, match=r"'body\.1'.*'body\.4'"):
        result.cam("body.1")
    with pytest.raises(ClassError, match=r"Class 2 \(class 2\) has no map.*target_classes=\[2\]"):
        result.cam(target_class=2)

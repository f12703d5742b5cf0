"""The code that makes a result again: it runs, it says the learner's own names, and it never runs on something else."""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.transforms import v2

from camwidget.errors import MapError
from camwidget.maps.call import Call, filled, name_of, quoted
from camwidget.pictures.explain import explain, explain_methods
from camwidget.text.explain import explain_text
from tests.text.toys import Reviews
from tests.toys import PooledLinear, picture

MAIN = sys.modules["__main__"]


def run(code: str, **names: Any) -> Any:
    """The value of the last line of some code."""
    *lines, last = code.strip().splitlines()
    exec("\n".join(lines), names)
    return eval(last, names)


def test_a_learners_own_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    net, photo = PooledLinear().double(), picture()
    monkeypatch.setattr(MAIN, "net", net, raising=False)
    monkeypatch.setattr(MAIN, "photo", photo, raising=False)
    monkeypatch.setattr(MAIN, "_", photo, raising=False)

    result = explain(net, photo, layers=["body.4"])

    assert result.code == (
        'import camwidget as cw\n\nresult = cw.explain(net, photo, method="grad_cam", layers=["body.4"])\n'
    )
    assert torch.equal(run(result.code_for("body.4", 1), net=net, photo=photo), result.cam("body.4", 1))


def test_what_has_no_name_is_said_in_a_line_above() -> None:
    result = explain(PooledLinear().double(), picture())

    assert result.code.splitlines()[2:-1] == ["# model is your model", "# image is the picture you gave"]


def test_how_the_picture_was_made_ready_is_part_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    net, photo = PooledLinear(), np.arange(40 * 30 * 3, dtype=np.uint8).reshape(40, 30, 3)
    ready = nn.Sequential(
        v2.Resize(20), v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5], [0.25])
    )

    by_numbers = explain(net, photo, mean=np.float32(0.5), std=torch.tensor([0.5, 0.25, 0.5]), size=(24, 32))
    by_transform = explain(net, photo, transform=ready)

    assert "mean=0.5, std=(0.5, 0.25, 0.5), size=(24, 32))" in by_numbers.code
    assert by_transform.code.splitlines()[4] == "# transform is the function you gave"
    names = {"model": net, "image": photo, "transform": ready}
    for result in (by_numbers, by_transform):
        assert torch.equal(run(result.code_for("body.4", 1), **names), result.cam("body.4", 1))
    monkeypatch.setattr(MAIN, "ready", ready, raising=False)
    assert "transform=ready)" in explain(net, photo, transform=ready).code


def test_the_code_does_not_run_on_another_thing_of_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MAIN, "image", "another picture", raising=False)

    result = explain(PooledLinear().double(), picture())

    assert result.code.splitlines()[2:-1] == ["# model is your model", "image = ...  # the picture you gave"]


def test_what_has_no_name_can_be_read_from_what_holds_it() -> None:
    model, image = PooledLinear().double(), picture()
    holder = SimpleNamespace(model=model, image=image, text="seen")

    result = explain(model, image)
    owned = result.call.read_from("holder", subject="image")

    assert owned.lines().splitlines()[2:-1] == ["model = holder.model", "image = holder.image"]
    code = filled(owned.template(), "body.4", 1)
    assert torch.equal(run(code, holder=holder), result.cam("body.4", 1))
    written = explain_text(Reviews().double(), "The film was good").call.read_from("words", subject="text")
    assert written.lines().splitlines()[2:-1] == ["model = words.model", 'text = "The film was good"']


def test_a_text_without_a_name_is_written_out_whatever_is_in_it() -> None:
    model, text = Reviews().double(), 'The "film"\nwas {layer} \\ good 🎬'

    result = explain_text(model, text, method="grad_cam")

    assert torch.equal(run(result.code_for("conv2", 1), model=model), result.word_values("conv2", 1))


def test_the_name_of_a_text_is_that_of_an_equal_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MAIN, "review", "".join(["The film ", "was good"]), raising=False)

    assert explain_text(Reviews().double(), "The film was good").call.subject == "review"


def test_the_code_of_a_refused_map_prints_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    model, image = nn.Sequential(PooledLinear().double(), nn.Tanh()), picture()
    found = explain_methods(model, image, methods=("cam", "grad_cam"), layers=["0.body.4"])
    code = filled(found["cam"].call.template(refused=True), "0.body.4", 1)

    exec(code, {"model": model, "image": image})

    assert capsys.readouterr().out == found["cam"].refusals["0.body.4"] + "\n"
    with pytest.raises(MapError):
        run(filled(found["cam"].call.template(), "0.body.4", 1), model=model, image=image)


def test_names_of_layers_are_quoted_and_a_slot_in_a_name_is_no_slot() -> None:
    call = Call(method="cam")

    assert 'layers=["a\\"b{class}"]' in filled(call.template(), 'a"b{class}', 7)
    assert eval(quoted('a"b\\n\n ü🎬')) == 'a"b\\n\n ü🎬'


def test_a_few_class_names_are_written_out_and_many_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    model, image, many = PooledLinear(99).double(), picture(), [f"name {index}" for index in range(99)]

    assert 'class_names=["a", "b", "c"])' in explain(PooledLinear().double(), image, class_names=["a", "b", "c"]).code
    assert "class_names=class_names)" in explain(model, image, class_names=many).code
    monkeypatch.setattr(MAIN, "labels", many, raising=False)
    assert "class_names=labels)" in explain(model, image, class_names=many).code


def test_nothing_is_named_by_what_a_notebook_keeps_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    thing = object()
    for name in ("_", "_3", "Out", "In"):
        monkeypatch.setattr(MAIN, name, thing, raising=False)

    assert name_of(thing) is None

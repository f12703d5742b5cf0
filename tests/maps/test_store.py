"""Results are copied, pickled, written and read again; a file from anybody runs nothing."""

import copy
import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import camwidget
from camwidget.dispatch import load
from camwidget.errors import CamwidgetError, MapError
from camwidget.maps.activation import KNOWN, SIGMOID, SOFTMAX
from camwidget.maps.result import LayerMaps
from camwidget.maps.results import Explanations
from camwidget.maps.store import FORMAT
from camwidget.pictures.explain import explain, explain_methods
from camwidget.pictures.result import Explanation
from camwidget.text.explain import explain_text
from camwidget.text.result import TextExplanation
from tests.text.toys import Reviews
from tests.toys import PooledLinear, picture

NAMES = ["ant <b>", "bee", "“cat”"]


def through_a_file(result: Any, tmp_path: Path) -> Any:
    result.save(tmp_path / "result.npz")
    return load(tmp_path / "result.npz")


WAYS: list[Callable[[Any, Path], Any]] = [
    lambda result, _: pickle.loads(pickle.dumps(result)),
    lambda result, _: copy.deepcopy(result),
    lambda result, _: copy.copy(result),
    through_a_file,
]


def of_a_picture(**asked: Any) -> Explanation:
    return explain_methods(PooledLinear().double(), picture(), methods=("cam", "grad_cam"), class_names=NAMES, **asked)[
        "cam"
    ]


def of_a_text() -> TextExplanation:
    return explain_text(Reviews().double(), "The film was not “good” 😀", method="hires_cam")


def assert_equal(found: LayerMaps, right: LayerMaps) -> None:
    assert type(found) is type(right)
    assert repr(found) == repr(right)
    for name in ("method", "layers", "target_classes", "class_names", "refusals", "call"):
        assert getattr(found, name) == getattr(right, name)
    assert found.code == right.code
    assert torch.equal(found.logits, right.logits)
    assert torch.equal(found.answers, right.answers)
    assert list(found.cams) == list(right.cams)
    assert all(torch.equal(found.cams[name], cams) for name, cams in right.cams.items())
    assert list(found.readouts) == list(right.readouts)
    if found.readouts:
        assert found.contributions() == right.contributions()
    with pytest.raises(TypeError):
        found.cams["new"] = found.logits  # type: ignore[index]
    if isinstance(right, Explanation):
        assert isinstance(found, Explanation)
        assert (found.image.mode, found.image.tobytes()) == (right.image.mode, right.image.tobytes())
    if isinstance(right, TextExplanation):
        assert isinstance(found, TextExplanation)
        assert (found.text, found.tokens, found.words) == (right.text, right.tokens, right.words)
        assert found.notes == right.notes
        assert torch.equal(found.word_values(), right.word_values())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", [of_a_picture, of_a_text])
def test_a_result_comes_back_as_it_was(make: Callable[[], LayerMaps], way: Any, tmp_path: Path) -> None:
    right = make()

    assert_equal(way(right, tmp_path), right)


@pytest.mark.parametrize("way", WAYS)
def test_an_activation_with_a_name_is_itself_again(way: Any, tmp_path: Path) -> None:
    for right in (of_a_picture(), of_a_picture(activation="sigmoid")):
        assert way(right, tmp_path).activation is right.activation
    assert {pickle.loads(pickle.dumps(each)) is each for each in KNOWN} == {True}


@pytest.mark.parametrize("way", WAYS)
def test_of_a_function_of_ones_own_the_answers_are_kept(way: Any, tmp_path: Path) -> None:
    right = of_a_picture(activation=lambda logits: (logits * 3).sigmoid())

    found = way(right, tmp_path)

    assert_equal(found, right)
    assert (found.activation.name, found.activation.exclusive) == ("<lambda>", False)
    torch.testing.assert_close(found.probabilities, (right.logits * 3).sigmoid())
    with pytest.raises(MapError, match="keeps what the activation gave"):
        found.activation.function(right.logits[None] + 1)


@pytest.mark.parametrize("way", WAYS)
def test_several_results_come_back_as_they_were(way: Any, tmp_path: Path) -> None:
    right = camwidget.explain_batch(PooledLinear().double(), picture(batch=3), true_classes=[0, 1, 2])
    right = Explanations(right.results, one_by_one="because")

    found = way(right, tmp_path)

    assert isinstance(found, Explanations)
    assert found.one_by_one == "because"
    for one, other in zip(found, right, strict=True):
        assert_equal(one, other)


def test_a_part_of_a_batch_is_no_larger_than_it_must_be() -> None:
    results = camwidget.explain_batch(PooledLinear().double(), picture(batch=8))

    assert len(pickle.dumps(results[3])) < 1.1 * len(
        pickle.dumps(explain(PooledLinear().double(), picture(), layers=["body.4"], target_classes=[0]))
    )


def test_a_text_is_read_as_data_and_never_as_code(tmp_path: Path) -> None:
    array = np.array([print], dtype=object)
    np.savez(tmp_path / "evil.npz", json=array)

    with pytest.raises(CamwidgetError, match="does not hold results"):
        load(tmp_path / "evil.npz")


def planted(tmp_path: Path, change: Callable[[dict[str, Any], dict[str, np.ndarray]], Any]) -> Path:
    """A file in which something was changed."""
    of_a_picture().save(tmp_path / "right.npz")
    with np.load(tmp_path / "right.npz") as file:
        arrays = {name: file[name] for name in file.files}
    data = json.loads(arrays.pop("json").tobytes())
    change(data, arrays)
    arrays["json"] = np.frombuffer(json.dumps(data).encode(), dtype=np.uint8)
    np.savez(tmp_path / "wrong.npz", **arrays)  # type: ignore[arg-type]
    return tmp_path / "wrong.npz"


@pytest.mark.parametrize(
    "change",
    [
        lambda data, arrays: data.update(format=FORMAT + "1"),
        lambda data, arrays: data.pop("results"),
        lambda data, arrays: data["results"].append(data["results"][0]),
        lambda data, arrays: data["results"][0].update(kind="sound"),
        lambda data, arrays: arrays.pop("0/image"),
        lambda data, arrays: arrays.update({"0/image": np.zeros((3, 4, 5, 6))}),
        lambda data, arrays: data["results"][0].update(target_classes=[7]),
        lambda data, arrays: data["results"][0]["call"].update(other=1),
        lambda data, arrays: data["results"][0].update(activation={"name": "none such", "known": True}),
        lambda data, arrays: arrays.pop("0/logits"),
        lambda data, arrays: arrays.update({"0/logits": arrays["0/logits"][:1]}),
        lambda data, arrays: arrays.update({"0/cam/0": arrays["0/cam/0"][:1]}),
        lambda data, arrays: arrays.update({"x/y": arrays["0/logits"]}),
    ],
)
def test_a_damaged_file_is_refused_in_words(change: Any, tmp_path: Path) -> None:
    with pytest.raises(CamwidgetError, match="Make the result again and save it"):
        load(planted(tmp_path, change))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 half"])
def test_what_is_no_such_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file.npz").write_bytes(content)

    with pytest.raises(CamwidgetError, match="does not hold results"):
        load(tmp_path / "file.npz")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.npz")


def test_arrays_of_other_programs_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    (tmp_path / "array.npy").write_bytes(buffer.getvalue())

    for name in ("other.npz", "array.npy"):
        with pytest.raises(CamwidgetError, match="does not hold results"):
            load(tmp_path / name)


def test_a_name_without_an_ending_is_kept(tmp_path: Path) -> None:
    of_a_text().save(str(tmp_path / "result"))

    assert isinstance(load(str(tmp_path / "result")), TextExplanation)


def test_a_known_activation_knows_more_than_one_answer_after_pickling() -> None:
    logits: Tensor = torch.tensor([[1.0, 2]])

    for each in (SOFTMAX, SIGMOID):
        assert torch.equal(pickle.loads(pickle.dumps(each)).function(logits), each.function(logits))

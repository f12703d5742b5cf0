"""The errors and the two helpers that keep their messages useful."""

from pathlib import Path

import pytest

from camwidget import errors
from camwidget.errors import CamwidgetError, NotStoredError, a_kind, nearest, three_parts, typed


def test_every_error_is_a_value_error_that_can_be_caught_at_once() -> None:
    own = [thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, Exception)]

    assert len(own) == 14
    assert all(issubclass(error, CamwidgetError) and issubclass(error, ValueError) for error in own)
    assert issubclass(NotStoredError, RuntimeError)


@pytest.mark.parametrize(
    ("given", "allowed", "expected"),
    [
        ("layer44", ["layer3", "layer4", "fc"], "layer4"),
        ("0.9", ["0.0", "0.8", "stem"], "0.8"),
        ("TABBY", ["tiger", "Tabby", "tub"], "Tabby"),
    ],
)
def test_the_nearest_name_comes_first_in_its_own_spelling(given: str, allowed: list[str], expected: str) -> None:
    assert nearest(given, allowed)[0] == expected


def test_no_name_is_offered_where_none_is_alike() -> None:
    assert nearest("zebra", ["fc", "0.8"]) == []


def test_names_that_differ_by_case_only_are_both_offered_and_counted() -> None:
    assert nearest("cat", ["Cat", "CAT", "cart"], count=2) == ["Cat", "CAT"]


@pytest.mark.parametrize(
    ("name", "told"),
    [("int", "an int"), ("Tensor", "a Tensor"), ("_Odd", "an _Odd"), ("UNet", "a UNet"), ("Unicode", "a Unicode")],
)
def test_a_kind_has_its_article(name: str, told: str) -> None:
    assert a_kind(type(name, (), {})()) == told


def test_three_parts_become_three_sentences() -> None:
    assert three_parts("It has 3 layers", "0 to 2.", "Did you mean 2?") == "It has 3 layers. 0 to 2. Did you mean 2?"


def test_an_empty_part_leaves_no_stray_full_stop() -> None:
    assert three_parts("It is empty", "", " Give a picture ") == "It is empty. Give a picture."


def test_a_path_with_a_space_is_typed_in_quotation_marks_that_the_system_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert [typed(Path(each)) for each in ("my/course", "my course/a", "it's")] == [
        "my/course",
        "'my course/a'",
        "'it'\"'\"'s'",
    ]

    monkeypatch.setattr("sys.platform", "win32")
    assert [typed(Path(each)) for each in ("my/course", "my course/a")] == ["my/course", '"my course/a"']

"""The state of a panel and the traits that read from it, without a panel."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
import traitlets

from camwidget.panel.state import FlagSetting, NumberSetting, PanelState, Setting

OFFERED: Any = SimpleNamespace(
    layers=[SimpleNamespace(name="0.1"), SimpleNamespace(name="0.2")], target_classes=(7, 3, 5)
)


def state(**changes: Any) -> PanelState:
    known: dict[str, Any] = {"results": {"cam": None, "grad_cam": None}, "offered": OFFERED, "layer": "0.2"}
    return PanelState(**(known | {"target_class": 3, "method": "grad_cam", "shared_scale": False} | changes))


def test_a_control_is_where_the_state_says_and_gives_that_value_back() -> None:
    positions = state().positions()

    assert positions == {"layer": 1, "target_class": 1, "method": 1, "signed": 0, "shared_scale": 1}
    assert {name: state().value_at(name, place) for name, place in positions.items()} == {
        "layer": "0.2", "target_class": 3, "method": "grad_cam", "signed": True, "shared_scale": False,
    }  # fmt: skip


def test_a_control_without_positions_gives_its_value_itself() -> None:
    assert state().value_at("heatmap_opacity", 0.25) == 0.25


def test_only_what_differs_has_changed_and_tensors_are_compared_as_a_whole() -> None:
    first = torch.zeros(2)

    assert state().changed_since(state()) == []
    assert state(layer="0.1", signed=False).changed_since(state()) == ["layer", "signed"]
    assert state(results={"cam": first}).changed_since(state(results={"cam": torch.zeros(2)})) == ["results"]
    assert state(results={"cam": first}).changed_since(state(results={"cam": first})) == []


def test_other_classes_on_offer_are_a_change_of_their_own() -> None:
    others = SimpleNamespace(layers=OFFERED.layers, target_classes=(7, 3))

    assert state(offered=others).changed_since(state()) == ["offered", "target_classes"]


def test_a_setting_reads_from_the_state_and_hands_over_what_it_is_given() -> None:
    class Owner(traitlets.HasTraits):
        layer = Setting(None)
        signed = FlagSetting(True)
        opacity = NumberSetting(0.5, min=0.0, max=1.0)

        def __init__(self) -> None:
            self._state = SimpleNamespace(layer="0.2", signed=True, opacity=0.5)
            self.handed: list[tuple[str, Any]] = []
            super().__init__()

        def _set(self, name: str, value: Any) -> None:
            self.handed.append((name, value))

    owner = Owner()
    owner.layer = owner.signed = 5

    assert owner.handed == [("layer", 5), ("signed", 5)]  # whether they can be used is the panel's to say
    assert (owner.layer, owner.signed, owner.opacity) == ("0.2", True, 0.5)
    with pytest.raises(traitlets.TraitError):
        Owner.opacity._validate(owner, 1.5)

"""What a panel shows, in one piece, and the traits that are fields of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import traitlets
from torch import nn

from camwidget.errors import MapError, three_parts
from camwidget.hooks.layers import Layer, layer_name
from camwidget.maps.arguments import network_of


@dataclass(frozen=True, eq=False, kw_only=True)
class PanelState:
    """All that a panel shows. It is never changed, only replaced as a whole, so it is always consistent."""

    results: Mapping[str, Any] = field(default_factory=dict)
    """Method name to explanation, of what is shown."""
    offered: Any = None
    """The explanation whose layers and classes are offered, that with the most layers; None before the first."""
    layer: str = ""
    target_class: int | None = None
    method: str = ""
    signed: bool = True
    shared_scale: bool = True

    @property
    def layer_names(self) -> list[str]:
        """The layers that the slider offers, in its order."""
        return [layer.name for layer in self.offered.layers] if self.offered else []

    @property
    def target_classes(self) -> tuple[int, ...]:
        """The classes that the slider offers, in its order."""
        return self.offered.target_classes if self.offered else ()

    def by_subject(self) -> dict[str, Mapping[str, Any]]:
        """Return the explanations by the trait that holds what they explain."""
        raise NotImplementedError

    def choices(self) -> dict[str, Sequence[Any]]:
        """Return, for each trait whose control counts positions, the value at each of them."""
        return {
            "layer": self.layer_names,
            "target_class": self.target_classes,
            "method": list(self.results),
            "signed": (True, False),
            "shared_scale": (True, False),
        }

    def positions(self) -> dict[str, Any]:
        """Return where each control is: a position, or the value itself where the control has no positions."""
        return {name: values.index(getattr(self, name)) for name, values in self.choices().items()}

    def value_at(self, name: str, position: Any) -> Any:
        """Return the value of a trait when its control is at a position; see `positions`."""
        values = self.choices().get(name)
        return position if values is None else values[position]

    def changed_since(self, before: "PanelState") -> list[str]:
        """Return the names of what another state of the same panel has otherwise: fields, and the classes offered."""
        names = [*(each.name for each in fields(self)), "target_classes"]
        return [name for name in names if _differ(getattr(before, name), getattr(self, name))]


def _differ(before: Any, after: Any) -> bool:
    if before is after:
        return False
    try:
        return not bool(before == after)
    except (RuntimeError, ValueError):  # tensors and arrays are compared cell by cell
        return True


class Setting(traitlets.TraitType[Any, Any]):
    """A trait that is a field of the panel's state; the panel itself decides what setting it does.

    A property setter would read as well, but only a trait can be observed, linked and listed. So this one reads from
    the state and hands what it is given to the panel's `_set`, which checks, computes, commits, shows, and notifies.
    """

    def get(self, obj: Any, cls: type[Any] | None = None) -> Any:
        """Return the field of the state."""
        return getattr(obj._state, str(self.name))

    def set(self, obj: Any, value: Any) -> None:
        """Hand the value to the panel."""
        obj._set(self.name, value)


class NameSetting(Setting, traitlets.Unicode[Any, Any]):
    """A name: of a layer, of a method."""


def name_in(layer: Any, model: Any) -> Any:
    """Return the name of a layer that is given as a module or as a result's own; anything else as it is.

    Args:
        layer: what was set.
        model: the model of the panel.

    Raises:
        LayerError: the module is no part of the model.
    """
    return layer_name(layer, network_of(model)) if isinstance(layer, nn.Module | Layer) else layer


class LayerSetting(NameSetting):
    """The name of a layer; a module of the network, or a result's own `Layer`, stands for its name."""

    def validate(self, obj: Any, value: Any) -> Any:
        """Return the name, or refuse what is none."""
        return super().validate(obj, name_in(value, obj.model))


class FlagSetting(Setting, traitlets.Bool[Any, Any]):
    """Yes or no."""


class NumberSetting(Setting, traitlets.Float[Any, Any]):
    """A number within bounds."""

    def validate(self, obj: Any, value: Any) -> Any:
        """Refuse what is not a number, too: NaN is within all bounds."""
        if isinstance(value, float) and math.isnan(value):
            self.error(obj, value)
        return super().validate(obj, value)


class ChoiceSetting(Setting, traitlets.Enum[Any]):
    """One of a few words."""

    def validate(self, obj: Any, value: Any) -> Any:
        """Refuse what is no word: an array cannot be looked up among words."""
        if not isinstance(value, str):
            self.error(obj, value)
        return super().validate(obj, value)


def checked_place(name: str, place: Any) -> tuple[float, float] | None:
    """Return a place of a picture if it is one: row and column, both from 0 to 1, or None; [] stands for None too.

    Args:
        name: of the trait that it is for.
        place: what the trait was set to.

    Raises:
        MapError: it is none.
    """
    if place is None or (isinstance(place, Sequence) and not len(place)):
        return None
    if isinstance(place, Sequence) and not isinstance(place, str) and len(place) == 2:
        row, column = place
        if all(isinstance(each, int | float) and 0 <= each <= 1 for each in (row, column)):
            return float(row), float(column)
    given = f"{name} was set to {place!r}"
    allowed = "It is a row and a column of the picture, both from 0 to 1, or None"
    raise MapError(three_parts(given, allowed, f"Try {name} = (0.5, 0.5), the middle"))

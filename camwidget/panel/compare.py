"""Two things side by side: classes, methods, layers or pictures. Which two is state; the browser subtracts.

Classes and pictures keep their numbers, on one scale with their difference: on its own, a small difference would shout.
Methods and layers have other units, so each of their maps is taken in shares of its strongest cell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from camwidget.panel.modes import ModeState, WithModes
from camwidget.panel.state import ChoiceSetting, FlagSetting, NumberSetting, Setting, name_in

KINDS = ("class", "method", "layer", "picture")
"""What can be compared, in the order of the browser's choice."""

WAYS = ("difference", "swipe")
"""How it is shown, in that order too."""


@dataclass(frozen=True, eq=False, kw_only=True)
class CompareState(ModeState):
    """What a panel that compares shows besides."""

    others: Mapping[str, Any] = field(default_factory=dict)
    """Method name to explanation, of the second picture; empty without one."""
    compare: Any = None
    """The second picture, as it was given."""
    compare_by: str = KINDS[0]
    compare_as: str = WAYS[0]
    other_class: int | None = None
    other_method: str | None = None
    other_layer: str | None = None
    swipe: float = 0.5
    turned: bool = False

    def choices(self) -> dict[str, Any]:
        """Return, for each trait whose control counts positions, the value at each of them."""
        known = super().choices()
        # Before all others stands None, where the browser chooses: it knows what is shown while one slides.
        seconds = {f"other_{name}": (None, *known[of]) for name, of in _FIRSTS.items()}
        return known | seconds | {"compare_by": KINDS, "compare_as": WAYS, "turned": (False, True)}

    def positions(self) -> dict[str, Any]:
        """Return where each control is: a position, or the value itself where the control has no positions."""
        return super().positions() | {"swipe": self.swipe}


_FIRSTS = {"class": "target_class", "method": "method", "layer": "layer"}


class Comparing(WithModes):
    """A panel that shows two of its maps at once, and what is left when one is taken from the other.

    The first of the two is what the panel shows anyway. A subclass explains the second picture (`_explain_second`).
    """

    compare = Setting(None)
    """A second picture, to be compared with the first; None for none. Setting one shows the two."""
    compare_by = ChoiceSetting(KINDS, CompareState.compare_by)
    """What the two differ in: "class", "method", "layer" or "picture"."""
    compare_as = ChoiceSetting(WAYS, CompareState.compare_as)
    """"difference": both, and the first minus the second; "swipe": one over the other."""
    other_class = Setting(None)
    """The second class, by index or by name; None for the most probable one that is not shown anyway."""
    other_method = Setting(None)
    """The second method; None for the next one that has a map."""
    other_layer = Setting(None)
    """The second layer; None for the one before."""
    swipe = NumberSetting(CompareState.swipe, min=0.0, max=1.0)
    """How much of the first is seen of a picture that is swiped, from the left."""
    turned = FlagSetting(CompareState.turned)
    """The second minus the first: why that, and not this."""

    _state: CompareState
    _explained: ClassVar[tuple[str, ...]] = ()

    @property
    def compared(self) -> dict[str, Any]:
        """The explanations of the second picture, one per method; none without one."""
        return dict(self._state.others)

    def _explain_second(self, picture: Any, offered: Any) -> dict[str, Any]:
        """Explain the second picture for the layers and classes of an explanation of the first; by method."""
        raise NotImplementedError

    def _changes(self, name: str, value: Any) -> dict[str, Any]:
        if name in ("other_class", "other_method", "other_layer") and value is not None:
            return self._other(name, value)
        changes = self._second(value) if name == "compare" else super()._changes(name, value)
        offered = changes.get("offered")
        if offered is not None and self._state.other_class not in (None, *offered.target_classes):
            changes["other_class"] = None
        return changes

    def _other(self, name: str, value: Any) -> dict[str, Any]:
        """The fields that change where this is the second of two."""
        state = self._state
        if name == "other_method":
            self._check_method(value)
        if name == "other_layer":
            value = name_in(value, self.model)
            self._check_layer(value)
        if name != "other_class":
            return {name: value}
        index = state.offered.class_index(value)
        known = index in state.target_classes
        return {name: index} | ({} if known else self._with_classes((*state.target_classes, index)))

    def _second(self, picture: Any) -> dict[str, Any]:
        """The fields that change where this is the second picture."""
        state = self._state
        if picture is None:
            by = KINDS[0] if state.compare_by == "picture" else state.compare_by
            return {"compare": None, "others": {}, "compare_by": by}
        self.view.busy = f"Explaining the second {self._what}"
        try:
            others = self._explain_second(picture, state.offered)
        finally:
            self.view.busy = ""
        return {"compare": picture, "others": others, "compare_by": "picture", "mode": "compare"}

    def _do(self, content: Mapping[str, Any], buffers: Any) -> None:
        match content.get("do"):
            case "add other":
                self._set("other_class", content["index"], compare_by="class")
            case _:
                super()._do(content, buffers)

"""The stock ipywidgets controls of the panel, and the links that tie them to the view inside the browser."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from camwidget.maps.methods import METHOD_LABELS
from camwidget.maps.result import LayerMaps
from camwidget.panel.state import PanelState
from camwidget.panel.view import MapView
from camwidget.pictures.result import Explanation


class Controls:
    """Sliders and choices of one panel. They hold no meaning: they follow the panel's state, and tell of their moves.

    Args:
        methods: names of the methods to choose from, in the order of the view's.
    """

    def __init__(self, methods: Sequence[str]) -> None:
        style = {"description_width": "56px"}
        self.layer = ipywidgets.SelectionSlider(options=["-"], description="Layer", style=style)
        self.target_class = ipywidgets.SelectionSlider(options=["-"], description="Class", style=style)
        for slider in (self.layer, self.target_class):
            slider.add_class("camw-slider")
        self.method = _choice("Method", [METHOD_LABELS.get(each, each) for each in methods])
        self.cells = _choice("Cells", ["smooth", "cells"])
        self.evidence = _choice("Evidence", ["for and against", "only for"])
        self.scale = _choice("Scale", ["shared", "own"])
        self.opacity = ipywidgets.FloatSlider(
            0.7, min=0, max=1, step=0.05, description="Heatmap", readout=False, style={"description_width": "64px"}
        )
        self.opacity.add_class("camw-opacity")
        self.other_class = ipywidgets.Combobox(
            description="Another class",
            placeholder="type a name",
            ensure_option=True,
            style={"description_width": "initial"},
        )
        self.upload = ipywidgets.FileUpload(description="Your own picture", accept="image/*", multiple=False)
        self._offered: LayerMaps | None = None
        self._following = False  # True while the kernel moves the controls, which must then not tell

    def rows(self, *, more_classes: bool, picture: bool = True) -> tuple[ipywidgets.Widget, ...]:
        """Return the controls in rows; the box for another class only where there are more than the sliders offer.

        Args:
            more_classes: whether there are.
            picture: with the controls that make sense for pictures only.
        """
        if picture:
            looks = ipywidgets.HBox((self.method, self.cells, self.evidence, self.scale, self.opacity))
            more = ipywidgets.HBox((self.other_class, self.upload) if more_classes else (self.upload,))
            return (self.layer, self.target_class, looks, more)
        looks = ipywidgets.HBox((self.method, self.evidence, self.scale))
        return (self.layer, self.target_class, looks, *((self.other_class,) if more_classes else ()))

    def follow(self, state: PanelState) -> None:
        """Offer the layers and classes that there are, and stand where the state says.

        Args:
            state: the panel's.
        """
        before, self._following = self._following, True
        try:
            if state.offered is not None and state.offered is not self._offered:
                self._offer(state.offered)
            for name, position in state.positions().items():
                control, trait, _ = self._ties[name]
                setattr(control, trait, position)
        finally:
            self._following = before

    def link(self, view: MapView, on_move: Callable[[str, Any], None]) -> None:
        """Tie every control to the view inside the browser, and tell the kernel of each move.

        The kernel never answers a moved slider by moving the view: by the time its answer arrived the slider would
        have gone on, and the picture would jump back.

        Args:
            view: the view.
            on_move: is called with the panel's trait whose control was moved, and where the control is now.
        """
        for name, (control, trait, view_trait) in self._tied_to(view).items():
            ipywidgets.jslink((control, trait), (view, view_trait))
            control.observe(lambda change, name=name: self._tell(on_move, name, change["new"]), names=[trait])

    def shown(self, view: MapView) -> dict[str, Any]:
        """Return the view's traits that the controls decide, as the controls stand."""
        return {view_trait: getattr(control, trait) for control, trait, view_trait in self._tied_to(view).values()}

    def _tied_to(self, view: MapView) -> dict[str, tuple[ipywidgets.Widget, str, str]]:
        return {name: tie for name, tie in self._ties.items() if view.has_trait(tie[2])}

    @property
    def _ties(self) -> dict[str, tuple[ipywidgets.Widget, str, str]]:
        """By trait of the panel: its control, the control's trait, and the view's."""
        return {
            "layer": (self.layer, "index", "layer_index"),
            "target_class": (self.target_class, "index", "class_index"),
            "method": (self.method, "index", "method_index"),
            "smooth": (self.cells, "index", "cells"),
            "signed": (self.evidence, "index", "only_for"),
            "shared_scale": (self.scale, "index", "own_scale"),
            "heatmap_opacity": (self.opacity, "value", "heatmap_opacity"),
        }

    def _tell(self, on_move: Callable[[str, Any], None], name: str, position: Any) -> None:
        if not self._following:
            on_move(name, position)

    def _offer(self, result: LayerMaps) -> None:
        self.layer.options = [
            layer.label if isinstance(result, Explanation) else f"{layer.name} · {layer.channels} channels"
            for layer in result.layers
        ]
        self.target_class.options = _class_labels(result)
        self.other_class.options = result.class_names
        self._offered = result


def _choice(description: str, options: list[str]) -> ipywidgets.RadioButtons:
    choice = ipywidgets.RadioButtons(options=options, description=description, index=0, tooltip="")
    choice.add_class("camw-choice")
    return choice


def _class_labels(result: LayerMaps) -> list[str]:
    """Names with probabilities, most probable first, or with values; numbered where two classes share a name."""
    names = [result.class_names[index] for index in result.target_classes]
    return [
        f"{name} · {result.answer(index)}" + (f" · {index}" if names.count(name) > 1 else "")
        for name, index in zip(names, result.target_classes, strict=True)
    ]

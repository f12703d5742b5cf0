"""What every panel does: traits that are controls, refusals that are explained, sliders linked to one view."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import ipywidgets
import traitlets

from camwidget.errors import CamwidgetError, LayerError, MapError, nearest, three_parts
from camwidget.maps.result import LayerMaps
from camwidget.panel.controls import Controls
from camwidget.panel.export import page_html, save_page
from camwidget.panel.view import MapView


class Checked(traitlets.Any):
    """A trait of any value, None included, that always goes through its validator; traitlets lets None pass by."""

    allow_none = False


class SlidingPanel(ipywidgets.VBox):
    """Controls linked to one view; what is explained, and how, is a subclass's.

    A subclass sets `view` and `_controls` before it calls `super().__init__()`, and has a trait for what it explains.
    A validator works out what a new value needs and raises before anything has changed; an observer shows it.
    """

    layer = traitlets.Unicode()
    """Dotted name of the layer shown."""
    target_class = Checked()
    """Class shown; set it by index or by name, read it as an index. A class not offered yet is computed first."""
    method = traitlets.Unicode()
    """Method shown, one of `methods`."""
    signed = traitlets.Bool(True)
    """Show evidence against as well, or only evidence for."""
    shared_scale = traitlets.Bool(True)
    """One colour scale for all classes, or each class on its own."""

    view: MapView
    _controls: Controls
    _results: Mapping[str, LayerMaps]
    _first_methods: tuple[str, ...] = ("grad_cam",)  # the first of these that is offered is shown at first
    _leading = False  # True while the kernel moves the controls, which must then not answer

    @property
    def results(self) -> dict[str, Any]:
        """The explanations shown, one per method."""
        return dict(self._results)

    @property
    def result(self) -> Any:
        """The explanation of the method shown."""
        return self._results[self.method]

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(layer={self.layer!r}, target_class={self.target_class!r}, method={self.method!r})"
        )

    def save_html(self, path: Any) -> Path:
        """Write the panel as it stands to one HTML file that slides in any browser, without a kernel or a network.

        Args:
            path: of the file, a str or Path ending in .html; an existing file is replaced.

        Raises:
            ExportError: it cannot be written there.
        """
        labels = {
            "layers": list(self._controls.layer.options),
            "classes": list(self._controls.target_class.options),
            "methods": list(self._controls.method.options),
        }
        page = page_html(self.view, labels=labels, title=f"{type(self).__name__}", **self._controls.shown(self.view))
        return save_page(page, path)

    def _start(self, methods: Sequence[str]) -> None:
        """Link the controls, once there is something to show."""
        self.add_class("camw-panel")
        self.method = next((each for each in self._first_methods if each in methods), methods[0])
        self._controls.link(self.view, self._on_control)
        self._controls.other_class.observe(self._on_other_class, names=["value"])

    @traitlets.validate("target_class")
    def _check_class(self, proposal: dict[str, Any]) -> int:
        try:
            index: int = self._widest.class_index(proposal["value"])
        except CamwidgetError as error:
            raise self._refused(error) from None
        if index not in self._widest.target_classes:
            self._prepare((*self._widest.target_classes, index))
        return index

    @traitlets.validate("layer")
    def _check_layer(self, proposal: dict[str, Any]) -> str:
        name, known = str(proposal["value"]), self._layer_names
        if name not in known:
            given = f"The panel has no layer {name!r}."
            close = ", ".join(repr(each) for each in nearest(name, known))
            advice = f"Nearest: {close}. " if close else ""
            advice += f"For another layer of the model pass layers=[...] to {type(self).__name__}."
            raise self._refused(LayerError(three_parts(given, f"It slides over {', '.join(known)}.", advice)))
        return name

    @traitlets.validate("method")
    def _check_method(self, proposal: dict[str, Any]) -> str:
        method = str(proposal["value"])
        if method not in self._results:
            given, allowed = f"The panel has no method {method!r}.", f"It offers {', '.join(self._results)}."
            advice = f"Pass methods=[...] to {type(self).__name__} for others."
            raise self._refused(MapError(three_parts(given, allowed, advice)))
        return method

    @traitlets.observe("layer", "target_class", "method", "signed", "shared_scale")
    def _on_choice(self, _: Any) -> None:
        self._show_pending()
        self.view.message = ""
        self._select()

    def _refused(self, error: CamwidgetError) -> CamwidgetError:
        """Put the error into the message line too; what is shown stays."""
        self.view.message = str(error)
        return error

    @contextmanager
    def _busy(self, work: str) -> Iterator[None]:
        """Tell in the panel what is being worked out; no longer when it is done, whatever came of it."""
        self.view.busy = work
        try:
            yield
        finally:
            self.view.busy = ""

    def _prepare(self, target_classes: Sequence[int | str] | None) -> None:
        """Explain what is shown for these classes, to be shown by `_show_pending`."""
        raise NotImplementedError

    def _show_pending(self) -> None:
        """Show what a validator has prepared, if it has."""
        raise NotImplementedError

    def _show_anew(self) -> None:
        """Show another picture or text, at the layer that was shown and its own most probable class."""
        known = self.layer
        self._show_pending()
        with self.hold_trait_notifications():
            self.target_class = self._widest.target_classes[0]
            self.layer = known if known in self._layer_names else self._layer_names[-1]
        self._select()

    @property
    def _widest(self) -> Any:
        """The result with the most layers: plain CAM has few, Grad-CAM has all."""
        return max(self._results.values(), key=lambda result: len(result.cams))

    @property
    def _layer_names(self) -> list[str]:
        return [layer.name for layer in self._widest.layers]

    def _on_control(self, _: Any) -> None:
        """A control was moved in the browser: let the traits follow."""
        if self._leading:
            return
        with self.hold_trait_notifications():
            self._read_controls()

    def _read_controls(self) -> None:
        self.layer = self._layer_names[self._controls.layer.index]
        self.target_class = self._widest.target_classes[self._controls.target_class.index]
        self.method = tuple(self._results)[self._controls.method.index]
        self.signed = self._controls.evidence.index == 0
        self.shared_scale = self._controls.scale.index == 0

    def _select(self) -> None:
        """A trait was set: let the controls follow, where they differ."""
        if not self.layer or self.target_class is None or not self.method:
            return  # still being made
        with self._lead():
            self._move_controls()

    def _move_controls(self) -> None:
        self._controls.layer.index = self._layer_names.index(self.layer)
        self._controls.target_class.index = self._widest.target_classes.index(self.target_class)
        self._controls.method.index = list(self._results).index(self.method)
        self._controls.evidence.index = int(not self.signed)
        self._controls.scale.index = int(not self.shared_scale)

    @contextmanager
    def _lead(self) -> Iterator[None]:
        before, self._leading = self._leading, True
        try:
            yield
        finally:
            self._leading = before

    def _on_other_class(self, change: dict[str, Any]) -> None:
        if change["new"]:
            with suppress(CamwidgetError):  # it stands in the message line
                self.target_class = change["new"]
            self._controls.other_class.value = ""

"""The panel a learner slides over: stock ipywidgets controls linked to one `HeatmapView`. No arithmetic here."""

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import ipywidgets
import traitlets

from camwidget.controls import Controls
from camwidget.errors import CamwidgetError, LayerError, MapError, nearest, three_parts
from camwidget.explain import Explainable, Explanation, HookClass, Picture, explain_methods
from camwidget.render import contact_sheet
from camwidget.view import HeatmapView


class CamPanel(ipywidgets.VBox):
    """Slide across the layers and classes of a network and see what each says about a picture.

    All maps are computed once, when the panel is made; moving a slider then asks nothing of the kernel. Every control
    is a trait as well: `panel.layer = "0.5"` moves the slider, and moving the slider changes `panel.layer`. A value
    that cannot be used raises, is explained in the panel, and changes nothing.

    Args:
        model: a fastai Learner, or any classifier that takes a batch of pictures and returns logits.
        image: a PIL picture, a path, the bytes of a file, an array, or a normalised (1, 3, height, width) tensor.
        layers: dotted names to slide over; a good choice if None.
        target_classes: indices or names to offer; the ten most probable if None.
        class_names: what to call the classes; the learner's vocabulary if None.
        methods: which of the methods of `explain` to offer.
        hook: a class of your own that keeps the activations, see `explain`.
        hook_bwd: a class of your own that keeps the gradients.

    Raises:
        CamwidgetError: the picture, the model, a layer, a class or a hook cannot be used; the text says which and what
            to try.

    Example:
        panel = CamPanel(demo_learner(), demo_image("cat"))
        panel.layer = "0.5"
    """

    layer = traitlets.Unicode()
    """Dotted name of the layer shown."""
    target_class = traitlets.Any()
    """Class shown; set it by index or by name, read it as an index. A class not offered yet is computed first."""
    method = traitlets.Unicode()
    """Method shown, one of `methods`."""
    image = traitlets.Any()
    """The picture; set a new one to explain it."""
    heatmap_opacity = traitlets.Float(0.7, min=0.0, max=1.0)
    """From 0, only the picture, to 1."""
    smooth = traitlets.Bool(True)
    """Interpolate between cells, or show each cell as a block."""
    signed = traitlets.Bool(True)
    """Show evidence against as well, or only evidence for."""
    shared_scale = traitlets.Bool(True)
    """One colour scale for all classes, or each class on its own."""

    def __init__(
        self,
        model: Explainable,
        image: Picture,
        *,
        layers: Sequence[str] | None = None,
        target_classes: Sequence[int | str] | None = None,
        class_names: Sequence[str] | None = None,
        methods: Sequence[str] = ("cam", "grad_cam"),
        hook: HookClass | None = None,
        hook_bwd: HookClass | None = None,
    ) -> None:
        self._model = model
        self._asked: dict[str, Any] = {"methods": tuple(methods), "layers": layers, "class_names": class_names}
        self._asked |= {"hook": hook, "hook_bwd": hook_bwd}
        self._wanted_classes = target_classes
        self._results: Mapping[str, Explanation] = {}
        self._pending: Mapping[str, Explanation] | None = None
        self._leading = False  # True while the kernel moves the controls, which must then not answer
        self.view = HeatmapView()
        self._controls = Controls(methods)
        super().__init__()
        self.add_class("camw-panel")
        self.image = image
        self.method = "grad_cam" if "grad_cam" in methods else methods[0]
        self._controls.link(self.view, self._on_control)
        self._controls.other_class.observe(self._on_other_class, names=["value"])
        self._controls.upload.observe(self._on_upload, names=["value"])
        more_classes = len(self._widest.class_names) > len(self._widest.target_classes)
        self.children = (self.view, *self._controls.rows(more_classes=more_classes))

    @property
    def results(self) -> dict[str, Explanation]:
        """The explanations shown, one per method."""
        return dict(self._results)

    @property
    def result(self) -> Explanation:
        """The explanation of the method shown."""
        return self._results[self.method]

    def __repr__(self) -> str:
        return f"CamPanel(layer={self.layer!r}, target_class={self.target_class!r}, method={self.method!r})"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The live panel, and beside it a still picture for pages that run no kernel."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        still = io.BytesIO()
        contact_sheet(
            self.result if self.layer in self.result.cams else self._widest,
            layer=self.layer,
            target_class=self.target_class,
            heatmap_opacity=self.heatmap_opacity,
            smooth=self.smooth,
            signed=self.signed,
        ).save(still, format="JPEG", quality=88)
        bundle["image/jpeg"] = base64.b64encode(still.getvalue()).decode("ascii")
        return bundle

    # A validator works out what the new value needs and raises before anything has changed; an observer shows it.

    @traitlets.validate("image")
    def _check_image(self, proposal: dict[str, Any]) -> Any:
        self._pending = self._explain(proposal["value"], self._wanted_classes)
        return proposal["value"]

    @traitlets.validate("target_class")
    def _check_class(self, proposal: dict[str, Any]) -> int:
        try:
            index = self._widest.class_index(proposal["value"])
        except CamwidgetError as error:
            raise self._refused(error) from None
        if index not in self._widest.target_classes:
            self._pending = self._explain(self.image, (*self._widest.target_classes, index))
        return index

    @traitlets.validate("layer")
    def _check_layer(self, proposal: dict[str, Any]) -> str:
        name, known = str(proposal["value"]), self._layer_names
        if name not in known:
            given = f"The panel has no layer {name!r}."
            close = ", ".join(repr(each) for each in nearest(name, known))
            advice = f"Nearest: {close}. " if close else ""
            advice += "For another layer of the model pass layers=[...] to CamPanel."
            raise self._refused(LayerError(three_parts(given, f"It slides over {', '.join(known)}.", advice)))
        return name

    @traitlets.validate("method")
    def _check_method(self, proposal: dict[str, Any]) -> str:
        method = str(proposal["value"])
        if method not in self._results:
            given, allowed = f"The panel has no method {method!r}.", f"It offers {', '.join(self._results)}."
            raise self._refused(MapError(three_parts(given, allowed, "Pass methods=[...] to CamPanel for others.")))
        return method

    @traitlets.observe("image")
    def _on_image(self, _: Any) -> None:
        known = self.layer
        self._show_pending()
        with self.hold_trait_notifications():
            self.target_class = self._widest.target_classes[0]
            self.layer = known if known in self._layer_names else self._layer_names[-1]
        self._select()

    @traitlets.observe("layer", "target_class", "method", "heatmap_opacity", "smooth", "signed", "shared_scale")
    def _on_choice(self, _: Any) -> None:
        self._show_pending()
        self.view.message = ""
        self._select()

    def _explain(self, image: Picture, target_classes: Sequence[int | str] | None) -> Mapping[str, Explanation]:
        try:
            return explain_methods(self._model, image, target_classes=target_classes, **self._asked)
        except CamwidgetError as error:
            raise self._refused(error) from None

    def _refused(self, error: CamwidgetError) -> CamwidgetError:
        """Put the error into the message line too; what is shown stays."""
        self.view.message = str(error)
        return error

    def _show_pending(self) -> None:
        if self._pending is None:
            return
        self._results, self._pending = self._pending, None
        self.view.message = ""
        self.view.show(self._results)
        with self._lead():
            self._controls.offer(self._widest)

    @property
    def _widest(self) -> Explanation:
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
            self.layer = self._layer_names[self._controls.layer.index]
            self.target_class = self._widest.target_classes[self._controls.target_class.index]
            self.method = tuple(self._results)[self._controls.method.index]
            self.smooth = self._controls.cells.index == 0
            self.signed = self._controls.evidence.index == 0
            self.shared_scale = self._controls.scale.index == 0
            self.heatmap_opacity = self._controls.opacity.value

    def _select(self) -> None:
        """A trait was set: let the controls follow, where they differ."""
        if not self.layer or self.target_class is None or not self.method:
            return  # still being made
        with self._lead():
            self._controls.layer.index = self._layer_names.index(self.layer)
            self._controls.target_class.index = self._widest.target_classes.index(self.target_class)
            self._controls.method.index = list(self._results).index(self.method)
            self._controls.cells.index = int(not self.smooth)
            self._controls.evidence.index = int(not self.signed)
            self._controls.scale.index = int(not self.shared_scale)
            self._controls.opacity.value = self.heatmap_opacity

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

    def _on_upload(self, change: dict[str, Any]) -> None:
        if change["new"]:
            with suppress(CamwidgetError):  # it stands in the message line
                self.image = bytes(change["new"][0].content)
            self._controls.upload.value = ()

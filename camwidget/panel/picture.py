"""The panel a learner slides over: stock ipywidgets controls linked to one `HeatmapView`. No arithmetic here."""

import base64
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import traitlets

from camwidget.errors import CamwidgetError
from camwidget.hooks.learner_hooks import HookClass
from camwidget.maps.arguments import Explainable, methods_of
from camwidget.maps.methods import EXPENSIVE, METHOD_LABELS
from camwidget.maps.score_cam import Progress, cost_at
from camwidget.panel.base import Checked, SlidingPanel
from camwidget.panel.controls import Controls
from camwidget.panel.run_button import CostlyRun, joined, not_run, pass_seconds
from camwidget.panel.still import contact_sheet
from camwidget.panel.view import HeatmapView
from camwidget.pictures.explain import explain_methods
from camwidget.pictures.inputs import Picture
from camwidget.pictures.result import Explanation


class CamPanel(SlidingPanel):
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
        methods: which of the methods of `explain` to offer. Score-CAM is run when its button is pressed.
        hook: a class of your own that keeps the activations, see `explain`.
        hook_bwd: a class of your own that keeps the gradients.

    Raises:
        CamwidgetError: the picture, the model, a layer, a class or a hook cannot be used; the text says which and what
            to try.

    Example:
        panel = CamPanel(demo_learner(), demo_image("cat"))
        panel.layer = "0.5"
    """

    image = Checked()
    """The picture; set a new one to explain it."""
    heatmap_opacity = traitlets.Float(0.7, min=0.0, max=1.0)
    """From 0, only the picture, to 1."""
    smooth = traitlets.Bool(True)
    """Interpolate between cells, or show each cell as a block."""

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
        methods = methods_of(methods)
        self._asked: dict[str, Any] = {"methods": methods, "layers": layers, "class_names": class_names}
        self._asked |= {"hook": hook, "hook_bwd": hook_bwd}
        self._wanted_classes = target_classes
        self._results: Mapping[str, Explanation] = {}
        self._pending: Mapping[str, Explanation] | None = None
        self.view: HeatmapView = HeatmapView()
        self._controls = Controls(methods)
        self._dear = [method for method in methods if method in EXPENSIVE]
        self.costly = CostlyRun(self._run_costly)
        super().__init__()
        self.image = image
        self._start(methods)
        self._controls.upload.observe(self._on_upload, names=["value"])
        more_classes = len(self._widest.class_names) > len(self._widest.target_classes)
        *rows, more = self._controls.rows(more_classes=more_classes)
        self.children = (self.view, *rows, *((self.costly,) if self._dear else ()), more)

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

    @traitlets.validate("image")
    def _check_image(self, proposal: dict[str, Any]) -> Any:
        self._pending = self._explain(proposal["value"], self._wanted_classes)
        return proposal["value"]

    @traitlets.observe("image")
    def _on_image(self, _: Any) -> None:
        self._show_anew()

    @traitlets.observe("heatmap_opacity", "smooth")
    def _on_look(self, change: Any) -> None:
        self._on_choice(change)

    def _explain(self, image: Picture, target_classes: Sequence[int | str] | None) -> Mapping[str, Explanation]:
        self.costly.halt(wait=True)  # the network can be run by one only
        asked = self._asked["methods"]
        cheap = tuple(method for method in asked if method not in EXPENSIVE) or ("grad_cam",)
        chosen = {**self._asked, "methods": cheap, "target_classes": target_classes}
        try:
            with self._busy("Explaining the picture"):
                found = explain_methods(self._model, image, **chosen)
                self._seconds = pass_seconds(self._model, image) if self._dear else 0.0
        except CamwidgetError as error:
            raise self._refused(error) from None
        self._all_of = max(found.values(), key=lambda result: len(result.cams))
        return {
            method: found[method] if method not in EXPENSIVE else not_run(self._all_of, method, seconds=self._seconds)
            for method in asked
        }

    @property
    def _widest(self) -> Explanation:
        widest: Explanation = super()._widest
        return widest if widest.cams else self._all_of  # where nothing was run yet, there is no layer to show

    def _run_costly(self) -> None:
        """Run the method shown at the layer shown, beside the kernel's own thread, and show what it found."""
        method, layer, image = self.method, self.layer, self.image
        if method not in self._dear or layer in self._results[method].cams:
            self.view.message = f"Choose {METHOD_LABELS[self._dear[0]]} and a layer where it was not run yet."
            return
        self.view.message = ""
        classes, asked = self._all_of.target_classes, {**self._asked, "methods": (method,), "layers": [layer]}

        def work(progress: Progress) -> None:
            now = explain_methods(self._model, image, target_classes=classes, progress=progress, **asked)[method]
            self._results = {**self._results, method: joined(self._results[method], now, all_of=self._all_of)}
            self.view.show(self._results)
            self._offer_run()

        self.costly.begin(work, self._tell, what=f"{METHOD_LABELS[method]} at layer {layer}")

    def _offer_run(self) -> None:
        """Put what is shown, and what it costs, on the Run button, where it was not run yet."""
        what = ""
        if self.method in self._dear and self.layer not in self.result.cams:
            layer = next(each for each in self._all_of.layers if each.name == self.layer)
            what = f"{METHOD_LABELS[self.method]} at layer {layer.name}: {cost_at(layer, seconds=self._seconds)}"
        self.costly.offer(what)

    def _select(self) -> None:
        super()._select()
        if self.layer and self.method:
            self._offer_run()

    def _tell(self, message: str) -> None:
        self.view.message = message

    def _prepare(self, target_classes: Sequence[int | str] | None) -> None:
        self._pending = self._explain(self.image, target_classes)

    def _show_pending(self) -> None:
        if self._pending is None:
            return
        self._results, self._pending = self._pending, None
        self.view.message = ""
        self.view.show(self._results)
        with self._lead():
            self._controls.offer(self._widest)

    def _read_controls(self) -> None:
        super()._read_controls()
        self.smooth = self._controls.cells.index == 0
        self.heatmap_opacity = self._controls.opacity.value

    def _move_controls(self) -> None:
        super()._move_controls()
        self._controls.cells.index = int(not self.smooth)
        self._controls.opacity.value = self.heatmap_opacity

    def _on_upload(self, change: dict[str, Any]) -> None:
        if change["new"]:
            with suppress(CamwidgetError):  # it stands in the message line
                self.image = bytes(change["new"][0].content)
            self._controls.upload.value = ()

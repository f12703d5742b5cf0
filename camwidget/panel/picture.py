"""The panel a learner slides over: one `HeatmapView` that draws its controls. No arithmetic here."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets
from PIL import Image

from camwidget.errors import CamwidgetError, ImageError, three_parts
from camwidget.given import whole, yes_or_no
from camwidget.hooks.layers import LayerGiven
from camwidget.hooks.learner_hooks import HookClass
from camwidget.hooks.scores import TargetArgument
from camwidget.maps.activation import Function
from camwidget.maps.arguments import Explainable, GridArgument, layers_of, methods_of
from camwidget.maps.methods import EXPENSIVE, METHOD_LABELS
from camwidget.maps.score_cam import Cost, Progress
from camwidget.panel.compare import CompareState, Comparing
from camwidget.panel.controls import Controls
from camwidget.panel.cut import PictureCut
from camwidget.panel.export import checked_path, written
from camwidget.panel.figures import grid_figure
from camwidget.panel.guess import Guessing, GuessState
from camwidget.panel.hiding import Hiding, HidingState
from camwidget.panel.inside import InsideState, LookingInside
from camwidget.panel.run_button import Halted, RunButton, estimated_cost, joined, not_run, twin_of
from camwidget.panel.state import FlagSetting, NumberSetting, Setting
from camwidget.panel.still import contact_sheet
from camwidget.panel.view import HeatmapView
from camwidget.pictures.decode import open_image
from camwidget.pictures.demo import demo_image, demo_images
from camwidget.pictures.explain import explain_methods
from camwidget.pictures.hiding import Hidden, Region, without
from camwidget.pictures.inputs import Picture, prepared
from camwidget.pictures.inside import LayerInside
from camwidget.pictures.preparation import Numbers, Prepare, Size, Transform
from camwidget.pictures.result import Explanation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEAST_WIDE, _MOST_WIDE = 100, 10_000  # pixels of a picture that is saved: legible, and no gigabyte


@dataclass(frozen=True, eq=False, kw_only=True)
class PictureState(CompareState, GuessState, InsideState, HidingState):
    """All that a picture's panel shows."""

    image: Any = None
    """The picture, as it was given."""
    cost: Cost | None = None
    """What it would cost to run Score-CAM at every layer that is offered; None where nobody asked for it."""
    pixels: Any = None
    """The picture as the network takes it."""
    smooth: bool = True
    heatmap_opacity: float = 0.7
    crop: float = 0.5
    letterbox: bool = False
    cut: PictureCut | None = None
    """How a picture that was chosen in the browser was made to fit; None if all of it is seen."""

    def by_subject(self) -> dict[str, Mapping[str, Any]]:
        """Return the explanations by the trait that holds what they explain."""
        return {"image": self.results} | ({"compare": self.others} if self.others else {})

    def choices(self) -> dict[str, Sequence[Any]]:
        """Return, for each trait whose control counts positions, the value at each of them."""
        return super().choices() | {"smooth": (True, False)}

    def positions(self) -> dict[str, Any]:
        """Return where each control is: a position, or the value itself where the control has no positions."""
        return super().positions() | {"heatmap_opacity": self.heatmap_opacity}


class CamPanel(Comparing, Guessing, LookingInside, Hiding):
    """Slide across the layers and classes of a network and see what each says about a picture.

    All maps are computed once, when the panel is made; moving a slider then asks nothing of the kernel. Every control
    is a trait as well: `panel.layer = "0.5"` moves the slider, and moving the slider changes `panel.layer`. A value
    that cannot be used raises, is explained in the panel, and changes nothing.

    Args:
        model: a fastai Learner, or any classifier that takes a batch of pictures and returns logits.
        image: a PIL picture, a path, the bytes of a file, an array, or a normalised (1, channel, height, width) tensor.
        layers: dotted names to slide over, or the modules themselves; a good choice if None.
        target_classes: indices or names to offer; the ten most probable if None.
        class_names: what to call the classes; the learner's vocabulary if None.
        activation: what turns logits into probabilities, see `explain`; what the learner's loss means if None.
        methods: which of the methods of `explain` to offer. Score-CAM is run when its button is pressed.
        hook: a class of your own that keeps the activations, see `explain`.
        hook_bwd: a class of your own that keeps the gradients.
        call: which call to show of layers that the network runs several times, see `explain`.
        grid: the size of maps where it cannot be found out, see `explain`.
        transform: what makes the network's inputs of a picture, see `explain`.
        mean: of values in [0, 1], for pictures that nothing else says how to prepare, see `explain`.
        std: the same for the standard deviation.
        size: of the inputs, in pixels.
        target: numbers of your own to explain in place of the classes, see `explain`: they stand where the classes do,
            with their values and without probabilities.
        compare: a second picture, to be compared with the first.
        predict: ask first where the network looks, and show it when asked to.

    Raises:
        CamwidgetError: the picture, the model, a layer, a class or a hook cannot be used; the text says which and what
            to try.

    Example:
        panel = CamPanel(demo_learner(), demo_image("cat"))
        panel.layer = "0.5"
    """

    image = Setting(None)
    """The picture; set a new one to explain it."""
    heatmap_opacity = NumberSetting(PictureState.heatmap_opacity, min=0.0, max=1.0)
    """From 0, only the picture, to 1."""
    smooth = FlagSetting(PictureState.smooth)
    """Interpolate between cells, or show each cell as a block."""
    crop = NumberSetting(PictureState.crop, min=0.0, max=1.0)
    """Which part is seen of a chosen picture that has another shape than the network takes: 0 is left or top."""
    letterbox = FlagSetting(PictureState.letterbox)
    """See all of such a picture, between bars."""

    view: HeatmapView
    _state: PictureState
    _what = "picture"
    _advice = "Try a picture of another size"
    _explained = ("image",)

    def __init__(
        self,
        model: Explainable,
        image: Picture,
        *,
        layers: Sequence[LayerGiven] | LayerGiven | None = None,
        target_classes: Sequence[int | str] | None = None,
        class_names: Sequence[str] | None = None,
        activation: str | Function | None = None,
        methods: Sequence[str] = ("cam", "grad_cam"),
        hook: HookClass | None = None,
        hook_bwd: HookClass | None = None,
        call: int | None = None,
        grid: GridArgument | None = None,
        transform: Transform | None = None,
        mean: Numbers | None = None,
        std: Numbers | None = None,
        size: Size | None = None,
        target: TargetArgument | None = None,
        compare: Picture | None = None,
        predict: bool = False,
    ) -> None:
        self._model = model
        methods, wanted = methods_of(methods), layers_of(layers, model)
        predict = yes_or_no(predict, "predict", try_="Try predict=True to be asked first")
        self._asked: dict[str, Any] = {"methods": methods, "layers": wanted, "class_names": class_names}
        self._asked |= {"hook": hook, "hook_bwd": hook_bwd, "activation": activation, "call": call, "grid": grid}
        self._asked["target"] = target
        self._preparing: Prepare = {"transform": transform, "mean": mean, "std": std, "size": size}
        self._wanted_classes = target_classes
        self._expensive = [method for method in methods if method in EXPENSIVE]
        self._state = PictureState(method=self._first_method(methods))
        self.view = HeatmapView()
        self.run_button = RunButton(self._run) if self._expensive else None
        self._notes = ipywidgets.HTML()
        self._controls = Controls(self.view)
        super().__init__()
        self.view.pictures = demo_images()
        self.image = image
        if compare is not None:
            self.compare = compare
        if predict:
            self.mode = "guess"
        self._link()
        self.children = (self.view, self._notes, *((self.run_button,) if self.run_button else ()))

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The live panel, and beside it a still picture for pages that run no kernel."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        still = io.BytesIO()
        self._still().save(still, format="JPEG", quality=88)
        bundle["image/jpeg"] = base64.b64encode(still.getvalue()).decode("ascii")
        return bundle

    def save_png(self, path: Any, *, size: int = 1120) -> Path:
        """Write the map shown, with all layers below it, to a picture file.

        Args:
            path: of the file, a str or Path ending in .png; an existing file is replaced.
            size: width in pixels.

        Raises:
            CamwidgetError: `size` is no number of pixels from 100 to 10,000.
            ExportError: it cannot be written there.
        """
        size = whole(size, "size", least=_LEAST_WIDE, most=_MOST_WIDE, try_="Leave it out for 1120 pixels")
        file = checked_path(path, "picture", suffixes=(".png",))
        content = io.BytesIO()
        self._still(size=size).save(content, format="PNG")
        return written(file, content.getvalue(), "picture")

    def figure(self) -> "Figure":
        """Return all layers and classes by the method shown as a matplotlib figure, one row for each class.

        Where the method was run at no layer yet, it shows the one with the most layers.
        """
        state = self._state
        shown = self.result if self.result.cams else state.offered
        return grid_figure(shown, heatmap_opacity=state.heatmap_opacity, smooth=state.smooth, signed=state.signed)

    def _still(self, *, size: int = 448) -> Image.Image:
        """What a page without a kernel shows; nothing of the maps while somebody guesses."""
        return contact_sheet(
            self.result if self.layer in self.result.cams else self._state.offered,
            layer=self.layer,
            target_class=self.target_class,
            heatmap_opacity=0.0 if self._state.secret else self.heatmap_opacity,
            smooth=self.smooth,
            signed=self.signed,
            size=size,
        )

    def _explain(self, name: str, value: Any, target_classes: Sequence[int | str] | None) -> dict[str, Any]:
        asked = self._asked["methods"]
        # for other classes the same pixels: a file may have changed since
        image = value if name == "image" else self._state.pixels
        state = self._state
        pixels = prepared(self._model, image, **self._preparing).inputs  # what is no picture stops no run
        if self.run_button:
            self.run_button.halt(wait=True)  # its maps would be of the picture before
        found = self._explain_cheap(image, target_classes=target_classes)
        offered = max(found.values(), key=lambda result: len(result.cams))  # plain CAM has few layers, Grad-CAM all
        results, cost = dict(found), None
        if self._expensive:
            cost = estimated_cost(self._model, pixels, layers=offered.layers)
            results |= {method: not_run(offered, method, cost=cost) for method in self._expensive}
        shown = {"results": {method: results[method] for method in asked}, "offered": offered, "cost": cost}
        if state.compare is not None:
            shown["others"] = self._explain_second(state.compare, offered)
        return shown | {"pixels": pixels}

    def _explain_cheap(self, image: Any, **chosen: Any) -> dict[str, Explanation]:
        """Explain a picture by the methods that do not run the network once per channel."""
        cheap = tuple(method for method in self._asked["methods"] if method not in EXPENSIVE) or ("grad_cam",)
        asked = {**self._asked, "methods": cheap, **chosen}
        return dict(explain_methods(self._model, image, **asked, **self._preparing))

    def _explain_second(self, picture: Any, offered: Explanation) -> dict[str, Any]:
        layers = [layer.name for layer in offered.layers]
        found = self._explain_cheap(picture, target_classes=offered.target_classes, layers=layers)
        later = {method: not_run(offered, method, cost=None) for method in self._expensive}
        return {method: (found | later)[method] for method in self._asked["methods"]}

    def _explain_ahead(self, index: int) -> dict[str, Any]:
        if self.run_button and self.run_button.busy:
            raise Halted  # a run is more than a class that nobody has chosen yet
        return super()._explain_ahead(index)

    def _changes(self, name: str, value: Any) -> dict[str, Any]:
        if name not in ("crop", "letterbox"):
            return super()._changes(name, value) | ({"cut": None} if name == "image" else {})
        value, cut = getattr(type(self), name)._validate(self, value), self._state.cut
        if cut is None:
            return {name: value}
        cut = replace(cut, **{{"crop": "position", "letterbox": "bars"}[name]: value})
        picture = cut.picture()
        return super()._changes("image", picture) | {name: value, "cut": cut}

    def _send_maps(self) -> None:
        with self.view.hold_sync():  # in one message, so that no map is painted that was not asked for
            named = {name: self._named(name, results) for name, results in self._state.by_subject().items()}
            self.view.show(named["image"], named.get("compare"), layers=self._state.offered.layers)
            self._controls.follow(self._state)

    def _open_layer(self) -> LayerInside:
        state, asked = self._state, {name: self._asked[name] for name in ("call", "grid", "target")}
        return LayerInside(
            self._model, state.pixels, layer=state.layer, target_class=self.target_class, method=state.method, **asked
        )

    def _run_without(self, regions: Sequence[Region], way: str) -> Hidden:
        return without(self._model, self._state.pixels, regions, way=way, target=self._asked["target"])

    def _follow(self, changes: Mapping[str, Any]) -> None:
        super()._follow(changes)
        if "results" in changes:
            notes = " ".join(self.result.notes)
            self._notes.value = html.escape(notes)
            self._notes.layout.display = None if notes else "none"
        self.view.cut = self._state.cut.shown() if self._state.cut else {}
        self._offer_run()

    def _go_back(self, number: int) -> None:
        if self.run_button:
            self.run_button.halt(wait=True)  # its maps would be of what is shown now
        super()._go_back(number)

    def _run(self) -> None:
        """Run the method shown at the layer shown, beside the kernel's own thread, and show what it found.

        It runs on a copy of the network: meanwhile a cell may explain, train or change the notebook's own.
        """
        state, method, layer, button = self._state, self.method, self.layer, self.run_button
        if button is None or button.busy:
            return
        if method not in self._expensive or layer in state.results[method].cams:
            label = METHOD_LABELS[self._expensive[0]]
            self.view.message = f"Choose {label} and a layer where it was not run yet."
            return
        self.view.message = ""
        asked = {**self._asked, "methods": (method,), "layers": [layer], "target_classes": state.target_classes}
        pixels = state.pixels
        try:
            twin = twin_of(self._model, pixels)
        except CamwidgetError as error:
            self._say(str(error))
            return

        def work(progress: Progress) -> None:
            with twin.beside():
                now = explain_methods(twin.network, pixels, progress=progress, **asked)[method]
            results = self._state.results
            both = joined(results[method], now, offered=state.offered)
            self._commit({"results": {**results, method: both}})
            self._past.forget()
            self._send_maps()
            self.view.past = []
            self._offer_run()

        button.begin(work, self._say, what=f"{METHOD_LABELS[method]} at layer {layer}")

    def _offer_run(self) -> None:
        """Put what is shown, and what it costs, on the Run button, where it was not run yet."""
        if self.run_button is None:
            return
        state, what = self._state, ""
        if state.cost is not None and state.method in EXPENSIVE and state.layer not in state.results[state.method].cams:
            channels = next(layer.channels for layer in state.offered.layers if layer.name == state.layer)
            what = f"{METHOD_LABELS[state.method]} at layer {state.layer}: {state.cost.of(channels)}"
        self.run_button.offer(what)

    def _say(self, message: str) -> None:
        self.view.message = message

    def _do(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        match content.get("do"):
            case "picture":
                self._take_file(str(content.get("name", "")), bytes(buffers[0]))
            case "demo":
                self._take(demo_image(str(content["name"])))
            case "second":
                self.compare = demo_image(str(content["name"]))
            case "crop":
                self.crop = content["position"]
            case "letterbox":
                self.letterbox = content["on"]
            case _:
                super()._do(content, buffers)

    def _take_file(self, name: str, content: bytes) -> None:
        """Show a file that was chosen, dropped or pasted; the message about a bad one speaks of files."""
        try:
            open_image(content)
        except ImageError:
            given = f"The file {name!r} cannot be read as a picture"
            allowed = "Picture files such as PNG, JPEG, WebP, GIF and TIFF can"
            advice = "If another program shows it, save it there as PNG and choose that file"
            self.view.message_at, self.view.message = self._asked_at, three_parts(given, allowed, advice)
            raise
        self._take(content)

    def _take(self, picture: bytes | Image.Image) -> None:
        """Show a picture; if it has another shape than what the network sees, a part of it that can be moved."""
        whole = open_image(picture)
        seen = prepared(self._model, whole, **self._preparing).image
        cut = PictureCut(whole, seen.size, self.crop, self.letterbox)
        if cut.needed:
            self._set("image", cut.picture(), cut=cut)
        else:
            self.image = picture

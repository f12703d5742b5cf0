"""The panel for words: the same sliders over a text that can be changed, and a second text beside it."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import ipywidgets
import traitlets

from camwidget.errors import CamwidgetError, three_parts
from camwidget.maps.arguments import Explainable, methods_of
from camwidget.panel.base import Checked, SlidingPanel
from camwidget.panel.controls import Controls
from camwidget.panel.still import still_html
from camwidget.panel.view import TextView
from camwidget.text.explain import TEXT_METHODS, explain_text_methods
from camwidget.text.result import TextExplanation

TYPING_PAUSE = 0.5
"""Seconds without a key press after which a text that is being typed is explained."""


class TextCamPanel(SlidingPanel):
    """Slide across the layers and classes of a text classifier and see which words decide.

    All maps are computed once; moving a slider then asks nothing of the kernel. Change the text in the box below, or
    click on a word to delete it, and it is explained again. Every control is a trait as well: `panel.layer = "conv1"`,
    `panel.text = "Not bad."`. A value that cannot be used raises, is explained in the panel, and changes nothing.

    Args:
        learn: what `text_learner` returns, or another model that `explain` takes with a text.
        review: the text.
        layers: dotted names to slide over; a good choice if None.
        target_classes: indices or names to offer; the ten most probable if None.
        class_names: what to call the classes; the learner's vocabulary if None.
        methods: which of the methods for texts to offer.
        compare: a second text, shown beside the first on the same scale.

    Raises:
        CamwidgetError: the text, the model, a layer or a class cannot be used; the text says which and what to try.

    Example:
        panel = TextCamPanel(text_learner(), "Not bad at all, and never boring.")
        panel.text = "Bad, and always boring."
    """

    text = Checked()
    """The text; set a new one to explain it."""
    compare = Checked()
    """A second text beside it; None or an empty one for none."""

    view: TextView
    # Gradient times input at the embedding, plain CAM where the head is a mean. Grad-CAM would be no good start: at an
    # embedding it averages the gradient over words of opposite meaning.
    _first_methods = ("hires_cam", "grad_cam")

    def __init__(
        self,
        learn: Explainable,
        review: str,
        *,
        layers: Sequence[str] | None = None,
        target_classes: Sequence[int | str] | None = None,
        class_names: Sequence[str] | None = None,
        methods: Sequence[str] = TEXT_METHODS,
        compare: str | None = None,
    ) -> None:
        self._learn = learn
        methods = methods_of(methods, known=TEXT_METHODS, default="cam")
        self._asked: dict[str, Any] = {"methods": methods, "layers": layers, "class_names": class_names}
        self._wanted_classes = target_classes
        self._results: Mapping[str, TextExplanation] = {}
        self._others: Mapping[str, TextExplanation] = {}
        self._pending: tuple[Mapping[str, TextExplanation], Mapping[str, TextExplanation]] | None = None
        self._change: dict[str, Any] | None = None  # what the last deletion did
        self._undo: list[tuple[str, str, dict[str, Any] | None]] = []  # trait, its text, and what was said before
        self._deleting = False
        self._typing = ""  # the box that is being typed in
        self._typed = {"text": 0, "compare": 0}  # a stamp for each key press; an older one is dropped
        self._versions = {"text": 0, "compare": 0}  # which text is shown; a click on an older one is dropped
        self.view = TextView()
        self._controls = Controls(methods)
        self._boxes = {"text": _box("Text"), "compare": _box("Second text")}
        super().__init__()
        self.text = review
        if compare is not None:
            self.compare = compare
        self._start(methods)
        self._select()
        for name, box in self._boxes.items():
            box.observe(lambda change, name=name: self._on_typed(name, change["new"]), names=["value"])
        self.view.on_msg(lambda _, content, __: self._on_click(content))
        more_classes = len(self._widest.class_names) > len(self._widest.target_classes)
        rows = self._controls.rows(more_classes=more_classes, picture=False)
        self.children = (self.view, *rows, *self._boxes.values())

    @property
    def compared(self) -> dict[str, TextExplanation]:
        """The explanations of the second text, one per method; none without one."""
        return dict(self._others)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The live panel, and beside it the coloured words for pages that run no kernel."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        method = self.method if self.layer in self.result.cams else self._widest.method
        bundle["text/html"] = still_html(
            [each[method] for each in (self._results, self._others) if each],
            layer=self.layer,
            target_class=self.target_class,
            signed=self.signed,
            shared_scale=self.shared_scale,
        )
        return bundle

    @traitlets.validate("text")
    def _check_text(self, proposal: dict[str, Any]) -> Any:
        found = self._explain(proposal["value"], self._offered)
        self._pending = found, self._others
        return proposal["value"]

    @traitlets.validate("compare")
    def _check_compare(self, proposal: dict[str, Any]) -> Any:
        second = proposal["value"]
        self._pending = self._results, {} if second in (None, "") else self._explain(second, self._offered)
        return second

    @traitlets.observe("text", "compare")
    def _on_text(self, change: dict[str, Any]) -> None:
        self._typed[change["name"]] += 1  # what was typed before and not explained yet is older than this
        self._versions[change["name"]] += 1
        if not self._deleting:
            self._change = None
            self._undo.clear()
        if not self.layer:
            self._show_anew()
            return
        # The class stays: one wants to see it move.
        self._show_pending()
        if self.layer not in self._layer_names:
            self.layer = self._layer_names[-1]
        self._select()

    @property
    def _offered(self) -> Sequence[int | str] | None:
        """The classes to explain: those that are offered, in their order, once there are some."""
        return self._widest.target_classes if self._results else self._wanted_classes

    def _explain(self, text: Any, target_classes: Sequence[int | str] | None) -> Mapping[str, TextExplanation]:
        try:
            with self._busy("Explaining the text"):
                return explain_text_methods(self._learn, text, target_classes=target_classes, **self._asked)
        except CamwidgetError as error:
            raise self._refused(error) from None
        except Exception as error:  # the model's own: who types sees no traceback
            given = f"The model raised {type(error).__name__} on this text: {error}"
            self.view.message = three_parts(given, "It must be able to read the text", "Try a text of another length")
            raise

    def _prepare(self, target_classes: Sequence[int | str] | None) -> None:
        others = self._explain(self.compare, target_classes) if self._others else {}
        self._pending = self._explain(self.text, target_classes), others

    def _show_pending(self) -> None:
        if self._pending is None:
            return
        self._results, self._others = self._pending
        self._pending = None
        self.view.message = ""
        self.view.show(self._results, self._others, change=self._change, versions=tuple(self._versions.values()))
        with self._lead():
            self._controls.offer(self._widest)

    def _move_controls(self) -> None:
        super()._move_controls()
        for name, box in self._boxes.items():
            if self._typing != name:  # what is being typed is newer than what was explained
                box.value = getattr(self, name) or ""
        self._boxes["compare"].layout.display = "" if self.compare else "none"

    def _on_typed(self, name: str, value: str) -> None:
        """A key was pressed in a box: explain its text when no other follows for a while."""
        if self._leading:
            return
        self._typed[name] += 1
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no kernel, so nobody types: a program set the box
            self._explain_typed(name, value, self._typed[name])
        else:
            loop.call_later(TYPING_PAUSE, self._explain_typed, name, value, self._typed[name])

    def _explain_typed(self, name: str, value: str, stamp: int) -> None:
        if stamp != self._typed[name]:
            return
        with self._typing_in(name), suppress(CamwidgetError):  # it stands in the message line
            setattr(self, name, value)

    @contextmanager
    def _typing_in(self, name: str) -> Iterator[None]:
        self._typing = name
        try:
            yield
        finally:
            self._typing = ""

    def _on_click(self, content: dict[str, Any]) -> None:
        """The page asks to delete a word, or to take that back."""
        with suppress(CamwidgetError):  # it stands in the message line
            if content.get("do") == "delete":
                self._delete("compare" if content["text"] else "text", content["word"], content["version"])
            elif content.get("do") == "undo" and self._undo:
                name, text, self._change = self._undo.pop()
                with self._deletion():
                    setattr(self, name, text)

    def _delete(self, name: str, place: int, version: int) -> None:
        if version != self._versions[name]:
            return  # a click on words that have changed meanwhile, such as the second of a double-click
        result = next(iter((self._others if name == "compare" else self._results).values()))
        word, before, change = result.words[place], result.text, self._change
        probabilities = {str(index): float(result.probabilities[index]) for index in result.target_classes}
        self._change = {"text": int(name == "compare"), "word": word.text, "before": probabilities}
        head, tail = before[: word.start], before[word.end :]
        try:
            with self._deletion():
                setattr(self, name, head + tail.removeprefix(" ") if not head or head[-1].isspace() else head + tail)
        except Exception:
            self._change = change
            raise
        self._undo.append((name, before, change))

    @contextmanager
    def _deletion(self) -> Iterator[None]:
        self._deleting = True
        try:
            yield
        finally:
            self._deleting = False


def _box(description: str) -> ipywidgets.Textarea:
    box = ipywidgets.Textarea(
        description=description, continuous_update=True, rows=3, style={"description_width": "96px"}
    )
    box.add_class("camw-textbox")
    return box

"""The panel for words: the same sliders over a text that can be changed, and a second text beside it."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import ipywidgets

from camwidget.errors import CamwidgetError
from camwidget.hooks.layers import LayerGiven
from camwidget.hooks.scores import TargetArgument
from camwidget.maps.activation import Function
from camwidget.maps.arguments import Explainable, layers_of, methods_of
from camwidget.panel.base import SlidingPanel
from camwidget.panel.controls import Controls
from camwidget.panel.later import after_pause
from camwidget.panel.state import PanelState, Setting
from camwidget.panel.still import still_html
from camwidget.panel.view import TextView
from camwidget.text.explain import TEXT_METHODS, explain_text_methods
from camwidget.text.result import TextExplanation

TYPING_PAUSE = 0.5
"""Seconds without a key press after which a text that is being typed is explained."""


class Deletion(NamedTuple):
    """A word that was deleted, and what it takes to undo that."""

    trait: str
    """`"text"` or `"compare"`."""
    text: str
    """The text with the word."""
    change: dict[str, Any]
    """What the browser says about it: in which text (0 or 1), the word, what the network said before, by class."""


@dataclass(frozen=True, eq=False, kw_only=True)
class TextState(PanelState):
    """All that a text's panel shows."""

    text: Any = None
    compare: Any = None
    others: Mapping[str, TextExplanation] = field(default_factory=dict)
    """Method name to explanation, of the second text; empty without one."""
    deletions: tuple[Deletion, ...] = ()
    """The words deleted from the texts shown, the last one last."""
    versions: Mapping[str, int] = field(default_factory=lambda: {"text": 0, "compare": 0})
    """How often each text was set; a click on a word of an older version deletes nothing."""

    def by_subject(self) -> dict[str, Mapping[str, Any]]:
        """Return the explanations by the trait that holds what they explain."""
        return {"text": self.results} | ({"compare": self.others} if self.others else {})


class TextCamPanel(SlidingPanel):
    """Slide across the layers and classes of a text classifier and see which words decide.

    All maps are computed once; moving a slider then asks nothing of the kernel. Change the text in the box below, or
    click on a word to delete it, and it is explained again. Every control is a trait as well: `panel.layer = "conv1"`,
    `panel.text = "Not bad."`. A value that cannot be used raises, is explained in the panel, and changes nothing.

    Args:
        learn: what `text_learner` returns, or another model that `explain` takes with a text.
        review: the text.
        layers: dotted names to slide over, or the modules themselves; a good choice if None.
        target_classes: indices or names to offer; the ten most probable if None.
        class_names: what to call the classes; the learner's vocabulary if None.
        activation: what turns logits into probabilities, see `explain`; what the learner's loss means if None.
        methods: which of the methods for texts to offer.
        compare: a second text, shown beside the first on the same scale.
        call: which call to show of layers that the network runs several times, see `explain`.
        target: numbers of your own to explain in place of the classes, see `explain`: they stand where the classes do,
            with their values and without probabilities.

    Raises:
        CamwidgetError: the text, the model, a layer or a class cannot be used; the text says which and what to try.

    Example:
        panel = TextCamPanel(text_learner(), "Not bad at all, and never boring.")
        panel.text = "Bad, and always boring."
    """

    text = Setting(None)
    """The text; set a new one to explain it."""
    compare = Setting(None)
    """A second text beside it; None or an empty one for none."""

    view: TextView
    _state: TextState
    _what = "text"
    _advice = "Try a text of another length"
    _explained = ("text", "compare")
    _keeps_class = True  # one wants to see it move
    # Gradient times input at the embedding, plain CAM where the head is a mean. Grad-CAM would be no good start: at an
    # embedding it averages the gradient over words of opposite meaning.
    _first_methods = ("hires_cam", "grad_cam")

    def __init__(
        self,
        learn: Explainable,
        review: str,
        *,
        layers: Sequence[LayerGiven] | LayerGiven | None = None,
        target_classes: Sequence[int | str] | None = None,
        class_names: Sequence[str] | None = None,
        activation: str | Function | None = None,
        methods: Sequence[str] = TEXT_METHODS,
        compare: str | None = None,
        call: int | None = None,
        target: TargetArgument | None = None,
    ) -> None:
        self._model = learn
        methods, wanted = methods_of(methods, known=TEXT_METHODS, default="cam"), layers_of(layers, learn)
        self._asked: dict[str, Any] = {"methods": methods, "layers": wanted, "class_names": class_names}
        self._asked |= {"activation": activation, "call": call, "target": target}
        self._wanted_classes = target_classes
        # what will be explained once nobody types any more
        self._typed: dict[str, asyncio.TimerHandle | None] = {"text": None, "compare": None}
        self._state = TextState(method=self._first_method(methods))
        self.view = TextView()
        self._controls = Controls(self.view)
        self._boxes = {"text": _box("Text"), "compare": _box("Second text")}
        super().__init__()
        self.text = review
        if compare is not None:
            self.compare = compare
        self._link()
        for name, box in self._boxes.items():
            box.observe(lambda change, name=name: self._on_typed(name, change["new"]), names=["value"])
        self.children = (self.view, *self._boxes.values())

    @property
    def compared(self) -> dict[str, TextExplanation]:
        """The explanations of the second text, one per method; none without one."""
        return dict(self._state.others)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The live panel, and beside it the coloured words for pages that run no kernel."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        state, method = self._state, self.method
        if state.layer not in self.result.cams:
            method = next(name for name, result in state.results.items() if result is state.offered)
        bundle["text/html"] = still_html(
            [each[method] for each in (state.results, state.others) if each],
            layer=self.layer,
            target_class=self.target_class,
            signed=self.signed,
            shared_scale=self.shared_scale,
        )
        return bundle

    def _explain(self, name: str, value: Any, target_classes: Sequence[int | str] | None) -> dict[str, Any]:
        texts = {"text": self.text, "compare": self.compare} | {name: value}
        changes: dict[str, Any] = {}
        if name in self._explained:
            versions = self._state.versions
            changes |= {"deletions": (), "versions": {**versions, name: versions[name] + 1}}
        if name != "compare":
            results = explain_text_methods(self._model, texts["text"], target_classes=target_classes, **self._asked)
            changes |= {"results": results, "offered": max(results.values(), key=lambda result: len(result.cams))}
        if name != "text":
            second, chosen = texts["compare"], {**self._asked, "target_classes": target_classes}
            none = second is None or (isinstance(second, str) and not second)
            changes["others"] = {} if none else explain_text_methods(self._model, second, **chosen)
        return changes

    def _send_maps(self) -> None:
        state = self._state
        change = state.deletions[-1].change if state.deletions else None
        texts = {name: self._named(name, results) for name, results in state.by_subject().items()}
        with self.view.hold_sync():  # in one message, so that no map is painted that was not asked for
            self.view.show(texts["text"], texts.get("compare"), change=change, versions=tuple(state.versions.values()))
            self._controls.follow(state)

    def _follow(self, changes: Mapping[str, Any]) -> None:
        for name in changes.keys() & self._boxes.keys():
            self._forget_typed(name)  # what was typed before and not explained yet is older than this
            self._boxes[name].value = changes[name] or ""
        self._boxes["compare"].layout.display = "" if self.compare else "none"

    def _on_typed(self, name: str, value: str) -> None:
        """A key was pressed in a box: explain its text when no other follows for a while."""
        self._forget_typed(name)
        if value == (getattr(self, name) or ""):  # the panel itself has set the box, or what is shown was typed again
            self.view.message = ""
            return
        self._typed[name] = after_pause(None, TYPING_PAUSE, self._explain_typed, name, value)

    def _forget_typed(self, name: str) -> None:
        typed = self._typed[name]
        if typed is not None:
            typed.cancel()

    def _explain_typed(self, name: str, value: str) -> None:
        with suppress(CamwidgetError):  # the message line says it
            setattr(self, name, value)

    def _not_taken_back(self) -> dict[str, Any]:
        return {"versions": {name: version + 1 for name, version in self._state.versions.items()}}

    def _do(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        deletions = self._state.deletions
        match content.get("do"):
            case "delete":
                self._delete("compare" if content["text"] else "text", content["word"], content["version"])
            case "undo" if deletions:
                self._set(deletions[-1].trait, deletions[-1].text, deletions=deletions[:-1])
            case _:
                super()._do(content, buffers)

    def _delete(self, name: str, place: int, version: int) -> None:
        state = self._state
        if version != state.versions[name]:
            return  # a click on words that have changed meanwhile, such as the second of a double-click
        result = next(iter((state.others if name == "compare" else state.results).values()))
        word, before = result.words[place], result.text
        answers = result.answers
        said = {str(index): float(answers[index]) for index in result.target_classes}
        change = {"text": int(name == "compare"), "word": word.text, "before": said}
        head, tail = before[: word.start], before[word.end :]
        shorter = head + tail.removeprefix(" ") if not head or head[-1].isspace() else head + tail
        self._set(name, shorter, deletions=(*state.deletions, Deletion(name, before, change)))


def _box(description: str) -> ipywidgets.Textarea:
    box = ipywidgets.Textarea(
        description=description, continuous_update=True, rows=3, style={"description_width": "96px"}
    )
    box.add_class("camw-textbox")
    return box

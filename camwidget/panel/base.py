"""What every panel does: one state, traits that are fields of it, refusals that are explained, linked controls."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, ClassVar

import traitlets
from traitlets import Bunch

from camwidget.errors import CamwidgetError, ClassError, LayerError, MapError, nearest, three_parts
from camwidget.given import told
from camwidget.maps.arguments import told_apart
from camwidget.maps.call import name_of
from camwidget.maps.methods import METHOD_LABELS
from camwidget.panel.ahead import Ahead
from camwidget.panel.controls import Controls
from camwidget.panel.export import save_page
from camwidget.panel.past import Past
from camwidget.panel.shown import ShownPanel
from camwidget.panel.state import FlagSetting, LayerSetting, NameSetting, PanelState, Setting
from camwidget.panel.view import MapView
from camwidget.pictures.synonyms import synonyms_of

_SENT = {"results", "others"}  # the fields of a state that have to be sent to the browser again


class SlidingPanel(ShownPanel):
    """One view that draws its own controls, and a trait for each of them; what is explained, and how, is a subclass's.

    A subclass sets `_state`, `view` and `_controls` before it calls `super().__init__()`. It says how to explain
    (`_explain`), how to send that to its view (`_send_maps`), and what else follows a change (`_follow`).
    """

    layer = LayerSetting()
    """Dotted name of the layer shown."""
    target_class = Setting(None)
    """Class shown; set it by index or by name, read it as an index. A class not offered yet is computed first."""
    target_classes = Setting(())
    """The classes offered, in order; set it, by indices or names, to add or remove some. Only new ones are computed."""
    method = NameSetting()
    """Method shown, one of `methods`."""
    signed = FlagSetting(PanelState.signed)
    """Show evidence against as well, or only evidence for."""
    shared_scale = FlagSetting(PanelState.shared_scale)
    """One colour scale for all classes, or each class on its own."""

    view: MapView
    _model: Any
    _state: PanelState
    _controls: Controls
    _wanted_classes: Sequence[int | str] | None
    _what: ClassVar[str]  # what is explained, in a word
    _advice: ClassVar[str]  # what to try where the model raises on it
    _explained: ClassVar[tuple[str, ...]]  # the traits that hold it
    _keeps_class: ClassVar[bool] = (
        False  # whether the classes stay when it changes; else its most probable ones are shown
    )
    _first_methods: ClassVar[tuple[str, ...]] = ("grad_cam",)  # the first of these that is offered is shown at first

    def __init__(self) -> None:
        self._committing = threading.Lock()  # a run of Score-CAM ends in a thread of its own
        self._ahead = Ahead(self._explain_ahead, lambda: self._state.offered.logits)
        self._past = Past()
        self._asked_at = ""  # beside which control of the view was asked for what is being done
        super().__init__()

    @property
    def results(self) -> dict[str, Any]:
        """The explanations shown, one per method."""
        return dict(self._state.results)

    @property
    def model(self) -> Any:
        """The model that is explained, as it was given."""
        return self._model

    @property
    def result(self) -> Any:
        """The explanation of the method shown."""
        return self._state.results[self.method]

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(layer={self.layer!r}, target_class={self.target_class!r}, method={self.method!r})"
        )

    def _name_code(self) -> None:
        if name_of(self) is not None:
            named = (self._named(name, results) for name, results in self._state.by_subject().items())
            self.view.write_code([{method: each.call for method, each in results.items()} for results in named])

    def _named(self, name: str, results: Mapping[str, Any]) -> dict[str, Any]:
        """The results for the view: what has no name of the learner's own is read from the panel, if that has one."""
        owner = name_of(self)
        if owner is None:
            return dict(results)
        return {
            method: replace(result, call=result.call.read_from(owner, subject=name))
            for method, result in results.items()
        }

    def save_html(self, path: Any) -> Path:
        """Write the panel as it is to one HTML file that slides in any browser, without a kernel or a network.

        Args:
            path: of the file, a str or Path ending in .html; an existing file is replaced.

        Raises:
            ExportError: it cannot be written there.
        """
        return save_page(self.as_html(), path)

    @contextmanager
    def hold_trait_notifications(self) -> Iterator[None]:
        """Keep changes from observers until the block ends, and tell them of each trait once.

        Every value is checked, and shown, when it is set, as without the block. traitlets' own way, to check at the
        end and to set everything a second time, would explain a picture twice and let a wrong layer stand.
        """
        if "notify_change" in vars(self):  # inside of another such block
            yield
            return
        held: dict[str, Bunch] = {}

        def hold(change: Bunch) -> None:
            held.setdefault(change.name, change).new = change.new

        self.notify_change = hold
        try:
            yield
        finally:
            del self.notify_change
            for change in held.values():
                self.notify_change(change)

    def _set(self, name: str, value: Any, **also: Any) -> None:
        """Set a trait: check the value and compute what it needs, commit that, show it, tell observers.

        `panel.image = photo`, an upload and a linked trait all end here. What was not offered yet is explained, also
        where it is the same value once more: the file or the network may have changed. Observers are notified of a
        different value only, first of this trait, then of what followed it; each sees the complete new state. A lock
        guards the commit, since Score-CAM commits from a thread of its own.

        Args:
            name: of the trait.
            value: what it is set to; a class also by its name.
            **also: other fields of the state that change with it.

        Raises:
            CamwidgetError: the value cannot be used; the message line says why, and nothing has changed.
            traitlets.TraitError: it is of another type, or out of bounds; the same holds.
        """
        self.view.message_at = self._asked_at
        try:
            changes = self._changes(name, value) | also
        except (CamwidgetError, traitlets.TraitError) as error:
            self.view.message = str(error)
            raise
        except Exception as error:  # the model's own: who types, or drops a file, sees no traceback
            given = f"The model raised {type(error).__name__} on this {self._what}: {error}"
            self.view.message = three_parts(given, f"It must be able to read the {self._what}", self._advice)
            raise
        before, after = self._commit(changes)
        if changes.keys() & _SENT and before.offered is not None:
            self._past.keep(before)
        self._show(changes)
        self._notify(name, before, after)

    def _go_back(self, number: int) -> None:
        """Show again what was shown before the picture, the text or the classes changed.

        Args:
            number: see `Past`; where this is not the last that was kept, nothing happens.
        """
        state = self._past.take(number)
        if state is None:
            return
        changes = {each.name: getattr(state, each.name) for each in fields(state)} | self._not_taken_back()
        before, after = self._commit(changes)
        self._show(changes)
        self._notify("", before, after)

    def _not_taken_back(self) -> dict[str, Any]:
        """The fields of the state that only ever go on."""
        return {}

    def _changes(self, name: str, value: Any) -> dict[str, Any]:
        """Check a new value and compute what it needs; return the fields of the state that change, and change none."""
        value, state = getattr(type(self), name)._validate(self, value), self._state
        if name in self._explained:
            keep = self._keeps_class and state.offered is not None
            return self._anew(name, value, state.target_classes if keep else self._wanted_classes) | {name: value}
        if name == "target_class":
            index = state.offered.class_index(value)
            if index in state.target_classes:
                return {name: index}
            return self._with_classes((*state.target_classes, index)) | {name: index}
        if name == "target_classes":
            return self._other_classes(value)
        if name == "layer":
            self._check_layer(value)
        if name == "method":
            self._check_method(value)
        return {name: value}

    def _other_classes(self, classes: Any) -> dict[str, Any]:
        """The fields that change where these are the classes offered."""
        state = self._state
        if isinstance(classes, str) or not isinstance(classes, Sequence) or not len(classes):
            given, allowed = f"target_classes was set to {classes!r}", "It is a list of at least one class"
            raise ClassError(three_parts(given, allowed, f"Try target_classes = {[int(state.target_classes[0])]}"))
        indices = tuple(dict.fromkeys(state.offered.class_index(each) for each in classes))
        shown = state.target_class
        if shown not in indices:  # the one that took its place in the list
            place = state.target_classes.index(shown)
            shown = indices[min(place, len(indices) - 1)]
        return self._with_classes(indices) | {"target_class": shown}

    def _with_classes(self, target_classes: Sequence[int]) -> dict[str, Any]:
        """The fields that change where these classes are offered; only those that were not are computed."""
        state = self._state
        missing = [index for index in target_classes if index not in state.target_classes]
        new = {index: kept for index in missing if (kept := self._ahead.take(index))}
        left = [index for index in missing if index not in new]
        if left:
            self.view.busy = f"Explaining the {self._what}"
            try:
                new[left[0]] = self._explain("target_classes", None, left)
            finally:
                self.view.busy = ""
        changes: dict[str, Any] = {}
        for name in _SENT:
            now: Mapping[str, Any] = getattr(state, name, {})
            changes[name] = {
                method: result.for_classes(target_classes, *(each[name][method] for each in new.values()))
                for method, result in now.items()
            }
        of = next((method for method, result in state.results.items() if result is state.offered), None)
        more = [each["offered"] for each in new.values()]
        offered = changes["results"][of] if of else state.offered.for_classes(target_classes, *more)
        return {name: each for name, each in changes.items() if each} | {"offered": offered}

    def _explain_ahead(self, index: int) -> dict[str, Any]:
        """Explain one class that is not offered, to have it at hand."""
        return self._explain("target_classes", None, [index])

    def _commit(self, changes: Mapping[str, Any]) -> tuple[PanelState, PanelState]:
        """Put all changes into the state at once; return the state before and after."""
        with self._committing:
            before, after = self._state, replace(self._state, **changes)
            self._state = after
        return before, after

    def _show(self, changes: Mapping[str, Any]) -> None:
        """Let the view, the controls and the message line follow the state, of which these fields have changed.

        The browser hears in one message what is new and that the work is done: never that it is done, before it shows.
        """
        with self.view.hold_sync():
            self.view.message = self.view.busy = ""
            self.view.past = self._past.numbers
            if changes.keys() & _SENT:
                self._send_maps()
        self._controls.follow(self._state)
        self._follow(changes)

    def _notify(self, name: str, before: PanelState, after: PanelState) -> None:
        """Tell observers what has changed: the trait that was set first, then those that followed it."""
        changed = [each for each in after.changed_since(before) if self.has_trait(each)]
        for each in sorted(changed, key=lambda each: each != name):
            old, new = getattr(before, each), getattr(after, each)
            if getattr(self._state, each) is new:  # else an observer has set it again, of which observers were notified
                self.notify_change(Bunch(name=each, old=old, new=new, owner=self, type="change"))

    def _anew(self, name: str, value: Any, target_classes: Sequence[int | str] | None) -> dict[str, Any]:
        """Explain, and say which layer and class to show; until that is shown, the panel says that it is at work."""
        self.view.busy = f"Explaining the {self._what}"
        try:
            changes = self._explain(name, value, target_classes)
        except BaseException:  # a stopped cell too
            self.view.busy = ""
            raise
        state, offered = self._state, changes.get("offered", self._state.offered)
        names = [layer.name for layer in offered.layers]
        keep = self._keeps_class and state.target_class in offered.target_classes
        return changes | {
            "layer": state.layer if state.layer in names else names[-1],
            "target_class": state.target_class if keep else offered.target_classes[0],
        }

    def _explain(self, name: str, value: Any, target_classes: Sequence[int | str] | None) -> dict[str, Any]:
        """Explain what is shown for these classes, with a new value of one trait; change nothing.

        Args:
            name: of the trait that is being set.
            value: its new value.
            target_classes: the classes to explain.

        Returns:
            The fields of the state that change with it, such as `results` and `offered`.
        """
        raise NotImplementedError

    def _send_maps(self) -> None:
        """Send the state's explanations to the view."""
        raise NotImplementedError

    def _follow(self, changes: Mapping[str, Any]) -> None:
        """Let what else belongs to the panel follow the state, of which these fields have changed."""
        raise NotImplementedError

    def _check_layer(self, name: Any) -> None:
        known = self._state.layer_names
        if not isinstance(name, str) or name not in known:
            given = f"The panel has no layer {told(name)}."
            close = ", ".join(repr(each) for each in nearest(str(name), known))
            advice = f"Nearest: {close}. " if close else ""
            advice += f"For another layer of the model pass layers=[...] to {type(self).__name__}."
            raise LayerError(three_parts(given, f"It slides over {', '.join(known)}.", advice))

    def _check_method(self, method: Any) -> None:
        if not isinstance(method, str) or method not in self._state.results:
            given = f"The panel has no method {told(method)}."
            allowed = f"It offers {', '.join(self._state.results)}."
            raise MapError(three_parts(given, allowed, f"Pass methods=[...] to {type(self).__name__} for others."))

    @classmethod
    def _first_method(cls, methods: Sequence[str]) -> str:
        return next((method for method in cls._first_methods if method in methods), methods[0])

    def _link(self) -> None:
        """Listen to the view, once there is something to show."""
        self._controls.link(self._on_move)
        self.view.names = told_apart(self._state.offered.class_names)
        self.view.synonyms = synonyms_of(self._state.offered.class_names)
        self.view.on_msg(lambda _, content, buffers: self._on_message(content, buffers))

    def _on_move(self, name: str, position: Any) -> None:
        """A control was moved in the browser: let its trait follow."""
        setattr(self, name, self._state.value_at(name, position))

    def _on_message(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        """The view asks for something that only the kernel can do; it is told first that somebody has heard."""
        self.view.send({"heard": content.get("number", 0)})
        before, self._asked_at = self._asked_at, str(content.get("at", ""))
        try:
            with suppress(CamwidgetError):  # the message line says it
                self._do(content, buffers)
        finally:
            self._asked_at = before

    def _do(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Do what the view asks for.

        Args:
            content: `do` says what, the other keys with what.
            _buffers: bytes that came with it.
        """
        classes = self._state.target_classes
        match content.get("do"):
            case "add":
                self.target_class = content["index"]
            case "back":
                self._go_back(content["to"])
            case "remove":
                self.target_classes = [index for index in classes if index != content["index"]]
            case "look at":
                known = range(len(self._state.offered.class_names))
                wanted = [index for index in content["classes"] if index in known and index not in classes]
                self._ahead.look_at(wanted)

    def _title(self) -> str:
        method = METHOD_LABELS.get(self.method, self.method)
        return f"{method} for {self.view.names[self.target_class]}, at layer {self.layer}"

    def _alt(self) -> str:
        return f"A {self._what} with a heatmap: {self._title()}."

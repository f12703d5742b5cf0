"""The call that makes a result again: data first, then lines of code. The only place where such code is written."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from torch import nn

LONGEST_NAMES = 200
"""The names of the classes are written out up to this many characters."""

UNKNOWN = "..."
"""Written in place of what nobody can write down."""

KINDS = {"cam": "picture", "word_values": "text"}
"""What a result is of, by how one map's numbers are read from it."""

_NOT_NAMES = frozenset({"In", "Out", "exit", "quit"})


@dataclass(frozen=True, kw_only=True)
class Call:
    """What to call, and with what, to get a result again."""

    method: str
    """The method."""
    model: str = "model"
    """What the model is called."""
    subject: str = "image"
    """What the picture or the text is called."""
    unnamed: Mapping[str, str] = field(default_factory=dict)
    """Those of the two that have no name of the learner's own: what they are called here, to an expression that makes
    them. The expression is empty where there is none, and `...` where the learner calls something else so."""
    layers: tuple[str, ...] | None = None
    """The layers asked for; None for a good choice."""
    target_classes: tuple[int, ...] | None = None
    """The classes asked for, by index; None for the most probable ones."""
    class_names: str = ""
    """What the names of the classes are called; empty if none were given."""
    activation: str = ""
    """What turns logits into probabilities, as written in code; empty if it was not given."""
    hooks: Mapping[str, str] = field(default_factory=dict)
    """The hook classes that were given: argument to name."""
    call: int | None = None
    """The call of layers that run several times that was asked for; None if it was left open."""
    grid: str = ""
    """The sizes of maps that were given, as written in code; empty if none were."""
    preparing: Mapping[str, str] = field(default_factory=dict)
    """How the picture was to be made ready: argument to value, as written in code."""
    target: str = ""
    """What is explained in place of the logits, as written in code; empty for the logits."""
    reads: str = "cam"
    """Which method of the result gives one map's numbers."""

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Return the call whose fields JSON wrote; lists are tuples again.

        Args:
            data: what `dataclasses.asdict` made of it.
        """
        fields: dict[str, Any] = {name: tuple(it) if isinstance(it, list) else it for name, it in data.items()}
        return cls(**fields)

    def lines(self) -> str:
        """Return the code for the whole result; arguments left at their defaults are left out."""
        return f"{self._start()}result = cw.explain({', '.join(self._arguments())})\n"

    def template(self, *, refused: bool = False) -> list[str]:
        """Return the code for one map in parts: text, `"layer"` or `"class"`, text, and so on; see `filled`.

        So the browser can fill in the layer and the class it shows without writing code of its own.

        Args:
            refused: the map is missing because it would not mean what its name says; the code prints the reason.
        """
        arguments = ["layers=[{layer}]", "target_classes=[{class}]", *self._given()]
        call = f"cw.explain(\n    {', '.join(self._subject())},\n    {', '.join(arguments)},\n)"
        imports, body = "", f"result = {call}\nresult.{self.reads}({{layer}}, target_class={{class}})\n"
        if refused:
            imports, inside = "from camwidget.errors import MapError\n", call.replace("\n", "\n    ")
            body = f"try:\n    {inside}\nexcept MapError as refusal:\n    print(refusal)  # there is no such map\n"
        start, *parts = re.split(r"\{(layer|class)\}", body)
        return [self._start(imports) + start, *parts]

    def read_from(self, owner: str, *, subject: str) -> Self:
        """Return the same call where what has no name, and cannot be written out, is read from something that has one.

        Args:
            owner: what holds the model as `model`, such as a panel.
            subject: its attribute that holds the picture or the text.
        """
        owned = {self.model: f"{owner}.model", self.subject: f"{owner}.{subject}"}
        read = {
            name: owned.get(name, made_by) if made_by in ("", UNKNOWN) else made_by
            for name, made_by in self.unnamed.items()
        }
        return replace(self, unnamed=read)

    def _start(self, imports: str = "") -> str:
        return f"import camwidget as cw\n{imports}\n" + "".join(f"{self._line(name)}\n" for name in self.unnamed)

    def _line(self, name: str) -> str:
        """The line above the call that makes something, or at least says what it is."""
        made_by, what = self.unnamed[name], "your model" if name == self.model else f"the {KINDS[self.reads]} you gave"
        what = (
            "the function you gave" if name in (self.activation, self.target, self.preparing.get("transform")) else what
        )
        if made_by in ("", UNKNOWN):
            return f"{name} = {UNKNOWN}  # {what}" if made_by else f"# {name} is {what}"
        return f"{name} = {made_by}"

    def _subject(self) -> list[str]:
        return [self.model, self.subject, f"method={quoted(self.method)}"]

    def _arguments(self) -> list[str]:
        parts = self._subject()
        if self.layers is not None:
            parts.append(f"layers=[{', '.join(map(quoted, self.layers))}]")
        if self.target_classes is not None:
            parts.append(f"target_classes={list(self.target_classes)}")
        if self.class_names:
            parts.append(f"class_names={self.class_names}")
        return [*parts, *self._given()]

    def _given(self) -> list[str]:
        """The arguments that are written for one map as for all."""
        activation = [f"activation={self.activation}"] if self.activation else []
        activation += [f"target={self.target}"] if self.target else []
        call = [] if self.call is None else [f"call={self.call}"]
        hooks = [f"{argument}={name}" for argument, name in self.hooks.items()]
        preparing = [f"{argument}={value}" for argument, value in self.preparing.items()]
        return [*activation, *call, *hooks, *([f"grid={self.grid}"] if self.grid else []), *preparing]


def filled(template: Sequence[str], layer: str, target_class: int) -> str:
    """Return a template's code for one layer and class.

    Args:
        template: see `Call.template`.
        layer: the layer's name.
        target_class: the class's index.
    """
    slots = {"layer": quoted(layer), "class": str(target_class)}
    return "".join(slots[part] if place % 2 else part for place, part in enumerate(template))


def quoted(text: str) -> str:
    """Return a text as written in code, in double quotes; the browser's JSON.stringify does the same."""
    return json.dumps(text, ensure_ascii=False)


def name_of(thing: Any) -> str | None:
    """Return what a learner calls a thing: the first variable of the notebook (or script) that holds it, else None.

    Args:
        thing: anything; a text counts as the same if it is equal.
    """
    for name, value in list(vars(sys.modules["__main__"]).items()):
        same = value is thing or (isinstance(thing, str) and isinstance(value, str) and value == thing)
        if same and not name.startswith("_") and name not in _NOT_NAMES:
            return name
    return None


def call_for(
    model: Any,
    subject: Any,
    *,
    kind: str,
    layers: Sequence[str] | None,
    target_classes: Sequence[int] | None,
    class_names: Sequence[str] | None,
    activation: Any = None,
    hooks: Mapping[str, str],
    call: int | None = None,
    grid: object = None,
    preparing: Mapping[str, Any] = MappingProxyType({}),
    target: object = None,
    method: str = "",
) -> Call:
    """Return the call for a model and its picture or text, under the names that the learner gave them.

    What has no name is called `learn` or `model` and `image` or `text`, and a line above the call says what it is: a
    path or a text is written out.

    Args:
        model: a Learner or module.
        subject: a picture or a text.
        kind: `"image"` or `"text"`.
        layers: the layers asked for.
        target_classes: the classes asked for, by index.
        class_names: the names asked for.
        activation: the activation asked for, by name or as a function.
        hooks: argument to the name of a hook class.
        call: the call asked for, of layers that run several times.
        grid: the sizes of maps, as they were given: numbers, and names of layers.
        preparing: how the picture was to be made ready: numbers, and a function or object under `transform`.
        target: what is explained in place of the logits.
        method: the method; empty if it is left open.
    """
    model_name, model_made_by = _named(model, "model" if isinstance(model, nn.Module) else "learn")
    name, made_by = _named(subject, kind)
    unnamed = {model_name: model_made_by, name: made_by}
    written = "" if activation is None else quoted(activation) if isinstance(activation, str) else None
    if written is None:
        written, unnamed_function = _named(activation, "activation")
        unnamed[written] = unnamed_function
    prepared_by = {}
    for argument, value in preparing.items():
        if argument == "transform" and value is not None:
            prepared_by[argument], unnamed_transform = _named(value, argument)
            unnamed[prepared_by[argument]] = unnamed_transform
        elif value is not None:
            prepared_by[argument] = repr(_plain(value))
    score = ""
    if target is not None:
        score, unnamed_score = _named(target, "target")
        unnamed[score] = unnamed_score
    return Call(
        method=method,
        model=model_name,
        subject=name,
        unnamed={name: made_by for name, made_by in unnamed.items() if made_by is not None},
        layers=None if layers is None else tuple(layers),
        target_classes=None if target_classes is None else tuple(target_classes),
        class_names="" if class_names is None else _names(class_names),
        activation=written,
        hooks=hooks,
        call=call,
        grid="" if grid is None else repr(dict(grid) if isinstance(grid, Mapping) else grid),
        preparing=prepared_by,
        target=score,
        reads="cam" if kind == "image" else "word_values",
    )


def _named(thing: Any, default: str) -> tuple[str, str | None]:
    """What a thing is called, and the expression that makes it: see `Call.unnamed`, None where it has a name."""
    name = name_of(thing)
    if name is not None:
        return name, None
    if isinstance(thing, str | PathLike):
        return default, quoted(str(thing))
    # If something else has that name, the code must not run on it without a word.
    return default, UNKNOWN if hasattr(sys.modules["__main__"], default) else ""


def _plain(numbers: Any) -> Any:
    """One number, or several of any kind of sequence, as Python writes them."""
    if getattr(numbers, "ndim", 1) and hasattr(numbers, "__iter__"):
        return tuple(map(_plain, numbers))
    return int(numbers) if isinstance(numbers, int | np.integer) else float(numbers)


def _names(class_names: Sequence[str]) -> str:
    """What a learner calls the names of the classes; without a name, a few of them are written out."""
    written = f"[{', '.join(quoted(str(name)) for name in class_names)}]"
    return name_of(class_names) or (written if len(written) <= LONGEST_NAMES else "class_names")

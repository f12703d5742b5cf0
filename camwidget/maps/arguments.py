"""What `explain` was asked for (model, layers, classes, methods, names), checked and made uniform."""

import operator
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, SupportsIndex, TypeAlias, TypedDict, runtime_checkable

from jaxtyping import Float
from torch import Tensor, nn

from camwidget.errors import CamwidgetError, ClassError, LayerError, MapError, nearest, three_parts
from camwidget.given import index_of, told
from camwidget.hooks.layers import GOOD_SET, LayerGiven, layer_name
from camwidget.hooks.layout import LAST_CALL
from camwidget.hooks.learner_hooks import HookClass, OwnHooks
from camwidget.hooks.reading import Sizes
from camwidget.hooks.scores import Scores, TargetArgument, scores_asked
from camwidget.hooks.selection import EVERY
from camwidget.maps.activation import Activation, Function, checked_activation, vocabularies
from camwidget.maps.choice import most_probable
from camwidget.maps.methods import METHODS
from camwidget.maps.score_cam import Progress


def class_index(target_class: SupportsIndex | str, class_names: Sequence[str]) -> int:
    """Return the index of a class given by index or by name.

    Args:
        target_class: the index, or the name as in `class_names` (upper and lower case count).
        class_names: all names.

    Raises:
        ClassError: there is no such class, or several have that name.
    """
    last = len(class_names) - 1
    allowed = f"The model has {last + 1} classes, 0 to {last}"
    if isinstance(target_class, bool):
        target_class = str(target_class)  # the names of fastai's is_cat learner are False and True
    if isinstance(target_class, str):
        places = [index for index, name in enumerate(class_names) if name == target_class]
        if len(places) == 1:
            return places[0]
        if places:
            given, advice = f"{len(places)} classes are called {target_class!r}", f"Give the index: one of {places}"
            raise ClassError(three_parts(given, allowed, advice))
        close = " or ".join(repr(name) for name in nearest(target_class, class_names))
        advice = f"Did you mean {close}?" if close else f"Give an index, or a name such as {class_names[0]!r}"
        raise ClassError(three_parts(f"There is no class {target_class!r}", allowed, advice))
    try:
        index = operator.index(target_class)
    except TypeError:
        given = f"A class was given as {target_class!r}, of type {type(target_class).__name__}"
        raise ClassError(three_parts(given, allowed, "Give an index or a name")) from None
    if not 0 <= index <= last:
        raise ClassError(three_parts(f"There is no class {index}", allowed, "Give an index in this range, or a name"))
    return index


def told_apart(class_names: Sequence[str]) -> list[str]:
    """Return the names as they are shown: those that several classes have, with their index, as in "crane · 517".

    Args:
        class_names: all names.
    """
    counts = Counter(class_names)
    return [f"{name} · {index}" if counts[name] > 1 else name for index, name in enumerate(class_names)]


TOP_CLASSES = 10
"""How many classes are explained if none are asked for."""


class _Wanted(str):
    """In place of a class's name; told by what it is, so a class may have that name."""

    __slots__ = ()


MOST_PROBABLE = _Wanted("the most probable class")
"""Among the classes asked for: the most probable one, whichever it is; of values, the first."""


@runtime_checkable
class LearnerLike(Protocol):
    """The parts of a fastai Learner that are used."""

    dls: Any
    model: Any


Explainable = nn.Module | LearnerLike
"""A classifier: a torch module that returns logits, or a fastai Learner."""


def network_of(model: Explainable) -> nn.Module:
    """Return the torch module to run.

    Raises:
        TypeError: the model is neither a Learner nor a module.
    """
    network = model if isinstance(model, nn.Module) else getattr(model, "model", None)
    if isinstance(network, nn.Module) and (network is model or hasattr(model, "dls")):
        return network
    given, advice = f"The model is {type(model).__name__}", "Pass the Learner or the network itself"
    if type(model).__name__ == "ExportedProgram":
        advice = "Pass the network that it was exported from, or torch.export.unflatten(program)"
    elif isinstance(network, nn.Module):
        advice = "Pass the network that it holds, its .model"
    raise TypeError(three_parts(given, "It must be a fastai Learner or a torch.nn.Module", advice))


def own_names(model: Explainable) -> tuple[str, ...]:
    """Return the names that a Learner's vocabulary, or the module itself, has for the classes; empty if it has none.

    A Learner with several outputs has a vocabulary for each: they are joined, and a name says which output it is of.

    Args:
        model: a Learner or module.
    """
    if isinstance(model, nn.Module):
        return names_on(model)
    found = vocabularies(getattr(model.dls, "vocab", ()))
    if len(found) < 2:
        return tuple(str(name) for names in found for name in names)
    return tuple(f"output {number}: {name}" for number, names in enumerate(found) for name in names)


def names_on(network: nn.Module) -> tuple[str, ...]:
    """Return the names of classes that a module carries; empty if it has none.

    Args:
        network: its `class_names` count, else `config.id2label`, as Hugging Face's models have it.
    """
    names = getattr(network, "class_names", None)
    labels = getattr(getattr(network, "config", None), "id2label", None)
    if not names and isinstance(labels, Mapping) and sorted(labels) == list(range(len(labels))):
        names = [labels[index] for index in range(len(labels))]
    return tuple(map(str, names)) if names and hasattr(names, "__iter__") else ()


def checked_names(given: Any) -> tuple[str, ...] | None:
    """Return the names of classes that were given, as words; None if none were.

    Args:
        given: names in the order of the logits.

    Raises:
        ClassError: it is no list of names.
    """
    if given is None:
        return None
    if isinstance(given, str | bytes | Mapping) or not hasattr(given, "__iter__") or getattr(given, "ndim", 1) != 1:
        names = f"class_names is one {type(given).__name__}"
        raise ClassError(three_parts(names, "It holds a name for each class", 'Try class_names=["cat", "dog"]'))
    return tuple(map(str, given))


def names_of(given: Sequence[str] | None, own: Sequence[str], *, count: int, activation: Activation) -> tuple[str, ...]:
    """Return a name for each of `count` classes: those given, else the model's own if the count is right, else numbers.

    Args:
        given: the names asked for.
        own: the model's own names.
        count: how many classes there are.
        activation: what the outputs mean; values are not called classes.

    Raises:
        ClassError: the number of names given is not the number of classes.
    """
    if given is None:
        if len(own) == count:
            return tuple(own)
        kind = "class" if activation.is_probability else "value"
        return ("value",) if (kind, count) == ("value", 1) else tuple(f"{kind} {index}" for index in range(count))
    names = checked_names(given) or ()
    if len(names) != count:
        allowed = f"The model has {count} classes, so there must be {count} names"
        advice = "Give one name per class, in the order of the logits"
        raise ClassError(three_parts(f"There are {len(names)} names", allowed, advice))
    return names


def targets_of(
    target_classes: Sequence[Any] | None,
    logits: Float[Tensor, "1 class"],
    names: Sequence[str],
    activation: Activation,
) -> list[int]:
    """Return the indices of the classes to explain, without repeats.

    If none are asked for, they are the most probable ones; of values, the first ones.

    Args:
        target_classes: indices or names, or `MOST_PROBABLE`.
        logits: what the network returned.
        names: of all classes.
        activation: what the logits mean.

    Raises:
        ClassError: there is no such class, or none at all was asked for.
    """
    if target_classes is None:
        few = min(TOP_CLASSES, logits.shape[1])
        return most_probable(logits, activation, count=few)[0].tolist()
    if not target_classes:
        raise ClassError(
            three_parts("target_classes is empty", "It needs at least one class", "None means the top ten")
        )
    found = (
        int(most_probable(logits, activation)) if target is MOST_PROBABLE else class_index(target, names)
        for target in target_classes
    )
    return list(dict.fromkeys(found))


def methods_of(methods: Sequence[str], *, known: Sequence[str] = METHODS, default: str = "grad_cam") -> tuple[str, ...]:
    """Return the methods asked for, without repeats.

    Args:
        methods: the methods asked for.
        known: the methods there are.
        default: the method that a message proposes.

    Raises:
        MapError: there is no such method, or none was asked for.
    """
    methods = listed(methods) or ()
    for method in methods:
        if method not in known:
            close = nearest(str(method), known)
            advice = f"Did you mean {close[0]!r}?" if close else f"The default is {default!r}"
            allowed = f"Methods are {', '.join(map(repr, known))}"
            raise MapError(three_parts(f"There is no method {method!r}", allowed, advice))
    if not methods:
        raise MapError(three_parts("No method was asked for", f"Methods are {', '.join(known)}", "Name at least one"))
    return tuple(dict.fromkeys(methods))


def layers_of(layers: Sequence[LayerGiven] | LayerGiven | None, model: Explainable) -> list[str] | None:
    """Return the names of the layers asked for, without repeats; None if none were.

    Raises:
        LayerError: the list is empty, or holds what is no layer of the model.
    """
    # a block, such as nn.Sequential, is one layer, although it can be iterated; a ModuleList never runs itself
    block = isinstance(layers, nn.Module) and not isinstance(layers, nn.ModuleList)
    given: list[Any] | None = [layers] if block else listed(layers)
    if given == []:
        raise LayerError(three_parts("No layer was asked for", "layers holds at least one layer", GOOD_SET))
    return None if given is None else list(dict.fromkeys(layer_name(each, network_of(model)) for each in given))


def listed(value: Any) -> list[Any] | None:
    """Return several values as a list, a single one (a layer name, a class) as a list of one, None as None."""
    if value is None:
        return None
    return list(value) if not isinstance(value, str) and hasattr(value, "__iter__") else [value]


GridArgument: TypeAlias = Any
"""Rows and columns of every layer's map; or a mapping from layers to those and to how many other tokens come first.
`sizes_of` checks it, for its message says more than a type error."""


def sizes_of(grid: Any) -> Sizes:
    """Return the sizes that were given, by layer.

    Args:
        grid: see `request_of`.

    Raises:
        LayerError: it is not of that form.
    """
    if grid is None:
        return {}
    by_layer = grid if isinstance(grid, Mapping) else {EVERY: grid}
    sizes: dict[str, tuple[int, int, int | None]] = {}
    for name, size in by_layer.items():
        counts = (2, 3) if isinstance(grid, Mapping) else (2,)
        whole = isinstance(size, tuple | list) and all(isinstance(n, int) and not isinstance(n, bool) for n in size)
        if not isinstance(name, str) or not whole or len(size) not in counts or min(size[:2]) < 1 or min(size) < 0:
            allowed = (
                "It holds the rows and columns of the layers' maps, (rows, columns), or for each layer named also how "
                "many tokens without a position come first: {name: (rows, columns, extra)}"
            )
            raise LayerError(three_parts(f"grid is {grid!r}", allowed, "For 14x14 patches pass grid=(14, 14)"))
        sizes[name] = (size[0], size[1], size[2] if len(size) == 3 else None)
    return sizes


class Asked(TypedDict, total=False):
    """What every explanation takes besides the model, its inputs and the methods; see `request_of`."""

    layers: Sequence[LayerGiven] | LayerGiven | None
    target_classes: Sequence[SupportsIndex | str] | SupportsIndex | str | None
    class_names: Sequence[str] | None
    activation: str | Function | None
    hook: HookClass | None
    hook_bwd: HookClass | None
    grid: GridArgument | None
    progress: Progress | None
    call: int | None
    target: TargetArgument | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Request:
    """What was asked for, checked and made uniform as far as possible before the model runs."""

    methods: tuple[str, ...]
    """The methods, without repeats; at least one."""
    layers: list[str] | None
    """Dotted names, without repeats; None for a good choice."""
    target_classes: list[Any] | None
    """Indices or names, not checked; None for the most probable ones."""
    class_names: Sequence[str] | None
    """A name for every class, not checked; None for the model's own."""
    activation: str | Function | None
    """What turns logits into probabilities; None for what the model's loss or its outputs tell."""
    hooks: OwnHooks
    """The learner's own hook classes, if there are any."""
    grid: GridArgument | None
    """Sizes of maps as they were given, checked."""
    progress: Progress | None
    """Is notified of the progress of methods that run the network many times; None for a bar."""
    call: int | None = None
    """Which call to show of layers that run several times, from 1, or -1 for the last; None if it was left open."""
    target: TargetArgument | None = None
    """What to explain in place of the logits, as it was given, checked."""

    @property
    def first_class(self) -> int | None:
        """The first of the classes asked for, if it is given by its index."""
        first = self.target_classes[0] if self.target_classes else None
        return index_of(first)

    @property
    def scores(self) -> Scores | None:
        """What to explain in place of the logits, by name; None for the logits."""
        return scores_asked(self.target)

    @property
    def shown_call(self) -> int:
        """Which call to show: the last if it was left open."""
        return LAST_CALL if self.call is None else self.call


def call_of(call: Any) -> int | None:
    """Return the call asked for.

    Args:
        call: its number, from 1, or -1 for the last; None if it is left open.

    Raises:
        LayerError: it is no such number.
    """
    number = index_of(call)
    if call is None or (number is not None and (number == LAST_CALL or number >= 1)):
        return number
    given = f"call was given as {told(call)}"
    allowed = "It counts, from 1, the calls of layers that the network runs several times; -1 is the last"
    raise LayerError(three_parts(given, allowed, "Leave it out for the last call"))


def request_of(
    model: Explainable,
    methods: Sequence[str],
    *,
    known: Sequence[str] = METHODS,
    default: str = "grad_cam",
    layers: Sequence[LayerGiven] | LayerGiven | None = None,
    target_classes: Sequence[SupportsIndex | str] | SupportsIndex | str | None = None,
    class_names: Sequence[str] | None = None,
    activation: str | Function | None = None,
    hook: HookClass | None = None,
    hook_bwd: HookClass | None = None,
    grid: GridArgument | None = None,
    progress: Progress | None = None,
    call: int | None = None,
    target: TargetArgument | None = None,
) -> Request:
    """Return a request; a single layer or class may replace a list of one.

    Args:
        model: a Learner or module.
        methods: the methods asked for.
        known: the methods there are.
        default: the method that a message proposes.
        layers: dotted names, or the layers themselves, see `camwidget.hooks.layers.LayerGiven`; None for a good
            choice (for plain CAM: those where it is valid).
        target_classes: indices or names; None for the ten most probable, most probable first (the first ten values).
        class_names: a name for every class; None for the Learner's vocabulary or `model.class_names`.
        activation: what turns logits into probabilities: `"softmax"`, `"sigmoid"` (each class by itself), `"none"`
            (values, no probabilities), or a function from logits (batch, class) to as many probabilities; None for
            what the Learner's loss means, else softmax, and for one logit the sigmoid. A softmax inside the network is
            not applied twice.
        hook: the learner's own class that keeps activations, with the interface of `Hook` (module, `with`,
            `.stored`).
        hook_bwd: one that keeps gradients, with the interface of `HookBwd`; None for ours, as above.
        grid: for pictures, how outputs lie on the picture where neither their shape nor a changed picture tells:
            `(rows, columns)`, for every layer that has as many cells (all of them, if layers are named); or a mapping
            from layers to `(rows, columns)` or `(rows, columns, extra)`, where `extra` is how many tokens without a
            position come first (default: all that are left over). It replaces what would be found out, so only the
            number of cells is checked: tokens must run row by row.
        progress: is notified of the progress of methods that run the network many times; None for a bar.
        call: which call to show of layers that the network runs several times, from 1; None or -1 for the last. Of
            layers that run once it is that one, and the parts in which a network reads a text are always joined.
        target: a number of your own to explain in place of the logits: a function from what the model returns for one
            picture or text (a tensor with a first axis of one, a dictionary, an object) to a tensor with one number,
            such as `lambda output: output[0, 3] - output[0, 5]` ("why 3 and not 5") or
            `lambda output: output["out"][0, 15].mean()`; or a dictionary from names to such functions. Each counts as
            a class without a probability. `contributions` of the result tells where the sum of a map is exact.

    Raises:
        MapError: there is no such method or activation, or no method was asked for.
        TypeError: the activation is neither a name nor a function.
        LayerError: the list of layers is empty, the call is no number of a call, or `grid` is not of that form.
        HookError: a hook is not a class.
        ClassError: `class_names` is no list of names.
        CamwidgetError: a call was asked for together with a hook; the target is not of that form, or was asked for
            together with names of classes or an activation.
    """
    if call_of(call) not in (None, LAST_CALL) and (hook or hook_bwd) is not None:
        given = f"call={call} was given together with a hook class of your own"
        allowed = "Such a class keeps the last call of a layer, so that is the one to show"
        raise CamwidgetError(three_parts(given, allowed, "Leave call out, or the hook classes"))
    if scores_asked(target) is not None and (class_names is not None or activation is not None):
        given = f"target was given together with {'activation' if class_names is None else 'class_names'}"
        allowed = "What is explained is the number that target returns, under the name in its dictionary"
        advice = "Put softmax into the function if that is what you want, and leave the other argument out"
        raise CamwidgetError(three_parts(given, allowed, advice))
    sizes_of(grid)
    names = checked_names(class_names)
    return Request(
        methods=methods_of(methods, known=known, default=default),
        layers=layers_of(layers, model),
        target_classes=listed(target_classes),
        class_names=class_names if hasattr(class_names, "__len__") else names,
        activation=checked_activation(activation),
        hooks=OwnHooks(hook, hook_bwd),
        grid=grid,
        progress=progress,
        call=call_of(call),
        target=target,
    )

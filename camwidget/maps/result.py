"""What every explanation has: its maps, logits and class names, refusals, and the code that makes it again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from os import PathLike
from types import MappingProxyType
from typing import Any, Self, SupportsIndex

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.errors import ClassError, LayerError, MapError, a_kind, clipped, nearest, three_parts
from camwidget.hooks.layers import Layer
from camwidget.maps.activation import (
    KNOWN,
    SOFTMAX,
    Activation,
    answered,
    known_activation,
    lasting,
    why_no_probability,
)
from camwidget.maps.arguments import class_index
from camwidget.maps.call import Call, filled
from camwidget.maps.methods import CLASS_AGNOSTIC
from camwidget.maps.readout import Readout
from camwidget.maps.store import Stored, write

ADDING_UP = ("cam", "grad_cam", "xgrad_cam")
"""Methods whose maps are contributions to the logit where plain CAM is valid; HiResCAM's are at every layer."""

FEW = 4
"""When an explanation is printed, up to this many layers and classes are all named."""

LONGEST = 40
"""Characters shown of a name or a text when an explanation is printed."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class LayerMaps:
    """What one method says, for several layers and classes. Numbers are raw: signed and unscaled."""

    method: str
    """The method. Maps of `"eigen_cam"` know no class, and their sign is a convention."""
    layers: tuple[Layer, ...]
    """The layers that have maps, in the order in which the network ran them; the last is nearest to the classes."""
    target_classes: tuple[int, ...]
    """The classes that have maps."""
    class_names: tuple[str, ...]
    """The name of every class of the model."""
    logits: Float[Tensor, "class"]
    """Every output of the network, before any activation. Like the maps, in single precision if the model has less."""
    cams: Mapping[str, Float[Tensor, "target_class ..."]]
    """Layer name to maps, one per target class, in their order."""
    readouts: Mapping[str, Readout]
    """How the network reads a layer, where that is one weighted sum; determined if `"cam"` was among the methods."""
    refusals: Mapping[str, str]
    """Layer name to the reason why plain CAM is not valid there, or why HiResCAM or Score-CAM has no map of it."""
    call: Call
    """The call that makes this result again, as data."""
    activation: Activation = SOFTMAX
    """What turns the logits into what the network says: softmax, the sigmoid of each class, a function, or nothing."""

    @classmethod
    def around(cls, maps: "LayerMaps", **more: Any) -> Self:
        """Return a result of a more specific class, with the same maps.

        Args:
            maps: the result.
            **more: the additional fields of that class.
        """
        return cls(**{field.name: getattr(maps, field.name) for field in fields(LayerMaps)}, **more)

    def __getstate__(self) -> dict[str, Any]:
        """What pickle and copy keep: everything, but of a function of your own only what it gave here."""
        state = {
            name: dict(value) if isinstance(value, MappingProxyType) else value for name, value in vars(self).items()
        }
        return {**state, "activation": lasting(self.activation, self.logits)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        read_only = {name: MappingProxyType(value) for name, value in state.items() if isinstance(value, dict)}
        vars(self).update({**state, **read_only})

    def save(self, path: str | PathLike[str]) -> None:
        """Write the result to one file, which `camwidget.load` reads. Reading it runs no code.

        Args:
            path: where; a file that is there is replaced.
        """
        write(path, [self.stored()], about={"several": False})

    def stored(self) -> Stored:
        """Return what a file keeps: all numbers, names and the call; of a function of your own only what it gave."""
        data = {
            "kind": "",
            "method": self.method,
            "layers": [asdict(layer) for layer in self.layers],
            "target_classes": self.target_classes,
            "class_names": self.class_names,
            "refusals": dict(self.refusals),
            "call": asdict(self.call),
            "readouts": list(self.readouts),
            "activation": {
                "name": self.activation.name,
                "known": any(self.activation is known for known in KNOWN),
                "exclusive": self.activation.exclusive,
                "is_probability": self.activation.is_probability,
            },
        }
        arrays = {"logits": self.logits.numpy(), "answers": self.answers.numpy()}
        arrays |= {f"cam/{place}": self.cams[layer.name].numpy() for place, layer in enumerate(self.layers)}
        for place, readout in enumerate(self.readouts.values()):
            arrays[f"weight/{place}"] = readout.classifier_weight.numpy()
            arrays[f"bias/{place}"] = readout.bias.numpy()
        return Stored(data, arrays)

    @classmethod
    def from_stored(cls, stored: Stored, **more: Any) -> Self:
        """Return the result that `stored` made.

        Args:
            stored: the data and arrays.
            **more: the additional fields of a more specific class.

        Raises:
            ValueError, KeyError, TypeError: they do not make a result.
        """
        data, numbers = stored.data, {name: torch.from_numpy(array) for name, array in stored.arrays.items()}
        layers = tuple(Layer(**each) for each in data["layers"])
        logits, said = numbers["logits"], data["activation"]
        if said["known"]:
            activation = known_activation(said["name"])
        else:
            kinds = {name: bool(said[name]) for name in ("exclusive", "is_probability")}
            activation = answered(str(said["name"]), logits, numbers["answers"], **kinds)
        result = cls(
            method=str(data["method"]),
            layers=layers,
            target_classes=tuple(map(int, data["target_classes"])),
            class_names=data["class_names"],
            logits=logits,
            cams=MappingProxyType({layer.name: numbers[f"cam/{place}"] for place, layer in enumerate(layers)}),
            readouts=MappingProxyType(
                {
                    str(name): Readout(numbers[f"weight/{place}"], numbers[f"bias/{place}"])
                    for place, name in enumerate(data["readouts"])
                }
            ),
            refusals=MappingProxyType({str(name): str(reason) for name, reason in data["refusals"].items()}),
            call=Call.from_data(data["call"]),
            activation=activation,
            **more,
        )
        result._check()
        return result

    def _check(self) -> None:
        """Refuse numbers that do not go together, as a damaged file may have them."""
        count, rows = len(self.class_names), len(self.target_classes)
        fits = self.logits.shape == self.answers.shape == (count,) and all(
            0 <= target < count for target in self.target_classes
        )
        if not fits or any(cams.shape[0] != rows for cams in self.cams.values()):
            raise ValueError("the maps, classes and logits of the result do not go together")

    def __repr__(self) -> str:
        classes = [
            f"{index} {clipped(self.class_names[index], longest=LONGEST)!r} {self.answer(index)}"
            for index in self.target_classes
        ]
        maps = f"layers {_some([repr(layer.name) for layer in self.layers])}" if self.layers else "no maps"
        return f"<{type(self).__name__} by {self.method!r}: {maps}; classes {_some(classes)}>"

    @property
    def code(self) -> str:
        """Lines that make this result again, with your own names for model, picture or text, and hook classes."""
        return self.call.lines()

    @property
    def knows_class(self) -> bool:
        """Whether the maps depend on the class; those of Eigen-CAM are the same for every class."""
        return self.method not in CLASS_AGNOSTIC

    @property
    def probabilities(self) -> Float[Tensor, "class"]:
        """What the network says of each class; the sum is 1 only where classes exclude each other.

        `activation` says how they follow from the logits, and `activation.exclusive` whether the classes exclude each
        other.

        Raises:
            MapError: they are values, as of a regression, and no probabilities; see `answers`.
        """
        if not self.activation.is_probability:
            raise MapError(why_no_probability())
        return self.answers

    @property
    def answers(self) -> Float[Tensor, "class"]:
        """What the network says: the probabilities; or the values, where it was not trained to choose among classes."""
        return self.activation.function(self.logits[None])[0]

    def answer(self, target_class: SupportsIndex | str) -> str:
        """Return what the network says of a class, to be printed: a percentage, or a value.

        Args:
            target_class: index or name.

        Raises:
            ClassError: there is no such class, or several have that name.
        """
        number = float(self.answers[self.class_index(target_class)])
        if not self.activation.is_probability:
            return f"{number:.3g}"
        if 0 < number < 0.001:
            return "under 0.1%"
        return "over 99.9%" if 0.999 < number < 1 else f"{number:.1%}"

    def code_for(self, layer: str | Layer | None = None, target_class: int | str | None = None) -> str:
        """Return lines that make one map again and nothing more; names are your own, as in `code`.

        Args:
            layer: the layer, by name or as in `layers`; None for the deepest with a map.
            target_class: index or name of the class; None for the first.
        """
        name, index = self._map_layer(layer), self.target_classes[self._row(target_class)]
        return filled(self.call.template(), name, index)

    def for_classes(self, target_classes: Sequence[int], *others: Self) -> Self:
        """Return the same explanation for other classes, from the maps of this one and of others; nothing is run.

        A layer that lacks a map of one of the classes is refused for all of them.

        Args:
            target_classes: the classes by index, in the order wanted; each must be one of these explanations'.
            *others: explanations by the same method, of the same picture or text and the same layers.
        """
        homes = []
        for index in target_classes:
            source = next(each for each in (self, *others) if index in each.target_classes)
            homes.append((source, source.target_classes.index(index)))
        whole = [name for name in self.cams if all(name in source.cams for source, _ in homes)]
        known = [name for name in self.readouts if all(name in source.readouts for source, _ in homes)]
        reasons = {name: why for each in (*others, self) for name, why in each.refusals.items() if name not in whole}
        readouts = {
            name: Readout(
                torch.stack([source.readouts[name].classifier_weight[row] for source, row in homes]),
                torch.stack([source.readouts[name].bias[row] for source, row in homes]),
            )
            for name in known
        }
        return replace(
            self,
            layers=tuple(layer for layer in self.layers if layer.name in whole),
            target_classes=tuple(target_classes),
            cams=MappingProxyType({name: torch.stack([at.cams[name][row] for at, row in homes]) for name in whole}),
            readouts=MappingProxyType(readouts),
            refusals=MappingProxyType(reasons),
            call=replace(self.call, target_classes=tuple(target_classes)),
        )

    def class_index(self, target_class: SupportsIndex | str) -> int:
        """Return the index of a class given by index or by name.

        Raises:
            ClassError: there is no such class, or several have that name.
        """
        return class_index(target_class, self.class_names)

    def contributions(
        self, layer: str | Layer | None = None, target_class: int | str | None = None
    ) -> tuple[float, float]:
        """Return the sum of all cells' contributions to the logit, and the bias: together they are the logit.

        For CAM, Grad-CAM and XGrad-CAM that holds where plain CAM is valid; one cell contributes its CAM value divided
        by the number of cells, which is its Grad-CAM value.

        For HiResCAM there are two such numbers at every layer: the sum of the map, and the effective bias, which is
        by definition what is left of the logit. It is a true constant where the layers after it are piecewise linear
        (convolution, linear, ReLU, average and max pooling, batch norm in evaluation mode): in the piece that this
        picture is in, the logit is the sum of gradient times activation plus the sum of what the later biases add,
        whatever the activation. Elsewhere (GELU, SiLU, sigmoid gates, layer norm, attention) the two numbers still
        add up, but the second also holds what a straight line misses.

        Args:
            layer: the layer, by name or as in `layers`; None for the deepest with a map.
            target_class: index or name of the class; None for the first of `target_classes`.

        Raises:
            MapError: the logit is not such a sum at this layer, or the method has none; the message says why.
        """
        name, row = self._map_layer(layer), self._row(target_class)
        cam = self.cams[name][row]
        if self.method == "hires_cam":
            total = float(cam.double().sum())
            return total, float(self.logits[self.target_classes[row]]) - total
        if self.method not in ADDING_UP:
            given = f"The cells of a map of {self.method!r} do not add up to a logit"
            allowed = f"That holds for {', '.join(map(repr, ADDING_UP))} where plain CAM is valid, and for 'hires_cam'"
            raise MapError(three_parts(given, allowed, "Use explain(..., method='hires_cam')"))
        if name not in self.readouts:
            given = f"Whether the map of layer {name!r} adds up to the logit was not checked"
            allowed = "It is known only if plain CAM was tried"
            advice = "Use explain(..., method='cam') or explain_methods(..., methods=('cam', 'grad_cam'))"
            raise MapError(self.refusals.get(name) or three_parts(given, allowed, advice))
        return float(cam.mean() if self.method == "cam" else cam.sum()), float(self.readouts[name].bias[row])

    def _map_layer(self, layer: str | Layer | None) -> str:
        layer = layer.name if isinstance(layer, Layer) else layer
        if layer is None and self.cams:
            return list(self.cams)[-1]
        if layer is None and self.refusals:
            layer = list(self.refusals)[-1]
        if layer is not None and layer in self.cams:
            return layer
        if self.method in ("cam", "score_cam", "hires_cam") and layer is not None and layer in self.refusals:
            raise MapError(self.refusals[layer])
        allowed = f"It has maps of {', '.join(map(repr, self.cams))}"
        if not isinstance(layer, str | None):
            given = f"A layer was given as {a_kind(layer)}"
            raise LayerError(three_parts(given, allowed, "Give one of these names, or one of result.layers"))
        given = f"There is no map of layer {layer!r} in this explanation"
        close = ", ".join(repr(name) for name in nearest(str(layer), self.cams))
        advice = f"Did you mean {close}?" if close else f"Use explain(..., layers=[{layer!r}])"
        raise LayerError(three_parts(given, allowed, advice))

    def _row(self, target_class: int | str | None) -> int:
        if target_class is None:
            return 0
        index = self.class_index(target_class)
        if index in self.target_classes:
            return self.target_classes.index(index)
        given = f"Class {index} ({self.class_names[index]}) has no map in this explanation"
        allowed = f"It has maps of classes {', '.join(map(str, self.target_classes))}"
        raise ClassError(three_parts(given, allowed, f"Use explain(..., target_classes=[{index}])"))


def _some(names: Sequence[str]) -> str:
    """The names in a row; if there are many, only the first few and the last."""
    return ", ".join(names if len(names) <= FEW else [*names[: FEW - 1], f"... {names[-1]} ({len(names)})"])

"""Dotted layer names: which layers are worth sliding over, and help with unknown names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import nn

from camwidget.errors import LayerError, a_kind, clipped, nearest, three_parts

FEW, MANY = 4, 17
"""Containers are opened while there are fewer than FEW layers, or as long as opening gives at most MANY."""

_CONVOLUTIONS = (nn.modules.conv._ConvNd,)
_NORMS = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm, nn.LocalResponseNorm)
_FLAT = (nn.Linear, nn.Bilinear, nn.Flatten, nn.BatchNorm1d, nn.Embedding)
_PASSING = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.Identity)
_GROUPS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


@dataclass(frozen=True)
class Layer:
    """One layer with a map: its dotted name, its place, and the size of its map."""

    name: str
    """Dotted name inside the model, as in `model.named_modules()`."""
    depth: int
    """Place among the layers that were run, counted from 1; the deepest is nearest to the classes."""
    channels: int
    """Number of channels of its output."""
    map_height: int
    """Rows of its output."""
    map_width: int
    """Columns of its output."""
    call: int = 1
    """Which of its calls is shown, from 1, if the network runs it several times."""
    calls: int = 1
    """How often the network runs it; 1 also where a text is read in parts, whose calls are joined."""

    @property
    def label(self) -> str:
        """What a slider shows: name, map size, channels, and the call if there are several."""
        size = f"{self.name} · {self.map_height}×{self.map_width} · {self.channels} channels"
        return size if self.calls == 1 else f"{size} · call {self.call} of {self.calls}"


GOOD_SET = "layers=None chooses a good set; candidate_layers(model) lists it"
"""What to try where what was asked for is no layer."""

LayerGiven: TypeAlias = str | Layer | nn.Module
"""A layer by its dotted name, as a `Layer` of a result, or as the module itself."""


def layer_name(layer: LayerGiven, model: nn.Module) -> str:
    """Return the dotted name of a layer in a network; a name as it is, whether or not there is such a layer.

    Args:
        layer: the layer.
        model: the network. Of a module that stands at several places of it, the first counts.

    Raises:
        LayerError: the module is no part of the network, or all of it; or it is no layer at all.
    """
    allowed = "Layers are given by their dotted names, as the Layer of a result, or as modules of the network"
    if isinstance(layer, nn.Module):
        found: list[str] = [name for name, module in model.named_modules() if module is layer]
        if found and found[0]:
            return found[0]
        given = f"layers holds {a_kind(layer)}, which is {'the whole network' if found else 'not in this network'}"
        raise LayerError(three_parts(given, allowed, GOOD_SET))
    if isinstance(layer, Layer):
        return layer.name
    if not isinstance(layer, str):
        raise LayerError(three_parts(f"layers holds {clipped(repr(layer), longest=60)}", allowed, GOOD_SET))
    return layer


def candidate_layers(model: nn.Module) -> list[str]:
    """Return the names of the layers worth looking at, by the structure of the model alone; nothing is run.

    Consecutive modules that belong together (convolution, normalisation, activation) count as one layer, named after
    the last of them. Blocks count as one layer each. Pooling, flattening, linear layers and dropout are left out.

    Args:
        model: any network.
    """
    inner, prefix = model, ""
    while (only := _only_child(inner)) is not None:  # a wrapper, such as DataParallel or a compiled model
        prefix, inner = f"{prefix}{only[0]}.", only[1]
    level = _spread(model, list(_runs(inner, prefix)))
    return [*level, prefix.removesuffix(".")] if prefix and level else level


def opened_layers(model: nn.Module, names: Sequence[str]) -> list[str]:
    """Return the layers inside each of `names`, followed by the layer itself; those with none inside stay as they are.

    Args:
        model: any network.
        names: the layers to open.
    """
    opened = []
    for name in names:
        inside = _spread(model, list(_runs(model.get_submodule(name), f"{name}.")))
        opened += [layer for layer in (*inside, name) if layer not in names or layer == name]
    return list(dict.fromkeys(opened))


def find_module(model: nn.Module, name: str, *, worth: Sequence[str] | None = None) -> nn.Module:
    """Return the module with that dotted name.

    Args:
        model: the network to look in.
        name: a name as in `model.named_modules()`, e.g. `"layer4.1"`.
        worth: the layers that a message proposes; None for those of pictures.

    Raises:
        LayerError: the model has no such layer; the message names the nearest ones.
    """
    module = _inside(model, name) if isinstance(name, str) else None
    if isinstance(module, torch.jit.ScriptModule):
        given, allowed = f"Layer {name!r} is compiled by TorchScript", "Its compiled code calls no hooks"
        raise LayerError(three_parts(given, allowed, "Explain the network that it was compiled from"))
    if module is not None:
        return module
    known = [layer for layer, _ in model.named_modules(remove_duplicate=False) if layer]
    given = f"The model has no layer {name!r}"
    worth = candidate_layers(model) if worth is None else worth
    some = ", ".join(repr(layer) for layer in worth[:MANY]) or "none"
    close = " or ".join(repr(layer) for layer in nearest(str(name), known))
    advice = f"Did you mean {close}?" if close else "dict(model.named_modules()) lists all names"
    raise LayerError(three_parts(given, f"Layers worth looking at are {some}", advice))


def _inside(model: nn.Module, name: str) -> nn.Module | None:
    """The module of that dotted name, and never the model itself; modules only, as `named_modules()` has them."""
    module: nn.Module | None = model
    for part in name.split("."):
        module = None if module is None else module._modules.get(part)
    return module


def _only_child(module: nn.Module) -> tuple[str, nn.Module] | None:
    """Name and module of an only child whose parent has nothing else of its own; None where there is no such child."""
    children = list(module.named_children())
    if len(children) != 1 or _kind(children[0][1]) != "block" or {type(module), type(children[0][1])} & set(_GROUPS):
        return None
    return children[0] if next(module.parameters(recurse=False), None) is None else None


def _spread(model: nn.Module, level: list[str]) -> list[str]:
    """The layers of one level, with containers replaced by their contents as long as there are not too many."""
    while groups := [name for name in level if type(model.get_submodule(name)) in _GROUPS]:
        opened = list(_opened(model, level, groups))
        # Lists of modules have no output of their own, so they are always opened.
        must = any(not isinstance(model.get_submodule(name), nn.Sequential) for name in groups)
        if not must and len(level) >= FEW and len(opened) > MANY:
            break
        level = opened
    return level


def _opened(model: nn.Module, level: Sequence[str], groups: Sequence[str]) -> Iterator[str]:
    for name in level:
        if name in groups:
            yield from _runs(model.get_submodule(name), f"{name}.")
        else:
            yield name


def _runs(parent: nn.Module, prefix: str) -> Iterator[str]:
    """The children worth looking at, where a run of simple modules is represented by its last one."""
    run: str | None = None
    flat = False  # after a flattening or linear layer there are no maps until the next convolution
    for name, child in parent.named_children():
        kind = _kind(child)
        if kind in ("convolution", "block", "flat", "pooling"):
            if run is not None:
                yield run
            run = None
            flat = kind == "flat" or (flat and kind == "pooling")
        if kind == "block":
            yield prefix + name
        elif kind in ("convolution", "follower") and not flat:
            run = prefix + name
    if run is not None:
        yield run


def _kind(module: nn.Module) -> str:
    """One of convolution, follower (normalisation, activation), flat, pooling, passing, block."""
    if isinstance(module, torch.jit.ScriptModule):
        return "passing"  # nothing can listen to it
    if isinstance(module, _FLAT):
        return "flat"
    if isinstance(module, _CONVOLUTIONS):
        return "convolution"
    if isinstance(module, _NORMS):
        return "follower"
    if isinstance(module, _PASSING):
        return "passing"
    children = list(module.children())
    if children:
        inner = {_kind(child) for child in children}
        return "block" if inner & {"block", "convolution", "follower"} else "flat" if "flat" in inner else "pooling"
    if "pool" in type(module).__name__.lower():
        return "pooling"
    if isinstance(module, _GROUPS):
        return "passing"  # empty: a shortcut that does nothing
    return "block" if next(module.parameters(), None) is not None else "follower"

"""What a learner's own hook can do wrong: every mistake by name, what is right instead, and how it is recognised.

A name is the end of a sentence that begins with the class and the layer: "MyHook on layer '0.8' stores nothing".
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from camwidget.errors import HookError, three_parts
from camwidget.hooks.tensors import plain

_STORE = "Its hook function has to keep the layer's output: self.stored = o.detach().clone()"
_STORE_BWD = "Its hook function has to keep the gradient of the layer's output: self.stored = go[0].detach().clone()"
_PER_CLASS = "For each class one logit is back-propagated, and `stored` must then hold its gradient"
_WATCH = "A hook only watches and returns nothing, so that the network works as it does without it"
_ONE_CLASS = "After each backward pass `stored` holds the gradient of that class alone"
_TENSOR_HOOK = "Register a forward hook and in it call o.register_hook(...): that works beside in-place operations"

MISTAKES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # How the class is made and entered.
        "is an object, not a class": (
            "A class is expected, and every layer gets a hook of that class",
            "Pass the name without brackets: hook=MyHook",
        ),
        "does not take one module": (
            "Its constructor takes one module, the layer, and registers there",
            "Write def __init__(self, m): self.hook = m.register_forward_hook(self.hook_func)",
        ),
        "raises an error in its constructor": (
            "Its constructor takes one module and registers there",
            "The error is shown above this one; try MyHook(learn.model[0]) alone",
        ),
        "mixes old and full backward hooks": (
            "PyTorch allows only one kind per module: once register_backward_hook, or the full one, was used on it, "
            "the other kind is refused, even if that hook is gone",
            f"Create the learner again. {_TENSOR_HOOK}",
        ),
        "is no context manager": (
            "It is used in a with block, so it needs __enter__ and __exit__",
            "Write def __enter__(self): return self, and def __exit__(self, *args): self.hook.remove()",
        ),
        "raises an error in __enter__": ("__enter__ returns the hook", "Write def __enter__(self): return self"),
        "returns None from __enter__": (
            "`as` gives a name to what __enter__ returns, and that must be the hook",
            "Write def __enter__(self): return self",
        ),
        "registers no hook": (
            "PyTorch calls only what was registered on the module",
            "In the constructor write self.hook = m.register_forward_hook(self.hook_func)",
        ),
        "listens to the backward pass": (
            "hook=... keeps activations, so it must listen to the forward pass",
            "Use m.register_forward_hook, or pass this class as hook_bwd",
        ),
        # What it does to the network.
        "raises an error in its hook function": (
            "PyTorch calls it while the network runs, as hook_func(m, i, o) forward and hook_func(m, gi, go) backward",
            "The error is shown above this one: check the number and names of the arguments",
        ),
        "changes the output": (_WATCH, "Return nothing, and clone before you change anything: o.detach().clone()"),
        "cuts the graph": (
            "What flows on must stay attached, or no gradient comes back",
            "Detach only what you keep: self.stored = o.detach().clone(), and return nothing",
        ),
        "changes the gradient": (_WATCH, "Return nothing"),
        "puts a full backward hook next to an in-place operation": (
            "register_full_backward_hook passes on a view of the output, which the operation after (or in) the layer, "
            "such as ReLU(inplace=True), may not overwrite",
            _TENSOR_HOOK,
        ),
        # What it stores, in the forward pass.
        "stores nothing": ("After the network has run, `stored` holds the layer's output", _STORE),
        "has no attribute stored": ("The attribute `stored` must hold what was kept", "Rename it to self.stored"),
        "raises an error when stored is read": (
            "`stored` must be readable inside the block, after the network has run",
            "The error is shown above this one",
        ),
        "stores no tensor": ("`stored` is one tensor, or a list whose last entry is one", _STORE),
        "stores a tuple, not its tensor": (
            "PyTorch passes inputs and gradients as tuples, but `stored` is a tensor",
            "Take the first entry: go[0]",
        ),
        "stores the input instead of the output": (
            "A map is made from the layer's output",
            "In hook_func(m, i, o) the third argument is the output: self.stored = o.detach().clone()",
        ),
        "stores the output without a clone": (
            "An operation after the layer works in place, so the memory now holds that operation's result",
            "Copy it at once: self.stored = o.detach().clone()",
        ),
        "stores a tensor that still holds the graph": (
            "A stored tensor must be detached, or the whole pass stays in memory with it",
            "Detach it: self.stored = o.detach().clone()",
        ),
        "drops the batch axis": (
            "`stored` has all four axes: batch, channel, height, width",
            "Store the whole tensor, and take [0] where you use it",
        ),
        "stores a mean, not the map": (
            "`stored` keeps every position; averages are taken later",
            "Store the tensor as it comes, without mean",
        ),
        "stores the layer's weights": ("Weights are the same for every picture; a map needs the output", _STORE),
        "stores what belongs to another layer": (
            "Every layer has a hook of its own, which keeps what belongs to that layer",
            "Set self.stored, not an attribute of the class or a global name",
        ),
        "keeps an earlier call": (
            "The layer runs several times in one pass, and its last call counts",
            "Overwrite `stored` in each forward call; in the backward pass the last call's gradient comes first",
        ),
        "stores another shape": ("`stored` has the shape of the layer's output", "Store the tensor as it comes"),
        "stores other numbers": (
            "`stored` holds the layer's own numbers, and these match nothing that we know",
            "Store the tensor as it comes, with detach().clone() and nothing else",
        ),
        # What it stores, in the backward pass.
        "never hears of a gradient": (_PER_CLASS, _STORE_BWD),
        "stores nothing of the gradient": (_PER_CLASS, _STORE_BWD),
        "stores the activation instead of the gradient": (
            "hook_bwd=... keeps gradients; the output is what hook=... keeps",
            f"It must listen to the backward pass. {_TENSOR_HOOK}",
        ),
        "stores grad_input instead of grad_output": (
            "The gradient with respect to the layer's output is grad_output, the third argument",
            "In hook_func(m, gi, go) store go[0]",
        ),
        "stores the gradient of the overwritten output": (
            "An operation after the layer works in place, and this is the gradient of its result",
            "Use o.register_hook(...) in the forward hook: it stays with the earlier value",
        ),
        "keeps the gradient of the first class": (_ONE_CLASS, "Overwrite `stored` at every call"),
        "adds up the gradients of all classes": (_ONE_CLASS, "Write self.stored = ..., not +=, and do not read .grad"),
        # How it goes.
        "raises an error in __exit__": (
            "__exit__ removes the hook",
            "Write def __exit__(self, *args): self.hook.remove()",
        ),
        "does not take the arguments of __exit__": (
            "Python passes three arguments to __exit__, about the error if there was one",
            "Write def __exit__(self, *args): self.hook.remove()",
        ),
        "is never removed": (
            "When the block ends, no hook may be left on the network, or it keeps running there",
            "Write def __exit__(self, *args): self.hook.remove(). This time it was removed for you",
        ),
        "removes hooks of others": (
            "A hook removes only itself",
            "Keep what register_forward_hook returns, and call remove() on that. The others were put back for you",
        ),
    }
)
"""Name to what is right, and what to try."""

_FORBIDDEN_IN_PLACE = "is a view and is being modified inplace"
_BOTH_KINDS = "both regular backward hooks and full backward hooks"


def mistaken(mistake: str, who: str, *, detail: str = "") -> HookError:
    """Return the error for a mistake.

    Args:
        mistake: one of `MISTAKES`.
        who: the class and the layer, as the beginning of the sentence.
        detail: the end of the sentence.
    """
    allowed, advice = MISTAKES[mistake]
    return HookError(mistake, three_parts(f"{who} {mistake}{detail}", allowed, advice))


def translated(error: Exception, usual: str) -> str:
    """Return the mistake that an error from PyTorch describes in its own words, or the usual one."""
    message = str(error)
    if _BOTH_KINDS in message:
        return "mixes old and full backward hooks"
    if "BackwardHookFunction" in message and _FORBIDDEN_IN_PLACE in message:
        return "puts a full backward hook next to an in-place operation"
    return usual


def takes(function: Callable[..., Any], *arguments: Any) -> bool:
    """Return whether a function can be called with these arguments, as far as its signature shows."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    except ValueError:
        return True  # some built-in functions have no signature
    return True


def same(found: Any, expected: Tensor | None) -> bool:
    """Return whether two tensors hold the same numbers, up to the rounding of the coarser dtype."""
    if not isinstance(found, Tensor) or expected is None or found.shape != expected.shape:
        return False
    if not found.is_floating_point() or not expected.is_floating_point():
        return False
    found, expected = plain(found.detach()).to(expected.device), plain(expected.detach())
    if torch.equal(found.to(expected.dtype), expected):
        return True
    tolerance = max(torch.finfo(found.dtype).eps, torch.finfo(expected.dtype).eps) ** 0.5
    return bool((found.double() - expected.double()).abs().max() <= tolerance * expected.double().abs().max())


def recognised(
    stored: Any, right: Tensor, known: Iterable[tuple[str, Tensor | None]], *, who: str, allowed_graph: bool = False
) -> Tensor:
    """Return the tensor that a hook stored, on the right one's device and of its dtype, if it holds the right numbers.

    Args:
        stored: what was read from the hook; if it is a list, its last entry counts.
        right: what it should be.
        known: names of mistakes, and what each would store; the first match is reported.
        who: the class and the layer.
        allowed_graph: whether it may be part of the graph.

    Raises:
        HookError: it is something else.
    """
    stored = stored[-1] if isinstance(stored, list) and stored else stored
    first = stored[0] if isinstance(stored, tuple) and stored else stored
    if not same(stored, right):
        known = (("stores a tuple, not its tensor", right), *known)
        usual = [("drops the batch axis", right[0])]
        if right.ndim == 4:
            means = [right.mean(dim=(2, 3), keepdim=keepdim) for keepdim in (True, False)]
            usual += [("stores a mean, not the map", wrong) for mean in means for wrong in (mean, mean[0])]
        for mistake, wrong in (*known, *usual):
            if same(first, wrong):
                raise mistaken(mistake, who)
        if isinstance(stored, tuple) and isinstance(first, Tensor):
            raise mistaken("stores a tuple, not its tensor", who)
        if not isinstance(stored, Tensor):
            raise mistaken("stores no tensor", who, detail=f", but {type(stored).__name__}")
        if stored.shape != right.shape:
            shapes = f": {tuple(stored.shape)}, where the layer's is {tuple(right.shape)}"
            raise mistaken("stores another shape", who, detail=shapes)
        difference = float((stored.detach().to(right.device).double() - right.double()).abs().max())
        largest = float(right.abs().max())
        detail = f": they differ by up to {difference:.3g}, where the largest is {largest:.3g}"
        raise mistaken("stores other numbers", who, detail=detail)
    if stored.requires_grad and not allowed_graph:
        raise mistaken("stores a tensor that still holds the graph", who)
    return plain(stored.detach()).to(right)

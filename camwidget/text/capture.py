"""How each layer's outputs lie on the words of a text, also if the network reads it in chunks or positions first."""

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from camwidget.errors import ModelError, a_kind, three_parts
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.layers import find_module
from camwidget.hooks.layout import LAST_CALL, AsItIs
from camwidget.hooks.scores import Scores
from camwidget.hooks.selection import refuse_call, refuse_missing, without_call
from camwidget.hooks.subject import Subject
from camwidget.hooks.traced import UNDERIVABLE
from camwidget.hooks.walk import modules_in
from camwidget.text.layers import text_layers
from camwidget.text.layout import FIRST, Anywhere, Chunks
from camwidget.text.positions import lookups_noted, may_be_fixed, moved

ALLOWED = (
    "A layer of a text classifier returns (1, channel, position), (1, position, channel), (position, 1, channel) or "
    "(position, channel)"
)
"""What a layer must return."""


def one_text(inputs: Tensor) -> None:
    """Refuse inputs that are not one text.

    Args:
        inputs: what the model would be run on.

    Raises:
        ModelError: they are not an index for every token of one text.
    """
    if inputs.ndim != 2 or inputs.shape[0] != 1 or inputs.is_floating_point():
        given = f"The inputs are a {inputs.dtype} tensor of shape {tuple(inputs.shape)}"
        allowed = "One text is explained at a time: an index for every token, of shape (1, position)"
        raise ModelError(three_parts(given, allowed, "Pass the text itself to explain()"))


TEXT = Subject(one_text, takes_first=True)
"""A text: of a tuple the first member is used, and recurrent memory is put back."""


@dataclass(frozen=True)
class Reach:
    """How far back in the text a logit's gradient reaches, in a network that reads it in chunks."""

    chunks: int
    """How many parts the text was read in; 1 if it was read at once."""
    cut: bool
    """Whether no gradient flows from one part back to the part before."""
    first: int
    """The first position that has any gradient at the deepest layer."""


@contextmanager
def open_text_capture(
    network: nn.Module,
    ids: Int[Tensor, "1 position"],
    layers: Sequence[str] | None,
    *,
    others: Int[Tensor, "1 position"],
    words: Sequence[int],
    call: int = LAST_CALL,
    scores: Scores | None = None,
    leaves_out: bool = False,
) -> Iterator[tuple[LayerCapture, Float[Tensor, "1 class"], Reach, Mapping[str, str]]]:
    """Yield a capture that holds only layers to be explained word by word, the logits, and the reach.

    A layer has a value for every token, which depends on the words, and the logits depend on the places of the words.
    Where words are left out, which asks nothing of layers, there may be no such layer: then others are held, and the
    last that is yielded says why they cannot be explained in another way. It is empty otherwise.

    Args:
        network: a text classifier.
        ids: an index for every token.
        layers: the layers asked for; None for all that can be explained.
        others: the same text with other words.
        words: the positions of the words' tokens.
        call: which call to show of layers that run several times over the whole text, see `LayerCapture`.
        scores: what is explained in place of the logits.
        leaves_out: whether words are left out, among other methods or alone.

    Raises:
        LayerError: there is no such layer, it cannot be explained word by word, or no layer ran so often; the message
            says why.
        ModelError: no layer can be, or the model does not return finite logits.
    """
    readable = text_layers(network)
    for name in layers or ():
        find_module(network, name, worth=readable)
    # Listen to all layers, whichever are asked for: where gradients stop shows only between two of them.
    names = list(dict.fromkeys([*readable, *(layers or ())]))
    with LayerCapture(network, names, subject=replace(TEXT, scores=scores), call=call) as capture:
        with lookups_noted(capture) as looked_up:
            logits = read_text(capture, ids)
        positions = ids.shape[1]
        wordless = _wordless(capture, others, asked=set(layers or ()) - set(readable))
        unread = _unread(capture, ids, logits, words=words)
        elsewhere = moved(capture, ids, looked_up=looked_up, words=words, others=others, besides=wordless)
        no_gradient = dict.fromkeys(capture.traced.underivable(capture.outputs), UNDERIVABLE)
        reasons = {**elsewhere, **unread, **wordless, **no_gradient, **without_call(capture)}
        usable = {name: at for name, at in capture.layouts.items() if name not in reasons}
        refuse_call(capture, names if layers is None else layers)
        if leaves_out and not any(name in usable for name in (usable if layers is None else layers)):
            nowhere = {name: reasons.get(name) or _why_no_values(capture, name, positions) for name in layers or names}
            if placeless := _kept_anyhow(capture, ids, nowhere):
                yield capture, logits, Reach(1, False, 0), placeless
                return
        if layers is not None:
            refuse_missing(
                layers,
                usable,
                why=lambda name: reasons.get(name) or _why_no_values(capture, name, positions),
                allowed=ALLOWED,
                others=lambda: [name for name in readable if name in usable],
            )
        if not usable:
            given = f"No layer of this {type(network).__name__} returns a value for each of the {positions} tokens"
            told = reasons or {name: _why_no_values(capture, name, positions) for name in capture.other_outputs}
            for name, why in told.items():
                given = f"Layer {name!r} {why}"  # of the last one, nearest to the classes
            allowed = (
                "Embeddings, convolutions over words, recurrent networks and transformers' blocks can be explained"
            )
            advice = "Leave words out, with method='occlusion', or name a layer yourself with layers=[...]"
            raise ModelError(three_parts(given, allowed, advice))
        reach = reach_of(capture)
        capture.keep({name: at for name, at in usable.items() if layers is None or name in layers})
        yield capture, logits, reach, {}


def _kept_anyhow(capture: LayerCapture, ids: Int[Tensor, "1 position"], nowhere: Mapping[str, str]) -> dict[str, str]:
    """Hold layers that lie nowhere on the text, and return why each cannot be explained word by word, in sentences."""
    capture.forward(ids)
    capture.keep(dict.fromkeys(nowhere, Anywhere(capture.call)))
    advice = "Leave words out, with method='occlusion'"
    return {name: three_parts(f"Layer {name!r} {nowhere[name]}", ALLOWED, advice) for name in capture.outputs}


def read_text(capture: LayerCapture, ids: Int[Tensor, "1 position"]) -> Float[Tensor, "1 class"]:
    """Run a capture's network once over a text and keep the layers that have a value for every token.

    If a layer runs once for every chunk of the text, its chunks are joined; if it runs several times over the whole
    text, the capture's call is used. The others go to `other_outputs`.

    Args:
        capture: made with `subject=TEXT`.
        ids: an index for every token.

    Raises:
        ModelError: the model does not return finite logits of shape (1, class).
    """
    logits, positions = capture.forward(ids), ids.shape[1]
    candidates = {
        name: _position_axes([tuple(output.shape) for output in outputs], positions, call=capture.call)
        for name, outputs in capture.outputs.items()
    }
    in_doubt = {
        name
        for name, axes in candidates.items()
        if axes and _may_be_channels(capture.model.get_submodule(name), positions)
    }
    if in_doubt or (any(candidates.values()) and may_be_fixed(capture.model, positions)):
        # As many channels as positions: the axis that changes with the text is the positions'. A shorter text, because
        # the network may have no room for a longer one; its ends stay, because it may look for a special token there.
        # Twice the text, because the network may take whole parts alone.
        twice = ids.repeat(1, 2)
        shorter = torch.cat([ids[:, :1], ids[:, 2:]], dim=1) if positions > 1 else twice
        sizes, length = next(
            ((sizes, other.shape[1]) for other in (shorter, twice) if (sizes := _sizes_for(capture, other))), ({}, 0)
        )
        candidates = {
            name: [axis for axis in axes if axis in _position_axes(sizes[name], length, call=capture.call)]
            if name in sizes
            else [axis for axis in axes if name not in in_doubt]
            for name, axes in candidates.items()
        }
    layouts = {
        name: _chunks(capture.outputs[name], axes[0], positions, call=capture.call)
        for name, axes in candidates.items()
        if len(axes) == 1
    }
    capture.other_outputs |= {name: outputs[-1] for name, outputs in capture.outputs.items() if name not in layouts}
    capture.keep(layouts)
    return logits


def _sizes_for(capture: LayerCapture, ids: Int[Tensor, "1 position"]) -> dict[str, list[tuple[int, ...]]]:
    """The output shapes of every call of every module; none for a network that reads texts of one length only."""
    try:
        return capture.shapes(ids)
    except (RuntimeError, IndexError, ValueError, TypeError, AssertionError):  # it has read the whole text already
        return {}


def reach_of(capture: LayerCapture) -> Reach:
    """Return how far back in the text gradients reach, by one more backward pass: from the last chunk to the first.

    fastai's AWD-LSTM reads 72 tokens at a time. Its layers run once for each chunk, but its embedding never: the
    dropout around it looks the vectors up itself, so that is the layer to listen to.

    Args:
        capture: after `read_text`.
    """
    names = list(capture.layouts)
    last, first = (capture.outputs[name] for name in (names[-1], names[0]))
    chunks = len(capture.layouts[names[-1]].calls(len(last)))
    if 1 in (chunks, len(capture.layouts[names[0]].calls(len(first)))):
        return Reach(chunks, False, 0)
    with torch.inference_mode(False), torch.enable_grad():
        (back,) = torch.autograd.grad(last[-1].sum(), first[:1], retain_graph=True, allow_unused=True)
    touched = capture.as_map(names[-1], capture.derivatives(0, last)).abs().amax(dim=(0, 1, 2)) > 0
    return Reach(chunks, back is None, int(touched.int().argmax()))


WORDLESS = "returns the same values whatever the words are: it knows the tokens' places, not the tokens"
"""Why a table of positions is no layer of words. The end of a sentence."""


def _wordless(capture: LayerCapture, others: Int[Tensor, "1 position"], *, asked: Set[str]) -> dict[str, str]:
    """Layers whose values do not depend on the words, such as a table of positions, and the end of a sentence.

    With a single table, it is that of the words. Otherwise the network is run on other words.
    """
    if _tables(capture) < 2 and not asked & capture.layouts.keys():
        return {}
    changed = capture.other_outputs_for(others)
    return {
        name: WORDLESS
        for name in capture.layouts
        if all(map(_equal, capture.outputs[name], changed.get(name, ()))) and name in changed
    }


def _tables(capture: LayerCapture) -> int:
    return sum(isinstance(module, nn.Embedding) for module in modules_in(capture.model))


def _equal(first: Tensor, second: Any) -> bool:
    return isinstance(second, Tensor) and first.shape == second.shape and torch.equal(first.to(second), second)


FAR = 4.0
"""What is put in the place of values is up to so many times as large as the largest of them."""


def _unread(
    capture: LayerCapture, ids: Int[Tensor, "1 position"], logits: Float[Tensor, "1 class"], *, words: Sequence[int]
) -> dict[str, str]:
    """Layers of which the logits depend on no word's place, or on one alone, and the end of a sentence.

    A gradient may also be zero because of a ReLU or a maximum. So where it reaches at most one word, other values are
    put in all places that it does not reach: the logits must not move.
    """
    if not capture.differentiable or not capture.layouts:
        return {}
    touched, target = {}, int(logits.argmax())
    # From the deepest on: what feeds a layer that is read at several words is read too, unless there are branches.
    names = list(capture.layouts)
    for some in [names] if _tables(capture) > 1 else [[name] for name in reversed(names)]:
        for name, gradient in capture.gradients(target, names=some).items():
            touched[name] = gradient.abs().amax(dim=(0, 1, 2)) > 0
        if int(touched[some[-1]][list(words)].sum()) > 1:
            break
    if not any(bool(places.any()) for places in touched.values()):
        return {}  # the classifier's weights are zero, which has a reason of its own
    unread = {}
    for name, places in touched.items():
        read = int(places[list(words)].sum())
        if read <= min(1, len(words) - 1) and _is_still(capture, name, ids, logits, places=places):
            unread[name] = _why_unread(read, int(places.sum()), len(words))
    return unread


def _is_still(
    capture: LayerCapture,
    name: str,
    ids: Int[Tensor, "1 position"],
    logits: Float[Tensor, "1 class"],
    *,
    places: Tensor,
) -> bool:
    """Whether the logits stay as they are when other values are put in all but these places of a layer."""
    own = capture.activations[name].detach()
    random = torch.randn(own.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(own)
    random = random * FAR * max(float(own.abs().max()), 1.0)
    for trial in (random, -random):
        moved = capture.rerun(ids, replace={name: torch.where(places, own, trial)})
        # Rows of one product may be rounded in another order.
        if not torch.allclose(moved, logits, rtol=1e-3, atol=1e-4 * float(logits.abs().max())):
            return False
    return True


def _why_unread(read: int, places: int, words: int) -> str:
    """The end of a sentence."""
    if not places:
        return "returns values that the logits do not depend on: the network goes on from something else"
    if read:
        return (
            f"is read at one place alone: the logits do not depend on the values of the other {words - 1} words' tokens"
        )
    special = "one special token" if places == 1 else f"{places} special tokens"
    return f"is read at {special} alone: the logits do not depend on its values for the words"


def _chunks(outputs: Sequence[Tensor], axis: int, positions: int, *, call: int) -> Chunks:
    lengths = tuple(output.shape[axis] for output in outputs)
    if sum(lengths) == positions:
        return Chunks(axis, lengths)
    return Chunks(axis, (lengths[AsItIs(call).calls(len(lengths))[0]],), call)


def _may_be_channels(layer: nn.Module, positions: int) -> bool:
    """Whether an axis as long as the text may hold a layer's channels, judging by the sizes of its parameters.

    Gates halve the channels, and a bidirectional LSTM doubles them.
    """
    # The first two axes only: the reach of a convolution is not a number of channels.
    sizes = {size for parameter in layer.parameters() for size in parameter.shape[:2]}
    return not sizes.isdisjoint((positions, 2 * positions)) or any(2 * size == positions for size in sizes)


def _position_axes(sizes: Sequence[tuple[int, ...]], positions: int, *, call: int) -> list[int]:
    """Which axes may hold the positions, of all chunks together or of one call alone."""
    if not sizes or len({len(size) for size in sizes}) > 1:
        return []
    if all(len(size) == 3 and size[0] == 1 for size in sizes):
        axes: tuple[int, ...] = (1, 2)
    elif all(len(size) == 2 or (len(size) == 3 and size[1] == 1) for size in sizes) and positions > 1:
        axes = (FIRST,)  # with a single position, a row of channels would do as well
    else:
        return []
    return [
        axis
        for axis in axes
        if sizes[AsItIs(call).calls(len(sizes))[0]][axis] == positions
        or (sum(size[axis] for size in sizes) == positions and len({_without(size, axis) for size in sizes}) == 1)
    ]


def _without(size: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return size[:axis] + size[axis + 1 :]


def _why_no_values(capture: LayerCapture, name: str, positions: int) -> str:
    """The end of a sentence."""
    if name not in capture.other_outputs:
        return "did not run in the forward pass"
    output = capture.other_outputs[name]
    if isinstance(output, Tensor) and output.ndim > 2 and output.shape[0] > 1:
        return (
            f"returns a Tensor of shape {tuple(output.shape)} for one text of {positions} tokens: the network has made "
            f"a batch of {output.shape[0]} of it, perhaps by cutting it into parts, so no axis holds the whole text. "
            "Let its forward run the parts one after the other; then they are joined here"
        )
    shape = f" of shape {tuple(output.shape)}" if isinstance(output, Tensor) else ""
    return f"returns {a_kind(output)}{shape}, not a value for each of the {positions} tokens"

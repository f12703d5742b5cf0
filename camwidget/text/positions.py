"""Whether the places of a layer are those of the words: a network may reverse a text, shift, sort or skip.

A layer of such a network has a value for every token, and the values lie on other words. What a table looks up shows
it, compared with the text. Behind it, operations in the graph that may move places raise a doubt, and the network is
asked: a few words are changed, one after the other, and a word's own place must answer. Recurrent layers and
convolutions spread a change, so a place that does not change most is no proof by itself.

Not found is a product that mixes all places, in a network that reads texts of one length only: its places are nobody's.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.tensors import plain, tensors_in
from camwidget.hooks.walk import buffers_in, modules_in, parameters_in

MOST_ASKED = 8
"""How many words are changed, one pass of the network each."""

SILENT = 1e-6
"""A place that changes by less than this part of the largest change keeps its value."""

MOST_SILENT = 1 / 3
"""The part of the words whose own places keep their values from which a layer is moved."""

RARELY, FAINT, APART = 0.2, 0.5, 0.6
"""In a layer that mixes all words, the own place of a word need not change most. It is moved if own places do so for at
most this part of the words, change by less than this part of the largest change on average, and the places that do
change most differ for at least this part of the words."""

ONE_ON = "runs on the text moved on by one place, as decoders do, or after such a layer: its places are not the tokens'"
"""Why a decoder's layers cannot be read word by word. The end of a sentence."""

REARRANGED = (
    "looks the words up in another order than the text's, or not each of them once, or runs after a layer that does: "
    "its places are not the tokens'. If only the order differs, let the vocabulary's tokens(text) have that order, "
    "and leave the reordering out of the network"
)
"""Why layers behind a table of rearranged words are refused. The end of a sentence."""

UNSTEADY = (
    "may lie on other words than the text's, and cannot be asked: the network draws random numbers, and other ones "
    "whenever it runs. Take them from torch.rand, or from a generator that the module keeps as an attribute"
)
"""Why layers of a network that is another one at each run are refused. The end of a sentence."""

ELSEWHERE = (
    "has its values elsewhere: when a word is changed, they change at other places than its own. The network may have "
    "reversed, shifted or sorted the words"
)
"""Why other layers that are moved are refused. The end of a sentence."""


@contextmanager
def lookups_noted(capture: LayerCapture) -> Iterator[Mapping[str, Sequence[Tensor]]]:
    """Note for the block what the layers of a capture look up: the whole numbers that they are given, call by call.

    Args:
        capture: an open one.
    """
    noted: dict[str, list[Tensor]] = {}

    def note(name: str, _: nn.Module, args: Any, kwargs: Any) -> None:
        given = [tensor for tensor in tensors_in((*args, *kwargs.values())) if not tensor.is_floating_point()]
        if given and given[0].ndim in (1, 2):
            noted.setdefault(name, []).append(_batch_first(plain(given[0])).clone())

    with ExitStack() as stack:
        for name in capture.layer_names:
            module = capture.model.get_submodule(name)
            stack.callback(module.register_forward_pre_hook(partial(note, name), with_kwargs=True).remove)
        yield noted


def _batch_first(given: Tensor) -> Tensor:
    """A text's numbers as (1, position), where they are given positions first or without a batch."""
    if given.ndim == 1:
        return given[None]
    return given.T if given.shape[1] == 1 else given


def may_be_fixed(network: nn.Module, positions: int) -> bool:
    """Return whether a network may make as many places of any text as this one has: by learned queries, or by pooling.

    Args:
        network: a text classifier.
        positions: how many tokens the text has.
    """
    pools = (nn.AdaptiveAvgPool1d, nn.AdaptiveMaxPool1d)
    linear = [module for module in modules_in(network) if isinstance(module, nn.Linear)]
    # a linear layer that is given something else than the positions makes none
    others = {id(module.weight) for module in linear if module.in_features != positions}
    own = [tensor for tensor in (*parameters_in(network), *buffers_in(network)) if id(tensor) not in others]
    sizes = {size for tensor in own for size in tensor.shape[:-1]}
    pooled = {module.output_size for module in modules_in(network) if isinstance(module, pools)}
    return positions in sizes or not pooled.isdisjoint((positions, (positions,)))


def moved(
    capture: LayerCapture,
    ids: Int[Tensor, "1 position"],
    *,
    looked_up: Mapping[str, Sequence[Tensor]],
    words: Sequence[int],
    others: Int[Tensor, "1 position"],
    besides: Collection[str],
) -> dict[str, str]:
    """Return the layers whose places are not those of the words, with the end of a sentence that says why.

    A network that draws random numbers draws the same ones when it is asked. If its answers differ nevertheless, its
    layers in doubt are refused.

    Args:
        capture: after its forward pass, with the layers that have as many places as the text.
        ids: an index for every token.
        looked_up: what layers looked up in the forward pass, and maybe in later ones.
        words: the positions of the words' tokens.
        others: the same text with other words.
        besides: layers that do not depend on the words.
    """
    names = list(capture.layouts)
    tables = _tables_in_doubt(capture, ids, looked_up, besides)
    held = {name: capture.counting(name) for name in capture.outputs}
    doubts = capture.traced.behind_moves_in_a_row(held, ids.shape[1])
    asked = [name for name in names if (name in tables or name in doubts) and name not in besides]
    if not asked:
        return {}
    if capture.draws and not _is_steady(capture, ids, asked):
        return dict.fromkeys(asked, UNSTEADY)
    # What follows a word that was dropped has moved, and nothing else has.
    differing = {at for given in tables.values() for at in (given != ids)[0].nonzero().flatten().tolist()}
    places = [place for place in words if place in differing] or words
    answers = _answers(capture, ids, asked, words=words, places=places, others=others)
    likely = {name for name, doubt in doubts.items() if doubt.is_likely}
    reasons = {name: ELSEWHERE for name in asked if _is_elsewhere(answers[name], likely=name in likely)}
    for name in [name for name in names if name in tables and name in reasons]:
        one_on = torch.equal(tables[name][:, 1:], ids[:, :-1])
        reasons |= dict.fromkeys(names[names.index(name) :], ONE_ON if one_on else REARRANGED)
    return reasons


def _tables_in_doubt(
    capture: LayerCapture,
    ids: Int[Tensor, "1 position"],
    looked_up: Mapping[str, Sequence[Tensor]],
    besides: Collection[str],
) -> dict[str, Int[Tensor, "1 position"]]:
    """What layers looked up that is not the text as it was given: its numbers, or their order, are others."""
    found = {}
    for name in capture.layouts:
        if name in looked_up and name not in besides:
            # The first calls are those of the forward pass.
            given = _counted(capture, name, looked_up[name][: len(capture.outputs[name])])
            if given is not None and given.shape == ids.shape and not torch.equal(given, ids):
                found[name] = given
    return found


def _counted(capture: LayerCapture, name: str, calls: Sequence[Tensor]) -> Int[Tensor, "1 position"] | None:
    """What a layer looked up in the calls that count, one after the other; None if these are no texts."""
    parts = [calls[call] for call in capture.layouts[name].calls(len(capture.outputs[name])) if call < len(calls)]
    if not parts or any(part.shape[0] != 1 for part in parts):
        return None
    return torch.cat(parts, dim=1)


def _is_steady(capture: LayerCapture, ids: Int[Tensor, "1 position"], names: Sequence[str]) -> bool:
    """Whether layers return the same for the same text."""
    again = capture.other_outputs_for(ids, names)
    return all(
        len(again.get(name, ())) == len(capture.outputs[name])
        and all(map(torch.equal, again[name], map(plain, capture.outputs[name])))
        for name in names
    )


Rows = list[tuple[int, Float[Tensor, " position"]]]
"""Of each word that was changed: its place, and by how much every place of a layer changed."""


def _answers(
    capture: LayerCapture,
    ids: Int[Tensor, "1 position"],
    names: Sequence[str],
    *,
    words: Sequence[int],
    places: Sequence[int],
    others: Int[Tensor, "1 position"],
) -> dict[str, Rows]:
    rows: dict[str, Rows] = {name: [] for name in names}
    spread = torch.linspace(0, len(places) - 1, min(MOST_ASKED, len(places))).round().int().tolist()
    for place in (places[number] for number in spread):
        changed = ids.clone()
        another = next((word for word in words if ids[0, word] != ids[0, place]), None)
        changed[0, place] = others[0, place] if another is None else ids[0, another]
        found = capture.other_outputs_for(changed, names)
        for name in names:
            outputs, layout = found.get(name, []), capture.layouts[name]
            if [output.shape for output in outputs] != [output.shape for output in capture.outputs[name]]:
                continue
            answer = layout.as_map([outputs[call] for call in layout.calls(len(outputs))])
            change = (answer - capture.activations[name].detach())[0, :, 0].double().norm(dim=0)
            if bool(change.isfinite().all()) and bool(change.any()):
                rows[name].append((place, change / change.max()))
    return rows


def _is_elsewhere(rows: Rows, *, likely: bool) -> bool:
    """Whether own places keep their values, or change less than others do that differ from word to word.

    Where that is likely, own places must change most, word by word.
    """
    if not rows:
        return False
    own = torch.stack([change[place] for place, change in rows])
    if float((own < SILENT).double().mean()) >= MOST_SILENT:
        return True
    most = [int(change.argmax()) for _, change in rows]
    right = sum(place == at for (place, _), at in zip(rows, most, strict=True)) / len(rows)
    if likely:
        return right <= 0.5
    return right <= RARELY and float(own.mean()) < FAINT and len(set(most)) / len(rows) >= APART

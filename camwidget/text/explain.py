"""`explain_text`: what each word of a text contributes, by layer and class."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any, Unpack

import torch
from jaxtyping import Int
from torch import Tensor

from camwidget.errors import ModelError, TextError, clipped, three_parts
from camwidget.hooks.capture import LayerCapture
from camwidget.maps.activation import VALUES, activation_of
from camwidget.maps.arguments import Asked, Explainable, Request, names_of, request_of
from camwidget.maps.call import Call, call_for
from camwidget.maps.pipeline import Maps, Run, layer_maps, refuse_asked
from camwidget.maps.result import LayerMaps
from camwidget.text.capture import Reach, open_text_capture
from camwidget.text.occlusion import groups_of, leave_out
from camwidget.text.reader import Reader, reader_of
from camwidget.text.result import TextExplanation
from camwidget.text.tokens import Token, Word, merged_words, text_with_words, unknown_share

TEXT_METHODS = ("cam", "grad_cam", "hires_cam", "occlusion")
"""The methods for texts."""

TEXT_HEAD = "one that averages over the words and has a single linear layer, as text_learner() has"
"""Which head of a text classifier allows CAM."""


def explain_text(model: Explainable, text: Any, *, method: str = "cam", **asked: Unpack[Asked]) -> TextExplanation:
    """Return what one method says about one text, for many layers and classes.

    The model is left as found: training flags, `requires_grad`, gradients, hooks, buffers, recurrent and random state.

    Args:
        model: what `text_learner` returns, a Learner of fastai's `text_classifier_learner`, or a module from token
            indices (batch, position) to logits with an attribute `vocabulary`; see `camwidget.text.reader.reader_of`.
        text: a str with at least one word; tags and scripts in it count as text.
        method: `"cam"` (only where the layer is averaged over the words and feeds one linear layer), `"grad_cam"`,
            `"hires_cam"` (at the embedding that is gradient times input), or `"occlusion"`: for each word the logit
            with all words minus the logit without that word, whatever the layer.
        **asked: `layers`, `target_classes`, `class_names`, `activation`, `call` and `target`, see
            `camwidget.maps.arguments.request_of`.

    Raises:
        TextError: it is not a text, has no words, or none that the model reads.
        LayerError: there is no such layer, or it has no value for every word; words can be left out all the same.
        ClassError: there is no such class, or the names do not fit the classes.
        ModelError: the model takes no text, or does not return finite logits.
        MapError: there is no such method, or plain CAM is not valid (with the reason).
    """
    result = explain_text_methods(model, text, methods=(method,), **asked)[method]
    refuse_asked(result, result.call.layers)
    return result


def explain_text_methods(
    model: Explainable, text: Any, *, methods: Sequence[str] = TEXT_METHODS, **asked: Unpack[Asked]
) -> dict[str, TextExplanation]:
    """Return method name to explanation, all from the same forward pass and the same backward passes.

    Where plain CAM is not valid, its explanation has a refusal with the reason instead of a map. That is an error only
    if no method gives any map.

    Args:
        model: see `explain_text`.
        text: see `explain_text`.
        methods: some of `TEXT_METHODS`.
        **asked: see `explain_text`.

    Raises:
        CamwidgetError: see `explain_text`.
    """
    request = request_of(model, methods, known=TEXT_METHODS, default="cam", **asked)
    reader = reader_of(model)
    tokens = reader.tokens(text_with_words(text))
    words = _words_of(text, tokens)
    ids = reader.ids(tokens)
    places = [position for position, token in enumerate(tokens) if not token.special]
    opened = open_text_capture(
        reader.network,
        ids,
        request.layers,
        others=reader.reworded(tokens),
        words=places,
        call=request.shown_call,
        scores=request.scores,
        leaves_out="occlusion" in request.methods,
    )
    # A result must not hold inference tensors, whatever mode the caller is in.
    with torch.inference_mode(False), opened as (capture, logits, reach, placeless):
        others = (reader.others(ids), ids.flip(1))
        if request.scores is None:
            activation = activation_of(
                request.activation,
                model,
                logits,
                run=capture.rerun,
                inputs=ids,
                others=others,
                last_step=capture.traced.last_step,
            )
            names = names_of(request.class_names, reader.class_names, count=logits.shape[1], activation=activation)
        else:
            activation, names = VALUES, tuple(request.scores)
        possible = replace(request, methods=("occlusion",)) if placeless else request
        results = layer_maps(
            possible,
            Run(capture, ids, logits, names, activation, others=reader.others(ids), head=TEXT_HEAD),
            call=partial(_call, model, text, request),
            by_runs={"occlusion": partial(_by_leaving_out, possible, reader, capture, ids, words, tokens)},
        )
        own = capture.notes
    if placeless:
        results = {method: _refused(results["occlusion"], method, placeless) for method in request.methods}
    notes = notes_of(words, tokens, reach, methods=request.methods)
    return {
        method: TextExplanation.around(_one_row(maps), text=text, tokens=tokens, words=words, notes=own + notes[method])
        for method, maps in results.items()
    }


def _refused(left_out: LayerMaps, method: str, placeless: Mapping[str, str]) -> LayerMaps:
    """The result of another method than leaving words out, in a network without a layer that it could explain."""
    if method == left_out.method:
        return left_out
    none: Mapping[str, Tensor] = MappingProxyType({})
    call = replace(left_out.call, method=method)
    return replace(left_out, method=method, layers=(), cams=none, refusals=MappingProxyType(dict(placeless)), call=call)


def _words_of(text: str, tokens: Sequence[Token]) -> tuple[Word, ...]:
    words = merged_words(text, tokens)
    if words:
        return words
    given = f"None of the {len(tokens)} tokens that the model reads stands for a part of {clipped(text, longest=40)!r}"
    allowed = "A text is explained by its words, so the model's vocabulary must leave at least one of them"
    raise TextError(three_parts(given, allowed, "Write a sentence; tags such as <br /> may be removed"))


def _call(model: Explainable, text: str, request: Request, targets: Sequence[int]) -> Call:
    return call_for(
        model,
        text,
        kind="text",
        layers=request.layers,
        target_classes=None if request.target_classes is None else targets,
        class_names=request.class_names,
        activation=request.activation,
        hooks=request.hooks.names,
        call=request.call,
        target=request.target,
    )


def _by_leaving_out(
    request: Request,
    reader: Reader,
    capture: LayerCapture,
    ids: Int[Tensor, "1 position"],
    words: Sequence[Word],
    tokens: Sequence[Token],
    activations: Mapping[str, Tensor],
    targets: Sequence[int],
) -> tuple[Maps, dict[str, str]]:
    """What each word's absence takes from the logits, shared equally by its tokens; the same at every layer.

    A network that reads no shorter texts has no such map; the other methods have theirs.
    """
    try:
        lost = leave_out(capture.rerun, ids, words=words, tokens=tokens, padding=reader.padding)
    except ModelError as error:
        if len(request.methods) == 1:
            raise
        return {}, dict.fromkeys(activations, str(error))
    values = lost[:, list(targets)].T
    like = next(iter(activations.values()))
    cams = like.new_zeros(len(targets), 1, len(tokens), device="cpu")
    for number, word in enumerate(words):
        cams[:, 0, list(word.positions)] = values[:, [number]].to(cams) / len(word.positions)
    return dict.fromkeys(activations, cams), {}


def _one_row(maps: LayerMaps) -> LayerMaps:
    """The same maps without the axis of rows, since a text has only one: (target_class, position)."""
    return replace(maps, cams=MappingProxyType({name: cam[:, 0] for name, cam in maps.cams.items()}))


MANY_UNKNOWN = 0.5
"""The share of unknown words from which a note says so."""


def notes_of(
    words: Sequence[Word], tokens: Sequence[Token], reach: Reach, *, methods: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Return, by method, the notes to show beside its maps.

    Args:
        words: the words of the text.
        tokens: its tokens.
        reach: how far back gradients reach.
        methods: the methods asked for.
    """
    unknown = _unknown(words)
    reached = [*unknown, *_unreached(reach, len(tokens))]
    left_out = [*unknown, *_together(words, len(tokens))]
    return {method: tuple(left_out if method == "occlusion" else reached) for method in methods}


def _unknown(words: Sequence[Word]) -> list[str]:
    share = unknown_share(words)
    if share < MANY_UNKNOWN:
        return []
    start = "None of the words is" if share == 1 else f"Only {1 - share:.0%} of the words are"
    alike = "To the network all unknown words are the same one, so neither its answer nor the maps say much."
    return [f"{start} in the vocabulary. {alike} Is the text in the language that the network was trained on?"]


def _unreached(reach: Reach, positions: int) -> list[str]:
    if not reach.cut:
        return []
    notes = [
        f"The network reads this text in {reach.chunks} parts and keeps no gradient from one part to the part before: "
        "what a word does through the memory that is handed on to later parts is not in this map. "
        "“Leave one out” (method='occlusion') has it."
    ]
    if reach.first:
        notes.append(
            f"No gradient reaches the first {reach.first} of {positions} tokens: the classifier looks only at what "
            "comes after them. Their values are zero, which does not mean that they have no effect."
        )
    return notes


def _together(words: Sequence[Word], positions: int) -> list[str]:
    groups = groups_of(words, positions=positions)
    if len(groups) == len(words):
        return []
    most = max(map(len, groups))
    return [
        f"The text is long, so its {len(words)} words were left out in {len(groups)} groups of up to {most} "
        "neighbours. The words of a group share its value in equal parts."
    ]

"""`explain_text`: from a model and a text to what each word contributes, by layer and class."""

from collections.abc import Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, SupportsIndex

import torch
from torch import Tensor

from camwidget.errors import LayerError, MapError, ModelError, TextError, clipped, three_parts
from camwidget.hooks.layers import Layer, find_module
from camwidget.hooks.tensors import at_least_single
from camwidget.maps.arguments import Explainable, finite, layers_of, listed, methods_of, names_of, targets_of
from camwidget.maps.methods import maps_of, reduce_gradients
from camwidget.maps.readout import Readout, find_readout, why_refused
from camwidget.maps.result import call_of
from camwidget.text.capture import Reach, TextCapture, text_layers
from camwidget.text.occlusion import groups_of, leave_out
from camwidget.text.reader import Reader, reader_of
from camwidget.text.result import TextExplanation
from camwidget.text.tokens import Token, Word, merged_words, text_with_words, unknown_share

TEXT_METHODS = ("cam", "grad_cam", "hires_cam", "occlusion")
"""The methods for texts."""

TEXT_HEAD = "one that averages over the words and has a single linear layer, as text_learner() has"
"""Which head of a text classifier allows CAM."""


def explain_text(
    model: Explainable,
    text: Any,
    *,
    method: str = "cam",
    layers: Sequence[str] | None = None,
    target_classes: Sequence[SupportsIndex | str] | None = None,
    class_names: Sequence[str] | None = None,
) -> TextExplanation:
    """Return what one method says about one text, for many layers and classes.

    The model is left as found: training flags, `requires_grad`, gradients, hooks, buffers, recurrent and random state.

    Args:
        model: what `text_learner` returns, a Learner of fastai's `text_classifier_learner`, or a module from token
            indices (batch, position) to logits with an attribute `vocabulary`; see `camwidget.text.reader.reader_of`.
        text: the text, a str, as it is; tags and scripts in it are text. At least one word.
        method: `"cam"` (only where the layer is averaged over the words and feeds one linear layer), `"grad_cam"`,
            `"hires_cam"` (at the embedding that is gradient times input), or `"occlusion"`: for each word the logit
            with all words minus the logit without that word, whatever the layer.
        layers: dotted names; None for a good choice (for plain CAM: those where it is valid).
        target_classes: indices or names; None for the ten most probable, most probable first.
        class_names: a name for every class; None for the model's own.

    Raises:
        TextError: it is no text, or has no words, or none that the model reads.
        LayerError: there is no such layer, or it has no value for every word.
        ClassError: there is no such class, or the names do not fit the classes.
        ModelError: the model takes no text, or does not return finite logits.
        MapError: there is no such method, or plain CAM is not valid (with the reason).
    """
    results = explain_text_methods(
        model, text, methods=(method,), layers=layers, target_classes=target_classes, class_names=class_names
    )
    result = results[method]
    refused = [name for name in listed(layers) or () if name not in result.cams]
    if refused:
        raise MapError(result.refusals[refused[0]])
    return result


def explain_text_methods(
    model: Explainable,
    text: Any,
    *,
    methods: Sequence[str] = TEXT_METHODS,
    layers: Sequence[str] | None = None,
    target_classes: Sequence[SupportsIndex | str] | None = None,
    class_names: Sequence[str] | None = None,
) -> dict[str, TextExplanation]:
    """Return method name to explanation, all from the same forward pass and the same backward passes.

    Where plain CAM is not valid its explanation has no map but a refusal, with the reason. That is an error only where
    no method gives any map.

    Args:
        model: see `explain_text`.
        text: see `explain_text`.
        methods: some of `TEXT_METHODS`.
        layers: see `explain_text`.
        target_classes: see `explain_text`.
        class_names: see `explain_text`.

    Raises:
        CamwidgetError: see `explain_text`.
    """
    methods = methods_of(methods, known=TEXT_METHODS, default="cam")
    reader = reader_of(model)
    tokens = reader.tokens(text_with_words(text))
    words = merged_words(text, tokens)
    if not words:
        given = (
            f"None of the {len(tokens)} tokens that the model reads stands for a part of {clipped(text, longest=40)!r}"
        )
        allowed = (
            "A text is explained by its words, so one of them must be left when the model's vocabulary has read it"
        )
        raise TextError(three_parts(given, allowed, "Write a sentence; tags such as <br /> may be taken out"))
    ids = reader.ids(tokens)
    layers, target_classes = layers_of(layers), listed(target_classes)
    readable = text_layers(reader.network)
    for name in layers or ():
        find_module(reader.network, name, worth=readable)
    # A result must not be made of inference tensors, whatever mode the caller is in.
    with (
        torch.inference_mode(False),
        # All layers listen, whichever are asked for: what no gradient reaches shows only between two of them.
        TextCapture(reader.network, list(dict.fromkeys([*readable, *(layers or ())]))) as capture,
    ):
        logits = capture.forward(ids)
        _check_layers(capture, reader, layers, positions=len(tokens))
        notes = notes_of(words, tokens, capture.reach(), methods=methods)
        capture.keep_only(layers or list(capture.activations))
        own = reader.class_names if len(reader.class_names) == logits.shape[1] else None
        names = names_of(reader.network, class_names if class_names is not None else own, count=logits.shape[1])
        targets = targets_of(target_classes, logits, names)
        reduced = reduce_gradients(capture, targets, methods=methods)
        class_logits = at_least_single(logits)[0].cpu()
        activations = {name: each.detach() for name, each in capture.activations.items()}
        readouts, refusals = {}, {}
        said: dict[str, str] = {}
        if "cam" in methods:
            for name in reduced.constant:
                readout = find_readout(
                    partial(_logits_with, capture, name),
                    ids,
                    others=reader.others(ids),
                    activation=activations[name],
                    channel_weight=reduced.channel_weights[name],
                    logits=logits,
                    target_classes=targets,
                )
                if isinstance(readout, Readout):
                    readouts[name] = readout
                else:
                    said[name] = readout
            refused = [name for name in activations if name not in readouts]
            reasons = why_refused(reader.network, refused, lambda: capture.rerun(ids), head=TEXT_HEAD)
            refusals = {name: said.get(name) or reason for name, reason in reasons.items()}
        if methods == ("cam",) and not readouts:
            raise MapError(next(reversed(refusals.values())))
        cams = {
            method: {
                name: finite(name, each)[:, 0].cpu()
                for name, each in maps_of(
                    method, reduced, activations, readouts=readouts, target_classes=targets
                ).items()
            }
            for method in methods
            if method != "occlusion"
        }
        if "occlusion" in methods:
            lost = leave_out(capture.rerun, ids, words=words, tokens=tokens, padding=reader.padding)
            spread = _spread(lost[:, targets].T.to(class_logits), words, positions=len(tokens))
            cams["occlusion"] = dict.fromkeys(activations, spread)
        readouts = {name: Readout(each.classifier_weight.cpu(), each.bias.cpu()) for name, each in readouts.items()}
    all_layers = [Layer(name, depth, *each.shape[1:]) for depth, (name, each) in enumerate(activations.items(), 1)]
    return {
        method: TextExplanation(
            method=method,
            layers=tuple(layer for layer in all_layers if layer.name in cams[method]),
            target_classes=tuple(targets),
            class_names=names,
            logits=class_logits,
            cams=MappingProxyType(cams[method]),
            readouts=MappingProxyType(readouts),
            refusals=MappingProxyType(refusals),
            code=call_of(
                "model" if model is reader.network else "learn",
                method,
                explained="text",
                layers=layers,
                target_classes=None if target_classes is None else targets,
                class_names=class_names is not None,
            ),
            text=text,
            tokens=tokens,
            words=words,
            notes=notes[method],
        )
        for method in methods
    }


def _check_layers(capture: TextCapture, reader: Reader, layers: Sequence[str] | None, *, positions: int) -> None:
    """Refuse layers that were asked for and have no map, and models without any that has one."""
    missing = [name for name in layers or () if name not in capture.activations]
    if missing:
        some = ", ".join(repr(each) for each in text_layers(reader.network) if each not in missing) or "none"
        what = "did not run in the forward pass"
        if missing[0] in capture.other_outputs:
            output = capture.other_outputs[missing[0]]
            shape = f" of shape {tuple(output.shape)}" if isinstance(output, Tensor) else ""
            what = f"puts out a {type(output).__name__}{shape}, not a value for each of the {positions} tokens"
        allowed = "A layer of a text classifier puts out (1, channel, position) or (1, position, channel)"
        raise LayerError(three_parts(f"Layer {missing[0]!r} {what}", allowed, f"Layers to look at may be {some}"))
    if not capture.activations:
        given = f"No layer of this {type(reader.network).__name__} puts out a value for each of the {positions} tokens"
        allowed = "Word by word one can explain embeddings, convolutions over words, and recurrent networks"
        raise ModelError(three_parts(given, allowed, "Name a layer yourself with layers=[...]"))


def _logits_with(capture: TextCapture, name: str, activation: Tensor, ids: Tensor) -> Tensor:
    return capture.rerun(ids, replace={name: activation})


def _spread(values: Tensor, words: Sequence[Word], *, positions: int) -> Tensor:
    """Values of words, (target_class, word), in equal parts on their tokens: (target_class, position)."""
    cams = values.new_zeros(len(values), positions)
    for number, word in enumerate(words):
        cams[:, list(word.positions)] = values[:, [number]] / len(word.positions)
    return cams


MANY_UNKNOWN = 0.5
"""From which share of unknown words on a note says so."""


def notes_of(
    words: Sequence[Word], tokens: Sequence[Token], reach: Reach, *, methods: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Return, by method, what should be said beside its maps.

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
    told = "None of the words is" if share == 1 else f"Only {1 - share:.0%} of the words are"
    alike = "To the network all unknown words are the same one, so neither its answer nor the maps say much."
    return [f"{told} in the vocabulary. {alike} Is the text in the language that the network was trained on?"]


def _unreached(reach: Reach, positions: int) -> list[str]:
    if not reach.cut:
        return []
    found = [
        f"The network reads this text in {reach.chunks} parts and keeps no gradient from one part to the part before: "
        "what a word does through the memory that is handed on to later parts is not in this map. "
        "“Leave one out” (method='occlusion') has it."
    ]
    if reach.first:
        found.append(
            f"No gradient reaches the first {reach.first} of {positions} tokens: the classifier looks only at what "
            "comes after them. Their values are zero, which does not mean that they have no effect."
        )
    return found


def _together(words: Sequence[Word], positions: int) -> list[str]:
    groups = groups_of(words, positions=positions)
    if len(groups) == len(words):
        return []
    most = max(map(len, groups))
    return [
        f"The text is long, so its {len(words)} words were left out in {len(groups)} groups of up to {most} "
        "neighbours. The words of a group share its value in equal parts."
    ]

"""How a Hugging Face tokenizer's tokens lie in the text, so that it can be a model's vocabulary as it is."""

from collections.abc import Callable
from typing import Any

from camwidget.errors import ModelError, a_kind, three_parts
from camwidget.text.tokens import Token


def is_tokenizer(vocabulary: Any) -> bool:
    """Return whether an object is a tokenizer of the libraries transformers or tokenizers.

    Args:
        vocabulary: any object.
    """
    of_transformers = callable(vocabulary) and hasattr(vocabulary, "convert_ids_to_tokens")
    return of_transformers or (hasattr(vocabulary, "encode") and hasattr(vocabulary, "id_to_token"))


def tokenizer_tokens(tokenizer: Any) -> Callable[[str], tuple[Token, ...]]:
    """Return how a tokenizer makes tokens: with its own rules, special tokens and numbers.

    White space that a token takes along (" film") is not part of its place. Only the text is read: masks, kinds and
    padding are left to the network's defaults, which suit one text.

    Args:
        tokenizer: see `is_tokenizer`.

    Raises:
        ModelError: it cannot tell where its tokens lie in the text.
    """
    if hasattr(tokenizer, "id_to_token"):
        return lambda text: _placed(text, *_encoded(tokenizer, text), unknown=_unknown_of(tokenizer))
    if not getattr(tokenizer, "is_fast", False):
        given = f"The tokenizer {type(tokenizer).__name__} cannot tell where its tokens lie in the text"
        allowed = "It must be one of the fast tokenizers, which give offsets"
        raise ModelError(three_parts(given, allowed, "Use AutoTokenizer.from_pretrained(name, use_fast=True)"))
    return lambda text: _placed(text, *_encoded_fast(tokenizer, text), unknown=tokenizer.unk_token_id)


Encoded = tuple[list[int], list[tuple[int, int]], list[int], list[str]]
"""Numbers, places, whether special, and names of the tokens of one text."""


def _encoded_fast(tokenizer: Any, text: str) -> Encoded:
    try:
        made = tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True)
        ids, places = (_only_row(made[key]) for key in ("input_ids", "offset_mapping"))
        names = tokenizer.convert_ids_to_tokens(ids)
        # A tokenizer of one's own may not tell which tokens are special: then those it counts among them are.
        named = set(getattr(tokenizer, "all_special_ids", ()))
        special = _only_row(made.get("special_tokens_mask", [int(index in named) for index in ids]))
        if len({len(ids), len(places), len(special), len(names)}) > 1:
            raise ValueError("its lists differ in length")
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        given = f"The tokenizer {type(tokenizer).__name__} did not encode the text: {type(error).__name__}: {error}"
        allowed = (
            "Called as tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True) it must return "
            "input_ids and offset_mapping"
        )
        advice = "Use a fast tokenizer of transformers, or write tokens(text); see camwidget.text.reader.reader_of"
        raise ModelError(three_parts(given, allowed, advice)) from error
    return ids, places, special, names


def _only_row(values: Any) -> list[Any]:
    """A list of values for the one text; some tokenizers return a row for each of several texts, or a tensor."""
    values = values.tolist() if hasattr(values, "tolist") else list(values)
    return values[0] if len(values) == 1 and isinstance(values[0], list) else values


def _encoded(tokenizer: Any, text: str) -> Encoded:
    made = tokenizer.encode(text)
    try:
        return made.ids, made.offsets, made.special_tokens_mask, made.tokens
    except AttributeError as error:
        given = f"The tokenizer {type(tokenizer).__name__} encodes a text as {a_kind(made)}: {error}"
        allowed = "A tokenizer of the library tokenizers returns ids, offsets, special_tokens_mask and tokens"
        advice = "Use one of these, or write tokens(text); see camwidget.text.reader.reader_of"
        raise ModelError(three_parts(given, allowed, advice)) from error


def _unknown_of(tokenizer: Any) -> int | None:
    name = getattr(tokenizer.model, "unk_token", None)
    return None if name is None else tokenizer.token_to_id(name)


def _placed(
    text: str,
    ids: list[int],
    offsets: list[tuple[int, int]],
    special: list[int],
    names: list[str],
    *,
    unknown: int | None,
) -> tuple[Token, ...]:
    tokens = []
    for index, (start, end), is_special, name in zip(ids, offsets, special, names, strict=True):
        written = text[start:end]
        start, end = end - len(written.lstrip()), start + len(written.rstrip())
        # A token of white space alone has no place, and stands for no part of the text.
        start, end = (start, end) if start < end else (min(start, end), min(start, end))
        nowhere = bool(is_special) or start == end
        tokens.append(Token(name if nowhere else text[start:end], start, end, index, index != unknown, nowhere))
    return tuple(tokens)

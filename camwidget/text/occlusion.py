"""Leave one word out: how much a logit loses when a word is deleted, for every word of a text."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from tqdm.auto import tqdm

from camwidget.errors import ModelError, three_parts
from camwidget.hooks.rows import among, as_alone, rounding_in
from camwidget.text.tokens import Token, Word

MOST_READ = 1_000_000
"""The most tokens that are read in all; in longer texts neighbouring words are left out together."""

BATCH = 16_384
"""About how many tokens are read at once."""

PROGRESS_FROM = 200_000
"""How many tokens it takes to show progress, starting before the first is read."""

_FRAME = ("xxbos", "xxeos", "xxfld", "xxpad")
"""Special tokens of fastai's that belong to the text as a whole; its others mark the word after them."""


LogitsOf = Callable[[Int[Tensor, "batch position"]], Float[Tensor, "batch class"]]
"""Runs a model on several texts of equal length, or on one."""

AS_ROUNDED = 1e-3
"""The answer for one of several texts may differ by this part from the answer for it alone, even if numbers are rounded
to fewer digits: what a word adds may be as little."""


def groups_of(words: Sequence[Word], *, positions: int) -> list[list[int]]:
    """Return which words are left out together: each on its own, or a few neighbours in long texts.

    The number of runs depends only on the length of the text, so a result is the same on every machine.

    Args:
        words: the words.
        positions: how many tokens the whole text has.
    """
    size = -(-len(words) // max(1, MOST_READ // max(positions, 1)))
    return [list(range(first, min(first + size, len(words)))) for first in range(0, len(words), size)]


def leave_out(
    logits_of: LogitsOf,
    ids: Int[Tensor, "1 position"],
    *,
    words: Sequence[Word],
    tokens: Sequence[Token],
    padding: int,
) -> Float[Tensor, "word class"]:
    """Return for each word the logits with all words minus the logits without that word.

    The word is deleted, with the special tokens that mark it (a capital, a repetition), and the gap closes; if no token
    is left, the network gets one padding token. Zeiler and Fergus 2014 cover parts of a picture in this way; Li, Monroe
    and Jurafsky 2016 (arXiv 1612.08220) erase words.

    Words that `groups_of` puts together share the group's value equally. Texts of one length are run together, unless
    the model takes one at a time or its answer for one depends on the others.

    Args:
        logits_of: runs the model on several texts of equal length, or on one.
        ids: the whole text.
        words: its words.
        tokens: its tokens.
        padding: the index that stands for nothing.

    Raises:
        ModelError: without a word the model raises, or returns no finite logits.
    """
    whole = logits_of(ids).cpu().double()
    groups = groups_of(words, positions=ids.shape[1])
    kept = [_kept(group, words, tokens) for group in groups]
    by_length: dict[int, list[int]] = {}
    for number, stays in enumerate(kept):
        by_length.setdefault(int(stays.sum()), []).append(number)
    values = torch.zeros(len(words), whole.shape[1], dtype=torch.float64)
    quiet = len(groups) * ids.shape[1] < PROGRESS_FROM
    together: bool | None = None
    with tqdm(total=len(groups), desc=f"Leaving out {len(words)} words", disable=quiet, leave=False) as progress:
        for length, numbers in by_length.items():
            for batch in torch.tensor(numbers).split(max(1, BATCH // max(length, 1))):
                rows = [ids[0, kept[number]] if length else ids.new_tensor([padding]) for number in batch.tolist()]
                if together is None and any(not torch.equal(rows[0], row) for row in rows[1:]):
                    together = _leave_each_other_alone(logits_of, torch.stack(rows))
                for some in [torch.stack(rows)] if together else torch.stack(rows).split(1):
                    logits = _logits_of(logits_of, some, count=whole.shape[1])
                    done, batch = batch[: len(some)], batch[len(some) :]
                    for number, lost in zip(done.tolist(), whole - logits.cpu().double(), strict=True):
                        values[groups[number]] = lost / len(groups[number])
                    progress.update(len(some))
    return values


def _leave_each_other_alone(logits_of: LogitsOf, texts: Int[Tensor, "batch position"]) -> bool:
    """Whether the model answers for one of several texts as it does for that text alone.

    A recurrent network that takes the batch for the positions, for one, hands on what it has read from text to text.
    """
    try:
        alone, together = logits_of(texts[:1]), logits_of(among(texts[:1], texts[1:]))
    except Exception:  # noqa: BLE001 (whatever it is: one at a time, it may have an answer)
        return False
    if not bool(together.isfinite().all()):
        return True  # which is refused in any case
    right = len(together) == len(texts) + 1
    return right and as_alone(alone, together, tolerance=min(AS_ROUNDED, rounding_in(alone.dtype)))


def _logits_of(logits_of: LogitsOf, ids: Int[Tensor, "batch position"], *, count: int) -> Float[Tensor, "batch class"]:
    try:
        logits = logits_of(ids)
    except Exception as error:  # whatever it is, the model has already read the whole text
        given = f"On a shortened text of {ids.shape[1]} tokens the model raised {type(error).__name__}: {error}"
        allowed = "To leave words out it must read shorter texts"
        raise ModelError(
            three_parts(given, allowed, "Give a longer text, or other methods such as 'hires_cam'")
        ) from error
    if logits.shape != (len(ids), count) or not bool(torch.isfinite(logits).all()):
        texts = "a shortened text" if len(ids) == 1 else f"{len(ids)} shortened texts"
        given = f"For {texts} the model returned logits of {tuple(logits.shape)}"
        allowed = "It must return finite logits of shape (batch, class)"
        raise ModelError(three_parts(given, allowed, "Try another method, such as 'hires_cam'"))
    return logits


def _kept(group: Sequence[int], words: Sequence[Word], tokens: Sequence[Token]) -> Bool[Tensor, " position"]:
    """Which tokens stay when some words go."""
    kept = torch.ones(len(tokens), dtype=torch.bool)
    for word in (words[number] for number in group):
        kept[list(word.positions)] = False
        before = min(word.positions) - 1
        while before >= 0 and tokens[before].special and _marks_a_word(tokens[before].text):
            kept[before] = False
            before -= 1
    return kept


def _marks_a_word(special: str) -> bool:
    # fastai's, and the number in "xxrep 3 !". From others, [CLS] or <s>, a network may read its classes.
    return (special.startswith("xx") or special.isdecimal()) and special not in _FRAME

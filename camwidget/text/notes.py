"""What to know about a text and a network before believing the maps, in sentences."""

from collections.abc import Sequence

from camwidget.text.capture import Reach
from camwidget.text.occlusion import groups_of
from camwidget.text.tokens import Token
from camwidget.text.words import Word, unknown_share

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

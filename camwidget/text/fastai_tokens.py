"""Find the place of each of fastai's tokens in the original text."""

from collections.abc import Callable, Sequence

from camwidget.text.tokens import Token

SPECIAL = ("xxunk", "xxpad", "xxbos", "xxeos", "xxfld", "xxrep", "xxwrep", "xxup", "xxmaj")
"""The special tokens of fastai's tokenizers."""

_REPEATED = {"xxrep": "", "xxwrep": " "}
_AHEAD = 48  # how far to look for a token after something that became no token, such as "<br />"


def aligned(text: str, pieces: Sequence[str], *, index_of: Callable[[str], int | None], unknown: int) -> list[Token]:
    """Return the tokens with their places in the text.

    A tokenizer lowers letters, removes tags, writes "!!!" as "xxrep 3 !", turns "&amp;" into "&". So each token is
    searched for where the one before it ended. One that is not found gets the text between its neighbours.

    Args:
        text: the text.
        pieces: what the tokenizer made of it.
        index_of: from a token to its index in the vocabulary, or None if it has none.
        unknown: the index for those without one.
    """
    lowered, places = _lowered(text)
    # "xxrep 3 !" is one sign that stands for three: the name and the number are special, the sign is not.
    counts = {at + 1: (piece, pieces[at + 1]) for at, piece in enumerate(pieces[:-2]) if piece in _REPEATED}
    special = [piece in SPECIAL or at in counts for at, piece in enumerate(pieces)]
    spans: list[tuple[int, int] | None] = []
    cursor = 0
    for at, piece in enumerate(pieces):
        wanted = piece.replace("▁", " ").strip().lower()
        start = None if special[at] or not wanted else _next_place(lowered, wanted, cursor)
        if start is not None and start > cursor and lowered[cursor:start].strip():
            following = next(
                (later for later, mark in zip(pieces[at + 1 :], special[at + 1 :], strict=True) if not mark), ""
            )
            closer = _next_place(lowered, following.lower(), cursor) if following.strip() else None
            start = None if closer is not None and closer < start else start
        if start is None:
            spans.append(None)
            continue
        end = start + len(wanted)
        name, count = counts.get(at - 1, ("", ""))
        for _ in range(int(count) - 1 if count.isdecimal() else 0):
            again = end if name == "xxrep" else end + len(lowered[end:]) - len(lowered[end:].lstrip())
            end = again + len(wanted) if lowered.startswith(wanted, again) else end
        spans.append((start, end))
        cursor = end
    filled = _filled(lowered, spans, special)
    return [
        _token(piece, span, places, special=mark, index=index_of(piece), unknown=unknown)
        for piece, span, mark in zip(pieces, filled, special, strict=True)
    ]


def _token(
    piece: str, span: tuple[int, int], places: Sequence[int], *, special: bool, index: int | None, unknown: int
) -> Token:
    start, end = places[span[0]], places[span[1]]
    return Token(
        text=piece,
        start=start,
        end=start if special else end,
        index=unknown if index is None else index,
        known=index is not None,
        special=special or start == end,
    )


def _next_place(lowered: str, wanted: str, cursor: int) -> int | None:
    """The next place of a token: after spaces, or a little further on as a whole word; None if there is none."""
    start = cursor
    while start < len(lowered) and lowered[start].isspace():
        start += 1
    if lowered.startswith(wanted, start):
        return start
    place = lowered.find(wanted, start, start + _AHEAD + len(wanted))
    while place >= 0 and (_inside_word(lowered, place) or _inside_word(lowered, place + len(wanted))):
        place = lowered.find(wanted, place + 1, start + _AHEAD + len(wanted))
    return None if place < 0 else place


def _inside_word(lowered: str, place: int) -> bool:
    return 0 < place < len(lowered) and lowered[place - 1 : place + 1].isalnum()


def _filled(lowered: str, spans: Sequence[tuple[int, int] | None], special: Sequence[bool]) -> list[tuple[int, int]]:
    """The spans; those not found get the text between their neighbours, special tokens an empty span."""
    following = len(lowered)
    ends: list[int] = []  # where the next token begins, last token first
    for span in reversed(spans):
        ends.append(following)
        following = following if span is None else span[0]
    cursor, filled = 0, []
    for span, mark, end in zip(spans, special, reversed(ends), strict=True):
        if span is not None:
            cursor = span[1]
        gap = lowered[cursor:end]
        inside = (
            (cursor + len(gap) - len(gap.lstrip()), cursor + len(gap.rstrip())) if gap.strip() else (cursor, cursor)
        )
        filled.append(span or ((cursor, cursor) if mark else inside))
    return filled


def _lowered(text: str) -> tuple[str, list[int]]:
    """The text in small letters, and the place that each of them comes from (a capital may become two letters)."""
    letters = [(small, place) for place, letter in enumerate(text) for small in letter.lower()]
    return "".join(small for small, _ in letters), [*(place for _, place in letters), len(text)]

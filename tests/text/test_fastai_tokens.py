"""What fastai's rules make of a text finds its places in the text again."""

import pytest

from camwidget.text.fastai_tokens import aligned


def places(text: str, pieces: str) -> list[str | None]:
    """The part of the text each token stands for, or None for special ones."""
    tokens = aligned(text, pieces.split(" "), index_of={"xxunk": 0}.get, unknown=0)
    return [None if token.special else text[token.start : token.end] for token in tokens]


@pytest.mark.parametrize(
    ("text", "pieces", "expected"),
    [
        ("Don't MISS it", "xxbos xxmaj do n't xxup miss it", [None, None, "Do", "n't", None, "MISS", "it"]),
        ("so bad!!! ha", "so bad xxrep 3 ! ha", ["so", "bad", None, None, "!!!", "ha"]),
        ("really really  really bad", "xxwrep 3 really bad", [None, None, "really really  really", "bad"]),
        ("3 films xx", "3 films xx", ["3", "films", "xx"]),
        ("a <br /> b", "a ▁ b", ["a", "<br />", "b"]),
        ("good &amp; so &amp; so", "good & & so & & so", ["good", "&", "amp;", "so", "&", "amp;", "so"]),
        ("caf&eacute; noir", "café noir", ["caf&eacute;", "noir"]),
        ("İstanbul is", "i̇stanbul is", ["İstanbul", "is"]),
        ("the end", "xxbos the end xxeos", [None, "the", "end", None]),
    ],
)
def test_tokens_stand_where_they_came_from(text: str, pieces: str, expected: list[str | None]) -> None:
    assert places(text, pieces) == expected


def test_what_is_found_nowhere_and_has_nothing_between_its_neighbours_is_special() -> None:
    assert places("one two", "one three two") == ["one", None, "two"]


def test_tokens_know_whether_the_vocabulary_has_them() -> None:
    tokens = aligned("good xyz", ["good", "xyz"], index_of={"xxunk": 0, "good": 7}.get, unknown=0)

    assert [(token.index, token.known) for token in tokens] == [(7, True), (0, False)]

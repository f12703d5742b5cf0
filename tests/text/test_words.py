"""Tokens become the words of the given text again."""

from camwidget.text.tokens import Token, Word, merged_words, unknown_share


def token(start: int, end: int, *, known: bool = True, special: bool = False) -> Token:
    return Token("", start, end, 5, known, special)


def test_sub_tokens_of_one_run_of_letters_are_one_word_which_is_known_only_if_all_are() -> None:
    words = merged_words("I don't.", [token(0, 1), token(2, 4), token(4, 7, known=False), token(7, 8)])

    assert words == (
        Word("I", 0, 1, True, (0,)),
        Word("don't", 2, 7, False, (1, 2)),
        Word(".", 7, 8, True, (3,)),
    )


def test_special_tokens_belong_to_no_word() -> None:
    words = merged_words("So", [token(0, 0, special=True), token(0, 2), token(2, 2, special=True)])

    assert [word.positions for word in words] == [(1,)]


def test_half_a_word_stands_for_the_whole() -> None:
    assert [(word.text, word.positions) for word in merged_words("unbelievable", [token(0, 2), token(2, 9)])] == [
        ("unbelievable", (0, 1))
    ]


def test_one_token_may_stand_for_several_words() -> None:
    assert [word.text for word in merged_words("so so so bad", [token(0, 8), token(9, 12)])] == ["so so so", "bad"]


def test_words_keep_the_letters_of_any_script() -> None:
    text = "פילם 😀 très"

    words = merged_words(text, [token(0, 4), token(5, 6, known=False), token(7, 11)])

    assert [word.text for word in words] == ["פילם", "😀", "très"]


def test_sub_tokens_of_an_accented_word_or_an_emoji_are_one_word() -> None:
    text = "cafe\u0301 \U0001f44d\U0001f3fd"

    words = merged_words(text, [token(0, 4), token(4, 5, known=False), token(6, 7), token(7, 8)])

    assert [(word.text, word.positions) for word in words] == [(text[:5], (0, 1)), (text[6:], (2, 3))]


def test_the_share_of_unknown_words_does_not_count_signs() -> None:
    words = merged_words(
        "uno, dos, film", [token(0, 3, known=False), token(3, 4), token(5, 8, known=False), token(8, 9), token(10, 14)]
    )

    assert unknown_share(words) == 2 / 3
    assert unknown_share(merged_words("!", [token(0, 1, known=False)])) == 1
    assert unknown_share(()) == 0

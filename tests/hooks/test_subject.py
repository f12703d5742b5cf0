"""What counts of an output, for pictures and for texts."""

from types import SimpleNamespace

import pytest
import torch

from camwidget.errors import ImageError
from camwidget.hooks.subject import PICTURE, one_picture
from camwidget.text.capture import TEXT

FIRST, SECOND = torch.zeros(1, 2), torch.ones(1, 2)


def test_of_a_tuple_the_first_member_counts_for_texts_and_none_for_pictures() -> None:
    assert TEXT.first_of((FIRST, SECOND)) is FIRST
    assert PICTURE.first_of((FIRST, SECOND)) == (FIRST, SECOND)
    assert TEXT.first_of(()) == ()
    assert TEXT.first_of(FIRST) is PICTURE.first_of(FIRST) is FIRST


def test_logits_are_what_an_object_calls_so() -> None:
    output = SimpleNamespace(logits=SECOND)

    assert PICTURE.logits_of(output) is TEXT.logits_of(output) is SECOND
    assert PICTURE.logits_of(FIRST) is FIRST
    assert PICTURE.logits_of(SimpleNamespace(logits="none")).logits == "none"


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (3, 4, 5), (0, 3, 4, 5)])
def test_more_or_fewer_pictures_than_one_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match=r"inputs\[:1\]"):
        one_picture(torch.zeros(shape))

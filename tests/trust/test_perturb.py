"""An explanation is measured on the inputs that it is of."""

import pytest
from PIL import Image

from camwidget.errors import MapError
from camwidget.pictures.explain import explain
from camwidget.pictures.inputs import prepared
from camwidget.trust.faithfulness import deletion_curve
from camwidget.trust.perturb import NOISE
from tests.toys import PooledLinear


def test_an_explanation_of_another_picture_or_of_one_prepared_otherwise_is_refused() -> None:
    model = PooledLinear().double()
    image = Image.merge("RGB", [Image.linear_gradient("L").rotate(turn).resize((64, 48)) for turn in (0, 90, 180)])
    result = explain(model, image, mean=0.5, std=0.25, size=(24, 32))
    ready = prepared(model, image, mean=0.5, std=0.25, size=(24, 32)).inputs

    for other in (image, ready.flip(3) * 2, prepared(model, image, size=(24, 32)).inputs):
        with pytest.raises(
            MapError, match=r"one model and one picture.*transform=, mean=, std= or size=.*tensor to both"
        ):
            deletion_curve(model, other, cam=result, steps=2)
    assert 0 < NOISE < 0.1
    assert len(deletion_curve(model, ready, cam=explain(model, ready), steps=2).probabilities) == 3

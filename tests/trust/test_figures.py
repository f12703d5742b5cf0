"""What is drawn is what was measured, and the caveat stands beside it."""

import sys
from dataclasses import replace
from types import MappingProxyType

import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from camwidget.errors import BoxError, CamwidgetError, MapError
from camwidget.pictures.explain import explain
from camwidget.pictures.result import Explanation
from camwidget.trust.faithfulness import CAVEAT, Curve, MaskedScore
from camwidget.trust.figures import (
    MOST_LABELS,
    DescribedFigure,
    curve_figure,
    drop_figure,
    localisation_figure,
    sanity_figure,
)
from camwidget.trust.localisation import LOCALISATION_CAVEAT, Box
from camwidget.trust.sanity import SANITY_CAVEAT, SanityCheck
from tests.house.repository import run_code
from tests.toys import PooledLinear, picture

DELETION = Curve("deletion", 1, "cat & $dog$", (0.0, 0.5, 1.0), (0.9, 0.3, 0.1))  # area 0.3 + 0.1
INSERTION = Curve("insertion", 1, "cat & $dog$", (0.0, 0.5, 1.0), (0.1, 0.7, 0.9))
SCORES = [
    MaskedScore(0, "a", 0.8, 0.2, 0.75, increased=False),
    MaskedScore(1, "b", 0.5, 0.6, 0.0, increased=True),
]
CHECK = SanityCheck("grad_cam", "body.4", 2, "cat", ("head", "body.2", "body.0"), (0.4, -0.2, 0.1))


def explained(height: int = 6, width: int = 8) -> Explanation:
    """A picture of 6 rows and 8 columns; the map of the same size has six cells of 4, and 10 at the corner."""
    result = explain(PooledLinear().double(), picture(), layers=["body.4"], target_classes=[1])
    cam = torch.zeros(1, 6, 8, dtype=torch.float64)
    cam[0, 0, 0], cam[0, 2:4, 3:6] = 10.0, 4.0
    return replace(
        result, cams=MappingProxyType({"body.4": cam}), image=Image.new("RGB", (width, height), (90, 160, 30))
    )


def lines(figure: Figure) -> list[tuple[list[float], list[float]]]:
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in figure.axes[0].get_lines()]


def words(figure: Figure) -> str:
    """Everything written in the figure."""
    axes = figure.axes[0]
    legend = axes.get_legend()
    texts = [*(legend.get_texts() if legend else []), *(text for each in figure.legends for text in each.get_texts())]
    labels = [" ".join(text.get_text().split()) for text in texts]
    return " ".join([axes.get_title(), axes.get_xlabel(), axes.get_ylabel(), figure.get_supxlabel(), *labels])


def test_a_curve_is_drawn_as_it_was_measured() -> None:
    figure = curve_figure(DELETION)

    assert lines(figure) == [(list(DELETION.fractions), list(DELETION.probabilities))]
    assert "area 0.400" in words(figure)
    assert "taken away" in words(figure)


def test_several_curves_share_the_axes() -> None:
    figure = curve_figure([DELETION, INSERTION])

    assert [height for _, height in lines(figure)] == [list(DELETION.probabilities), list(INSERTION.probabilities)]
    assert "Deletion and Insertion" in words(figure)
    assert "area 0.600" in words(figure)
    assert [line.get_linestyle() for line in figure.axes[0].get_lines()] == ["-", "--"]  # not by colour alone


def test_probabilities_before_and_after_are_drawn_for_each_picture() -> None:
    figure = drop_figure(SCORES)

    assert lines(figure) == [([1, 2], [0.8, 0.5]), ([1, 2], [0.2, 0.6])]
    assert "average drop 37.5%, increase 50.0%" in words(figure)
    assert lines(drop_figure(SCORES[0])) == [([1], [0.8]), ([1], [0.2])]


def test_correlations_are_drawn_after_the_one_of_the_untouched_network() -> None:
    figure = sanity_figure(CHECK)

    assert lines(figure)[-1] == ([0, 1, 2, 3], [1.0, 0.4, -0.2, 0.1])
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["(none)", *CHECK.randomised]


def test_of_many_layers_some_are_named() -> None:
    many = SanityCheck("cam", "last", 0, "cat", tuple(f"layer{n}" for n in range(100)), (0.0,) * 100)

    assert 12 <= len(sanity_figure(many).axes[0].get_xticks()) <= MOST_LABELS


def outlines(figure: Figure) -> list[tuple[str, tuple[float, ...]]]:
    """The style of each black outline, and its left, top, width and height."""
    black = [each for each in figure.axes[0].patches if each.get_edgecolor()[:3] == (0, 0, 0)]
    return [(each.get_linestyle(), (*each.get_xy(), each.get_width(), each.get_height())) for each in black]


def test_a_given_box_and_the_maps_box_are_drawn_with_their_measures() -> None:
    figure = localisation_figure(explained(), box=Box(3, 0, 5, 4), tolerance=2)

    # The region above a fifth of 10; pixels reach half a step around their place.
    assert outlines(figure) == [("-", (2.5, 1.5, 3, 2)), ("--", (2.5, -0.5, 2, 4))]
    assert lines(figure) == [([0], [0])]  # the highest point
    assert "given box: 47.1% of the energy on 16.7% of the area" in words(figure)  # 16 of 34, 8 of 48
    assert "highest point: a miss in the pointing game, 2 pixels" in words(figure)
    hit = localisation_figure(explained(), box=Box(3, 0, 5, 4), tolerance=3)
    assert "a hit in the pointing game, 3 pixels" in words(hit)


def test_without_a_box_the_maps_own_is_drawn_by_the_threshold_that_is_asked_for() -> None:
    figure = localisation_figure(explained(), threshold=0.4)

    assert outlines(figure) == [("-", (-0.5, -0.5, 1, 1))]  # 4 is not above 4
    assert "above 40% of its maximum" in words(figure)
    assert "pointing game" not in words(figure)


def test_what_cannot_be_localised_is_refused() -> None:
    with pytest.raises(BoxError, match=r"reaches to column 9.*8 pixels wide"):
        localisation_figure(explained(), box=Box(0, 0, 9, 2))
    flat = replace(explained(), cams=MappingProxyType({"body.4": torch.ones(1, 2, 3)}))
    with pytest.raises(MapError, match="same everywhere"):
        localisation_figure(flat)


FIGURES = {
    "localisation": (lambda: localisation_figure(explained(), box=Box(3, 0, 5, 4)), LOCALISATION_CAVEAT),
    "localisation in a high picture": (
        lambda: localisation_figure(explained(height=200, width=160)),
        LOCALISATION_CAVEAT,
    ),
    "curve": (lambda: curve_figure(DELETION), CAVEAT),
    "drop": (lambda: drop_figure(SCORES), CAVEAT),
    "sanity": (lambda: sanity_figure(CHECK), SANITY_CAVEAT),
}


@pytest.mark.parametrize("kind", FIGURES)
def test_the_caveat_and_the_words_for_those_who_do_not_see_it_are_there(kind: str) -> None:
    make, caveat = FIGURES[kind]
    figure = make()

    assert isinstance(figure, DescribedFigure)
    assert caveat in figure.get_supxlabel()
    assert caveat in figure.alt_text
    assert figure.axes[0].get_title() or figure.get_suptitle()
    assert figure.axes[0].get_ylabel()


@pytest.mark.parametrize("kind", FIGURES)
def test_all_that_is_written_fits_into_the_figure(kind: str) -> None:
    figure = FIGURES[kind][0]()
    figure.draw_without_rendering()  # lays it out
    page = figure.bbox.padded(2)

    axes = figure.axes[0]
    for text in (figure._supxlabel, axes.title, axes.xaxis.label, axes.yaxis.label, *figure.texts, *figure.legends):
        box = text.get_window_extent()
        assert page.contains(box.x0, box.y0), text
        assert page.contains(box.x1, box.y1), text


def test_no_words_lie_on_the_picture() -> None:
    figure = localisation_figure(explained(), box=Box(3, 0, 5, 4))
    figure.draw_without_rendering()
    inside = figure.axes[0].get_window_extent()

    for text in (figure._supxlabel, figure._suptitle, *figure.legends):
        assert not text.get_window_extent().overlaps(inside), text


def test_two_curves_leave_room_for_the_words_below_them() -> None:
    figure = curve_figure([DELETION, INSERTION])
    figure.draw_without_rendering()

    assert figure.bbox.contains(*figure.axes[0].xaxis.label.get_window_extent().max)


def test_a_notebook_gets_a_picture_with_its_alternative_text() -> None:
    shown = curve_figure(DELETION)._repr_html_()

    assert shown.startswith('<img alt="Deletion. deletion for cat &amp; $dog$, area 0.400.')
    assert 'src="data:image/png;base64,iVBOR' in shown


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(CamwidgetError, match=r"no curve.*at least one.*deletion_curve"):
        curve_figure([])
    with pytest.raises(CamwidgetError, match=r"no score.*at least one.*masked_score"):
        drop_figure([])


@pytest.mark.slow
def test_pyplot_is_not_needed() -> None:
    assert run_code("import camwidget.trust.figures, sys\nprint('matplotlib.pyplot' in sys.modules)") == "False", (
        sys.path
    )

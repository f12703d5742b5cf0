"""What is drawn is what was measured, and the caveat stands beside it."""

import sys

import pytest
from matplotlib.figure import Figure

from camwidget.errors import CamwidgetError
from camwidget.faithfulness import CAVEAT, Curve, MaskedScore
from camwidget.figures import MOST_LABELS, DescribedFigure, curve_figure, drop_figure, sanity_figure
from camwidget.sanity import SANITY_CAVEAT, SanityCheck
from tests.house.repository import run_code

DELETION = Curve("deletion", 1, "cat & $dog$", (0.0, 0.5, 1.0), (0.9, 0.3, 0.1))  # area 0.3 + 0.1
INSERTION = Curve("insertion", 1, "cat & $dog$", (0.0, 0.5, 1.0), (0.1, 0.7, 0.9))
SCORES = [
    MaskedScore(0, "a", 0.8, 0.2, 0.75, increased=False),
    MaskedScore(1, "b", 0.5, 0.6, 0.0, increased=True),
]
CHECK = SanityCheck("grad_cam", "body.4", 2, "cat", ("head", "body.2", "body.0"), (0.4, -0.2, 0.1))


def lines(figure: Figure) -> list[tuple[list[float], list[float]]]:
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in figure.axes[0].get_lines()]


def words(figure: Figure) -> str:
    """Everything written in the figure."""
    axes = figure.axes[0]
    legend = axes.get_legend()
    labels = [text.get_text() for text in legend.get_texts()] if legend else []
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


FIGURES = {
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
    assert figure.axes[0].get_title()
    assert figure.axes[0].get_ylabel()


@pytest.mark.parametrize("kind", FIGURES)
def test_all_that_is_written_fits_into_the_figure(kind: str) -> None:
    figure = FIGURES[kind][0]()
    figure.draw_without_rendering()  # lays it out
    page = figure.bbox.padded(2)

    for text in (figure._supxlabel, figure.axes[0].title, figure.axes[0].xaxis.label):
        box = text.get_window_extent()
        assert page.contains(box.x0, box.y0), text
        assert page.contains(box.x1, box.y1), text


def test_a_notebook_gets_a_picture_with_its_alternative_text() -> None:
    shown = curve_figure(DELETION)._repr_html_()

    assert shown.startswith('<img alt="Deletion. deletion for cat &amp; $dog$, area 0.400.')
    assert 'src="data:image/png;base64,iVBOR' in shown


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(CamwidgetError, match=r"no curve.*at least one.*deletion_curve"):
        curve_figure([])
    with pytest.raises(CamwidgetError, match=r"no score.*at least one.*masked_score"):
        drop_figure([])


def test_pyplot_is_not_needed() -> None:
    assert run_code("import camwidget.figures, sys\nprint('matplotlib.pyplot' in sys.modules)") == "False", sys.path

import io

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from camwidget.errors import CamwidgetError
from camwidget.mistakes.find import find_mistakes
from camwidget.mistakes.found import Found
from camwidget.panel.top_losses import plot_top_losses
from tests.mistakes.small import loader, network


@pytest.fixture
def found() -> Found:
    return find_mistakes(network(), loader(9), class_names=["a$b", "ant", "bee"], progress=False)


def test_the_figure_has_the_largest_losses_in_their_order_each_with_two_maps(found: Found) -> None:
    figure = plot_top_losses(found, 4)
    FigureCanvasAgg(figure).draw()

    told = [axes.get_xlabel() for axes in figure.axes if "loss" in axes.get_xlabel()]
    largest = found.table["loss"].sort_values(ascending=False)[:4]
    assert [float(each.rpartition(" ")[2]) for each in told] == pytest.approx(largest.tolist(), abs=0.006)
    assert len(figure.axes) == 4 * 3 + 1
    titles = [axes.get_title(loc="left") for axes in figure.axes[:3]]
    true, said = (str(found.table[name].loc[largest.index[0]]).replace("$", r"\$") for name in ("true", "said"))
    assert titles == ["picture", f"why {said}", f"why not {true}" if said != true else f"why {true}"]


def test_all_maps_are_on_one_scale_that_the_legend_tells(found: Found) -> None:
    figure = plot_top_losses(found, 9, maps="difference")

    words = [label.get_text() for label in figure.axes[-1].get_xticklabels()]
    largest = float(np.abs(found.differences()).max())
    assert words == [f"{-largest:.3g} for what it is", "0", f"for what was said {largest:+.3g}"]
    assert len(figure.axes) == 9 + 1


def test_a_loader_does_as_well_and_fewer_pictures_than_asked_for_are_all_shown() -> None:
    figure = plot_top_losses(network(), 9, dl=loader(2), progress=False)

    assert len(figure.axes) == 2 * 3 + 1


def test_what_cannot_be_shown_is_refused(found: Found) -> None:
    with pytest.raises(CamwidgetError, match="maps is 'all'"):
        plot_top_losses(found, maps="all")
    with pytest.raises(CamwidgetError, match="k is 0"):
        plot_top_losses(found, 0)
    with pytest.raises(CamwidgetError, match="layer was given with what was found already"):
        plot_top_losses(found, layer="0")


def test_a_notebook_shows_the_figure_also_where_nobody_has_imported_pyplot() -> None:
    figure = plot_top_losses(find_mistakes(network(), loader(4), progress=False), 2)

    shown = Image.open(io.BytesIO(figure._repr_png_()))

    assert shown.format == "PNG"
    assert shown.width == pytest.approx(80 * figure.get_figwidth(), abs=1)

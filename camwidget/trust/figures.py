"""Figures of what `faithfulness`, `sanity` and `localisation` measure, each with its caveat. No widgets, no pyplot."""

import base64
import html
import io
from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from camwidget.errors import CamwidgetError, three_parts
from camwidget.maps.formulas import positive
from camwidget.pictures.result import Explanation
from camwidget.trust.faithfulness import CAVEAT, Curve, MaskedScore, average_drop, increase
from camwidget.trust.localisation import (
    LOCALISATION_CAVEAT,
    THRESHOLD,
    TOLERANCE,
    Box,
    at_picture_size,
    box_from_map,
    energy_in_box,
    highest_point,
    pointing_game,
)
from camwidget.trust.sanity import SANITY_CAVEAT, SanityCheck

MOST_LABELS = 24
"""The most layers named below an axis; if there are more, only every second, third, ... is named."""

WORDS_WIDE = 30
"""Characters in one line of a legend beside a picture."""


class DescribedFigure(Figure):
    """A matplotlib figure that also says in words what it shows, for those who cannot see it.

    Args:
        alt_text: what it shows.
        options: see matplotlib's `Figure`.
    """

    def __init__(self, alt_text: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.alt_text = alt_text
        """What the figure shows, in words."""

    def _repr_html_(self) -> str:
        """Show the figure in a notebook, whether or not pyplot was ever imported there."""
        png = io.BytesIO()
        self.savefig(png, format="png", dpi=100)
        data = base64.b64encode(png.getvalue()).decode()
        return f'<img alt="{html.escape(self.alt_text)}" src="data:image/png;base64,{data}">'


def curve_figure(curves: Curve | Sequence[Curve]) -> DescribedFigure:
    """Return a figure of a deletion or insertion curve, or of several on the same axes, with their areas.

    Args:
        curves: what `deletion_curve` or `insertion_curve` returned, one or several.

    Raises:
        CamwidgetError: there is no curve.
    """
    drawn = [curves] if isinstance(curves, Curve) else list(curves)
    _at_least_one(drawn, "curve", "deletion_curve(model, image, cam=cam)")
    labels = [f"{curve.kind} for {curve.class_name}, area {curve.area:.3f}" for curve in drawn]
    falls = {"deletion": "taken away", "insertion": "put into the blurred one"}
    lines = ("-", "--", ":", "-.")  # not everyone can tell curves apart by colour alone
    title = " and ".join(kind.capitalize() for kind in dict.fromkeys(curve.kind for curve in drawn))
    alt_text = f"{title}. {'; '.join(labels)}. {CAVEAT}"
    figure, axes = _figure(alt_text, f"{title}: probability while pixels change", CAVEAT)
    for number, (curve, label) in enumerate(zip(drawn, labels, strict=True)):
        line = lines[number % len(lines)]
        axes.plot(curve.fractions, curve.probabilities, linestyle=line, label=_literal(label))
        if len(drawn) == 1:
            axes.fill_between(curve.fractions, curve.probabilities, alpha=0.2)
    changes = " or ".join(falls[kind] for kind in dict.fromkeys(curve.kind for curve in drawn) if kind in falls)
    axes.set_xlabel(f"share of the pixels {changes}, highest in the map first", wrap=True)
    axes.set_ylabel("probability")
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.legend()
    return figure


def drop_figure(scores: MaskedScore | Sequence[MaskedScore]) -> DescribedFigure:
    """Return a figure of each picture's probability before and after, with the average drop and the increase.

    Args:
        scores: what `masked_score` returned, for one or several pictures.

    Raises:
        CamwidgetError: there is no score.
    """
    drawn = [scores] if isinstance(scores, MaskedScore) else list(scores)
    _at_least_one(drawn, "score", "masked_score(model, image, cam=cam)")
    summary = f"average drop {average_drop(drawn):.1%}, increase {increase(drawn):.1%}, pictures: {len(drawn)}"
    figure, axes = _figure(
        f"Probability of each picture, whole and masked by its map: {summary}. {CAVEAT}", summary, CAVEAT
    )
    places = range(1, len(drawn) + 1)
    whole, masked = [score.probability for score in drawn], [score.masked_probability for score in drawn]
    axes.vlines(places, whole, masked, color="0.7")
    axes.plot(places, whole, "o", label="whole picture")
    axes.plot(places, masked, "x", label="what the map leaves")
    _names_below(axes, [score.class_name for score in drawn], start=1)
    axes.set(xlabel="picture, by its class", ylabel="probability", ylim=(-0.02, 1.02))
    axes.legend()
    return figure


def sanity_figure(check: SanityCheck) -> DescribedFigure:
    """Return a figure of the rank correlation after each randomised layer; it starts at 1, before the first.

    Args:
        check: what `randomised_weights` returned.
    """
    title = f"{check.method} of {check.layer} for {check.class_name}: weights randomised"
    last = f"{check.correlations[-1]:.2f}" if check.correlations else "1"
    summary = f"rank correlation with the original map, {last} once all {len(check.correlations)} layers are randomised"
    figure, axes = _figure(f"{title}; {summary}. {SANITY_CAVEAT}", title, SANITY_CAVEAT)
    axes.axhline(0, color="0.7", linewidth=1)
    axes.plot(range(len(check.correlations) + 1), (1.0, *check.correlations), "o-", markersize=3)
    _names_below(axes, ["(none)", *check.randomised], start=0)
    axes.set(xlabel="layers randomised so far, from the last", ylabel="rank correlation", ylim=(-1.05, 1.05))
    return figure


def localisation_figure(
    result: Explanation,
    *,
    box: Box | None = None,
    layer: str | None = None,
    target_class: int | str | None = None,
    threshold: float | int = THRESHOLD,
    tolerance: float | int = TOLERANCE,
) -> DescribedFigure:
    """Return a figure of the picture with the box from the map and, if you give a box, how well the map fits it.

    Args:
        result: what `explain` returned.
        box: where the object is, in pixels of `result.image`; None for the map's box alone.
        layer: name of the layer; None for the deepest with a map.
        target_class: index or name; None for the explanation's first class.
        threshold: see `box_from_map`.
        tolerance: see `pointing_game`.

    Raises:
        CamwidgetError: there is no such map, it points nowhere, or the box or a number does not fit.
    """
    cam, size = result.cam(layer, target_class), {"height": result.image.height, "width": result.image.width}
    map_box, (row, column) = box_from_map(cam, threshold=threshold, **size), highest_point(cam, **size)
    evidence = positive(at_picture_size(cam, **size)).numpy()
    index = result.target_classes[0] if target_class is None else result.class_index(target_class)
    title = f"{result.method} of {layer or list(result.cams)[-1]} for {result.class_names[index]}"
    labels = [f"box from the map: around the largest region above {threshold:.0%} of its maximum"]
    point = "highest point"
    if box is not None:
        area = (box.right - box.left) * (box.bottom - box.top) / evidence.size
        labels.append(f"given box: {energy_in_box(cam, box, **size):.1%} of the energy on {area:.1%} of the area")
        hit = "hit" if pointing_game(cam, box, tolerance=tolerance, **size) else "miss"
        point += f": a {hit} in the pointing game, {tolerance:g} pixels beside the given box allowed"
    summary = "; ".join([*labels, point])
    figure, axes = _figure(f"{title}. {summary}. {LOCALISATION_CAVEAT}", "", LOCALISATION_CAVEAT)
    figure.suptitle(_literal(title), wrap=True)  # as wide as the page, not as the picture
    axes.imshow(np.asarray(result.image.convert("L")), cmap="gray", vmin=-60, vmax=315)  # pale: lines stand out
    axes.imshow(evidence, cmap="Reds", alpha=0.6 * evidence / evidence.max())
    axes.contour(evidence, levels=[threshold * evidence.max()], colors="black", linewidths=0.8)
    for drawn, label, line in zip((map_box, box), labels, ("-", "--"), strict=False):
        _outline(axes, drawn or map_box, label, line)
    axes.plot(column, row, "P", color="white", markeredgecolor="black", markersize=11, label=fill(point, WORDS_WIDE))
    axes.set(xlabel="column, pixels", ylabel="row, pixels")
    figure.legend(loc="outside right center", labelspacing=1.0)
    figure.set_layout_engine("compressed")
    return figure


def _outline(axes: Axes, box: Box, label: str, line: str) -> None:
    """A box as a line in two tones, visible on bright and dark; a pixel extends half a step around its place."""
    corner, width, height = (box.left - 0.5, box.top - 0.5), box.right - box.left, box.bottom - box.top
    axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor="white", linewidth=4))
    words = fill(label, WORDS_WIDE)
    axes.add_patch(
        Rectangle(corner, width, height, fill=False, edgecolor="black", linewidth=2, linestyle=line, label=words)
    )


def _figure(alt_text: str, title: str, caveat: str) -> tuple[DescribedFigure, Axes]:
    figure = DescribedFigure(alt_text, figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(_literal(title), wrap=True)
    figure.supxlabel(caveat, fontsize="small", wrap=True)
    return figure, axes


def _names_below(axes: Axes, names: Sequence[str], *, start: int) -> None:
    places = range(0, len(names), -(-len(names) // MOST_LABELS))
    axes.set_xticks([start + place for place in places], [_literal(names[place]) for place in places], rotation=90)


def _literal(text: str) -> str:
    """The text with its dollar signs escaped, so that matplotlib sees no formula."""
    return text.replace("$", r"\$")


def _at_least_one(drawn: Sequence[object], what: str, how: str) -> None:
    if not drawn:
        raise CamwidgetError(three_parts(f"There is no {what}", f"A figure shows at least one {what}", f"Pass {how}"))

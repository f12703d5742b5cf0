"""Figures of what `faithfulness` and `sanity` measured, each with its caveat in it. No widgets and no pyplot here."""

import base64
import html
import io
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from camwidget.errors import CamwidgetError, three_parts
from camwidget.faithfulness import CAVEAT, Curve, MaskedScore, average_drop, increase
from camwidget.sanity import SANITY_CAVEAT, SanityCheck

MOST_LABELS = 24
"""How many layers are named below an axis; of more, only every second, third, ... one is."""


class DescribedFigure(Figure):
    """A matplotlib figure that also says in words what it shows, to those who do not see it.

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
    told = [f"{each.kind} for {each.class_name}, area {each.area:.3f}" for each in drawn]
    falls = {"deletion": "taken away", "insertion": "put into the blurred picture or other start"}
    title = " and ".join(kind.capitalize() for kind in dict.fromkeys(each.kind for each in drawn))
    figure, axes = _figure(f"{title}. {'; '.join(told)}. {CAVEAT}", f"{title}: probability while pixels change", CAVEAT)
    for curve, label in zip(drawn, told, strict=True):
        axes.plot(curve.fractions, curve.probabilities, label=_literal(label))
        if len(drawn) == 1:
            axes.fill_between(curve.fractions, curve.probabilities, alpha=0.2)
    changes = " or ".join(falls[kind] for kind in dict.fromkeys(each.kind for each in drawn) if kind in falls)
    axes.set(xlabel=f"share of the pixels {changes}, highest in the map first", ylabel="probability")
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
    told = f"average drop {average_drop(drawn):.1%}, increase {increase(drawn):.1%}, pictures: {len(drawn)}"
    figure, axes = _figure(f"Probability of each picture, whole and masked by its map: {told}. {CAVEAT}", told, CAVEAT)
    places = range(1, len(drawn) + 1)
    axes.vlines(places, [each.probability for each in drawn], [each.masked_probability for each in drawn], color="0.7")
    axes.plot(places, [each.probability for each in drawn], "o", label="whole picture")
    axes.plot(places, [each.masked_probability for each in drawn], "x", label="what the map leaves")
    _names_below(axes, [each.class_name for each in drawn], start=1)
    axes.set(xlabel="picture, by its class", ylabel="probability", ylim=(-0.02, 1.02))
    axes.legend()
    return figure


def sanity_figure(check: SanityCheck) -> DescribedFigure:
    """Return a figure of the rank correlation after each randomised layer; it starts at 1, where none is.

    Args:
        check: what `randomised_weights` returned.
    """
    title = f"{check.method} of {check.layer} for {check.class_name}: weights randomised"
    last = f"{check.correlations[-1]:.2f}" if check.correlations else "1"
    told = f"rank correlation with the original map, {last} once all {len(check.correlations)} layers are randomised"
    figure, axes = _figure(f"{title}; {told}. {SANITY_CAVEAT}", title, SANITY_CAVEAT)
    axes.axhline(0, color="0.7", linewidth=1)
    axes.plot(range(len(check.correlations) + 1), (1.0, *check.correlations), "o-", markersize=3)
    _names_below(axes, ["(none)", *check.randomised], start=0)
    axes.set(xlabel="layers randomised so far, from the last", ylabel="rank correlation", ylim=(-1.05, 1.05))
    return figure


def _figure(alt_text: str, title: str, caveat: str) -> tuple[DescribedFigure, Axes]:
    figure = DescribedFigure(alt_text, figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(_literal(title), wrap=True)
    figure.supxlabel(caveat, fontsize="small", wrap=True)
    return figure, axes


def _names_below(axes: Axes, names: Sequence[str], *, start: int) -> None:
    shown = range(0, len(names), -(-len(names) // MOST_LABELS))
    axes.set_xticks([start + place for place in shown], [_literal(names[place]) for place in shown], rotation=90)


def _literal(text: str) -> str:
    """The text with dollar signs that matplotlib does not take for formulas."""
    return text.replace("$", r"\$")


def _at_least_one(drawn: Sequence[object], what: str, how: str) -> None:
    if not drawn:
        raise CamwidgetError(three_parts(f"There is no {what}", f"A figure shows at least one {what}", f"Pass {how}"))

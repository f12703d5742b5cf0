"""`plot_top_losses`: the pictures with the largest losses, with both maps, as one figure."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from camwidget.errors import CamwidgetError, DataError, ImageError, clipped, three_parts
from camwidget.given import told, whole
from camwidget.mistakes.find import find_mistakes
from camwidget.mistakes.found import Found
from camwidget.panel.colours import colormap, overlay

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 100
"""So many pictures are one figure at most; a `MistakesPanel` shows any number."""

_MAPS = ("said", "true", "difference")


def plot_top_losses(learn: Any, k: int = 9, *, dl: Any = None, maps: str = "both", **asked: Any) -> "Figure":
    """Return a figure of the pictures with the largest losses, each with the maps of what was said and what is true.

    All maps of the figure are on one scale, which the bar below tells: red speaks for a class, blue against it.

    Args:
        learn: a fastai Learner, a torch module, or what `find_mistakes` returned.
        k: how many pictures, up to 100; a `MistakesPanel` shows any number.
        dl: which data, see `find_mistakes`; None for the Learner's validation set.
        maps: `"both"`, `"said"`, `"true"`, or `"difference"` for what was said minus what is true.
        **asked: more for `find_mistakes`.

    Raises:
        CamwidgetError: `maps` is none of these, k is not from 1 to 100, or the data cannot be used.

    Example:
        plot_top_losses(learn, 4)
    """
    if not isinstance(maps, str) or maps not in ("both", *_MAPS):
        given, allowed = f"maps is {told(maps)}", f"It is one of {', '.join(map(repr, ('both', *_MAPS)))}"
        raise CamwidgetError(three_parts(given, allowed, "Leave it out for both"))
    k = whole(k, "k", least=1, most=MOST, try_="Leave it out for 9")
    if isinstance(learn, Found) and (dl is not None or asked):
        given = f"{'dl' if dl is not None else next(iter(asked))} was given with what was found already"
        raise CamwidgetError(three_parts(given, "It says what to look at", "Pass the Learner in place of it"))
    found = learn if isinstance(learn, Found) else find_mistakes(learn, dl, **asked)
    rows = found.table[found.read].sort_values("loss", ascending=False, kind="stable").index[:k].tolist()
    if not rows:
        raise DataError(three_parts("No picture was read", "There must be one to show", "See found.table.problem"))
    return figure_of(found, rows, ("said", "true") if maps == "both" else (maps,))


def figure_of(found: Found, rows: Sequence[int], maps: Sequence[str]) -> "Figure":
    """Return a figure of some pictures with their maps, all on one scale, which the bar below tells.

    Args:
        found: what `find_mistakes` returned.
        rows: the pictures, at least one.
        maps: which maps of each: `"said"`, `"true"`, `"difference"`.
    """
    from matplotlib import figure as plain  # noqa: PLC0415 (only who plots waits for it)
    from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: PLC0415

    class Figure(plain.Figure):
        """A figure that a notebook shows as it is, also where nobody has imported pyplot."""

        def _repr_png_(self) -> bytes:
            data = io.BytesIO()
            self.savefig(data, format="png", dpi=80)
            return data.getvalue()

    wide = 1 + len(maps) if len(maps) > 1 else 1
    columns = min(len(rows), 3 if wide > 1 else 4)
    lines = -(-len(rows) // columns)
    layout = ConstrainedLayoutEngine(w_pad=0.04, h_pad=0.06, wspace=0.04)
    figure = Figure(figsize=(1.55 * wide * columns, 2.05 * lines + 0.75), layout=layout)
    values = {row: _maps_of(found, row) for row in rows}
    scale = max((float(np.abs(values[row][name]).max()) for row in rows for name in maps if values[row]), default=0.0)
    grid = figure.add_gridspec(lines + 1, columns, height_ratios=[1] * lines + [0.06])
    for place, row in enumerate(rows):
        inner = grid[place // columns, place % columns].subgridspec(1, wide, wspace=0.03)
        shown = (None, *maps) if wide > 1 else maps
        for column, name in enumerate(shown):
            axes = figure.add_subplot(inner[0, column])
            _tile(axes, found, row, name, values[row], scale, words=column == 0)
    _legend(figure.add_subplot(grid[-1, :]), scale, "said minus true" if list(maps) == ["difference"] else "")
    return figure


def _maps_of(found: Found, row: int) -> dict[str, np.ndarray]:
    """The maps of a picture by name; none where it has none."""
    said, true = found.maps[found.place(row)]
    return {} if np.isnan(said).any() else {"said": said, "true": true, "difference": said - true}


def _tile(
    axes: "Axes",
    found: Found,
    row: int,
    name: str | None,
    values: dict[str, np.ndarray],
    scale: float,
    *,
    words: bool,
) -> None:
    said, true = (str(found.table[each].loc[row]) for each in ("said", "true"))
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    try:
        image = found.picture(row)
    except ImageError:
        axes.text(0.5, 0.5, "picture\nis gone", ha="center", va="center", transform=axes.transAxes, fontsize=8)
        image = None
    if image is not None:
        bare = name is None or not values
        axes.imshow(image if bare else overlay(image, torch.from_numpy(values[str(name)]), scale=scale))
    titles = {"said": f"why {said}", "true": f"why not {true}" if said != true else f"why {true}"}
    title = titles.get(str(name), f"{said} minus {true}" if name else "picture")
    axes.set_title(_plain(title, 22), fontsize=7.5, color="#5f6b7a", loc="left", pad=3)
    if words:
        p_true, p_said, loss = (float(found.table[each].loc[row]) for each in ("p_true", "p_said", "loss"))
        is_it, was_said = f"is {_plain(true, 24)} {_percent(p_true)}", f"said {_plain(said, 24)} {_percent(p_said)}"
        told = f"{is_it}\n{was_said}, loss {loss:.2f}"
        axes.set_xlabel(told, fontsize=8, loc="left", labelpad=3)


def _percent(probability: float) -> str:
    """As the panel writes it."""
    if 0 < probability < 0.001:
        return "under 0.1 %"
    return "over 99.9 %" if 0.999 < probability < 1 else f"{100 * probability:.1f} %"


def _plain(text: str, longest: int) -> str:
    """A text that matplotlib does not take for a formula."""
    return clipped(text, longest=longest).replace("$", r"\$")


def _legend(axes: "Axes", scale: float, what: str) -> None:
    table = np.ascontiguousarray(colormap()[None, :, :3])
    axes.imshow(Image.fromarray(table), aspect="auto", extent=(-1, 1, 0, 1))
    axes.set_yticks([])
    left, right = ("for what it is", "for what was said") if what else ("against", "for")
    axes.set_xticks([-1, 0, 1], [f"{-scale:.3g} {left}", "0", f"{right} {scale:+.3g}"], fontsize=8)
    first, _, last = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    axes.tick_params(length=0)

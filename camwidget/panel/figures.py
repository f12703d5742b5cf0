"""All layers and classes of a panel as one matplotlib figure."""

from typing import TYPE_CHECKING

from camwidget.maps.arguments import told_apart
from camwidget.maps.methods import METHOD_LABELS
from camwidget.panel.colours import overlay
from camwidget.panel.still import shared_scale
from camwidget.pictures.result import Explanation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INCHES = 1.6
"""Side of one picture."""


def grid_figure(
    result: Explanation, *, heatmap_opacity: float = 0.7, smooth: bool = True, signed: bool = True
) -> "Figure":
    """Return a figure with a row for each class and a column for each layer, each column on one scale.

    Args:
        result: what `explain` returned.
        heatmap_opacity: from 0 to 1.
        smooth: interpolated or in blocks.
        signed: with evidence against, or only evidence for.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 (it takes a second to import, and most panels draw none)

    names, classes = list(result.cams), result.target_classes
    figure = Figure(figsize=(INCHES * len(names) + 1.2, INCHES * len(classes) + 0.5), layout="compressed")
    axes = figure.subplots(len(classes), len(names), squeeze=False)
    for column, name in enumerate(names):
        scale = shared_scale([result.cams[name]], signed=signed)
        axes[0, column].set_title(name, fontsize=9)
        for row, target in enumerate(classes):
            at = axes[row, column]
            cam = result.cam(name, target)
            painted = overlay(
                result.image, cam, scale=scale, heatmap_opacity=heatmap_opacity, smooth=smooth, signed=signed
            )
            at.imshow(painted)
            at.set(xticks=[], yticks=[])
            if not column:
                at.set_ylabel(f"{told_apart(result.class_names)[target]}\n{result.answer(target)}", fontsize=9)
    figure.suptitle(f"{METHOD_LABELS.get(result.method, result.method)}, by layer and class", fontsize=10)
    return figure
